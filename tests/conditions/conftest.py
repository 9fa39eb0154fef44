"""Creates the tests' own tables, and rows that hold every awkward value."""

import random

import pytest
from django.db import connection

from .models import TABLES, Crew, Thing
from .samples import CREWS, NEVER, STATES, TEXTS, moments


@pytest.fixture(scope="session")
def condition_tables(django_db_setup, django_db_blocker):
    """The tables, made anew: an earlier run may have left its own behind."""
    with django_db_blocker.unblock():
        with connection.cursor() as cursor:
            for model in reversed(TABLES):
                for table in (*(field.m2m_db_table() for field in model._meta.many_to_many), model._meta.db_table):
                    cursor.execute(f'DROP TABLE IF EXISTS "{table}" CASCADE')
        with connection.schema_editor() as editor:
            for model in TABLES:
                editor.create_model(model)


@pytest.fixture
def crew(condition_tables, db):
    """Crews with every awkward name."""
    return [
        Crew.objects.create(pk=number, name=name, busy=busy, motto=motto)
        for number, (name, busy, motto) in enumerate(
            zip(CREWS, (True, False, None, True, None), ("disk", None, "", "ΣΑΣ", "ẞ"), strict=True), start=1
        )
    ]


@pytest.fixture
def things(crew):
    """A hundred rows whose fields hold, and lack, every awkward value."""
    chance = random.Random(4)
    instants = moments()
    texts = [*TEXTS, None, ""]
    rows = [
        Thing(
            code=chance.choice(("INC1", "INC2", "PRB1", "")),
            title=texts[number % len(texts)],
            state=chance.choice([None, "", *(state for state, _label in STATES)]),
            level=chance.choice([None, 1, 2, 3, 4]),
            loud=chance.choice([None, True, False]),
            made_at=chance.choice([None, *instants]),
            next_at=chance.choice([NEVER, *instants]),
            crew=chance.choice([None, *crew]),
        )
        for number in range(100)
    ]
    Thing.objects.bulk_create(rows)
    for row in rows:
        row.fans.set(chance.sample(crew, chance.choice((0, 0, 1, 3))))
    return list(Thing.objects.select_related("crew").prefetch_related("fans"))

"""Whatever is renamed and moved, each path is its parent's path and its name, and the tree stays a tree."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from itsm.accounts.models import User
from itsm.accounts.roles import Role
from itsm.tickets.actions.settings import save_category
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.errors import Invalid, Refused
from itsm.tickets.models import Category
from itsm.tickets.models.settings import PATH_SEPARATOR
from tests.cast import Cast, as_

NODES = 6
moves = st.lists(
    st.tuples(
        st.integers(0, NODES - 1),
        st.integers(-1, NODES - 1),
        st.sampled_from(["A", "B", "a", "A/B", "Ä", "AA", "B" * 100]),
        st.booleans(),
    ),
    max_size=12,
)


class TreeStaysATree(TestCase):
    @settings(max_examples=40, deadline=None)
    @given(moves)
    def test_any_moves(self, wanted: list[tuple[int, int, str, bool]]) -> None:
        ada = User.objects.create_user("ada@example.com", None, roles=[Role.ADMINISTRATOR])
        actor = Actor(ada, Channel.DESK)
        nodes = [save_category(None, name=f"N{at}", actor=actor) for at in range(NODES)]
        for at, under, name, is_active in wanted:
            node = Category.objects.get(pk=nodes[at].pk)
            parent = Category.objects.get(pk=nodes[under].pk) if under >= 0 else None
            before = list(Category.objects.values_list("pk", "path", "is_active").order_by("pk"))
            try:
                save_category(node, name=name, parent=parent, is_active=is_active, actor=actor)
            except Invalid:
                assert before == list(Category.objects.values_list("pk", "path", "is_active").order_by("pk"))
            self.check()

    def check(self) -> None:
        rows = {row.pk: row for row in Category.objects.all()}
        for row in rows.values():
            names, at, steps = [row.name], row.parent_id, 0
            while at is not None:
                names.insert(0, rows[at].name)
                assert rows[at].is_active or not row.is_active
                at, steps = rows[at].parent_id, steps + 1
                assert steps <= NODES
            assert row.path == PATH_SEPARATOR.join(names)


def test_only_administrators(cast: Cast) -> None:
    with pytest.raises(Refused):
        save_category(None, name="X", actor=as_(cast.lena))

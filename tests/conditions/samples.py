"""The schema, the awkward values and the random trees that the tests of conditions share."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.db.models.lookups import Contains
from hypothesis import strategies as st

from itsm.conditions import AllOf, AnyOf, Context, Field, Leaf, Not, Schema, Type, Word, fold, folded

from .models import Crew, Thing

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
STATES = (("new", "New"), ("in_progress", "In progress"), ("none", "None at all"), ("held", "On hold"))
LEVELS = ((1, "Critical"), (2, "High"), (3, "Moderate"), (4, "Low"))
CREWS = ("network", "Service Desk", "none", "#1", "ÄRZTE")


def crews(words, context):
    """Resolve names of crews; `desks` is a name for two of them."""
    found = {crew.name.lower(): [crew.pk] for crew in Crew.objects.all() if crew.name.lower() in words}
    if "desks" in words:
        found["desks"] = list(Crew.objects.filter(name__in=["network", "Service Desk"]).values_list("pk", flat=True))
    return found


def matching(text, context):
    """Stand in for full-text search."""
    return Q(Contains(folded("title"), fold(text)))


SCHEMA = Schema(
    model=Thing,
    search="text",
    fields=(
        Field(
            name="code",
            type=Type.TEXT,
            label="Code",
            case_sensitive=True,
            prepare=str.upper,
            default_op="eq",
            sortable=True,
        ),
        Field(name="title", type=Type.TEXT, label="Title"),
        Field(name="state", type=Type.CHOICE, label="State", choices=STATES),
        Field(name="level", type=Type.INTEGER, label="Level", choices=LEVELS, sortable=True),
        Field(name="loud", type=Type.BOOLEAN, label="Loud"),
        Field(name="made", type=Type.DATETIME, label="Made", lookup="made_at", sortable=True),
        Field(name="due", type=Type.DATETIME, label="Due", lookup="next_at", future=True, absent=NEVER),
        Field(
            name="crew",
            type=Type.REFERENCE,
            label="Crew",
            resolver=crews,
            words={
                "mine": lambda context: [context.user.pk] if context.user else None,
                "nobody": lambda context: [],
            },
        ),
        Field(name="busy", type=Type.BOOLEAN, label="Crew is busy", lookup="crew__busy"),
        Field(name="motto", type=Type.TEXT, label="Motto", lookup="crew__motto"),
        Field(name="fan", type=Type.REFERENCE, label="Fan", lookup="fans", many=True, resolver=crews),
        Field(name="text", type=Type.SEARCH, label="Text", search=matching, hidden=True),
    ),
    words={
        "open": Word("open", Leaf("state", "in", ("new", "in_progress"))),
        "idle": Word("idle", AllOf((Leaf("crew", "is_empty"), Not(Leaf("level", "lt", 3))))),
        "shouting": Word("shouting", Leaf("text", "matches", "help")),
    },
)

TEXTS = (
    "disk full",
    "DISK",
    "Drucker ÖFFNET nicht",
    "öffnet",
    "straße",
    "STRASSE",
    "ẞ",
    "İstanbul",
    "istanbul",
    "ı",
    "ΣΑΣ",
    "σας",
    "ПРИВЕТ",
    "привет",
    "100%",
    "100_",
    "a_b",
    "axb",
    "back\\slash",
    "\\",
    "%",
    "_",
    'say "hi"',
    "🔥 fire",
    "e\u0301",
    "é",
    " ",
    "none",
    "any",
    "or",
    "-x",
    "a,b",
    "(x)",
    "x*",
    "a..b",
    "line\nbreak",
    "Ǆ",
    "ǅ",
    "K",
)
MOMENTS = (
    "2026-11-23",
    "2026-11-22",
    "2026-10-25",
    "2026-11",
    "2026",
    "2026-11-23T10:30",
    "2026-11-23T09:30Z",
    "2026-11-23T09:30:00.000001Z",
    "2026-11-23T10:30:00+01:00",
    "today",
    "yesterday",
    "tomorrow",
    "this_week",
    "last_week",
    "this_month",
    "last_month",
)
AGES = ("0m", "30m", "2h", "3d", "1w", "30d")


def context(user=None):
    """Return a context at a fixed moment in Berlin."""
    return Context(user=user, now=NOW, zone=BERLIN)


def moments():
    """Return instants on and next to every edge that the dates and ages above have."""
    edges = [NOW, datetime(2026, 10, 25, tzinfo=BERLIN), datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1)]
    edges += [datetime(2026, month, 1, tzinfo=BERLIN) for month in (1, 10, 11, 12)]
    edges += [datetime(2026, 11, day, tzinfo=BERLIN) for day in (16, 22, 23, 24, 25)]
    edges += [NOW + sign * timedelta(minutes=m) for sign in (1, -1) for m in (30, 120, 4320, 10080, 43200)]
    edges += [NOW + timedelta(minutes=1)]
    return [edge + timedelta(microseconds=step) for edge in edges for step in (-1, 0, 1)]


text_values = st.one_of(
    st.sampled_from(TEXTS),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=4),
    st.sampled_from(TEXTS).flatmap(lambda text: st.integers(0, len(text) - 1).map(lambda at: text[at:])),
)
crew_values = st.sampled_from((*CREWS, "desks", "network ", 1, 2, 999))
field_ops = {field.name: sorted(field.operators) for field in SCHEMA.by_name.values()}


def _values(name, op):
    field = SCHEMA.by_name[name]
    match field.type:
        case Type.CHOICE | Type.WORD:
            return st.sampled_from([value for value, _label in field.options() if value != "shouting"])
        case Type.INTEGER:
            return st.integers(1, 4) if op in ("eq", "ne", "in", "not_in") else st.integers(-3, 6)
        case Type.BOOLEAN:
            return st.booleans()
        case Type.DATETIME:
            return st.sampled_from(MOMENTS if op in ("eq", "ne", "within") else MOMENTS + AGES)
        case Type.REFERENCE:
            return crew_values | st.sampled_from(("nobody",)) if name == "crew" else crew_values
        case _:
            return text_values


@st.composite
def leaves(draw, names):
    """Draw one leaf over the fields called `names`."""
    name = draw(st.sampled_from(names))
    op = draw(st.sampled_from(field_ops[name]))
    if op in ("is_empty", "is_not_empty"):
        return Leaf(name, op)
    if op in ("in", "not_in"):
        return Leaf(name, op, tuple(draw(st.lists(_values(name, op), min_size=1, max_size=3, unique=True))))
    if op == "within":
        pool = st.sampled_from(AGES) if draw(st.booleans()) and name in ("made", "due") else _values(name, op)
        return Leaf(name, op, (draw(pool), draw(pool)))
    return Leaf(name, op, draw(_values(name, op)))


def trees(names):
    """Return random conditions over the fields called `names`, no deeper than a condition may be."""
    found = leaves(names)
    for _level in range(3):
        inner = found
        found = st.one_of(
            inner,
            inner.map(Not),
            st.lists(inner, max_size=3).map(lambda parts: AllOf(tuple(parts))),
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
        )
    return found


TESTABLE = sorted(name for name in field_ops if name != "text")
ALL_NAMES = sorted(field_ops)

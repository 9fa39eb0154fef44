"""What the tags write: right words without JavaScript, hostile text as text, unknown values without a crash."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from itsm.ui.icons import UnknownIcon, icon_svg
from itsm.ui.templatetags import ui
from itsm.ui.words import at_risk_below, short_duration

NOW = datetime(2026, 11, 23, 14, 6, tzinfo=UTC)
HOSTILE = '"><script>alert(1)</script>&amp;'
Render = Callable[..., str]


@pytest.mark.parametrize("name", ["../../../package", "Clock", "clock.svg", "", "no-such-icon", "a" * 61, "clock\n"])
def test_an_icon_that_does_not_exist_or_leaves_the_folder_is_refused(name: str) -> None:
    with pytest.raises(UnknownIcon):
        icon_svg(name)


def test_an_icon_is_hidden_from_screen_readers_unless_it_is_named(rendered: Render) -> None:
    bare = rendered('{% icon "clock" %}')
    assert 'aria-hidden="true"' in bare
    assert "<path d=" in bare
    assert "visually-hidden" not in bare
    assert '<span class="visually-hidden">&lt;b&gt;</span>' in rendered('{% icon "clock" label=word %}', word="<b>")


@pytest.mark.parametrize(
    "source",
    [
        "{% avatar hostile named=True %}",
        "{% status_badge hostile label=hostile %}",
        "{% priority_badge 1 label=hostile %}",
        '{% file_chip hostile 10 "/f" hostile %}',
        '{% file_chip hostile 10 "/f" deleted=True %}',
        '{% sla_badge "at_risk" due now=now name=hostile %}',
        "{% sla_bar 0.5 hostile hostile %}",
        '{% include "components/ticket_row.html" with t=row %}',
        '{% include "components/bubble.html" with e=entry %}',
        '{% include "components/event_line.html" with e=entry %}',
        '{% include "components/composer.html" with to=hostile can_reply=1 body=hostile draft_key=hostile %}',
        '{% include "components/prop_select.html" with label=hostile name="x" options=pairs error=hostile %}',
        '{% include "components/empty.html" with title=hostile text=hostile %}',
        '{% include "components/request_card.html" with r=row %}',
    ],
)
def test_hostile_text_stays_text(rendered: Render, source: str) -> None:
    row = {"title": HOSTILE, "number": HOSTILE, "requester": HOSTILE, "assignee": HOSTILE, "priority": 9,
           "status": HOSTILE, "url": HOSTILE, "id": HOSTILE, "sentence": HOSTILE, "changed_at": NOW}  # fmt: skip
    entry = {"kind": "note", "author": HOSTILE, "body": HOSTILE, "text": HOSTILE, "via": HOSTILE, "at": NOW,
             "attachments": [{"name": HOSTILE, "size": 1, "url": "javascript"}]}  # fmt: skip
    out = rendered(source, hostile=HOSTILE, row=row, entry=entry, now=NOW, due=NOW, pairs=[(HOSTILE, HOSTILE)])
    assert "<script" not in out
    assert "&lt;script&gt;" in out


def test_an_avatar_keeps_its_colour_and_takes_first_and_last_initial(rendered: Render) -> None:
    one, two = (
        rendered('{% avatar "Marta van der Keller" %}'),
        rendered("{% avatar who %}", who={"name": "Marta van der Keller"}),
    )
    assert one == two
    assert ">MK<" in one


@pytest.mark.parametrize(("name", "letters"), [("李雷", "李"), ("(external) Ann", "A"), ("!!!", "?"), ("madonna", "M")])
def test_initials(name: str, letters: str) -> None:
    assert ui.initials(name) == letters


def test_nobody_is_said_in_words(rendered: Render) -> None:
    assert rendered("{% avatar nobody %}", nobody=None).count("Unassigned") == 2


@pytest.mark.parametrize(
    ("call", "css", "word"),
    [
        ('"on_hold" "awaiting_caller"', "st-hold-user", "Waiting on user"),
        ('"on_hold" "awaiting_vendor"', "st-hold", "On hold"),
        ('"resolved"', "st-resolved", "Resolved"),
        ('"in_limbo"', "st-closed", "In limbo"),
    ],
)
def test_a_status_is_shape_word_and_colour(rendered: Render, call: str, css: str, word: str) -> None:
    out = rendered("{% status_badge " + call + " %}")
    assert f'class="st {css}"' in out
    assert f"<span>{word}</span>" in out
    assert "<svg" in out


@pytest.mark.parametrize(
    ("level", "word"), [(1, "Critical"), (2, "High"), (3, "Moderate"), (4, "Low"), (5, "Planning")]
)
def test_a_priority_always_has_its_word(rendered: Render, level: int, word: str) -> None:
    assert f'<span class="pr-word">{word}</span>' in rendered("{% priority_badge n %}", n=level)
    assert f'<span class="visually-hidden">{word}</span>' in rendered("{% priority_badge n words=False %}", n=level)


@pytest.mark.parametrize(
    ("state", "left", "target", "css", "text"),
    [
        ("on_track", timedelta(hours=5), 28800, "sla-ok", "5h"),
        ("on_track", timedelta(minutes=96), 28800, "sla-risk", "1h 36m"),  # exactly 20 % of the target
        ("on_track", timedelta(minutes=97), 28800, "sla-ok", "1h 37m"),
        ("on_track", timedelta(minutes=14), 1000, "sla-risk", "14m"),  # 15 minutes beat 20 % of a short target
        ("on_track", timedelta(seconds=-5), 3600, "sla-risk", "0m"),  # due, and the server has not said breached
        ("breached", timedelta(minutes=-34), 3600, "sla-late", "−34m"),
        ("breached", timedelta(days=-12, hours=-3), 3600, "sla-late", "−12d"),
    ],
)
def test_a_running_service_level_is_right_without_javascript(
    rendered: Render, state: str, left: timedelta, target: int, css: str, text: str
) -> None:
    out = rendered("{% sla_badge state due target now=now %}", state=state, due=NOW + left, target=target, now=NOW)
    assert f'class="sla {css}"' in out
    assert f"data-sla-time>{text}</time>" in out
    assert f'data-due-at="{(NOW + left).isoformat(timespec="seconds")}"' in out


@pytest.mark.parametrize(("state", "text"), [("paused", "Paused"), ("met", "Met in 6m")])
def test_a_clock_that_stands_still_does_not_tick(rendered: Render, state: str, text: str) -> None:
    out = rendered("{% sla_badge state due seconds=360 now=now %}", state=state, due=NOW + timedelta(hours=1), now=NOW)
    assert f"<span>{text}</span>" in out
    assert "data-due-at" not in out


@pytest.mark.parametrize(
    ("state", "breached_at", "looks"),
    [
        ("running", None, 'class="sla sla-ok"'),
        ("running", NOW, 'class="sla sla-late"'),
        ("paused", None, "<span>Paused</span>"),
        ("met", None, "<span>Met in 6m</span>"),
        ("missed", NOW, "<span>Missed</span>"),
        ("cancelled", None, None),
    ],
)
def test_a_timer_is_shown_as_it_stands(
    rendered: Render, state: str, breached_at: datetime | None, looks: str | None
) -> None:
    due_at = None if state == "paused" else datetime.now(UTC) + timedelta(days=2)
    timer = SimpleNamespace(
        state=state, due_at=due_at, target_s=3600, breached_at=breached_at, elapsed_closed_us=360_000_000
    )
    out = rendered("{% timer_badge timer %}", timer=timer)
    assert out == "" if looks is None else looks in out


def test_no_timer_is_no_badge(rendered: Render) -> None:
    assert rendered("{% timer_badge timer %}", timer=None) == ""


def test_no_service_level_is_no_badge(rendered: Render) -> None:
    assert rendered("{% sla_badge none %}", none="") == ""


@given(st.floats(min_value=-1e9, max_value=1e9), st.sampled_from(["on_track", "met", "nonsense"]))
def test_a_bar_never_leaves_its_ground(fraction: float, state: str) -> None:
    width = ui.sla_bar(fraction, state).split('bar-fill" width="')[1].split("%")[0]
    assert 0 <= float(width) <= 100


@given(st.integers(min_value=0, max_value=10**9))
def test_a_short_duration_rounds_down_and_has_at_most_two_units(seconds: int) -> None:
    parts = short_duration(seconds).split()
    total = sum(int(part[:-1]) * {"d": 86400, "h": 3600, "m": 60}[part[-1]] for part in parts)
    assert 1 <= len(parts) <= 2
    assert total <= seconds
    assert seconds - total < {"m": 60, "h": 3600, "d": 86400}[parts[-1][-1]]
    assert short_duration(-seconds) == short_duration(seconds)


def test_without_a_target_fifteen_minutes_count_as_at_risk() -> None:
    assert at_risk_below(None) == at_risk_below(0) == 900


@pytest.mark.parametrize(
    ("past", "text"),
    [
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=-30), "just now"),
        (timedelta(minutes=59, seconds=59), "59m ago"),
        (timedelta(hours=23), "23h ago"),
        (timedelta(days=400), "400d ago"),
        (timedelta(hours=-2), "in 2h"),
    ],
)
def test_an_age_is_short_and_names_the_moment(rendered: Render, past: timedelta, text: str) -> None:
    out = rendered("{% timeago at now %}", at=NOW - past, now=NOW)
    assert f">{text}</time>" in out
    assert f'datetime="{(NOW - past).isoformat(timespec="seconds")}"' in out


def test_an_age_of_nothing_is_nothing(rendered: Render) -> None:
    assert rendered("{% timeago at %}|{% moment at %}", at=None) == "|–"


def test_the_rail_stands_without_links_and_draws_the_ones_it_gets(rf, rendered: Render) -> None:
    request = rf.get("/")
    assert "<a" not in rendered("{% desk_rail %}", request=request)
    request.desk_nav = [
        {"label": HOSTILE, "url": "/q", "icon": "inbox", "count": 0, "current": True, "hotkey": "G Q", "key": "queue"},
        {"label": "Find", "url": "/s", "icon": "search", "key": "search"},
    ]
    out = rendered('{% desk_rail %}{% desk_link "search" as s %}[{{ s.url }}]', request=request)
    assert "<script" not in out
    assert out.count("<a ") == 1
    assert 'aria-current="page"' in out
    assert '<span class="rail-count">0</span>' in out
    assert out.endswith("[/s]")


@pytest.mark.parametrize(("cookie", "theme"), [("dark", "dark"), ("light", "light"), ("<b>", "auto"), ("", "auto")])
def test_the_theme_comes_from_the_cookie_and_only_as_a_known_word(
    rf, rendered: Render, cookie: str, theme: str
) -> None:
    request = rf.get("/")
    request.COOKIES["theme"] = cookie
    assert rendered("{% theme %}", request=request) == theme


def test_words_follow_the_language_of_the_reader(rendered: Render) -> None:
    with translation.override("de"):
        assert "st-new" in rendered('{% status_badge "new" %}')

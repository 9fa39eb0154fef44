"""The trend as a picture made on the server: lengths are attributes, so no style and no script is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from reports.compliance import Counts

WIDTH, TOP, LINE_HEIGHT, GAP, BAR_HEIGHT, LEFT, RIGHT, FOOT = 960, 12, 150, 22, 56, 44, 12, 24
LABELS, WIDEST = 8, 40
FLOORS = (90, 80, 50, 0)


@dataclass(frozen=True)
class Point:
    """One step: where its marker stands (y None: nothing decided), its two bars, its words for a hover."""

    x: float
    y: float | None
    bar_x: float
    bar_width: float
    met_y: float
    met_height: float
    late_y: float
    late_height: float
    label: str
    words: str
    is_labelled: bool


@dataclass(frozen=True)
class Tick:
    """A line across with its value."""

    y: float
    text: str


@dataclass(frozen=True)
class Chart:
    """Everything that `reports/_trend.html` draws. `lines`: runs of points without a gap, as SVG paths."""

    width: int
    height: int
    left: int
    right: float
    points: list[Point]
    paths: list[str]
    ticks: list[Tick]
    base: float
    bar_top: float
    most: int
    sentence: str


def step_label(step: date, grain: str) -> str:
    """Return the words for a step: a day, the Monday of a week, a month."""
    return date_format(step, "M Y") if grain == "month" else date_format(step, "j M")


def step_days(step: date, grain: str) -> tuple[date, date]:
    """Return the first and the last day of the step."""
    if grain == "month":
        after = (step + timedelta(days=32)).replace(day=1)
        return step, after - timedelta(days=1)
    return step, step + timedelta(days=6 if grain == "week" else 0)


def trend(steps: Sequence[tuple[date, Counts]], grain: str) -> Chart:
    """Return the picture of compliance (a line) and of the clocks met and late (bars) for each step."""
    shares = [counts.per_cent for _step, counts in steps if counts.per_cent is not None]
    floor = next(level for level in FLOORS if level <= min(shares, default=0))
    most = max((counts.decided for _step, counts in steps), default=0)
    room = WIDTH - LEFT - RIGHT
    slot = room / max(len(steps), 1)
    bar_top = TOP + LINE_HEIGHT + GAP
    base = bar_top + BAR_HEIGHT
    every = -(-len(steps) // LABELS)
    points = []
    for at, (step, counts) in enumerate(steps):
        share = counts.per_cent
        late, met = (BAR_HEIGHT * part / most if most else 0 for part in (counts.late, counts.met))
        label = step_label(step, grain)
        x, wide = LEFT + slot * (at + 0.5), min(slot * 0.7, WIDEST)
        points.append(
            Point(
                x=round(x, 1),
                y=None if share is None else round(TOP + LINE_HEIGHT * (100 - share) / (100 - floor), 1),
                bar_x=round(x - wide / 2, 1),
                bar_width=round(wide, 1),
                met_y=round(base - met - late, 1),
                met_height=round(met, 1),
                late_y=round(base - late, 1),
                late_height=round(late, 1),
                label=label,
                words=_words(label, counts),
                is_labelled=at % every == 0,
            )
        )
    return Chart(
        width=WIDTH,
        height=base + FOOT,
        left=LEFT,
        right=WIDTH - RIGHT,
        points=points,
        paths=_paths(points),
        ticks=[
            Tick(round(TOP + LINE_HEIGHT * part / 2, 1), f"{100 - (100 - floor) * part / 2:g} %") for part in range(3)
        ],
        base=base,
        bar_top=bar_top,
        most=most,
        sentence=_sentence(steps, grain),
    )


def _paths(points: Sequence[Point]) -> list[str]:
    paths: list[list[str]] = [[]]
    for point in points:
        if point.y is None:
            paths.append([])
        else:
            paths[-1].append(f"{point.x} {point.y}")
    return ["M" + " L".join(path) for path in paths if len(path) > 1]


def _words(label: str, counts: Counts) -> str:
    words = {"when": label, "met": counts.met, "late": counts.late, "share": counts.per_cent}
    if counts.per_cent is None:
        return _("%(when)s: nothing decided") % words
    return _("%(when)s: %(share)s %%, %(met)d met, %(late)d late") % words


def _sentence(steps: Sequence[tuple[date, Counts]], grain: str) -> str:
    decided = [(step, counts) for step, counts in steps if counts.per_cent is not None]
    if not decided:
        return _("No clock was decided in this period.")
    (first, begins), (last, ends) = decided[0], decided[-1]
    return _("Compliance went from %(a)s %% (%(first)s) to %(b)s %% (%(last)s).") % {
        "a": begins.per_cent,
        "b": ends.per_cent,
        "first": step_label(first, grain),
        "last": step_label(last, grain),
    }

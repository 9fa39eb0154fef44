"""The report of a search for the rule behind a log's `made_sla`, for people and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from incidents.replay.agreement import KINDS, Agreement, Disagreement, compare, share
from incidents.replay.verdicts import ALL_HOLDS, NO_HOLD, Verdicts
from slas.calendars import CalendarSpec
from slas.fitting import Fitted, Found, Rule
from slas.fitting.shapes import EVERY_DAY

STOPS: dict[str, Promise] = {
    "closed_first": gettext_lazy("the first row in state Closed"),
    "closed_at": gettext_lazy("closed_at, the last closing"),
    "resolved_first": gettext_lazy("the first row in state Resolved"),
    "resolved_at": gettext_lazy("resolved_at, the last resolution"),
}
PRIORITIES: dict[str, Promise] = {
    "last": gettext_lazy("as in the last row"),
    "first": gettext_lazy("as in the first row"),
    "highest": gettext_lazy("the most urgent of all rows"),
}
LISTED = 12
NO_HOLIDAYS = "none"


def fitted_policy(rule: Rule) -> list[dict[str, Any]]:
    """Return the goals of the rule, each with its condition and target, as a policy holds them."""
    return [
        {"condition": {"field": "priority", "op": "eq", "value": level}, "target_s": fitted.target_s}
        for level, fitted in rule.targets.items()
    ]


def reading_of(rule: Rule) -> tuple[str, str]:
    """Return where the clock of the rule stops and for which state it stands still."""
    stop, _separator, hold = rule.clock.name.partition("|")
    return stop, hold


def _opening(rule: Rule) -> str:
    always = rule.shape.days == EVERY_DAY and rule.shape.length == 24 * 60
    return "always" if always else "".join(str(day) for day in rule.shape.days)


# In what rules differ. For each other value that was tried the best rule is shown, so that one sees what the figure of
# the rule found is worth.
DIMENSIONS: dict[str, tuple[Promise, Callable[[Rule], str]]] = {
    "stop": (gettext_lazy("clock stops"), lambda rule: reading_of(rule)[0]),
    "paused": (gettext_lazy("paused"), lambda rule: reading_of(rule)[1]),
    "priority": (gettext_lazy("priority"), lambda rule: rule.levels.name),
    "days": (gettext_lazy("days"), _opening),
    "zone": (gettext_lazy("zone"), lambda rule: rule.spec.time_zone),
    "holidays": (gettext_lazy("holidays"), lambda rule: rule.shape.country or NO_HOLIDAYS),
}


@dataclass(frozen=True)
class FittedReport:
    """What was read, what was found, and how far it agrees on either side of the split."""

    file: str
    zone: str
    verdicts: Verdicts
    found: Found
    fitted: Agreement
    held_out: Agreement
    differing: list[Disagreement]
    seconds: float

    @classmethod
    def of(
        cls, file: str, zone: str, verdicts: Verdicts, found: Found, sides: tuple[list[int], list[int]], seconds: float
    ) -> FittedReport:
        """Judge both sides by the rule found and return the report."""
        fitted, differing = compare(found.best, verdicts, sides[0], held_out=False)
        held_out, unseen = compare(found.best, verdicts, sides[1], held_out=True)
        return cls(file, zone, verdicts, found, fitted, held_out, differing + unseen, seconds)

    @property
    def rivals(self) -> dict[str, dict[str, Rule]]:
        """The best rule, by the incidents fitted on, for each value in which it differs from the rule found."""
        best: dict[str, dict[str, Rule]] = {}
        for name, (_label, value_of) in DIMENSIONS.items():
            best[name] = {}
            for rule in self.found.tried:
                best[name].setdefault(value_of(rule), rule)
            best[name].pop(value_of(self.found.best), None)
        return best

    @property
    def equals(self) -> list[Rule]:
        """The other rules that err as little as the one found."""
        least = self.found.best.errors
        return [rule for rule in self.found.tried if rule.errors == least and rule is not self.found.best]

    def as_plain(self) -> dict[str, Any]:
        """Return the report as plain values for JSON."""
        whole = _sum(self.fitted, self.held_out)
        return {
            "file": self.file,
            "zone": self.zone,
            "left_out": dict(self.verdicts.left_out),
            "rule": _rule_as_plain(self.found.best),
            "agreement": {
                "fitted": self.fitted.as_plain(),
                "held_out": self.held_out.as_plain(),
                "all": whole.as_plain(),
            },
            "disagreements": [one.as_plain() for one in self.differing],
            "rules_tried": len(self.found.tried),
            "equally_good": [_rule_as_plain(rule) for rule in self.equals[:LISTED]],
            "equally_good_count": len(self.equals),
            "rivals": {
                name: {value: _rule_as_plain(rule) for value, rule in best.items()}
                for name, best in self.rivals.items()
            },
            "seconds": round(self.seconds, 1),
        }

    def as_text(self) -> str:
        """Return the report for people, in lines."""
        return "\n".join(
            [
                _("Targets of %(file)s (times read as %(zone)s)") % {"file": self.file, "zone": self.zone},
                *self._read_lines(),
                "",
                _("The rule found"),
                *rule_lines(self.found.best),
                "",
                _("How far it agrees with the log's made_sla"),
                *self._agreement_lines(),
                "",
                _("What it judges otherwise than the log"),
                *self._difference_lines(),
                "",
                _("What else was tried"),
                *self._rival_lines(),
            ]
        )

    def _read_lines(self) -> list[str]:
        judged = len(self.verdicts.kept)
        lines = [_line(judged, ngettext("closed incident", "closed incidents", judged))]
        lines += [
            _line(count, _("left out: %(reason)s") % {"reason": why}) for why, count in self.verdicts.left_out.items()
        ]
        return lines

    def _agreement_lines(self) -> list[str]:
        sides = (self.fitted, self.held_out, _sum(self.fitted, self.held_out))
        rows: list[tuple[str, list[str]]] = [
            ("", [_("fitted on"), _("held out"), _("together")]),
            (_("incidents"), [number_format(side.total, force_grouping=True) for side in sides]),
            (_("the log says kept, the rule kept"), [str(side.kept_kept) for side in sides]),
            (_("the log says kept, the rule missed"), [str(side.kept_missed) for side in sides]),
            (_("the log says missed, the rule kept"), [str(side.missed_kept) for side in sides]),
            (_("the log says missed, the rule missed"), [str(side.missed_missed) for side in sides]),
            (_("agreement"), [_percent(side.agreed, side.total) for side in sides]),
            (_("of those kept"), [_percent(side.kept_kept, side.kept_kept + side.kept_missed) for side in sides]),
            (
                _("of those missed"),
                [_percent(side.missed_missed, side.missed_missed + side.missed_kept) for side in sides],
            ),
            (_("guessing the more frequent outcome"), [_percent(side.guessed, side.total) for side in sides]),
        ]
        return [f"  {label:<42}" + "".join(f"{cell:>12}" for cell in cells) for label, cells in rows]

    def _difference_lines(self) -> list[str]:
        if not self.differing:
            return [f"  {_('nothing')}"]
        counts = Counter(one.kind for one in self.differing)
        lines = [_line(counts[kind], str(label)) for kind, label in KINDS.items() if counts[kind]]
        return lines + [f"    {_difference(one)}" for one in self.differing[:LISTED]]

    def _rival_lines(self) -> list[str]:
        least = self.found.best.errors
        lines = [
            _line(len(self.found.tried), _("rules tried in %(seconds).0f s") % {"seconds": self.seconds}),
            _line(len(self.equals), _("others err as little on the incidents fitted on, such as")),
            *(f"    {hours_text(rule.spec)}; {_targets_text(rule.targets)}" for rule in self.equals[:3]),
            _("  Errors on the incidents fitted on with another value of one thing (the rule found: %(least)d)")
            % {"least": least},
        ]
        for name, best in self.rivals.items():
            lines += [
                _line(rule.errors, f"{DIMENSIONS[name][0]} {value}: {_short(rule)}")
                for value, rule in sorted(best.items(), key=lambda one: one[1].errors)
            ]
        return lines


def rule_lines(rule: Rule) -> list[str]:
    """Return the rule in words, in the parts in which a calendar and a policy are entered."""
    stop, hold = reading_of(rule)
    holds = {NO_HOLD: _("never"), ALL_HOLDS: _("in every state that awaits something")}
    facts = {
        _("clock"): _("from opened_at to %(stop)s") % {"stop": STOPS[stop]},
        _("paused"): holds.get(hold) or _("in state %(state)s") % {"state": hold},
        _("priority"): str(PRIORITIES[rule.levels.name]),
        _("calendar"): hours_text(rule.spec),
        _("holidays"): rule.shape.country or _("none"),
    }
    lines = [f"  {label:<12}{text}" for label, text in facts.items()]
    return lines + [f"  {_goal(level, fitted)}" for level, fitted in rule.targets.items()]


def hours_text(spec: CalendarSpec) -> str:
    """Return the weekly hours in one line: runs of days with the same hours, and the zone."""
    names = [_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun")]
    runs: list[tuple[int, int]] = []
    for day in range(7):
        if runs and spec.weekly[runs[-1][0]] == spec.weekly[day]:
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    parts = []
    for first, last in runs:
        if spec.weekly[first]:
            hours = ", ".join(f"{_clock(start)}–{_clock(end)}" for start, end in spec.weekly[first])
            parts.append(f"{names[first]}{f'–{names[last]}' if last > first else ''} {hours}")
    return f"{'; '.join(parts)} {spec.time_zone}"


def length_text(seconds: int) -> str:
    """Return a length of open time such as “62 h 1 min”."""
    hours, rest = divmod(seconds, 3600)
    minutes, odd = divmod(rest, 60)
    parts = [f"{hours} h" if hours else "", f"{minutes} min" if minutes else "", f"{odd} s" if odd else ""]
    return " ".join(part for part in parts if part) or "0 s"


def _rule_as_plain(rule: Rule) -> dict[str, Any]:
    stop, hold = reading_of(rule)
    return {
        "clock_stops": stop,
        "paused_in": hold,
        "priority": rule.levels.name,
        "calendar": rule.spec.to_json(),
        "goals": [
            {**goal, "low_s": fitted.low_s, "high_s": fitted.high_s, "cases": fitted.cases, "errors": fitted.errors}
            for goal, fitted in zip(fitted_policy(rule), rule.targets.values(), strict=True)
        ],
        "errors": rule.errors,
    }


def _goal(level: int, fitted: Fitted) -> str:
    words = {"level": level, "target": length_text(fitted.target_s), "cases": fitted.cases}
    words |= {"low": length_text(fitted.low_s), "high": length_text(fitted.high_s or 0)}
    goal = _("priority %(level)d: %(target)s (%(cases)d incidents;") % words
    if fitted.high_s is None:
        return goal + _(" anything from %(low)s on errs as little)") % words
    return goal + _(" anything from %(low)s to below %(high)s errs as little)") % words


def _difference(one: Disagreement) -> str:
    return _("%(number)s: %(said)s by the log; needs %(needed)s of %(target)s; %(kind)s") % {
        "number": one.number,
        "said": _("kept") if one.made else _("missed"),
        "needed": length_text(one.needed_s),
        "target": length_text(one.target_s) if one.target_s is not None else _("no target"),
        "kind": KINDS[one.kind],
    }


def _targets_text(targets: Mapping[int, Fitted]) -> str:
    return ", ".join(f"{level}: {length_text(fitted.target_s)}" for level, fitted in targets.items())


def _short(rule: Rule) -> str:
    stop, hold = reading_of(rule)
    return f"{stop}, {hold}, {rule.levels.name}, {hours_text(rule.spec)}"


def _sum(one: Agreement, other: Agreement) -> Agreement:
    return Agreement(
        one.kept_kept + other.kept_kept,
        one.kept_missed + other.kept_missed,
        one.missed_kept + other.missed_kept,
        one.missed_missed + other.missed_missed,
    )


def _line(count: int, label: str) -> str:
    return f"  {count:>9,}  {label}"


def _percent(part: int, whole: int) -> str:
    part_of = share(part, whole)
    return "-" if part_of is None else f"{part_of:.2%}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"

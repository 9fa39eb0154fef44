"""Why a clock stands where it does: every span, pause, holiday and clock change that led to its due time."""

from slas.explain.explanation import Explanation, Leg, explain, find_timer

__all__ = ["Explanation", "Leg", "explain", "find_timer"]

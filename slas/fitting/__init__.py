"""Finding the rule by which a desk's clocks were judged, from cases whose outcome is known. No Django in here."""

from slas.fitting.cases import Case, Clock, Levels, Log
from slas.fitting.search import Found, Rule, search
from slas.fitting.shapes import Shape
from slas.fitting.targets import Fitted

__all__ = ["Case", "Clock", "Fitted", "Found", "Levels", "Log", "Rule", "Shape", "search"]

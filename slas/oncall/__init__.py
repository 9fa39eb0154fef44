"""Who is on call: rotas as pure arithmetic, without a database. Local times are resolved as calendars resolve them."""

from slas.oncall.plan import RotaSpec
from slas.oncall.schedule import Absence, Alert, Cover, OnCall, Schedule, Shift, Warned

__all__ = ["Absence", "Alert", "Cover", "OnCall", "RotaSpec", "Schedule", "Shift", "Warned"]

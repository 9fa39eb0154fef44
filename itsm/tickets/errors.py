"""What a verb can answer instead of doing what was asked. Every message is a sentence for a person."""

from collections.abc import Mapping

from django.utils.translation import gettext as _


class VerbError(Exception):
    """A verb did nothing, and says why."""

    code = "error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Invalid(VerbError):
    """The values do not fit. `fields` maps a field's name to the sentence about it (HTTP 422; 400 in the API)."""

    code = "invalid"

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(" ".join(fields.values()))
        self.fields = dict(fields)


class Refused(VerbError):
    """The actor may not do this; the message names the reason (HTTP 403)."""

    code = "refused"


class IllegalMove(VerbError):
    """The ticket's state does not allow the move now (HTTP 409)."""

    code = "illegal_move"


class Stale(VerbError):
    """Somebody changed the ticket since the caller saw it (HTTP 409)."""

    code = "stale"

    def __init__(self, seen: int, current: int) -> None:
        super().__init__(
            _("Somebody changed this ticket while you were working on it. Look at what is new, then try again.")
        )
        self.seen = seen
        self.current = current


class TooLarge(VerbError):
    """A file or text is larger than allowed (HTTP 413)."""

    code = "too_large"

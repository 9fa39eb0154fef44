"""The one error that a bad condition raises, whatever is wrong with it."""

from collections.abc import Iterable
from difflib import get_close_matches

from django.utils.translation import gettext as _

SHOWN_OPTIONS = 12


class ConditionError(ValueError):
    """A condition that cannot be used, with a sentence that says what to do.

    `message` is for people and already translated; `position` is the offset (in characters) in the search text, or
    None when the condition did not come from text; `word` is the piece that was not understood, or "".
    """

    def __init__(self, message: str, *, position: int | None = None, word: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.position = position
        self.word = word


def shorten(word: object, length: int = 60) -> str:
    """`word` as a text short enough for an error message."""
    text = str(word)
    return text if len(text) <= length else text[: length - 1] + "…"


def hint(word: str, options: Iterable[str]) -> str:
    """A sentence that names the options nearest to `word`, or all of them when they are few and none is near."""
    names = [str(option) for option in options]
    near = get_close_matches(word[:50].lower(), names, n=3, cutoff=0.5)
    if near:
        return _("Did you mean %(names)s?") % {"names": _(" or ").join(near)}
    if names:
        listed = ", ".join(names[:SHOWN_OPTIONS]) + (" …" if len(names) > SHOWN_OPTIONS else "")
        return _("Use one of: %(names)s.") % {"names": listed}
    return ""

"""What a calendar says when it cannot do what was asked. Pure Python: the caller translates."""


def gettext_noop(text: str) -> str:
    """Return `text` unchanged; the name lets `makemessages` collect it, since this package knows no Django."""
    return text


class CalendarError(ValueError):
    """A refusal in a sentence that says what to do.

    `str(error)` is the English sentence. To show it in a reader's language: `gettext(error.template) % error.params`.
    """

    def __init__(self, template: str, **params: object) -> None:
        self.template = template
        self.params = params
        super().__init__(template % params)

    def __reduce__(self) -> tuple:
        # The default rebuilds an exception from its one positional argument and would lose the parameters.
        return _rebuild, (type(self), self.template, self.params)


class NeverOpen(CalendarError):
    """The calendar has no open time left for this target, however long one waits."""


def _rebuild(kind: type[CalendarError], template: str, params: dict[str, object]) -> CalendarError:
    return kind(template, **params)

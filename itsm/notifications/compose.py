"""Wording a mail: the same paragraphs once as plain text and once as simple HTML, in the reader's language and zone.

Sentences come from the registry, values from the record. A value is only ever put in place of a name: nothing that
somebody wrote is read as a template, as HTML or as a header.
"""

from __future__ import annotations

import re
import unicodedata
import zoneinfo
from dataclasses import dataclass

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from itsm.accounts.models import User
from itsm.notifications.addresses import absolute, ticket_path
from itsm.notifications.audience import Recipient, Why
from itsm.notifications.links import Purpose, make_link
from itsm.notifications.occasion import Occasion
from itsm.notifications.registry import Text, Wording, links_of

QUOTE_MAX = 10_000
SUBJECT_MAX = 300
# Characters that turn the reading direction for what follows could make a subject read as another; marks may stay.
_BEFORE_QUESTION_MARK = re.compile(r"=(?=\?)")
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True)
class Letter:
    """A mail in words."""

    subject: str
    text: str
    html: str


def one_line(text: str) -> str:
    """Return the text as a single line without control characters."""
    kept = (
        " " if unicodedata.category(ch) in {"Cc", "Zl", "Zp"} else ch
        for ch in text
        if unicodedata.category(ch) != "Cs" and ch not in _TURNING
    )
    return " ".join("".join(kept).split())


def header_line(text: str) -> str:
    """Return the text as a header can carry it.

    Mail programs decode “=?utf-8?q?…?=” into whatever it hides, line breaks too; a space keeps it as it was written.
    """
    return _BEFORE_QUESTION_MARK.sub("= ", one_line(text))


def language_of(user: User | None) -> str:
    """Return the person's language where the product speaks it, else the desk's."""
    known = dict(settings.LANGUAGES)
    return user.language if user is not None and user.language in known else settings.LANGUAGE_CODE


def sentence(wording: Wording, occasion: Occasion, text: Text | None = None) -> str:
    """Return the lead (or another text) of the wording about this occasion, in the current language."""
    if text is None:
        text = wording.by_system if wording.by_system and occasion.actor is None else wording.lead
    words = str(text)
    values = occasion.values()
    if "%(said)s" in words:
        values["said"] = occasion.said
    return words % values


def compose(occasion: Occasion, wording: Wording, recipient: Recipient) -> Letter:
    """Return the mail for the recipient."""
    zone = recipient.user.zone if recipient.user else zoneinfo.ZoneInfo(settings.TIME_ZONE)
    with translation.override(language_of(recipient.user)), timezone.override(zone):
        quote = wording.quote(occasion)
        parts = {
            "lead": sentence(wording, occasion),
            "quote": quote[:QUOTE_MAX],
            "shortened": len(quote) > QUOTE_MAX,
            "facts": _facts(occasion, recipient),
            "links": _links(occasion, wording, recipient),
            "closing": sentence(wording, occasion, wording.closing),
            "why": str(recipient.why.label),
            "language": translation.get_language(),
            "bidi": translation.get_language_bidi(),
        }
        subject = header_line(f"[{occasion.ticket.number}] {sentence(wording, occasion, wording.subject)}")
        return Letter(subject[:SUBJECT_MAX], _text(parts), render_to_string("notifications/mail/letter.html", parts))


def letter_of(
    *, subject: str, lead: str, facts: list[tuple[str, str]], links: list[tuple[str, str]], why: str
) -> Letter:
    """Return a mail about something else than a ticket, in the current language. Links are label and address."""
    parts: dict[str, object] = {
        "lead": lead,
        "quote": "",
        "shortened": False,
        "facts": facts,
        "links": links,
        "closing": "",
        "why": why,
        "language": translation.get_language(),
        "bidi": translation.get_language_bidi(),
    }
    return Letter(
        header_line(subject)[:SUBJECT_MAX], _text(parts), render_to_string("notifications/mail/letter.html", parts)
    )


def _facts(occasion: Occasion, recipient: Recipient) -> list[tuple[str, str]]:
    ticket = occasion.ticket
    moment = date_format(timezone.localtime(occasion.event.at), "DATETIME_FORMAT")
    when = f"{moment} ({timezone.get_current_timezone_name()})"
    found = [(_("Ticket"), f"{ticket.number} {one_line(ticket.title)}"), (_("When"), when)]
    files = occasion.data.get("files") or []
    if files:
        found.append((_("Files"), ", ".join(str(name) for name in files)))
    if recipient.why not in {Why.REQUESTER, Why.WATCHER}:
        found += [(_("Priority"), str(ticket.get_priority_display())), (_("Requester"), str(ticket.requester))]
    return found


def _links(occasion: Occasion, wording: Wording, recipient: Recipient) -> list[tuple[str, str]]:
    user = recipient.user
    found: list[tuple[str, str]] = []
    moves = occasion.ticket.kind_info.moves
    if wording.asks_to_confirm and user is not None and recipient.why == Why.REQUESTER:
        if Purpose.CLOSE in moves:
            found.append((_("It is fixed, close it:"), make_link(Purpose.CLOSE, occasion.event, user)))
        if Purpose.REOPEN in moves:
            found.append((_("It is not fixed, open it again:"), make_link(Purpose.REOPEN, occasion.event, user)))
    if user is not None:
        found += [(str(label), address) for label, address in links_of(wording.kind, occasion, user)]
    found.append((_("Read and reply:"), absolute(ticket_path(occasion.ticket, user))))
    return found


def _text(parts: dict[str, object]) -> str:
    blocks: list[str] = [str(parts["lead"])]
    if parts["quote"]:
        blocks.append("\n".join(f"> {line}".rstrip() for line in str(parts["quote"]).split("\n")))
    if parts["shortened"]:
        blocks.append(_("The text goes on: read the rest on the page of the ticket."))
    facts: list[tuple[str, str]] = parts["facts"]  # type: ignore[assignment]
    links: list[tuple[str, str]] = parts["links"]  # type: ignore[assignment]
    if facts:
        blocks.append("\n".join(f"{label}: {value}" for label, value in facts))
    blocks += [f"{label}\n{address}" for label, address in links]
    if parts["closing"]:
        blocks.append(str(parts["closing"]))
    blocks.append(f"-- \n{parts['why']}")
    return "\n\n".join(blocks) + "\n"

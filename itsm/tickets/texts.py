"""Text that comes from outside, made safe to store or refused with a sentence."""

from typing import Any

from django.utils.translation import gettext as _

from itsm.tickets.errors import Invalid


def clean_text(value: Any, field: str, max_length: int, *, required: bool = False, one_line: bool = False) -> str:
    """Return the text without surrounding space and with Unix line ends.

    PostgreSQL stores neither NUL nor lone surrogates; both are refused rather than dropped, so that nothing that
    somebody wrote is changed behind their back.

    Raises:
        Invalid: not a text, too long, or with characters that cannot be stored.
    """
    if value is None:
        value = ""
    if not isinstance(value, str):
        raise Invalid({field: _("This must be a text.")})
    if "\x00" in value:
        raise Invalid({field: _("Remove the NUL character: it cannot be stored.")})
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Invalid({field: _("This text holds broken characters. Paste it again as Unicode (UTF-8).")}) from None
    text = value.replace("\r\n", "\n").replace("\r", "\n").strip()
    if one_line:
        text = " ".join(text.split())
    if required and not text:
        raise Invalid({field: _("This cannot be empty.")})
    if len(text) > max_length:
        raise Invalid(
            {
                field: _("This has %(length)d characters; at most %(max)d fit. Shorten it.")
                % {"length": len(text), "max": max_length}
            }
        )
    return text


def clean_file_name(name: str, max_length: int = 200) -> str:
    """Return a file name safe to show and to offer for download: no path, no control or direction characters."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = " ".join("".join(ch for ch in base if ch.isprintable() or ch.isspace()).split()).strip(". ")
    if len(kept) > max_length:
        stem, dot, ending = kept.rpartition(".")
        kept = f"{stem[: max_length - len(ending) - 1]}.{ending}" if dot and len(ending) < 20 else kept[:max_length]
    return kept or "file"

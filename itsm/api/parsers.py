"""Reading JSON strictly: what two programs could read in two ways, or PostgreSQL cannot store, is refused."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.parsers import BaseParser

from itsm.api.problems import BadRequest
from itsm.tickets.errors import TooLarge

SUSPECT = re.compile(rb"\\u(0000|[dD][89a-fA-F])")


def read_json(raw: bytes) -> Any:
    """Return the value that the bytes say.

    Raises:
        BadRequest: no UTF-8, no JSON, nested too deeply, a name given twice, a number that is none (NaN, 1e400) or too
            long, a NUL character or half a surrogate pair.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadRequest(_("The body is not UTF-8.")) from None
    try:
        value = _DECODER.decode(text.strip())
    except RecursionError:
        raise BadRequest(_("The JSON is nested too deeply.")) from None
    except json.JSONDecodeError as error:
        sentence = _("The body is not JSON: look at line %(line)d, column %(column)d.")
        raise BadRequest(sentence % {"line": error.lineno, "column": error.colno}) from None
    except ValueError:
        raise BadRequest(_("The body holds a number that is too long.")) from None
    if SUSPECT.search(raw) and not _is_storable(value):
        raise BadRequest(_("The body holds a NUL character or half a character pair. Remove it."))
    return value


def _no_constant(name: str) -> Any:
    raise BadRequest(_("%(name)s is not JSON.") % {"name": name})


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise BadRequest(_("The number %(number)s is too large.") % {"number": text[:40]})
    return number


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _value in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise BadRequest(_("“%(name)s” is given twice.") % {"name": twice[:60]}, {twice[:60]: [_("Given twice.")]})
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite)


def _is_storable(value: Any) -> bool:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            if "\0" in item or any("\ud800" <= character <= "\udfff" for character in item):
                return False
        elif isinstance(item, Mapping):
            stack.extend(item)
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
    return True


class StrictJSONParser(BaseParser):
    """Reads `application/json` bodies up to DATA_UPLOAD_MAX_MEMORY_SIZE."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the value that the body says.

        Raises:
            TooLarge, BadRequest: see `read_json`.
        """
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise TooLarge(_("The body is larger than %(limit)d kB. Send less.") % {"limit": limit // 1024})
        return read_json(raw)

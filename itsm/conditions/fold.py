"""Ignoring upper and lower case, by one definition that PostgreSQL and Python share.

PostgreSQL's `lower` depends on the collation and Python's `str.lower` maps some characters to two (İ) or by their
neighbours (Σ), so neither can be taken as it comes. Both sides here use the *simple lower-case mapping* of Unicode, one
character to one: in SQL `lower(x COLLATE "pg_c_utf8")` (PostgreSQL 17 and later, the same on every platform), in Python
the table below. ß stays ß, and composed and decomposed letters are different letters.
"""

from functools import cache

from django.db.models import F, Func, TextField
from django.db.models.functions import Collate, Lower

CASELESS_COLLATION = "pg_c_utf8"
LAST_CASED = 0x1F000
# Pairs that Unicode 16 added: PostgreSQL 18 knows them, Python before 3.14 does not.
UNICODE_16 = {0x1C89: 0x1C8A, 0xA7CB: 0x0264, 0xA7CC: 0xA7CD, 0xA7DA: 0xA7DB, 0xA7DC: 0x019B}
UNICODE_16 |= {code: code + 0x20 for code in range(0x10D50, 0x10D66)}


@cache
def _table() -> dict[int, int]:
    table = {}
    for code in range(LAST_CASED):
        lower = chr(code).lower()
        if len(lower) == 1 and ord(lower) != code:
            table[code] = ord(lower)
    return table | UNICODE_16 | {0x130: 0x69}


def fold(text: str) -> str:
    """`text` in lower case by the simple mapping of Unicode; its length does not change."""
    return text.lower() if text.isascii() else text.translate(_table())


def folded(lookup: str) -> Func:
    """The SQL expression that equals `fold` of the column at `lookup`."""
    return Lower(Collate(F(lookup), CASELESS_COLLATION), output_field=TextField())

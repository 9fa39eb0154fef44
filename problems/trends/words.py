"""The words of a title that say what it is about, so that “VPN drops (again!)” and “vpn drops” are the same."""

from __future__ import annotations

import re
import unicodedata

MOST_WORDS = 12
SHORTEST, LONGEST = 3, 40
_WORD = re.compile(r"[^\W_]+", re.UNICODE)
# Words that say nothing of the fault, in the languages of the product. Which ones matter beyond these, numbers tell.
_STOP_WORDS = """
the and for not with from has have had was were are but can cannot could does doesn did don get got you your our please
help need needs when after before since again still any all this that these those there its his her she they them who
what why how into out off over under than then too very will would should just only also via per hello dear regards
thanks thank user users issue issues problem problems request ticket urgent asap new
der die das den dem des ein eine einen einem einer eines und oder aber nicht mit von vom zum zur bei beim auf aus ist
sind war waren hat habe haben hatte wird werden kann können mehr noch nur auch wieder seit nach vor bitte hallo danke
grüße ich wir sie ihr mein meine unser unsere probleme dringend neu
"""
STOP = frozenset(_STOP_WORDS.split())


def words_of_title(title: str) -> tuple[str, ...]:
    """Return the telling words of a title, sorted, each once, at most twelve. Numbers alone are no words."""
    text = unicodedata.normalize("NFKC", title).casefold()
    found = {
        word[:LONGEST]
        for word in _WORD.findall(text)
        if len(word) >= SHORTEST and not word.isdecimal() and word not in STOP
    }
    return tuple(sorted(found)[:MOST_WORDS])

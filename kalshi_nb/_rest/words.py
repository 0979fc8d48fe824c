"""Which of many texts have the words that somebody types: a table from words to texts, best first.

Nobody types the words of a title: "high temp new york" is the highest temperature in NYC. So a word counts where it is
the beginning of one in the text, or the other way round; where no text has it, those that are spelled nearly like it
count a little; and a few names that markets go by stand for what people call them. A rare word says more than one that
every title has, and a text with all words comes before any with some.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import defaultdict
from difflib import get_close_matches
from itertools import takewhile
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["WordIndex", "words_of"]

_WORD: Final = re.compile(r"[^\W_]+(?:\.\d+)?")

_ALSO: Final[dict[str, tuple[str, ...]]] = {
    "nyc": ("new", "york", "city"),
    "ny": ("new", "york"),
    "la": ("los", "angeles"),
    "sf": ("san", "francisco"),
    "dc": ("washington",),
    "us": ("united", "states", "america"),
    "uk": ("britain",),
    "btc": ("bitcoin",),
    "eth": ("ethereum",),
    "temp": ("temperature",),
    "gop": ("republican",),
    "fed": ("federal", "reserve"),
    "potus": ("president",),
}
"""What people write for names that titles have, and titles for what people write."""

_SERIES: Final = "kx"
"""What nearly every ticker begins with and nobody types: NFL is in KXNFLGAME, and in no title of its."""

_EXACT: Final = 1.0
_BEGINS: Final = 0.75
_LIKE: Final = 0.5
_LEAST_STEM: Final = 4
"""Letters of a word of a text that may be the beginning of a typed one: "election" of "elections"."""
_NEAR: Final = 0.8


def words_of(text: str) -> list[str]:
    """Return the words of a text in small letters.

    >>> words_of("Highest temperature in NYC: 50.5° or KXHIGHNY-26?")
    ['highest', 'temperature', 'in', 'nyc', '50.5', 'or', 'kxhighny', '26']
    """
    return _WORD.findall(text.casefold())


def _with_names(words: Iterable[str]) -> Iterator[str]:
    for word in words:
        yield word
        yield from _ALSO.get(word, ())
        if word.startswith(_SERIES) and word != _SERIES:
            yield word.removeprefix(_SERIES)


class WordIndex:
    """Texts by their words.

    Parameters
    ----------
    texts : sequence of sequence of (str, float)
        Of each thing the texts that describe it, each with how much it says: 1 for a title.
    """

    def __init__(self, texts: Sequence[Sequence[tuple[str, float]]]) -> None:
        self._count = len(texts)
        found: dict[str, dict[int, float]] = defaultdict(dict)
        for number, described in enumerate(texts):
            for text, weight in described:
                for word in _with_names(words_of(text)):
                    found[word][number] = max(weight, found[word].get(number, 0.0))
        self._places = dict(found)
        self._words = sorted(found)

    def find(self, query: str) -> list[tuple[int, float]]:
        """Return the numbers of the texts that have words of a query, each with a score up to 1, best first."""
        words = list(dict.fromkeys(words_of(query)))
        scores: dict[int, float] = defaultdict(float)
        most = 0.0
        for word in words:
            met = self._met(word)
            worth = math.log(1 + self._count / max(1, len(met)))
            most += worth
            for number, quality in met.items():
                scores[number] += worth * quality
        ranked = ((number, score / most) for number, score in scores.items())
        return sorted(ranked, key=lambda each: (-each[1], each[0]))

    def _met(self, word: str) -> dict[int, float]:
        """Return which texts have a word or one like it, and how well."""
        met: dict[int, float] = defaultdict(float)
        for known, quality in self._like(word):
            for number, weight in self._places[known].items():
                met[number] = max(met[number], weight * quality)
        return met

    def _like(self, word: str) -> Iterator[tuple[str, float]]:
        ways = (word, *_ALSO.get(word, ()))
        found = False
        for way in ways:
            begin = bisect_left(self._words, way)
            for known in takewhile(lambda each, way=way: each.startswith(way), self._words[begin:]):  # type: ignore[misc]
                found = True
                yield known, _EXACT if known == way else _BEGINS
        for length in range(_LEAST_STEM, len(word)):
            if word[:length] in self._places:
                found = True
                yield word[:length], _BEGINS
        if not found:
            yield from ((known, _LIKE) for known in get_close_matches(word, self._words, n=3, cutoff=_NEAR))

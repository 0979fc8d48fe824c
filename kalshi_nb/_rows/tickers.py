"""Market tickers as people are to read them: which ones something is about, and what may be wrong with one."""

from __future__ import annotations

import re
from itertools import islice
from typing import Final
from unicodedata import name

from kalshi_nb._redaction import could_be_key, has_bytes, printable, shown
from kalshi_nb._rows.channels import BOOKS, source_of, traits_of
from kalshi_nb._rows.words import LONGEST_NAME, MARKETS, Words

__all__ = ["about", "hint", "hints", "no_ticker"]

_PARTS: Final = 3
"""Series, event and outcome, as in ``KXHIGHNY-26NOV22-B52.5``."""

_TICKER: Final = re.compile(r"(?:[A-Z0-9.]{1,40}(?:-(?!$)|$))+|(?:[a-z0-9.]{1,40}(?:-(?!$)|$))+")
"""What a market's ticker is made of: no key is of one case, and in such small parts."""

_BETWEEN: Final = re.compile(r"[\s,;|]+")
_QUOTES: Final = "\"'`[](){}"
_PAGE: Final = re.compile(r"(?:[a-z]+://)?(?:[\w-]+\.)*kalshi\.com?(?=[/?#]|$)|[a-z]+://[^/]*", re.IGNORECASE)
_PARTS_OF_PAGE: Final = re.compile(r"[/?#&=]+")
_NO_TICKERS: Final = ("markets", "events", "series")

_ALL: Final = ("*", "%", "all", "any")
"""What stands for all elsewhere."""

_SHOWN: Final = 3
"""So many tickers a line of text names, or so many hints it gives; of more it names one fewer, and says that."""


def about(channel: str, market_tickers: frozenset[str] | None) -> str:
    """Return in a few words what the rows of something are about.

    >>> about("trade", None), about("trade", frozenset({"KXB-1"}))
    ('all markets', 'KXB-1')
    >>> about("trade", frozenset({"KXB-1", "KXA-1", "KXC-1"}))
    '3 markets: KXA-1, KXB-1, KXC-1'
    >>> about("cfbenchmarks_value", frozenset("ABCDE"))
    '5 indices: A, B, …'

    Parameters
    ----------
    channel : str
        The channel.
    market_tickers : frozenset of str or None
        The tickers, or names of indices or underlyings; None for all. Books have to be named, and where rows are made
        from them, None is the books that the feed keeps for others.
    """
    traits = traits_of(channel)
    if market_tickers is None:
        if source_of(channel) == BOOKS:
            return "the books that the feed keeps"
        return "everything" if traits.subject is None else f"all {traits.words.several}"
    names = [printable(each) for each in sorted(market_tickers)]
    if len(names) == 1:
        return names[0]
    named = names if len(names) <= _SHOWN else [*names[: _SHOWN - 1], "…"]
    return f"{len(names):,} {traits.words.several}: {', '.join(named)}"


def no_ticker(text: str, words: Words = MARKETS) -> str:
    """Return in a sentence or two why a text can be the ticker of nothing, and what to write; nothing where it can.

    >>> no_ticker("KXA-1-B, KXB-1-C")
    "'KXA-1-B, KXB-1-C' is several market tickers in one text; pass a list: ['KXA-1-B', 'KXB-1-C']."
    >>> no_ticker("high temp new york")
    "'high temp new york' are words, no ticker; feed.search('high temp new york') finds the markets that they name."
    >>> no_ticker("KXA-1-B")
    ''
    """
    if could_be_key(text) and not _TICKER.fullmatch(text):
        # It would be sent to the exchange, and shown wherever its handle is.
        return (
            f"Where a{words.article} {words.one} goes stands {shown(text)}. Nothing was sent; a private key is passed "
            "to connect(private_key=…) alone."
        )
    page = _PAGE.match(text) if words is MARKETS else None
    if page is not None:
        return _of_page(text, page[0])
    if not has_bytes(text):
        return (
            f"{shown(text)} holds half a character, a lone surrogate, which cannot be sent; type the {words.one} anew."
        )
    return _not_one(text, words)


def _not_one(text: str, words: Words) -> str:
    """Return what to write in place of a text that is not just one name, or is too long for one."""
    names = [bare for each in _BETWEEN.split(text) if (bare := each.strip(_QUOTES))]
    if len(names) > 1 and words is MARKETS and not any("-" in each and _TICKER.fullmatch(each) for each in names):
        return f"{shown(text)} are words, no ticker; feed.search({shown(text)}) finds the markets that they name."
    if len(names) > 1:
        listed = ", ".join(map(shown, names[:_SHOWN])) + (", …" if len(names) > _SHOWN else "")
        return f"{shown(text)} is several {words.one}s in one text; pass a list: [{listed}]."
    if not names:
        return f"There is no {words.one} in {shown(text)}; leave the argument out to take all {words.several}."
    if names != [text]:
        return f"There is more than the {words.one} in {shown(text)}; write {shown(names[0])}."
    if len(text) > LONGEST_NAME:
        return f"{shown(text)} has {len(text):,} characters, and no {words.one} more than {LONGEST_NAME}."
    return ""


def _of_page(address: str, host: str) -> str:
    """Return what to write in place of the address of a page, in which tickers are in lower case."""
    parts = _PARTS_OF_PAGE.split(address.removeprefix(host)) if "kalshi" in host.lower() else []
    tickers = [each.upper() for each in parts if _TICKER.fullmatch(each) and each.lower() not in _NO_TICKERS]
    # Behind the series come words for people, and then the event, which begins as the series does.
    found = [each for each in tickers if each.startswith(tickers[0])][-1:]
    if not found:
        return f"{shown(address)} is the address of a page; write a ticker, such as {MARKETS.example!r}."
    told = hint(found[0])
    return f"{shown(address)} is the address of a page; write the ticker in it, {found[0]!r}.{told and ' '}{told}"


def hints(channel: str, market_tickers: frozenset[str] | None) -> str:
    """Return what to try where nothing comes of some tickers; nothing where all look like any other.

    >>> hints("trade", frozenset({"KXHIGHNY-26NOV22-B52.5", "kxhighny-26nov22-b54.5"}))
    "Tickers are upper case: 'KXHIGHNY-26NOV22-B54.5'."
    >>> hints("cfbenchmarks_value", frozenset({"brti"}))
    ''
    """
    if market_tickers is None or traits_of(channel).words is not MARKETS:
        return ""
    found = (each for ticker in sorted(market_tickers) if (each := hint(ticker)))
    return " ".join(islice(found, _SHOWN))


def hint(market_ticker: str) -> str:
    r"""Return in one sentence what to try in place of an unknown ticker; nothing where it looks like any other.

    >>> hint("kxhighny-26nov22-b52.5")
    "Tickers are upper case: 'KXHIGHNY-26NOV22-B52.5'."
    >>> hint("KXHIGHNY-26NOV22-B52.5")
    ''
    >>> hint("KXHIGHNY\u201126NOV22-B52.5")
    "Tickers are of plain letters, digits, '-' and '.'; this one has NON-BREAKING HYPHEN (U+2011) in it."
    """
    if market_ticker.lower() in _ALL:
        return f"{market_ticker!r} is no ticker; leave the argument out to take all markets."
    strange = next((each for each in market_ticker if not each.isascii()), None)
    if strange is not None:
        # As text that went through a word processor has it: to the eye there is nothing wrong with it.
        code = f"U+{ord(strange):04X}"
        return f"Tickers are of plain letters, digits, '-' and '.'; this one has {name(strange, code)} ({code}) in it."
    upper = market_ticker.upper()
    if upper != market_ticker:
        return f"Tickers are upper case: {upper!r}."
    if len(market_ticker.split("-")) < _PARTS:
        return (
            f"{market_ticker!r} looks like the ticker of an event or a series; that of a market says the outcome, "
            "too, as 'KXHIGHNY-26NOV22-B52.5' does."
        )
    return ""

"""Market tickers as people are to read them: which ones something is about, and what may be wrong with one."""

from __future__ import annotations

from itertools import islice
from typing import Final

from kalshi_nb._rows.channels import BOOKS, source_of, traits_of
from kalshi_nb._rows.words import MARKETS

__all__ = ["about", "hint", "hints"]

_PARTS: Final = 3
"""Series, event and outcome, as in ``KXHIGHNY-26NOV22-B52.5``."""

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
    names = sorted(market_tickers)
    if len(names) == 1:
        return names[0]
    shown = names if len(names) <= _SHOWN else [*names[: _SHOWN - 1], "…"]
    return f"{len(names):,} {traits.words.several}: {', '.join(shown)}"


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
    """Return in one sentence what to try in place of an unknown ticker; nothing where it looks like any other.

    >>> hint("kxhighny-26nov22-b52.5")
    "Tickers are upper case: 'KXHIGHNY-26NOV22-B52.5'."
    >>> hint("KXHIGHNY-26NOV22-B52.5")
    ''
    """
    upper = market_ticker.upper()
    if upper != market_ticker:
        return f"Tickers are upper case: {upper!r}."
    if len(market_ticker.split("-")) < _PARTS:
        return (
            f"{market_ticker!r} looks like the ticker of an event or a series; that of a market says the outcome, "
            "too, as 'KXHIGHNY-26NOV22-B52.5' does."
        )
    return ""

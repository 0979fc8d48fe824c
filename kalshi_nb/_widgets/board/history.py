"""Where each market of a board stood at the end of each of the last sixty minutes."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import polars as pl

__all__ = ["MINUTES", "NONE", "History"]

MINUTES: Final = 60
NONE: Final = 0xFFFF
"""Stands where nobody knows, or nobody traded or quoted."""


class History:
    """A price a minute of each market, in 1/10000 dollar: 120 bytes a market, whatever comes.

    A ticker's window of rows may reach back seconds or days. What is in it when a market comes to the board is read
    from it; from then on a price is noted as each minute ends.
    """

    def __init__(self) -> None:
        self._prices: dict[str, array[int]] = {}
        self.minute = 0
        """The minute since 1970 that runs."""

    def __contains__(self, ticker: str) -> bool:
        return ticker in self._prices

    def keep(self, tickers: Iterable[str]) -> None:
        """Forget all other markets."""
        self._prices = {each: self._prices[each] for each in tickers if each in self._prices}

    def begin(self, tickers: Sequence[str], minute: int, known: pl.DataFrame) -> None:
        """Take up markets.

        Parameters
        ----------
        tickers : sequence of str
            Which.
        minute : int
            The minute that runs.
        known : polars.DataFrame
            ``market_ticker``, ``minute`` and ``price`` of what is known of minutes before, by minute. A price holds
            until the next.
        """
        self.minute = self.minute or minute
        for each in tickers:
            self._prices[each] = array("H", [NONE]) * MINUTES
        for ticker, at, price in known.iter_rows():
            prices, place = self._prices.get(ticker), MINUTES - (self.minute - at)
            if prices is not None and place < MINUTES:
                first = max(0, place)
                prices[first:] = array("H", [NONE if price is None else price]) * (MINUTES - first)

    def turn(self, minute: int, rows: Iterable[tuple[str, int | None, int | None, int]]) -> None:
        """Take note that a minute began.

        Parameters
        ----------
        minute : int
            The minute that runs.
        rows : iterable of (str, int or None, int or None, int)
            Of each market its ticker, the price that was seen last, the price of now, and the minute of the row that
            says so: minutes that nobody looked at have its price from that row on, and none before.
        """
        gone = min(minute - self.minute, MINUTES)
        if gone < 0:  # the clock was set back, or a replay began anew
            self._prices = {each: array("H", [NONE]) * MINUTES for each in self._prices}
            gone = 0
        for ticker, before, now, since in rows if gone else ():
            prices = self._prices.get(ticker)
            if prices is None:
                continue
            news = [NONE if before is None else before] + [NONE] * (gone - 1)
            for place in range(max(0, since - self.minute), gone):
                news[place] = NONE if now is None else now
            self._prices[ticker] = prices[gone:] + array("H", news)
        self.minute = minute

    def packed(self, tickers: Iterable[str]) -> memoryview:
        """Return the prices of these markets, one market after the other, oldest minute first, 16 bits each."""
        return memoryview(b"".join(self._prices[each].tobytes() for each in tickers))

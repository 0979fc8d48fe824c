"""Top of book as data: one row whenever a kept book's best bid, best ask or one of their sizes changes.

Rows are made from the ladders themselves, so a quote is as right as the book is: while the book is not to be
trusted there is no quote, and the row that says so stands where it became so.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from kalshi_nb._fixed_point import DOLLAR
from kalshi_nb._rows.channels import BOOKS
from kalshi_nb._rows.quotes import QUOTES, PresentQuoteRow
from kalshi_nb._rows.rows import Row
from kalshi_nb._session.ladder import Ladder
from kalshi_nb._session.state import SessionState
from kalshi_nb._wire.field_values import AHEAD, FIRST

__all__ = ["Quotes"]

_Best = tuple[int, int, int, int]


class Quotes:
    """Watches the ladders of a session while somebody listens, and makes the rows.

    Parameters
    ----------
    state : SessionState
        The ladders and the subscription that they live by.

    Attributes
    ----------
    rows : list of tuple
        Rows made and not yet taken, in the order of quotes' columns.
    """

    def __init__(self, state: SessionState) -> None:
        self._state = state
        self._last: dict[str, _Best] = {}
        self.rows: list[Row] = state.rows_of(QUOTES)

    def listen(self, *, on: bool) -> None:
        """Watch every ladder, those still to come included, or none; begin with the quotes there are."""
        if on == (self._state.watcher is not None):
            return
        self._state.watcher = self._watch if on else None
        self._last.clear()
        now = self._state.now_us()
        for _, ladder in sorted(self._state.ladders.items()):
            ladder.watcher = self._state.watcher
            if on:
                self._watch(ladder, now, by_delta=False)

    def repeat(self, market_tickers: AbstractSet[str]) -> None:
        """Say the quotes of some markets, or of all when the set is empty, again for somebody who listens from now on.

        A book that is not to be trusted has none; its next row comes when it is right.
        """
        now = self._state.now_us()
        for ticker in sorted(market_tickers or self._last):
            best = self._last.get(ticker)
            if best is not None:
                self.rows.append(PresentQuoteRow(ticker, self._row(ticker, best, now, by_delta=False)))

    def _watch(self, ladder: Ladder, at: int, *, by_delta: bool) -> None:
        """Make a row if what is best differs from what the last row said."""
        ticker = ladder.market_ticker
        if not ladder.live:
            if self._last.pop(ticker, None) is not None:
                self.rows.append((at, ticker, None, None, None, None, None, None, at, None, ladder.status))
            return
        best = ladder.top()
        if best != self._last.get(ticker):
            self._last[ticker] = best
            self.rows.append(self._row(ticker, best, at, by_delta=by_delta))

    def _row(self, ticker: str, best: _Best, at: int, *, by_delta: bool) -> Row:
        yes, yes_size, no, no_size = best
        counting = self._state.subscription(BOOKS).counting
        sent_ms = counting.exchange_ms if by_delta else None
        both = yes and no
        return (
            sent_ms * 1000 if sent_ms is not None and FIRST <= sent_ms * 1000 < at + AHEAD else at,
            ticker,
            yes or None,
            yes_size or None,
            DOLLAR - no if no else None,
            no_size or None,
            yes + DOLLAR - no if both else None,
            DOLLAR - no - yes if both else None,
            at,
            counting.seq,
            "live",
        )

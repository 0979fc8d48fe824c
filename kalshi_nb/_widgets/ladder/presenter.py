"""What a kept ladder looks like: its integers as the picture that the view, the plain text and the HTML show."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from kalshi_nb._clock import Clock
from kalshi_nb._fixed_point import CONTRACT, DOLLAR
from kalshi_nb._rows.ladders import LadderReading
from kalshi_nb._rows.tickers import hint
from kalshi_nb._widgets.ladder.picture import Fill, LadderPicture, Last, Market, Order

__all__ = ["Facts", "LadderPresenter"]

_CENT: Final = 100
_TENTH: Final = 10  # of a cent

_NOTES: Final = {
    "sequence": "messages were lost; asking for a new snapshot",
    "rejected": "a message could not be read; asking for a new snapshot",
    "negative_level": "a level fell below zero; asking for a new snapshot",
    "no_book": "a change came before its snapshot; asking for one",
    "error_10": "the exchange ended the subscription; subscribing again",
    "error_25": "the exchange dropped a slow reader; subscribing again",
    "unsubscribed": "the exchange ended the subscription; subscribing again",
    "connection_lost": "the connection is lost; connecting again",
    "resubscribing": "subscribing again",
    "unreadable": "its snapshots cannot be read; see feed.rejects",
    "error_26": "the exchange sends no more markets on this connection",
}
"""What is being done about a stale ladder, by the reason that it gives."""

_CROSSED: Final = "bid and ask are crossed; so the exchange says itself"
_ENDS: Final = {
    "connecting": "closed before its first snapshot came",
    "stale": "closed amid a gap in its data: it is as it was before that",
}
"""What a ladder was that nothing moves any more, where that was no right one."""


class Facts(Protocol):
    """What is known of a market: the fields of a record of facts that a ladder reads; each may be None.

    Times are microseconds, prices 1/10000 dollar.
    """

    @property
    def title(self) -> str | None:
        """The question it asks."""
        ...

    @property
    def subtitle(self) -> str | None:
        """What YES stands for in its event."""
        ...

    @property
    def open_time(self) -> int | None:
        """When trading begins."""
        ...

    @property
    def close_time(self) -> int | None:
        """When trading ends."""
        ...

    @property
    def settled_at(self) -> int | None:
        """When it was paid."""
        ...

    @property
    def price_ranges(self) -> Iterable[tuple[int, int, int]] | None:
        """The grid of its prices: ranges of start, end and step."""
        ...

    @property
    def result(self) -> str | None:
        """How it ended."""
        ...

    @property
    def settlement_value(self) -> int | None:
        """What one YES pays."""
        ...

    def phase(self, now_us: int) -> str | None:
        """How far it has come at a moment."""
        ...


class LadderPresenter:
    """Makes pictures of one market's ladder, for whoever shows it.

    Pictures are made by two threads: the display thread, up to ten times a second, and the thread of a cell that
    shows the book, while the io thread changes the ladder. Nobody locks anything, so that a slow browser never
    holds up the socket. The ladder hands out each side whole, and `picture` reads again where the version moved
    meanwhile. The version moves after a change, so half of the next one may be in a picture already; that one's
    version is new, and is drawn in the next round. What the presenter itself remembers is only ever set, so two
    threads that set it at once undo nothing.

    Parameters
    ----------
    market_ticker : str
        The market.
    ladder : LadderReading
        Its levels and status; read, never changed.
    clock : Clock
        The clock that the ladder's moments were taken from.
    watch : callable
        Given a function, has it called once, from any thread, when the ladder may have changed.
    facts : callable, optional
        Returns what is known of the market now, or None; without it, or then, its ticker stands alone.
    last : callable, optional
        Returns the newest trade, or None.
    orders, fills : callable, optional
        Return one's own resting orders and newest fills in this market.
    note : str
        What to say at its foot in any case.
    """

    def __init__(
        self,
        market_ticker: str,
        ladder: LadderReading,
        clock: Clock,
        watch: Callable[[Callable[[], None]], None] = lambda _: None,
        *,
        facts: Callable[[], Facts | None] = lambda: None,
        last: Callable[[], Last | None] = lambda: None,
        orders: Callable[[], tuple[Order, ...]] = tuple,
        fills: Callable[[], tuple[Fill, ...]] = tuple,
        note: str = "",
    ) -> None:
        self.watch = watch
        self._market_ticker = market_ticker
        self._ladder = ladder
        self._clock = clock
        self._facts = facts
        self._last = last
        self._orders = orders
        self._fills = fills
        self._told = note
        self._has_tenths = False
        self._has_hundredths = False

    @property
    def market_ticker(self) -> str:
        """The market."""
        return self._market_ticker

    def end(self, ladder: LadderReading) -> None:
        """Show this ladder from now on: the market's as it was when its handle was closed."""
        self._ladder = ladder

    def picture(self, levels: int) -> LadderPicture:
        """Return the best levels of each side, now; from any thread, without waiting for another.

        Parameters
        ----------
        levels : int
            Levels a side, at most.

        Returns
        -------
        LadderPicture
            Prices in YES dollars, sizes in contracts.
        """
        ladder = self._ladder
        while True:
            version = ladder.version
            yes, no = ladder.levels()
            status, since, reason, changed = ladder.status, ladder.status_since, ladder.reason, ladder.changed_at
            crossed = ladder.crossed
            if version == ladder.version:
                break  # no change ended between the levels and the status
        yes, no = yes[:levels], no[:levels]
        was = reason if status == "closed" else ""
        # By the feed's clock, which may be one that is moved by hand; the browser counts on by the computer's.
        now = self._clock.now_us()
        facts = self._facts()
        market = _market(self._market_ticker, facts, now)
        ticks = _grid(None if facts is None else facts.price_ranges)
        last, orders, fills = self._last(), self._orders(), self._fills()
        return LadderPicture(
            version=(version, market, ticks, last, orders, fills),
            status=status,
            status_since=time.time() - max(0, now - since) / 1e6,
            clock=now / 1e6,
            market=market,
            asks=tuple(((DOLLAR - price) / DOLLAR, size / CONTRACT) for price, size in no),
            bids=tuple((price / DOLLAR, size / CONTRACT) for price, size in yes),
            changed_at=changed / 1e6 if changed and "unknown" not in (status, was) else None,
            decimals=self._decimals([price for side in (yes, no) for price, _ in side], ticks or ()),
            note=self._told or self._note(status, was, reason) or (_CROSSED if crossed and status == "live" else ""),
            ticks=ticks,
            last=last,
            orders=orders,
            fills=fills,
            changes=version,
        )

    def _decimals(self, prices: Iterable[int], ticks: Iterable[tuple[int, ...]]) -> int:
        """Return how many decimals of a cent there are, never fewer again: columns that come and go would jump."""
        for price in (*prices, *(step for *_, step in ticks)):
            if price % _TENTH:
                self._has_hundredths = True
            elif price % _CENT:
                self._has_tenths = True
        if self._has_hundredths:
            return 2
        return 1 if self._has_tenths else 0

    def _note(self, status: str, was: str, reason: str) -> str:
        """Say in a line why a ladder is not live, where there is something to say."""
        if status == "unknown":
            return hint(self._market_ticker)
        if was == "unknown":
            return f"there was no such market. {hint(self._market_ticker)}".strip()
        if was:
            return _ENDS.get(was, "")
        return _NOTES.get(reason, "") if status == "stale" else ""


def _grid(ranges: Iterable[tuple[int, int, int]] | None) -> tuple[tuple[int, int, int], ...] | None:
    return None if ranges is None else tuple((start, end, step) for start, end, step in ranges)


def _market(ticker: str, facts: Facts | None, now_us: int) -> Market:
    """Return what is known of a market, in dollars and seconds."""
    if facts is None:
        return Market(ticker)
    opens, closes, settled = (
        None if moment is None else moment / 1e6 for moment in (facts.open_time, facts.close_time, facts.settled_at)
    )
    paid = facts.settlement_value
    return Market(
        ticker=ticker,
        title=facts.title,
        subtitle=facts.subtitle,
        phase=facts.phase(now_us),
        open_time=opens,
        close_time=closes,
        settled_at=settled,
        result=facts.result,
        settlement=None if paid is None else paid / DOLLAR,
    )

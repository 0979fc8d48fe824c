"""What a kept ladder looks like: its integers as the picture that the view, the plain text and the HTML show."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from kalshi_nb._clock import Clock
from kalshi_nb._fixed_point import CONTRACT, DOLLAR
from kalshi_nb._rows.ladders import LadderReading
from kalshi_nb._rows.tickers import hint
from kalshi_nb._widgets.ladder.news import News
from kalshi_nb._widgets.ladder.picture import Fill, LadderPicture, Last, Order
from kalshi_nb._widgets.markets import known_market

if TYPE_CHECKING:
    from kalshi_nb._rows.market_facts import MarketFacts

__all__ = ["LadderPresenter"]

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
        facts: Callable[[], MarketFacts | None] = lambda: None,
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
        self._news = News()
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
        market = known_market(self._market_ticker, facts, now)
        ticks = _grid(None if facts is None else facts.price_ranges)
        last, orders, fills = self._last(), self._orders(), self._fills()
        news = self._news.of(ticks, market.close_time, now / 1e6)
        return LadderPicture(
            version=(version, market, ticks, last, orders, fills, news),
            status=status,
            status_since=time.time() - max(0, now - since) / 1e6,
            clock=now / 1e6,
            market=market,
            asks=tuple(((DOLLAR - price) / DOLLAR, size / CONTRACT) for price, size in no),
            bids=tuple((price / DOLLAR, size / CONTRACT) for price, size in yes),
            changed_at=changed / 1e6 if changed and "unknown" not in (status, was) else None,
            decimals=self._decimals([price for side in (yes, no) for price, _ in side], ticks or ()),
            note=self._told
            or self._note(status, was, reason)
            or news
            or (_CROSSED if crossed and status == "live" else ""),
            ticks=ticks,
            last=last,
            orders=orders,
            fills=fills,
            changes=version,
            told_since=min(now, since) / 1e6,
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

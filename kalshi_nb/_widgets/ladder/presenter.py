"""What a kept ladder looks like: its integers as the picture that the view, the plain text and the HTML show."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from kalshi_nb._clock import Clock
from kalshi_nb._fixed_point import CONTRACT, DOLLAR
from kalshi_nb._rows.ladders import LadderReading, Levels
from kalshi_nb._rows.tickers import hint
from kalshi_nb._widgets.ladder.picture import LadderPicture

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
    """

    def __init__(
        self,
        market_ticker: str,
        ladder: LadderReading,
        clock: Clock,
        watch: Callable[[Callable[[], None]], None] = lambda _: None,
    ) -> None:
        self.watch = watch
        self._market_ticker = market_ticker
        self._ladder = ladder
        self._clock = clock
        self._has_tenths = False
        self._has_hundredths = False

    @property
    def market_ticker(self) -> str:
        """The market."""
        return self._market_ticker

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
        held = max(0, self._clock.now_us() - since) / 1e6
        return LadderPicture(
            version=version,
            status=status,
            status_since=time.time() - held,
            asks=tuple(((DOLLAR - price) / DOLLAR, size / CONTRACT) for price, size in no),
            bids=tuple((price / DOLLAR, size / CONTRACT) for price, size in yes),
            changed_at=changed / 1e6 if changed and "unknown" not in (status, was) else None,
            price_decimals=self._decimals(yes, no),
            note=self._note(status, was, reason) or (_CROSSED if crossed and status == "live" else ""),
        )

    def _decimals(self, *sides: Levels) -> int:
        """Return how many decimals prices have, never fewer again: columns that come and go would jump."""
        for side in sides:
            for price, _ in side:
                if price % _TENTH:
                    self._has_hundredths = True
                elif price % _CENT:
                    self._has_tenths = True
        if self._has_hundredths:
            return 4
        return 3 if self._has_tenths else 2

    def _note(self, status: str, was: str, reason: str) -> str:
        """Say in a line why a ladder is not live, where there is something to say."""
        if status == "unknown":
            return hint(self._market_ticker)
        if was == "unknown":
            return f"there was no such market. {hint(self._market_ticker)}".strip()
        if was:
            return _ENDS.get(was, "")
        return _NOTES.get(reason, "") if status == "stale" else ""

"""The head of a dashboard: best prices, phase and last minute of the market that was chosen, or that none was."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Protocol

from kalshi_nb._widgets.dashboard.picture import Head, Minute

if TYPE_CHECKING:
    from kalshi_nb._widgets.ladder.presenter import LadderPresenter
    from kalshi_nb._widgets.sources import FeedSource, FrameSource

__all__ = ["NO_MARKET", "HeadMaker", "MarketHead", "NoHead"]

NO_MARKET: Final = "no market chosen"

_MINUTE: Final = 60_000_000
_EVERY: Final = 1.0
"""Seconds between two looks at the last minute."""

_LINK: Final = {"connected": "live", "reconnecting": "stale", "refused": "error"}


class HeadMaker(Protocol):
    """Makes the heads of a dashboard."""

    def take(self) -> Head:
        """Return the head of now, without waiting."""
        ...


class NoHead:
    """The head where no market was chosen.

    Parameters
    ----------
    feed : FeedSource
        The feed.
    """

    def __init__(self, feed: FeedSource) -> None:
        self._feed = feed

    def take(self) -> Head:
        """Return what is known of the feed."""
        feed = self._feed
        status = "closed" if feed.over() else _LINK.get(feed.state, feed.state)
        return Head(NO_MARKET, status, feed.note, feed.clock.now_us() / 1e6)


class MarketHead:
    """The head of one market.

    Parameters
    ----------
    presenter : LadderPresenter
        Has its best prices, and what the market is.
    trades : FrameSource
        Its trades.
    """

    def __init__(self, presenter: LadderPresenter, trades: FrameSource) -> None:
        self._presenter = presenter
        self._trades = trades
        self._minute: tuple[float, Minute] | None = None

    def take(self) -> Head:
        """Return the best prices of now, and the last minute as it was within a second."""
        book = self._presenter.picture(1)
        held, now = self._minute, time.monotonic()
        if held is None or now >= held[0]:
            held = self._minute = now + _EVERY, self._last_minute()
        return Head(book.market.ticker, book.status, book.note, book.clock, book, held[1])

    def _last_minute(self) -> Minute:
        import polars as pl  # noqa: PLC0415  # a program that never shows a widget does without

        trades = self._trades
        since = trades.feed.clock.now_us() - _MINUTE
        began = trades.began_us / 1e6 if trades.began_us > since else None
        rows = trades.df.lazy().select("received_at", "yes_price", "count")
        is_new = pl.col("received_at").dt.epoch("us") >= since
        news = rows.filter(is_new).collect()
        before = rows.filter(~is_new).select(pl.col("yes_price").last()).collect()
        gaps = [
            gap
            for channel in (trades.channel, "orderbook_delta")
            for gap in trades.gaps(channel)
            if gap.closed_at is None or gap.closed_at >= since
        ]
        first, last = before.item(), None
        if news.height:
            prices = news["yes_price"]
            first, last = prices[0] if first is None else first, prices[-1]
        return Minute(news.height, float(news["count"].sum()), first, last, len(gaps), began)

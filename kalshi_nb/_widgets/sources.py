"""What views are made of: a feed as they may know it, and one of its frames.

A view must not hold the handle that it shows, since dropping the handle ends its views. So it holds one of these,
which know the parts that handle is made of, and nothing of who has it.
"""

from __future__ import annotations

import math
import weakref
from itertools import islice
from typing import TYPE_CHECKING

from kalshi_nb._fixed_point import CONTRACT, DOLLAR
from kalshi_nb._frames.polars_threads import refuse_without_polars
from kalshi_nb._widgets.ladder.picture import Last

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import polars as pl

    from kalshi_nb._clock import Clock
    from kalshi_nb._engine.port import Engine, EngineState
    from kalshi_nb._frames.rolling import RollingFrame
    from kalshi_nb._markets.registry import MarketRegistry
    from kalshi_nb._rows.gaps import Gap
    from kalshi_nb._rows.market_facts import EventFacts, MarketFacts
    from kalshi_nb._widgets.ladder.picture import Fill, Order
    from kalshi_nb._widgets.view_errors import ViewErrors

__all__ = ["FeedSource", "FrameSource"]

_AMISS = {
    "reconnecting": "the connection is lost; connecting again",
    "refused": "the exchange refuses the credentials; see feed.health()",
}
"""What is said of a feed whose link is not there."""


class FeedSource:
    """A feed, as far as views may know it.

    Every reading is of now, from any thread, and waits for nobody.

    Parameters
    ----------
    engine : Engine
        Brings the data.
    markets : MarketRegistry
        What is known of markets.
    over : callable
        Returns ``"closed"`` or ``"forked"`` where nothing moves any more, else nothing.
    errors : ViewErrors
        Counts what the feed's views raise.
    orders_since : callable, optional
        Returns since when, in microseconds, somebody hears of one's own orders in a market; None where nobody does.
    origin : str
        In a word, what is to be said of its data: ``"simulated"``, ``"demo"``; of real data nothing.
    """

    def __init__(
        self,
        engine: Engine,
        markets: MarketRegistry,
        over: Callable[[], str],
        errors: ViewErrors,
        *,
        orders_since: Callable[[str], int | None] = lambda _: None,
        origin: str = "",
    ) -> None:
        self._engine = engine
        self._markets = markets
        self._orders_since = orders_since
        self._frames: weakref.WeakValueDictionary[int, FrameSource] = weakref.WeakValueDictionary()
        self.over = over
        self.errors = errors
        self.origin = origin

    @property
    def clock(self) -> Clock:
        """The clock that rows are stamped by: the exchange's in a simulation, else the computer's."""
        return self._engine.clock

    @property
    def engine(self) -> Engine:
        """What brings the data, for whoever shows how it does."""
        return self._engine

    @property
    def state(self) -> EngineState:
        """How the link is."""
        return self._engine.state

    @property
    def note(self) -> str:
        """What to say of a link that is not there; nothing while it is."""
        return _AMISS.get(self._engine.state, "")

    @property
    def facts_version(self) -> int:
        """A number that grows whenever something more is known of a market or an event."""
        return self._markets.version

    def facts(self, market_ticker: str) -> MarketFacts:
        """Return what is known of a market."""
        return self._markets.get(market_ticker)

    def event(self, event_ticker: str) -> EventFacts:
        """Return what is known of an event."""
        return self._markets.event(event_ticker)

    def markets_of(self, event_ticker: str) -> list[MarketFacts]:
        """Return the markets that are known to belong to an event."""
        return self._markets.markets_of(event_ticker)

    def market_tickers(self, most: int) -> list[str]:
        """Return tickers of markets that are known and not paid out, at most so many, in their order.

        Known is a market of which facts are, which was traded or quoted in what somebody wants, or was asked for.
        """
        known = dict.fromkeys(self._markets.tickers(most))
        seen = (ticker for ticker in self._seen() if ticker not in known)
        open_ones = (ticker for ticker in seen if self._markets.get(ticker).status != "finalized")
        return sorted([*known, *islice(dict.fromkeys(open_ones), most - len(known))])

    def _seen(self) -> Iterator[str]:
        """Go through the markets that something was heard of, or is to be."""
        frames = [each for reference in self._frames.valuerefs() if (each := reference()) is not None]
        for frame in frames:
            yield from frame.market_tickers or ()
        yield from self._markets.last_trades.tickers()
        for frame in frames:
            if frame.channel == "ticker":
                yield from frame.latest()["market_ticker"]

    def last(self, market_ticker: str) -> Last | None:
        """Return a market's newest trade in dollars, contracts and seconds, of those that somebody wants."""
        trade = self._markets.last_trades.get(market_ticker)
        if trade is None:
            return None
        return Last(trade.price / DOLLAR, trade.size / CONTRACT, trade.taker, trade.at / 1e6)

    def bids(self, market_ticker: str) -> tuple[float | None, float | None] | None:
        """Return the best YES bid and the best NO bid, each in dollars of its leg; None where no live book is kept."""
        ladder = self._engine.ladder(market_ticker)
        if ladder is None or not ladder.live:
            return None
        top = ladder.top()
        return top.yes / DOLLAR if top.yes else None, top.no / DOLLAR if top.no else None

    def own_orders(self, market_ticker: str) -> tuple[Order, ...]:
        """Return one's own resting orders in a market: only those of which an end would be heard."""
        since = self._orders_since(market_ticker)
        if since is None:
            return ()
        return tuple(
            (each.outcome, each.price / DOLLAR, each.left / CONTRACT)
            for each in self._markets.own_marks.orders(market_ticker)
            if each.heard_at >= since
        )

    def own_fills(self, market_ticker: str) -> tuple[Fill, ...]:
        """Return one's own newest fills in a market, oldest first, of those that somebody wants."""
        return tuple(
            (each.outcome, each.price / DOLLAR, each.size / CONTRACT, each.at / 1e6)
            for each in self._markets.own_marks.fills(market_ticker)
        )

    def own_markets(self) -> frozenset[str] | None:
        """Return the markets in which one holds a position or has resting orders, of those that somebody hears of.

        None where nobody hears of either.
        """
        frames = self.frames_of("market_positions")
        if not frames and not self.frames_of("user_orders"):
            return None
        held: set[str] = set()
        for frame in frames:
            rows = frame.latest()
            held.update(rows.filter(rows["position"] != 0)["market_ticker"].to_list())
        return frozenset(held.union(each for each in self._markets.own_marks.markets() if self.own_orders(each)))

    def note_frame(self, frame: FrameSource) -> None:
        """Take note of a frame that somebody has open, for as long as somebody does."""
        self._frames[id(frame)] = frame

    def frames_of(self, channel: str) -> list[FrameSource]:
        """Return the frames of a channel that somebody has open, those of more markets first."""
        frames = [reference() for reference in self._frames.valuerefs()]  # copied at once: others come and go
        found = [each for each in frames if each is not None and each.channel == channel and each.status != "closed"]
        return sorted(found, key=lambda each: -math.inf if each.market_tickers is None else -len(each.market_tickers))

    def gaps(self) -> list[Gap]:
        """Return every gap of the feed, oldest first."""
        return self._engine.gaps.snapshot()

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called, from any thread, when the exchange has sent something, or was found to have."""
        self._engine.on_read(wake)
        # What is one's own is learned a little later, when rows are taken: a view that looked in between looks again.
        self._markets.own_marks.on_news(wake)


class FrameSource:
    """A rolling frame of a feed, as far as its views may know it.

    Parameters
    ----------
    feed : FeedSource
        The feed.
    store : RollingFrame
        The rows.
    channel : str
        Where its rows come from.
    name : str
        What it is called.
    market_tickers : frozenset of str or None
        Which markets its rows are about; None for all.

    Attributes
    ----------
    began_us : int
        When it was asked for, in microseconds by the feed's clock; no row is older but those that were fetched.
    """

    def __init__(
        self,
        feed: FeedSource,
        store: RollingFrame,
        *,
        channel: str,
        name: str,
        market_tickers: frozenset[str] | None,
    ) -> None:
        self.feed = feed
        self.channel = channel
        self.name = name
        self.market_tickers = market_tickers
        self._store = store
        self._is_over = False
        self.began_us = feed.clock.now_us()
        feed.note_frame(self)
        self._handle: Callable[[], object] = lambda: None

    def tell_of(self, handle: object) -> None:
        """Have `described` say what a handle says of itself, which is not held."""
        self._handle = weakref.ref(handle)

    def described(self) -> str:
        """Return what the frame's handle says of itself in a line; what it is called, once nobody has it."""
        handle = self._handle()
        return f"<{self.title}>" if handle is None else repr(handle)

    @property
    def now(self) -> float:
        """The time by the feed's clock, epoch seconds."""
        return self.feed.clock.now_us() / 1e6

    @property
    def note(self) -> str:
        """What to say of a link that is not there; nothing while it is."""
        return self.feed.note

    @property
    def df(self) -> pl.DataFrame:
        """The rows of the window."""
        refuse_without_polars("showing rows")
        return self._store.glimpse()

    @property
    def total(self) -> int:
        """How many rows ever came: who has seen this number has seen them."""
        return self._store.total

    def latest(self) -> pl.DataFrame:
        """Return the last row of each market, or of whatever its rows are about."""
        refuse_without_polars("showing rows")
        return self._store.latest(hurry=False)

    @property
    def title(self) -> str:
        """What it is of, in a few words."""
        tickers = self.market_tickers
        return next(iter(tickers)) if tickers is not None and len(tickers) == 1 else self.name

    @property
    def status(self) -> str:
        """``connecting``, ``live``, ``stale`` while the link is not there, or ``closed``."""
        if self._is_over or self.feed.over():
            return "closed"
        state = self.feed.state
        if state == "connected":
            return "live"
        return "stale" if self._store.total or state == "refused" else "connecting"

    def gaps(self, channel: str | None = None) -> list[Gap]:
        """Return the gaps that concern its markets, oldest first: those of its channel unless told."""
        channel = self.channel if channel is None else channel
        tickers = self.market_tickers
        return [
            gap
            for gap in self.feed.gaps()
            if gap.channel == channel
            and (tickers is None or gap.market_ticker is None or gap.market_ticker in tickers)
        ]

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called once, from any thread, when there may be news."""
        self.feed.watch(wake)

    def end(self) -> None:
        """Take note that nothing fills it any more."""
        self._is_over = True

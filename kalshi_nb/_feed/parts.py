"""What a feed is composed of, around an engine that is handed in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from kalshi_nb._engine.port import Engine
from kalshi_nb._environments import origin_of
from kalshi_nb._feed.account import Account
from kalshi_nb._feed.attachments import Attachments
from kalshi_nb._feed.backfill import Backfill
from kalshi_nb._feed.book_checks import BookChecks
from kalshi_nb._feed.dashboard import Dashboards
from kalshi_nb._feed.demand import Demand
from kalshi_nb._feed.feed_views import FeedViews
from kalshi_nb._feed.follower import Follower
from kalshi_nb._feed.frames import Frames
from kalshi_nb._feed.history import History
from kalshi_nb._feed.open_books import OpenBooks
from kalshi_nb._feed.open_candles import OpenCandles
from kalshi_nb._feed.options import Options
from kalshi_nb._feed.pickers import Pickers
from kalshi_nb._feed.pipelines import pipelines_on
from kalshi_nb._feed.recorders import Recorders
from kalshi_nb._feed.standing import FeedStanding
from kalshi_nb._markets.registry import MarketRegistry
from kalshi_nb._rest.client import RestClient
from kalshi_nb._rest.discovery import Discovery
from kalshi_nb._streams.runner import Pipelines
from kalshi_nb._widgets.sources import FeedSource

if TYPE_CHECKING:
    from kalshi_nb._feed.replaying import Replaying

__all__ = ["FeedParts", "origin", "parts_of"]


@dataclass(frozen=True, slots=True)
class FeedParts:
    """The parts of one feed; each knows those that it is made with, and none knows the feed."""

    standing: FeedStanding
    markets: MarketRegistry
    pipelines: Pipelines
    demand: Demand
    frames: Frames
    books: OpenBooks
    candles: OpenCandles
    attachments: Attachments
    follower: Follower
    recorders: Recorders
    views: FeedViews
    dashboards: Dashboards
    discovery: Discovery
    history: History
    backfill: Backfill
    checks: BookChecks
    pickers: Pickers

    def open(self, engine: Engine, timeout: float, mover: Any) -> None:
        """Begin, and wait for the first handshake.

        Parameters
        ----------
        engine : Engine
            What they stand on.
        timeout : float
            Seconds that the handshake may take.
        mover : Exchange, Replaying or None
            Moves its clock, where it is moved by hand.
        """
        engine.start(timeout, self.pipelines.wait_for_room)
        self.pipelines.start()
        if mover is not None:
            mover.attach(self.follower)

    def close(self, engine: Engine, mover: Any) -> None:
        """End them and their engine, in the order in which nothing waits for what has ended.

        Parameters
        ----------
        engine : Engine
            What they stand on.
        mover : Exchange, Replaying or None
            Moves its clock, where it is moved by hand.
        """
        if mover is not None:
            mover.detach(self.follower)
        self.pickers.close()
        self.discovery.close()
        self.backfill.close()
        self.recorders.close()
        engine.gaps.seal()
        self.views.freeze()
        engine.close()
        self.pipelines.stop()
        self.frames.close()
        self.books.shut()
        self.candles.close()
        self.dashboards.close()
        self.attachments.close()
        self.views.close()


def origin(url: str, exchange: object, replaying: object) -> str:
    """Return in a word what is to be said of a feed's data wherever that is shown; of real data nothing."""
    if exchange is not None:
        return "simulated"
    return origin_of(url) if replaying is None else "replay"


def parts_of(
    engine: Engine,
    options: Options,
    exchange: Any = None,
    replaying: Replaying | None = None,
    rest: RestClient | None = None,
) -> FeedParts:
    """Return the parts of a feed on an engine.

    Parameters
    ----------
    engine : Engine
        What brings the data.
    options : Options
        What else the feed is made with.
    exchange : Exchange or None
        The simulated exchange in this process that is at the other end.
    replaying : Replaying or None
        What plays a recording to the engine.
    rest : RestClient, optional
        Asks the same exchange over REST.
    """
    said, is_by_hand = origin(engine.url, exchange, replaying), getattr(exchange, "clock", "") == "manual"
    standing, markets, demand = FeedStanding(engine, replaying), MarketRegistry(), Demand(engine)
    account = Account(engine, standing, rest)
    discovery = Discovery(rest, markets, engine.clock.now_us)
    checks = BookChecks(engine, demand, standing, discovery)
    history = History(engine, discovery)
    backfill = Backfill(engine, markets.recent_trades, history.trades, partial(demand.wanted, "trade"))
    is_own = exchange is not None
    candles = OpenCandles(engine, demand, standing, discovery, backfill, is_own_clock=is_own)
    pipelines = pipelines_on(engine, options, standing, markets, demand, account, checks, candles)
    checks.serve(pipelines.bring)
    orders_since = partial(demand.since, "user_orders")
    source = FeedSource(engine, markets, standing.over, standing.view_errors, orders_since=orders_since, origin=said)
    account.serve(pipelines.bring, source.frames_of)
    # Where the clock is moved by hand, what comes is a matter of steps; what is fetched meanwhile would not be.
    backfill.is_on = rest is not None and (not is_by_hand if options.backfill is None else options.backfill)
    frames = Frames(engine, demand, pipelines, standing, source, history, backfill, account)
    books = OpenBooks(engine, demand, standing, source)
    attachments = Attachments(pipelines, demand, engine)
    recorders = Recorders(engine, demand, None if replaying is None else engine.url)
    told = (
        standing.told,
        attachments.warnings,
        recorders.told,
        backfill.told,
        account.told,
        checks.told,
        candles.told,
    )
    views = FeedViews(engine, pipelines, standing, books, recorders, said, told)
    return FeedParts(
        standing,
        markets,
        pipelines,
        demand,
        frames,
        books,
        candles,
        attachments,
        Follower(engine, pipelines, markets),
        recorders,
        views,
        Dashboards(frames, books, source, views.source),
        discovery,
        history,
        backfill,
        checks,
        Pickers(discovery),
    )

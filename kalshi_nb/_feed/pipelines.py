"""What brings an engine's rows to frames, to what users build, and to whatever else is to know of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kalshi_nb._feed.open_candles import HEARD
from kalshi_nb._markets.lifecycle import LIFECYCLE_CHANNELS, learn
from kalshi_nb._rows.channels import BOOKS, ROWS
from kalshi_nb._streams.nodes import RollingFrameNode
from kalshi_nb._streams.runner import Pipelines
from kalshi_nb._widgets.showing import view_of_a_pipeline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kalshi_nb._engine.port import Engine
    from kalshi_nb._feed.account import Account
    from kalshi_nb._feed.book_checks import BookChecks
    from kalshi_nb._feed.demand import Demand
    from kalshi_nb._feed.open_candles import OpenCandles
    from kalshi_nb._feed.options import Options
    from kalshi_nb._feed.standing import FeedStanding
    from kalshi_nb._markets.registry import MarketRegistry
    from kalshi_nb._rows.rows import Row

__all__ = ["pipelines_on"]

RollingFrameNode.shown_by = view_of_a_pipeline


def pipelines_on(
    engine: Engine,
    options: Options,
    standing: FeedStanding,
    markets: MarketRegistry,
    demand: Demand,
    account: Account,
    checks: BookChecks,
    candles: OpenCandles,
) -> Pipelines:
    """Return the pipelines of a feed, which take its engine's rows.

    Parameters
    ----------
    engine : Engine
        Where rows come from.
    options : Options
        How long they rest, and how many may wait.
    standing : FeedStanding
        How the feed stands, for those who wait.
    markets : MarketRegistry
        Learns what rows of the lifecycle channels say, what was traded last, and what one's own orders
        and fills are, whoever wanted these rows.
    demand : Demand
        Knows which books views keep for themselves.
    account : Account
        Hears of gaps in what is told of one's own.
    checks : BookChecks
        Follows books while they are compared with the exchange's.
    candles : OpenCandles
        Those that go on are made of trades, quotes and tickers.
    """

    def learn_trades(rows: Sequence[Row]) -> None:
        markets.learn_trades(rows)
        candles.hear("trade", rows)

    def learn_orders(rows: Sequence[Row]) -> None:
        markets.own_marks.learn_orders(rows, engine.clock.now_us())
        account.hear("user_orders", rows)

    def learn_fills(rows: Sequence[Row]) -> None:
        markets.own_marks.learn_fills(rows)
        account.hear("fill", rows)

    return Pipelines(
        engine.take,
        engine.pending,
        engine.watch,
        ROWS,
        engine.clock,
        steady=engine.steady,
        flush_interval=options.flush_interval,
        max_pending_rows=options.max_pending_rows,
        standing=standing,
        readers={
            **dict.fromkeys(LIFECYCLE_CHANNELS, partial(learn, markets)),
            BOOKS: checks.hear,
            **{channel: partial(candles.hear, channel) for channel in HEARD},
            "trade": learn_trades,
            "user_orders": learn_orders,
            "fill": learn_fills,
            "market_positions": partial(account.hear, "market_positions"),
        },
        left_out=demand.of_views_alone,
    )

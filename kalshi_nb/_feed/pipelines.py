"""What brings an engine's rows to frames, to what users build, and to whatever else is to know of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kalshi_nb._markets.lifecycle import LIFECYCLE_CHANNELS, learn
from kalshi_nb._rows.channels import ROWS
from kalshi_nb._streams.runner import Pipelines

if TYPE_CHECKING:
    from kalshi_nb._engine.port import Engine
    from kalshi_nb._feed.options import Options
    from kalshi_nb._feed.standing import FeedStanding
    from kalshi_nb._markets.registry import MarketRegistry

__all__ = ["pipelines_on"]


def pipelines_on(engine: Engine, options: Options, standing: FeedStanding, markets: MarketRegistry) -> Pipelines:
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
        Learns what rows of the lifecycle channels say, and what was traded last, whoever wanted these rows.
    """
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
        readers={**dict.fromkeys(LIFECYCLE_CHANNELS, partial(learn, markets)), "trade": markets.last_trades.learn},
    )

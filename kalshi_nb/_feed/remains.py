"""What is left of a feed that nobody holds any more: it goes on for its handles, and ends when they are gone, too."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from kalshi_nb._logging import log
from kalshi_nb._threads import forks

if TYPE_CHECKING:
    from kalshi_nb._engine.port import Engine
    from kalshi_nb._feed.backfill import Backfill
    from kalshi_nb._feed.demand import Demand
    from kalshi_nb._feed.frames import Frames
    from kalshi_nb._feed.open_books import OpenBooks
    from kalshi_nb._feed.open_candles import OpenCandles
    from kalshi_nb._feed.parts import FeedParts
    from kalshi_nb._feed.recorders import Recorders
    from kalshi_nb._rest.discovery import Discovery
    from kalshi_nb._streams.runner import Pipelines

__all__ = ["Remains", "remains_of"]


class Remains:
    """The parts of a feed that have threads, and what they are for; holds them and not the feed.

    Parameters
    ----------
    engine, pipelines, demand, recorders, discovery, backfill
        The feed's.
    handles : iterable of Frames, OpenBooks and OpenCandles
        What the feed gave out.
    exchange : Exchange or None
        The simulated exchange that it is connected to.
    detach : callable
        Has whoever moves its clock wait for it no more.
    """

    def __init__(
        self,
        engine: Engine,
        pipelines: Pipelines,
        demand: Demand,
        recorders: Recorders,
        discovery: Discovery,
        backfill: Backfill,
        *,
        handles: Iterable[Frames | OpenBooks | OpenCandles],
        exchange: Any,
        detach: Callable[[], None],
    ) -> None:
        self.engine = engine
        self.exchange = exchange
        self.embedded = False
        self._pipelines = pipelines
        self._demand = demand
        self._recorders = recorders
        self._discovery = discovery
        self._backfill = backfill
        self._handles = tuple(handles)
        self._detach = detach
        self._born = forks()

    @property
    def is_over(self) -> bool:
        """Whether there is nothing to end: it was closed, or its threads are those of another process."""
        return self.engine.state == "closed" or self._born != forks()

    @property
    def is_wanted(self) -> bool:
        """Whether somebody has a frame, a book, a callback or a recorder of it."""
        return bool(self._demand.channels())

    def leave(self, tend: Callable[[], None]) -> None:
        """Leave frames and books to those who hold them; `tend` is called when nobody has anything any more.

        On whatever thread that happens, maybe in a finalizer.
        """
        self._demand.when_idle = tend
        for each in self._handles:
            each.loosen()

    def end(self) -> None:
        """End the threads, as ``close()`` of the feed does, and say so."""
        if self.is_over:
            return
        self._detach()
        self._discovery.close()
        self._backfill.close()
        self._recorders.close()
        self.engine.gaps.seal()
        self.engine.close()
        self._pipelines.stop()
        log(
            logging.WARNING,
            f"a feed of {self.engine.url} was ended, since nobody held it any more: keep what connect(…, new=True) or "
            "replay() returns, and close() it when you are done",
        )


def remains_of(engine: Engine, parts: FeedParts, exchange: Any, mover: Any) -> Remains:
    """Return what is left of a feed on `engine`, whose clock `mover` moves where it is moved by hand."""
    follower = parts.follower
    return Remains(
        engine,
        parts.pipelines,
        parts.demand,
        parts.recorders,
        parts.discovery,
        parts.backfill,
        handles=(parts.frames, parts.books, parts.candles),
        exchange=exchange,
        detach=lambda: None if mover is None else mover.detach(follower),
    )

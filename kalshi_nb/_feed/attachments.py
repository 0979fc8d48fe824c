"""The user's pipelines of one feed, and which of them a cell that runs again replaces."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from kalshi_nb._feed.cells import Cell, this_cell
from kalshi_nb._feed.coverage import Coverage
from kalshi_nb._feed.demand import Demand, Held
from kalshi_nb._feed.handles import Closer, Ending
from kalshi_nb._rows.channels import source_of
from kalshi_nb._streams.listening import Inbox, Listener
from kalshi_nb._streams.pipeline import Pipeline
from kalshi_nb._streams.runner import Pipelines
from kalshi_nb.errors import ConfigurationError

if TYPE_CHECKING:
    from kalshi_nb._engine.port import Engine
    from kalshi_nb._feed.frame import Frame
    from kalshi_nb._frames.rolling import RollingFrame
    from kalshi_nb._streams.source import Source

__all__ = ["Attachments"]


class _Made(NamedTuple):
    """What a cell attached: where, in which run, for what."""

    cell: Cell
    channel: str
    tickers: frozenset[str] | None
    pipeline: weakref.ref[Pipeline]


class Attachments:
    """Streams, messages and callbacks of a feed.

    A pipeline is attached first and its rows are asked for then, so that it misses none. The exchange may take seconds
    to answer; the lock is held only to look things up and write them down, never meanwhile.

    Parameters
    ----------
    pipelines : Pipelines
        Runs them.
    demand : Demand
        Asks the exchange for what they need.
    engine : Engine
        Has the gaps that concern them.
    """

    def __init__(self, pipelines: Pipelines, demand: Demand, engine: Engine) -> None:
        self._engine = engine
        self._pipelines = pipelines
        self._demand = demand
        self._lock = threading.RLock()
        self._callbacks: dict[tuple[object, ...], Pipeline] = {}
        self._made: list[_Made] = []

    def begin(
        self,
        channel: str,
        tickers: frozenset[str] | None,
        make: Callable[[Closer], Source],
    ) -> Source:
        """Attach a pipeline, in place of what an earlier run of the same cell attached at the same line."""
        cell = this_cell()
        ending = Ending()
        source = make(ending)
        held = self._ask(source.pipeline, ending)
        source.cover_by(partial(self._covered, source.pipeline.channel, tickers, held))
        # Only now the earlier one lets go, so that the exchange sends on without a break.
        self._replace(source.pipeline, cell, channel, tickers)
        return source

    def _covered(
        self,
        channel: str,
        tickers: frozenset[str] | None,
        held: Held,
        store: RollingFrame,
        lost_since: Callable[[int], bool],
    ) -> Frame:
        """Return what tells of a frame below a stream whether it lacks rows."""
        from kalshi_nb._feed.frame import Frame  # noqa: PLC0415  # polars loads when it is needed

        coverage = Coverage(self._engine, source_of(channel), tickers, held.connections, lost_since)
        return Frame(store, name=channel, coverage=coverage)

    def call(
        self, channel: str, tickers: frozenset[str] | None, function: Callable[..., Any], *, gaps: bool = False
    ) -> Pipeline:
        """Attach a callback, in place of the same function's earlier self, or of an earlier run of the cell's."""
        if not callable(function):
            raise ConfigurationError(f"on({channel!r}) decorates a function, not a {type(function).__name__}.")
        key = (channel, tickers, *_identity(function))
        cell = this_cell()
        ending = Ending()
        pipeline = self._pipelines.on(channel, function, tickers, gaps=gaps, on_close=ending)
        self._ask(pipeline, ending)
        with self._lock:
            before = self._callbacks.get(key)
            self._callbacks = {each: held for each, held in self._callbacks.items() if held.state != "closed"}
            self._callbacks[key] = pipeline
        if before is not None:
            before.close()
        self._replace(pipeline, cell, channel, tickers)
        return pipeline

    def listen(self, channel: str, tickers: frozenset[str] | None, *, gaps: bool, name: str | None) -> Listener:
        """Return what attaches a pipeline for code that awaits, once that begins; no cell replaces it."""

        def attach() -> tuple[Pipeline, Inbox, Callable[[], None]]:
            ending = Ending()
            delivery = self._pipelines.listen(channel, tickers, gaps=gaps, name=name, on_close=ending)
            pipeline = delivery.pipeline

            def ask() -> None:
                self._ask(pipeline, ending)

            return pipeline, delivery.inbox, ask

        return Listener(attach)

    def close(self) -> None:
        """Close all of them."""
        for pipeline in self._pipelines.pipelines:
            pipeline.close()
        with self._lock:
            self._callbacks.clear()
            self._made.clear()

    def _ask(self, pipeline: Pipeline, ending: Ending) -> Held:
        """Ask for the rows of a pipeline that is attached already, so that it misses none."""
        try:
            held = self._demand.rows(pipeline.channel, pipeline.market_tickers)
            ending.add(held.release)
        except BaseException:
            pipeline.close()
            raise
        return held

    def _replace(self, pipeline: Pipeline, cell: Cell | None, channel: str, tickers: frozenset[str] | None) -> None:
        """Write down what a cell attached, and close what an earlier run of it attached there."""
        with self._lock:
            earlier = self._earlier(cell, channel, tickers)
            if cell is not None:
                self._made.append(_Made(cell, channel, tickers, weakref.ref(pipeline)))
        for each in earlier:
            each.close()

    def _earlier(self, cell: Cell | None, channel: str, tickers: frozenset[str] | None) -> list[Pipeline]:
        kept, earlier = [], []
        for made in self._made:
            pipeline = made.pipeline()
            if pipeline is None or pipeline.state == "closed":
                continue
            same_place = cell is not None and made.cell.place == cell.place and made.cell.run != cell.run
            if same_place and (made.channel, made.tickers) == (channel, tickers):
                earlier.append(pipeline)
            else:
                kept.append(made)
        self._made = kept
        return earlier


def _identity(function: Callable[..., Any]) -> tuple[object, ...]:
    """Return what makes a function the same one when its definition runs again.

    Its name and module; a method's object too. Functions without a name of their own are all different.
    """
    name = getattr(function, "__qualname__", None)
    if name is None or "<lambda>" in name:
        return (id(function), function)
    return (getattr(function, "__module__", None), name, id(getattr(function, "__self__", None)))

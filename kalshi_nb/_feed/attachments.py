"""The user's pipelines of one feed: attached, replaced by name or by their cell's next run, closed."""

from __future__ import annotations

import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from kalshi_nb._feed.cells import Run, cells, origin
from kalshi_nb._feed.coverage import ASKING, Coverage, first_mark
from kalshi_nb._feed.demand import Demand, Held, MarketTickers, check_subjects
from kalshi_nb._feed.handles import Closer, Ending
from kalshi_nb._redaction import could_be_key, shown
from kalshi_nb._rows.channels import source_of
from kalshi_nb._rows.tickers import about
from kalshi_nb._streams.fetched import checked_backfill
from kalshi_nb._streams.listening import Inbox, Listener
from kalshi_nb._streams.pipeline import Pipeline, know_gaps
from kalshi_nb._streams.runner import Pipelines
from kalshi_nb._usage import flag
from kalshi_nb.errors import ConfigurationError

if TYPE_CHECKING:
    from kalshi_nb._engine.port import Engine
    from kalshi_nb._feed.frame import Frame
    from kalshi_nb._frames.rolling import RollingFrame
    from kalshi_nb._streams.source import Source

__all__ = ["Attachments"]

Callback = TypeVar("Callback", bound=Callable[..., Any])


class _Attached(NamedTuple):
    """What is known of a pipeline beside itself.

    Attributes
    ----------
    pipeline : weakref
        The pipeline.
    name : str or None
        What its user calls it; None where he did not.
    function : tuple of str and int, or None
        The name of the function that it calls and whose method it is, where it is a callback that may be one attached
        before.
    cell : tuple of str, or object
        What the cell goes by that attached it; where nothing names one, something that is like no other.
    """

    pipeline: weakref.ref[Pipeline]
    name: str | None
    function: tuple[str, int] | None
    cell: object


class Attachments:
    """Streams, messages and callbacks of a feed.

    A pipeline is attached first and its rows are asked for then, so that it misses none; only when the exchange has
    acknowledged that, what it takes the place of is closed, so that the exchange sends on without a break. The
    exchange may take seconds to answer; the lock is held only to look things up and write them down, never meanwhile.

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
        self._lock = threading.RLock()  # a finalizer may run in the middle of it, on the same thread
        self._attached: list[_Attached] = []

    def begin(self, make: Callable[[Closer], Source], *, name: str | None) -> Source:
        """Attach what `make` makes, given what is to be called at its end."""
        _check_name(name)
        ending = Ending()
        source = make(ending)
        held = self._take(source.pipeline, ending, name, None)
        pipeline = source.pipeline
        source.cover_by(partial(self._covered, pipeline, held), partial(self._coverage, pipeline, held))
        return source

    def stream(
        self, channel: str, market_tickers: MarketTickers, *, exact: bool, backfill: bool, name: str | None
    ) -> Source:
        """Attach a stream of batches."""
        tickers = check_subjects(channel, market_tickers)
        make = partial(self._pipelines.stream, channel, tickers, exact=exact, backfill=backfill, name=name)
        return self.begin(lambda close: make(on_close=close), name=name)

    def messages(
        self, channel: str, market_tickers: MarketTickers, *, gaps: bool, backfill: bool, name: str | None
    ) -> Source:
        """Attach a stream of lists of messages."""
        tickers = check_subjects(channel, market_tickers)
        make = partial(self._pipelines.messages, channel, tickers, gaps=gaps, backfill=backfill, name=name)
        return self.begin(lambda close: make(on_close=close), name=name)

    def _coverage(
        self, pipeline: Pipeline, held: Held, lost_since: Callable[[int], bool] = lambda _: False
    ) -> Coverage:
        channel, tickers = source_of(pipeline.channel), pipeline.market_tickers
        return Coverage(self._engine, channel, tickers, held.connections, lost_since, has_fetched=pipeline.backfill)

    def _covered(
        self, pipeline: Pipeline, held: Held, store: RollingFrame, lost_since: Callable[[int], bool]
    ) -> Frame:
        """Return what tells of a frame below a stream whether it lacks rows."""
        from kalshi_nb._feed.frame import Frame  # noqa: PLC0415  # polars loads when it is needed

        return Frame(store, name=pipeline.channel, coverage=self._coverage(pipeline, held, lost_since))

    def call(
        self,
        channel: str,
        tickers: frozenset[str] | None,
        function: Callable[..., Any],
        *,
        gaps: bool = False,
        backfill: bool = False,
        name: str | None = None,
    ) -> Pipeline:
        """Attach a callback."""
        if not callable(function):
            raise ConfigurationError(f"on({channel!r}) decorates a function, not a {type(function).__name__}.")
        _check_name(name)
        ending = Ending()
        pipeline = self._pipelines.on(
            channel, function, tickers, gaps=gaps, backfill=backfill, name=name, on_close=ending
        )
        self._take(pipeline, ending, name, _identity(function))
        return pipeline

    def decorator(
        self, channel: str, market_tickers: MarketTickers, *, gaps: bool, backfill: bool, name: str | None
    ) -> Callable[[Callback], Callback]:
        """Return what attaches the callback that it decorates, and leaves it as it is."""
        tickers = check_subjects(channel, market_tickers)

        def attach(function: Callback) -> Callback:
            self.call(channel, tickers, function, gaps=gaps, backfill=backfill, name=name)
            return function

        return attach

    def listen(
        self, channel: str, market_tickers: MarketTickers, *, gaps: bool, backfill: bool, name: str | None
    ) -> Listener:
        """Return what attaches a pipeline for code that awaits, once that begins; only its name replaces another."""
        tickers = check_subjects(channel, market_tickers)
        _check_name(name)
        flag("gaps", gaps)
        checked_backfill(channel, backfill)

        def attach() -> tuple[Pipeline, Inbox, Callable[[], None]]:
            ending = Ending()
            delivery = self._pipelines.listen(
                channel, tickers, gaps=gaps, backfill=backfill, name=name, on_close=ending
            )
            pipeline = delivery.pipeline

            def ask() -> None:
                self._ask(pipeline, ending)
                for each in self._note(pipeline, name, None, None):
                    each.close()

            return pipeline, delivery.inbox, ask

        return Listener(attach)

    def warnings(self) -> Iterator[str]:
        """Say which callbacks may be one that was attached again: nothing tells, so each of them is called.

        Those of one cell count once: while it runs, its earlier run's are there, too.
        """
        with self._lock:
            attached = [(each.pipeline(), each.function, each.cell) for each in self._attached]
        equal = Counter(
            (channel, tickers, function)
            for channel, tickers, function, _ in {
                (pipeline.channel, pipeline.market_tickers, function, cell)
                for pipeline, function, cell in attached
                if function is not None and pipeline is not None and pipeline.state != "closed"
            }
        )
        for (channel, tickers, (function, _)), count in equal.items():
            if count > 1:
                yield (
                    f"{count} callbacks {function!r} on {channel}, {about(channel, tickers)}, are attached, and each "
                    "is called; if one is to take the place of another, attach it with name=, or close() one of "
                    "feed.pipelines"
                )

    def close(self) -> None:
        """Close all of them."""
        for pipeline in self._pipelines.pipelines:
            pipeline.close()
        with self._lock:
            self._attached.clear()

    def _ask(self, pipeline: Pipeline, ending: Ending) -> Held:
        """Ask for the rows of a pipeline that is attached already, so that it misses none."""
        try:
            know_gaps(pipeline, ASKING)
            held = self._demand.rows(pipeline.channel, pipeline.market_tickers)
            ending.add(held.release)
            know_gaps(pipeline, first_mark(self._engine, source_of(pipeline.channel)))
        except BaseException:
            pipeline.close()
            raise
        return held

    def _take(self, pipeline: Pipeline, ending: Ending, name: str | None, function: tuple[str, int] | None) -> Held:
        """Ask for the rows of a pipeline, and then let it take its place."""
        run = cells.run()
        pipeline.origin = origin(run)
        held = self._ask(pipeline, ending)
        try:
            if run is not None:
                run.add(pipeline)
        except BaseException:
            pipeline.close()
            raise
        for each in self._note(
            pipeline, name, function if name is None and _is_looked_at(function, run) else None, run
        ):
            if run is None or run.has(each):
                each.close()
            else:
                run.replace(each)  # at the end of the cell, should it end well
        return held

    def _note(
        self, pipeline: Pipeline, name: str | None, function: tuple[str, int] | None, run: Run | None
    ) -> list[Pipeline]:
        """Write down a pipeline; return those that its name replaces."""
        with self._lock:
            self._attached = [
                each for each in self._attached if (held := each.pipeline()) is not None and held.state != "closed"
            ]
            named = [each.pipeline() for each in self._attached if name is not None and each.name == name]
            cell = object() if run is None else run.key
            self._attached.append(_Attached(weakref.ref(pipeline), name, function, cell))
        return [each for each in named if each is not None]


def _is_looked_at(function: tuple[str, int] | None, run: Run | None) -> bool:
    """Tell whether a function attached again may be one that should have been replaced.

    Of two cells of a notebook it is what each has to itself, unless the second defines anew what the first defined,
    since some front ends call every run a new cell. In a terminal the text tells.
    """
    if function is None or run is None:
        return function is not None
    return run.key is not None and "." not in function[0]


def _check_name(name: object) -> None:
    if name is not None and (not isinstance(name, str) or not name.strip()):
        raise ConfigurationError(f"name={shown(name)}: give a text, by which a later pipeline replaces this one.")
    if isinstance(name, str) and could_be_key(name):
        raise ConfigurationError(f"name={shown(name)}: a name is shown in many places; give another.")


def _identity(function: Callable[..., Any]) -> tuple[str, int] | None:
    """Return by what a function may be the same as another: its name, and the object that it is a method of.

    Functions without a name of their own are all different.
    """
    name = getattr(function, "__qualname__", None)
    if not isinstance(name, str) or "<lambda>" in name:
        return None
    return name, id(getattr(function, "__self__", None))

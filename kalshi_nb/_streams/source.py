"""Where one pipeline begins: the streamz node that batches enter by."""

from __future__ import annotations

import logging
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NoReturn

from streamz import Stream

from kalshi_nb._frames.reading import FrameReading
from kalshi_nb._redaction import shown
from kalshi_nb._streams.graph import LOOP_REFUSED, Downstreams, forget_loop, reachable
from kalshi_nb._threads import role
from kalshi_nb._usage import NotAwaited, not_copied, setter
from kalshi_nb.errors import NoSuchAttributeError, PipelineError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kalshi_nb._streams.user_delivery import Cover, KnownGaps, StreamDelivery

__all__ = ["Care", "Source", "deliveries_above", "delivery_above"]

_LOOK: Final = 0.25  # seconds between two looks whether one of several streams has rested


def _is_not_ours(_record: logging.LogRecord) -> bool:
    return role() not in {"pipeline", "user"}


# streamz logs what a node raises before it raises it, and without a handler that lands in whatever cell runs.
# On the feed's threads the pipeline counts it and the user is warned once, so the log line goes.
logging.getLogger("streamz.core").addFilter(_is_not_ours)


class Source(NotAwaited, Stream):  # type: ignore[misc]  # streamz ships no types
    """The source of one pipeline, an ordinary ``streamz.Stream`` to build on.

    Batches arrive by themselves, on the feed's thread for user code. Nodes may be attached at any time and
    from any thread. Nodes with an event loop of their own are refused.

    Parameters
    ----------
    delivery : StreamDelivery
        What brings the batches; it lives as long as the source does.

    Attributes
    ----------
    pipeline : Pipeline
        How it is doing, and how to end it.
    """

    _in_a_coroutine = " to build on it; in a coroutine, write: async for message in feed.listen(channel): …"

    # streamz would attach a live Output widget to the graph, which costs a message a batch.
    _ipython_display_ = None

    __setattr__ = setter(
        *("pipeline", "name", "upstreams", "downstreams", "current_value", "current_metadata", "loop", "asynchronous"),
        instead="ask for another, with other arguments, such as feed.stream('trade', name='mine')",
    )

    def __init__(self, delivery: StreamDelivery) -> None:
        self.pipeline = delivery.pipeline
        self._delivery = delivery
        super().__init__(stream_name=self.pipeline.name)
        # Not a method of this source: a node set that held its own source would be a cycle, and the source
        # has to go at the moment its last user does.
        self.downstreams = Downstreams(partial(_admit, delivery))

    def emit(self, x: Any, asynchronous: bool = False, metadata: Any = None) -> NoReturn:  # noqa: ARG002  # streamz's
        """Refuse: only the feed sends through this source.

        Raises
        ------
        PipelineError
            Always.
        """
        raise PipelineError(
            "Only the feed emits here. To feed a graph of your own, make a streamz.Stream() and emit into "
            "it, or try your functions on a frame: f(trades.df)."
        )

    def cover_by(self, cover: Cover, known_gaps: Callable[[], KnownGaps]) -> None:
        """Have frames that are attached from now on know whether they lack rows, and other nodes the gaps."""
        self._delivery.cover = cover
        self._delivery.known_gaps = known_gaps

    def __getitem__(self, key: object) -> NoReturn:
        # Loops come here, too. With __iter__ a stream would pass for a list of streams where streamz takes either.
        if isinstance(key, str):
            raise PipelineError(
                f"A stream has no columns, the frames that pass have: .map(lambda df: df[{shown(key)}]), or "
                f"rolling_frame() and its .df[{shown(key)}]."
            )
        self._refuse_loop_over()

    def __getattr__(self, name: str) -> NoReturn:
        # Only for names that are not there: many a hand writes stream.with_columns(…), or reads stream.df.
        raise NoSuchAttributeError(f"A stream has no {name!r}{self._instead_of(name)}")

    def _instead_of(self, name: str) -> str:
        import polars as pl  # noqa: PLC0415  # only where something is missing

        if name.startswith("_"):
            return "."
        channel = self.pipeline.channel
        if hasattr(FrameReading, name):
            return (
                f"; it keeps no rows, and a rolling frame of it does: feed.stream({channel!r}).rolling_frame().{name}"
            )
        if hasattr(pl.DataFrame, name):
            return f"; the frames that pass have: feed.stream({channel!r}).map(lambda df: df.{name}(…))."
        return "; a streamz.Stream has map, filter, accumulate, sink and more, and here rolling_frame and throttle."

    def __aiter__(self) -> NoReturn:
        self._refuse_loop_over()

    def _refuse_loop_over(self) -> NoReturn:
        raise PipelineError(
            f"A stream gives its batches by itself, to functions: .sink(function), .map(function). To loop over "
            f"messages, write in a coroutine: async for message in feed.listen({self.pipeline.channel!r}): …"
        )

    def _inform_loop(self, loop: Any) -> None:  # noqa: ARG002  # streamz's own signature
        self._refuse_loop()

    def _inform_asynchronous(self, asynchronous: bool) -> None:  # noqa: ARG002  # streamz's own signature
        self._refuse_loop()

    def _refuse_loop(self) -> NoReturn:
        # The nodes between here and the refused one have noted it already. If they kept it, the next such node
        # would not be refused any more, but would start a thread.
        forget_loop(self)
        raise PipelineError(LOOP_REFUSED)

    def __reduce__(self) -> NoReturn:
        raise not_copied(self, "ask the feed for another stream, or pass on data")

    def __repr__(self) -> str:
        return f"<stream {self._delivery.label}>"

    __str__ = __repr__


def _admit(delivery: StreamDelivery, node: Stream) -> None:
    """Refuse a new node that could not work below a source; tell those that want to know that this leads to them.

    Raises
    ------
    PipelineError
        When another feed's stream leads there, too, or as `StreamDelivery.admit` says.
    """
    # Nodes that stand below it already, too: it may be put under a second source later than they were made.
    below = [node, *reachable(node)]
    if any(other.schedule is not delivery.schedule for each in below for other in deliveries_above(each)):
        raise PipelineError(
            "A stream of one feed is put together with a stream of another here. Each feed has a thread of its own, "
            "and of what both bring at the same moment one would be lost. Attach the same function to each, or keep a "
            "rolling_frame() of each and put together what those have: pl.concat([one.df, other.df])."
        )
    delivery.admit(node)
    for each in below:
        fed_by = getattr(type(each), "_fed_by", None)
        if fed_by is not None:
            fed_by(each, delivery)


def deliveries_above(node: Stream) -> list[StreamDelivery]:
    """Return what fills the sources above a node, in the order in which the node was given them.

    Parameters
    ----------
    node : streamz.Stream
        Any node, a source too. ``union()``, ``zip()`` and the like have several sources above them.
    """
    found: dict[int, StreamDelivery] = {}
    seen: set[int] = set()
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Source):
            delivery = each._delivery  # noqa: SLF001  # users have sources in hand, and this is not for them
            found[id(delivery)] = delivery
        elif id(each) not in seen:
            seen.add(id(each))
            waiting.extend(reversed(each.upstreams))
    return list(found.values())


def delivery_above(node: Stream) -> StreamDelivery | None:
    """Return what fills the first source above a node, None where no feed fills it.

    Parameters
    ----------
    node : streamz.Stream
        Any node, a source too.
    """
    return next(iter(deliveries_above(node)), None)


class Care:
    """Makes a node's later calls by a stream that leads to it at that moment, whichever was closed meanwhile.

    A node that keeps something back is asked for it later. Where several streams lead to it, none of them is the one
    that will still be there.

    Parameters
    ----------
    node : streamz.Stream
        Whose calls; it keeps this, and is held weakly.
    """

    def __init__(self, node: Stream) -> None:
        self._node = weakref.ref(node)

    def run(self, call: Callable[[], None]) -> None:
        """Make the call; where all that leads to the node rests, after that, and where nothing does, not at all."""
        node = self._node()
        above = [] if node is None else deliveries_above(node)
        running = [each for each in above if each.pipeline.state == "running"]
        if running or len(above) == 1:
            (running or above)[0].run(call)
        elif above:
            schedule = above[0].schedule
            schedule.call_at(schedule.now() + _LOOK, self, call)

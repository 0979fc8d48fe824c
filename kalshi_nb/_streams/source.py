"""Where one pipeline begins: the streamz node that batches enter by."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NoReturn

from streamz import Stream

from kalshi_nb._frames.reading import FrameReading
from kalshi_nb._redaction import shown
from kalshi_nb._streams.graph import LOOP_REFUSED, Downstreams, forget_loop
from kalshi_nb._threads import role
from kalshi_nb._usage import NotAwaited, not_copied, setter
from kalshi_nb.errors import NoSuchAttributeError, PipelineError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kalshi_nb._streams.user_delivery import Cover, KnownGaps, StreamDelivery

__all__ = ["Source", "delivery_above"]


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
        self.downstreams = Downstreams(delivery.admit)

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


def delivery_above(node: Stream) -> StreamDelivery | None:
    """Return what fills the source above a node, None where no feed fills it.

    Parameters
    ----------
    node : streamz.Stream
        Any node, a source too.
    """
    seen: set[int] = set()
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Source):
            return each._delivery  # noqa: SLF001  # users have sources in hand, and this is not for them
        if id(each) not in seen:
            seen.add(id(each))
            waiting.extend(each.upstreams)
    return None

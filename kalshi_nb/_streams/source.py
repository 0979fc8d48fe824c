"""Where one branch begins: the streamz node that batches enter by."""

from __future__ import annotations

import inspect
import logging
from typing import TYPE_CHECKING, Any, NoReturn

from streamz import Stream

from kalshi_nb._streams.graph import LOOP_REFUSED, Downstreams, forget_loop
from kalshi_nb._threads import role
from kalshi_nb.errors import PipelineError

if TYPE_CHECKING:
    from kalshi_nb._streams.pipeline import Pipeline

__all__ = ["BranchSource", "source_of"]


def _is_not_ours(_record: logging.LogRecord) -> bool:
    return role() not in {"pipeline", "user"}


# streamz logs what a node raises before it raises it, and without a handler that lands in whatever cell runs.
# On the feed's threads the pipeline counts it and the user is told once, so the log line goes.
logging.getLogger("streamz.core").addFilter(_is_not_ours)


class BranchSource(Stream):  # type: ignore[misc]  # streamz ships no types
    """The source of one pipeline, an ordinary ``streamz.Stream`` to build on.

    Batches come by themselves, on the feed's thread for user code. Nodes may be attached at any time and
    from any thread. Nodes with an event loop of their own are refused.

    Parameters
    ----------
    pipeline
        What the source belongs to; it lives as long as the source does.
    """

    # streamz would attach a live Output widget to the graph, which costs a message a batch.
    _ipython_display_ = None

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        super().__init__(stream_name=pipeline.name)
        # Not a method of this source: a node set that held its own source would be a cycle, and the source
        # has to go at the moment its last user does.
        self.downstreams = Downstreams(pipeline.admit)

    def push(self, element: Any) -> None:
        """Send an element down every branch of the graph, whichever of them raise.

        Raises
        ------
        BaseException
            The first of what the nodes raised, after all of them had the element.
        PipelineError
            When a sink is an ``async`` function, which nothing here would await.
        """
        self.current_value = element
        first: BaseException | None = None
        for node in self.downstreams:
            try:
                _refuse_awaitables(node.update(element, who=self, metadata=[]))
            except BaseException as error:  # noqa: BLE001  the caller decides, once every branch had its turn
                first = first or error
        if first is not None:
            raise first

    def emit(self, x: Any, asynchronous: bool = False, metadata: Any = None) -> NoReturn:  # noqa: ARG002
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

    def _inform_loop(self, loop: Any) -> None:  # noqa: ARG002  streamz's own signature
        self._refuse_loop()

    def _inform_asynchronous(self, asynchronous: bool) -> None:  # noqa: ARG002  streamz's own signature
        self._refuse_loop()

    def _refuse_loop(self) -> NoReturn:
        # The nodes between here and the refused one were told already. If they kept it, the next such node
        # would not be refused any more, but would start a thread.
        forget_loop(self)
        raise PipelineError(LOOP_REFUSED)

    def __repr__(self) -> str:
        return f"<stream {self.pipeline.described()}>"

    __str__ = __repr__


def _refuse_awaitables(result: Any) -> None:
    left = [each for each in (result if isinstance(result, list) else [result]) if inspect.isawaitable(each)]
    for each in left:
        close = getattr(each, "close", None)
        if close is not None:
            close()
    if left:
        raise PipelineError(
            "A sink is an async function, and this thread runs no event loop to await it. "
            "Use a plain function; to reach a coroutine, let it put the batch into a queue with "
            "loop.call_soon_threadsafe(queue.put_nowait, batch)."
        )


def source_of(node: Stream) -> BranchSource | None:
    """Return the source above a node, None where it is not fed by a feed."""
    seen: set[int] = set()
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, BranchSource):
            return each
        if id(each) not in seen:
            seen.add(id(each))
            waiting.extend(each.upstreams)
    return None

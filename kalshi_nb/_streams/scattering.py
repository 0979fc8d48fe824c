"""``scatter()``: what passes through a feed's pipeline is worked on by a Dask cluster, and comes back by ``gather()``.

Between the two stand the nodes of ``streamz.dask``, as they are: they hand on promises, and wait for nothing. What
they begin and end with is the kit's own here. streamz's ``scatter`` and ``gather`` need an event loop, hold up the
thread that emits for some 10 ms an element, and end in silence when a worker dies that holds an element. Here an
element goes out as a task of its own, which the cluster does again where its worker died, and results come back, in
their order, on the feed's thread for user code, as many on their way at once as ``gather`` is told.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from distributed import Client, Future, default_client, futures_of, wait
from streamz import Stream
from streamz import dask as bridge

from kalshi_nb._streams.graph import LOOP_REFUSED, forget_loop, refuse_awaitables
from kalshi_nb._streams.source import Care, delivery_above
from kalshi_nb._threads import refuse_on
from kalshi_nb._usage import whole
from kalshi_nb.errors import PipelineError

__all__ = ["GatherNode", "ScatterNode", "scatter"]

_IN_FLIGHT: Final = 32
_LOOK: Final = 0.2
"""Seconds between two looks whether who waits for a cluster is still wanted."""

_WORKING: Final = (
    bridge.map,
    bridge.starmap,
    bridge.zip,
    bridge.union,
    bridge.combine_latest,
    bridge.partition,
    bridge.sliding_window,
)
"""Nodes that hand on promises, and need no event loop for it."""

_HOLDING: Final = (bridge.buffer, bridge.latest, bridge.delay, bridge.rate_limit, bridge.timed_window)


class ScatterNode(bridge.DaskStream):  # type: ignore[misc]  # streamz ships no types
    """``stream.scatter()``: hands each batch to the workers of a Dask client, and its promise to the nodes behind.

    ``feed.stream("trade").scatter().map(f).gather().sink(rows.append)`` calls ``f`` with each batch on some worker.
    Behind it ``map``, ``starmap``, ``zip``, ``union``, ``combine_latest``, ``partition`` and ``sliding_window`` work
    on promises; all else belongs behind ``gather()``.

    Parameters
    ----------
    upstream : streamz.Stream
        A node of a feed's pipeline.
    client : dask.distributed.Client, optional
        Whose workers; the process's current one where it is left out.

    Raises
    ------
    PipelineError
        When there is no client.
    """

    _ipython_display_ = None

    @staticmethod
    def _admits(node: Stream) -> None:
        _admit(node)

    def __init__(self, upstream: Stream, client: Client | None = None) -> None:
        self.client = _current() if client is None else client
        if not isinstance(self.client, Client):
            raise PipelineError(f"scatter() takes a dask.distributed.Client, not a {type(client).__name__}.")
        Stream.__init__(self, upstream)
        # The nodes behind ask for an event loop, and begin a thread where there is none; none of them uses it.
        self.loop = self.client.loop

    def update(self, x: Any, who: Any = None, metadata: Any = None) -> Any:  # noqa: ARG002  # streamz's signature
        """Hand on a batch, as a task that the cluster can do again."""
        with self.client.as_current():  # whatever client the process has made since
            return self._emit(self.client.submit(_as_is, x, pure=False), metadata=metadata)


class GatherNode(Stream):  # type: ignore[misc]  # streamz ships no types
    """``gather()`` behind a feed's ``scatter()``: passes on what promises came to, in their order.

    It does so on the feed's thread for user code, and waits there only while more are on their way than may be, which
    makes the next batch larger, as any slow node does. What a function raised on a worker, and what is lost with a
    cluster, counts as an error of the pipeline, which goes on. ``feed.flush()`` and a clock that is moved by hand do
    not wait for it; :meth:`drain` does.

    Parameters
    ----------
    upstream : streamz.Stream
        A node behind ``scatter()``.
    in_flight : int
        How many promises may be on their way at once.

    Raises
    ------
    ConfigurationError
        When `in_flight` is no positive number.
    """

    _ipython_display_ = None

    # `update` and `_take` run on the thread that delivers, which alone changes `_waiting`; `_noticed` runs on one of
    # Dask's, and only asks for a turn. `drain` reads a length, under the condition that each change is told by.

    def __init__(self, upstream: Stream, in_flight: int = _IN_FLIGHT) -> None:
        self._most = whole("in_flight", in_flight, "give how many results may be on their way at once, such as 32")
        delivery = delivery_above(upstream)
        assert delivery is not None
        self._schedule = delivery.schedule
        self._care = Care(self)
        self._client = next(each.client for each in _above(upstream) if isinstance(each, ScatterNode))
        self._waiting: deque[_Promised] = deque()
        self._changed = threading.Condition()
        Stream.__init__(self, upstream)
        self.loop = None  # what stands behind it is in this process again

    @property
    def in_flight(self) -> int:
        """How many results have not come back."""
        return len(self._waiting)

    def update(self, x: Any, who: Any = None, metadata: Any = None) -> Any:  # noqa: ARG002  # streamz's signature
        """Take a promise; wait where too many are on their way."""
        self._retain_refs(metadata)
        promised = _Promised(x, metadata)
        self._waiting.append(promised)
        if not promised.futures:
            self._noticed()
        for each in promised.futures:
            each.add_done_callback(self._noticed)
        while len(self._waiting) > self._most and not self._waiting[-self._most - 1].wait(_LOOK):
            if delivery_above(self) is None:
                break
        return []

    def drain(self, timeout: float | None = 10.0) -> bool:
        """Wait until all results are back that were on their way; return whether they are after so many seconds."""
        refuse_on("io", "pipeline", "user", doing="gather().drain()", instead="Call it in a cell")
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting, timeout)

    def destroy(self) -> None:
        """Let go of what has not come back."""
        super().destroy()
        self._forget()

    def _forget(self) -> None:
        with self._changed:
            self._waiting.clear()
            self._changed.notify_all()

    def _noticed(self, _future: Future | None = None) -> None:
        self._schedule.call_at(self._schedule.now(), self._care, self._take)

    def _take(self) -> None:
        """Pass on the first result, where it is back; one a call, so that what it raises costs no other."""
        if not self._waiting or not self._waiting[0].is_back:
            return
        first = self._waiting[0]
        try:
            self._fetch()
            refuse_awaitables(self._emit(first.result(), metadata=first.metadata))
        finally:
            self._release_refs(first.metadata)
            with self._changed:
                if self._waiting and self._waiting[0] is first:
                    self._waiting.popleft()
                self._changed.notify_all()
            if self._waiting and self._waiting[0].is_back:
                self._noticed()

    def _fetch(self) -> None:
        """Bring here, in one go, the first results that are back."""
        if self._waiting[0].is_fetched:
            return
        back = []
        for each in self._waiting:
            if not each.is_back:
                break
            if each.is_well:
                back.append(each)
        with contextlib.suppress(Exception):  # then each is asked by itself, and says what it is about
            for each, value in zip(back, self._client.gather([one.x for one in back]), strict=True):
                each.fetched(value)

    def _inform_loop(self, loop: Any) -> None:  # noqa: ARG002  # streamz's own signature
        self._refuse_loop()

    def _inform_asynchronous(self, asynchronous: bool) -> None:  # noqa: ARG002  # streamz's own signature
        self._refuse_loop()

    def _refuse_loop(self) -> NoReturn:
        forget_loop(self)
        raise PipelineError(LOOP_REFUSED)

    def __repr__(self) -> str:
        return f"<gather: {self.in_flight} in flight>"

    __str__ = __repr__


class _Promised:
    """An element that is on its way: a promise, or several in a tuple."""

    def __init__(self, x: Any, metadata: Any) -> None:
        self.x, self.metadata = x, metadata
        self.futures: list[Future] = futures_of(x)
        self.is_fetched = False
        self._value: Any = None

    @property
    def is_back(self) -> bool:
        return all(each.done() for each in self.futures)

    @property
    def is_well(self) -> bool:
        return all(each.status == "finished" for each in self.futures)

    def wait(self, seconds: float) -> bool:
        """Wait for a while; return whether it is back."""
        with contextlib.suppress(TimeoutError, Exception):  # what failed is back, too
            wait(self.futures, timeout=seconds)
        return self.is_back

    def fetched(self, value: Any) -> None:
        self._value, self.is_fetched = value, True

    def result(self) -> Any:
        """Return what it came to, or raise what was raised."""
        if self.is_fetched:
            return self._value
        lost = next((each for each in self.futures if each.status in ("cancelled", "lost")), None)
        if lost is not None:
            raise PipelineError(
                "A batch was lost with the cluster that worked on it: its scheduler is gone, its client closed, or it "
                "ended one worker after the other."
            )
        return self.futures[0].client.gather(self.x)


def scatter(upstream: Stream, *arguments: Any, **options: Any) -> Stream:
    """Return a node that hands on to workers: the kit's own on a feed's pipeline, streamz's elsewhere."""
    if delivery_above(upstream) is None:
        return bridge.scatter(upstream, *arguments, **options)
    return ScatterNode(upstream, *arguments, **options)


def _gather(upstream: Stream, *arguments: Any, **options: Any) -> Stream:
    if delivery_above(upstream) is None:
        return bridge.gather(upstream, *arguments, **options)
    return GatherNode(upstream, *arguments, **options)


bridge.DaskStream.register_api(attribute_name="gather")(_gather)
Stream.register_api(attribute_name="scatter")(scatter)  # the bridge has just put its own there


def _admit(node: Stream) -> None:
    """Refuse a node that could not work on promises, behind a feed's ``scatter()``; mark one that can.

    Raises
    ------
    PipelineError
        It names what to use instead.
    """
    if isinstance(node, GatherNode):
        return
    name = type(node).__name__
    if type(node) not in _WORKING:
        raise PipelineError(_instead_of(node, name))
    if not all(getattr(each, "_admits", None) for each in node.upstreams):
        raise PipelineError(
            f"{name}() would put together what is on workers and what is here: scatter() the other stream as well, or "
            "gather() this one first."
        )
    if getattr(node, "_timeout", None) is not None:
        raise PipelineError("partition(timeout=…) waits on an event loop; leave the time-out away, or gather() first.")
    node._admits = _admit  # noqa: SLF001  # so that it goes on behind it


def _instead_of(node: Stream, name: str) -> str:
    if isinstance(node, _HOLDING):
        return (
            f"{name}() is not needed between scatter() and gather(): gather(in_flight=8) has so many batches on their "
            "way at once, in their order. What goes by time belongs behind gather(), such as .gather().throttle(1)."
        )
    if isinstance(node, bridge.accumulate):
        return (
            "accumulate() on workers makes each result hang on all before it, and the cluster has to remember the "
            "batches of all of them. Gather first: .scatter().map(f).gather().accumulate(g, start=…)."
        )
    return (
        f"{name}() would get promises here, not batches: behind scatter() stand map() and what puts streams together. "
        f"Put it behind gather(), as .scatter().map(f).gather().{name}(…), or into the function of a map()."
    )


def _current() -> Client:
    try:
        return default_client()
    except ValueError as nobody:
        raise PipelineError(
            "scatter() needs a Dask client, and this process has none: from dask.distributed import Client; "
            "client = Client(), and then attach this again."
        ) from nobody


def _above(node: Stream) -> Iterator[Stream]:
    """Return a node and those above it."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        yield each
        waiting.extend(each.upstreams)


def _as_is(x: Any) -> Any:
    """Return what it is called with; on a worker that makes a batch of what was sent."""
    return x

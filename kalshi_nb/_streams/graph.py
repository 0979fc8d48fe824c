"""A streamz graph that cells may add to while batches flow through it."""

from __future__ import annotations

import inspect
import threading
import weakref
from collections.abc import Iterable, Iterator, MutableSet
from typing import TYPE_CHECKING, Any

from streamz import Stream
from streamz.sinks import _global_sinks

from kalshi_nb._usage import NotAwaited
from kalshi_nb.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "LOOP_REFUSED",
    "Downstreams",
    "destroy_below",
    "forget_loop",
    "reachable",
    "refuse_awaitables",
    "refuse_loop",
    "send",
]

LOOP_REFUSED = (
    "This node needs an event loop of its own, and on a feed it would die silently at the first exception or "
    "lose the last value. Instead of latest() or rate_limit(), use throttle(seconds), which always delivers "
    "the last value. Instead of timed_window() or timed_window_unique(), use rolling_frame(seconds=...): "
    "elements are already whole batches. buffer() is not needed, since a slow node makes its own next batch "
    "larger and delays nobody else; nor is partition(), for which accumulate() or sliding_window() do. "
    "delay(), map_async() and sinks that go to a network belong behind a queue of your own, "
    "filled by .sink(queue.put)."
)


class Downstreams(MutableSet[Stream]):
    """The nodes below a node, held weakly as streamz holds them, safe to add to while they are read.

    A node that is added gets such a set in place of its own, and so do the nodes below it: the whole graph
    below a source is safe, at any depth.

    Cells attach nodes while a batch flows, and nodes that nobody holds go at any moment, on whichever thread
    the collector happens to run. streamz's own set raises then, in the middle of a batch. Here whoever
    iterates takes a copy of the references under the lock, and strong references outside it: what is added
    meanwhile has the next batch, and what it got hold of stays until it is through. The lock is never held
    while a node does anything, so no order of locks can be wrong; the same thread may take it twice.

    Parameters
    ----------
    admit : callable
        Called with each node before it is added; refuses by raising.
    nodes : iterable of streamz.Stream
        The first nodes.
    """

    def __init__(self, admit: Callable[[Stream], None], nodes: Iterable[Stream] = ()) -> None:
        self._admit = admit
        # Taken again by the same thread when the collector runs a finalizer in the middle of it.
        self._lock = threading.RLock()
        self._references: dict[int, weakref.ref[Stream]] = {}
        for node in nodes:
            self.add(node)

    def __iter__(self) -> Iterator[Stream]:
        with self._lock:
            references = tuple(self._references.items())
        alive = [(key, reference, reference()) for key, reference in references]
        if any(node is None for _, _, node in alive):
            self._forget_dead()
        return iter([node for _, _, node in alive if node is not None])

    def _forget_dead(self) -> None:
        with self._lock:
            self._references = {
                key: reference for key, reference in self._references.items() if reference() is not None
            }

    def __len__(self) -> int:
        with self._lock:
            references = tuple(self._references.values())
        return sum(reference() is not None for reference in references)

    def __contains__(self, node: object) -> bool:
        with self._lock:
            reference = self._references.get(id(node))
        return reference is not None and reference() is node

    def add(self, node: Stream) -> None:
        """Add a node after the others, once, and make the graph below it safe too."""
        self._admit(node)
        if not isinstance(node.downstreams, Downstreams):
            node.downstreams = Downstreams(self._admit, node.downstreams)
        if node in self:
            return
        with self._lock:
            self._references.pop(id(node), None)
            self._references[id(node)] = weakref.ref(node)

    def discard(self, node: Stream) -> None:
        """Take a node out, if it is there."""
        with self._lock:
            reference = self._references.get(id(node))
            if reference is not None and reference() is node:
                del self._references[id(node)]

    def remove(self, node: Stream) -> None:
        """Take a node out; one that took itself out already, as ``slice`` does, is no error."""
        self.discard(node)


def send(source: Stream, element: Any) -> None:
    """Send an element down from a source to every node directly below it, whichever of them raise.

    Parameters
    ----------
    source : streamz.Stream
        The first node, which passes on only what is sent here.
    element : object
        What to send.

    Raises
    ------
    BaseException
        The first of what the nodes raised, after all of them had the element.
    PipelineError
        When a sink is an ``async`` function, which nothing here would await.
    """
    source.current_value = element
    first: BaseException | None = None
    for node in source.downstreams:
        try:
            refuse_awaitables(node.update(element, who=source, metadata=[]))
        except BaseException as error:  # noqa: BLE001  # the caller decides, once every node had its turn
            first = first or error
    if first is not None:
        raise first


def refuse_awaitables(result: Any) -> None:
    """Refuse what nodes returned, where a sink among them would have to be awaited.

    Raises
    ------
    PipelineError
        It names what to use instead.
    """
    left = [
        each
        for each in (result if isinstance(result, list) else [result])
        if inspect.isawaitable(each) and not isinstance(each, NotAwaited)  # a handle can be awaited only to be told so
    ]
    for each in left:
        close = getattr(each, "close", None)
        if close is not None:
            close()
    if left:
        raise PipelineError(
            "A sink is an async function, and this thread runs no event loop to await it. "
            "Use a plain function; in a coroutine, write: async for message in feed.listen(channel): …"
        )


def refuse_loop(node: Stream) -> None:
    """Refuse a node that has an event loop, from another graph perhaps.

    Raises
    ------
    PipelineError
        It names what to use instead.
    """
    if node.loop is not None or node.asynchronous:
        raise PipelineError(LOOP_REFUSED)


def reachable(first: Stream) -> list[Stream]:
    """Return the nodes below `first`, each before those that are below it alone."""
    found: dict[int, Stream] = {}
    waiting = list(first.downstreams)
    while waiting:
        node = waiting.pop(0)
        if id(node) not in found:
            found[id(node)] = node
            waiting.extend(node.downstreams)
    return list(found.values())


def forget_loop(first: Stream) -> None:
    """Undo what a refused node has passed to the nodes above it about its event loop."""
    for node in (first, *reachable(first)):
        node.loop = None
        node.asynchronous = None


def destroy_below(first: Stream) -> None:
    """Destroy every node that only `first` feeds, sinks included, and cut the others off from it."""
    nodes = reachable(first)
    # Below a node that took itself out, as slice does at its end, only the sinks still lead up to here.
    found = {id(node) for node in nodes}
    for sink in list(_global_sinks):
        nodes += [node for node in _between(first, sink) if id(node) not in found]
        found.update(id(node) for node in nodes)
    own = {id(first)} | {id(node) for node in nodes}
    shared: set[int] = set()
    for node in nodes:
        if any(id(above) not in own for above in node.upstreams):
            shared.add(id(node))
            shared.update(id(below) for below in reachable(node))
    lost = own - shared
    for node in reversed(nodes):
        if id(node) in shared:
            for above in [above for above in node.upstreams if id(above) in lost]:
                _cut(node, above)
        else:
            _destroy(node)
    for node in list(first.downstreams):
        first.downstreams.discard(node)


def _between(first: Stream, last: Stream) -> list[Stream]:
    """Return `last` and the nodes above it that `first` feeds, from the top; nothing where it does not."""
    return [node for node in reversed(_upwards(last)) if node is not first and first in _upwards(node)]


def _upwards(node: Stream) -> list[Stream]:
    """Return a node and all above it."""
    found = [node]
    for each in found:
        found.extend(above for above in each.upstreams if above not in found)
    return found


def _cut(node: Stream, above: Stream) -> None:
    """Cut a node off from one of those above it."""
    above.downstreams.discard(node)
    try:
        node._remove_upstream(above)  # noqa: SLF001  # what streamz itself calls, and nodes override
    except Exception:  # noqa: BLE001  # combine_latest raises once it has had a value; the others are to be cut all the same
        if above in node.upstreams:
            node.upstreams.remove(above)


def _destroy(node: Stream) -> None:
    try:
        node.destroy()
    except Exception:  # noqa: BLE001  # a node may fail to go in its own way; it and the others go all the same
        for above in list(node.upstreams):
            _cut(node, above)
    _global_sinks.discard(node)

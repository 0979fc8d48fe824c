"""Messages for code that awaits them: a bounded queue between the feed's own thread and somebody's event loop.

The thread ``kalshi-pipeline`` puts a batch in at the hand-off, so no user code is ever before it, and wakes the loop
once for as many batches as come until it has run. The coroutine takes all that is there. Both hold one lock for an
append or a swap, never across a call of anybody's. A put that finds nothing taken in asks for a wake-up and notes that
it did; the wake-up, on the loop, takes that note back before it sets the event, and the coroutine clears the event
only between two looks at the queue without an ``await``, so a batch that comes after the look sets it again.

The loop may be closed at any moment without a word: then a put finds nobody, and that is the end of the pipeline, as
if it had been closed. Whoever breaks out of the ``async for`` drops the listener, and its finalizer closes the
pipeline; it may run on any thread and amid anything, hence the lock that may be taken again.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any, Self

from kalshi_nb.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from kalshi_nb._streams.pipeline import Pipeline

__all__ = ["Inbox", "Listener"]


class Inbox:
    """What has come for one listener and has not been taken.

    Parameters
    ----------
    most : int
        How many messages may wait; the newest batch waits whatever its size.
    dropped : callable
        Called with how many messages went because others waited too long; returns what to tell in their place.
    """

    def __init__(self, most: int, dropped: Callable[[int], Sequence[Any]]) -> None:
        self._most = most
        self._dropped = dropped
        self._lock = threading.RLock()
        self._batches: deque[Sequence[Any]] = deque()
        self._waiting = 0
        self._ended = False
        self._is_waking = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event: asyncio.Event | None = None

    def open(self) -> None:
        """Wake the running loop from now on."""
        self._loop, self._event = asyncio.get_running_loop(), asyncio.Event()

    def put(self, messages: Sequence[Any]) -> bool:
        """Add a batch; return False where nobody will ever take it."""
        with self._lock:
            if self._ended:
                return False
            self._batches.append(messages)
            self._waiting += len(messages)
            self._bound()
        return self._wake()

    def _bound(self) -> None:
        gone = 0
        while self._waiting > self._most and len(self._batches) > 1:
            gone += len(oldest := self._batches.popleft())
            self._waiting -= len(oldest)
        if gone:
            told = self._dropped(gone)
            if told:
                self._batches.appendleft(told)
                self._waiting += len(told)

    def end(self) -> None:
        """Take nothing more; what is there can still be taken."""
        with self._lock:
            self._ended = True
        self._wake()

    async def take(self) -> deque[Any] | None:
        """Return all that has come, waiting until there is something; None once it has ended."""
        event = self._event
        assert event is not None
        while True:
            with self._lock:
                batches, self._batches, self._waiting = self._batches, deque(), 0
                ended = self._ended
            if batches:
                return deque([message for batch in batches for message in batch])
            if ended:
                return None
            event.clear()
            await event.wait()

    def _wake(self) -> bool:
        with self._lock:
            if self._loop is None or self._is_waking:
                return True
            self._is_waking = True
        try:
            self._loop.call_soon_threadsafe(self._awake)
        except RuntimeError:  # the loop is closed
            with self._lock:
                self._ended = True
                self._batches.clear()
            return False
        return True

    def _awake(self) -> None:
        self._is_waking = False
        if self._event is not None:
            self._event.set()


class Listener:
    """Messages of one channel as they come, for ``async for``; made by :meth:`kalshi_nb.Feed.listen`.

    It begins with the first step of the ``async for``, on whatever loop runs then, and ends when the feed is closed.
    Breaking out of the loop, cancelling the task or ``aclose()`` leaves nothing behind.

    Parameters
    ----------
    attach : callable
        Given an inbox, attaches a pipeline that fills it.
    ask : callable
        Asks the exchange for the rows of that pipeline; may wait, and is called on a thread of its own.
    inbox : Inbox
        Where messages wait.
    """

    def __init__(self, attach: Callable[[Inbox], Pipeline], ask: Callable[[Pipeline], None], inbox: Inbox) -> None:
        self._attach = attach
        self._ask = ask
        self._inbox = inbox
        self._ready: deque[Any] = deque()
        self._pipeline: Pipeline | None = None
        self._is_over = False

    @property
    def pipeline(self) -> Pipeline | None:
        """How it is doing, once it has begun."""
        return self._pipeline

    def __repr__(self) -> str:
        if self._pipeline is None:
            return "<listener, not begun: use it in `async for`>"
        return f"<listener of {self._pipeline!r}>"

    def __aiter__(self) -> Self:
        return self

    def __iter__(self) -> Any:
        raise ConfigurationError("listen() is for code that awaits: write `async for`, or use feed.on().")

    async def __anext__(self) -> Any:
        if self._is_over:
            raise StopAsyncIteration
        if self._pipeline is None:
            await self._begin()
        while not self._ready:
            taken = await self._inbox.take()
            if taken is None:
                self.close()
                raise StopAsyncIteration
            self._ready = taken
            # Where messages never end to come, the other tasks of the loop are to have their turn, too.
            await asyncio.sleep(0)
        return self._ready.popleft()

    async def _begin(self) -> None:
        self._inbox.open()
        self._pipeline = pipeline = self._attach(self._inbox)
        self._finalizer = weakref.finalize(self, pipeline.close)
        self._finalizer.atexit = False
        try:
            await _elsewhere(self._ask, pipeline)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End it; idempotent, from any thread."""
        self._is_over = True
        if self._pipeline is not None:
            self._pipeline.close()

    async def aclose(self) -> None:
        """End it, as `close` does."""
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


async def _elsewhere(ask: Callable[[Pipeline], None], pipeline: Pipeline) -> None:
    """Make a call that may wait for seconds on a thread of its own, which nobody waits for at the loop's end."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[None] = loop.create_future()

    def settle(problem: BaseException | None) -> None:
        if not answer.done():
            answer.set_result(None) if problem is None else answer.set_exception(problem)

    def run() -> None:
        problem: BaseException | None = None
        try:
            ask(pipeline)
        except BaseException as refusal:  # noqa: BLE001  # raised again where it was asked for
            problem = refusal
        try:
            loop.call_soon_threadsafe(settle, problem)
        except RuntimeError:  # the loop is closed: nobody listens any more
            pipeline.close()

    threading.Thread(target=run, name="kalshi-ask", daemon=True).start()
    await answer

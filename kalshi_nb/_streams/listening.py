"""Messages for code that awaits them: a bounded queue between the feed's own thread and somebody's event loop.

Whoever makes a turn puts a batch in at the hand-off, so no user code is ever before it, and wakes the loop
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
import time
import weakref
from collections import deque
from typing import TYPE_CHECKING, NoReturn, Self

from kalshi_nb._messages.gaps import Gap
from kalshi_nb._streams.delivery import Delivery
from kalshi_nb._streams.troubles import troubles_of_listener
from kalshi_nb._usage import setter
from kalshi_nb.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from kalshi_nb._frames.batch import Batch
    from kalshi_nb._frames.rolling import RollingFrame
    from kalshi_nb._streams.delivery import Opening
    from kalshi_nb._streams.pipeline import Pipeline
    from kalshi_nb.messages import Message

__all__ = ["Inbox", "ListenDelivery", "Listener"]


class Inbox:
    """What has come for one listener and has not been taken.

    Parameters
    ----------
    most : int
        How many messages may wait; the newest batch waits whatever its size.
    lost : callable
        Called with how many messages went because others waited too long, and the number of the step that is told.
    told : callable
        Called with the number of a step; returns what to tell in the place of what went before it.
    """

    def __init__(
        self, most: int, lost: Callable[[int, int], None], told: Callable[[int], list[Message | Gap]]
    ) -> None:
        self._most = most
        self._lost = lost
        self._told = told
        self._lock = threading.RLock()
        self._batches: deque[list[Message | Gap]] = deque()
        self._waiting = 0
        self._steps = 0
        self._since: float | None = None
        self._ended = False
        self._is_waking = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event: asyncio.Event | None = None

    @property
    def waiting(self) -> int:
        """How many messages wait."""
        return self._waiting

    @property
    def untouched(self) -> float:
        """For how many seconds the oldest of what waits has waited; 0 where nothing does."""
        since = self._since  # read once: whoever takes sets it to None
        return 0.0 if since is None else time.monotonic() - since

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop that is woken."""
        return self._loop

    def open(self) -> None:
        """Wake the running loop from now on."""
        self._loop, self._event = asyncio.get_running_loop(), asyncio.Event()

    def put(self, messages: list[Message | Gap]) -> bool:
        """Add a batch; return False where nobody will ever take it."""
        with self._lock:
            if self._ended:
                return False
            self._batches.append(messages)
            self._waiting += len(messages)
            if self._since is None:
                self._since = time.monotonic()
            while self._waiting > self._most and len(self._batches) > 1:
                oldest = self._batches.popleft()
                self._waiting -= len(oldest)
                # Counted here, since whoever takes may be busy for hours, or gone.
                self._lost(sum(not isinstance(each, Gap) for each in oldest), self._steps)
        return self._wake()

    def end(self) -> None:
        """Take nothing more; what is there can still be taken."""
        with self._lock:
            self._ended = True
        self._wake()

    async def take(self) -> deque[Message | Gap] | None:
        """Return all that has come, waiting until there is something; None once it has ended."""
        event = self._event
        assert event is not None
        while True:
            with self._lock:
                batches, self._batches, self._waiting, self._since = self._batches, deque(), 0, None
                step, self._steps = self._steps, self._steps + 1
                ended = self._ended
            if batches:
                # What went is older than all that is there.
                return deque([*self._told(step), *(message for batch in batches for message in batch)])
            if ended:
                return None
            event.clear()
            await event.wait()

    def _wake(self) -> bool:
        with self._lock:
            loop = self._loop
            if loop is None or self._is_waking:
                return True
            self._is_waking = True
        try:
            loop.call_soon_threadsafe(self._awake)
        except RuntimeError:  # the loop is closed
            with self._lock:
                self._ended = True
                self._batches.clear()
                self._waiting, self._since = 0, None
            return False
        return True

    def _awake(self) -> None:
        self._is_waking = False
        if self._event is not None:
            self._event.set()


class ListenDelivery(Delivery):
    """Puts messages into an inbox, on the feed's own thread.

    Parameters
    ----------
    opening : Opening
        What the pipeline is opened with.
    most : int
        How many messages may wait.
    count : callable
        Called with how many went because others waited too long.

    Attributes
    ----------
    inbox : Inbox
        Where they wait.
    """

    kind = "listen"

    def __init__(self, opening: Opening, most: int, count: Callable[[int], None] = lambda _: None) -> None:
        super().__init__(opening)
        self._count_all = count
        self.inbox = Inbox(most, self._gone, self._told)

    def end(self) -> None:
        """Take nothing more."""
        self.inbox.end()
        self.losses.end()

    def _wanted(self, batch: Batch) -> list[Message | Gap]:
        return self._messages_of(batch, gaps=self._gaps)

    def _hand_over(self, element: list[Message | Gap]) -> None:
        self._progress.rows += sum(not isinstance(each, Gap) for each in element) if self._gaps else len(element)
        if not self.inbox.put(element):
            self.pipeline.close()

    def _gone(self, rows: int, step: int) -> None:
        if rows:
            self.losses.drop(rows, step)
            self._count_all(rows)

    def _told(self, step: int) -> list[Message | Gap]:
        gap = self.losses.told(step)
        return [gap] if gap is not None and self._gaps else []

    def troubles(self, pending_rows: int) -> Iterator[str]:
        """Say what somebody should look at; see `troubles_of_listener`."""
        yield from super().troubles(pending_rows)
        label, inbox = self.label, self.inbox
        yield from troubles_of_listener(label.name, label.channel, self.losses.rows, inbox.waiting, inbox.untouched)

    def frames(self) -> list[RollingFrame]:
        """Return none."""
        return []

    def _failed(self, error: BaseException, element: object) -> None:  # noqa: ARG002  # no code of the user's runs
        self._notices.kit_failed(error)


class Listener:
    """Messages of one channel as they come, for ``async for``; made by :meth:`kalshi_nb.Feed.listen`.

    It begins with the first step of the ``async for``, on whatever loop runs then, and ends when the feed is closed.
    Cancelling a step or ``aclose()`` ends it at once; breaking out of the loop does when nobody holds it any more.

    Parameters
    ----------
    attach : callable
        Attaches a pipeline, and returns it, its inbox, and what asks the exchange for its rows. That may wait, and is
        called on a thread of its own.
    """

    __setattr__ = setter(instead="ask for another, with other arguments, such as feed.listen('trade', gaps=True)")

    def __init__(self, attach: Callable[[], tuple[Pipeline, Inbox, Callable[[], None]]]) -> None:
        self._attach = attach
        self._ready: deque[Message | Gap] = deque()
        self._pipeline: Pipeline | None = None
        self._inbox: Inbox | None = None
        self._opening: Inbox | None = None
        self._beginning: asyncio.Future[None] | None = None
        self._is_over = self._is_cancelled = False

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

    def __iter__(self) -> NoReturn:
        raise PipelineError("listen() is for code that awaits: write `async for`, or use feed.on() with a function.")

    async def __anext__(self) -> Message | Gap:
        if self._is_over:
            raise self._end()
        try:
            return await self._next()
        except asyncio.CancelledError:
            # What was cancelled may be kept, with its traceback and this in it, for as long as somebody likes.
            self._is_cancelled = True
            self.close()
            raise

    def _end(self) -> Exception:
        if not self._is_cancelled:
            return StopAsyncIteration()
        return PipelineError(
            "This listener ended when a step of it was cancelled, by a time-out perhaps. Ask for a new one; to look "
            "now and then, keep one step as a task, and asyncio.wait({task}, timeout=…) for it."
        )

    async def _next(self) -> Message | Gap:
        inbox = self._inbox or await self._begin()
        if inbox.loop is not asyncio.get_running_loop():
            raise PipelineError(
                "A listener belongs to the event loop that its first step ran on; ask for a new one here."
            )
        while not self._ready:
            taken = await inbox.take()
            if taken is None:
                if not self._ready:
                    self.close()
                    raise self._end()
                break
            # Another task of the loop may have found some in the meantime: they are older.
            self._ready.extend(taken)
            # Where messages never end to come, the other tasks of the loop are to have their turn, too.
            await asyncio.sleep(0)
        return self._ready.popleft()

    async def _begin(self) -> Inbox:
        if self._beginning is None:
            pipeline, inbox, ask = self._attach()
            self._pipeline = pipeline
            weakref.finalize(self, pipeline.close).atexit = False
            inbox.open()
            self._beginning = asyncio.ensure_future(_elsewhere(ask, pipeline.close))
            self._opening = inbox
        try:
            await asyncio.shield(self._beginning)  # others of this loop may wait for it, too
        except BaseException:
            self.close()
            raise
        self._inbox = self._opening
        assert self._inbox is not None
        return self._inbox

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

    def __await__(self) -> NoReturn:
        raise PipelineError(
            "A Listener is not awaited. Write async for message in feed.listen(…), or await anext(listener)."
        )

    def __enter__(self) -> NoReturn:
        raise PipelineError("listen() is for code that awaits: write async with feed.listen(…) as listener.")

    def __exit__(self, *_raised: object) -> None:
        """Never get here: `__enter__` raises."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


async def _elsewhere(ask: Callable[[], None], give_up: Callable[[], None]) -> None:
    """Make a call that may wait for seconds on a thread of its own, which nobody waits for at the loop's end."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[None] = loop.create_future()

    def settle(problem: BaseException | None) -> None:
        if answer.done():
            return
        if problem is None:
            answer.set_result(None)
        else:
            answer.set_exception(problem)

    def run() -> None:
        problem: BaseException | None = None
        try:
            ask()
        except BaseException as refusal:  # noqa: BLE001  # raised again where it was asked for
            problem = refusal
        try:
            loop.call_soon_threadsafe(settle, problem)
        except RuntimeError:  # the loop is closed: nobody listens any more
            give_up()

    threading.Thread(target=run, name="kalshi-ask", daemon=True).start()
    await answer

"""The two threads that bring rows to frames and to what users build, and all branches of one feed."""

from __future__ import annotations

import itertools
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

from kalshi_nb._frames.batch import Batch
from kalshi_nb._frames.marks import GapMarks
from kalshi_nb._streams.nodes import FeedFrameNode
from kalshi_nb._streams.notices import Notices
from kalshi_nb._streams.pipeline import Failure, Kind, Pipeline
from kalshi_nb._streams.registry import Registry
from kalshi_nb._streams.schedule import Schedule
from kalshi_nb._streams.source import BranchSource
from kalshi_nb._streams.user_thread import UserThread
from kalshi_nb._threads import FEED_ROLES, refuse_on, set_role
from kalshi_nb.errors import FeedClosedError, WaitTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kalshi_nb._clock import Clock
    from kalshi_nb._rows.rows import Row
    from kalshi_nb.messages import Message

__all__ = ["Pipelines"]


class Pipelines:
    """All branches of one feed.

    Every `flush_interval` the pipeline thread takes all rows that are pending, makes one batch a channel,
    brings it to the feed's own frames, and passes the same batch on to the thread of the users' branches.
    Both threads start when they are first needed.

    Parameters
    ----------
    take
        Hands over all pending rows of a channel and keeps none of them; called on the pipeline thread
        only, every `flush_interval` for every channel.
    channels
        Which channels there are.
    clock
        The time of the market, for windows in seconds and the times of errors.
    flush_interval
        Seconds between two turns.
    max_pending_rows
        How many rows may wait for the users' thread before the oldest batches go.
    """

    def __init__(
        self,
        take: Callable[[str], Sequence[Row]],
        channels: Sequence[str],
        clock: Clock,
        *,
        flush_interval: float = 0.05,
        max_pending_rows: int = 1_000_000,
    ) -> None:
        self._take = take
        self._channels = tuple(channels)
        self._clock = clock
        self._flush_interval = flush_interval
        self._marks: dict[str, GapMarks] = {}
        self._notices = Notices()
        self._kit = Registry()
        self._user = Registry()
        self._numbers = itertools.count(1)
        self._schedule = Schedule()
        self._user_thread = UserThread(self._deliver_to_users, self._kit_failed, max_pending_rows=max_pending_rows)
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._ended = False
        self._changed = threading.Condition(threading.RLock())
        self._asked_turn = 0
        self._done_turn = 0

    # ---- branches

    def stream(
        self,
        channel: str,
        market_tickers: frozenset[str] | None = None,
        *,
        exact: bool = False,
        name: str | None = None,
        on_close: Callable[[], Any] | None = None,
    ) -> BranchSource:
        """Return a source that emits one polars DataFrame a turn with rows of `channel`.

        It lives as long as somebody holds it or a node below it; `on_close` is called when it is closed, and
        again when it goes.
        """
        return self._begin(channel, market_tickers, "frames", name, exact=exact, on_close=on_close)

    def messages(
        self,
        channel: str,
        market_tickers: frozenset[str] | None = None,
        *,
        name: str | None = None,
        on_close: Callable[[], Any] | None = None,
    ) -> BranchSource:
        """Return a source that emits one list of typed messages a turn; it lives as `stream`'s does."""
        return self._begin(channel, market_tickers, "messages", name, on_close=on_close)

    def on(
        self,
        channel: str,
        function: Callable[[Message], Any],
        market_tickers: frozenset[str] | None = None,
        *,
        name: str | None = None,
        on_close: Callable[[], Any] | None = None,
    ) -> Pipeline:
        """Have `function` called with each message of `channel`, until the pipeline is closed."""
        name = name or getattr(function, "__name__", None)
        pipeline = self._pipeline(channel, market_tickers, "callback", name, function=function, on_close=on_close)
        self._user.add(pipeline, strongly=True)
        self._start_for_users()
        return pipeline

    def frame(
        self,
        channel: str,
        market_tickers: frozenset[str] | None = None,
        *,
        rows: int | None = None,
        seconds: float | None = None,
        exact: bool = False,
        gaps: bool = False,
        name: str | None = None,
        on_close: Callable[[], Any] | None = None,
    ) -> FeedFrameNode:
        """Return the end of a pipeline of the feed's own, filled on the pipeline thread until it is closed.

        With `gaps` its last column says which rows come first in their market after a hole.

        Raises
        ------
        ConfigurationError
            When `rows` or `seconds` is not a positive number.
        """
        pipeline = self._pipeline(
            channel, market_tickers, "frames", name, exact=exact, kit=True, gaps=gaps, on_close=on_close
        )
        source = BranchSource(pipeline)
        node = FeedFrameNode(source, rows, seconds, self._kit_failed)
        pipeline.begin_with(source, node)
        self._kit.add(pipeline, strongly=True)
        self.start()
        return node

    def _begin(
        self,
        channel: str,
        market_tickers: frozenset[str] | None,
        kind: Kind,
        name: str | None,
        *,
        exact: bool = False,
        on_close: Callable[[], Any] | None = None,
    ) -> BranchSource:
        pipeline = self._pipeline(channel, market_tickers, kind, name, exact=exact, on_close=on_close)
        source = BranchSource(pipeline)
        if on_close is not None:
            # A branch that nobody holds any more is never closed; it just goes.
            weakref.finalize(source, on_close).atexit = False
        pipeline.begin_with(source)
        self._user.add(pipeline, strongly=False)
        self._start_for_users()
        return source

    def _pipeline(
        self,
        channel: str,
        market_tickers: frozenset[str] | None,
        kind: Kind,
        name: str | None,
        *,
        exact: bool = False,
        kit: bool = False,
        gaps: bool = False,
        function: Callable[[Message], Any] | None = None,
        on_close: Callable[[], Any] | None = None,
    ) -> Pipeline:
        if self._stopping:
            raise FeedClosedError("The feed is closed: connect() again, then attach to the new one.")
        registry = self._kit if kit else self._user

        def closed(pipeline: Pipeline) -> None:
            registry.discard(pipeline)
            if on_close is not None:
                on_close()

        return Pipeline(
            channel,
            market_tickers,
            kind,
            name or f"{channel}-{next(self._numbers)}",
            clock=self._clock,
            schedule=self._schedule if kit else self._user_thread.schedule,
            report=self._notices.of_pipeline,
            kit_failed=self._kit_failed,
            on_close=closed,
            exact=exact,
            function=function,
            kit=kit,
            gaps=gaps,
        )

    @property
    def pipelines(self) -> list[Pipeline]:
        """The users' branches that are not closed, detached ones included."""
        return self._user.all()

    # ---- how it is doing

    @property
    def dropped_rows(self) -> int:
        """Rows that never reached the users' branches because those were too slow."""
        return self._user_thread.dropped_rows

    @property
    def pending_rows(self) -> int:
        """Rows that wait for the users' branches now."""
        return self._user_thread.pending_rows

    @property
    def errors(self) -> int:
        """Errors in users' branches so far."""
        return self._notices.errors

    @property
    def kit_errors(self) -> int:
        """Errors in the kit's own code on the two threads so far; anything but 0 is a bug."""
        return self._notices.kit_errors

    @property
    def last_error(self) -> Failure | None:
        """The last error on either thread."""
        return self._notices.last_error

    def take_notices(self) -> list[str]:
        """Return what the user has not been told yet, for the main thread to warn of, and forget it."""
        return self._notices.take()

    # ---- threads

    def start(self) -> None:
        """Start the pipeline thread, once; the users' thread starts with the first of their branches."""
        with self._changed:
            if self._thread is None and not self._stopping:
                self._thread = threading.Thread(target=self._run, name="kalshi-pipeline", daemon=True)
                self._thread.start()

    def _start_for_users(self) -> None:
        self.start()
        self._user_thread.start()

    def stop(self, timeout: float = 2.0) -> bool:
        """Deliver what is pending, end both threads and wait for them, except for the one it is called on.

        Returns
        -------
        bool
            False when a thread still runs after `timeout` seconds, held up by a user's node. It ends by
            itself once that returns.
        """
        until = time.monotonic() + timeout
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        thread = self._thread
        ended = True
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)
            ended = not thread.is_alive()
        self._user_thread.stop()
        return self._user_thread.join(max(0.0, until - time.monotonic())) and ended

    def flush(self, timeout: float = 10.0) -> None:
        """Return once all that is pending now has been delivered to the feed's and the users' branches.

        What a throttle holds back is not forced.

        Raises
        ------
        WaitTimeoutError
            After `timeout` seconds; it says which thread is behind.
        WrongThreadError
            On the feed's own threads.
        """
        refuse_on(*FEED_ROLES, doing="flush()", instead="It is for cells; rows come to a node or callback as they are")
        self.start()
        until = time.monotonic() + timeout
        with self._changed:
            self._asked_turn += 1
            turn = self._asked_turn
            self._changed.notify_all()
            if self._thread is not None and not self._changed.wait_for(
                lambda: self._done_turn >= turn or self._ended, timeout
            ):
                raise WaitTimeoutError(
                    f"kalshi-pipeline did not deliver within {timeout:g} s. It runs only the feed's own "
                    "frames: the computer may be overloaded, or a cell may hold the interpreter."
                )
        if not self._user_thread.wait_for(turn, max(0.0, until - time.monotonic())):
            names = ", ".join(repr(each.name) for each in self.pipelines)
            raise WaitTimeoutError(
                f"kalshi-user did not deliver within {timeout:g} s: {self.pending_rows:,} rows wait for it. "
                f"A node or callback of yours is slow, in one of {names or 'the pipelines'}."
            )

    def _run(self) -> None:
        set_role("pipeline")
        next_at = time.monotonic() + self._flush_interval
        while True:
            with self._changed:
                self._changed.wait_for(self._is_asked, max(0.0, next_at - time.monotonic()))
                next_at = time.monotonic() + self._flush_interval
                turn, ending = self._asked_turn, self._stopping
            try:
                self._turn(turn, ending=ending)
            except BaseException as error:  # noqa: BLE001  this thread outlives every mistake
                self._kit_failed(error)
            with self._changed:
                self._done_turn = turn
                self._ended = ending
                self._changed.notify_all()
                if ending:
                    return

    def _is_asked(self) -> bool:
        return self._stopping or self._asked_turn > self._done_turn

    def _turn(self, turn: int, *, ending: bool) -> None:
        for_users: list[Batch] = []
        wanted = self._user.channels()
        try:
            for channel in self._channels:
                batch = self._next_batch(channel)
                if batch is not None:
                    pipelines = self._kit.all()
                    self._mark(batch, pipelines)
                    self._deliver(batch, pipelines)
                    if channel in wanted:
                        for_users.append(batch)
        finally:
            if ending or turn > self._done_turn:
                # Whoever asked for this turn is to find all of it done, the errors counted too.
                for pipeline in self._kit.all():
                    pipeline.settle()
            if for_users or turn > self._done_turn:
                self._user_thread.put(for_users, turn)

    def _mark(self, batch: Batch, pipelines: list[Pipeline]) -> None:
        """Find the rows after holes, from the first frame of the channel on that wants to know."""
        if batch.channel in self._marks or any(each.gaps and each.channel == batch.channel for each in pipelines):
            batch.mark(self._marks.setdefault(batch.channel, GapMarks()))

    def _next_batch(self, channel: str) -> Batch | None:
        try:
            rows = self._take(channel)
        except Exception as error:  # noqa: BLE001  one channel's trouble is not the others'
            self._kit_failed(error)
            return None
        return Batch(channel, rows) if rows else None

    def _deliver_to_users(self, batch: Batch) -> None:
        self._deliver(batch, self._user.all())

    @staticmethod
    def _deliver(batch: Batch, pipelines: list[Pipeline]) -> None:
        while pipelines:
            # Taken out of the list so that a branch whose last user leaves meanwhile can go at once.
            pipeline = pipelines.pop(0)
            if pipeline.channel == batch.channel:
                pipeline.deliver(batch)

    def _kit_failed(self, error: BaseException) -> None:
        self._notices.of_kit(Failure.of(error, pipeline="kalshi_nb", channel="", now_us=self._clock.now_us()))

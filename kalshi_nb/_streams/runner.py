"""The two threads that bring rows to frames and to what users build, and all pipelines of one feed."""

from __future__ import annotations

import itertools
import time
import weakref
from typing import TYPE_CHECKING, Any, Final, TypeVar

from kalshi_nb._frames.batch import Batch
from kalshi_nb._frames.marks import GapMarks
from kalshi_nb._frames.rolling import RollingFrame, most_keys, window
from kalshi_nb._frames.schema import schema
from kalshi_nb._rows.channels import NEVER_DROPPED, traits_of
from kalshi_nb._streams import nodes  # streams have rolling_frame() and throttle() by it
from kalshi_nb._streams.alerts import Alert, AlertDelivery
from kalshi_nb._streams.delivery import Delivery, Opening
from kalshi_nb._streams.feed_frame import FeedFrameDelivery
from kalshi_nb._streams.fetched import checked_backfill
from kalshi_nb._streams.functions import refuse_arity, refuse_function
from kalshi_nb._streams.listening import ListenDelivery
from kalshi_nb._streams.notices import Notices
from kalshi_nb._streams.pipeline import Label, Pipeline
from kalshi_nb._streams.registry import Registry
from kalshi_nb._streams.source import Source
from kalshi_nb._streams.turns import Made, Turns
from kalshi_nb._streams.unheld import Unheld
from kalshi_nb._streams.user_delivery import CallbackDelivery, FrameDelivery, MessageDelivery, UserDelivery
from kalshi_nb._streams.user_thread import UserThread
from kalshi_nb._threads import FEED_ROLES, refuse_on
from kalshi_nb._usage import flag
from kalshi_nb._waiting import Deadline
from kalshi_nb.errors import FeedClosedError, WaitTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from kalshi_nb._clock import Clock
    from kalshi_nb._rows.rows import Row
    from kalshi_nb._rows.steering import DroppedRows
    from kalshi_nb._streams.failures import Failure
    from kalshi_nb._streams.user_delivery import StreamDelivery
    from kalshi_nb._waiting import Standing

__all__ = ["Pipelines"]

_D = TypeVar("_D", bound=Delivery)

_REST_OF_FRAMES: Final = 60
"""A rest after a frame for users' nodes, in the CPU time of making it: what they do with it costs that much, too."""

_FEW_ROWS: Final = 32
"""A frame of so many rows earns twice the rest: a stream that brings them together can be taken in larger ones, while
one that brings them one by one is read as they come."""


class Pipelines:
    """All pipelines of one feed.

    In each turn (see `Turns`) all rows that are pending become one batch a channel. It is brought to the feed's own
    frames and to those who listen, and passed on, as the same object, to the thread of the users' pipelines. That
    thread reports the number of the turn when it is through: one number is good for both. No lock of this class, or
    of that thread, is held while a batch is delivered to what users built.

    Parameters
    ----------
    take : callable
        Hands over all pending rows of a channel and keeps none of them; called by one thread at a time.
    pending : callable
        Returns the channels of which rows are pending.
    watch : callable
        Given channels and a function, has that called once when a row of one of them comes; returns whether some are
        pending already, and it will not be. See :meth:`kalshi_nb._engine.port.Engine.watch`.
    channels : sequence of str
        Which channels there are.
    clock : Clock
        The time of the market, for windows in seconds and the times of errors.
    steady : callable, optional
        The present on a timeline that never goes back, in microseconds, by which pipelines rest; `clock` without it.
    flush_interval : float
        Seconds that a rest between two turns lasts at most.
    max_pending_rows : int
        How many rows may wait for the users' thread before the oldest batches go.
    standing : Standing, optional
        How the feed stands, for those who wait for rows.
    readers : mapping of str to callable, optional
        By channel, what is called with its rows as soon as they were taken, before they are brought to anybody.
    left_out : callable, optional
        Given a channel, returns the markets of it whose rows are for those alone that name them.
    """

    def __init__(
        self,
        take: Callable[[str], Sequence[Row]],
        pending: Callable[[], Sequence[str]],
        watch: Callable[[Sequence[str], Callable[[], None]], bool],
        channels: Sequence[str],
        clock: Clock,
        *,
        steady: Callable[[], int] | None = None,
        flush_interval: float = 0.05,
        max_pending_rows: int = 1_000_000,
        standing: Standing | None = None,
        readers: Mapping[str, Callable[[Sequence[Row]], None]] | None = None,
        left_out: Callable[[str], frozenset[str]] = lambda _: frozenset(),
    ) -> None:
        self._left_out = left_out
        self._standing = standing
        self._readers = readers or {}
        self._take = take
        self._pending = pending
        self._max_pending_rows = max_pending_rows
        self._clock = clock
        self._steady = clock.now_us if steady is None else steady
        self._flush_interval = flush_interval
        self._marks: dict[str, GapMarks] = {}
        self._notices = Notices(clock)
        self._kit: Registry[FeedFrameDelivery] = Registry()
        self._user: Registry[UserDelivery] = Registry()
        self._listening: Registry[ListenDelivery] = Registry()
        self._listening_dropped = 0
        self._unheld = Unheld()
        self._numbers = itertools.count(1)
        failed = self._notices.kit_failed
        self._turns = Turns(self._turn, watch, channels, failed, flush_interval=flush_interval)
        self._user_thread = UserThread(
            self._turns, self._bring, failed, self._go_on, max_pending_rows=max_pending_rows, count=self._count_dropped
        )

    # Pipelines ----------------------------------------------------------------------------------------

    def stream(
        self,
        channel: str,
        market_tickers: frozenset[str] | None = None,
        *,
        exact: bool = False,
        backfill: bool = False,
        name: str | None = None,
        on_close: Callable[[], Any] | None = None,
    ) -> Source:
        """Return a source that emits one polars DataFrame a turn with rows of `channel`.

        It lives as long as somebody holds it or a node below it; `on_close` is called when it is closed, and
        again when it goes.
        """
        opening = self._opening(self._user, channel, market_tickers, name, on_close, exact=exact, backfill=backfill)
        return self._begin(FrameDelivery(opening, self._user_thread.schedule), on_close)

    def messages(
        self,
        channel: str,
        market_tickers: frozenset[str] | None = None,
        *,
        gaps: bool = False,
        backfill: bool = False,
        name: str | None = None,
        on_close: Callable[[], Any] | None = None,
    ) -> Source:
        """Return a source that emits one list of typed messages a turn; it lives as `stream`'s does.

        With `gaps` each gap stands among the messages at its place, and with `backfill` trades come, too, that a gap
        took and that were fetched.
        """
        opening = self._opening(self._user, channel, market_tickers, name, on_close, gaps=gaps, backfill=backfill)
        return self._begin(MessageDelivery(opening, self._user_thread.schedule), on_close)

    def on(
        self,
        channel: str,
        function: Callable[[Any], Any],
        market_tickers: frozenset[str] | None = None,
        *,
        gaps: bool = False,
        backfill: bool = False,
        name: str | None = None,
        on_close: Callable[[], Any] | None = None,
    ) -> Pipeline:
        """Have `function` called with each message of `channel`, and with `gaps` each gap, until it is closed.

        Raises
        ------
        PipelineError
            When a call of it would run nothing of it.
        """
        refuse_function(channel, function)
        refuse_arity(function, f"on({channel!r}) calls a function with each message")
        name = name or getattr(function, "__name__", None)
        opening = self._opening(self._user, channel, market_tickers, name, on_close, gaps=gaps, backfill=backfill)
        if isinstance(function, Alert):
            delivery: CallbackDelivery = AlertDelivery(opening, self._user_thread.schedule, function)
        else:
            delivery = CallbackDelivery(opening, self._user_thread.schedule, function)
        self._user.add(delivery, strongly=True)
        self._start_for_users()
        return delivery.pipeline

    def listen(
        self,
        channel: str,
        market_tickers: frozenset[str] | None = None,
        *,
        gaps: bool = False,
        backfill: bool = False,
        name: str | None = None,
        on_close: Callable[[], Any] | None = None,
    ) -> ListenDelivery:
        """Return what puts the messages of `channel` into an inbox, in each turn, until it is closed."""
        opening = self._opening(self._listening, channel, market_tickers, name, on_close, gaps=gaps, backfill=backfill)
        delivery = ListenDelivery(opening, self._max_pending_rows, self._count_listening)
        self._listening.add(delivery, strongly=True)
        self.start()
        return delivery

    def frame(
        self,
        channel: str,
        market_tickers: frozenset[str] | None = None,
        *,
        rows: int | None = None,
        seconds: float | None = None,
        exact: bool = False,
        gaps: bool = False,
        fetched: bool = False,
        latest_keys: int | None = None,
        name: str | None = None,
        on_close: Callable[[], Any] | None = None,
    ) -> FeedFrameDelivery:
        """Return what fills a frame of the feed's own, in each turn, until its pipeline is closed.

        With `gaps` its last column says which rows come first in their market after a gap. With `fetched`, and where
        it is about one's own account, a column before that says which rows were fetched.

        Raises
        ------
        ConfigurationError
            When `rows`, `seconds` or `latest_keys` is not a positive number.
        """
        kept, late = window(rows, seconds), fetched or traits_of(channel).account
        store = RollingFrame(
            schema(channel, exact, gaps=gaps, late=late),
            rows=kept.rows,
            seconds=kept.seconds,
            clock=self._clock,
            key=traits_of(channel).key,
            latest_keys=most_keys(latest_keys),
            ended=traits_of(channel).ended,
            on_lost=self._notices.kit_failed,
        )
        opening = self._opening(self._kit, channel, market_tickers, name, on_close, exact=exact)
        store.on_awaited = self._turns.hurry
        delivery = FeedFrameDelivery(opening, store, gaps=gaps, late=late)
        self._kit.add(delivery, strongly=True)
        self.start()
        return delivery

    def _opening(
        self,
        registry: Registry[Any],
        channel: str,
        market_tickers: frozenset[str] | None,
        name: str | None,
        on_close: Callable[[], Any] | None,
        *,
        exact: bool = False,
        gaps: bool = False,
        backfill: bool = False,
    ) -> Opening:
        if self._turns.is_stopping:
            raise FeedClosedError("The feed is closed: connect() again, then attach to the new one.")
        if registry is not self._kit and name:
            self._notices.attached(name, channel)
        exact, gaps, backfill = flag("exact", exact), flag("gaps", gaps), checked_backfill(channel, backfill)
        label = Label(name or f"{channel}-{next(self._numbers)}", channel, market_tickers, backfill)
        return Opening(
            label,
            exact,
            self._notices,
            self._clock,
            self._steady,
            registry.discard,
            on_close,
            gaps=gaps,
            standing=self._standing,
            made=self._made,
        )

    def _begin(self, delivery: StreamDelivery, on_close: Callable[[], Any] | None) -> Source:
        nodes.register()  # anew: somebody may have loaded streamz's bridge to Dask, which has a scatter() of its own
        source = Source(delivery)
        if on_close is not None:
            # A pipeline that nobody holds any more is never closed; it just goes.
            weakref.finalize(source, on_close).atexit = False
        delivery.begin_with(source)
        self._unheld.begin(delivery.pipeline, source)
        self._user.add(delivery, strongly=False)
        self._start_for_users()
        return source

    @property
    def pipelines(self) -> list[Pipeline]:
        """The users' pipelines that are not closed, those at rest included."""
        return [each.pipeline for each in (*self._user.all(), *self._listening.all())]

    def stores(self) -> list[tuple[Label, RollingFrame]]:
        """Return all rolling frames, the feed's own and those in users' pipelines, each with its pipeline's label."""
        return [(each.label, store) for each in [*self._kit.all(), *self._user.all()] for store in each.frames()]

    # How it is doing ----------------------------------------------------------------------------------

    @property
    def dropped_rows(self) -> int:
        """Rows that never reached the users' pipelines, or those who listen, because these were too slow."""
        return self._user_thread.dropped_rows + self._listening_dropped

    def _count_listening(self, rows: int) -> None:
        self._listening_dropped += rows  # by whoever makes a turn, and turns are made one at a time

    @property
    def pending_rows(self) -> int:
        """Rows that wait for the users' pipelines now."""
        return self._user_thread.pending_rows

    @property
    def errors(self) -> int:
        """Errors in users' pipelines so far."""
        return self._notices.errors

    @property
    def kit_errors(self) -> int:
        """Errors in the kit's own code on the two threads so far; anything but 0 is a bug."""
        return self._notices.kit_errors

    @property
    def last_error(self) -> Failure | None:
        """The last error on either thread."""
        return self._notices.last_error

    def troubles(self) -> Iterator[str]:
        """Say what is not as it should be with frames and pipelines, a sentence each."""
        for frame in self._kit.all():
            yield from frame.troubles(0)
        for each in self._user.all():
            yield from each.troubles(self.pending_rows)
        for listener in self._listening.all():
            yield from listener.troubles(0)
        yield from self._unheld.tell()

    def take_notices(self) -> list[str]:
        """Return what the main thread is to warn of and has not yet, and forget it."""
        return self._notices.take()

    # Threads ------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the pipeline thread, once; the users' thread starts with the first of their pipelines."""
        self._turns.start()
        self._turns.hurry()

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
        self._all_built()
        ended = self._turns.stop(timeout)
        self._user_thread.stop()
        if not self._user_thread.join(max(0.0, until - time.monotonic())):
            self._count_as_lost(self._user_thread.give_up())
            return False
        return ended

    def _count_as_lost(self, batches: Iterable[Batch]) -> None:
        """Count what will never be delivered, since a node or callback holds up the thread at the end."""
        gone: dict[str, DroppedRows] = {}
        for batch in batches:
            gone[batch.channel] = batch.dropped(gone.get(batch.channel))
        for each in self._user.all():
            went = gone.get(each.label.channel)
            rows = 0 if went is None else each.missed(went)
            if went is not None and rows:
                each.losses.add(rows, "dropped", went.opened_at)

    def flush(self, timeout: float | None = 10.0) -> None:
        """Return once all that is pending now has been delivered to the feed's and the users' pipelines.

        What a throttle holds back is not forced.

        Raises
        ------
        WaitTimeoutError
            After `timeout` seconds, None for as long as it takes; it says which thread is behind.
        WrongThreadError
            On the feed's own threads.
        """
        refuse_on(*FEED_ROLES, doing="flush()", instead="It is for cells; rows come to a node or callback as they are")
        self.start()
        self._all_built()
        deadline = Deadline(timeout)
        turn = self._turns.ask(deadline.left())
        if turn is None:
            raise WaitTimeoutError(
                f"kalshi-pipeline did not deliver within {deadline}. It runs only the feed's own "
                "frames: the computer may be overloaded, or a cell may hold the interpreter."
            )
        if not self._user_thread.wait_for(turn, deadline.left()):
            names = ", ".join(repr(each.name) for each in self.pipelines)
            raise WaitTimeoutError(
                f"kalshi-user did not deliver within {deadline}: {self.pending_rows:,} rows wait for it. "
                f"A node or callback of yours is slow, in one of {names or 'the pipelines'}."
            )

    def bring(self, timeout: float) -> bool:
        """Have all that is pending brought to the feed's own frames, and wait for that; return whether it was."""
        self.start()
        return self._turns.ask(timeout) is not None

    def wait_for_room(self, timeout: float) -> bool:
        """Wait until what was handed over is taken, and few enough rows wait for the users' pipelines.

        For an engine that replays faster than any clock: when it calls this before so many rows as half of
        `max_pending_rows` came since the last call, none of them is ever dropped.

        Parameters
        ----------
        timeout : float
            Seconds to wait at most.

        Returns
        -------
        bool
            Whether all rows handed over before the call have been taken, and less than half of
            `max_pending_rows` wait for the users' pipelines; False once the pipelines are stopped, too.

        Raises
        ------
        WrongThreadError
            On the two threads that make the room.
        """
        refuse_on("pipeline", "user", doing="wait_for_room()", instead="It is for the thread that brings the rows")
        until = time.monotonic() + timeout
        self.start()
        if self._turns.ask(timeout) is None:
            return False
        return self._user_thread.wait_for_room(max(0.0, until - time.monotonic())) and not self._turns.is_stopping

    def hold(self) -> None:
        """Leave the turns to `flush` and `wait_for_room` until `let_go`; see `Turns.hold`."""
        self._turns.hold()

    def let_go(self) -> None:
        """Make turns by itself again, however often it was held."""
        self._turns.let_go()

    def _made(self, spent: float, rows: int) -> None:
        """Take up what a frame for users took; on the users' thread."""
        rest = _REST_OF_FRAMES * spent * (1 + rows / _FEW_ROWS)
        self._user_thread.rest(min(self._flush_interval, rest))

    def _turn(self, turn: int, *, asked: bool, ending: bool) -> Made:
        for_users: list[Batch] = []
        patient = True
        awaited = False
        number = 0
        try:
            for channel in self._pending():
                batch = self._next_batch(channel)
                if batch is None:
                    continue
                number += len(batch.rows)
                frames = self._kit.of(channel)
                if frames:
                    awaited = awaited or any(each.store.is_awaited for each in frames)
                    self._mark(batch, frames)
                    self._deliver(batch, frames)
                listening = self._listening.of(channel)
                if listening:
                    awaited = True
                    self._deliver(batch, listening)
                # Asked after the rows were taken: whoever asked for them was here before they came.
                users = [each.kind for each in self._user.of(channel) if not each.is_closed]
                if users:
                    for_users.append(batch)
                    patient = patient and channel not in NEVER_DROPPED and all(kind == "frames" for kind in users)
        finally:
            if ending or asked:
                # Whoever asked for this turn is to find all of it done, the errors counted too.
                for frame in self._kit.all():
                    frame.settle()
            if for_users or asked:
                self._user_thread.put(for_users, turn, patient=patient)
        return Made(number, awaited=awaited or not patient)

    def _mark(self, batch: Batch, frames: list[FeedFrameDelivery]) -> None:
        """Find the rows after gaps, from the first frame of the channel on that wants to know."""
        if batch.channel in self._marks or any(each.gaps and each.label.channel == batch.channel for each in frames):
            batch.mark(self._marks.setdefault(batch.channel, GapMarks()))

    def _next_batch(self, channel: str) -> Batch | None:
        try:
            rows = self._take(channel)
        except Exception as error:  # noqa: BLE001  # one channel's trouble is not the others'
            self._notices.kit_failed(error)
            return None
        if rows and channel in self._readers:
            try:
                self._readers[channel](rows)
            except Exception as error:  # noqa: BLE001  # the rows themselves are to be had all the same
                self._notices.kit_failed(error)
        return Batch(channel, rows) if rows else None

    def _all_built(self) -> None:
        for each in self._user.all():
            each.built()

    def _bring(self, batch: Batch) -> None:
        """Bring a batch to what users built; for their thread."""
        self._deliver(batch, self._user.of(batch.channel))

    def _count_dropped(self, channel: str, row: DroppedRows) -> list[UserDelivery]:
        """Count rows that went for the pipelines that will miss them, and return those."""
        missing = self._user.of(channel)
        for each in missing:
            each.count(row)
        return missing

    def _go_on(self) -> None:
        """Bring what waited to those pipelines that rested, or were built, until now."""
        for each in self._user.all():
            if each.is_due:
                each.go_on()
            each.look()

    def _deliver(self, batch: Batch, deliveries: list[_D]) -> None:
        while deliveries:
            # Taken out of the list so that a pipeline whose last user leaves meanwhile can go at once.
            delivery = deliveries.pop(0)
            try:
                delivery.deliver(self._part_for(delivery, batch))
            except BaseException as error:  # noqa: BLE001  # one delivery's trouble is not the others'
                self._notices.kit_failed(error)

    def _part_for(self, delivery: Delivery, batch: Batch) -> Batch:
        """Return what of a batch is for a pipeline: one that names no market has nothing of those left out."""
        left_out = self._left_out(batch.channel) if delivery.label.market_tickers is None else None
        return batch.without(left_out) if left_out else batch

"""The thread that runs what users build, as slowly as they like."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from kalshi_nb._frames.batch import Batch
from kalshi_nb._rows.channels import NEVER_DROPPED
from kalshi_nb._streams.schedule import Schedule
from kalshi_nb._threads import set_role
from kalshi_nb._wakeup import Waiters, Wakeup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kalshi_nb._rows.gaps import GapRow
    from kalshi_nb._rows.steering import DroppedRows
    from kalshi_nb._streams.turns import Turns

__all__ = ["UserThread"]


class UserThread:
    """Takes all batches that wait, merges those of a channel, delivers them, and begins again.

    So a slow pipeline makes its own next batch larger. Past `max_pending_rows` the oldest batches go, but never
    those of one's own fills, orders and positions: they wait, and count for nothing in that bound. Of a batch
    that goes what steers frames stays: a frame that missed a reset would show two times as one. And it is counted by
    market, so that each pipeline can be told what it missed.

    Whoever makes a turn puts batches here, this thread takes all of them at once, and the lock is held for no
    longer than that: never while a node or callback runs, so the reader's side is never held up by one. What goes is
    counted for each pipeline under it, too, so that none is told of rows before they are counted. A batch
    belongs to whoever holds it and is not changed after it is put; its frames may be made by both threads at
    the same moment, which costs time and nothing else. Of the turns only the last number is kept, since all
    that was put before it is taken with it.

    While nothing waits it leads (see `Turns`): it makes the turns itself, and puts their batches here all the same, so
    the order of what waits is that of the turns.

    Parameters
    ----------
    turns : Turns
        Who takes the rows.
    deliver : callable
        Called on the thread with each merged batch.
    guard : callable
        Called with each exception that `deliver` lets through.
    go_on : callable
        Called on the thread at the end of each turn, for whoever rested until now.
    max_pending_rows : int
        How many rows may wait; the newest batch waits whatever its size.
    count : callable
        Called with the channel and the rows of each batch that goes, under the lock, to count them for the pipelines
        that miss them; returns these, which are let go of after it.
    """

    # `_hurried` and what waits are changed under the lock, and looked at without it: a look that comes too early is
    # made again after the ring that follows. `_rest` and `_rested` are the thread's own; others compare the latter.

    def __init__(
        self,
        turns: Turns,
        deliver: Callable[[Batch], None],
        guard: Callable[[BaseException], None],
        go_on: Callable[[], None],
        *,
        max_pending_rows: int,
        count: Callable[[str, DroppedRows], list[Any]],
    ) -> None:
        self._turns = turns
        self._count = count
        self._deliver = deliver
        self._guard = guard
        self._go_on = go_on
        self._max_pending_rows = max_pending_rows
        self._changed = threading.RLock()
        self._waiters = Waiters()
        self._wakeup = Wakeup()
        self._pending: deque[Batch] = deque()
        self._kept: list[Batch] = []
        self._dropped: dict[str, DroppedRows] = {}
        self._taken = 0  # how many times all that waits was taken: by it pipelines know what they are told of
        self._gaps: dict[tuple[str, str | None, str], GapRow] = {}
        self._stopping = False
        self._ended = True
        self._thread: threading.Thread | None = None
        self._droppable_rows = 0
        self._put_turn = 0
        self._done_turn = 0
        self.pending_rows = 0
        """Rows that wait."""
        self.dropped_rows = 0
        """Rows that went because others waited too long."""
        self._hurried = False
        self._rest = self._rested = 0.0
        self.schedule = Schedule(self._wakeup.ring)

    def start(self) -> None:
        """Start the thread, once."""
        with self._changed:
            if self._thread is None and not self._stopping:
                self._thread = threading.Thread(target=self._run, name="kalshi-user", daemon=True)
                self._ended = False
                self._thread.start()

    def stop(self) -> None:
        """Let the thread deliver what waits, and what throttles hold, and end; does not wait for it."""
        with self._changed:
            self._stopping = True
        self._waiters.tell()
        self._wakeup.ring()

    def join(self, timeout: float) -> bool:
        """Wait until the thread has ended, except for itself; return whether it has."""
        thread = self._thread
        if thread is None or thread is threading.current_thread():
            return True
        thread.join(timeout)
        return not thread.is_alive()

    def give_up(self) -> list[Batch]:
        """Return all batches that wait, which nobody will deliver then."""
        with self._changed:
            waiting = [*self._kept, *self._pending]
            self._kept.clear()
            self._pending.clear()
            self.dropped_rows += self.pending_rows
            self.pending_rows = self._droppable_rows = 0
        return waiting

    def put(self, batches: Iterable[Batch], turn: int, *, patient: bool = False) -> None:
        """Add batches; once they are delivered, `wait_for` of this `turn` returns.

        Those that are `patient` may wait for the end of the rest that making frames has earned.
        """
        counted = []  # let go of after the lock: with the last hold of a pipeline its finalizers run
        with self._changed:
            self._hurried = self._hurried or not patient
            for batch in batches:
                self.pending_rows += len(batch)
                if batch.channel in NEVER_DROPPED:
                    self._kept.append(batch)
                else:
                    self._pending.append(batch)
                    self._droppable_rows += len(batch)
            while self._droppable_rows > self._max_pending_rows and len(self._pending) > 1:
                oldest = self._pending.popleft()
                steering = oldest.steering
                self._kept += steering
                for gap in oldest.gaps:
                    self._gaps.setdefault((oldest.channel, gap.market_ticker, gap.reason), gap)
                went = oldest.dropped(None)._replace(number=self._taken)
                counted.append(self._count(oldest.channel, went))
                self._dropped[oldest.channel] = went.behind(self._dropped.get(oldest.channel))
                self._droppable_rows -= len(oldest)
                self.pending_rows -= len(oldest) - sum(map(len, steering))
                self.dropped_rows += len(oldest) - sum(map(len, steering))
            self._put_turn = max(self._put_turn, turn)
        del counted
        # Looked at after the batches are there: a thread that found none of them at the end of its rest did so sooner.
        if self._is_due() and threading.current_thread() is not self._thread:
            self._wakeup.ring()

    def rest(self, seconds: float) -> None:
        """Let patient batches wait for so long from the end of this turn; called on the thread only."""
        self._rest = max(self._rest, seconds)

    def wait_for(self, turn: int, timeout: float | None) -> bool:
        """Block until all that was put up to `turn` has been delivered; return whether it has."""
        return self._waiters.wait_for(lambda: self._done_turn >= turn or self._ended, timeout)

    def wait_for_room(self, timeout: float) -> bool:
        """Block until less than half of the rows that may wait do, or the thread stops; return whether they do."""
        self._waiters.wait_for(lambda: self._has_room() or self._stopping, timeout)
        return self._has_room()

    def _has_room(self) -> bool:
        return 2 * self.pending_rows < self._max_pending_rows

    def _run(self) -> None:
        set_role("user")
        while True:
            self._sleep()
            with self._changed:
                batches = self._take_all()
                turn, ending = self._put_turn, self._stopping
            self._waiters.tell()  # there is room now
            self._turns.resign()
            try:
                self._turn(batches, asked=turn > self._done_turn, ending=ending)
            except BaseException as error:  # noqa: BLE001  # this thread outlives every mistake
                self._guard(error)
            # Nothing of the last turn may stay alive only because this thread sleeps now.
            del batches
            self._rested, self._rest = time.monotonic() + self._rest, 0.0
            with self._changed:
                self._done_turn = turn
                self._ended = ending and not self._pending and not self._kept
            self._waiters.tell()
            if self._ended:
                return

    def _take_all(self) -> list[Batch]:
        """Return all that waits, and keep none of it; under the lock."""
        batches = [*self._kept, *self._pending] if self._kept else list(self._pending)
        if self._dropped:
            # What went was older than all that is still there, and each pipeline that missed it is told.
            dropped = [Batch(channel, [row]) for channel, row in self._dropped.items()]
            dropped += [Batch(channel, [gap]) for (channel, *_), gap in self._gaps.items()]
            batches = [*dropped, *batches]
            self._dropped.clear()
            self._gaps.clear()
        self._taken += 1
        self._kept.clear()
        self._pending.clear()
        self.pending_rows = self._droppable_rows = 0
        self._hurried = False
        return batches

    def _sleep(self) -> None:
        """Sleep until there is something to do that need not wait, and lead as long as nothing does."""
        # Whoever gives it work rings after that is written down, so what comes between the look and the sleep ends the
        # sleep at once.
        while not self._stopping and not self._is_asked():
            waits = self._pending or self._kept or self._dropped
            if waits and self._is_due():
                return
            left = self.schedule.seconds_left()
            if left is not None and left <= 0:
                return
            rest = self._rested - time.monotonic() if waits else 0.0
            if rest > 0:
                left = rest if left is None else min(left, rest)
            self._turns.lead(self._wakeup, left)

    def _is_due(self) -> bool:
        """Return whether batches that wait need not wait any longer."""
        return self._hurried or self._is_asked() or time.monotonic() >= self._rested

    def _is_asked(self) -> bool:
        return self._put_turn > self._done_turn

    def _turn(self, batches: list[Batch], *, asked: bool, ending: bool) -> None:
        if len(batches) == 1:
            self._deliver(batches[0])
        else:
            by_channel: dict[str, list[Batch]] = {}
            for batch in batches:
                by_channel.setdefault(batch.channel, []).append(batch)
            for of_channel in by_channel.values():
                self._deliver(Batch.merge(of_channel))
        # Who rests, or is built, is on the schedule for the end of that; and whoever asks is to find all of it done.
        if self.schedule.run_due(all_of_them=ending) or asked or ending:
            self._go_on()
            if (
                asked or ending
            ):  # what went on only now may have come to a node that holds it until the end of the turn
                self.schedule.run_due(all_of_them=ending)

"""A recording's own thread: it is handed what an engine hears, and has it on the disk within about a second."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from kalshi_nb._recording.joining import Joined, joined
from kalshi_nb._recording.kept import Kept
from kalshi_nb._recording.segment import LIMITS, LOW, Limits
from kalshi_nb._recording.unwritten import unwritten
from kalshi_nb._recording.writer import LEVEL, Writer
from kalshi_nb._rows.heard import Checkpoint, Heard, Read
from kalshi_nb._threads import forks, refuse_on, set_role

__all__ = ["Journal", "JournalStatus"]

_QUEUE: Final = 64 << 20
"""Bytes that wait for the disk at most."""

_FLUSH_EVERY: Final = 0.8
_REST: Final = 0.1
"""Seconds in which what comes is gathered, so that the processor is not woken for each message."""

_RETRY: Final = 1.0
_FORKED: Final = (
    "its thread stayed with the process that this one was forked from, and goes on there; here nothing is recorded. "
    "What is on the disk can be opened: kn.open_recording(folder)"
)
JournalState = Literal["recording", "waiting", "closed", "forked"]

_SLOW: Final = 2.0
"""Seconds after which a turn that has not ended is told of."""

_MUCH: Final = 1 << 20
"""Bytes that end a rest; and so many waiting, or so many a second, are compressed less."""

_BEHIND: Final = 4 << 20
_STEP: Final = 256 << 10
_PAUSE: Final = 2e-5
"""Bytes that wait from which on whoever hands over pauses after so many bytes for so many seconds."""

_LONGEST_PAUSE: Final = 1e-2
"""From half of what may wait on the pauses grow up to so many seconds: what is not read waits in the socket."""

_PATIENCE: Final = 0.1
"""Seconds for which whoever hands over waits for room, before anything is dropped."""

_OVER: Final = 5.0
"""Seconds over which rates are taken."""

_OVERHEAD: Final = 50
"""About how many bytes a message takes beside its own."""


@dataclass(frozen=True, slots=True)
class JournalStatus:
    """How a recording is doing.

    Attributes
    ----------
    state : str
        ``recording``; ``waiting`` while nothing can be written; ``closed``; ``forked`` in a process that was forked
        from the one that records.
    trouble : str or None
        What is wrong, and what to do about it.
    durable_until : int
        The time of the newest item that outlives a loss of power, in microseconds; 0 before the first.
    messages, messages_per_second : int, float
        Handed over in all, and over the last 5 s.
    durable_messages, dropped : int
        How many of them are on the disk to stay, and how many are lost to it.
    raw_bytes, written_bytes : int
        Lines, and what is on the disk for them.
    waiting_bytes : int
        What waits for the disk.
    level : int
        How hard it is compressed: 6, or 1 while more than 1 MiB a second comes, or waits.
    free_bytes : int
        What is free on the disk.
    """

    state: JournalState
    trouble: str | None
    durable_until: int
    messages: int
    messages_per_second: float
    durable_messages: int
    dropped: int
    raw_bytes: int
    written_bytes: int
    waiting_bytes: int
    level: int
    free_bytes: int


class Journal:
    """Keeps what it is handed.

    Parameters
    ----------
    folder : Path
        Where. Segments of earlier runs stay as they are.
    ask_checkpoint : callable
        Called on the recorder's thread when a checkpoint is needed: at the beginning of a segment, after a loss, and
        now and then. It must not wait; the checkpoint comes by :meth:`put`.
    about : mapping, optional
        Plain data for ``recording.json``; no credentials.
    kept : Kept, optional
        What each segment is to say that was asked for.
    limits : Limits, optional
        How much goes into a segment, a frame, a piece.
    queue : int, optional
        Bytes that wait at most; what comes beyond is dropped, and the recording says so.

    Raises
    ------
    RecordingInUseError
        When somebody else records into the folder.
    RecordingError
        When it cannot be written. From then on nothing of a disk's is raised; it is in :meth:`status`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        ask_checkpoint: Callable[[], None],
        about: Mapping[str, Any] | None = None,
        kept: Kept | None = None,
        limits: Limits = LIMITS,
        queue: int = _QUEUE,
    ) -> None:
        self._writer = Writer(folder, ask_checkpoint, about or {}, limits, kept)
        self._queue: deque[tuple[int, Heard | Joined]] = deque()
        self._most = queue
        # Each of these is changed by one thread alone: the first by whoever hands over, the last by the recorder's.
        self._put = self._messages = self._dropped = 0
        self._paused_at = 0  # how much had been put at the last pause
        self._taken = 0
        self._dropping: tuple[int, int] | None = None  # since when, and how many messages before that
        self._last_at = 0
        self._idle = self._resting = False
        self._flushed_at = float("-inf")
        self._ring = threading.Event()
        self._closing = self._closed = False
        self._turn_began: float | None = None
        self._rates = deque([(time.monotonic(), 0, 0)])  # when, and how many messages and bytes until then
        self._flushed = threading.Condition()
        self._flushes = self._flushes_done = 0
        self._forks = forks()
        self._thread = threading.Thread(target=self._run, name="kalshi-recorder", daemon=True)
        self._thread.start()

    def put(self, item: Heard) -> None:
        """Hand over an item; one thread at a time. Never waits for long, and raises nothing of a disk's.

        A read is taken as the lines that it will be: one piece of memory for as long as it waits, in place of
        hundreds, and what is written in one go is read in one go. While more than 4 MiB wait it makes a pause of some
        microseconds after each quarter of a MiB; once half of what may wait does, they grow, up to 10 ms, and where
        there is no room, it waits a tenth of a second for some. So a disk that goes on loses nothing, however much
        comes, and one that is stuck holds up the feed for that tenth alone.
        """
        if self._closing or self._forks != forks():
            return
        size, messages = _OVERHEAD, 0
        taken: Heard | Joined = item
        if isinstance(item, Read):
            messages = len(item.messages)
            together = joined(item)
            if together is None:
                taken = Read(item.at, item.connection, list(item.messages))
                size += sum(map(len, item.messages)) + _OVERHEAD * messages
            else:
                taken = together
                size += len(together.lines)
        elif isinstance(item, Checkpoint):
            size += sum(_OVERHEAD * (4 + len(each.yes) + len(each.no)) for each in item.books)
        self._messages += messages
        self._last_at = item.at
        waiting = self._put - self._taken
        if isinstance(item, (Read, Checkpoint)) and not self._has_room(item.at, size, waiting):
            self._dropped += messages
            return
        if self._closing:  # while room was waited for: it comes too late, as whatever is handed over from now on
            self._messages -= messages
            return
        self._append(size, taken)
        if waiting > _BEHIND and self._put - self._paused_at > _STEP:
            # Whoever hands over so much keeps the interpreter busy, and each call in which the recorder's thread gives
            # it away costs it up to 5 ms until it has it back: it fell ever further behind, and dropped. A thread that
            # sleeps, however shortly, leaves the interpreter to the one that waits for it.
            self._paused_at = self._put
            time.sleep(max(_PAUSE, _LONGEST_PAUSE * (2 * waiting / self._most - 1)))
        if self._idle or (self._resting and waiting > _MUCH):
            self._wake()

    def _wake(self) -> None:
        """End the rest of the recorder's thread."""
        self._idle = self._resting = False
        self._ring.set()

    def _has_room(self, at: int, size: int, waiting: int) -> bool:
        """Whether an item may wait; once one may not, the next ones may not before half of all is gone."""
        if self._dropping is None:
            if not waiting or waiting + size <= self._most or self._has_room_soon(size):
                return True
            self._dropping = at, self._dropped
            return False
        if waiting > self._most // 2:
            return False
        self._say_dropped(at)
        return True

    def _has_room_soon(self, size: int) -> bool:
        """Wait a moment for room; a disk that is stuck is waited for once, and not again before it has gone on."""
        ends = time.monotonic() + _PATIENCE
        self._wake()  # it may rest as long as that
        while (waiting := self._put - self._taken) and waiting + size > self._most:
            if time.monotonic() > ends:
                return False
            time.sleep(_PATIENCE / 100)
        return True

    def _say_dropped(self, at: int) -> None:
        """Have the recording say what was dropped."""
        if self._dropping is not None:
            since, before = self._dropping
            said = unwritten(at, self._dropped - before, since, "the disk did not take them in time")
            self._dropping = None
            self._append(_OVERHEAD, said)

    def _append(self, size: int, item: Heard | Joined) -> None:
        self._put += size
        self._queue.append((size, item))

    @property
    def over(self) -> int:
        """The number of the newest segment into which nothing comes any more; 0 before the first."""
        return self._writer.over

    def when_over(self, call: Callable[[], None]) -> None:
        """Have something called, on the recorder's thread, whenever one more segment is over; it must not wait."""
        before = self._writer.on_over

        def both() -> None:
            before()
            call()

        self._writer.on_over = both

    def status(self) -> JournalStatus:
        """Return how it is doing, from any thread."""
        writer, now = self._writer, time.monotonic()
        trouble, began = writer.trouble, self._turn_began
        if trouble is None and began is not None and now - began > _SLOW:
            trouble = (
                f"the disk is slow: it has been writing for {now - began:.0f} s ({writer.folder}). Record onto "
                "another; what does not fit into memory meanwhile will be missing"
            )
        state: JournalState = "recording" if writer.trouble is None else "waiting"
        if self._forks != forks():
            state, trouble = "forked", _FORKED
        return JournalStatus(
            state="closed" if self._closed else state,
            trouble=trouble,
            durable_until=writer.kept_until,
            messages=self._messages,
            messages_per_second=self._rate(now),
            durable_messages=writer.kept_messages,
            dropped=self._dropped + writer.lost,
            raw_bytes=writer.raw,
            written_bytes=writer.written,
            waiting_bytes=self._put - self._taken,
            level=writer.level,
            free_bytes=writer.free,
        )

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait until all that was handed over before is on the disk to stay; return whether it is.

        Raises
        ------
        WrongThreadError
            On the recorder's own thread.
        """
        refuse_on("recorder", "io", doing="flush()", instead="Call it on another thread")
        if self._forks != forks():
            return False
        with self._flushed:
            self._flushes += 1
            mine = self._flushes
            self._ring.set()
            return self._flushed.wait_for(lambda: self._flushes_done >= mine or self._closed, timeout) and (
                self._flushes_done >= mine
            )

    def close(self, timeout: float = 2.0) -> bool:
        """Seal the recording; return whether that was done in time, with nothing left out. Idempotent."""
        if self._forks != forks():
            return False
        self._closing = True
        self._ring.set()
        self._thread.join(timeout)
        return self._closed and self._writer.trouble is None

    def _run(self) -> None:
        set_role("recorder")
        while not self._closing:
            self._wait()
            self._ring.clear()
            self._turn()
        self._turn(last=True)
        with self._flushed:
            self._closed = True
            self._flushed.notify_all()

    def _wait(self) -> None:
        if self._writer.trouble is not None:
            self._ring.wait(_RETRY)
        elif self._queue or self._writer.unkept:
            self._resting = True
            self._ring.wait(_REST)
            self._resting = False
        else:
            self._idle = True
            if not self._queue:  # what came before that line did not ring
                self._ring.wait()
            self._idle = False

    def _turn(self, *, last: bool = False) -> None:
        """Take what has come; have it on the disk where it is time."""
        writer, began = self._writer, time.monotonic()
        with self._flushed:
            wanted = self._flushes
        self._turn_began = began
        writer.level = self._level(began)
        done = False
        try:
            if writer.trouble is None or writer.flush() or last:
                self._take()
                if last and self._dropping is not None:
                    self._say_dropped(self._last_at)
                    self._take()
            if last:
                done = writer.close()
            elif wanted > self._flushes_done or began - self._flushed_at >= _FLUSH_EVERY:
                done = writer.trouble is None and writer.flush()
                self._flushed_at = began
        except Exception as bug:  # noqa: BLE001  # a thread that ends in silence records nothing
            writer.broken(bug)
        self._turn_began = None
        ended = time.monotonic()
        self._rates.append((ended, self._messages, self._put))
        while self._rates[0][0] < ended - _OVER:
            self._rates.popleft()
        if done:
            with self._flushed:
                self._flushes_done = wanted
                self._flushed.notify_all()

    def _level(self, now: float) -> int:
        """Return how hard to compress what waits.

        Where little comes it costs next to nothing, so the files may be as small as can be. Where much comes, the
        share of a core that compressing takes is what the feed, and the user, lack; and who is behind catches up.
        """
        known = [each for each in self._rates if each[0] >= now - _OVER]
        came = self._put - known[0][2] if known else 0
        # Once it is much, it is not little before it is half of that: each change ends a frame before it is full.
        much = _MUCH if self._writer.level == LEVEL else _MUCH // 2
        is_much = self._put - self._taken > _MUCH or came > much * _OVER
        return LOW if is_much else LEVEL

    def _take(self) -> None:
        """Hand on what waits now, and no more where the disk refuses."""
        for _ in range(len(self._queue)):
            size, item = self._queue.popleft()
            self._taken += size
            self._writer.keep(item)
            if self._writer.trouble is not None and not self._closing:
                return

    def _rate(self, now: float) -> float:
        known = [each for each in list(self._rates) if each[0] >= now - _OVER]
        if not known or now - known[0][0] < 0.5:
            return 0.0
        return (self._messages - known[0][1]) / (now - known[0][0])

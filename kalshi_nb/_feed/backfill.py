"""What the socket did not bring of trades, fetched over REST: after a gap, and before a frame was asked for.

**Threads.** One thread a feed, ``kalshi-rest``, which begins when there is something to do and ends when nothing is.
Whoever takes rows from the engine sees a gap among them and rings; the thread reads the log of gaps and the newest
trades, both of which are read in place, asks, and hands what it found to the engine, which has it enter the frames by
the way that all rows go. A frame's own history is put into that frame alone, by whichever thread fetched it. No lock
is held while something is asked.

**Proof.** Those on either side of a gap, which the socket brought, are among what was fetched; see
:mod:`kalshi_nb._rest.missed_trades`. Until then the gap is not repaired, whatever was found.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from kalshi_nb._logging import log
from kalshi_nb._rest.missed_trades import MARGIN, MS, UNKNOWN, fetch
from kalshi_nb._rest.trades import TRADE_ID
from kalshi_nb.errors import KalshiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kalshi_nb._engine.port import Engine
    from kalshi_nb._markets.recent_trades import Anchor, RecentTrades
    from kalshi_nb._rest.trades import TradeHistory
    from kalshi_nb._rows.gaps import Gap

__all__ = ["TRIES", "Backfill", "Task"]

TRIES: Final = (1.0, 6.0, 21.0)
"""Seconds after which trades are looked for: the last is when all can be seen."""
_CHANNEL: Final = "trade"
_SECOND: Final = 1_000_000
_NEAR: Final = 60 * _SECOND
"""Gaps that are not farther apart are asked for together."""
_AGAIN: Final = 30.0
"""Seconds until an exchange is asked again that did not answer at any of several tries."""
_LOOK: Final = 0.25
_LINGERS: Final = 2.0


@dataclass(eq=False)
class Task:
    """Something to be looked for, at some moments; it is over when `run` says so, or after the last of them."""

    run: Callable[[bool], bool]
    """Looks; given whether this is the last time, returns whether it is over."""
    moments: tuple[float, ...]
    begun: float = field(default_factory=time.monotonic)
    done: int = 0

    @property
    def due(self) -> float:
        """When it is to be looked for next, in seconds of the computer's monotonic clock."""
        return self.begun + self.moments[self.done]

    @property
    def is_last(self) -> bool:
        """Whether it is looked for no more after the next time."""
        return self.done + 1 >= len(self.moments)


@dataclass(eq=False)
class _Hole:
    """A gap, the trades on either side of it, and how often those in it were looked for.

    `after` is None until a trade came behind it, `seen` is when it was seen to have come, and `again` when REST, which
    did not answer, is to be asked again, in seconds of the computer's monotonic clock; `since` and `until` are when
    those two trades were made, in microseconds; `known` names what the socket brought of that time: by the last look
    others may have taken its place among the newest trades.
    """

    gap: Gap
    before: Anchor | None = None
    after: Anchor | None = None
    seen: float = 0.0
    again: float = 0.0
    since: int = 0
    until: int = 0
    known: set[str] = field(default_factory=set)
    tries: int = 0


class Backfill:
    """Fetches what was missed of one feed's trades.

    Parameters
    ----------
    engine : Engine
        Has the gaps, and takes what is found.
    recent : RecentTrades
        The newest trades that came.
    history : callable
        Returns what fetches trades, None where nothing can.
    wanted : callable
        Returns the markets whose trades somebody wants, None for all.

    Attributes
    ----------
    is_on : bool
        Whether gaps are repaired.
    fetched : int
        How many trades were found that had been missed.
    last_error : str
        Why nothing could be fetched, the last time that was so; empty where it could.
    """

    def __init__(
        self,
        engine: Engine,
        recent: RecentTrades,
        history: Callable[[], TradeHistory | None],
        wanted: Callable[[], frozenset[str] | None],
    ) -> None:
        self.is_on = False
        self.fetched = 0
        self.last_error = ""
        self._engine = engine
        self._recent = recent
        self._history = history
        self._wanted = wanted
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._tasks: list[Task] = []
        self._holes: list[_Hole] = []
        self._seen: set[int] = set()
        recent.on_gap = self._ring

    @property
    def pending(self) -> int:
        """How many gaps are being repaired."""
        return len(self._holes)

    def told(self) -> tuple[str, ...]:
        """Say what somebody should look at, a sentence each."""
        return (f"Trades that were missed could not be fetched: {self.last_error}",) if self.last_error else ()

    def later(self, task: Task) -> None:
        """Have something looked for on the thread."""
        with self._lock:
            self._tasks.append(task)
        self._begin()

    def close(self) -> None:
        """End the thread; what is under way ends with its question."""
        self._stopping.set()
        with self._lock:  # one that is just being begun has begun then
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(2.0)

    def _ring(self) -> None:
        if self.is_on:
            self._begin()

    def _begin(self) -> None:
        with self._lock:
            if self._stopping.is_set() or (self._thread is not None and self._thread.is_alive()):
                return
            self._thread = threading.Thread(target=self._run, name="kalshi-rest", daemon=True)
            self._thread.start()

    # On the thread --------------------------------------------------------------------------------------

    def _run(self) -> None:
        idle_since = time.monotonic()
        while not self._stopping.wait(_LOOK):
            if self.is_on:
                self._find_holes()
                self._mend()
            for task in list(self._tasks):
                if task.due <= time.monotonic():
                    self._look(task)
            now = time.monotonic()
            if self._tasks or self._holes:
                idle_since = now
            with self._lock:
                # Under the lock: whoever rings from now on finds no thread, and begins another.
                if now - idle_since > _LINGERS and not self._tasks:
                    self._thread = None
                    return

    def _look(self, task: Task) -> None:
        is_last = task.is_last
        is_over = self._guarded(lambda: task.run(is_last))
        task.done += 1
        if is_over or is_last:
            with self._lock:
                self._tasks.remove(task)

    def _guarded(self, call: Callable[[], bool]) -> bool:
        try:
            found = call()
        except Exception as refusal:  # noqa: BLE001  # whatever it is: the thread is to go on, and somebody to know
            if not self._stopping.is_set():
                self.last_error = str(refusal) if isinstance(refusal, KalshiError) else repr(refusal)
                log(logging.WARNING, self.told()[0])
            return False
        self.last_error = ""
        return found

    def _find_holes(self) -> None:
        """Take up the gaps of trades that nobody has looked at yet."""
        there = self._engine.gaps.snapshot()
        found = [each for each in there if each.channel == _CHANNEL and id(each) not in self._seen]
        self._seen = {id(each) for each in there if each.channel == _CHANNEL}
        self._holes += [_Hole(each) for each in found if each.repaired_by is None]

    def _mend(self) -> None:
        """Look for what gaps took as soon as all of it may be found; gaps that are near in one question."""
        due = sorted((each for each in list(self._holes) if self._is_due(each)), key=lambda each: each.since)
        while due:
            near = [due.pop(0)]
            while due and due[0].since <= near[-1].until + _NEAR:
                near.append(due.pop(0))
            is_answered = self._guarded(partial(self._fetch, near))
            for hole in near:
                if not is_answered:  # that is no look at what there is: an outage of REST may last longer than these
                    hole.again = time.monotonic() + _AGAIN
                    continue
                hole.tries += 1
                if hole.gap.repaired_by or hole.tries >= len(TRIES):
                    self._holes.remove(hole)

    def _is_due(self, hole: _Hole) -> bool:
        """Tell whether the trades of a gap are to be looked for now, and write down between which they lie."""
        gap, now, is_found = hole.gap, time.monotonic(), False
        wanted = self._wanted()
        if wanted is not None and not wanted:  # whoever missed something has gone, and no trade will come
            self._holes.remove(hole)
            return False
        if hole.after is None:
            if gap.closed_at is None:
                return False
            hole.before, hole.after = self._recent.around(gap.opened_at, gap.closed_at)
            hole.seen = now
            is_found = hole.after is not None
        if hole.after is None:
            return False  # nobody can tell yet whether all of it can be seen
        hole.since = gap.opened_at - UNKNOWN if hole.before is None else hole.before.at
        hole.until = hole.after.at
        is_due = now >= max(hole.again, hole.seen + TRIES[hole.tries])
        if is_due or is_found:
            hole.known |= self._recent.ids(hole.since, hole.until + MS)
        return is_due

    def _fetch(self, near: list[_Hole]) -> bool:
        """Hand over what lies in some gaps, and take down those of which that is proven to be all."""
        history = self._history()
        if history is None:
            return False
        # By another second each time, so that no cache answers.
        since = near[0].since - (1 + max(each.tries for each in near)) * MARGIN
        until = max(each.until for each in near) + MARGIN
        found = fetch(history, self._wanted(), since, until, lambda _: not self._stopping.is_set())
        if found is None:
            return False
        known = set().union(*(each.known for each in near))
        missed = found.missed(known, [(each.since, each.until + MS) for each in near])
        if missed:
            for each in near:
                each.known.update(row[TRADE_ID] for row in missed)
            self.fetched += len(missed)
            self._engine.put(_CHANNEL, missed)
        if found.untold:
            log(logging.WARNING, f"A gap of trades stays: {found.untold}")
            return True
        for each in near:
            assert each.after is not None  # or it is not due
            if found.proves(each.before, each.after):
                each.gap.repaired_by = "rest"
                log(logging.INFO, f"Gap of trades ({each.gap.reason}) repaired over REST.")
        return True

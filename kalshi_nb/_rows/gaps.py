"""Gaps in the data, kept as data."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from operator import itemgetter
from typing import Final, Literal, NamedTuple, Protocol

__all__ = [
    "MOST_GAPS",
    "MOST_OLD",
    "Gap",
    "GapListener",
    "GapLog",
    "GapReason",
    "GapRow",
    "OldNumbers",
    "RepairedBy",
    "mark_of",
]

MOST_GAPS: Final = 10_000

MOST_OLD: Final = 100
"""Old sequence numbers in a row after which the exchange must have begun to count anew."""

GapReason = Literal[
    "sequence",
    "rejected",
    "negative_level",
    "no_book",
    "error_10",
    "error_25",
    "unsubscribed",
    "resubscribed",
    "connection_lost",
    "differs",
    "dropped",
    "torn",
    "unreadable",
    "not_recorded",
]
"""Why data is missing: numbers that never arrived, a frame that could not be read, a change that would leave less
than none, a change before its book, the exchange's errors 10 and 25, a subscription that the exchange ended, one that
the kit ended to change a filter, a connection that was lost, or a book that was another over REST. In a recording:
what came was too much for it, or there was no room; it breaks off; it cannot be read; or nobody recorded."""

RepairedBy = Literal["get_snapshot", "resubscribe", "reconnect", "rest", "checkpoint"]
"""What made the books right again, or brought back what was lost; in a recording also how books stood at a moment
after the gap."""


@dataclass(slots=True)
class OldNumbers:
    """Old sequence numbers in a row, told from an exchange that counts anew.

    Without that, one number far ahead would leave out all that comes after it.

    Attributes
    ----------
    after : int or None
        Which number they are behind.
    count : int
        How many there were.
    """

    after: int | None = None
    count: int = 0

    def another(self, after: int | None) -> bool:
        """Take note of one behind the number `after`; return whether it is the one that tells."""
        if self.after != after:
            self.after, self.count = after, 0
        self.count += 1
        return self.count == MOST_OLD


@dataclass(slots=True)
class Gap:
    """One gap in one channel.

    Two clocks stamp it. `opened_at` and `closed_at` are the market's time, for people; that clock is set now and
    then, also backwards. `opened` and `closed` are on a timeline that never goes back, for whoever has to know what
    was first; where a gap is made without them, its times of the market stand for them.

    Attributes
    ----------
    channel : str
        The channel that has it.
    market_ticker : str or None
        The market, None for all of the subscription's.
    opened_at : int
        When it was seen, in microseconds of the market's time.
    closed_at : int or None
        When it ended, likewise: for books when all of them were right again, elsewhere when data went on or was
        subscribed to again, and for both when nobody wanted the data any more. None while it is open.
    reason : str
        Why; see :data:`GapReason`.
    seq_from, seq_to : int or None
        The sequence numbers that are missing or doubtful, both included; None where none are known, or an earlier gap
        has them, as it has those of messages that come late.
    repaired_by : str or None
        What repaired it, see :data:`RepairedBy`; None while, or where, nothing did.
    connection : int
        Which of the feed's connections has it, from 1.
    opened : int
        When it was seen, in microseconds of the steady timeline.
    closed : int or None
        When it ended, likewise; None while it is open.
    """

    channel: str
    market_ticker: str | None
    opened_at: int
    closed_at: int | None
    reason: GapReason
    seq_from: int | None
    seq_to: int | None
    repaired_by: RepairedBy | None = None
    connection: int = 1
    opened: int = -1
    closed: int | None = None

    def __post_init__(self) -> None:
        if self.opened < 0:
            self.opened, self.closed = self.opened_at, self.closed_at

    def close(self, at: int, steady: int, repaired_by: RepairedBy | None) -> None:
        """Write down that it is over.

        Parameters
        ----------
        at : int
            When, in microseconds of the market's time. A frame's stamp may be older than the gap that it shows, and
            the clock may have been set back; a gap does not end before it began.
        steady : int
            When, in microseconds of the steady timeline.
        repaired_by : str or None
            What repaired it.
        """
        # Other threads read gaps in place, one field after the other. The time that says that a gap is over is written
        # last, so that whoever sees it finds the rest written as well; whoever does not sees a gap that is still open,
        # which a moment ago it was.
        self.repaired_by = repaired_by
        self.closed = steady
        self.closed_at = max(at, self.opened_at)


class GapRow(NamedTuple):
    """Stands among a channel's rows where a gap was seen.

    `market_ticker` None is a gap of every market of the channel; `opened_at` is in microseconds of the market's time,
    `steady` the same moment on the timeline that never goes back.
    """

    market_ticker: str | None
    opened_at: int
    reason: GapReason
    steady: int = 2**61

    @property
    def mark(self) -> int:
        """See :func:`mark_of`."""
        return mark_of(self.steady, self.reason)


def mark_of(steady: int, reason: GapReason | None = None) -> int:
    """Return a number that rises with the moment of a gap, by which whoever began later knows that it is not his.

    Of one moment a change of subscription comes first: it is what somebody's beginning takes.
    """
    return 2 * steady + (reason != "resubscribed")


class GapListener(Protocol):
    """Who is told of gaps as they are written down; it must neither wait nor raise."""

    def opened(self, gap: Gap) -> None:
        """Take note of a gap."""
        ...

    def closed(self, gaps: Sequence[Gap]) -> None:
        """Take note that some gaps, all for one reason, are over."""
        ...


class GapLog:
    """The newest gaps, bounded; older ones are dropped and counted.

    What is too much goes from among those of which there are most, of one channel and connection: a subscription that
    has one gap after the other pushes out its own, and nobody else's.

    Written by the thread of the connections, read by any: a deque takes an entry, or is copied, in one step.

    Parameters
    ----------
    most : int
        How many are kept.
    listener : GapListener, optional
        Told of each gap and of each end, on the thread that writes.

    Attributes
    ----------
    dropped : int
        Gaps that left the log.
    """

    def __init__(self, most: int = MOST_GAPS, listener: GapListener | None = None) -> None:
        self._listener = listener
        self._most = most
        self._numbers = count()
        # By channel and connection, each with its number in the order in which all were written down.
        self._gaps: dict[tuple[str, int], deque[tuple[int, Gap]]] = {}
        self._dropped: Counter[tuple[str, int]] = Counter()
        self._sealed = False
        self.dropped = 0

    def clear(self) -> None:
        """Forget all of them: what comes next is of another time."""
        self._gaps = {}
        self._dropped = Counter()

    def seal(self) -> None:
        """Take no more gaps: whoever closes a feed makes no gap by it."""
        self._sealed = True

    def open(self, gap: Gap) -> Gap:
        """Add `gap`, unless the log is sealed, and return it."""
        if self._sealed:
            return gap
        self._add(gap)
        if self._listener is not None:
            self._listener.opened(gap)
        return gap

    def reopen(self, gap: Gap) -> None:
        """Take up that a gap of this log which was over is not."""
        gap.closed_at = gap.closed = gap.repaired_by = None
        of_it = self._gaps.get((gap.channel, gap.connection), ())
        if not self._sealed and not any(each is gap for _, each in reversed(of_it)):  # it is one of the newest
            self._add(gap)  # it had left the log

    def _add(self, gap: Gap) -> None:
        key = gap.channel, gap.connection
        if key not in self._gaps:
            self._gaps[key] = deque()
        self._gaps[key].append((next(self._numbers), gap))
        if len(self) > self._most:
            most = max(self._gaps, key=lambda each: len(self._gaps[each]))
            self._dropped[most] += 1  # before it is gone: whoever reads in between takes what is there for less
            self.dropped += 1
            self._gaps[most].popleft()

    def close(self, gaps: Sequence[Gap], at: int, steady: int, repaired_by: RepairedBy | None) -> None:
        """Write down that gaps, which may have left the log, are over; as :meth:`Gap.close`."""
        for gap in gaps:
            gap.close(at, steady, repaired_by)
        if self._listener is not None and not self._sealed:
            self._listener.closed(gaps)

    def __len__(self) -> int:
        return sum(map(len, list(self._gaps.values())))

    def dropped_of(self, channel: str, connections: Iterable[int]) -> dict[int, int]:
        """Return how many gaps of a channel were dropped, by connection, where any were."""
        return {each: self._dropped[channel, each] for each in connections if (channel, each) in self._dropped}

    def snapshot(self) -> list[Gap]:
        """Return the gaps of this moment, oldest first; callable from any thread."""
        # Each copy is one step, as far as other threads can see.
        found = [each for some in list(self._gaps.values()) for each in list(some)]
        found.sort(key=itemgetter(0))
        return [gap for _, gap in found]

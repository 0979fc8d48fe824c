"""``recording.repair()``: trades that a recording lacks are fetched, proven to be all, and written beside it.

What is between two recorded trades is fetched from the newer to the older. Where that is long it is done piece by
piece, each a file as soon as it is proven: it has the oldest trade of the piece before it, and reaches back without
a break. So whatever ends a repair, what was proven is kept, and the next one goes on from there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kalshi_nb._clock import WallClock
from kalshi_nb._environments import SIMULATED, is_here, named, place_of, rest_of
from kalshi_nb._frames.files import reason_of
from kalshi_nb._markets.recent_trades import Anchor
from kalshi_nb._moments import datetime_of
from kalshi_nb._recording import disk
from kalshi_nb._recording.about import read_about
from kalshi_nb._recording.backfilled import Backfilled, Piece, open_here, read, write
from kalshi_nb._recording.layout import BACKFILLED
from kalshi_nb._recording.lock import FolderLock
from kalshi_nb._redaction import Secret, shown
from kalshi_nb._rest.client import RestClient
from kalshi_nb._rest.missed_trades import MARGIN, MS, Fetched, fetch
from kalshi_nb._rest.trades import TIME, TRADE_ID, TradeHistory
from kalshi_nb.errors import ConfigurationError, RecordingError, RestError, RestUnavailableError

if TYPE_CHECKING:
    from kalshi_nb._recording.missing import Missing
    from kalshi_nb._rest.discovery import Progress
    from kalshi_nb._rows.gaps import Gap
    from kalshi_nb._rows.rows import Row

__all__ = ["Asked", "RepairReport", "Where", "asked_of", "repair"]

Where = Any
"""The name of an environment, an address, a simulated exchange; None for what the recording says."""

_PIECE: Final = 1_800_000_000
"""So long a time is fetched at once, in microseconds: what comes of it is in memory, and lost with a kill."""
_NEAR: Final = 60_000_000
"""What is not farther apart is asked for together, in microseconds."""
_CACHED: Final = 16
"""Seconds after which no cache answers any more."""
_OPEN: Final = "no trade came behind it yet, so nobody can tell what is all"
_SEEN_BY: Final = 300_000_000
"""After so many microseconds every trade is seen that ever will be: twenty seconds, and clocks set differently."""
_UNSEEN: Final = "the trade behind it is not to be seen over REST yet; repair again in a while"
_NEVER: Final = (
    "the trade behind it, minutes old, is not to be seen over REST; if another exchange was recorded than was asked "
    "here, name that one"
)
_GONE: Final = (
    "Was that a simulated exchange which has ended? Its trades are gone with it, and no other one has them: the "
    "recording stays as it is."
)
_BUSY: Final = "The recording of {folder} is being repaired by {by}: wait until that is done."


@dataclass(frozen=True)
class RepairReport:
    """What a repair did, and what it left.

    Attributes
    ----------
    exchange : str
        Who was asked.
    gaps, repaired : int
        Gaps of trades in the recording, and how many of them are known to be whole by now.
    trades : int
        How many trades were fetched by this call.
    left : tuple of str
        The gaps that are not repaired, a line each, and why.
    """

    exchange: str
    gaps: int
    repaired: int
    trades: int
    left: tuple[str, ...]

    def __str__(self) -> str:
        done = f"{self.repaired:,} of {self.gaps:,} gaps of trades are repaired, {self.trades:,} trades fetched now"
        return "\n".join([f"{done}, from {self.exchange}", *self.left])


@dataclass(frozen=True)
class Asked:
    """Who is asked.

    Attributes
    ----------
    base : str
        The address of its REST interface.
    now_us : callable
        The time there.
    """

    base: str
    now_us: Callable[[], int]


def asked_of(where: Where, folder: Path) -> Asked:
    """Return whom to ask for what a recording lacks.

    Parameters
    ----------
    where : str or Exchange, optional
        What the user passed; None for the exchange that was recorded.
    folder : Path
        The recording's.

    Raises
    ------
    ConfigurationError
        When there is no such exchange, or the recording does not say which it was.
    """
    if not isinstance(where, type) and hasattr(where, "rest_url") and hasattr(where, "now_us"):
        return Asked(where.rest_url, where.now_us)
    if where is None:
        where = _recorded_from(folder)
    elif not isinstance(where, str):
        raise ConfigurationError(
            f"repair() takes 'prod', 'demo', a WebSocket address or a simulated exchange; that was {shown(where)}."
        )
    elif named(where) == SIMULATED:
        raise ConfigurationError(
            "Only the simulated exchange that was recorded knows its trades: pass it, repair(exchange), or its "
            "address; or name nothing while it is running."
        )
    return Asked(rest_of(place_of(Secret(where)).url), WallClock().now_us)


def _recorded_from(folder: Path) -> str:
    """Return the address of what was recorded."""
    source = read_about(str(folder)).source
    if not source.startswith(("ws://", "wss://")):
        raise ConfigurationError(
            f"{folder} does not say which exchange was recorded: name it, repair('prod'), repair('demo') or its "
            "address."
        )
    return source


def repair(
    folder: Path,
    missing: Sequence[Missing],
    gaps: Sequence[Gap],
    asked: Asked,
    begun: Sequence[tuple[int, str]],
    progress: Progress | None,
) -> RepairReport:
    """Fetch what is missing, as far as it can be proven; see :meth:`~kalshi_nb._recording.recording.Recording.repair`.

    Parameters
    ----------
    folder : Path
        The recording's.
    missing : sequence of Missing
        Between which trades something may be missing.
    gaps : sequence of Gap
        All gaps of trades.
    asked : Asked
        Who is asked.
    begun : sequence of (int, str)
        When each segment begins, and what it is called.
    progress : callable, optional
        Called after each page with the number of trades so far, and the time reached.
    """
    if not any(each.after for each in missing):  # so the disk is left alone
        return RepairReport(asked.base, len(gaps), 0, 0, tuple(_left(each, _OPEN) for each in missing))
    client = RestClient(asked.base)
    try:
        with _repairing(folder) as done:
            work = _Repair(folder, asked, TradeHistory(client, asked.now_us), begun, done, progress)
            try:
                left = [why for place in range(len(missing)) if (why := work.repair(missing, place))]
            except (RestError, KeyboardInterrupt) as stopped:
                if isinstance(stopped, RestUnavailableError) and not stopped.status and is_here(asked.base):
                    stopped.add_note(_GONE)
                if work.fetched:
                    stopped.add_note(
                        f"{work.fetched:,} trades had been fetched and proven, and are kept. Repair again to go on."
                    )
                raise
            repaired = [each for each in _read(folder).mark(gaps) if each.repaired_by == "rest"]
            return RepairReport(asked.base, len(gaps), len(repaired), work.fetched, tuple(left))
    finally:
        client.close()


@contextmanager
def _repairing(folder: Path) -> Iterator[Backfilled]:
    """Hold the place of what is fetched, and give what is there; nobody else repairs the recording meanwhile."""
    place = folder / BACKFILLED
    try:
        if not place.is_dir():
            place.mkdir(exist_ok=True)
            disk.sync_folder(folder)
        lock = FolderLock(place, _BUSY, of=folder)
    except RecordingError:
        raise
    except OSError as refusal:
        raise RecordingError(
            f"{place} cannot be written: {reason_of(refusal)}. A recording that cannot be written to is repaired in "
            "a copy of it."
        ) from refusal
    try:
        for each in place.glob(".*.part"):  # of somebody who was killed
            each.unlink(missing_ok=True)
        yield _read(folder)
    finally:
        lock.release()


def _read(folder: Path) -> Backfilled:
    return read(str(folder), {}, open_here)


class _Seen(NamedTuple):
    """What was asked for last, and what came of it."""

    wanted: frozenset[str] | None
    since: int
    until: int
    found: Fetched


class _Repair:
    """One call of it."""

    def __init__(
        self,
        folder: Path,
        asked: Asked,
        history: TradeHistory,
        begun: Sequence[tuple[int, str]],
        done: Backfilled,
        progress: Progress | None,
    ) -> None:
        self._folder = folder
        self._asked = asked
        self._history = history
        self._begun = begun
        self._done = done
        self._files = [*done.files]
        self._progress = progress
        self._seen: _Seen | None = None
        self._rows = 0
        self.fetched = 0

    def repair(self, every: Sequence[Missing], place: int) -> str:
        """Fetch what is between two trades; return what is left of it, and why, empty where nothing is.

        What is missing soon after that is asked for, too, so that it need not be asked for by itself.
        """
        missing = every[place]
        after, before = missing.after, missing.before
        if after is None:
            return _left(missing, _OPEN)
        newer, cut = after, missing.until
        key = None if before is None else before.trade_id, after.trade_id
        for each in self._done.between(key):
            if each.piece.whole or each.piece.older is None:
                return ""
            newer, cut = each.piece.older, each.piece.older.at
        known, length = missing.known | self._neighbours(missing, key), _PIECE
        ahead = _ahead(every, place)
        while True:
            since = max(missing.since, newer.at - length)
            found, is_last = self._fetch(missing.wanted, since, newer.at, ahead), since <= missing.since
            if not found.proves(newer):
                return _left(missing, _UNSEEN if self._asked.now_us() - newer.at < _SEEN_BY else _NEVER)
            if is_last and not found.proves(before):
                return _left(missing, "the exchange does not tell of the trade before it, so nobody knows what is all")
            older = before if is_last else _oldest(found.rows, since, newer)
            if older is None and not is_last:
                length *= 2  # nothing was traded in it
                continue
            begin = missing.since if is_last or older is None else older.at
            rows = found.missed(known, [(begin, cut)], missing.wanted)
            self._write(missing, newer, older, (begin, cut), rows, whole=is_last)
            if is_last or older is None:
                return ""
            newer, cut, length, ahead = older, begin, _PIECE, 0

    def _neighbours(self, missing: Missing, key: tuple[str | None, str]) -> set[str]:
        """Return the ids of what was fetched for other gaps of that time, if only of one millisecond of it."""
        return {
            row[TRADE_ID]
            for each in self._files
            if each.piece.key != key and each.piece.since < missing.until and each.piece.until > missing.since
            for row in each.trades()
        }

    def _fetch(self, wanted: frozenset[str] | None, since: int, until: int, ahead: int) -> Fetched:
        seen = self._seen
        if seen is not None and seen.wanted == wanted and seen.since <= since and until <= seen.until:
            return seen.found
        # By another second each time, so that no cache answers.
        margin, ahead = MARGIN * (1 + self._asked.now_us() // MARGIN % _CACHED), max(until, ahead)
        found = fetch(self._history, wanted, since - margin, ahead + MARGIN, self._told)
        assert found is not None  # nobody ends it
        self._seen = _Seen(wanted, since, ahead, found)
        return found

    def _told(self, page: list[Row]) -> bool:
        self._rows += len(page)
        if self._progress is not None and page:
            self._progress(self._rows, datetime_of(page[-1][TIME]))
        return True

    def _write(
        self,
        missing: Missing,
        newer: Anchor,
        older: Anchor | None,
        span: tuple[int, int],
        rows: Sequence[Row],
        *,
        whole: bool,
    ) -> None:
        assert missing.after is not None  # it was asked before
        first = missing.gaps[0][1] if missing.before is None else missing.before.received_at
        piece = Piece(
            gaps=missing.gaps,
            beside=missing.beside,
            before=missing.before,
            after=missing.after,
            older=older,
            newer=newer,
            since=span[0],
            until=span[1],
            whole=whole,
            segments=(self._segment(first), self._segment(missing.after.received_at)),
            rows=len(rows),
            exchange=self._asked.base,
            fetched_at=self._asked.now_us(),
        )
        self._files.append(write(self._folder, piece, rows))
        self.fetched += len(rows)

    def _segment(self, at: int) -> str:
        """Return what the segment is called in which something was received."""
        place = bisect_right([began for began, _ in self._begun], at)
        return self._begun[max(0, place - 1)][1]


def _ahead(every: Sequence[Missing], place: int) -> int:
    """Return until when may be asked together with what is missing at a place, in microseconds."""
    missing = every[place]
    until = missing.until
    for at in range(place + 1, len(every)):
        each = every[at]
        if each.wanted != missing.wanted or not until <= each.since + MS <= until + _NEAR:
            break
        if each.after is None or each.until > missing.until + _PIECE:
            break
        until = each.until
    return until


def _oldest(rows: Iterable[Row], since: int, newer: Anchor) -> Anchor | None:
    """Return the oldest of some trades from a moment on, where it is older than another; None where none is."""
    oldest = min(((row[TIME], row[TRADE_ID]) for row in rows if row[TIME] >= since), default=None)
    return None if oldest is None or oldest[0] >= newer.at else Anchor(*oldest, received_at=0)


def _left(missing: Missing, why: str) -> str:
    when = datetime_of(missing.gaps[0][1])
    reasons = ", ".join(dict.fromkeys(each[2] for each in missing.gaps))
    return f"{when:%Y-%m-%d %H:%M:%S} UTC, {reasons}: {why}"

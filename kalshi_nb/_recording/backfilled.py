"""What a recording lacked of trades and was fetched later: files of their own, beside the segments.

A segment is never written to again. Each file has the trades between two that are known, all there were: those on
either side of a gap, which the recording has, or, where that is long, the oldest of the file that was fetched before.
It is there whole or not at all, and says what it proves; what is damaged is as if it had not been fetched.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Final
from zlib import crc32

import msgspec

from kalshi_nb._frames.addresses import address_of, reach, told
from kalshi_nb._frames.files import local_path, reason_of
from kalshi_nb._markets.recent_trades import Anchor
from kalshi_nb._recording import disk
from kalshi_nb._recording.layout import BACKFILLED, name_of
from kalshi_nb._recording.zstd import CompressionParameter, ZstdError, compress, decompress
from kalshi_nb._rows.channels import LAYOUTS
from kalshi_nb._rows.gaps import Gap
from kalshi_nb._rows.rows import Row
from kalshi_nb.errors import NewerRecordingError, RecordingError

__all__ = ["Backfilled", "GapName", "Piece", "PieceFile", "name_of_gap", "open_here", "read", "write"]

FORMAT: Final = 1
_ENDING: Final = ".json.zst"
_CHANNEL: Final = "trade"
_COLUMNS: Final = tuple(each.name for each in LAYOUTS[_CHANNEL])
_UNITS: Final = "prices in 1/10000 dollar, count in 1/100 contract, times in microseconds since 1970"
_OPTIONS: Final[dict[int, int]] = {CompressionParameter.compression_level: 6, CompressionParameter.checksum_flag: 1}

GapName = tuple[str | None, int, str, int | None, int]
"""What tells one gap of trades from another: its market, when it was seen, why, its first number, its connection."""


def name_of_gap(gap: Gap) -> GapName:
    """Return what tells a gap of trades from the others of a recording."""
    return gap.market_ticker, gap.opened_at, gap.reason, gap.seq_from, gap.connection


class Piece(msgspec.Struct, frozen=True):
    """What a file says of itself, in its first line.

    Attributes
    ----------
    gaps : list of GapName
        The gaps in which its trades were made.
    before, after : Anchor or None
        The trades on either side of these, which the recording has; None where there is none before.
    older, newer : Anchor or None
        Those that the file's own lie between; the same two, unless it is a part of what is between those.
    since, until : int
        From when to when its trades were made, the end without, in microseconds.
    whole : bool
        Whether nothing is missing any more between `before` and `after`, with the files that were written earlier.
    segments : tuple of (str, str)
        The segments of `before` and `after`; in the second the rows stand.
    rows : int
        How many trades.
    beside : list of (str or None)
        The ids of the trades behind which, too, nothing may be missing any more before the gaps are repaired.
    exchange : str
        Who was asked.
    fetched_at : int
        When, in microseconds.
    columns, units :
        What the values of a row are.
    kalshi_nb : int
        The number of this format.
    """

    gaps: list[GapName]
    before: Anchor | None
    after: Anchor
    older: Anchor | None
    newer: Anchor
    since: int
    until: int
    whole: bool
    segments: tuple[str, str]
    rows: int
    beside: list[str | None] = []
    exchange: str = ""
    fetched_at: int = 0
    columns: tuple[str, ...] = _COLUMNS
    units: str = _UNITS
    kalshi_nb: int = FORMAT

    @property
    def key(self) -> tuple[str | None, str]:
        """What tells it between which recorded trades it is."""
        return None if self.before is None else self.before.trade_id, self.after.trade_id

    @property
    def file(self) -> str:
        """What it is called."""
        named = "|".join([str(self.key), self.newer.trade_id]).encode()
        stem = Path(name_of(self.newer.at, 1)).name.partition("-")[0]
        return f"{stem}-{crc32(named):08x}{_ENDING}"


@dataclass(frozen=True)
class PieceFile:
    """One of the files.

    Attributes
    ----------
    path : str
        Where it is.
    size : int
        Its bytes.
    piece : Piece
        What it says of itself.
    open_file : callable
        Opens what is at its path.
    """

    path: str
    size: int
    piece: Piece
    open_file: Callable[[str], BinaryIO]

    def trades(self) -> list[Row]:
        """Return its trades, by time and id.

        Raises
        ------
        RecordingError
            When it cannot be read any more.
        """
        found = _opened(self.path, self.open_file)
        if found is None:
            raise RecordingError(f"{self.path} could be read a moment ago, and cannot now: open the recording again.")
        return found[1]


@dataclass(frozen=True)
class Backfilled:
    """All of what was fetched for a recording.

    Attributes
    ----------
    files : sequence of PieceFile
        Those that can be read, in the order of their names.
    damaged : sequence of str
        The paths of those that cannot.
    """

    files: Sequence[PieceFile] = ()
    damaged: Sequence[str] = ()

    @property
    def rows(self) -> int:
        """How many trades."""
        return sum(each.piece.rows for each in self.files)

    @cached_property
    def _by_newer(self) -> dict[tuple[str | None, str], dict[str, PieceFile]]:
        found: defaultdict[tuple[str | None, str], dict[str, PieceFile]] = defaultdict(dict)
        for each in self.files:
            found[each.piece.key][each.piece.newer.trade_id] = each
        return dict(found)

    def between(self, key: tuple[str | None, str]) -> list[PieceFile]:
        """Return those of what is between two recorded trades, newest first: each goes on from the one before it."""
        of_key, found, name = self._by_newer.get(key, {}), list[PieceFile](), key[1]
        while name in of_key:
            found.append(of_key[name])
            older = found[-1].piece.older
            if older is None or found[-1].piece.whole:
                break
            name = older.trade_id
        return found

    def mark(self, gaps: Iterable[Gap]) -> list[Gap]:
        """Return gaps; those of trades in which nothing is missing any more say so."""
        done = [each.piece for each in self.files if each.piece.whole and self.between(each.piece.key)[-1:] == [each]]
        behind = {each.key[0] for each in done}
        whole: set[GapName] = {name for each in done if behind.issuperset(each.beside) for name in each.gaps}
        found = list(gaps)
        for gap in found:
            if gap.channel == _CHANNEL and name_of_gap(gap) in whole:
                gap.repaired_by = "rest"
        return found

    def of(self, segments: Collection[str]) -> list[PieceFile]:
        """Return those whose rows stand in some segments, by time."""
        found = [each for each in self.files if each.piece.segments[1] in segments]
        return sorted(found, key=lambda each: (each.piece.since, each.piece.until))

    def state(self, segment: str) -> str:
        """Return what another text is of once anything was fetched that concerns a segment; nothing before."""
        concerned = [
            each.size for each in self.files if min(each.piece.segments) <= segment <= max(each.piece.segments)
        ]
        return f"{len(concerned)} files, {sum(concerned)} bytes" if self.files else ""


def read(folder: str, options: Mapping[str, Any], open_file: Callable[[str], BinaryIO]) -> Backfilled:
    """Return what was fetched for the recording in a folder, or at an address.

    A file that goes on from one which is not there, or cannot be read, is left out: it is fetched anew.

    Raises
    ------
    NewerRecordingError
        When a newer version of the package fetched it.
    """
    files, damaged = [], []
    for path in _names(folder, options):
        found = _opened(path, open_file)
        if found is None:
            damaged.append(path)
        else:
            files.append(PieceFile(path, found[2], found[0], open_file))
    all_of_it = Backfilled(files, damaged)
    linked = [file for key in dict.fromkeys(each.piece.key for each in files) for file in all_of_it.between(key)]
    return Backfilled(linked, damaged)


def _names(folder: str, options: Mapping[str, Any]) -> list[str]:
    address = address_of(folder)
    if address is None:
        return sorted(map(str, (local_path(folder) / BACKFILLED).glob(f"[!.]*{_ENDING}")))
    system, path = reach(address, options, "Reading")
    try:
        found = system.find(f"{path.rstrip('/')}/{BACKFILLED}")
    except FileNotFoundError:
        return []
    except Exception as refusal:
        raise RecordingError(f"{told(address)} cannot be read: {reason_of(refusal, of_store=True)}.") from refusal
    return sorted(str(system.unstrip_protocol(each)) for each in found if str(each).endswith(_ENDING))


def _opened(path: str, open_file: Callable[[str], BinaryIO]) -> tuple[Piece, list[Row], int] | None:
    """Return what a file says of itself, its trades, and its bytes; None where it cannot be read."""
    try:
        with open_file(path) as opened:
            data = opened.read()
        lines = decompress(data).splitlines()
        _check_format(path, lines[0])
        piece = msgspec.json.decode(lines[0], type=Piece)
        rows = [tuple(msgspec.json.decode(line)) for line in lines[1:]]
    except (OSError, ZstdError, msgspec.DecodeError, IndexError) as refusal:
        if isinstance(refusal, NewerRecordingError):
            raise
        return None
    if piece.columns != _COLUMNS:  # of a version that knew fewer, or more
        at = [piece.columns.index(each) if each in piece.columns else None for each in _COLUMNS]
        rows = [tuple(None if place is None else row[place] for place in at) for row in rows]
    return (piece, rows, len(data)) if len(rows) == piece.rows else None


class _Format(msgspec.Struct):
    kalshi_nb: int = 0


def _check_format(path: str, line: bytes) -> None:
    """Refuse what a newer version wrote."""
    number = msgspec.json.decode(line, type=_Format).kalshi_nb
    if number > FORMAT:
        raise NewerRecordingError(
            f"{path} was fetched by a newer version of kalshi_nb, in format {number}; this version reads up to "
            f"{FORMAT}. Run: pip install --upgrade kalshi-nb"
        )


def write(folder: Path, piece: Piece, rows: Sequence[Row]) -> PieceFile:
    """Write a file that is there whole or not at all, and on the disk to stay; return it.

    Parameters
    ----------
    folder : Path
        The recording's, with what is :data:`BACKFILLED` in it.
    piece : Piece
        What it says of itself.
    rows : sequence of tuple
        Its trades, by time and id.

    Raises
    ------
    RecordingError
        When the disk does not take it; what was there before is unchanged.
    """
    encode = msgspec.json.encode
    text = b"".join(b"%s\n" % encode(each) for each in (piece, *rows))
    path, data = folder / BACKFILLED / piece.file, compress(text, options=_OPTIONS)
    try:
        disk.whole_file(path, data)
    except OSError as refusal:
        raise RecordingError(
            f"{folder / BACKFILLED} cannot be written: {reason_of(refusal)}. What was fetched before is kept; repair "
            "again to go on from there."
        ) from refusal
    return PieceFile(str(path), len(data), piece, open_here)


def open_here(path: str) -> BinaryIO:
    """Open a file of this computer."""
    return open(path, "rb")  # noqa: PTH123  # closed by whoever opened it

"""From a recording to typed files: one a channel, day and segment, written aside and then renamed.

A segment is the unit: it can be exported by itself, again, or by another process, and the same input gives the same
bytes. What was done stands in a list beside the files, so that an export that broke off goes on where it was.
"""

from __future__ import annotations

import ast
import datetime as dt
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

import msgspec
import polars as pl

from kalshi_nb._frames.addresses import told
from kalshi_nb._frames.schema import RECEIVED, schema
from kalshi_nb._recording.gathering import Gathered
from kalshi_nb._recording.origin import Origin
from kalshi_nb._recording.progress import SILENT, Watch
from kalshi_nb._recording.stores import Store, store_at
from kalshi_nb.errors import RecordingError

__all__ = [
    "FORMATS",
    "ExportReport",
    "Job",
    "Part",
    "Tables",
    "check_place_of",
    "export_segment",
    "run",
    "said",
]

_DAY: Final = 86_400_000_000

_EMPTY: Final = ("parquet", "arrow", "csv")
"""Formats in which a file without a row says what its columns are."""

SCHEMA: Final = 1
"""Number of the schemas of all channels; a new column makes it one more."""


def _to_parquet(rows: pl.LazyFrame, path: Path, channel: str) -> None:
    about = {"kalshi_nb.channel": channel, "kalshi_nb.schema": str(SCHEMA)}
    rows.sink_parquet(path, compression="zstd", compression_level=3, maintain_order=True, metadata=about)


def _to_arrow(rows: pl.LazyFrame, path: Path, _channel: str) -> None:
    rows.sink_ipc(path, compression="zstd", maintain_order=True, compat_level=pl.CompatLevel.oldest())


def _to_csv(rows: pl.LazyFrame, path: Path, _channel: str) -> None:
    rows.sink_csv(path, datetime_format="%Y-%m-%dT%H:%M:%S%.6fZ", maintain_order=True)


def _to_ndjson(rows: pl.LazyFrame, path: Path, _channel: str) -> None:
    rows.sink_ndjson(path, maintain_order=True)


FORMATS: Final[dict[str, tuple[str, Callable[[pl.LazyFrame, Path, str], None]]]] = {
    "parquet": ("parquet", _to_parquet),
    "arrow": ("arrow", _to_arrow),
    "csv": ("csv", _to_csv),
    "ndjson": ("ndjson", _to_ndjson),
}
"""The formats: how their files end, and who writes them."""


@dataclass(frozen=True)
class Job:
    """What is to be done with each segment.

    Attributes
    ----------
    out : str
        The folder, or the address.
    format : str
        One of :data:`FORMATS`.
    channels : tuple of str or None
        Of which channels; None for all that a segment has.
    market_tickers : tuple of str or None
        Of which markets; None for all.
    start, end : int or None
        From when to when, in microseconds.
    storage_options : mapping
        What fsspec needs to get to the address.
    """

    out: str
    format: str
    channels: tuple[str, ...] | None
    market_tickers: tuple[str, ...] | None
    start: int | None
    end: int | None
    storage_options: Mapping[str, Any] = field(default_factory=dict, repr=False)  # keys may be among them

    @property
    def identity(self) -> str:
        """What all of it has to agree in that goes to one place; channels may come one after the other."""
        return repr((self.format, self.market_tickers, self.start, self.end))


class Part(msgspec.Struct, frozen=True):
    """One file that was written.

    Attributes
    ----------
    path : str
        Where it is, below the folder.
    channel : str
        Of which channel its rows are.
    rows : int
        How many rows it has.
    table : str
        ``rows``, or ``gaps`` where they say what is missing of the channel.
    size : int
        Its bytes; 0 where an earlier version wrote it, which did not write them down.
    """

    path: str
    channel: str
    rows: int
    table: str = "rows"
    size: int = 0


@dataclass(frozen=True)
class Tables:
    """What becomes the files of one segment.

    Attributes
    ----------
    channels : sequence of str
        Those that it has, in the order of the files; one without rows has an empty file.
    begins : int or None
        Its earliest time, in microseconds, by which empty files are placed; None where it has nothing.
    blocks : iterable of (str, DataFrame)
        The rows that are wanted, by channel.
    gaps : callable
        Returns the gaps, by channel, once all blocks were taken.
    late : frozenset of str
        Channels whose rows say which of them were fetched later.
    """

    channels: Sequence[str]
    begins: int | None
    blocks: Iterable[tuple[str, pl.DataFrame]]
    gaps: Callable[[], Mapping[str, pl.DataFrame]]
    late: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ExportReport:
    """What an export did.

    Attributes
    ----------
    out : str
        The folder, or the address.
    rows : dict of str to int
        Rows written, by channel; those of segments that were exported before are among them.
    files : tuple of str
        The files, below the folder, those of gaps among them.
    segments, skipped : int
        How many segments there were, and how many of them had been exported before.
    """

    out: str
    rows: dict[str, int]
    files: tuple[str, ...]
    segments: int
    skipped: int


class _Done(msgspec.Struct):
    """What is known of one exported segment."""

    size: int
    job: str
    parts: list[Part] = []
    channels: list[str] | None = None
    """Of which channels; None for all that the segment has."""
    gaps: bool = False
    """Whether its gaps are there, too; earlier versions exported none."""
    state: str = ""
    """What there was of it beside the segment."""
    first: str = ""
    """What stands for the first line of the segment, and when its recording was created; see :class:`Origin`."""
    created: str = ""


def export_segment(job: Job, name: str, tables: Tables, watch: Watch = SILENT) -> list[Part]:
    """Write the files of one segment, which is read once for all of them.

    Parameters
    ----------
    job : Job
        What to write.
    name : str
        What the segment is called; its files are, too.
    tables : Tables
        What is in it.
    watch : Watch, optional
        Is told how far it is.

    Returns
    -------
    list of Part
        The files.

    Raises
    ------
    FileError
        When they cannot be written.
    RecordingError
        When a file does not have the rows that were handed to it.
    """
    store, numbers = store_at(job.out, job.storage_options), count()
    with ExitStack() as stack:
        gathered = Gathered(lambda: stack.enter_context(store.aside(f"{name}-{next(numbers)}.rows")))
        for channel, frame in tables.blocks:
            for day, rows in _by_day(frame):
                gathered.add((channel, day), rows)
            watch.rows(frame.height)
        if tables.begins is None:
            return []
        place, gaps = _Place(job, store, name), tables.gaps()
        began = tables.begins // _DAY
        # So that whoever reads knows a channel of which nothing came from one that was not exported.
        for channel in tables.channels:
            if job.format in _EMPTY and not any(of == channel for of, _ in gathered.rows):
                gathered.add((channel, began), pl.DataFrame(schema=schema(channel, late=channel in tables.late)))
        return [
            *(
                place.put("rows", channel, day, gathered.frame((channel, day)), gathered.rows[channel, day])
                for channel in tables.channels
                for day in sorted(each for of, each in gathered.rows if of == channel)
            ),
            *(
                place.put("gaps", channel, began, rows.lazy(), rows.height)
                for channel, rows in gaps.items()
                if rows.height or job.format in _EMPTY
            ),
        ]


def _by_day(frame: pl.DataFrame) -> list[tuple[int, pl.DataFrame]]:
    """Return rows by the UTC day, since 1970, on which they were received, or else made."""
    received = frame[RECEIVED]
    days = (received.fill_null(frame["ts"]) if received.null_count() else received).dt.epoch("d")
    if days.min() == days.max():
        return [(days[0], frame)]
    return [(day, frame.filter(days == day)) for day in days.unique(maintain_order=True)]


@dataclass(frozen=True)
class _Place:
    """Where the files of a segment go."""

    job: Job
    store: Store
    name: str

    def put(self, table: str, channel: str, day: int, rows: pl.LazyFrame, count: int) -> Part:
        """Write one file."""
        ending, write = FORMATS[self.job.format]
        above = "" if table == "rows" else f"{table}/"
        date = dt.date(1970, 1, 1) + dt.timedelta(days=day)
        path = f"{above}channel={channel}/date={date}/{self.name}.{ending}"
        with self.store.aside(path.replace("/", "-")) as aside:
            write(rows, aside, channel)
            _check(aside, self.job.format, count)
            size = aside.stat().st_size
            self.store.put(aside, path)
        return Part(path, channel, count, table, size)


def _check(path: Path, kind: str, rows: int) -> None:
    """Compare what is in a file with what went in."""
    if kind not in ("parquet", "arrow"):
        return
    read = pl.scan_parquet if kind == "parquet" else pl.scan_ipc
    scan = read(path, glob=False, hive_partitioning=False)  # whatever the folders above are called
    found = scan.select(pl.len()).collect().item()
    if found != rows:
        raise RecordingError(f"{path} has {found:,} rows of {rows:,} that were written; nothing of it is kept.")


def run(
    job: Job,
    segments: Sequence[tuple[str, int]],
    write: Callable[[Sequence[str]], Generator[tuple[str, list[Part]]]],
    names: Callable[[str], str],
    channels: Sequence[str],
    states: Mapping[str, str],
    origin: Origin,
) -> ExportReport:
    """Export what was not exported before, and write down what was.

    Parameters
    ----------
    job : Job
        What to write.
    segments : sequence of (str, int)
        The path of each segment, and its bytes: one that has grown since is exported again.
    write : callable
        Exports segments, and returns each with its files, in their order.
    names : callable
        Returns what a segment at a path is called.
    channels : sequence of str
        The channels that the report is to have, if only to say that there are no rows of them.
    states : mapping of str to str
        By the path of each segment, what is another text once something changed beside it.
    origin : Origin
        Which recording the segments are of.

    Raises
    ------
    RecordingError
        When the place holds another export, or one of another recording.
    RecordingInUseError
        When somebody else exports into it.
    FileError
        When nothing can be written there.
    """
    store = store_at(job.out, job.storage_options)
    text = store.read_list()
    known = _known(text, store, job, origin)
    sizes = {path: (size, states[path]) for path, size in segments}

    def left() -> list[str]:
        return [path for path, size in sizes.items() if not _is_done(known.get(names(path)), size, job, store)]

    fresh = left()
    if fresh:
        with store.held():
            newest = store.read_list()
            if newest != text:  # somebody exported meanwhile
                known = _known(newest, store, job, origin)
                fresh = left()
            with closing(write(fresh)) as written:
                for path, parts in written:
                    name = names(path)
                    known[name] = _done(known.get(name), sizes[path], job, parts)
                    known[name].first, known[name].created = origin.firsts.get(name, ""), origin.created
                    store.write_list(msgspec.json.format(msgspec.json.encode(known)))
    elif store.is_untidy():
        with suppress(OSError), store.held():  # what a kill left
            pass
    parts = [part for path, _ in segments for part in known[names(path)].parts]
    rows = dict.fromkeys(channels, 0)
    for part in parts:
        if part.table == "rows":
            rows[part.channel] = rows.get(part.channel, 0) + part.rows
    files = tuple(each.path for each in parts)
    return ExportReport(job.out, rows, files, len(segments), len(segments) - len(fresh))


def check_place_of(job: Job, origin: Origin) -> None:
    """Refuse a place that holds another export.

    Raises
    ------
    RecordingError
        When that is of other markets or times, in another format, or of another recording, or when what lies where the
        list of it belongs is none.
    """
    store = store_at(job.out, job.storage_options)
    _known(store.read_list(), store, job, origin)


def _known(text: bytes | None, store: Store, job: Job, origin: Origin) -> dict[str, _Done]:
    """Return what is known of the segments that were exported before."""
    try:
        known = msgspec.json.decode(text, type=dict[str, _Done]) if text and text.strip() else {}
    except ValueError as refusal:
        raise RecordingError(
            f"{store.list_told} is no list of what was exported, which belongs there, and would be replaced by one: "
            f"move it, or name another place than {told(job.out)}. If it was such a list once, and broke, remove it: "
            "then all is exported again."
        ) from refusal
    identity = _plain(job.identity)
    if any(_plain(each.job) != identity for each in known.values()):
        raise RecordingError(
            f"{told(job.out)} holds an export of other markets or times, or in another format, whose files have the "
            "same names: name another place, or remove what is there."
        )
    if origin.is_other({name: (each.first, each.created) for name, each in known.items() if each.parts}):
        raise RecordingError(
            f"{told(job.out)} holds an export of another recording: name another place, or remove what is there and "
            f"{store.list_told}."
        )
    return known


def _plain(identity: str) -> object:
    """Return an identity as it is meant: of some markets, in whatever order, however often each was named."""
    try:
        kind, market_tickers, start, end = ast.literal_eval(identity)
        return kind, None if market_tickers is None else frozenset(market_tickers), start, end
    except (ValueError, TypeError, SyntaxError):
        return identity


def _is_done(done: _Done | None, size: tuple[int, str], job: Job, store: Store) -> bool:
    if done is None or (done.size, done.state) != size or not done.gaps:
        return False
    if done.channels is not None and (job.channels is None or not set(job.channels) <= set(done.channels)):
        return False
    return all(store.has(each.path, each.size) for each in done.parts)


def _done(before: _Done | None, size: tuple[int, str], job: Job, parts: list[Part]) -> _Done:
    """Return what is known of a segment after it was exported, by what was known of it before."""
    if before is None or job.channels is None:
        some = None if job.channels is None else [*job.channels]
        return _Done(size[0], job.identity, parts, some, gaps=True, state=size[1])
    paths = {each.path for each in parts}
    others = [each for each in before.parts if each.channel not in job.channels and each.path not in paths]
    # Of a segment that has grown since, what there is of other channels is short: it is exported again when asked for.
    had = (before.channels or []) if (before.size, before.state) == size and before.gaps else []
    some = [*dict.fromkeys([*job.channels, *had])]
    return _Done(size[0], job.identity, [*parts, *others], some, gaps=True, state=size[1])


def said(report: ExportReport, *, new: bool = True) -> str:
    """Say in a line what an export did, or, where nothing is `new`, what is there."""
    rows = ", ".join(f"{count:,} {channel}" for channel, count in report.rows.items() if count) or "no rows"
    before = f" ({report.skipped} exported before)" if report.skipped and new else ""
    files, segments = _counted(len(report.files), "file"), _counted(report.segments, "segment")
    return f"{report.out}: {rows}, in {files} of {segments}{before}"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"

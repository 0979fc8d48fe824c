"""What a recording holds, item by item and in its order; what is missing is said at its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from kalshi_nb._recording.blocks import Block, Blocks, Source
from kalshi_nb._recording.files import SegmentFile, find, folder_of, name_in
from kalshi_nb._recording.index import FOOTER, HEADER, FrameEntry, Index, IndexBuilder, bytes_behind, tail_size, unpack
from kalshi_nb._recording.kept import Kept, asked_in, received_in, together
from kalshi_nb._recording.layout import began
from kalshi_nb._recording.lines import Decoder, type_of
from kalshi_nb._recording.marks import FORMAT, First, read_first
from kalshi_nb._rows.heard import Checkpoint, Event, Heard, Read
from kalshi_nb.errors import NewerRecordingError, RecordingError

__all__ = ["Damage", "Info", "Report", "Segments"]


class Damage(NamedTuple):
    """Something that was recorded, or may have been, and cannot be read.

    Attributes
    ----------
    segment : str
        Where its segment is.
    kind : str
        ``torn`` where it breaks off, ``unreadable`` where it goes on.
    at : int
        The time of the item before; where there is none, when the segment begins by its name, or 0.
    lines : int
        How many lines are known to be missing.
    size : int
        About how many bytes of the file could not be used.
    text : str
        What that cost, in words.
    """

    segment: str
    kind: Literal["torn", "unreadable"]
    at: int
    lines: int
    size: int
    text: str


@dataclass
class Report:
    """What reading met.

    Attributes
    ----------
    damages : list of Damage
        In their order.
    messages : Counter of str
        Messages that can be read, by their type.
    """

    damages: list[Damage] = field(default_factory=list)
    messages: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Info:
    """What a recording is, as far as its indexes say it.

    Attributes
    ----------
    segments, sealed : int
        How many there are, and how many of them were closed in good order.
    first, last : int or None
        The earliest and the latest time, in microseconds.
    messages : dict of str to int
        Frames of the exchange, by their type.
    wanted : dict of str to list of str or None
        Markets that the exchange was asked for, by channel, None for all; by an empty name where it is not said of
        which. A feed may have asked for more of a channel than this recorder was to keep, and it is there, too.
    asked : dict of str to list of str or None
        Markets that the recorder was asked for, likewise.
    homes : dict of str to int
        Over which connection the book of a market came, where that is another than the first.
    connections : int
        How many connections there were.
    losses : list of (int, str, str)
        Time, kind and text of what the recording itself says is missing.
    raw, size : int
        Bytes of lines, and of files.
    """

    segments: int
    sealed: int
    first: int | None
    last: int | None
    messages: dict[str, int]
    wanted: dict[str, list[str] | None]
    asked: dict[str, list[str] | None]
    homes: dict[str, int]
    connections: int
    losses: list[tuple[int, str, str]]
    raw: int
    size: int


class _Tail(NamedTuple):
    """How the reading of a segment ended."""

    file: SegmentFile
    ended: bool
    lines: int
    pending: int
    size: int


class Segments:
    """The segments at a path.

    Nothing is written by reading. A segment that is still being written, or that no one closed, is read as far as
    it was kept.

    Parameters
    ----------
    path : str or Path
        A folder, a segment, or either at an address that fsspec knows.
    options : mapping, optional
        What fsspec needs to get there.
    on_read : callable, optional
        Is told how many bytes were read, whenever some were.
    through : int, optional
        The number of the last segment that is wanted.
    of : str, optional
        The path of the only segment that is wanted; those before it are there for :meth:`lead_in` alone.

    Raises
    ------
    RecordingError
        When there is no recording.
    NewerRecordingError
        When a newer version of the package made it.
    """

    def __init__(
        self,
        path: str | Path,
        options: Mapping[str, Any] | None = None,
        *,
        on_read: Callable[[int], None] | None = None,
        through: int | None = None,
        of: str | None = None,
    ) -> None:
        there = find(path, options, on_read)
        found = [each for each in there if through is None or each.number <= through]
        places = range(len(found)) if of is None else [at for at, each in enumerate(found) if each.name == name_in(of)]
        if not places:
            raise RecordingError(f"There is no such segment at {path}: {of or f'number {through} or before'}.")
        self.files = found[places[0] : places[-1] + 1]
        self._before = [] if of is None else found[: places[0]]
        self._goes_on = self.files[-1] is not there[-1]
        self._is_one = len(there) == 1 and there[0].name == name_in(str(path))
        self._indexes: dict[str, tuple[int, Index]] = {}
        with self.files[-1].opened() as source:
            _first(source, self.files[-1])

    def items(
        self,
        start: int | None = None,
        end: int | None = None,
        types: frozenset[str] | None = None,
        report: Report | None = None,
    ) -> Iterator[Heard]:
        """Return what was recorded.

        Parameters
        ----------
        start : int, optional
            Begin with the newest checkpoint that is before this microsecond, so that all can be known of it.
        end : int, optional
            Leave out what is later.
        types : frozenset of str, optional
            Leave out frames of other types; all else is there.
        report : Report, optional
            Is told what could not be read.

        Raises
        ------
        NewerRecordingError
            At a segment that a newer version of the package made.
        """
        walk = _Walk(Report() if report is None else report, end, types)
        place, frame = (self._point(self.files, start) if start is not None else None) or (0, 0)
        if not self._before and not place and not frame:
            yield from self._before_all(walk)
        tail = yield from self._walked(walk, self.files[place:], frame)
        if tail is not None and not self._goes_on:  # what is missing between two segments is said before the second
            unwritten = tail.file.unwritten()
            if not unwritten or tail.pending or tail.size:
                yield from walk.after_all(tail)
            yield from (each for each in unwritten if end is None or each.at <= end)
        elif tail is not None and tail.ended:  # but that books cannot be trusted any more is so from its end on
            yield from walk.if_stopped()

    def lead_in(self, start: int | None = None) -> Iterator[Heard]:
        """Return what is to be heard, and not told, before :meth:`items` of one segment among several.

        As a rule that is nothing, since a segment begins with a checkpoint. Where that came late, or the disk ended a
        segment, what the next one begins with goes on from how the one before it left things.

        Parameters
        ----------
        start : int, optional
            As for :meth:`items`.
        """
        if start is not None and self._point(self.files, start):
            return
        yield from self._up_to_first(*self._context)

    @property
    def goes_on(self) -> bool:
        """Whether there is another segment after the last one."""
        return self._goes_on

    @property
    def behind(self) -> int:
        """How many segments there are before the first one."""
        return len(self._before)

    def before(self, back: int = 0) -> Iterator[Heard]:
        """Return what came before the first segment, and what is missing between the two.

        Parameters
        ----------
        back : int
            How many segments before to begin with; 0 is the last checkpoint of the one before.
        """
        files = self._before[-max(back, 1) :]
        place, frame = (None if back else self._point(files, None)) or (0, 0)
        yield from self._up_to_first(files[place:], frame)

    def _up_to_first(self, files: Sequence[SegmentFile], frame: int) -> Iterator[Heard]:
        walk = _Walk(Report(), None, None)
        tail = yield from self._walked(walk, files, frame)
        if tail is not None:
            with self.files[0].opened() as source:
                yield from walk.between(tail, _first(source, self.files[0]))

    @cached_property
    def _context(self) -> tuple[list[SegmentFile], int]:
        """The segments that the first one goes on from, and the frame of the first of them to begin with."""
        if not self._before or self._begins_with_point():
            return [], 0
        place, frame = self._point(self._before, None) or (0, 0)
        return self._before[place:], frame

    def _before_all(self, walk: _Walk) -> Iterator[Event]:
        """Say that something was before all that there is, and is not there: by what the first segment says of it.

        After that what came before its first checkpoint is told as after any loss, with gaps: nobody knows how books
        stood, but rows say what they are.
        """
        file = self.files[0]
        with file.opened() as source:
            first = _first(source, file)
        if first is None or first.after is None:
            return
        if not self._is_one:
            yield walk.missing_before(file, first)
        elif not self._begins_with_point():
            yield Event(first.t, 0, "unreadable", "what was before this segment is not at hand: name its folder")

    def _begins_with_point(self) -> bool:
        with self.files[0].opened() as source:
            items = _Walk(Report(), None, None).segment(self.files[0], source, None, 0)
            return isinstance(next(items, None), Checkpoint)

    def _walked(self, walk: _Walk, files: Sequence[SegmentFile], frame: int) -> Generator[Heard, None, _Tail | None]:
        """Return the items of segments, of the first from one of its frames on, and in the end how the last ended."""
        tail: _Tail | None = None
        for file in files:
            with file.opened() as source:
                first = _first(source, file)
                if tail is not None:
                    yield from walk.between(tail, first)
                filtered = frame or walk.is_filtered
                index = self._index(file, source) if filtered else _written_index(source)
                tail = yield from walk.segment(file, source, index, frame)
                frame = 0
        return tail

    def begins(self) -> list[int]:
        """Return when each segment begins, in microseconds, leaving out those that have nothing."""
        return [at for at, _ in self.begun()]

    def begun(self) -> list[tuple[int, str]]:
        """Return when each segment begins, with what it is called, leaving out those that have nothing."""
        found = []
        for file in self.files:
            frames = self._index_of(file).frames
            found += [(each.first, file.name) for each in frames if each.first is not None][:1]
        return found

    def size_of(self, path: str) -> int:
        """Return how many bytes the segment at a path of these has now."""
        (file,) = (each for each in self.files if each.path == path)
        with file.opened() as source:
            return source.size

    @property
    def folder(self) -> str:
        """The folder of the recording that the segments are of."""
        return folder_of(self.files[0].path)

    def newest(self) -> int | None:
        """Return the time of the newest item, in microseconds; None where there is none."""
        for file in reversed(self.files):
            times = [each.last for each in self._index_of(file).frames if each.last is not None]
            if times:
                return max(times)
        return None

    def check(self) -> Report:
        """Read all of it, and return what could not be read."""
        report = Report()
        for each in self.items(report=report):
            if isinstance(each, Read):
                report.messages.update(map(type_of, each.messages))
        return report

    def info(self) -> Info:
        """Return what it is; a segment without an index is read for it."""
        indexes, size = [], 0
        said: list[tuple[Kept | None, Index]] = []
        for file in self._context[0] + self.files:
            with file.opened() as source:
                first, index = _first(source, file), self._index(file, source)
                said.append((None if first is None else first.kept or None, index))
                if file in self.files:
                    size += source.size
                    indexes.append(index)
        known = [index for _, index in said]
        frames = [each for index in indexes for each in index.frames]
        messages: Counter[str] = Counter()
        for each in frames:
            messages.update(each.messages)
        return Info(
            segments=len(indexes),
            sealed=sum(each.ended for each in indexes),
            first=min((each.first for each in frames if each.first is not None), default=None),
            last=max((each.last for each in frames if each.last is not None), default=None),
            messages=dict(sorted(messages.items())),
            wanted=together(received_in(kept, index.wanted) for kept, index in said),
            asked=together(asked_in(kept, index.wanted) for kept, index in said),
            homes={ticker: home for index in known for ticker, home in index.homes.items()},
            connections=max((each.connections for each in known), default=1),
            losses=[
                *(each for index in indexes for each in index.losses),
                *((each.at, each.kind, each.text) for each in self.files[-1].unwritten()),
            ],
            raw=sum(each.raw for each in frames),
            size=size,
        )

    def _point(self, files: Sequence[SegmentFile], start: int | None) -> tuple[int, int] | None:
        """Return in which segment, and which of its frames, the newest checkpoint is, up to a moment; None without."""
        for place in range(len(files) - 1, -1, -1):
            for at, frame in reversed(self._index_of(files[place]).checkpoints):
                # One of that microsecond may stand behind what was read in it, in its frame too, which is to be told.
                if start is None or at < start:
                    return place, frame
        return None

    def _index_of(self, file: SegmentFile) -> Index:
        with file.opened() as source:
            return self._index(file, source)

    def _index(self, file: SegmentFile, source: Source) -> Index:
        known = self._indexes.get(file.path)
        if known is None or known[0] != source.size:
            known = source.size, _written_index(source) or _made_index(source)
            self._indexes[file.path] = known
        return known[1]


class _Walk:
    """One way through a recording."""

    def __init__(self, report: Report, end: int | None, types: frozenset[str] | None) -> None:
        self._report, self._end, self._types = report, end, types
        self._at = 0
        self._is_stopped = False

    @property
    def is_filtered(self) -> bool:
        """Whether not all is wanted."""
        return self._end is not None or self._types is not None

    def segment(
        self, file: SegmentFile, source: Source, index: Index | None, frame: int
    ) -> Generator[Heard, None, _Tail]:
        """Return the items of a segment from one of its frames on, and in the end how it ended."""
        if index is None:
            blocks = Blocks(source, 0, source.size)
            yield from self._items(file, blocks)
            yield from self._behind(file, source, blocks)
            return _Tail(file, blocks.ended, blocks.lines, blocks.pending, blocks.missing_bytes)
        lines = index.frames[frame - 1].lines if frame else 0
        pending, size = 0, source.size if not index.frames else 0
        for entry in index.frames[frame:]:
            if self._needs(entry):
                last = not index.ended and entry is index.frames[-1]
                blocks = Blocks(source, entry.offset, entry.offset + entry.size, lines)
                yield from self._items(file, blocks)
                yield from self._behind(file, source, blocks)
                if blocks.lines < entry.lines:
                    yield self._damaged(file, "unreadable", entry.lines - blocks.lines, blocks.missing_bytes)
                elif last:
                    pending, size = blocks.pending, blocks.missing_bytes
            lines = entry.lines
        return _Tail(file, index.ended, lines, pending, size)

    def _behind(self, file: SegmentFile, source: Source, blocks: Blocks) -> Iterator[Event]:
        """Say what stands behind the end of a segment, such as another that was put there."""
        size = source.size - blocks.ends
        if blocks.ended and size and (behind := bytes_behind(source.read(blocks.ends, HEADER), size)):
            text = f"{behind:,} bytes behind its end are not read; each segment has to be a file of its own"
            yield self._damaged(file, "unreadable", 0, behind, text)

    def between(self, tail: _Tail, first: First | None) -> Iterator[Event]:
        """Say what is missing between two segments, by what the second says of the first."""
        after = first.after if first is not None else None
        if after is not None and 0 < tail.file.number < after.segment:
            one, last = tail.file.number + 1, after.segment
            yield self._damaged(tail.file, "unreadable", 0, 0, f"{_which(one, last)} missing after this one")
        elif after is not None and after.segment == tail.file.number and after.lines is not None:
            if after.lines > tail.lines:
                yield self._damaged(tail.file, "torn", after.lines - tail.lines, tail.size)
        elif not tail.ended:
            yield self._damaged(tail.file, "torn", tail.pending, tail.size)
        else:
            yield from self.if_stopped()

    def if_stopped(self) -> Iterator[Event]:
        """Say that nobody recorded from here on, where the recorder was closed before another one went on."""
        if self._is_stopped:
            yield Event(self._at, 0, "not_recorded", "the recorder was closed; another one went on later")

    def missing_before(self, file: SegmentFile, first: First) -> Event:
        """Say that the first segments are missing; only where the first that is there goes on after others."""
        assert first.after is not None
        self._at = first.t
        return self._damaged(file, "unreadable", 0, 0, f"{_which(1, first.after.segment)} missing before this one")

    def after_all(self, tail: _Tail) -> Iterator[Event]:
        """Say what is missing at the end of the last segment, which somebody may be writing."""
        if not tail.ended and (tail.pending or tail.size or tail.file.sealed or not tail.file.is_written()):
            yield self._damaged(tail.file, "torn", tail.pending, tail.size)

    def _needs(self, entry: FrameEntry) -> bool:
        if entry.others:
            return True
        if self._end is not None and entry.first is not None and entry.first > self._end:
            return False
        return self._types is None or not entry.messages or bool(entry.messages.keys() & {*self._types, ""})

    def _items(self, file: SegmentFile, blocks: Blocks) -> Iterator[Heard]:
        decoder = Decoder(self._types)
        for block in blocks:
            if block.missing:
                decoder.forget()
                yield self._damaged(file, "unreadable", block.missing, block.missing_bytes)
            for item in _items_of(block, decoder):
                if item is None:
                    yield self._damaged(file, "unreadable", block.lines, 0)
                elif self._end is None or item.at <= self._end:
                    self._at = item.at
                    self._is_stopped = isinstance(item, Event) and item.kind == "stopped"
                    yield item

    def _damaged(
        self, file: SegmentFile, kind: Literal["torn", "unreadable"], lines: int, size: int, text: str = ""
    ) -> Event:
        self._at = self._at or began(file.path)
        text = text or _cost(kind, lines, size, sealed=file.sealed)
        self._report.damages.append(Damage(file.path, kind, self._at, lines, size, text))
        where = file.path.replace("\\", "/").rpartition("/")[2]
        return Event(self._at, 0, kind, f"{where}: {text}")


def _which(one: int, last: int) -> str:
    return f"segment {one} is" if one == last else f"segments {one} to {last} are"


def _cost(kind: str, lines: int, size: int, *, sealed: bool) -> str:
    told = [f"{lines:,} lines"] if lines else []
    told += [f"about {size:,} bytes"] if size else []
    if told:
        return f"{' and '.join(told)} cannot be read"
    if kind == "unreadable":
        return "something here cannot be read"
    return "its end is not there" if sealed else "nobody closed it: what came in its last second may be missing"


def _items_of(block: Block, decoder: Decoder) -> Iterator[Heard | None]:
    """Return the items of a block; None where a line is none that a writer of this format writes."""
    try:
        yield from list(decoder.items(block.text))
    except (msgspec.DecodeError, ValueError):
        yield None


def _first(source: Source, file: SegmentFile) -> First | None:
    """Return what the first line says, None where it cannot be read; refuse what a newer version made."""
    block = next(iter(Blocks(source, 0, source.size)), None)
    if block is None and source.size and not file.number:  # by its name it need not be one
        raise RecordingError(
            f"{file.path} is no recording: name a folder that was recorded into, or a segment of one."
        )
    first = None if block is None or block.missing else read_first(block.text[: block.text.find(b"\n")])
    if first is not None and first.kalshi_nb > FORMAT:
        raise NewerRecordingError(
            f"{file.path} was recorded by kalshi_nb {first.kit or 'of a newer version'} in format {first.kalshi_nb}; "
            f"this version reads up to {FORMAT}. Run: pip install --upgrade kalshi-nb"
        )
    return first


def _written_index(source: Source) -> Index | None:
    """Return the index at the end of a segment, None where there is none, or a damaged one."""
    size = tail_size(source.read(max(0, source.size - FOOTER), FOOTER))
    if size is None or size > source.size:
        return None
    return unpack(source.read(source.size - size, size), source.size - size)


def _made_index(source: Source) -> Index:
    """Return an index that is made of the lines; its last frame goes to the end of the file."""
    builder, decoder = IndexBuilder(), Decoder()
    blocks = Blocks(source, 0, source.size)
    frame, raw, lines = 0, 0, 0
    for block in blocks:
        if block.frame != frame and raw:
            builder.end_frame(block.frame, raw=raw, lines=lines)
            raw = 0
        frame = block.frame
        if block.missing:
            decoder.forget()
            builder.lost()
        for item in _items_of(block, decoder):
            if item is not None:
                builder.add(item)
        raw, lines = raw + len(block.text), blocks.lines
    if raw:
        if not blocks.ended:
            builder.lost()
        builder.end_frame(source.size, raw=raw, lines=lines)
    return builder.done(ended=blocks.ended)

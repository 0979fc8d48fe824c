"""Rows and books of a recording: an offline engine is told it, and what it makes is taken in blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import polars as pl

from kalshi_nb._engine.offline import OfflineEngine, Recorded
from kalshi_nb._engine.port import COMPILED
from kalshi_nb._fixed_point import CONTRACT, DOLLAR
from kalshi_nb._frames.schema import MARKET, RECEIVED, TIME, frame_of, frame_of_columns
from kalshi_nb._rows.channels import ROWS, position, traits_of
from kalshi_nb._rows.gaps import Gap
from kalshi_nb._rows.heard import Checkpoint, Heard, Read
from kalshi_nb._rows.rows import Row
from kalshi_nb._rows.wanted import ALL, Wanted

if TYPE_CHECKING:
    from kalshi_nb._recording.reading import Info, Segments
    from kalshi_nb._rows.ladders import LadderReading

__all__ = [
    "DEPTH_SCHEMA",
    "books_at",
    "books_every",
    "carried_into",
    "frames_of",
    "gaps_in",
    "gaps_of",
    "recorded_of",
    "rows_of",
]

_BLOCK: Final = 20_000
"""Messages after which rows become a frame: enough to make that cheap, and few enough for any memory."""

_MOST_GAPS: Final = 1_000_000

_FARTHEST: Final = 24
"""How many segments before one are looked at for the gaps that it begins in."""

DEPTH_SCHEMA: Final = pl.Schema(
    {
        "at": TIME,
        MARKET: pl.String(),
        "level": pl.Int64(),
        "bid_size": pl.Float64(),
        "bid": pl.Float64(),
        "ask": pl.Float64(),
        "ask_size": pl.Float64(),
    }
)


def recorded_of(path: str, info: Info) -> Recorded:
    """Return what an engine has to know of a recording before it hears it."""
    others = info.wanted.get("") or []  # names that were added to a subscription of which only the number is known
    channels: dict[str, Wanted] = {
        channel: ALL if names is None else frozenset([*names, *others])
        for channel, names in info.wanted.items()
        if channel in ROWS
    }
    return Recorded(path, channels, info.homes, info.connections)


def _told(
    recorded: Recorded,
    lead_in: Iterable[Heard],
    channels: Sequence[str] = (),
    *,
    compiled: bool = COMPILED,
    plain: bool = False,
) -> OfflineEngine:
    """Return an engine that has heard what came before, and has told nobody of it; rows are of some channels.

    They are columns where that can be, unless they are to be `plain`: with what stands between them.
    """
    engine = OfflineEngine(recorded, most_gaps=_MOST_GAPS, columns=() if plain else channels, compiled=compiled)
    engine.start(0.0, lambda _: True)
    for channel in channels:
        engine.want(traits_of(channel).source or channel, [ALL], timeout=0.0, rows=channel)
    for each in lead_in:
        engine.hear(each)
        for other in engine.pending():
            if engine.take_columns(other) is None:
                engine.take(other)
    return engine


def frames_of(
    channels: Sequence[str],
    recorded: Recorded,
    items: Iterable[Heard],
    start: int | None,
    lead_in: Iterable[Heard] = (),
    block: int = _BLOCK,
    gaps: list[Gap] | None = None,
    *,
    compiled: bool = COMPILED,
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Return the rows of channels, quotes among them, in frames; those of each in the order they were received in.

    Parameters
    ----------
    channels : sequence of str
        Whose rows.
    recorded : Recorded
        What the recording has.
    items : iterable of Heard
        What was heard, from a checkpoint on.
    start : int, optional
        Leave out rows that were received before this microsecond.
    lead_in : iterable of Heard
        What was heard before, of which no rows are wanted.
    block : int
        Messages a frame at most.
    gaps : list of Gap, optional
        Those that were met are put into it at the end.
    compiled : bool, optional
        Whether the compiled part does what it can.
    """
    engine = _told(recorded, lead_in, channels, compiled=compiled)
    received = {channel: position(channel, RECEIVED) for channel in channels}
    count = 0
    for each in items:
        engine.hear(each)
        count += len(each.messages) if isinstance(each, Read) else 0
        if count >= block:
            count = 0
            yield from _taken(engine, received, start)
    yield from _taken(engine, received, start)
    if gaps is not None:
        gaps += engine.gaps.snapshot()


def _taken(engine: OfflineEngine, received: dict[str, int], start: int | None) -> Iterator[tuple[str, pl.DataFrame]]:
    for channel in engine.pending():
        columns = engine.take_columns(channel)
        if columns is not None:
            frame = frame_of_columns(channel, columns)
            if start is not None:
                frame = frame.filter(frame[RECEIVED].dt.epoch("us") >= start)
            if frame.height:
                yield channel, frame
            continue
        taken = engine.take(channel)
        if channel in received:
            at = received[channel]
            rows = [row for row in taken if type(row) is tuple and (start is None or row[at] >= start)]
            if rows:
                yield channel, frame_of(channel, rows)


def rows_of(
    channel: str, recorded: Recorded, items: Iterable[Heard], gaps: list[Gap]
) -> Iterator[tuple[Sequence[Row], Wanted | None]]:
    """Return the rows of a channel with what stands between them, and each time what the exchange sent of it then.

    Parameters
    ----------
    channel : str
        Whose rows.
    recorded, items
        As for :func:`frames_of`.
    gaps : list of Gap
        All gaps, of whatever channel, are put into it at the end.

    Yields
    ------
    (sequence of tuple, Wanted or None)
        Some rows, in their order, and those that steer, gaps among them; and of which markets the exchange sent the
        channel, None where that is not known.
    """
    engine, known, count = _told(recorded, (), [channel], plain=True), None, 0
    for each in items:
        is_read = isinstance(each, Read)
        if not is_read or count >= _BLOCK:
            known, count = engine.acknowledged(channel) or known, 0
            yield engine.take(channel), known
        engine.hear(each)
        if isinstance(each, Read):
            count += len(each.messages)
        else:  # a gap that it opens is one of what was sent before it
            yield engine.take(channel), known or engine.acknowledged(channel)
    yield engine.take(channel), engine.acknowledged(channel) or known
    gaps += engine.gaps.snapshot()


def carried_into(segment: Segments, path: str) -> list[Gap]:
    """Return the gaps that a segment begins in, and those between it and the one before, as far as it ends them.

    Parameters
    ----------
    segment : Segments
        The only one that is wanted, of several.
    path : str
        What it is called, for people.
    """
    if not segment.behind:
        return []
    engine = _before(segment, path)
    carried = [each for each in engine.gaps.snapshot() if each.closed_at is None]
    entered = False
    for each in segment.items():
        is_entry = not entered and isinstance(each, Checkpoint)  # it says how long nobody recorded
        known = {id(gap) for gap in engine.gaps.snapshot()} if is_entry else set()
        engine.hear(each)
        if is_entry:
            entered = True
            carried += [gap for gap in engine.gaps.snapshot() if id(gap) not in known]
        if entered and all(gap.closed_at is not None for gap in carried):
            break
    return carried


def gaps_of(segment: Segments, path: str, end: int | None) -> list[Gap]:
    """Return all gaps of a segment, those that it begins in too: whoever reads it from its midst on misses some.

    Parameters
    ----------
    segment, path
        As for :func:`carried_into`.
    end : int, optional
        Leave out what is later.
    """
    engine = _before(segment, path)
    over = {id(each) for each in engine.gaps.snapshot() if each.closed_at is not None}
    for each in segment.items(None, end):
        engine.hear(each)
    return [each for each in engine.gaps.snapshot() if id(each) not in over]


def _before(segment: Segments, path: str) -> OfflineEngine:
    """Return an engine that has heard what came before a segment, as far back as tells what is missing there."""
    recorded, farthest = recorded_of(path, segment.info()), min(segment.behind, _FARTHEST)
    if not farthest:
        return OfflineEngine(recorded, most_gaps=_MOST_GAPS)
    # Where books were stale already a gap is open of which only what is before that knows.
    engines = (_heard(segment.before(back), recorded, is_last=back == farthest) for back in range(farthest + 1))
    return next(each for each in engines if each is not None)


def _heard(items: Iterable[Heard], recorded: Recorded, *, is_last: bool) -> OfflineEngine | None:
    """Return an engine that has heard items; None where they begin in a gap, or amid things, and there are others."""
    engine, begun = OfflineEngine(recorded, most_gaps=_MOST_GAPS), is_last
    for each in items:
        if not begun and isinstance(each, Checkpoint):
            begun = True
            if any(book.status == "stale" for book in each.books):
                return None
        engine.hear(each)
    return engine if begun else None  # without a checkpoint nobody knows what the items were about


def gaps_in(recorded: Recorded, items: Iterable[Heard]) -> list[Gap]:
    """Return the gaps of a recording, oldest first: of the line, of the recorder, and of the disk."""
    engine = OfflineEngine(recorded, most_gaps=_MOST_GAPS)
    for each in items:
        engine.hear(each)
    return engine.gaps.snapshot()


def books_at(
    recorded: Recorded, items: Iterable[Heard], at: int, levels: int, lead_in: Iterable[Heard] = ()
) -> pl.DataFrame:
    """Return the books as they stood at a moment; those that could not be trusted then are left out."""
    engine = _told(recorded, lead_in)
    for each in items:
        if each.at > at:
            break
        engine.hear(each)
    return _depth(engine, at, levels)


def books_every(
    recorded: Recorded,
    items: Iterable[Heard],
    start: int | None,
    every: int,
    levels: int,
    lead_in: Iterable[Heard] = (),
) -> Iterator[pl.DataFrame]:
    """Return the books as they stood at the end of each interval, in frames, each of some intervals."""
    engine = _told(recorded, lead_in)
    frames: list[pl.DataFrame] = []
    due: int | None = None
    for each in items:
        if due is None:
            due = (max(each.at, start or 0) // every + 1) * every
        while each.at >= due:
            frames.append(_depth(engine, due, levels))
            due += every
            if sum(frame.height for frame in frames) >= _BLOCK:
                yield pl.concat(frames)
                frames.clear()
        engine.hear(each)
    if frames:
        yield pl.concat(frames)


def _depth(engine: OfflineEngine, at: int, levels: int) -> pl.DataFrame:
    # By ticker, not by when each was heard of first, which depends on where the reading began.
    ladders = sorted((each for each in engine.ladders() if each.live), key=lambda each: each.market_ticker)
    rows = [row for ladder in ladders for row in _levels(ladder, at, levels)]
    return pl.DataFrame(rows, schema={**DEPTH_SCHEMA, "at": pl.Int64}, orient="row").cast({"at": TIME})


def _levels(ladder: LadderReading, at: int, levels: int) -> Iterator[tuple[int | str | float | None, ...]]:
    """Return rows of a book; each number is one division of exact integers, so that 0.47 is the literal."""
    yes, no = ladder.levels()
    for level in range(min(levels, max(len(yes), len(no)))):
        bid = bid_size = ask = ask_size = None
        if level < len(yes):
            bid, bid_size = yes[level][0] / DOLLAR, yes[level][1] / CONTRACT
        if level < len(no):
            ask, ask_size = (DOLLAR - no[level][0]) / DOLLAR, no[level][1] / CONTRACT
        yield at, ladder.market_ticker, level + 1, bid_size, bid, ask, ask_size

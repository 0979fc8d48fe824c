"""What a feed's gaps look like: the last hour to scale, and the newest in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kalshi_nb._widgets import numbers
from kalshi_nb._widgets.gaps.picture import GapSpan, GapsPicture, Lane
from kalshi_nb._widgets.gaps.words import clock_time, gap_line, lasted
from kalshi_nb._widgets.status.presenter import state_of

if TYPE_CHECKING:
    from kalshi_nb._widgets.status.picture import FeedReading
    from kalshi_nb._widgets.status.source import HealthSource

__all__ = ["HOUR", "gaps_picture"]

HOUR: Final = 3_600.0

_HOUR_US: Final = round(HOUR * 1e6)
_LONGEST: Final = 80
_APART: Final = 12_000_000
"""Microseconds between two gaps below which they are one stretch: three pixels of an hour as wide as a page."""


def gaps_picture(source: HealthSource, rows: int) -> GapsPicture:
    """Return what the view of gaps shows now, with so many of the newest in words."""
    reading, _ = source.read()
    stretches = _stretches(reading)
    lanes = tuple(
        Lane(numbers.clean(channel)[:_LONGEST], tuple(_span(each, reading) for each in found))
        for channel, found in stretches.items()
    )
    gaps = tuple(gap_line(each) for each in reversed(reading.gaps[-rows:]))
    count = len(reading.gaps) + reading.gaps_dropped
    open_count = sum(each.closed_at is None for each in reading.gaps)
    summary = _summary(reading, count, open_count)
    state = state_of(reading)
    return GapsPicture(
        # Where a span lies moves by nothing but the microseconds between two clocks, so what it was made of stands.
        version=(tuple((lane.channel, *(each[2:] for each in lane.spans)) for lane in lanes), gaps, summary, state),
        status=reading.status,
        clock=reading.now,
        title=numbers.clean(reading.url)[:300],
        state=state,
        began=reading.began,
        lanes=lanes,
        gaps=gaps,
        gap_count=count,
        open_count=open_count,
        summary=summary,
        rows=rows,
        changes=reading.messages,
    )


def _summary(reading: FeedReading, count: int, open_count: int) -> str:
    since = f"since {clock_time(reading.began, reading.now)}"
    if not count:
        return f"no gaps {since}, {reading.messages:,} messages"
    told = f"{count:,} gap{'' if count == 1 else 's'} {since}"
    return f"{told}, {open_count:,} open" if open_count else f"{told}, none open"


class _Stretch:
    """Gaps of one channel that lie too close to be told apart; moments are those of the steady timeline."""

    __slots__ = ("begins", "ends", "number")

    def __init__(self, begins: int, ends: int | None) -> None:
        self.begins = begins
        self.ends = ends
        self.number = 1


def _stretches(reading: FeedReading) -> dict[str, list[_Stretch]]:
    """Return by channel where data was missing in the last hour, no more of it than can be told apart.

    By whole microseconds, and one by one only where something is to be told: there may be ten thousand gaps.
    """
    since = reading.steady - _HOUR_US
    found: dict[str, list[_Stretch]] = {each.name: [] for each in reading.channels}
    recent = [each for each in reading.gaps if each.closed is None or each.closed > since]
    for gap in sorted(recent, key=lambda each: each.opened):
        lane = found.setdefault(gap.channel, [])
        last = lane[-1] if lane else None
        if last is None or (last.ends is not None and gap.opened - last.ends >= _APART):
            lane.append(_Stretch(gap.opened, gap.closed))
            continue
        last.number += 1
        ends = gap.closed  # read once: it may be closed meanwhile
        last.ends = None if ends is None or last.ends is None else max(last.ends, ends)
    return found


def _span(stretch: _Stretch, reading: FeedReading) -> GapSpan:
    """Return a stretch by the feed's clock as it is set now, whatever was done to it since."""
    begins = reading.now - (reading.steady - stretch.begins) / 1e6
    if stretch.ends is None:
        return GapSpan(begins, None, stretch.number, "")
    seconds = (stretch.ends - stretch.begins) / 1e6
    return GapSpan(begins, begins + seconds, stretch.number, lasted(seconds))

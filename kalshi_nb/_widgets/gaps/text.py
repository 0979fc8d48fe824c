"""Gaps without a browser: aligned lines for terminals, a table that stands still for saved notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kalshi_nb._widgets import numbers
from kalshi_nb._widgets.gaps.presenter import HOUR
from kalshi_nb._widgets.gaps.words import clock_time
from kalshi_nb._widgets.still import still_table

if TYPE_CHECKING:
    from kalshi_nb._widgets.gaps.picture import GapsPicture, Lane
    from kalshi_nb._widgets.gaps.words import GapLine

__all__ = ["GAP_HEADS", "gap_cells", "gaps_html", "gaps_text"]

GAP_HEADS: Final = ("seen", "channel", "market", "reason", "lasted", "missing seq", "repaired by")

_ROWS: Final = 40
"""Rows of a table that stands still: what a notebook stores stays under 20 KB."""

_CELLS: Final = 60
"""Minutes of the hour, a letter each."""

_LEGEND: Final = "the last hour, a letter a minute: # data is missing, · none is, blank before the feed"


def gap_cells(gap: GapLine, now: float) -> tuple[str, ...]:
    """Return a gap as the cells of a row."""
    seen = clock_time(gap.at, now)
    return (seen, gap.channel, gap.market, gap.reason, gap.lasted or "open", gap.missing, gap.repaired)


def gaps_text(picture: GapsPicture) -> str:
    """Return gaps as plain text: what there is in a line, the last hour a letter a minute, then a line a gap."""
    lines = [f"{_word(picture)} · {picture.summary}   (snapshot {numbers.moment(picture.clock)})"]
    width = max((len(each.channel) for each in picture.lanes), default=0)
    lines += [f"  {each.channel:<{width}}  {_hour(each, picture)}" for each in picture.lanes]
    if picture.lanes:
        lines.append(f"  {'':<{width}}  {_LEGEND}")
    if picture.gaps:
        table = [GAP_HEADS, *(gap_cells(each, picture.clock) for each in picture.gaps[:_ROWS])]
        widths = [max(len(row[column]) for row in table) for column in range(len(GAP_HEADS))]
        lines += [
            "  ".join(["", *(each.ljust(space) for each, space in zip(row, widths, strict=True))]).rstrip()
            for row in table
        ]
        lines += [f"  {each}" for each in _older(picture)]
    return "\n".join(lines)


def gaps_html(picture: GapsPicture, note: str = "") -> str:
    """Return gaps as a table that stands still.

    Parameters
    ----------
    picture : GapsPicture
        What to show; all text is escaped.
    note : str
        What to say below.

    Returns
    -------
    str
        Markup without script, address or id, under 20 KB.
    """
    caption = [picture.title, f"{_word(picture)} · {picture.summary}", f"snapshot {numbers.moment(picture.clock)}"]
    rows = [gap_cells(each, picture.clock) for each in picture.gaps[:_ROWS]] or [("no gaps", *[""] * 6)]
    return still_table(caption, GAP_HEADS, rows, [*_older(picture), *([note] if note else [])], right=(4,))


def _word(picture: GapsPicture) -> str:
    return f"{picture.state.glyph} {picture.state.words}"


def _older(picture: GapsPicture) -> list[str]:
    more = picture.gap_count - min(_ROWS, len(picture.gaps))
    return [f"{more:,} older ones are in feed.gaps"] if more else []


def _hour(lane: Lane, picture: GapsPicture) -> str:
    begins = picture.clock - HOUR
    step = HOUR / _CELLS
    letters = []
    for cell in range(_CELLS):
        low, high = begins + cell * step, begins + (cell + 1) * step
        missing = any(each.begins < high and (each.ends is None or each.ends >= low) for each in lane.spans)
        letters.append("#" if missing else " " if high <= picture.began else "·")
    return "".join(letters)

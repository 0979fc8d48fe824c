"""A feed's state without a browser: one line for terminals, and a table that stands still for saved notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kalshi_nb._widgets import numbers
from kalshi_nb._widgets.gaps.text import GAP_HEADS, gap_cells
from kalshi_nb._widgets.gaps.words import clock_time
from kalshi_nb._widgets.still import still_table

if TYPE_CHECKING:
    from kalshi_nb._widgets.status.picture import StatusPicture

__all__ = ["status_html", "status_line", "status_text"]

_HEADS: Final = ("channel", "markets", "last message", "messages/s", "seq", "gaps")


def status_line(picture: StatusPicture) -> str:
    """Return one line that says it all, worst first."""
    said = [f"{picture.state.glyph} {picture.state.words}"]
    for each in picture.pieces:
        when = "" if each.at is None else f" {clock_time(each.at, picture.clock)}"
        if each.name == "course":
            said[-1] = f"{said[-1]} {each.words}".rstrip()
        else:
            said.append(f"{each.words}{when}")
    return " · ".join(said)


def status_text(picture: StatusPicture) -> str:
    """Return the line, and the views that are open."""
    return f"{status_line(picture)}\n  {picture.views}"


def status_html(picture: StatusPicture, note: str = "") -> str:
    """Return it as tables that stand still: a row a channel, the newest gaps, and what somebody should look at.

    Parameters
    ----------
    picture : StatusPicture
        What to show; all text is escaped.
    note : str
        What to say below.

    Returns
    -------
    str
        Markup without script, address or id, under 20 KB.
    """
    foot = [picture.views]
    if picture.last_error:
        at = picture.last_error_at
        when = "" if at is None else f", {clock_time(at, picture.clock)}"
        foot.append(f"last error{when}: {picture.last_error}")
    foot += [f"warning: {each}" for each in picture.warnings]
    foot += [note] if note else []
    markup = still_table(
        [picture.title, status_line(picture), f"snapshot {numbers.moment(picture.clock)}"],
        _HEADS,
        picture.channels or [("no channel is wanted yet", *[""] * 5)],
        foot,
        right=(1, 2, 3, 4, 5),
    )
    if picture.gaps:
        more = picture.gap_count - len(picture.gaps)
        caption = f"newest gaps{f'; {more:,} older ones are in feed.gaps' if more else ''}"
        rows = [gap_cells(each, picture.clock) for each in picture.gaps]
        markup += still_table([caption], GAP_HEADS, rows, right=(4,))
    return markup

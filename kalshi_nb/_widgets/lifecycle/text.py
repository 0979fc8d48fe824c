"""The list of lifecycle events without a browser: its last lines as plain text, and as a table that stands still."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kalshi_nb._widgets import numbers
from kalshi_nb._widgets.still import still_table

if TYPE_CHECKING:
    from kalshi_nb._widgets.lifecycle.picture import LifecyclePicture

__all__ = ["lifecycle_html", "lifecycle_text"]

_ROWS: Final = 10
_MOST: Final = 120
"""Characters of a name."""


def lifecycle_text(picture: LifecyclePicture) -> str:
    """Return the last events as aligned plain text, newest first, without trailing blanks or a final newline."""
    rows = [("time (UTC)", "what happened", "market"), *_rows(picture)]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    lines = [
        f"{numbers.clean(picture.title)[:_MOST]}  {_summary(picture)}   (snapshot {numbers.moment(picture.clock)})"
    ]
    lines += [f"  {row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}".rstrip() for row in rows]
    lines += [] if picture.lines else [f"  {_nothing(picture)}"]
    lines += [f"({numbers.clean(picture.note)})"] if picture.note else []
    return "\n".join(lines)


def lifecycle_html(picture: LifecyclePicture, *, note: str = "") -> str:
    """Return the last events as a static HTML table with a note below; all text is escaped."""
    rows = _rows(picture) or [(_nothing(picture), "", "")]
    caption = [picture.title[:_MOST], _summary(picture), f"snapshot {numbers.moment(picture.clock)}"]
    foot = [each for each in (picture.note, note) if each]
    return still_table(caption, ("time (UTC)", "what happened", "market"), rows, foot)


def _summary(picture: LifecyclePicture) -> str:
    return f"{picture.status}, {picture.changes:,} change{'' if picture.changes == 1 else 's'}"


def _nothing(picture: LifecyclePicture) -> str:
    return "nothing happened" if picture.status == "closed" else "nothing has happened yet"


def _rows(picture: LifecyclePicture) -> list[tuple[str, str, str]]:
    day = numbers.moment(picture.clock)[:10]
    return [
        (
            numbers.moment(line.at).removesuffix(" UTC").removeprefix(f"{day} "),
            numbers.clean(f"{line.glyph} {line.words}")[:_MOST],
            "" if line.times > 1 else numbers.clean(" ".join(filter(None, (line.ticker[:_MOST], line.name[:_MOST])))),
        )
        for line in picture.lines[:_ROWS]
    ]

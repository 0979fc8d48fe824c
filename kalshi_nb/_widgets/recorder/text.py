"""A recorder without a browser: aligned lines for terminals, a table that stands still for saved notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kalshi_nb._widgets import numbers
from kalshi_nb._widgets.still import still_table

if TYPE_CHECKING:
    from kalshi_nb._widgets.recorder.picture import RecorderPicture

__all__ = ["recorder_html", "recorder_text"]

_WORDS: Final = {"live": "recording", "stale": "waiting: nothing is written", "closed": "closed"}


def recorder_text(picture: RecorderPicture) -> str:
    """Return a recorder as plain text, a line a fact."""
    lines = [f"{picture.title}  {_WORDS[picture.status]}   (snapshot {numbers.moment(picture.clock)})"]
    width = max(len(each.name) for each in picture.facts)
    lines += [f"  {each.name:<{width}}  {each.words}" for each in picture.facts]
    lines += [f"  {picture.trouble}"] if picture.trouble else []
    return "\n".join(lines)


def recorder_html(picture: RecorderPicture, note: str = "") -> str:
    """Return a recorder as a table that stands still, with a note below."""
    caption = [picture.title, _WORDS[picture.status], f"snapshot {numbers.moment(picture.clock)}"]
    foot = [each for each in (picture.trouble, note) if each]
    return still_table(caption, ("recorder", "as it is"), picture.facts, foot)

"""What the list of lifecycle events is handed: its newest lines at one moment, in words."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

__all__ = ["LifecyclePicture", "Line"]


class Line(NamedTuple):
    """One event, or a number of creations.

    Attributes
    ----------
    key : str
        What it is known by.
    at : float
        When it was told, epoch seconds.
    event_type : str
        The exchange's word.
    glyph, words : str
        What happened, by a sign and in words.
    name : str
        What the market or event asks; empty where that is not known.
    ticker : str
        The market's, or the event's; of several creations the series'.
    times : int
        How many creations it stands for.
    """

    key: str
    at: float
    event_type: str
    glyph: str
    words: str
    name: str
    ticker: str
    times: int = 1


class LifecyclePicture(NamedTuple):
    """All that the list shows, of one moment and never changed afterwards.

    Attributes
    ----------
    version : hashable
        Differs whenever anything that is shown does, but for ages.
    status : str
        ``"connecting"``, ``"live"``, ``"stale"`` or ``"closed"``.
    clock : float
        When it was taken by the feed's clock, epoch seconds.
    title : str
        What it is of.
    lines : tuple of Line
        Newest first.
    changes : int
        Events that ever came.
    age : float
        Seconds that data is missing for.
    note : str
        What is the matter; may be empty.
    """

    version: Hashable
    status: str
    clock: float
    title: str
    lines: tuple[Line, ...]
    changes: int
    age: float = 0.0
    note: str = ""

    def head(self) -> dict[str, Any]:
        """Return what the browser is sent of it in any case."""
        return {"clock": self.clock, "age": self.age, "note": self.note, "total": self.changes}

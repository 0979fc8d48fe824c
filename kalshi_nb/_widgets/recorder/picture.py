"""What the view of a recorder shows: facts in words, of one moment."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

__all__ = ["Fact", "RecorderPicture"]


class Fact(NamedTuple):
    """One thing that is known of a recorder.

    Attributes
    ----------
    name : str
        What it is.
    words : str
        How it stands.
    """

    name: str
    words: str


class RecorderPicture(NamedTuple):
    """All that the view of a recorder shows, never changed afterwards.

    Attributes
    ----------
    version : hashable
        Differs whenever anything that is shown does.
    status : str
        As every view has it: ``live``; ``stale`` while nothing can be written; ``closed``.
    clock : float
        When it was taken by the feed's own clock, epoch seconds.
    title : str
        The folder.
    facts : tuple of Fact
        What is known.
    trouble : str
        What is wrong, and what to do about it; empty where nothing is.
    changes : int
        Counts messages.
    """

    version: Hashable
    status: str
    clock: float
    title: str
    facts: tuple[Fact, ...]
    trouble: str
    changes: int

    def body(self) -> dict[str, Any]:
        """Return it as the browser is sent it."""
        return {
            "title": self.title,
            "clock": self.clock,
            "note": self.trouble,
            "facts": [list(each) for each in self.facts],
        }

"""What the views of one feed raised: handed by the feed to all that it shows, counted by the display thread."""

from __future__ import annotations

__all__ = ["ViewErrors"]


class ViewErrors:
    """How often views raised; one a feed, since the display thread is the process's.

    The display thread alone writes, any thread reads. What was raised is kept as text: with its traceback it would
    keep the view alive.

    Attributes
    ----------
    count : int
        How often.
    last : str
        What was raised last, as text; empty where nothing was.
    """

    def __init__(self) -> None:
        self.count = 0
        self.last = ""

    def told(self) -> list[str]:
        """Say what somebody should look at, a sentence or none."""
        return [f"{self.count} errors while showing what this feed has, the last {self.last}"] if self.count else []

    def note(self, error: BaseException) -> None:
        """Count what a view raised."""
        self.last = repr(error)  # first, so that whoever sees the count finds it
        self.count += 1

"""One call of ``connect()``, from its first step until its feed is in somebody's hands."""

from __future__ import annotations

from kalshi_nb._feed.feed import Feed
from kalshi_nb._feed.registry import closed_for_sure, registry
from kalshi_nb._offload import offloaded
from kalshi_nb.errors import FeedClosedError

__all__ = ["Attempt"]


class Attempt:
    """Who connects, and what was made for it so far; given up, nothing of it is left behind.

    A feed is noted here before its threads start. Whatever breaks the call off behind that, Ctrl-C or a task that is
    cancelled, the feed is taken back: closed and forgotten, unless somebody else has got it meanwhile, too.

    Attributes
    ----------
    made : Feed or None
        The feed that was made; None where a running one was found.
    is_given_up : bool
        Whether nobody waits for it any more.
    """

    def __init__(self) -> None:
        self.made: Feed | None = None
        self.is_given_up = False

    def begin(self, feed: Feed) -> None:
        """Note a feed that is about to be opened.

        Raises
        ------
        FeedClosedError
            When nobody waits for it any more.
        """
        self.made = feed
        self.check()

    def check(self) -> None:
        """Refuse to go on where nobody waits any more.

        Raises
        ------
        FeedClosedError
            When it was given up.
        """
        if self.is_given_up:
            raise FeedClosedError("Nobody waits for this connection any more.")

    def undo(self) -> None:
        """Take back what was made, and wait for its end; a second Ctrl-C ends the waiting, not the closing."""
        if self.made is not None:
            closed_for_sure(self._take_back)

    def give_up(self) -> None:
        """Take back what was made, and what is being made, without waiting; whoever makes it calls :meth:`undo`."""
        self.is_given_up = True
        offloaded(self._take_back, "kalshi-closing")

    def _take_back(self) -> None:
        if self.made is not None and registry.give_back(self.made):
            self.made.close()

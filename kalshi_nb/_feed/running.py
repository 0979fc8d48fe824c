"""What a script waits in, while the feed's threads do the work."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from kalshi_nb._durations import seconds as length_of_time
from kalshi_nb._threads import FEED_ROLES, refuse_on
from kalshi_nb._waiting import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable

    from kalshi_nb._durations import Duration
    from kalshi_nb._feed.replaying import Replaying
    from kalshi_nb._feed.standing import FeedStanding
    from kalshi_nb.sim import Exchange

__all__ = ["run"]

_LOOK: Final = 0.1
"""Seconds between two looks at whether the feed is over."""


def run(
    standing: FeedStanding,
    replaying: Replaying | None,
    seconds: Duration | None,
    tell: Callable[[], None],
    exchange: Exchange | None = None,
) -> None:
    """Block until the time is up, the feed is closed, its recording was played, or Ctrl-C.

    Parameters
    ----------
    standing : FeedStanding
        Tells whether the feed is closed.
    replaying : Replaying or None
        What plays a recording, where the feed is one's.
    seconds : str, timedelta, float or None
        How long at most.
    tell : callable
        Warns of what went wrong in the user's pipelines meanwhile.
    exchange : Exchange or None
        The simulated exchange of the feed: where its clock is moved by hand, it is moved here.
    """
    refuse_on(*FEED_ROLES, doing="feed.run()", instead="Call it at the end of the script")
    advice = 'give a length of time, such as 60, for seconds, or "10m", or None to run until Ctrl-C'
    length = None if seconds is None else length_of_time("seconds", seconds, advice)
    deadline = Deadline(length)
    standing.refuse_ended()
    tell()
    try:
        if exchange is not None and exchange.clock == "manual" and length is not None:
            exchange.advance(length)
            tell()
            return
        while not (standing.word or deadline.is_over):
            if replaying is not None and replaying.finished:
                replaying.wait()  # until what was played last can be read, too
                return
            time.sleep(deadline.left(_LOOK) or 0)
            tell()
    except KeyboardInterrupt:
        return

"""What a simulated exchange in this process waits for when its clock is moved by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kalshi_nb._threads import FEED_ROLES, refuse_on

if TYPE_CHECKING:
    from kalshi_nb._engine.port import Engine
    from kalshi_nb._streams.runner import Pipelines

__all__ = ["Follower"]


class Follower:
    """A feed, as the simulated exchange knows it; see :class:`kalshi_nb.sim.Follower`.

    It holds the feed's engine and pipelines and not the feed, so that one that nobody can reach any more goes.

    Parameters
    ----------
    engine : Engine
        Takes in what the exchange sends.
    pipelines : Pipelines
        Brings it to where it can be read.
    """

    def __init__(self, engine: Engine, pipelines: Pipelines) -> None:
        self._engine = engine
        self._pipelines = pipelines

    def __repr__(self) -> str:
        return f"<Feed {self._engine.url} {self._engine.state}>"

    def has_applied(self, up_to: Mapping[int, int]) -> bool:
        """Tell whether as many frames were received and applied as `up_to` says, by the port of a connection."""
        return self._engine.applied(up_to)

    def flush(self, timeout: float) -> None:
        """Wait until all that the feed has received can be read."""
        self._pipelines.flush(timeout)

    def hold(self) -> None:
        """Deliver only when `flush` asks for it, so that a step of the clock is one batch."""
        self._pipelines.hold()

    def let_go(self) -> None:
        """Deliver by itself again."""
        self._pipelines.let_go()

    def may_wait(self) -> None:
        """Refuse to be waited for on a thread that the feed itself needs."""
        refuse_on(*FEED_ROLES, doing="exchange.advance()", instead="Call it in a cell; it would wait for this thread")

"""How a pipeline is doing, as the thread that delivers to it writes it down."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from kalshi_nb._streams.failures import Failed, Failure
    from kalshi_nb._streams.losses import Losses
    from kalshi_nb._streams.rest import Rest

__all__ = ["Progress", "State"]

State = Literal["running", "resting", "closed", "forked"]


@dataclass(slots=True)
class Progress:
    """How a pipeline is doing: written by the thread that delivers to it, read by all.

    Whoever closes it writes `closed`, and nobody else does: what the two say is put together where it is asked for, so
    that neither overwrites the other.

    Attributes
    ----------
    losses : Losses
        What it never had.
    rest : Rest
        Whether it rests, and how long.
    closed : bool
        Whether it was closed.
    batches, rows, errors, waiting : int
        See `Pipeline`.
    last_error : Failure or None
        See `Pipeline`.
    failed : deque of Failed
        See `Pipeline`.
    errors_in_a_row : int
        Errors without one success between them.
    full : bool
        Whether more rows waited than may.
    began : float or None
        When the delivery began that is under way, on the computer's monotonic clock, in seconds.
    gaps_since : int
        Gaps with marks below this were before its rows were asked for, and are nothing of its own.
    took : float
        How many seconds the last one took.
    """

    losses: Losses
    rest: Rest
    closed: bool = False
    batches: int = 0
    rows: int = 0
    errors: int = 0
    waiting: int = 0
    last_error: Failure | None = None
    failed: deque[Failed] = field(default_factory=deque)
    errors_in_a_row: int = 0
    full: bool = False
    began: float | None = None
    gaps_since: int = 0
    took: float = 0.0

    @property
    def state(self) -> State:
        """See `Pipeline`."""
        if self.closed:
            return "closed"
        return "resting" if self.rest.active else "running"

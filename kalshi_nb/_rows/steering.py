"""Rows that say what to do with the rows around them.

They stand anywhere among the rows of a channel, and their place is their order: what is before one is applied
before it, what is after one is applied after it. They are no messages and no rows of a frame.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from kalshi_nb._rows.rows import Row

__all__ = ["STEERING", "ClockStepRow", "LateRows", "ResetRow", "SteeringRow"]


class ResetRow(NamedTuple):
    """What is before it is forgotten: frames are empty, and begin anew with what is after it.

    A replay that seeks puts one into every channel.
    """


class ClockStepRow(NamedTuple):
    """The computer's clock was set between the rows before it and those after it.

    Attributes
    ----------
    by : int
        How far, in microseconds; negative where it was set back.
    """

    by: int


class LateRows(NamedTuple):
    """Rows of the channel that were fetched after their time, to repair a gap.

    Attributes
    ----------
    rows : tuple of tuple
        The channel's own rows. They enter the feed's frames where their ``ts`` belongs, and reach no stream,
        message or callback.
    """

    rows: tuple[Row, ...]


SteeringRow = ResetRow | ClockStepRow | LateRows

STEERING: Final = frozenset({ResetRow, ClockStepRow, LateRows})
"""Their types: a batch without one of them is passed on as it is."""

"""What a feed was made with, beside its address and key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["DEFAULT_OPTIONS", "Options"]


@dataclass(frozen=True)
class Options:
    """What a feed was made with, beside its address and key; see :func:`kalshi_nb.connect`.

    Attributes
    ----------
    flush_interval : float
        Seconds that rows wait at most on their way to frames and pipelines.
    max_pending_rows : int
        Rows that may wait for slow pipelines.
    connections : int
        How many connections are kept.
    transport : str
        The library that speaks WebSocket.
    """

    flush_interval: float = 0.05
    max_pending_rows: int = 1_000_000
    connections: int = 1
    transport: Literal["websockets", "picows"] = "websockets"


DEFAULT_OPTIONS: Final = Options()

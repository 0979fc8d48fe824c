"""What is wanted of an engine, and the requests it became: one a connection that is to send some of it."""

from __future__ import annotations

import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field

from kalshi_nb._rows.wanted import Wanted
from kalshi_nb._session.requests import Outcome, Request

__all__ = ["LiveInterest", "Part"]


@dataclass(eq=False, slots=True)
class LiveInterest:
    """What somebody wants of one channel; see :class:`kalshi_nb._engine.port.Interest`.

    Attributes
    ----------
    channel : str
        The channel.
    wanted : frozenset of str, or ALL
        What is asked for; an empty set takes what the channel receives for others, and wants nothing of its own.
    rows : str or None
        Whose rows are made: the channel's own, quotes (of books), or none.
    parts : list of Part
        The requests; touched on the engine's thread alone, but for reading.
    is_released : bool
        Whether nobody holds it any more.
    """

    channel: str
    wanted: Wanted
    rows: str | None
    parts: list[Part] = field(default_factory=list)
    is_released: bool = False

    @property
    def connections(self) -> frozenset[int]:
        """The numbers, from 1, of the connections that it comes over now."""
        return frozenset(part.home + 1 for part in self.parts)


@dataclass(eq=False, slots=True)
class Part:
    """The share of an interest that one connection is to send.

    Attributes
    ----------
    interest : LiveInterest
        Whose share it is.
    home : int
        The connection, from 0.
    request : Request
        What its session was asked.
    answer : Future of Outcome
        Done when the exchange has answered, or there is nobody to answer.
    """

    interest: LiveInterest
    home: int
    request: Request
    answer: Future[Outcome]

    def outcome(self, until: float, timeout: float) -> Outcome:
        """Wait for the answer until a moment of the monotonic clock; what it was put off with is one in the end."""
        try:
            return self.answer.result(max(0.0, until - time.monotonic()))
        except FutureTimeoutError:
            return self.request.put_off or Outcome(0, f"no answer within {timeout:g} s", said_by="nobody")

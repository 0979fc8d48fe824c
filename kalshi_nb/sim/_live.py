"""The simulated market as a programme of the server: who is connected, and how time goes by."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from kalshi_nb.sim._attendance import Attendance
from kalshi_nb.sim._clocks import ManualTime

if TYPE_CHECKING:
    from collections.abc import Callable

    from kalshi_nb.sim._announcements import Announcement
    from kalshi_nb.sim._clocks import WallTime
    from kalshi_nb.sim._connection import Connection
    from kalshi_nb.sim._session import Session
    from kalshi_nb.sim._venue import Venue

__all__ = ["LiveMarket"]

_LEAST_SLEEP: Final = 0.004
"""Seconds; what happens within it goes out together."""
_LONGEST_LAG_US: Final = 30_000_000
"""A computer that slept longer than this finds the market where it left it."""
_LONGEST_SLEEP: Final = 1.0
"""Seconds; markets that are all over have nothing to wait for."""
_SLICE_US: Final = 250_000
"""How much is caught up before clients are heard again."""


class LiveMarket:
    """Sends one venue's events to every connection that is subscribed to them.

    Parameters
    ----------
    venue : Venue
        The markets.
    clock : WallTime or ManualTime
        The exchange's time.

    Attributes
    ----------
    on_change : callable
        Called with the time and the facts of markets when these change, after the frames that tell of it were sent.
    """

    def __init__(self, venue: Venue, clock: WallTime | ManualTime) -> None:
        self.venue = venue
        self._clock = clock
        self._attendance = Attendance(venue)
        self._paused = False
        self.on_change: Callable[[int, list[dict[str, Any]], list[dict[str, Any]]], None] = lambda *_: None

    async def run(self) -> None:
        """Let the wall clock drive the market; returns at once where the clock is moved by hand."""
        if isinstance(self._clock, ManualTime):
            return
        while True:
            now_us = self._clock.now_us()
            if self._paused:
                self.venue.postpone(max(0, now_us - self.venue.tape_next_us + 1))
            behind_us = now_us - self.venue.tape_next_us
            if behind_us > _LONGEST_LAG_US:
                self.venue.postpone(behind_us)
            elif behind_us > _SLICE_US:
                self._publish(self.venue.tape_next_us + _SLICE_US, stamped_us=now_us)
                await asyncio.sleep(0)
                continue
            self._publish(now_us, stamped_us=now_us)
            idle = (self.venue.next_us - now_us) / 1_000_000
            await asyncio.sleep(min(max(_LEAST_SLEEP, idle), _LONGEST_SLEEP))

    def advance_to(self, now_us: int) -> None:
        """Set the clock that is moved by hand, and send what happened until then."""
        assert isinstance(self._clock, ManualTime)
        if self._paused:
            self.venue.postpone(now_us - self._clock.now_us())
        self._clock.set(now_us)
        self._publish(now_us, stamped_us=None)

    async def attend(self, connection: Connection) -> None:
        """Answer a client's commands for as long as it stays."""
        await self._attendance.attend(connection)

    def forget(self, connection: Connection) -> None:
        """Send nothing more to a connection."""
        self._attendance.forget(connection)

    def pause(self, *, on: bool) -> None:
        """Let nothing happen in the market, or let it go on where it stood."""
        self._paused = on

    def sessions(self) -> dict[Connection, Session]:
        """Return who is connected now."""
        return self._attendance.sessions()

    def announce(self, announced: Announcement) -> int:
        """Send a message of somebody's own to those subscribed to it; return to how many."""
        if announced.subject is not None and announced.channel in self.venue.announced:
            self.venue.announced[announced.channel].add(announced.subject)
        return sum(session.announce(announced) for session in self._attendance.sessions().values())

    def _publish(self, until_us: int, *, stamped_us: int | None) -> None:
        sessions = list(self._attendance.sessions().values())
        for publication in self.venue.publish(until_us, stamped_us=stamped_us):
            for session in sessions:
                session.publish(publication)
        changed = self.venue.take_changed()
        if changed:
            self.on_change(self._clock.now_us(), *self.venue.facts(changed))

    def facts(self) -> tuple[int, list[dict[str, Any]], list[dict[str, Any]]]:
        """Return the time, and what all events and markets are, as plain data."""
        return self._clock.now_us(), *self.venue.facts()

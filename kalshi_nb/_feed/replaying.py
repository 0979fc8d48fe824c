"""How a replay goes on: its handle."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final, Literal

from kalshi_nb._durations import Duration
from kalshi_nb._durations import seconds as checked_seconds
from kalshi_nb._moments import Moment, datetime_of, moment_us
from kalshi_nb._recording.player import Pace, Player
from kalshi_nb._threads import refuse_on
from kalshi_nb._usage import setter, whole
from kalshi_nb.errors import RecordingError, UsageError, WaitTimeoutError

if TYPE_CHECKING:
    from kalshi_nb._recording.player import Follower

__all__ = ["Replaying"]

_LONGEST: Final = 1e300
"""Seconds, so that there are microseconds of them: any number is enough for all that is left, but no infinite one."""


class Replaying:
    """How a replay goes on, as ``feed.replaying``; made by :func:`kalshi_nb.replay`."""

    __setattr__ = setter("speed", instead="set speed, or call pause(), resume() or seek()")

    def __init__(self, player: Player) -> None:
        self._player = player

    def __repr__(self) -> str:
        speed = self._player.speed
        state = {
            "by hand": "moved by advance() and step()",
            "paused": "paused; resume() plays on",
            "": f"playing at {speed if speed == 'max' else f'{speed:g}'}",
        }.get(self.stands, "finished")
        reach = f"{self.start:%H:%M:%S} to {self.end:%H:%M:%S}"
        return f"<Replaying {self.time:%Y-%m-%d %H:%M:%S.%f} UTC of {reach}: {state}>"

    @property
    def speed(self) -> Pace:
        """Seconds of the recording a second, or ``"max"``; can be set."""
        return self._player.speed

    @speed.setter
    def speed(self, speed: Pace) -> None:
        self._player.set_speed(speed)

    @property
    def time(self) -> dt.datetime:
        """The moment of the recording that it has reached, UTC."""
        return datetime_of(self._player.clock.now_us())

    @property
    def start(self) -> dt.datetime:
        """The earliest that is played."""
        return datetime_of(self._player.first)

    @property
    def end(self) -> dt.datetime:
        """The latest that is played."""
        return datetime_of(self._player.last)

    @property
    def paused(self) -> bool:
        """Whether it stands until it is told to go on."""
        return self._player.paused

    @property
    def finished(self) -> bool:
        """Whether all of it was played."""
        return self._player.finished

    @property
    def late(self) -> float:
        """Seconds by which the newest message came later than its pace wanted it."""
        return self._player.late

    def pause(self) -> None:
        """Stand still; what was told stays."""
        self._by_the_wall("pause()")
        self._player.pause()

    def resume(self) -> None:
        """Play on."""
        self._by_the_wall("resume()")
        self._player.resume()

    def seek(self, when: Moment) -> None:
        """Go to a moment, back or ahead: books stand as they stood then, frames are empty and go on from there.

        Parameters
        ----------
        when : datetime, str or float
            As `start` of :func:`kalshi_nb.replay`; the nearest there is where it is outside.
        """
        refuse_on("io", "pipeline", "user", doing="seek()", instead="Call it in a cell")
        self._player.seek(moment_us("when", when))

    def step(self, n: int = 1) -> int:
        """Play the next messages, and stand; returns when they can be read.

        Parameters
        ----------
        n : int
            How many messages.

        Returns
        -------
        int
            How many there were.
        """
        refuse_on("io", "pipeline", "user", doing="step()", instead="Call it in a cell")
        return self._player.step(whole("n", n, "give how many messages to play, such as 1"))

    def advance(self, seconds: Duration) -> None:
        """Play exactly the next seconds of the recording, and stand; returns when they can be read.

        Parameters
        ----------
        seconds : str, timedelta or float
            ``"1m"``, a timedelta, or seconds, of the recording.

        Raises
        ------
        UsageError
            When it plays by itself: pause it first, or begin with ``clock="manual"``.
        ConfigurationError
            When `seconds` is no length of time.
        """
        refuse_on("io", "pipeline", "user", doing="advance()", instead="Call it in a cell")
        if not (self._player.is_manual or self._player.paused):
            raise UsageError('The replay plays by itself: pause() it first, or begin it with clock="manual".')
        advice = 'give a length of time of the recording, such as 60, for seconds, or "1m"'
        found = checked_seconds("seconds", seconds, advice, most=_LONGEST)
        self._player.advance(round(found * 1e6))

    def wait(self, timeout: float | None = None) -> None:
        """Wait until all was played, and can be read.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most.

        Raises
        ------
        WaitTimeoutError
            When it takes longer.
        UsageError
            When it stands, and would never end.
        RecordingError
            When the recording could not be read to its end.
        """
        refuse_on("io", "pipeline", "user", doing="wait()", instead="Call it in a cell")
        if not self.finished and (self._player.is_manual or self._player.paused):
            raise UsageError("The replay stands, and would never end: resume() it, or advance() it to its end.")
        if timeout is not None:
            timeout = checked_seconds("timeout", timeout, "give seconds to wait at most, or None")
        if not self._player.wait(timeout):
            raise WaitTimeoutError(
                f"The replay did not end within {timeout:g} s: it is at {self.time}, of {self.end}."
            )
        problem = self._player.problem
        if problem is not None:
            raise RecordingError(f"The recording could not be read to its end: {problem}") from problem

    def _by_the_wall(self, doing: str) -> None:
        if self._player.is_manual:
            raise UsageError(f"{doing}: this replay is moved by advance(seconds) and step(n) alone.")

    @property
    def stands(self) -> Literal["finished", "by hand", "paused", ""]:
        """How it stands, of whatever kind; nothing while it plays."""
        player = self._player
        if player.finished:
            return "finished"
        return "by hand" if player.is_manual else "paused" if player.paused else ""

    # What the feed asks of whoever moves its clock.

    def attach(self, follower: Follower) -> None:
        """Deliver to a feed; called by the feed itself."""
        self._player.attach(follower)

    def detach(self, follower: Follower) -> None:
        """Deliver to it no more."""

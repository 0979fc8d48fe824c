"""``replay()``: a feed on what was recorded, with the same frames, books, streams and views."""

from __future__ import annotations

import os
from typing import Any, Literal

from kalshi_nb._engine.offline import OfflineEngine
from kalshi_nb._feed.feed import Feed
from kalshi_nb._feed.registry import opened
from kalshi_nb._feed.replaying import Replaying
from kalshi_nb._foreign_names import corrected
from kalshi_nb._moments import Moment, datetime_of, moment_us
from kalshi_nb._recording.places import WHERE_RECORDED, check_options, check_path
from kalshi_nb._recording.player import Player, pace
from kalshi_nb._recording.recording import Recording, open_recording
from kalshi_nb._redaction import shown
from kalshi_nb._threads import refuse_on
from kalshi_nb._usage import flag
from kalshi_nb.errors import ConfigurationError

__all__ = ["replay", "span"]


@corrected
def replay(
    path: str | os.PathLike[str],
    speed: float | Literal["max"] = 1,
    *,
    start: Moment | None = None,
    end: Moment | None = None,
    paused: bool | None = None,
    clock: Literal["wall", "manual"] = "wall",
    **options: Any,
) -> Feed:
    """Play a recording: a feed as :func:`kalshi_nb.connect` gives one, with the same frames, books and views.

    Parameters
    ----------
    path : str or path
        What :func:`kalshi_nb.open_recording` takes.
    speed : float or "max"
        Seconds of the recording a second. ``"max"`` is as fast as your pipelines take it: nothing is dropped.
    start, end : datetime, str or float, optional
        From when to when: ``"2026-11-28T06:30:00Z"``, a datetime, or seconds since 1970, UTC unless they say
        otherwise. Books stand at `start` as they stood then.
    paused : bool, optional
        Whether it begins standing, until ``feed.replaying.resume()``. Left out, it does at full speed, so that frames
        can be asked for first, and otherwise plays at once.
    clock : str
        ``"manual"``: it goes on only by ``feed.replaying.advance(seconds)`` and ``step()``, each of which returns when
        all that it told can be read; the same calls give the same frames, byte for byte.
    **options
        What fsspec needs to get to an address; a path of this computer has none.

    Returns
    -------
    Feed
        With ``feed.replaying``, a :class:`Replaying`. What was not recorded cannot be asked for: such a call raises
        and says what was.

    Raises
    ------
    RecordingError
        When there is no recording, or nothing in it.
    ConfigurationError
        When a value will not do.
    UsageError
        When there is no such option; the nearest is named.
    """
    refuse_on("io", "pipeline", "user", "display", doing="replay()", instead="Call it in a cell")
    check_options(replay, check_path(path, WHERE_RECORDED), options)
    speed = pace(speed)
    if not isinstance(clock, str) or clock not in ("wall", "manual"):
        raise ConfigurationError(f'clock={shown(clock)}: it is "wall" or "manual".')
    begins_paused = speed == "max" if paused is None else flag("paused", paused)
    recording = open_recording(path, **options)
    first, last = span(recording, start, end)
    player = Player(
        recording._heard,  # noqa: SLF001  # the recording's own player
        first=first,
        last=last,
        speed=speed,
        is_manual=clock == "manual",
        paused=begins_paused,
    )
    engine = OfflineEngine(recording._recorded, player)  # noqa: SLF001  # as above
    return opened(Feed(engine, replaying=Replaying(player)), 10.0)


def span(recording: Recording, start: Moment | None, end: Moment | None) -> tuple[int, int]:
    """Return from when to when a recording is played, in microseconds.

    Raises
    ------
    RecordingError
        When there is nothing in it.
    ConfigurationError
        When there is nothing of it between the two.
    """
    began, ended = recording._reach()  # noqa: SLF001  # the recording's own player
    first = began if start is None else max(began, moment_us("start", start))
    last = ended if end is None else min(ended, moment_us("end", end))
    if first > last:
        raise ConfigurationError(
            f"There is nothing between start and end: {recording.path} is from {datetime_of(began):%Y-%m-%d %H:%M:%S} "
            f"to {datetime_of(ended):%Y-%m-%d %H:%M:%S} UTC."
        )
    return first, last

"""Where may be recorded: not into another recording or an export, and not behind what is later."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from kalshi_nb._moments import datetime_of
from kalshi_nb._recording.layout import ABOUT
from kalshi_nb._recording.reading import Segments
from kalshi_nb.errors import RecordingError

__all__ = ["check_place"]

_BACK: Final = 60_000_000
"""Microseconds by which a clock may have been set back since something was recorded."""


def check_place(folder: Path, now: int) -> None:
    """Refuse a folder in which a recording that begins now would not be one that can be read.

    Parameters
    ----------
    folder : Path
        The folder; it need not be there.
    now : int
        The moment by the feed's clock, in microseconds.

    Raises
    ------
    RecordingError
        When it lies in another recording, holds tables, or holds a recording of a later time.
    """
    place = folder.absolute()
    outer = next((each for each in place.parents if (each / ABOUT).is_file()), None)
    if outer is not None:
        raise RecordingError(
            f"{folder} lies in the recording {outer} and would be read as a part of it: name another."
        )
    if next(place.glob("channel=*"), None) is not None:
        raise RecordingError(f"{folder} holds exported tables, which others would not read any more: name another.")
    newest = _newest(place)
    if newest is not None and newest > now + _BACK:
        raise RecordingError(
            f"{folder} has a recording until {datetime_of(newest):%Y-%m-%d %H:%M:%S} UTC, and by this feed it is "
            f"{datetime_of(now):%Y-%m-%d %H:%M:%S} UTC: what is recorded goes on, never back. Name another folder."
        )


def _newest(folder: Path) -> int | None:
    """Return the latest time of what is recorded there, in microseconds; None where nothing is, or can be read."""
    try:
        return Segments(folder).newest()
    except RecordingError:
        return None

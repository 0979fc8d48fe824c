"""Where may be recorded, exported to, and looked for: what is no place, and where one thing would harm another."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from kalshi_nb._frames.addresses import told
from kalshi_nb._moments import datetime_of
from kalshi_nb._recording.disk import refusals
from kalshi_nb._recording.layout import ABOUT
from kalshi_nb._recording.reading import Segments
from kalshi_nb._redaction import has_bytes, shown
from kalshi_nb.errors import ConfigurationError, RecordingError

__all__ = ["check_out", "check_path", "check_place"]

_BACK: Final = 60_000_000
"""Microseconds by which a clock may have been set back since something was recorded."""


def check_path(path: object, example: str) -> str:
    """Return a path as text.

    Parameters
    ----------
    path : str or path
        The path, or an address.
    example : str
        What to give in place of what is none.

    Raises
    ------
    ConfigurationError
        When it is none.
    """
    text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else None
    if not isinstance(text, str) or not text.strip():
        raise ConfigurationError(f"path={shown(path)} is no path: give {example}.")
    if "\0" in text or not has_bytes(text):
        raise ConfigurationError(
            f"path={shown(path)} has a zero byte, or half a character, in it, as no file's name has: give {example}."
        )
    return text


def check_out(out: str) -> None:
    """Refuse a folder to export to where a recording would be harmed.

    Parameters
    ----------
    out : str
        The folder; it need not be there.

    Raises
    ------
    RecordingError
        When it is a recording, or lies in one, into which nothing could be recorded any more; or the disk does not
        even say what is there.
    """
    place = Path(os.path.abspath(out))  # noqa: PTH100  # links stay as they are
    with refusals(f"{told(str(place))} cannot be exported to"):
        is_recording, outer = (place / ABOUT).is_file(), _outer(place)
    if is_recording:
        raise RecordingError(f"{out} is a recording: name a folder beside it for the tables.")
    if outer is not None:
        raise RecordingError(f"{out} lies in the recording {outer}: name a folder beside that for the tables.")


def _outer(place: Path) -> Path | None:
    """Return the recording that a folder lies in; None where it lies in none."""
    return next((each for each in place.parents if (each / ABOUT).is_file()), None)


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
        When it lies in another recording, holds tables, or holds a recording of a later time; or the disk does not
        even say what is there.
    """
    with refusals(f"{told(str(folder))} cannot be recorded into"):
        _check_place(folder, folder.absolute(), now)


def _check_place(folder: Path, place: Path, now: int) -> None:
    if place.is_file():
        raise RecordingError(f"{folder} is a file: name a folder to record into, which is made where it is missing.")
    outer = _outer(place)
    if outer is not None:
        raise RecordingError(
            f"{folder} lies in the recording {outer} and would be read as a part of it: name another."
        )
    if next(place.glob("channel=*"), None) is not None:
        raise RecordingError(f"{folder} holds exported tables, which others would not read any more: name another.")
    inner = next((each for each in place.glob(f"*/{ABOUT}")), None)
    if inner is not None:
        raise RecordingError(
            f"{folder} has the recording {inner.parent.name} in it, and the two would be read as one: name a folder "
            "beside that."
        )
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

"""Where may be recorded, exported to, and looked for: what is no place, and where one thing would harm another."""

from __future__ import annotations

import glob
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Any, Final

from kalshi_nb._foreign_names import no_argument
from kalshi_nb._frames.addresses import address_of, told
from kalshi_nb._frames.files import local_path
from kalshi_nb._moments import datetime_of
from kalshi_nb._recording.about import read_about
from kalshi_nb._recording.disk import refusals
from kalshi_nb._recording.layout import ABOUT, BACKFILLED, DAY, UNWRITTEN, read_name
from kalshi_nb._recording.reading import Segments
from kalshi_nb._redaction import has_bytes, shown
from kalshi_nb.errors import ConfigurationError, NewerRecordingError, RecordingError

__all__ = ["WHERE_RECORDED", "check_folder", "check_options", "check_out", "check_path", "check_place"]

_BACK: Final = 60_000_000
"""Microseconds by which a clock may have been set back since something was recorded."""

WHERE_RECORDED: Final = "the folder that was recorded into, such as 'data/night'"
"""What to give in place of what is no path of a recording."""

_MOST: Final = 20_000
"""Files and folders that are looked at, beside segments, where it is not sure that a recording is meant."""

_OURS: Final = (
    "market_tickers",
    "channels",
    "start",
    "begin",
    "since",
    "end",
    "until",
    "speed",
    "paused",
    "clock",
)
"""Words for what recordings are asked; no store is opened by one of these."""
_AS_NEAR: Final = 0.75  # "strat" is "start"; "anon", "user" and "password" are what stores want


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


def check_options(function: Callable[..., Any], path: str, options: Mapping[str, object]) -> None:
    """Refuse what was passed by a name that means nothing, before anything is read.

    Parameters
    ----------
    function : callable
        Whom it was passed to, beside its own arguments.
    path : str
        What is to be opened: only an address has options, of the store there.
    options : mapping
        What was passed, by name.

    Raises
    ------
    UsageError
        When one is no option of a store's; the nearest argument is named.
    """
    is_elsewhere = address_of(path) is not None
    for each in options:
        if not is_elsewhere or get_close_matches(each, _OURS, 1, _AS_NEAR):
            raise no_argument(function, each)


def check_folder(path: str) -> None:
    """Refuse a folder of this computer in which to look for segments would take for ever, or be in vain.

    Raises
    ------
    RecordingError
        When it has more files than any recording, or is one whose segments are none any more; or the disk does not
        even say what is there.
    """
    if address_of(path) is None:
        with refusals(f"{told(path)} cannot be read"):
            _check_folder(local_path(path))


def _check_folder(place: Path) -> None:
    if not place.is_dir():
        return
    if not (place / ABOUT).is_file():
        _check_extent(place)
    elif (odd := _no_segments(place)) is not None:
        raise RecordingError(
            f"{place} is a recording that has no segment: there is {odd}. A segment is compressed, and is called "
            "….jsonl.zst or ….jsonl.zst.part, as it was recorded: undo what was done to them, or copy the recording "
            "anew."
        )


def _check_extent(place: Path) -> None:
    """Refuse what is too large to be gone through, such as a whole disk."""
    count, folders = 0, deque([str(place)])
    while folders:
        for each in _visible(folders.popleft()):
            count += read_name(each.name) is None
            if count > _MOST:
                raise RecordingError(
                    f"{place} has more than {_MOST:,} files in it that are of no recording: name the folder of the "
                    "recording."
                )
            if _is_folder(each):
                folders.append(each.path)


def _visible(folder: str) -> Iterator[os.DirEntry[str]]:
    """Yield what is in a folder and not hidden, as no segment is; nothing where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            yield from (each for each in entries if not each.name.startswith("."))
    except OSError:
        return


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Tell whether it is one, or a link to one; False where nobody may look."""
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()  # noqa: PTH112  # a Path would raise


def _no_segments(place: Path) -> str | None:
    """Return the names of some files that stand where segments should; None where there are segments, or no files."""
    # As they are looked for: links to folders are followed.
    if next(glob.iglob("**/*.jsonl.zst*", root_dir=place, recursive=True), None) is not None:  # noqa: PTH207
        return None
    days = [each.path for each in _visible(str(place)) if DAY.fullmatch(each.name) and _is_folder(each)]
    own = {ABOUT, UNWRITTEN, BACKFILLED}
    files = (
        str(Path(each.path).relative_to(place))
        for folder in (str(place), *sorted(days))
        for each in _visible(folder)
        if each.name not in own and not _is_folder(each)
    )
    return ", ".join(islice(files, 3)) or None


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


def check_place(folder: Path, now: int, played: str | None = None) -> None:
    """Refuse a folder in which a recording that begins now would not be one that can be read.

    Parameters
    ----------
    folder : Path
        The folder; it need not be there.
    now : int
        The moment by the feed's clock, in microseconds.
    played : str, optional
        Where the recording is that the feed plays.

    Raises
    ------
    RecordingError
        When it lies in another recording, holds tables, holds a recording of a later time, or is what the feed plays;
        or the disk does not even say what is there.
    NewerRecordingError
        When it holds a recording that a newer version of the package made.
    """
    with refusals(f"{told(str(folder))} cannot be recorded into"):
        if played is not None and address_of(played) is None and _is_in(folder, local_path(played)):
            raise RecordingError(
                f"{folder} is what this feed plays, and each of its messages would stand there twice: name another "
                "folder. To go on with that recording, record with a feed of the exchange."
            )
        _check_place(folder, folder.absolute(), now)


def _is_in(folder: Path, place: Path) -> bool:
    """Tell whether a recording, or a segment of one, lies in a folder, by whatever names both are called."""
    found = place.resolve()
    return folder.resolve() in (found.parents[:2] if found.is_file() else (found,))


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
    read_about(str(place))
    if place.is_dir() and not (place / ABOUT).is_file():
        _check_extent(place)
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
    except NewerRecordingError:
        raise
    except RecordingError:
        return None

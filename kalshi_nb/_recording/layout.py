"""What the files of a recording are called, and where they lie."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import Final, NamedTuple

__all__ = [
    "ABOUT",
    "BACKFILLED",
    "DAY",
    "LOCK",
    "PART",
    "UNWRITTEN",
    "SegmentName",
    "began",
    "moment",
    "name_of",
    "read_name",
]

ABOUT: Final = "recording.json"
"""What the recording is of, written once."""

LOCK: Final = ".lock"
"""Held by whoever writes."""

UNWRITTEN: Final = "unwritten.json"
"""What could not be written at the end, where that is so."""

BACKFILLED: Final = "backfilled"
"""The folder of what was fetched later, beside the segments."""

PART: Final = ".part"
"""What the name of a segment ends with until it is sealed."""

_NAME: Final = re.compile(r"(?P<began>\d{8}T\d{6}\.\d{6}Z)-(?P<number>\d{6,12})\.jsonl\.zst(?P<part>\.part)?")
DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
"""What the folder of a day is called."""

_LAST: Final = 253_402_300_799_999_999
"""The last microsecond that has a date."""


class SegmentName(NamedTuple):
    """What a file's name says."""

    number: int
    sealed: bool


def name_of(at: int, number: int) -> str:
    """Return the path, below the folder of the recording, of the segment that begins at a microsecond."""
    began = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=min(max(at, 0), _LAST))
    return f"{began:%Y-%m-%d}/{began:%Y%m%dT%H%M%S.%fZ}-{number:06d}.jsonl.zst"


def read_name(path: str) -> SegmentName | None:
    """Return what a segment's path says, None where it is none's."""
    found = _found(path)
    return None if found is None else SegmentName(int(found["number"]), found["part"] is None)


def began(path: str) -> int:
    """Return the microsecond at which a segment begins, by its path; 0 where that does not say it."""
    found = _found(path)
    try:
        said = datetime.strptime("" if found is None else found["began"], "%Y%m%dT%H%M%S.%f%z")
    except ValueError:
        return 0
    return (said - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _found(path: str) -> re.Match[str] | None:
    return _NAME.fullmatch(PurePosixPath(path.replace("\\", "/")).name)


def moment(at: int) -> str:
    """Return a microsecond for people."""
    try:
        return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at):%Y-%m-%d %H:%M:%S} UTC"
    except OverflowError:
        return f"{at} µs"

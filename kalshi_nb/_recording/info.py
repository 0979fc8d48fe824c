"""What a recording is, for people: the answer of ``recording.info()``."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

__all__ = ["RecordingInfo"]


@dataclass(frozen=True)
class RecordingInfo:
    """What a recording is.

    Attributes
    ----------
    path : str
        Where it is.
    start, end : datetime or None
        The earliest and the latest time in it, UTC.
    segments, sealed : int
        How many files, and how many of them were closed in good order.
    messages : dict of str to int
        Messages of the exchange that can be read, by their type.
    unreadable : dict of str to int
        Those that were written and cannot be read, as far as the indexes know of them.
    wanted : dict of str to list of str or None
        Markets that this recorder was asked for, by channel; None for all of them. Other markets of a channel may be
        in it, which its feed received for others.
    missing : dict of str to list of str
        Markets that were asked for by name and of which nothing ever came, by channel: quiet ones, or such as do not
        exist.
    losses : list of str
        What the recording itself says that it did not keep.
    damages : list of str
        What cannot be read, and what that cost; None of it is ever handed out as rows.
    raw_bytes, file_bytes : int
        Bytes as they came, and of the files.
    backfilled : int
        Trades that were fetched later, by ``recording.repair()``; they are none of the messages.
    """

    path: str
    start: dt.datetime | None
    end: dt.datetime | None
    segments: int
    sealed: int
    messages: dict[str, int]
    unreadable: dict[str, int]
    wanted: dict[str, list[str] | None]
    missing: dict[str, list[str]]
    losses: list[str]
    damages: list[str]
    raw_bytes: int
    file_bytes: int
    backfilled: int = 0

"""Messages that somebody puts into the exchange's mouth, for the channels that its market does not speak on."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import Any

from kalshi_nb.errors import SimulationError
from kalshi_nb.sim._channels import CHANNELS, subject_of

__all__ = ["Announcement", "announcement", "is_in_shard"]


@dataclass(frozen=True, slots=True)
class Announcement:
    """One message for everybody who is subscribed to its channel.

    Attributes
    ----------
    channel : str
        The channel.
    kind : str
        The frame's ``type``.
    subject : str or None
        The market, index or underlying it is about.
    own : bool
        Whether it is about a request of the client's own.
    body : str
        The text of its ``msg``.
    """

    channel: str
    kind: str
    subject: str | None
    own: bool
    body: str


def announcement(channel: str, kind: str, message: dict[str, Any], *, own: bool) -> Announcement:
    """Return a checked announcement.

    Raises
    ------
    SimulationError
        There is no such channel, or the message is none that JSON can hold.
    """
    if channel not in CHANNELS:
        raise SimulationError(f"There is no channel {channel!r}; take one of {', '.join(CHANNELS)}.")
    if not isinstance(kind, str) or not kind:
        raise SimulationError(f"type={kind!r} is no type of a message; pass text such as 'fill'.")
    if not isinstance(message, dict):
        raise SimulationError(f"A message is a dict of its fields, not {type(message).__name__}.")
    try:
        body = json.dumps(message, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise SimulationError(
            f"This message cannot be written as JSON: {error}. Pass text, numbers, lists and dicts."
        ) from error
    return Announcement(channel, kind, subject_of(channel, message), own, body)


def is_in_shard(subject: str | None, shard: tuple[int, int] | None) -> bool:
    """Say whether a message about `subject` belongs to the part ``(factor, key)`` of its channel."""
    if shard is None or subject is None:
        return True
    factor, key = shard
    return zlib.crc32(subject.encode()) % factor == key

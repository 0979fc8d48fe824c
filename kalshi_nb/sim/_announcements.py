"""Messages that somebody puts into the exchange's mouth, for the channels that its market does not speak on."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import Final

from kalshi_nb.errors import SimulationError
from kalshi_nb.sim._arguments import check_flag
from kalshi_nb.sim._channels import CHANNELS, subject_of
from kalshi_nb.sim._shown import is_short, shown

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


_NEEDED: Final[dict[str, tuple[str, ...]]] = {
    "fill": ("trade_id", "order_id", "market_ticker", "yes_price_dollars", "count_fp"),
    "user_order": ("order_id", "ticker"),
    "market_position": ("market_ticker", "position_fp"),
}
"""What the messages about an account stand by: without one of these nobody can tell what they are about."""


def announcement(channel: str, kind: str, message: object, *, own: bool, check: bool) -> Announcement:
    """Return a checked announcement.

    Raises
    ------
    SimulationError
        There is no such channel, the message is none that JSON can hold, or, unless `check` is false, lacks what it
        stands by.
    """
    check_flag("own", own)
    check_flag("check", check)
    if not isinstance(channel, str) or channel not in CHANNELS:
        raise SimulationError(f"There is no channel {shown(channel)}; take one of {', '.join(CHANNELS)}.")
    if not isinstance(kind, str) or not kind or not is_short(kind):
        raise SimulationError(
            f"type={shown(kind)} is no type of a message; pass the channel, the type and the fields, such as "
            "publish('fill', 'fill', {…})."
        )
    if not isinstance(message, dict):
        raise SimulationError(f"A message is a dict of its fields, not {shown(message)}.")
    missing = [each for each in _NEEDED.get(kind, ()) if each not in message]
    if check and missing:
        raise SimulationError(
            f"A message {kind!r} needs {', '.join(_NEEDED[kind])}; here {', '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing. To send it all the same, pass check=False."
        )
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

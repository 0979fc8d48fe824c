"""What is in a segment, frame by frame: written at its end, where other readers of zstd pass it over.

It only saves work: whoever finds none, or a damaged one, makes it anew of the segment's lines.
"""

from __future__ import annotations

import struct
from collections import Counter
from typing import Any, Final
from zlib import crc32

import msgspec

from kalshi_nb._recording.joining import TYPE_BEGINS, Joined
from kalshi_nb._recording.zstd import ZstdError, compress, decompress
from kalshi_nb._rows.channels import BOOKS
from kalshi_nb._rows.heard import LOSSES, Checkpoint, Event, Heard, Read, Sent

__all__ = ["FOOTER", "HEADER", "FrameEntry", "Index", "IndexBuilder", "bytes_behind", "pack", "tail_size", "unpack"]

SKIPPABLE: Final = 0x184D2A50
"""What a frame begins with that holds no data, in zstd."""

_HEAD: Final = struct.Struct("<II")
_FOOT: Final = struct.Struct("<II8s")
_SIGN: Final = b"kalshinb"
HEADER: Final = _HEAD.size
"""Bytes at the beginning of an index that say how long it is."""

FOOTER: Final = _FOOT.size
"""Bytes at the very end that say how long the index is."""


class FrameEntry(msgspec.Struct):
    """One zstd frame of a segment.

    Attributes
    ----------
    offset, size : int
        Its bytes in the file.
    raw : int
        Its bytes when decompressed.
    lines : int
        The lines of the segment up to its end.
    first, last : int or None
        The earliest and the latest time in it; None where there is no item.
    messages : dict of str to int
        How many frames of the exchange, by their type; those whose first bytes do not say it by an empty one.
    others : int
        Items that are not reads, which whoever wants some types only needs, too.
    """

    offset: int
    size: int = 0
    raw: int = 0
    lines: int = 0
    first: int | None = None
    last: int | None = None
    messages: dict[str, int] = {}
    others: int = 0


class Index(msgspec.Struct):
    """All of a segment.

    Attributes
    ----------
    size : int
        Where in the file the data ends.
    frames : list of FrameEntry
        In their order.
    checkpoints : list of (int, int)
        The time of each, and the number of the frame in which it begins.
    losses : list of (int, str, str)
        Time, kind and text of events that say that something is missing.
    wanted : dict of str to list of str or None
        What was asked for, by channel, None for all; by an empty name where a command named a subscription only.
    homes : dict of str to int
        Over which connection the book of a market came, where that is another than the first.
    connections : int
        The highest number of a connection.
    ended : bool
        Whether the segment was closed in good order.
    """

    size: int = 0
    frames: list[FrameEntry] = []
    checkpoints: list[tuple[int, int]] = []
    losses: list[tuple[int, str, str]] = []
    wanted: dict[str, list[str] | None] = {}
    homes: dict[str, int] = {}
    connections: int = 1
    ended: bool = False


class _Params(msgspec.Struct):
    channels: list[str] = []
    action: str = ""


class _Command(msgspec.Struct):
    cmd: str = ""
    params: dict[str, Any] = {}


_command = msgspec.json.Decoder(_Command).decode


class IndexBuilder:
    """Makes an index of the items as they go by; whoever calls says where frames end."""

    def __init__(self) -> None:
        self.index = Index()
        self._entry = FrameEntry(0)
        self._messages: Counter[bytes] = Counter()
        self._wanted: dict[str, set[str] | None] = {}

    def add(self, item: Heard | Joined) -> None:
        """Take note of an item of the frame that is being written."""
        entry, at = self._entry, item.at
        entry.first = at if entry.first is None else min(entry.first, at)
        entry.last = at if entry.last is None else max(entry.last, at)
        if isinstance(item, (Joined, Read)):
            self.index.connections = max(self.index.connections, item.connection)
            self._messages.update(item.types if isinstance(item, Joined) else map(_begins, item.messages))
            return
        entry.others += 1
        if isinstance(item, Checkpoint):
            self.index.checkpoints.append((at, len(self.index.frames)))
            for each in item.subscriptions:
                self._want(each.channel, each.market_tickers)
            for book in item.books:
                self._find(book.market_ticker, book.connection)
        elif isinstance(item, Sent):
            self._sent(item.command, item.connection)
        elif isinstance(item, Event) and item.kind in LOSSES:
            self.index.losses.append((at, item.kind, item.text))

    def lost(self) -> None:
        """Take note that something is missing in this frame, which whoever reads is to be told."""
        self._entry.others += 1

    def end_frame(self, offset: int, *, raw: int, lines: int) -> None:
        """Take note that the frame ends at an offset of the file."""
        entry = self._entry
        entry.size, entry.raw, entry.lines = offset - entry.offset, raw, lines
        entry.messages = _by_type(self._messages)
        self.index.frames.append(entry)
        self.index.size = offset
        self._entry = FrameEntry(offset)
        self._messages.clear()

    def done(self, *, ended: bool) -> Index:
        """Return the index of the frames up to the last that has ended."""
        self.index.wanted = {
            channel: None if those is None else sorted(those) for channel, those in sorted(self._wanted.items())
        }
        self.index.ended = ended
        return self.index

    def _find(self, market_ticker: str, connection: int) -> None:
        """Take note over which connection a book comes."""
        self.index.connections = max(self.index.connections, connection)
        if connection > 1:
            self.index.homes[market_ticker] = connection
        else:
            self.index.homes.pop(market_ticker, None)

    def _sent(self, command: bytes, connection: int) -> None:
        try:
            said = _command(command)
            plain = msgspec.convert(said.params, _Params)
        except msgspec.DecodeError:
            return
        if said.cmd not in ("subscribe", "update_subscription") or plain.action.startswith(("delete", "get")):
            return
        lists = [
            each for key, each in said.params.items() if key not in ("channels", "sids") and isinstance(each, list)
        ]
        named = [str(each) for some in lists for each in some]
        for channel in plain.channels or [""]:
            self._want(channel, named if lists else None)
            if channel in ("", BOOKS):
                for each in named:
                    self._find(each, connection)

    def _want(self, channel: str, market_tickers: Any) -> None:
        if market_tickers is None:
            self._wanted[channel] = None
        else:
            known = self._wanted.setdefault(channel, set())
            if known is not None:
                known.update(market_tickers)


def _begins(message: bytes) -> bytes:
    return message[: message.find(b'"', len(TYPE_BEGINS))]


def _by_type(messages: Counter[bytes]) -> dict[str, int]:
    """Count by type what was counted by the first bytes."""
    found: Counter[str] = Counter()
    for begins, count in messages.items():
        name = begins[len(TYPE_BEGINS) :].decode("ascii", "replace") if begins.startswith(TYPE_BEGINS) else ""
        found[name] += count
    return dict(sorted(found.items()))


def pack(index: Index) -> bytes:
    """Return the index as a frame of zstd that holds no data."""
    body = compress(msgspec.json.encode(index))
    foot = _FOOT.pack(crc32(body), len(body), _SIGN)
    return _HEAD.pack(SKIPPABLE, len(body) + len(foot)) + body + foot


def tail_size(foot: bytes) -> int | None:
    """Return how many bytes at the end of a file are its index, by the very last of them; None where there is none."""
    if len(foot) != FOOTER:
        return None
    _, size, sign = _FOOT.unpack(foot)
    return _HEAD.size + size + FOOTER if sign == _SIGN else None


def bytes_behind(head: bytes, size: int) -> int:
    """Return how many bytes stand behind the end of a segment that are no index, by the first of all that do."""
    if len(head) < HEADER:
        return size
    sign, length = _HEAD.unpack(head)
    return max(0, size - HEADER - length) if sign == SKIPPABLE else size


def unpack(tail: bytes, offset: int) -> Index | None:
    """Return the index that stands at an offset of a file, None where it is damaged or of another file."""
    body = tail[_HEAD.size : -FOOTER]
    total, size, _ = _FOOT.unpack(tail[-FOOTER:])
    if len(body) != size or crc32(body) != total or tail[: _HEAD.size] != _HEAD.pack(SKIPPABLE, size + FOOTER):
        return None
    try:
        index = msgspec.json.decode(decompress(body), type=Index)
    except (msgspec.DecodeError, ZstdError):
        return None
    return index if index.size == offset else None

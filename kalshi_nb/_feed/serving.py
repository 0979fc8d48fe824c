"""A recording as a server: what was recorded, message by message, for whoever gives each client what it asked for.

An offline engine is told the recording, as by a replay: so books, and the times at which they are not to be trusted,
are those that the recorded feed had. Nothing else that it makes is sent: messages go on as they came, and are counted
here by themselves. A message under a number that came before is none; one that leaves numbers out shows that something
is lost; and so do the ends of connections and of subscriptions, and what the recording says of itself.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

import msgspec

from kalshi_nb._engine.offline import OfflineEngine
from kalshi_nb._feed.replay import span
from kalshi_nb._moments import Moment
from kalshi_nb._recording.kinds import types_of
from kalshi_nb._recording.places import WHERE_RECORDED, check_options, check_path
from kalshi_nb._recording.player import pace
from kalshi_nb._recording.recording import Recording, open_recording
from kalshi_nb._rows.channels import BOOKS, CHANNELS, traits_of
from kalshi_nb._rows.gaps import OldNumbers
from kalshi_nb._rows.heard import LOSSES, Checkpoint, Event, Heard, Read
from kalshi_nb._rows.wanted import All
from kalshi_nb.sim._replay_server import ReplayServer
from kalshi_nb.sim._replayed import Book, Loss, Message

__all__ = ["ServedRecording", "serve"]

_CHANNELS_OF: Final[dict[str, list[str]]] = {}
for _channel in CHANNELS:
    for _type in types_of(_channel):
        _CHANNELS_OF.setdefault(_type, []).append(_channel)

_ANSWERS: Final = frozenset(
    {"ok", "error", "subscribed", "unsubscribed", "orderbook_snapshot"}
    | {each for each in _CHANNELS_OF if each.endswith("list")}
)
"""What answers commands: each client gets answers to its own, and its books whole as they stand when it asks."""

_BOOK_TYPES: Final = types_of(BOOKS)
_ENDS: Final = frozenset({10, 25})
_KNOWN: Final = frozenset({"live", "unknown"})


class _Envelope(msgspec.Struct):
    type: str
    sid: int | None = None
    seq: int | None = None
    msg: msgspec.Raw = msgspec.Raw()
    sending_ts_ms: int | None = None


class _About(msgspec.Struct):
    """What is read of a message: what it is about, and what of it has to be said of a book again."""

    market_ticker: str | None = None
    ticker: str | None = None
    index_id: str | None = None
    underlying_ticker: str | None = None
    market_id: str | None = None
    clock: int | None = None
    channel: str | None = None
    sid: int | None = None
    code: int | None = None

    @property
    def subject(self) -> str | None:
        return self.market_ticker or self.ticker or self.index_id or self.underlying_ticker


_envelope = msgspec.json.Decoder(_Envelope).decode
_about = msgspec.json.Decoder(_About).decode
_NOTHING: Final = _About()


def serve(
    path: str | os.PathLike[str],
    speed: float | Literal["max"] = 1,
    *,
    start: Moment | None = None,
    end: Moment | None = None,
    port: int = 0,
    anyone: bool = False,
    held: bool = False,
    **options: Any,
) -> ReplayServer:
    """Serve a recording on this computer, to any client of the exchange's.

    Parameters
    ----------
    path, speed, start, end, **options
        As for :func:`kalshi_nb.replay`; at ``"max"`` it goes as fast as the slowest client takes it.
    port : int
        Where it listens; 0 takes a free port.
    anyone : bool
        Whether every key is let in.
    held : bool
        Whether it stands until ``begin()``; else until half a second after a client's first subscriptions.

    Raises
    ------
    RecordingError
        When there is no recording, or nothing in it.
    ConfigurationError
        When a value will not do.
    UsageError
        When there is no such option.
    SimulationError
        When the port cannot be had.
    """
    check_options(serve, check_path(path, WHERE_RECORDED), options)
    found = pace(speed)
    recording = open_recording(path, **options)
    recorded = ServedRecording(recording, *span(recording, start, end))
    return ReplayServer(recorded, None if found == "max" else found, port=port, anyone=anyone, held=held)


class ServedRecording:
    """A recording as a server plays it; see :class:`kalshi_nb.sim._replayed.Recorded`.

    Parameters
    ----------
    recording : Recording
        What is played.
    first, last : int
        The earliest and the latest microsecond of it; books stand at `first` as they stood then.

    Attributes
    ----------
    channels : dict of str to frozenset of str or None
        What was recorded, by channel; None for all of it.
    market_ids : dict of str to str
        The uuids of markets, as far as they came.
    """

    def __init__(self, recording: Recording, first: int, last: int) -> None:
        recorded = recording._recorded  # noqa: SLF001  # the recording's own server
        self.channels = {
            channel: None if isinstance(names, All) else names for channel, names in recorded.channels.items()
        }
        self.market_ids: dict[str, str] = {}
        self._clocks: dict[str, int] = {}
        self._books = self.channels.get(BOOKS) or frozenset()
        self._standing: set[str] = set()
        self._counted = _Counted(recorded.homes if recorded.connections > 1 else None, self.channels, self._books)
        self._engine = OfflineEngine(recorded)
        self._engine.start(0.0, lambda _: True)
        if self._books:
            self._engine.want(BOOKS, [self._books], timeout=0.0)
        self._last = last
        self._items = recording._heard(first)  # noqa: SLF001  # as above
        self._next = next(self._items, None)
        while (at := self.next_at()) is not None and at < first:
            self.take()

    def next_at(self) -> int | None:
        """Return when the next thing came; None behind the last one."""
        return None if self._next is None or self._next.at > self._last else self._next.at

    def take(self) -> list[Message | Loss]:
        """Return what came then, and go on."""
        heard = self._next
        assert heard is not None
        told: list[Message | Loss] = []
        touched: set[str] | None = set() if isinstance(heard, Read) else None
        if isinstance(heard, Read):
            for data in heard.messages:
                ticker = self._take_message(heard.connection, data, told)
                if ticker is None:
                    touched = None
                elif touched is not None:
                    touched.add(ticker)
        else:
            told += self._counted.hear(heard)
        self._engine.hear(heard)
        fallen = self._fallen(self._books if touched is None else touched & self._books)
        if fallen:
            # A read was sent as it came. In anything else that made books doubtful something is missing.
            is_said = isinstance(heard, Read) or any(isinstance(each, Loss) and each.channel == BOOKS for each in told)
            told.append(Loss(BOOKS, 0 if is_said else 1, fallen))
        self._next = next(self._items, None)
        return told

    def _take_message(self, connection: int, data: bytes, told: list[Message | Loss]) -> str | None:
        """Add what a frame is to clients; return the market of the book that it may have changed, None for any."""
        try:
            frame = _envelope(data)
            text = bytes(frame.msg).decode()
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        about = _about_of(frame.msg)
        channel, losses, is_new = self._counted.take(connection, frame, about)
        told += losses
        self._learn(about)
        is_book = frame.type in _BOOK_TYPES
        if is_new and text and channel in self.channels and frame.type not in _ANSWERS:
            told.append(Message(channel, frame.type, about.subject, text, frame.sending_ts_ms))
            is_book = channel == BOOKS
        if losses:
            return None
        return about.subject if is_book else ""

    def _learn(self, about: _About) -> None:
        if about.market_ticker is None:
            return
        if about.market_id:
            self.market_ids[about.market_ticker] = about.market_id
        if about.clock is not None:
            self._clocks[about.market_ticker] = about.clock

    def _fallen(self, tickers: Iterable[str]) -> frozenset[str]:
        """Return the books among some that were known and are not any more."""
        fallen = set()
        for ticker in tickers:
            ladder = self._engine.ladder(ticker)
            if ladder is not None and ladder.status in _KNOWN:
                self._standing.add(ticker)
            elif ticker in self._standing:
                self._standing.discard(ticker)
                fallen.add(ticker)
        return frozenset(fallen)

    def book(self, ticker: str) -> Book | None:
        """Return a book as it stands now, None where the recording does not know it now."""
        ladder = self._engine.ladder(ticker)
        if ladder is None or ladder.status not in _KNOWN:
            return None
        yes, no = ladder.levels()
        market_id = self.market_ids.get(ticker, "") if ladder.live else ""
        return Book(market_id, self._clocks.get(ticker), yes[::-1], no[::-1])


class _Counted:
    """The numbers of a recording: which message is new, and where something is missing.

    Parameters
    ----------
    homes : mapping of str to int, or None
        Over which connection a book came, where that is not the first; None where there was one connection.
    channels : iterable of str
        What was recorded.
    books : frozenset of str
        The books among it.
    """

    def __init__(self, homes: Mapping[str, int] | None, channels: Iterable[str], books: frozenset[str]) -> None:
        self._homes, self._channels, self._books = homes, list(channels), books
        self._of_sid: dict[tuple[int, int], str] = {}
        self._seqs: dict[tuple[int, int], int] = {}
        self._old: defaultdict[tuple[int, int], OldNumbers] = defaultdict(OldNumbers)
        self._known: set[tuple[int, str]] = set()  # what was subscribed to, ever
        self._lossy: set[tuple[int, str]] = set()  # where nothing came since the last loss

    def take(self, connection: int, frame: _Envelope, about: _About) -> tuple[str, list[Loss], bool]:
        """Return a frame's channel, what its number shows to be missing before it, and whether it is new."""
        if frame.type == "subscribed":
            return "", self._subscribed(connection, about), True
        channel = self._channel(connection, frame)
        losses, is_new = self._count(connection, channel, frame)
        if frame.type == "unsubscribed" or (frame.type == "error" and about.code in _ENDS):
            if frame.sid is not None:
                self._forget(connection, frame.sid)
                losses += self._lose(connection, channel)
        elif is_new and frame.type not in _ANSWERS:
            self._lossy -= {(connection, channel), (0, channel)}
        return channel, losses, is_new

    def _channel(self, connection: int, frame: _Envelope) -> str:
        of_type = _CHANNELS_OF.get(frame.type, [])
        if len(of_type) == 1:
            return of_type[0]
        return "" if frame.sid is None else self._of_sid.get((connection, frame.sid), "")

    def _subscribed(self, connection: int, about: _About) -> list[Loss]:
        channel, sid = about.channel, about.sid
        if channel is None or sid is None:
            return []
        self._of_sid[connection, sid] = channel
        if channel in CHANNELS and traits_of(channel).from_one:
            self._seqs[connection, sid] = 0
        losses = self._lose(connection, channel) if (connection, channel) in self._known else []
        self._known.add((connection, channel))
        return losses

    def _count(self, connection: int, channel: str, frame: _Envelope) -> tuple[list[Loss], bool]:
        if frame.sid is None or frame.seq is None:
            return [], True
        key = connection, frame.sid
        before = self._seqs.get(key)
        if before is not None and frame.seq <= before:
            is_book = frame.type == "orderbook_snapshot" and frame.seq != before
            if not is_book and (not self._old[key].another(before) or channel == BOOKS):
                return [], False
            self._seqs[key] = frame.seq  # the exchange counts anew
            return self._lose(connection, channel), True
        self._seqs[key] = frame.seq
        missing = 0 if before is None else frame.seq - before - 1
        return (self._lose(connection, channel, missing) if missing else []), True

    def _forget(self, connection: int, sid: int) -> None:
        for known in (self._of_sid, self._seqs, self._old):
            known.pop((connection, sid), None)

    def hear(self, heard: Heard) -> list[Loss]:
        """Take up what is no read; return what is missing because of it."""
        if isinstance(heard, Checkpoint):
            self._restore(heard)
            return []
        if not isinstance(heard, Event):
            return []
        if heard.kind == "lost":
            gone = [(key, channel) for key, channel in self._of_sid.items() if key[0] == heard.connection]
            for (connection, sid), _ in gone:
                self._forget(connection, sid)
            return [loss for key, channel in gone for loss in self._lose(key[0], channel)]
        return self._lose_all() if heard.kind in LOSSES else []

    def _restore(self, stood: Checkpoint) -> None:
        for each in stood.subscriptions:
            self._known.add((each.connection, each.channel))
            if each.sid is not None:
                self._of_sid[each.connection, each.sid] = each.channel
                if each.seq is not None:
                    self._seqs[each.connection, each.sid] = each.seq

    def _lose_all(self) -> list[Loss]:
        # The next number says nothing that is not said here.
        self._seqs.clear()
        return [loss for channel in self._channels for loss in self._lose(0, channel)]

    def _lose(self, connection: int, channel: str, frames: int = 1) -> list[Loss]:
        if channel not in self._channels or self._lossy & {(connection, channel), (0, channel)}:
            return []
        self._lossy.add((connection, channel))
        return [Loss(channel, frames, self._touched(connection, channel))]

    def _touched(self, connection: int, channel: str) -> frozenset[str] | None:
        if channel != BOOKS or self._homes is None or not connection:
            return None
        return frozenset(each for each in self._books if self._homes.get(each, 1) == connection)


def _about_of(message: msgspec.Raw) -> _About:
    """Return what is read of a message; nothing where it is none that can be read."""
    try:
        return _about(message)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _NOTHING

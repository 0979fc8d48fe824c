"""Items to lines of JSON and back: a frame is a line as it came, and what the kit says stands between.

The kit's own lines begin with a key that no frame begins with: ``{"t":`` and a few of ``marks``.
A line of the kit's that this version does not know is passed over, and so are keys that it does not know; but what
stands before frames is exactly as below.

========================================================  =======================================================
``{"t":µs,"c":1}``                                        the frames of one read of connection 1 follow; with
                                                          ``"nl":0`` these came without a newline of their own;
                                                          with ``"more":1`` they are of the same read as before
``{"t":µs,"c":1,"raw":"base64"}``                         a frame of the read that is no line of JSON
``{"t":µs,"c":1,"sent":{…}}``                             a command, as it was sent (``"sent_raw"``: base64)
``{"t":µs,"c":1,"event":"lost","text":"…"}``              an event
``{"t":µs,"subscription":{…}}``, ``{"t":µs,"book":{…}}``  parts of a checkpoint, which is
``{"t":µs,"checkpoint":n,"connected":[…]}``               closed by the number of its parts
========================================================  =======================================================
"""

from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterator
from dataclasses import fields
from typing import Final, get_args

import msgspec

from kalshi_nb._recording.cutting import frames_in
from kalshi_nb._recording.joining import TYPE_BEGINS, Joined, joined
from kalshi_nb._rows.heard import (
    BookState,
    Checkpoint,
    Event,
    EventKind,
    Heard,
    Read,
    Sent,
    SubscriptionState,
)
from kalshi_nb._rows.ladders import Levels, Status

__all__ = ["OWN", "Decoder", "encode", "type_of"]

OWN: Final = (b'{"t":', b'{"mark":', b'{"kalshi_nb":', b'{"end":')
"""What a line of the kit's own begins with; whatever is added one day begins with the first."""

_KINDS: Final = frozenset(get_args(EventKind))

_NONE: Final = msgspec.Raw()
_json = msgspec.json.Encoder().encode
_is_json = msgspec.json.Decoder(msgspec.Raw).decode


class _Subscription(msgspec.Struct):
    c: int
    channel: str
    sid: int | None
    seq: int | None
    market_tickers: tuple[str, ...] | None


class _Book(msgspec.Struct):
    c: int
    market_ticker: str
    status: Status
    reason: str
    changed_at: int
    yes: msgspec.Raw
    no: msgspec.Raw


class _StoodBook(BookState):
    """A book of a checkpoint whose levels are made when somebody asks for them.

    Within a recording a checkpoint says what is known already, and nobody does. There were more pairs of numbers in
    books than of anything else that the interpreter's garbage collector looks through: a tenth of an export's time.
    """

    __slots__ = ("_no", "_yes")
    _yes: bytes
    _no: bytes

    def __init__(self, book: _Book) -> None:
        for name in ("market_ticker", "status", "reason", "changed_at"):
            object.__setattr__(self, name, getattr(book, name))
        object.__setattr__(self, "connection", book.c)
        object.__setattr__(self, "_yes", _checked(book.yes))
        object.__setattr__(self, "_no", _checked(book.no))

    @property
    def yes(self) -> Levels:
        """All YES bids, best first."""
        return _levels(self._yes)

    @property
    def no(self) -> Levels:
        """All NO bids, best first."""
        return _levels(self._no)

    def _values(self, of: BookState) -> tuple[object, ...]:
        return tuple(getattr(of, each.name) for each in fields(BookState))

    def __eq__(self, other: object) -> bool:
        return self._values(self) == self._values(other) if isinstance(other, BookState) else NotImplemented

    def __reduce__(self) -> tuple[type[BookState], tuple[object, ...]]:
        return BookState, self._values(self)

    __hash__ = None  # type: ignore[assignment]  # as of any book, since levels are lists


class _Line(msgspec.Struct, omit_defaults=True):
    """Any of the kit's lines but what stands before frames."""

    t: int
    c: int = 0
    raw: str | None = None
    sent: msgspec.Raw = _NONE
    sent_raw: str | None = None
    event: str | None = None
    text: str = ""
    subscription: _Subscription | None = None
    book: _Book | None = None
    checkpoint: int | None = None
    connected: tuple[int, ...] = ()


_begins_frames = re.compile(
    rb'\{"t":(?P<t>-?\d+),"c":(?P<c>-?\d+)(,"nl":(?P<nl>[01]))?(?P<more>,"more":1)?\}'
).fullmatch
_line = msgspec.json.Decoder(_Line).decode
_levels = msgspec.json.Decoder(Levels).decode
_are_levels = re.compile(rb"\[(?:\[\d{1,18},\d{1,18}\](?:,\[\d{1,18},\d{1,18}\])*+)?\]").fullmatch


def _checked(levels: msgspec.Raw) -> bytes:
    """Return levels as they are written, if they are some; what is none is found where its line is read."""
    text = bytes(levels)
    if not _are_levels(text):
        _levels(text)
    return text


def type_of(message: bytes) -> str:
    """Return the exchange's type of a frame, as far as its first bytes say it; empty where they do not."""
    if not message.startswith(TYPE_BEGINS):
        return ""
    return message[len(TYPE_BEGINS) : message.find(b'"', len(TYPE_BEGINS))].decode("ascii", "replace")


def encode(item: Heard | Joined) -> list[bytes]:
    """Return an item as lines, one or several together, with their newlines."""
    if isinstance(item, Joined):
        return [item.lines]
    if isinstance(item, Read):
        together = joined(item)
        return _odd_read(item) if together is None else [together.lines]
    if isinstance(item, Sent):
        return [_sent(item)]
    if isinstance(item, Event):
        text = item.text.encode("utf-8", "replace").decode()
        return [_json(_Line(item.at, item.connection, event=item.kind, text=text)) + b"\n"]
    return [_json(each) + b"\n" for each in _checkpoint(item)]


def _odd_read(read: Read) -> list[bytes]:
    """Return the lines of a read whose frames are looked at one by one."""
    head = b'{"t":%d,"c":%d' % (read.at, read.connection)
    lines = [head + b"}\n"]
    newline = True
    for message in read.messages:
        if not _is_line(message):
            lines.append(b'%s,"raw":"%s"}\n' % (head, b2a_base64(message, newline=False)))
            continue
        if message.endswith(b"\n") is not newline:
            newline = not newline
            lines.append(b'%s,"nl":%d,"more":1}\n' % (head, newline))
        lines.append(message if newline else message + b"\n")
    return lines


def _is_line(message: bytes) -> bool:
    """Whether a frame is one line of JSON that cannot be taken for one of the kit's."""
    if message.startswith(OWN) or not message.startswith(b"{") or b"\n" in message[:-1]:
        return False
    try:
        message.decode()
        return bytes(_is_json(message)) == message.removesuffix(b"\n")
    except (UnicodeDecodeError, msgspec.DecodeError):
        return False


def _sent(sent: Sent) -> bytes:
    head = b'{"t":%d,"c":%d,' % (sent.at, sent.connection)
    if _is_line(sent.command) and not sent.command.endswith(b"\n"):
        return b'%s"sent":%s}\n' % (head, sent.command)
    return b'%s"sent_raw":"%s"}\n' % (head, b2a_base64(sent.command, newline=False))


def _checkpoint(point: Checkpoint) -> Iterator[_Line]:
    for each in point.subscriptions:
        yield _Line(
            point.at,
            subscription=_Subscription(each.connection, each.channel, each.sid, each.seq, each.market_tickers),
        )
    for book in point.books:
        yield _Line(
            point.at,
            book=_Book(
                book.connection,
                book.market_ticker,
                book.status,
                book.reason,
                book.changed_at,
                msgspec.Raw(_json(book.yes)),
                msgspec.Raw(_json(book.no)),
            ),
        )
    parts = len(point.subscriptions) + len(point.books)
    yield _Line(point.at, checkpoint=parts, connected=point.connected)


class Decoder:
    """Makes items of lines again; a read never goes on in the next lines, a checkpoint may.

    Parameters
    ----------
    types : frozenset of str, optional
        Leave out frames whose first bytes say that they are of another type; a read may be empty then.
    """

    def __init__(self, types: frozenset[str] | None = None) -> None:
        self._types = None if types is None else types | {""}
        self._subscriptions: list[SubscriptionState] = []
        self._books: list[BookState] = []

    def forget(self) -> None:
        """Take note that lines are missing here: what was begun of a checkpoint is none."""
        self._subscriptions, self._books = [], []

    def items(self, text: bytes) -> Iterator[Heard]:  # noqa: C901  # the grammar, in one piece
        """Return the items of some lines, each with its newline.

        Raises
        ------
        msgspec.DecodeError
            At a line that no writer of this format wrote.
        """
        read: Read | None = None
        messages: list[bytes] = []
        own_newline = True
        at = 0
        while True:
            frames, at = frames_in(text, at, OWN, own_newline)
            if self._types is not None:
                frames = [each for each in frames if type_of(each) in self._types]
            messages += frames
            if at == len(text):
                break
            end = text.find(b"\n", at)
            line = text[at:end]
            at = end + 1
            begins = _begins_frames(line)
            if begins is not None:
                own_newline = begins["nl"] != b"0"
                if begins["more"]:
                    continue
                if read is not None:
                    yield read
                messages = []
                read = Read(int(begins["t"]), int(begins["c"]), messages)
            elif line.startswith(OWN[0]):
                said = _line(line)
                if said.raw is not None:
                    messages.append(a2b_base64(said.raw))
                    continue
                if read is not None:
                    yield read
                    read = None
                item = self._item(said)
                if item is not None:
                    yield item
        if read is not None:
            yield read

    def _item(self, said: _Line) -> Heard | None:
        """Return what one line alone says, or the last one of a checkpoint."""
        if said.sent != _NONE:
            return Sent(said.t, said.c, bytes(said.sent))
        if said.sent_raw is not None:
            return Sent(said.t, said.c, a2b_base64(said.sent_raw))
        if said.event is not None:
            return Event(said.t, said.c, said.event, said.text) if said.event in _KINDS else None  # type: ignore[arg-type]
        if said.subscription is not None:
            one = said.subscription
            self._subscriptions.append(SubscriptionState(one.c, one.channel, one.sid, one.seq, one.market_tickers))
        elif said.book is not None:
            self._books.append(_StoodBook(said.book))
        elif said.checkpoint is not None:
            parts = tuple(self._subscriptions), tuple(self._books)
            self.forget()
            if said.checkpoint == len(parts[0]) + len(parts[1]):
                return Checkpoint(said.t, said.connected, *parts)
        return None

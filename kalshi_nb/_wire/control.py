"""Answers to commands, errors, and what nobody knows."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import msgspec

from kalshi_nb._rows.foreign import plain_text
from kalshi_nb._wire.family import Family, Frame
from kalshi_nb._wire.field_types import Integer

__all__ = ["FAMILY", "ErrorFrame", "OkFrame", "SubscribedFrame", "UnknownFrame", "UnsubscribedFrame"]


class Subscribed(msgspec.Struct, gc=False):
    """Which channel got which sid."""

    channel: str
    sid: Integer


class SubscribedFrame(Frame, tag="subscribed", gc=False):
    """``subscribed``: the first subscription of a channel on this connection."""

    msg: Subscribed
    id: Integer | None = None


class OkFrame(Frame, tag="ok"):
    """``ok``: a merged subscription, an update, or the list of subscriptions (then ``msg`` is an array).

    It takes a sequence number on channels that have them.
    """

    id: Integer | None = None
    sid: Integer | None = None
    seq: Integer | None = None
    msg: Any = None


class UnsubscribedFrame(Frame, tag="unsubscribed", gc=False):
    """``unsubscribed``: the sid is gone."""

    sid: Integer
    id: Integer | None = None
    seq: Integer | None = None


class ErrorBody(msgspec.Struct, gc=False):
    """What went wrong."""

    code: Integer = 0
    msg: str = ""
    market_ticker: str | None = None
    market_tickers: list[str] | None = None

    def __post_init__(self) -> None:
        # Shown in errors, warnings and logs from here on, so it is made plain where it enters. Names that anybody
        # could have asked for are left as they are.
        self.msg = plain_text(self.msg)
        if self.market_ticker is not None:
            self.market_ticker = plain_text(self.market_ticker)
        if self.market_tickers is not None:
            self.market_tickers = [plain_text(each) for each in self.market_tickers]


class ErrorFrame(Frame, tag="error", gc=False):
    """``error``: the answer to a command (``id``), or the end of a subscription (``sid``).

    That there is one says the most of it: one whose message cannot be read is an error without a number, so that
    whoever waits for the answer has it.
    """

    firm: ClassVar[frozenset[str]] = frozenset({"id", "sid", "seq"})

    msg: ErrorBody = msgspec.field(default_factory=ErrorBody)
    id: Integer | None = None
    sid: Integer | None = None
    seq: Integer | None = None


class UnknownFrame(Frame):
    """A well-formed frame of a type that this version does not know."""

    type: str
    sid: Integer | None = None
    seq: Integer | None = None


FAMILY: Final = Family(others=(SubscribedFrame, OkFrame, UnsubscribedFrame, ErrorFrame))

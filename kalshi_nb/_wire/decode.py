"""Bytes to typed frames, without I/O.

The straight way is one typed decode. What it refuses gets a second, slower look: a number where a string
belongs is taken if it is exact, an unknown type is passed on as such, a field that cannot be read is left out where
the rest stands without it, and everything else is a :class:`Rejected` that says as much as can be known of the
frame's type, ``sid`` and ``seq``, since a frame with a channel's data that cannot be read is a gap of that channel.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from importlib import import_module
from typing import Any, Final, Union

import msgspec

from kalshi_nb._rows.channels import CHANNELS, traits_of
from kalshi_nb._wire import control
from kalshi_nb._wire.control import UnknownFrame
from kalshi_nb._wire.family import Conversion, Family, Frame
from kalshi_nb._wire.field_types import LARGEST_INTEGER
from kalshi_nb._wire.odd_fields import Odd, read_leniently
from kalshi_nb.errors import WireError

__all__ = ["CONVERSIONS", "REFUSED", "TYPES", "Rejected", "decode", "second_look", "typed"]


def _families() -> list[Family]:
    """Return what the modules read that the table of channels names, each once, and the answers to commands."""
    names = dict.fromkeys(traits_of(each).wire for each in CHANNELS)
    return [*(import_module(f"kalshi_nb._wire.{name}").FAMILY for name in names), control.FAMILY]


_FAMILIES: Final = _families()

CONVERSIONS: Final[dict[type[Frame], Conversion]] = {
    frame: conversion for family in _FAMILIES for frame, conversion in family.conversions.items()
}
"""Every frame with data but those of books, which go through the ladders."""

_FRAMES: Final = (*(frame for family in _FAMILIES for frame in family.others), *CONVERSIONS)
TYPES: Final[dict[str, type[Frame]]] = {str(kind.__struct_config__.tag): kind for kind in _FRAMES}
"""Every frame that can be read, by its type on the wire."""

_AnyFrame: Final[Any] = Union[_FRAMES]  # noqa: UP007  # of a tuple that is known only now

typed: Final[Callable[[bytes], Frame]] = msgspec.json.Decoder(_AnyFrame).decode
"""The straight way, for whoever has its own care for what it refuses."""

REFUSED: Final = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)
"""How it refuses."""

# Floats stay text on the second look, so that 0.47 is never anything else than 0.47.
_untyped = msgspec.json.Decoder(float_hook=str).decode
_TYPE: Final = re.compile(rb'"type"\s*:\s*"(\w{1,80})"')
_SID: Final = re.compile(rb'"sid"\s*:\s*([0-9]{1,18})\b')
_SEQ: Final = re.compile(rb'"seq"\s*:\s*([0-9]{1,18})\b')
_DECIMALS: Final = frozenset[str]().union(*(family.decimals for family in _FAMILIES))
_NESTED: Final = frozenset[str]().union(*(family.nested for family in _FAMILIES))
_LONGEST_NUMBER: Final = 40
_FARTHEST_DIGIT: Final = 30  # 1e999999999 is four bytes a digit once it is written out
_HEAD: Final = 512  # type, sid and seq stand before msg; a broken frame is not searched further


class Rejected(WireError):  # noqa: N818  # the field's word for it, and never raised at a user
    """A frame that cannot be read.

    Attributes
    ----------
    sid, seq : int or None
        As far as they could be made out.
    kind : str or None
        The frame's type, likewise.
    """

    def __init__(
        self, reason: str, *, sid: int | None = None, seq: int | None = None, kind: str | None = None
    ) -> None:
        super().__init__(reason)
        self.kind = kind
        self.sid = sid
        self.seq = seq


def decode(data: bytes) -> Frame:
    """Return the frame in `data`.

    Raises
    ------
    Rejected
        When `data` is not JSON, not an object, nested beyond reason, or has values that mean nothing.
    """
    try:
        return typed(data)
    except REFUSED:
        return second_look(data)[0]


def second_look(data: bytes) -> tuple[Frame, tuple[Odd, ...]]:
    """Return the frame in `data`, which the straight way refused, and the fields that are left out of it.

    Raises as :func:`decode`.
    """
    try:
        frame = _untyped(data)
    except REFUSED as broken:
        raise Rejected(
            f"not JSON: {str(broken) or type(broken).__name__}",
            sid=_find(_SID, data),
            seq=_find(_SEQ, data),
            kind=_find_kind(data),
        ) from None
    if not isinstance(frame, dict):
        raise Rejected(f"a JSON {type(frame).__name__} where an object belongs")
    sid, seq, kind = _number(frame.get("sid")), _number(frame.get("seq")), frame.get("type")
    if not isinstance(kind, str):
        raise Rejected("no type", sid=sid, seq=seq)
    if kind not in TYPES:
        return UnknownFrame(kind[:80], sid, seq), ()
    body = frame.get("msg")
    try:
        if isinstance(body, dict):
            frame["msg"] = _with_texts(body)
        return _converted(frame, TYPES[kind])
    except (WireError, msgspec.MsgspecError, RecursionError) as refusal:
        reason = str(refusal) or type(refusal).__name__
        raise Rejected(reason, sid=sid, seq=seq, kind=kind) from None


def _converted(frame: dict[str, Any], kind: type[Frame]) -> tuple[Frame, tuple[Odd, ...]]:
    try:
        found: Frame = msgspec.convert(frame, _AnyFrame, strict=False)
    except msgspec.ValidationError:
        return read_leniently(kind, frame)
    return found, ()


def _with_texts(body: dict[str, Any]) -> dict[str, Any]:
    """Return a message whose decimals are text, also those of the objects in it."""
    found = {}
    for key, value in body.items():
        if key.endswith(("_dollars", "_fp")) or key in _DECIMALS:
            found[key] = _as_text(value)
        elif key in _NESTED and isinstance(value, dict):
            found[key] = _with_texts(value)
        elif key in _NESTED and isinstance(value, list):
            found[key] = [_with_texts(each) if isinstance(each, dict) else each for each in value]
        else:
            found[key] = value
    return found


def _as_text(value: Any) -> Any:
    """Return a number as the exact decimal text it stands for; anything else as it is."""
    if isinstance(value, list):
        return [_as_text(each) for each in value]
    if isinstance(value, bool) or not isinstance(value, int | str):
        return value
    text = str(value)
    if "e" not in text and "E" not in text:
        return text
    try:
        # A float such as 1e-4; exact as it stands, but in another spelling.
        number = Decimal(text[:_LONGEST_NUMBER])
    except InvalidOperation:
        return text
    fits = len(text) <= _LONGEST_NUMBER and number.is_finite() and abs(number.adjusted()) <= _FARTHEST_DIGIT
    return format(number, "f") if fits else text


def _number(value: Any) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and abs(value) <= LARGEST_INTEGER else None


def _find(pattern: re.Pattern[bytes], data: bytes) -> int | None:
    match = pattern.search(data[:_HEAD])
    return _number(int(match[1])) if match else None


def _find_kind(data: bytes) -> str | None:
    match = _TYPE.search(data[:_HEAD])
    return match[1].decode() if match else None

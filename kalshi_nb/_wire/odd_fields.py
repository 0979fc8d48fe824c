"""Odd fields: what cannot be read is left out alone, where the rest of its message stands without it.

A message stands by what it is about, when that was, and its prices and quantities:

- the fields that its struct requires;
- the fields in its ``firm``, which may be missing, but not be there and mean nothing;
- one of the fields of the first of its ``times`` that is there at all. One that is far from when it was received can
  be read, and means nothing: the message stands by when it was received.

Any other field that cannot be read is None, and told as an :class:`Odd`. The same goes for the objects inside a
message; where one of them does not stand, the field that it is in cannot be read.

All of this is asked only of messages that the straight way has refused.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final, NamedTuple

import msgspec

from kalshi_nb._rows.rows import Row
from kalshi_nb._wire.family import TIMES, Frame
from kalshi_nb._wire.field_values import FarTime
from kalshi_nb.errors import WireError

__all__ = ["Odd", "read_leniently", "row_leniently"]

_MOST: Final = 200
"""Fields looked at one by one; a message that nests more of them has its own looked at, and not those inside."""


class Odd(NamedTuple):
    """A field that could not be read.

    Attributes
    ----------
    field : str
        Its name, with that of the field it is inside of.
    reason : str
        Why.
    """

    field: str
    reason: str


class _Needs(NamedTuple):
    """What one kind of struct cannot do without."""

    firm: frozenset[str]
    times: tuple[tuple[str, ...], ...]


@cache
def _needs(kind: type[msgspec.Struct]) -> _Needs:
    required = frozenset(each.name for each in msgspec.structs.fields(kind) if each.required)
    return _Needs(required | getattr(kind, "firm", frozenset()), getattr(kind, "times", TIMES))


def _see_that_time_stands(kind: type[msgspec.Struct], there: set[str], odd: dict[str, Odd]) -> None:
    """Raise where a message says when it was, and in no way that can be read."""
    for group in _needs(kind).times:
        said = there.intersection(group)
        if said:
            if said <= odd.keys():
                raise WireError(next(odd[name].reason for name in group if name in said))
            return


def _inside(kind: type[msgspec.Struct], path: str, name: str) -> str:
    """Return what goes before the names of fields inside a field; a frame has but one that has any."""
    return "" if issubclass(kind, Frame) else path + name


# JSON that fits no struct as it stands ---------------------------------------------------------------------------


def read_leniently(kind: type[msgspec.Struct], found: dict[str, Any]) -> tuple[Any, tuple[Odd, ...]]:
    """Return a struct of some JSON, and its odd fields.

    Parameters
    ----------
    kind : type
        The struct.
    found : dict
        The JSON, its decimals as text.

    Raises
    ------
    WireError
        When what must stand does not.
    """
    odd: list[Odd] = []
    return _struct(kind, found, "", odd), tuple(odd)


def _struct(kind: type[msgspec.Struct], found: dict[str, Any], path: str, odd: list[Odd]) -> Any:
    values: dict[str, Any] = {}
    own: dict[str, Odd] = {}
    needs = _needs(kind)
    for field in msgspec.structs.fields(kind):
        if field.name not in found:
            if field.required:
                raise WireError(f"no {path}{field.name}")
            continue
        inner: list[Odd] = []
        try:
            values[field.name] = _value(field.type, found[field.name], _inside(kind, path, field.name), inner)
        except (msgspec.ValidationError, WireError) as refusal:
            known = isinstance(refusal, WireError)  # of a field inside, which it names
            if field.name in needs.firm:
                raise WireError(str(refusal) if known else f"{path}{field.name}: {refusal}") from None
            inner = [Odd(path + field.name, str(refusal))]
            own[field.name] = inner[0]
        odd += inner
    _see_that_time_stands(kind, {name for name in found if found[name] is not None}, own)
    return kind(**values)


def _value(kind: Any, found: Any, path: str, odd: list[Odd]) -> Any:
    try:
        return msgspec.convert(found, kind, strict=False)
    except msgspec.ValidationError:
        struct, listed = _structs_in(kind)
        if struct is not None and isinstance(found, dict):
            return _struct(struct, found, path and f"{path}.", odd)
        fit = isinstance(found, list) and len(found) <= _MOST and all(isinstance(each, dict) for each in found)
        if listed is not None and fit:
            return [_struct(listed, each, f"{path}[{at}].", odd) for at, each in enumerate(found)]
        raise


@cache
def _structs_in(kind: Any) -> tuple[type[msgspec.Struct] | None, type[msgspec.Struct] | None]:
    """Return the struct that a field may be, and the one that it may be a list of."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind, None
    inside = [_structs_in(each) for each in typing.get_args(kind)]
    if typing.get_origin(kind) is list:
        return None, inside[0][0]
    if typing.get_origin(kind) is types.UnionType:
        return next((each for each, _ in inside if each), None), next((each for _, each in inside if each), None)
    return None, None


# Structs that become no row as they stand ------------------------------------------------------------------------


class _Loose(NamedTuple):
    """A field that has a value and need not stand."""

    owner: msgspec.Struct
    name: str
    value: Any
    path: str


def row_leniently(frame: Any, received_at: int, row_of: Callable[[Any, int], Row]) -> tuple[Row, tuple[Odd, ...]]:
    """Return the row of a frame that `row_of` refused, and the odd fields, which are None in the frame from now on.

    Which fields are odd, only the conversion knows. So all that need not stand is taken out, and put back one by
    one; what makes the conversion refuse stays out.

    Raises
    ------
    WireError
        When what must stand does not.
    """
    loose = _all_loose(frame)
    for owner, name, _, _ in loose:
        setattr(owner, name, None)
    row = row_of(frame, received_at)
    odd: list[Odd] = []
    own: dict[str, Odd] = {}
    for owner, name, value, path in loose:
        setattr(owner, name, value)
        try:
            row = row_of(frame, received_at)
        except WireError as refusal:
            setattr(owner, name, None)
            odd.append(Odd(path, str(refusal)))
            if owner is frame.msg and not isinstance(refusal, FarTime):  # by when it was received it stands
                own[name] = odd[-1]
    there = {name for owner, name, _, _ in loose if owner is frame.msg}
    _see_that_time_stands(type(frame.msg), there, own)
    return row, tuple(odd)


def _all_loose(frame: Any) -> list[_Loose]:
    found = list(_loose_in(frame, ""))
    if len(found) > _MOST:
        found = [each for each in found if each.owner is frame or each.owner is frame.msg]
    return found


def _loose_in(struct: msgspec.Struct, path: str) -> Iterator[_Loose]:
    firm = _needs(type(struct)).firm
    for name in struct.__struct_fields__:
        value = getattr(struct, name)
        if value is None:
            continue
        if name not in firm:
            yield _Loose(struct, name, value, path + name)
        where = _inside(type(struct), path, name)
        if isinstance(value, msgspec.Struct):
            yield from _loose_in(value, where and f"{where}.")
        elif isinstance(value, list):
            for at, each in enumerate(value):
                if isinstance(each, msgspec.Struct):
                    yield from _loose_in(each, f"{where}[{at}].")

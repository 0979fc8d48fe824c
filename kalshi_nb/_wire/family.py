"""What every module of this room that reads messages hands over: its frames, and what becomes of them.

A module a family of messages: the structs that msgspec decodes, and beside them the functions that turn each into
a row, where wire strings become integers, once. Such a function raises :class:`~kalshi_nb.errors.WireError` where
a value means nothing. :mod:`kalshi_nb._wire.decode` gathers the modules that the table of channels names.

A field that a struct requires has to be there and be readable. What else has to be, and what a row can do without,
a struct says by its ``firm`` and its ``times``; :mod:`kalshi_nb._wire.odd_fields` goes by them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final, NamedTuple

import msgspec

from kalshi_nb._rows.rows import Row

__all__ = ["TIMES", "Body", "Conversion", "Family", "Frame"]

TIMES: Final = (("ts_ms", "ts"),)
"""How most messages say when they were."""


class Body(msgspec.Struct, gc=False):
    """What stands in a frame, or inside another message.

    Attributes
    ----------
    firm : frozenset of str
        Fields that may be missing, but where they are there the message stands by them: its prices and quantities,
        and what it is about.
    times : tuple of tuples of str
        Fields that say when it was. Of the first group that is there at all, one has to be readable.
    """

    firm: ClassVar[frozenset[str]] = frozenset()
    times: ClassVar[tuple[tuple[str, ...], ...]] = TIMES


class Frame(msgspec.Struct):
    """What the exchange sends in one piece: the root of all typed frames.

    Its numbers and its message are firm; when it was sent is not.
    """

    firm: ClassVar[frozenset[str]] = frozenset({"id", "sid", "seq", "msg"})
    times: ClassVar[tuple[tuple[str, ...], ...]] = ()


class Conversion(NamedTuple):
    """How a frame of one type becomes a row.

    Attributes
    ----------
    channels : frozenset of str
        The channels that it may come on.
    row : callable
        Given the frame and the microsecond it was received, returns the row.
    stamped : bool
        Whether its ``ts_ms`` is the time of the exchange's own clock, by which the lag is known.
    catalog : callable or None
        Where the frame lists what a reference feed has: given it, returns the names.
    """

    channels: frozenset[str]
    row: Callable[[Any, int], Row]
    stamped: bool = False
    catalog: Callable[[Any], Sequence[str]] | None = None


class Family(NamedTuple):
    """What one module reads.

    Attributes
    ----------
    conversions : mapping of type to Conversion
        The frames that become rows by themselves.
    others : tuple of types
        The frames that do not: those of books, which go through the ladders, and answers to commands.
    decimals : frozenset of str
        Fields with a decimal number as text whose names end neither in ``_dollars`` nor in ``_fp``.
    nested : frozenset of str
        Fields whose objects have decimals inside.
    """

    conversions: Mapping[type[Frame], Conversion] = {}
    others: tuple[type[Frame], ...] = ()
    decimals: frozenset[str] = frozenset()
    nested: frozenset[str] = frozenset()

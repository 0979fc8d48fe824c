"""Rows made by a plan: which field of a message goes into which column.

Most columns are called as their field less its wire suffix, so a plan says only what is called otherwise.
Trades, tickers and deltas, which come by the thousand a second, have functions of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from kalshi_nb._fixed_point import FixedPoint
from kalshi_nb._rows.channels import LAYOUTS
from kalshi_nb._rows.columns import Column
from kalshi_nb._rows.rows import Row
from kalshi_nb._wire.field_values import converter, near

__all__ = ["Plan"]

_sent: Final = converter(Column("ts", "time"))
_SUFFIXES: Final = (("_dollars", ""), ("_fp", ""), ("_ts_ms", "_ts"))


def _column_of(field: str) -> str:
    for suffix, instead in _SUFFIXES:
        if field.endswith(suffix):
            return field.removesuffix(suffix) + instead
    return field


class Plan:
    """How messages of one kind become rows of one channel.

    Parameters
    ----------
    channel : str
        Whose layout the rows have.
    message : type
        The struct of the messages.
    renamed : mapping of str to tuple of str
        Columns that are called otherwise than their field; of several fields the first that has a value counts.
    constant : mapping of str to value
        Columns that are the same in every row.
    numbers : mapping of str to FixedPoint
        Fields whose decimals mean something only within bounds, and by what they are read.
    """

    def __init__(
        self,
        channel: str,
        message: type[msgspec.Struct],
        renamed: Mapping[str, tuple[str, ...]] | None = None,
        constant: Mapping[str, Any] | None = None,
        numbers: Mapping[str, FixedPoint] | None = None,
    ) -> None:
        fields = message.__struct_fields__
        needed = {each.name for each in msgspec.structs.fields(message) if each.required}
        named = {_column_of(field): (field,) for field in fields} | dict(renamed or {})
        layout = LAYOUTS[channel]
        self._empty = [(constant or {}).get(column.name) for column in layout]
        self._steps: tuple[tuple[int, str, Callable[[Any], Any]], ...] = tuple(
            (at, field, converter(column, field, (numbers or {}).get(field), needed=field in needed))
            for at, column in enumerate(layout)
            for field in named.get(column.name, ())
            if field in fields and column.name != "received_at"
        )
        names = [column.name for column in layout]
        self._received_at = names.index("received_at")
        self._seq = names.index("seq") if "seq" in names else None
        self._ts = names.index("ts")

    def row(self, frame: Any, received_at: int) -> Row:
        """Return the row of a frame.

        Where no field gives a time, the exchange's time of sending does, and else when it was received.
        """
        row, msg = self._empty.copy(), frame.msg
        for at, field, convert in self._steps:
            if row[at] is None:
                value = getattr(msg, field)
                if value is not None:
                    row[at] = convert(value)
        if row[self._ts] is None and frame.sending_ts_ms:
            row[self._ts] = _sent(frame.sending_ts_ms)
        ts: Any = row[self._ts]
        row[self._ts] = received_at if ts is None else near(ts, received_at)
        row[self._received_at] = received_at
        if self._seq is not None:
            row[self._seq] = frame.seq
        return tuple(row)

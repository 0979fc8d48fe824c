"""What a channel's columns are in polars, and how a row's integers become them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from kalshi_nb._fixed_point import CONTRACT, COST_PARTS, DOLLAR, VALUE_PARTS
from kalshi_nb._frames.marks import BACKFILLED, GAP
from kalshi_nb._frames.names import SHARED_NAMES
from kalshi_nb._frames.one_row import Column, one_row
from kalshi_nb._frames.series import frame, series
from kalshi_nb._rows.channels import LAYOUTS
from kalshi_nb._rows.columns import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kalshi_nb._rows.rows import Row

__all__ = ["MARKET", "RECEIVED", "TIME", "column", "empty", "frame_of", "frame_of_columns", "schema"]

MARKET: Final = "market_ticker"
RECEIVED: Final = "received_at"

TIME: Final = pl.Datetime("us", "UTC")

_PLAIN: Final[dict[Kind, pl.DataType]] = {
    "time": TIME,
    "dollars": pl.Int64(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "market": pl.String(),
    "name": pl.String(),
    "outcome": pl.Enum(["yes", "no"]),
    "book": pl.Enum(["bid", "ask"]),
    "flag": pl.Boolean(),
    "text": pl.String(),
    "json": pl.String(),
}

_CAST: Final[dict[Kind, type[pl.DataType]]] = {
    "time": pl.Int64,
    "outcome": pl.String,
    "book": pl.String,
}
"""What the values of some kinds are taken in as, before they are cast."""

_BASES: Final[dict[Kind, type[pl.DataType]]] = {
    kind: _CAST.get(kind, dtype.base_type()) for kind, dtype in _PLAIN.items()
}

_SHARED: Final = frozenset[Kind]({"market", "name"})
"""What many rows have the same text in."""

_OFTEN: Final = frozenset[Kind]({"market", "name", "outcome", "book", "flag"})
"""What has the same values again and again, in one row after the other."""

_FEW: Final = 1_024
"""Fewer numbers than this are divided sooner by Python than by polars: for 800 it takes 46 µs against 27, but polars
gives the interpreter away four times meanwhile, and a loop that takes in 50,000 rows a second beside it gives it back
when it likes."""

_PARTS: Final[dict[Kind, int]] = {
    "price": DOLLAR,
    "midpoint": 2 * DOLLAR,
    "count": CONTRACT,
    "cost": COST_PARTS,
    "value": VALUE_PARTS,
}
_SCALES: Final[dict[Kind, int]] = {"price": 4, "midpoint": 5, "count": 2, "cost": 6, "value": 8}
_EXACT: Final[dict[Kind, pl.DataType]] = {kind: pl.Decimal(18, scale) for kind, scale in _SCALES.items()}
# Wide enough for any 64-bit integer before it is divided by its parts.
_WIDE: Final[dict[Kind, pl.DataType]] = {kind: pl.Decimal(38, scale) for kind, scale in _SCALES.items()}


def _dtype(kind: Kind, *, exact: bool) -> pl.DataType:
    if kind in _PARTS:
        return _EXACT[kind] if exact else pl.Float64()
    return _PLAIN[kind]


def schema(channel: str, exact: bool = False, *, gaps: bool = False, late: bool = False) -> pl.Schema:
    """Return names and dtypes of a channel's columns.

    Parameters
    ----------
    channel : str
        One of :data:`kalshi_nb._rows.channels.ROWS`.
    exact : bool
        Decimals instead of Float64: prices as Decimal(18, 4) and costs as Decimal(18, 6) dollars, counts as
        Decimal(18, 2) contracts, values of indices as Decimal(18, 8) dollars.
    gaps : bool
        With a last column that says which rows follow a gap.
    late : bool
        With a column behind the channel's own that says which rows were fetched.
    """
    columns: dict[str, pl.DataType] = {each.name: _dtype(each.kind, exact=exact) for each in LAYOUTS[channel]}
    marks = [*([BACKFILLED] if late else []), *([GAP] if gaps else [])]
    return pl.Schema({**columns, **dict.fromkeys(marks, pl.Boolean())})


def empty(channel: str, exact: bool = False) -> pl.DataFrame:
    """Return a frame of `channel` without rows, but with every column."""
    return pl.DataFrame(schema=schema(channel, exact))


def frame_of(channel: str, rows: Sequence[Row], exact: bool = False) -> pl.DataFrame:
    """Return plain rows of `channel`, at least one, as a frame of one chunk."""
    if len(rows) == 1 and not exact and (make := _one_row(channel)) is not None:
        return make(rows[0])
    values = zip(*rows, strict=True)
    return frame(
        [column(name, kind, each, exact=exact) for (name, kind), each in zip(LAYOUTS[channel], values, strict=True)]
    )


@cache
def _one_row(channel: str) -> Callable[[Row], pl.DataFrame] | None:
    """Return what makes a frame of a row that came alone; see :mod:`kalshi_nb._frames.one_row`."""
    return one_row(
        [
            Column(name, _BASES.get(kind, pl.Int64), _dtype(kind, exact=False), _PARTS.get(kind, 0), kind in _OFTEN)
            for name, kind in LAYOUTS[channel]
        ]
    )


def frame_of_columns(channel: str, columns: Sequence[tuple[Any, Sequence[Any] | None]]) -> pl.DataFrame:
    """Return rows of `channel` that came column by column, at least one, as the same frame.

    Parameters
    ----------
    channel : str
        The channel.
    columns : sequence of (array, sequence or None)
        For each of its columns what a Series can be made of; where those are places in a sequence of values, that.
    """
    made = []
    for (name, kind), (values, texts) in zip(LAYOUTS[channel], columns, strict=True):
        each = pl.Series(values).alias(name)
        if texts is not None:
            made.append(pl.Series(name, texts, dtype=_PLAIN[kind]).gather(each))
        elif kind in _PARTS:
            made.append(_quotients(each, _PARTS[kind]))
        else:
            made.append(each.cast(_PLAIN[kind]))
    return frame(made)


def column(name: str, kind: Kind, values: Sequence[Any], *, exact: bool = False) -> pl.Series:
    """Make one column of a frame from one column of rows.

    Prices, costs, values and counts come as integers and leave as dollars and contracts by one division, so that a
    Float64 is the number nearest to the decimal the exchange wrote, the same one that Python reads from a
    literal; with `exact`, a Decimal equals it to the last digit.
    """
    parts = _PARTS.get(kind)
    if parts is None:
        return _plain(name, kind, values)
    if not exact and len(values) < _FEW:
        divisor = float(parts)
        return series(name, [None if each is None else each / divisor for each in values], pl.Float64)
    integers = series(name, values, pl.Int64)
    if exact:
        return (integers.cast(_WIDE[kind]) / parts).cast(_EXACT[kind])
    return _quotients(integers, parts)


def _plain(name: str, kind: Kind, values: Sequence[Any]) -> pl.Series:
    if kind in _SHARED:
        return SHARED_NAMES.column(name, values)
    plain = series(name, values, _BASES[kind])
    return plain.cast(_PLAIN[kind]) if kind in _CAST else plain


def _quotients(integers: pl.Series, parts: int) -> pl.Series:
    # By a single number polars multiplies with the reciprocal: 4700 would become 0.47000000000000003. By a
    # column it divides.
    divisor = pl.Series([float(parts)]).new_from_index(0, len(integers))
    return integers.cast(pl.Float64()) / divisor

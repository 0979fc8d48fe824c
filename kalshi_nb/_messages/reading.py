"""Rows of the engine to messages: the table of channels says of which class, and the class how."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from kalshi_nb._fixed_point import (
    COST_PARTS,
    COSTS,
    COUNTS,
    DOLLAR,
    PRICES,
    VALUE_PARTS,
    contracts,
    dollars,
)
from kalshi_nb._messages import account, communications, lifecycle, market, quotes, reference_feeds
from kalshi_nb._moments import datetime_of
from kalshi_nb._rows.channel import Channel
from kalshi_nb._rows.channels import LAYOUTS, ROWS, position, traits_of
from kalshi_nb._rows.columns import Kind
from kalshi_nb._rows.rows import IndexListRow, Row, SnapshotRow, UnderlyingListRow

__all__ = ["Message", "from_row", "from_rows"]

Message = (
    market.MarketMessage
    | lifecycle.LifecycleMessage
    | account.AccountMessage
    | communications.CommunicationMessage
    | reference_feeds.ReferenceMessage
    | quotes.Quote
)


_CLASSES: Final[dict[str, type[Message]]] = {
    name: getattr(module, name)
    for module in (market, lifecycle, account, communications, reference_feeds, quotes)
    for name in module.__all__
}


_CONVERSIONS: Final[dict[Kind, Callable[[int], Any]]] = {
    "time": datetime_of,
    "price": dollars,
    "midpoint": lambda units: units / (2 * DOLLAR),
    "count": contracts,
    "cost": lambda units: units / COST_PARTS,
    "value": lambda units: units / VALUE_PARTS,
}

# Where in a row of each channel something has to be converted, and how.
_CONVERTED: Final[dict[str, tuple[tuple[int, Callable[[int], Any]], ...]]] = {
    channel: tuple((at, _CONVERSIONS[each.kind]) for at, each in enumerate(layout) if each.kind in _CONVERSIONS)
    for channel, layout in LAYOUTS.items()
}

# Channels of one class, whose fields are the columns.
_TYPES: Final = {name: _CLASSES[traits_of(name).messages[0]] for name in ROWS if traits_of(name).event_column is None}


class _Mixed:
    """Rows of one channel that are messages of several classes, which a column names; the first, where it names none.

    A field is the column of its name. Where it is a tuple, the column is JSON: of objects, where it is a tuple
    of structs, whose fields are those of the objects less their wire suffix.
    """

    def __init__(self, channel: Channel) -> None:
        self._event_at = position(channel.name, channel.event_column or "")
        self._classes: dict[str, tuple[type[Message], tuple[tuple[int, Callable[[Any], Any] | None], ...]]] = {}
        for name in channel.messages:
            kind = _CLASSES[name]
            steps = [
                (position(channel.name, each.name), _unpacker(each.type)) for each in msgspec.structs.fields(kind)
            ]
            self._classes[_snake_case(name)] = kind, tuple(steps)
        self._first = next(iter(self._classes.values()))

    def message(self, values: list[Any]) -> Message:
        """Return the message of a row, whose plain values are numbers and times already."""
        kind, steps = self._classes.get(values[self._event_at], self._first)
        return kind(*(values[at] if unpack is None else unpack(values[at]) for at, unpack in steps))


def _snake_case(name: str) -> str:
    return "".join(f"_{each.lower()}" if each.isupper() else each for each in name).removeprefix("_")


def _unpacker(field: Any) -> Callable[[str | None], tuple[Any, ...]] | None:
    """Return what makes a field's value of JSON text; None where the field is no tuple."""
    if typing.get_origin(field) is not tuple:
        return None
    kind = typing.get_args(field)[0]
    if not issubclass(kind, msgspec.Struct):
        return lambda text: tuple(msgspec.json.decode(text)) if text else ()
    return lambda text: tuple(kind(**_named(each)) for each in msgspec.json.decode(text)) if text else ()


def _named(found: dict[str, Any]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for name, value in found.items():
        if name.endswith("_fp"):
            named[name.removesuffix("_fp")] = contracts(COUNTS[value]) if value else None
        elif name in ("target_cost_dollars", "rfq_target_cost_dollars"):
            named["target_cost"] = COSTS[value] / COST_PARTS if value else None
        elif name.endswith("_dollars"):
            named[name.removesuffix("_dollars")] = dollars(PRICES[value]) if value else None
        elif name == "leg_indices":
            named[name] = tuple(value)
        elif name == "side":
            named[name] = value or None
        else:
            named["rfq_id" if name == "id" else name] = value
    return named


def _levels(pairs: tuple[tuple[int, int], ...]) -> tuple[tuple[float, float], ...]:
    return tuple((dollars(price), contracts(count)) for price, count in pairs)


def _other(row: Row) -> Message:
    if isinstance(row, SnapshotRow):
        levels = _levels(row.yes), _levels(row.no)
        return market.OrderbookSnapshot(datetime_of(row.received_at), row.seq, row.market_ticker, *levels)
    if isinstance(row, IndexListRow):
        return reference_feeds.IndexList(row.index_ids, datetime_of(row.received_at), row.seq)
    if isinstance(row, UnderlyingListRow):
        return reference_feeds.UnderlyingList(row.underlying_tickers, datetime_of(row.received_at), row.seq)
    raise TypeError(f"{type(row).__name__} is not a row that kalshi_nb._rows.rows defines")


_MIXED: Final = {name: _Mixed(traits_of(name)) for name in ROWS if traits_of(name).event_column is not None}


def from_row(channel: str, row: Row) -> Message:
    """Return the message that a row of `channel`, or of ``quotes``, holds.

    Raises
    ------
    TypeError
        When it is neither a plain row nor one of the channel's other messages.
    """
    if type(row) is not tuple:
        return _other(row)
    values = list(row)
    for at, convert in _CONVERTED[channel]:
        value = values[at]
        if value is not None:
            values[at] = convert(value)
    kind = _TYPES.get(channel)
    return _MIXED[channel].message(values) if kind is None else kind(*values)


def from_rows(channel: str, rows: Iterable[Row]) -> list[Message]:
    """Return the messages of some rows, in their order."""
    return [from_row(channel, row) for row in rows]

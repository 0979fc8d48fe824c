"""What rows of the lifecycle channels say of markets and events."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

from kalshi_nb._fixed_point import PRICES
from kalshi_nb._rows.channels import LAYOUTS
from kalshi_nb._rows.market_facts import PriceRange
from kalshi_nb.errors import WireError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kalshi_nb._markets.registry import MarketRegistry
    from kalshi_nb._rows.market_facts import Phase
    from kalshi_nb._rows.rows import Row

__all__ = ["LIFECYCLE_CHANNELS", "learn"]

LIFECYCLE_CHANNELS: Final = ("market_lifecycle_v2", "multivariate_market_lifecycle")
"""The channels whose rows are read; both have one layout."""

_NAMES: Final = tuple(each.name for each in LAYOUTS[LIFECYCLE_CHANNELS[0]])

_STATUS_AFTER: Final[dict[str, Phase]] = {
    "created": "initialized",
    "activated": "active",
    "deactivated": "inactive",
    "determined": "determined",
    "settled": "finalized",
}
"""What an event of a market's life makes of it; other events leave it where it was."""

_TEXTS: Final = {"title": "title", "yes_sub_title": "subtitle", "strike_type": "strike_type"}
_NUMBERS: Final = ("floor_strike", "cap_strike")
_MOST_RANGES: Final = 100


def learn(registry: MarketRegistry, rows: Sequence[Row]) -> None:
    """Have a registry take up what some rows of a lifecycle channel say, in their order.

    Parameters
    ----------
    registry : MarketRegistry
        Learns it.
    rows : sequence of tuple
        As the engine hands them up; whatever is no plain row is passed over.
    """
    for row in rows:
        if type(row) is not tuple:
            continue  # a gap, or what steers frames
        values = dict(zip(_NAMES, row, strict=True))
        if values["event_type"] == "event_lifecycle":
            _learn_of_event(registry, values)
        elif values["market_ticker"] is not None:
            _learn_of_market(registry, values)


def _learn_of_event(registry: MarketRegistry, values: dict[str, Any]) -> None:
    facts = {
        "title": values["title"] or None,
        "subtitle": values["subtitle"] or None,
        "series_ticker": values["series_ticker"] or None,
        # Collateral is netted over markets of which one at most can win; any other word leaves it open.
        "mutually_exclusive": True if values["collateral_return_type"] == "MECNET" else None,
    }
    registry.update_event(values["event_ticker"], values["ts"], facts)


def _learn_of_market(registry: MarketRegistry, values: dict[str, Any]) -> None:
    metadata = _parsed(values["metadata"])
    more = metadata if isinstance(metadata, dict) else {}
    facts = {
        "status": _STATUS_AFTER.get(values["event_type"]),
        "event_ticker": values["event_ticker"] or None,
        "open_time": values["open_ts"],
        "close_time": values["close_ts"],
        "price_level_structure": values["price_level_structure"] or None,
        "price_ranges": _ranges(_parsed(values["price_ranges"])),
        "result": values["result"] or None,
        "settlement_value": values["settlement_value"],
        "determined_at": values["determination_ts"],
        "settled_at": values["settled_ts"],
    }
    facts |= {fact: _text(more.get(name)) for name, fact in _TEXTS.items()}
    facts |= {name: _number(more.get(name)) for name in _NUMBERS}
    registry.update(values["market_ticker"], values["ts"], facts)


def _parsed(text: str | None) -> Any:
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError):  # numbers of thousands of digits, nesting without end
        return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _ranges(value: object) -> tuple[PriceRange, ...] | None:
    """Return a grid of prices; None for one that makes no sense, which is no better known than none at all."""
    if not isinstance(value, list) or not 0 < len(value) <= _MOST_RANGES:
        return None
    try:
        found = tuple(PriceRange(PRICES[each["start"]], PRICES[each["end"]], PRICES[each["step"]]) for each in value)
    except (KeyError, TypeError, AttributeError, WireError):
        return None
    return found if all(0 <= each.start < each.end and each.step > 0 for each in found) else None

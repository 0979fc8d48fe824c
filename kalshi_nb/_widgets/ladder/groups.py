"""Ticks merged into coarser ones: how the levels of a fine grid are read, as one would say them in cents."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from kalshi_nb._fixed_point import DOLLAR
from kalshi_nb._redaction import shown
from kalshi_nb.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kalshi_nb._widgets.ladder.picture import LadderPicture, Level

__all__ = ["Group", "grouped"]

_CENT: Final = 100
_MOST: Final = 25
"""Cents: what is coarser tells nothing of a book any more."""


class Group(NamedTuple):
    """How many cents of prices are shown as one level.

    Attributes
    ----------
    default : float or None
        What stands where nothing was chosen; None leaves each price alone.
    """

    default: float | None = None

    def check(self, name: str, value: object) -> float:
        """Return the cents; a dollar is so many of them without a rest, so that both legs have the same levels."""
        try:
            parts = Fraction(str(value)) * _CENT
        except (ValueError, ZeroDivisionError):
            parts = Fraction(0)
        is_number = not isinstance(value, (bool, str)) and parts.denominator == 1
        if not is_number or not 0 < parts <= _MOST * _CENT or DOLLAR % parts:
            raise ConfigurationError(
                f"{name}={shown(value)}: give cents that go into a dollar, up to {_MOST}; try 1, or 0.5."
            )
        return float(parts / _CENT)


def grouped(picture: LadderPicture, cents: float, levels: int) -> LadderPicture:
    """Return a picture with the levels of each so many cents added up, the best groups of each side.

    A bid counts to the price at or below it and an ask to the one at or above it, so that nobody is promised a better
    price than there is. Best prices, and with them spread and mid, stay those of the book.

    Parameters
    ----------
    picture : LadderPicture
        All levels of the market, prices in YES dollars.
    cents : float
        The width of a group, as `Group` returns it.
    levels : int
        Groups a side, at most.
    """
    width = round(cents * _CENT)
    ticks = picture.ticks
    coarse = ((0, DOLLAR, width),) if ticks is None else tuple(_coarser(ticks, width))
    if ticks is not None and coarse == ticks:
        return picture.best(levels)
    # A grid may be coarser than the groups where it is in the middle, and need fewer decimals than its own there.
    decimals = 0 if width % _CENT == 0 else 1 if width % (_CENT // 10) == 0 else 2
    return picture._replace(
        bids=_added(picture.bids, width, up=False)[:levels],
        asks=_added(picture.asks, width, up=True)[:levels],
        touch=picture.best_levels,
        ticks=coarse,
        decimals=min(picture.decimals, decimals),
        orders=tuple((bought, _onto(price, width, up=bought == "no"), left) for bought, price, left in picture.orders),
        fills=tuple(
            (bought, _onto(price, width, up=bought == "no"), count, at) for bought, price, count, at in picture.fills
        ),
    )


def _coarser(ticks: Iterable[tuple[int, int, int]], width: int) -> Iterable[tuple[int, int, int]]:
    for start, end, step in ticks:
        yield (start, end, step) if step >= width else (math.ceil(start / width) * width, end, width)


def _added(levels: Iterable[Level], width: int, *, up: bool) -> tuple[Level, ...]:
    sizes: dict[float, float] = {}
    for price, size in levels:
        at = _onto(price, width, up=up)
        sizes[at] = sizes.get(at, 0.0) + size
    return tuple((price, round(size, 2)) for price, size in sizes.items())


def _onto(price: float, width: int, *, up: bool) -> float:
    parts = round(price * DOLLAR)
    return (math.ceil(parts / width) if up else parts // width) * width / DOLLAR

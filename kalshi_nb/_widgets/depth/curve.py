"""What a side of a book adds up to, from its best price outwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kalshi_nb._fixed_point import DOLLAR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kalshi_nb._widgets.ladder.picture import LadderPicture, Level

__all__ = ["DISTANCES", "Reach", "reach", "steps", "window"]

DISTANCES: Final = (0.01, 0.02, 0.05, 0.1, 0.2)
"""Dollars from the touch at which a side is told in numbers."""

_WINDOWS: Final = (0.05, 0.1, 0.2)
_SHARE: Final = 0.95


class Reach(NamedTuple):
    """What lies within a distance of the best price: contracts, and the dollars that taking all of them moves."""

    contracts: float
    dollars: float

    @property
    def average(self) -> float | None:
        """Dollars a contract; None where there is none."""
        return self.dollars / self.contracts if self.contracts else None


def reach(levels: Sequence[Level], distance: float) -> Reach:
    """Return what a side has no further than `distance` dollars from its best price, both ends included.

    >>> reach([(0.47, 100.0), (0.46, 50.0), (0.40, 7.0)], 0.01)
    Reach(contracts=150.0, dollars=70.0)

    Parameters
    ----------
    levels : sequence of (float, float)
        Price in dollars and size in contracts, best first.
    distance : float
        Dollars.
    """
    within = [level for level in levels if _apart(level[0], levels[0][0]) <= round(distance * DOLLAR)]
    # Sizes are whole hundredths, prices whole ten-thousandths: of floats the sum would not be exact.
    sizes = [round(size * 100) for _, size in within]
    cost = sum(round(price * DOLLAR) * size for (price, _), size in zip(within, sizes, strict=True))
    return Reach(sum(sizes) / 100, cost / (100 * DOLLAR))


def steps(levels: Sequence[Level]) -> list[Level]:
    """Return a side as it is added up: each price with all that lies between it and the best one, itself included."""
    total = 0
    found = []
    for price, size in levels:
        total += round(size * 100)
        found.append((price, total / 100))
    return found


def window(picture: LadderPicture) -> tuple[float, float]:
    """Return which prices to show, in dollars: up to 20 cents either way of the touch, fewer where that is nearly all.

    The narrowest of 5, 10 and 20 cents that has 95 % of the contracts of either side; 20 where none has.
    """
    sides = [side for side in (picture.bids, picture.asks) if side]
    if not sides:
        return 0.0, 1.0
    around = next((each for each in _WINDOWS if all(_has_most(side, each) for side in sides)), _WINDOWS[-1])
    touch = [side[0][0] for side in sides]
    return max(0.0, round(min(touch) - around, 4)), min(1.0, round(max(touch) + around, 4))


def _has_most(levels: Sequence[Level], distance: float) -> bool:
    return reach(levels, distance).contracts >= _SHARE * reach(levels, 1.0).contracts


def _apart(one: float, other: float) -> int:
    return abs(round(one * DOLLAR) - round(other * DOLLAR))

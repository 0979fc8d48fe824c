"""Exact numbers: the exchange's decimal strings as integers, and back as the nearest float.

Dollars are kept in 1/10000 (the finest price grid has four decimals), contracts in 1/100, costs and fees in
1/1000000 dollar, values of indices in 1/100000000. One division of
an exact integer gives the double nearest to the decimal, so a price of ``"0.4700"`` equals the literal
``0.47``.
"""

from __future__ import annotations

import re
from typing import Final

from kalshi_nb.errors import WireError

__all__ = [
    "CONTRACT",
    "COSTS",
    "COST_PARTS",
    "COUNTS",
    "DOLLAR",
    "LARGEST",
    "PRICES",
    "VALUES",
    "VALUE_PARTS",
    "FixedPoint",
    "contracts",
    "dollars",
]

DOLLAR: Final = 10_000
"""Units in a dollar."""

CONTRACT: Final = 100
"""Units in a contract."""

COST_PARTS: Final = 1_000_000
"""Units in a dollar of costs and fees, which have six decimals."""

VALUE_PARTS: Final = 100_000_000
"""Units in a dollar of index values, which have eight decimals."""

LARGEST: Final = 2**53
"""The most units that are taken: beyond it a float no longer holds every integer, and no real quantity comes near."""

_DECIMAL = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?", re.ASCII)
_LONGEST_REMEMBERED: Final = 32  # real ones have a dozen characters; the memory is bounded in bytes, too
_LONGEST_USUAL = 16  # at most fifteen digits and a point: below 2**53 whatever they are


class FixedPoint(dict[str, int]):
    """A conversion from decimal strings to integers that remembers what it has seen.

    Looking a string up converts it; the exchange repeats the same few thousand strings for ever. The
    memory is bounded, since a broken sender could invent new ones for ever too.

    Parameters
    ----------
    decimals : int
        Decimals that fit: 4 for prices, 2 for contracts, 6 for costs, 8 for index values.
    remember : int
        Most strings to remember.

    Raises
    ------
    WireError
        On look-up of a string that is not a plain decimal, or has more decimals than fit exactly.
    """

    __slots__ = ("_decimals", "_most", "_point")

    def __init__(self, decimals: int, *, remember: int = 65_536) -> None:
        super().__init__()
        self._decimals = decimals
        self._point = -decimals - 1
        self._most = remember

    def __missing__(self, text: str) -> int:
        point, digits = self._point, text.replace(".", "", 1)
        # As the exchange writes them: all decimals there, and few enough digits to be exact. Most misses are this.
        if (
            -point < len(text) <= _LONGEST_USUAL
            and text[point] == "."
            and digits.isascii()
            and (digits.isdigit() or (digits[0] == "-" and text[1] != "." and digits[1:].isdigit()))
        ):
            value = int(digits)
        else:
            value = self._unusual(text)
        if len(text) <= _LONGEST_REMEMBERED:
            if len(self) >= self._most:
                self.clear()  # what is still in use comes back at once
            self[text] = value
        return value

    def _unusual(self, text: str) -> int:
        """Return what any other plain decimal stands for."""
        match = _DECIMAL.fullmatch(text)
        if match is None:
            raise WireError(f"{text[:40]!r} is not a decimal number")
        sign, whole, fraction = match[1], match[2], (match[3] or "").rstrip("0")
        if len(fraction) > self._decimals:
            raise WireError(f"{text[:40]!r} has more than {self._decimals} decimals")
        if len(whole) > 20:
            raise WireError(f"{text[:40]!r} is too large to be kept exactly")
        value = int(whole + fraction.ljust(self._decimals, "0"))
        if value > LARGEST:
            raise WireError(f"{text[:40]!r} is too large to be kept exactly")
        return -value if sign else value


PRICES: Final = FixedPoint(4)
"""Dollar strings to 1/10000 dollar."""

COUNTS: Final = FixedPoint(2)
"""Contract strings to 1/100 contract."""

COSTS: Final = FixedPoint(6)
"""Strings of costs and fees to 1/1000000 dollar."""

VALUES: Final = FixedPoint(8, remember=1_024)  # they hardly ever come back
"""Strings of index values to 1/100000000 dollar."""


def dollars(units: int) -> float:
    """Return 1/10000 dollars as dollars."""
    return units / DOLLAR


def contracts(units: int) -> float:
    """Return 1/100 contracts as contracts."""
    return units / CONTRACT

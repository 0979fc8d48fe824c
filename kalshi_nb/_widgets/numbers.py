"""How prices, sizes, chances and moments are written, in every view the same."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from html import escape
from typing import Final

from kalshi_nb._moments import datetime_of

__all__ = [
    "MINUS",
    "bar",
    "clean",
    "markup",
    "moment",
    "needed",
    "percent",
    "price",
    "signed_percent",
    "size",
    "whole_sizes",
]

MINUS: Final = "\N{MINUS SIGN}"
_BLOCK: Final = "\N{FULL BLOCK}"
_HALF: Final = "\N{LEFT HALF BLOCK}"


def price(dollars: float, decimals: int, unit: str = "cents") -> str:
    """Return a price in the unit that was asked for.

    Parameters
    ----------
    dollars : float
        The price.
    decimals : int
        Decimals of a cent that its market has: 0, 1 or 2.
    unit : str
        ``"cents"``: 48.5¢; ``"dollars"``: 0.485; ``"probability"``: 48.5 %.
    """
    if unit == "dollars":
        text = f"{abs(dollars):.{decimals + 2}f}"
    else:
        text = f"{abs(dollars) * 100:.{decimals}f}" + ("¢" if unit == "cents" else " %")
    return MINUS + text if dollars < 0 else text


def needed(dollars: float) -> int:
    """Return how many decimals of a cent a price has: a merged level may have fewer than its market's prices."""
    parts = round(abs(dollars) * 10_000)
    return 2 if parts % 10 else 1 if parts % 100 else 0


def whole_sizes(sizes: Iterable[float]) -> bool:
    """Whether no size that is shown together needs decimals."""
    return all(round(each * 100) % 100 == 0 for each in sizes)


def size(contracts: float, *, whole: bool) -> str:
    """Return a number of contracts with thousands separators, and two decimals unless all beside it are whole."""
    hundredths = round(contracts * 100)
    return f"{hundredths // 100:,}" if whole else f"{hundredths / 100:,.2f}"


def percent(chance: float, *, of_no: bool = False) -> str:
    """Return a chance from 0 to 1 in whole per cent; what is nearly none or nearly sure is not rounded to it.

    That of NO is what is left of YES's, as that is written: so both add up to 100.
    """
    if chance < 0.01:
        return "< 1 %"
    # Up from the middle, of whole half-ticks: as the browser has it, so that no form of a view says another number.
    return "> 99 %" if chance > 0.99 else f"{(round(chance * 20_000) + (99 if of_no else 100)) // 200} %"


def signed_percent(share: float) -> str:
    """Return a share from -1 to 1 in whole per cent with its sign."""
    rounded = round(share * 100)
    return f"{'+' if rounded > 0 else MINUS if rounded < 0 else ''}{abs(rounded)} %"


def bar(share: float, cells: int = 10) -> str:
    """Return a bar of blocks, as long as a share from 0 to 1 of so many cells, in halves."""
    halves = int(min(1.0, max(0.0, share)) * cells * 2 + 1e-9)
    return _BLOCK * (halves // 2) + _HALF * (halves % 2)


def moment(epoch_seconds: float) -> str:
    """Return date and time in UTC; the date too, since a saved notebook is read on another day."""
    return datetime_of(round(epoch_seconds * 1e6)).strftime("%Y-%m-%d %H:%M:%S UTC")


def clean(text: str) -> str:
    """Return a text of the exchange's without what turns the direction of a line or breaks it."""
    return "".join(each for each in text if unicodedata.category(each) not in ("Cc", "Cf", "Zl", "Zp"))


def markup(text: str) -> str:
    """Return a text as it may stand in HTML, in an attribute too."""
    return escape(clean(text), quote=True)

"""What a column of rows is called, and what kind of value stands in it.

Units of the integers, by kind:

========  =====================================================================
kind      value
========  =====================================================================
time      microseconds since 1970-01-01 UTC
price     1/10000 dollar
midpoint  1/20000 dollar, as half of a sum of two prices is
count     1/100 contract
cost      1/1000000 dollar: costs, fees, profits
value     1/100000000 dollar: values of indices and underlyings
dollars   whole dollars
integer   as it is
number    as it is, float
market    a market ticker, str
name      another name that many rows share, str: of an index, of an underlying
outcome   "yes" or "no"
book      "bid" or "ask"
flag      bool
text      str
json      str, JSON as text, its decimals as the exchange wrote them
========  =====================================================================

Every value may be None, which is "none", as the exchange writes a missing bid, ask or last price.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["Column", "Kind", "layout"]

Kind = Literal[
    "time",
    "price",
    "midpoint",
    "count",
    "cost",
    "value",
    "dollars",
    "integer",
    "number",
    "market",
    "name",
    "outcome",
    "book",
    "flag",
    "text",
    "json",
]


class Column(NamedTuple):
    """One column.

    Attributes
    ----------
    name : str
        As Kalshi names the field, less its wire suffix.
    kind : str
        What kind of value it holds, one of the table above.
    """

    name: str
    kind: Kind


def layout(**columns: Kind) -> tuple[Column, ...]:
    """Return columns in their order, written as ``name="kind"``."""
    return tuple(Column(name, kind) for name, kind in columns.items())

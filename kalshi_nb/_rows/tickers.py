"""What may be wrong with a market ticker that the exchange does not know, as far as the ticker itself tells."""

from __future__ import annotations

from typing import Final

__all__ = ["hint"]

_PARTS: Final = 3
"""Series, event and outcome, as in ``KXHIGHNY-26NOV22-B52.5``."""


def hint(market_ticker: str) -> str:
    """Return in one sentence what to try in place of an unknown ticker; nothing where it looks like any other.

    >>> hint("kxhighny-26nov22-b52.5")
    "Tickers are upper case: 'KXHIGHNY-26NOV22-B52.5'."
    >>> hint("KXHIGHNY-26NOV22-B52.5")
    ''
    """
    upper = market_ticker.upper()
    if upper != market_ticker:
        return f"Tickers are upper case: {upper!r}."
    if len(market_ticker.split("-")) < _PARTS:
        return (
            f"{market_ticker!r} looks like the ticker of an event or a series; that of a market says the outcome, "
            "too, as 'KXHIGHNY-26NOV22-B52.5' does."
        )
    return ""

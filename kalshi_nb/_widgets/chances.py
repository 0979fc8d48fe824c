"""When a last trade tells no chance any more."""

from __future__ import annotations

__all__ = ["denied"]


def denied(last: float, bid: float | None, ask: float | None) -> bool:
    """Return whether a book denies the price of the last trade.

    Who offers YES for less than it was dealt at last, or bids more, says that it is not worth that any more.

    Parameters
    ----------
    last : float
        The price of the last trade, in dollars.
    bid, ask : float or None
        The best prices of the same leg, in dollars; None where a side is empty.
    """
    return (bid is not None and bid > last) or (ask is not None and ask < last)

"""What can be asked for of one channel: some tickers, or all there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["ALL", "All", "Params", "Wanted"]

Params = tuple[tuple[str, str | int], ...]
"""Further parameters of a subscription, by the names the exchange gives them."""


@dataclass(frozen=True, slots=True, repr=False)
class All:
    """All markets of a channel.

    Attributes
    ----------
    params : tuple of pairs
        What else the exchange is told, such as a part of the channel to send.
    """

    params: Params = ()

    def __repr__(self) -> str:
        return f"ALL with {dict(self.params)}" if self.params else "ALL"


ALL: Final = All()

Wanted = frozenset[str] | All

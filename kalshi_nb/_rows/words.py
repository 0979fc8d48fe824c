"""How to speak of what the rows of a channel are about: to the exchange in a command, to people in a message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["INDICES", "LONGEST_NAME", "MARKETS", "UNDERLYINGS", "Words"]

LONGEST_NAME: Final = 200
"""Characters of the longest name that anything is taken to have; the exchange's tickers have 60 at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words for one kind of subject; the reference feeds have some of their own.

    Attributes
    ----------
    one, several : str
        What one of them is called by its name, and what all of them are.
    example : str
        A name, as people have to write it.
    listed : str
        The parameter of a command that lists them.
    every : str or None
        What to list for all of them; None where leaving the list out means all.
    add, delete : str
        The actions that put some more, or some fewer, on a subscription.
    catalog : str or None
        The action that asks which there are; None where none does.
    """

    one: str
    several: str
    example: str
    listed: str
    every: str | None = None
    add: str = "add_markets"
    delete: str = "delete_markets"
    catalog: str | None = None

    @property
    def article(self) -> str:
        """What stands behind the "a" before one of them."""
        return "n" if self.one[0] in "aeiou" else ""


MARKETS: Final = Words(
    one="market ticker", several="markets", example="KXHIGHNY-26NOV22-B52.5", listed="market_tickers"
)

INDICES: Final = Words(
    one="index id",
    several="indices",
    example="BRTI",
    listed="index_ids",
    every="all",
    add="subscribe_indices",
    delete="unsubscribe_indices",
    catalog="indexlist",
)

UNDERLYINGS: Final = Words(
    one="underlying ticker",
    several="underlyings",
    example="Metal.XAU/USD",
    listed="underlying_tickers",
    every="all",
    add="subscribe_underlyings",
    delete="unsubscribe_underlyings",
    catalog="underlying_list",
)

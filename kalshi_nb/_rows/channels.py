"""The channels of the exchange and what sets each apart: who may filter it, whether it is counted.

Source: section "Channels" of Kalshi's WebSocket documentation and its AsyncAPI specification.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

__all__ = ["BOOKS", "CHANNELS", "NEVER_DROPPED", "REFERENCE_FEEDS", "TRAITS", "Subject", "Traits", "traits_of"]

BOOKS: Final = "orderbook_delta"
"""The channel of books."""

Subject = Literal["market_ticker", "index_id", "underlying_ticker"]


class Traits(NamedTuple):
    """What is special about one channel.

    Attributes
    ----------
    key : tuple of str
        The columns whose newest row is the present state of one thing.
    subject : str or None
        The column that says what a row is about, by which frames choose their rows; None where rows are not
        about anything that could be named.
    filtered : bool
        Whether the exchange itself takes a list of subjects; elsewhere it sends everything.
    sequenced : bool
        Whether its messages have sequence numbers.
    from_one : bool
        Whether those are known to begin with 1 at each subscription. Elsewhere counting begins at the first
        number seen: the lifecycle channel was seen to begin in the hundred thousands.
    """

    key: tuple[str, ...] = ("market_ticker",)
    subject: Subject | None = "market_ticker"
    filtered: bool = True
    sequenced: bool = True
    from_one: bool = False


_INDEX: Final = Traits(key=("index_id",), subject="index_id")

TRAITS: Final[dict[str, Traits]] = {
    "trade": Traits(from_one=True),
    "ticker": Traits(sequenced=False),
    "orderbook_delta": Traits(from_one=True),
    "fill": Traits(sequenced=False),
    "market_positions": Traits(key=("market_ticker", "subaccount"), sequenced=False),
    "user_orders": Traits(key=("order_id",), sequenced=False),
    "order_group_updates": Traits(key=("order_group_id",), subject=None, filtered=False),
    "market_lifecycle_v2": Traits(filtered=False),
    "multivariate_market_lifecycle": Traits(filtered=False),
    "communications": Traits(key=("rfq_id",), filtered=False),
    "cfbenchmarks_value": _INDEX,
    "cfbenchmarks_value_5hz": _INDEX,
    "pyth_value": Traits(key=("underlying_ticker",), subject="underlying_ticker"),
}

CHANNELS: Final[tuple[str, ...]] = tuple(TRAITS)
"""The channels this version knows, by Kalshi's names."""

REFERENCE_FEEDS: Final = tuple(name for name, each in TRAITS.items() if each.subject not in ("market_ticker", None))
"""Those that are about indices or underlyings."""

NEVER_DROPPED: Final = frozenset({"fill", "market_positions", "user_orders"})
"""What happens to one's own money: these rows wait for a slow pipeline however many they are."""


def traits_of(channel: str) -> Traits:
    """Return what sets `channel` apart; nothing where it is not in the table, such as rows that the kit makes."""
    return TRAITS.get(channel, Traits())

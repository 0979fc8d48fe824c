"""The exchange's channels: how each is filtered and counted, and the words of the reference feeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["ACTIONS", "BOOK", "CHANNELS", "FEEDS", "UNFILTERED", "UNSEQUENCED", "Feed", "subject_of"]

BOOK: Final = "orderbook_delta"

_BY_MARKET: Final = (BOOK, "ticker", "trade", "fill", "market_positions", "user_orders")
UNFILTERED: Final = frozenset(
    {"market_lifecycle_v2", "multivariate_market_lifecycle", "communications", "order_group_updates"}
)
"""Channels that send everything, whatever markets a command names."""

UNSEQUENCED: Final = frozenset({"ticker", "fill", "market_positions", "user_orders"})
"""Channels whose frames carry no ``seq``, but for ``unsubscribed``."""


@dataclass(frozen=True, slots=True)
class Feed:
    """The words of one kind of reference feed.

    Attributes
    ----------
    names : str
        The parameter, and the field of an ``ok``, that lists what is subscribed to.
    field : str
        The field of a message that says what it is about.
    add, remove, listing : str
        The actions of ``update_subscription``.
    list_type : str
        What the type of the answer to `listing` has behind the channel's name.
    missing_code : int
        The error of an action without names.
    """

    names: str
    field: str
    add: str
    remove: str
    listing: str
    list_type: str
    missing_code: int


_INDICES: Final = Feed(
    "index_ids", "index_id", "subscribe_indices", "unsubscribe_indices", "indexlist", "_indexlist", 24
)
FEEDS: Final[dict[str, Feed]] = {
    "cfbenchmarks_value": _INDICES,
    "cfbenchmarks_value_5hz": _INDICES,
    "pyth_value": Feed(
        "underlying_tickers",
        "underlying_ticker",
        "subscribe_underlyings",
        "unsubscribe_underlyings",
        "underlying_list",
        "_underlying_list",
        28,
    ),
}
"""The channels that are filtered by something else than markets, and empty without a filter."""

CHANNELS: Final = (*_BY_MARKET, *sorted(UNFILTERED), *FEEDS)
"""The channels of this exchange; every other name is answered with error 8."""

ACTIONS: Final[dict[str, tuple[str, ...]]] = {
    "add_markets": _BY_MARKET,
    "delete_markets": _BY_MARKET,
    "get_snapshot": (BOOK,),
}
"""On which channels the actions of ``update_subscription`` that are about markets can be had."""


def subject_of(channel: str, message: dict[str, object]) -> str | None:
    """Return what a message of `channel` is about, as a filter would name it."""
    feed = FEEDS.get(channel)
    fields = ("market_ticker", "ticker") if feed is None else (feed.field,)
    return next((value for field in fields if isinstance(value := message.get(field), str)), None)

"""The table of channels: whatever is special about one stands here, as plain data, and all else reads it.

A channel more is one record in this table, a module (or a part of one) in ``kalshi_nb._wire`` that reads its
messages, a class in ``kalshi_nb._messages``, and a method of the feed; nothing else knows channels by name.

Source: section "Channels" of Kalshi's WebSocket documentation and its AsyncAPI specification.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from kalshi_nb._rows.channel import Channel
from kalshi_nb._rows.columns import Column, layout
from kalshi_nb._rows.words import INDICES, UNDERLYINGS

__all__ = [
    "BOOKS",
    "CHANNELS",
    "LAYOUTS",
    "NEVER_DROPPED",
    "QUOTES",
    "REFERENCE_FEEDS",
    "ROWS",
    "position",
    "source_of",
    "traits_of",
]

BOOKS: Final = "orderbook_delta"
"""The channel of books."""

QUOTES: Final = "quotes"
"""What rows of best bids and asks go by, which the kit makes from books; the exchange has none of that name."""


_LIFECYCLE: Final = layout(
    ts="time",
    market_ticker="market",
    event_type="text",
    result="text",
    settlement_value="price",
    close_ts="time",
    is_deactivated="flag",
    event_ticker="text",
    open_ts="time",
    determination_ts="time",
    settled_ts="time",
    price_level_structure="text",
    metadata="json",
    price_ranges="json",
    series_ticker="name",
    title="text",
    subtitle="text",
    collateral_return_type="text",
    strike_date="time",
    strike_period="text",
    fee_type_override="text",
    fee_multiplier_override="number",
    exchange_index="integer",
    received_at="time",
    seq="integer",
)

_TABLE: Final = (
    Channel(
        name="trade",
        title="trades",
        wire="market_data",
        messages=("Trade",),
        identity="trade_id",
        from_one=True,
        columns=layout(
            ts="time",
            market_ticker="market",
            yes_price="price",
            count="count",
            taker_outcome_side="outcome",
            taker_book_side="book",
            no_price="price",
            is_block_trade="flag",
            trade_id="text",
            received_at="time",
            seq="integer",
        ),
    ),
    Channel(
        name="ticker",
        title="tickers",
        wire="market_data",
        messages=("Ticker",),
        sequenced=False,
        params_of_named=(("send_initial_snapshot", True),),
        columns=layout(
            ts="time",
            market_ticker="market",
            price="price",
            yes_bid="price",
            yes_ask="price",
            volume="count",
            open_interest="count",
            spread="price",
            mid="midpoint",
            yes_bid_size="count",
            yes_ask_size="count",
            last_trade_size="count",
            dollar_volume="dollars",
            dollar_open_interest="dollars",
            market_id="name",
            received_at="time",
        ),
    ),
    Channel(
        name=BOOKS,
        title="deltas",
        wire="books",
        messages=("OrderbookDelta", "OrderbookSnapshot"),
        from_one=True,
        params=(("use_yes_price", False),),
        short_answers=False,
        columns=layout(
            ts="time",
            market_ticker="market",
            side="outcome",
            price="price",
            delta="count",
            client_order_id="text",
            subaccount="integer",
            clock="integer",
            received_at="time",
            seq="integer",
        ),
    ),
    Channel(
        name="fill",
        title="fills",
        wire="account",
        messages=("Fill",),
        sequenced=False,
        account=True,
        columns=layout(
            ts="time",
            market_ticker="market",
            outcome_side="outcome",
            yes_price="price",
            count="count",
            fee_cost="cost",
            post_position="count",
            is_taker="flag",
            book_side="book",
            order_id="text",
            client_order_id="text",
            trade_id="text",
            exchange_index="integer",
            subaccount="integer",
            received_at="time",
        ),
    ),
    Channel(
        name="market_positions",
        title="positions",
        wire="account",
        messages=("MarketPosition",),
        key=("market_ticker", "subaccount"),
        sequenced=False,
        account=True,
        columns=layout(
            ts="time",
            market_ticker="market",
            position="count",
            position_cost="cost",
            realized_pnl="cost",
            fees_paid="cost",
            position_fee_cost="cost",
            volume="count",
            subaccount="integer",
            user_id="text",
            received_at="time",
        ),
    ),
    Channel(
        name="user_orders",
        title="orders",
        wire="account",
        messages=("UserOrder",),
        key=("order_id",),
        ended=("status", frozenset({"canceled", "executed"})),
        sequenced=False,
        account=True,
        columns=layout(
            ts="time",
            market_ticker="market",
            order_id="text",
            status="text",
            outcome_side="outcome",
            yes_price="price",
            remaining_count="count",
            fill_count="count",
            initial_count="count",
            book_side="book",
            client_order_id="text",
            last_update_reason="text",
            taker_fill_cost="cost",
            maker_fill_cost="cost",
            taker_fees="cost",
            maker_fees="cost",
            order_group_id="text",
            self_trade_prevention_type="text",
            created_ts="time",
            last_updated_ts="time",
            expiration_ts="time",
            exchange_index="integer",
            subaccount_number="integer",
            user_id="text",
            received_at="time",
        ),
    ),
    Channel(
        name="order_group_updates",
        title="order_groups",
        wire="account",
        messages=("OrderGroupUpdate",),
        key=("order_group_id",),
        ended=("event_type", frozenset({"deleted"})),
        subject=None,
        filtered=False,
        columns=layout(
            ts="time",
            event_type="text",
            order_group_id="text",
            contracts_limit="count",
            received_at="time",
            seq="integer",
        ),
    ),
    Channel(
        name="market_lifecycle_v2",
        title="lifecycle",
        wire="lifecycle",
        messages=("MarketLifecycle", "EventLifecycle", "EventFeeUpdate"),
        event_column="event_type",
        filtered=False,
        columns=_LIFECYCLE,
    ),
    Channel(
        name="multivariate_market_lifecycle",
        title="multivariate_lifecycle",
        wire="lifecycle",
        messages=("MarketLifecycle", "EventLifecycle", "EventFeeUpdate"),
        event_column="event_type",
        filtered=False,
        columns=_LIFECYCLE,
    ),
    Channel(
        name="communications",
        title="rfqs",
        wire="communications",
        messages=(
            "RfqCreated",
            "RfqDeleted",
            "QuoteCreated",
            "QuoteAccepted",
            "QuoteExecuted",
            "RfqBatchCreated",
            "RfqBatchDeleted",
            "BatchQuoteCreated",
            "RfqBatchBestQuotes",
            "BatchQuoteAccepted",
            "RfqBatchExecuted",
            "BatchQuoteExecuted",
        ),
        event_column="event",
        key=("rfq_id",),
        ended=("event", frozenset({"rfq_deleted", "quote_executed"})),
        filtered=False,
        columns=layout(
            ts="time",
            event="text",
            market_ticker="market",
            rfq_id="text",
            yes_bid="price",
            no_bid="price",
            contracts="count",
            target_cost="cost",
            quote_id="text",
            accepted_side="outcome",
            contracts_accepted="count",
            yes_contracts_offered="count",
            no_contracts_offered="count",
            rfq_creator_id="text",
            quote_creator_id="text",
            event_ticker="text",
            order_id="text",
            client_order_id="text",
            subaccount="integer",
            mve_collection_ticker="text",
            mve_selected_legs="json",
            rfq_batch_id="text",
            batch_quote_id="text",
            client_batch_id="text",
            version="integer",
            yes_complete="flag",
            no_complete="flag",
            close_reason="text",
            legs="json",
            rfqs="json",
            quotes="json",
            rfq_ids="json",
            executed_rfq_ids="json",
            failed_rfq_ids="json",
            received_at="time",
            seq="integer",
        ),
    ),
    Channel(
        name="cfbenchmarks_value",
        title="index_values",
        wire="reference_feeds",
        messages=("IndexValue", "IndexList"),
        key=("index_id",),
        subject="index_id",
        words=INDICES,
        short_answers=False,
        columns=layout(
            ts="time",
            index_id="name",
            value="value",
            avg_60s="value",
            last_60s_windowed_average_15min="value",
            source_ts="time",
            avg_60s_window_size="integer",
            last_60s_windowed_average_15min_window_size="integer",
            avg_60s_window_start_ts="time",
            avg_60s_window_end_ts="time",
            last_60s_windowed_average_15min_window_start_ts="time",
            last_60s_windowed_average_15min_window_end_ts="time",
            data="text",
            received_at="time",
            seq="integer",
        ),
    ),
    Channel(
        name="cfbenchmarks_value_5hz",
        title="index_values_5hz",
        wire="reference_feeds",
        messages=("IndexTick", "IndexList"),
        key=("index_id",),
        subject="index_id",
        words=INDICES,
        short_answers=False,
        columns=layout(
            ts="time",
            index_id="name",
            value="value",
            source_ts="time",
            data="text",
            received_at="time",
            seq="integer",
        ),
    ),
    Channel(
        name="pyth_value",
        title="pyth_values",
        wire="reference_feeds",
        messages=("UnderlyingValue", "UnderlyingList"),
        key=("underlying_ticker",),
        subject="underlying_ticker",
        words=UNDERLYINGS,
        short_answers=False,
        columns=layout(
            ts="time",
            underlying_ticker="name",
            value="value",
            source_ts="time",
            received_at="time",
            seq="integer",
        ),
    ),
    Channel(
        name=QUOTES,
        title="quotes",
        messages=("Quote",),
        source=BOOKS,
        columns=layout(
            ts="time",
            market_ticker="market",
            bid="price",
            bid_size="count",
            ask="price",
            ask_size="count",
            mid="midpoint",
            spread="price",
            received_at="time",
            seq="integer",
            status="text",
        ),
    ),
)

_BY_NAME: Final = {each.name: each for each in _TABLE}

ROWS: Final[tuple[str, ...]] = tuple(_BY_NAME)
"""What rows can be asked for by: the exchange's channels, and what the kit makes from them."""

CHANNELS: Final[tuple[str, ...]] = tuple(each.name for each in _TABLE if each.source is None)
"""The channels this version knows, by Kalshi's names."""

LAYOUTS: Final[dict[str, tuple[Column, ...]]] = {each.name: each.columns for each in _TABLE}
"""The columns of every kind of rows."""

REFERENCE_FEEDS: Final = tuple(each.name for each in _TABLE if each.words.catalog is not None)
"""Those that are about indices or underlyings, and can be asked which there are."""

NEVER_DROPPED: Final = frozenset(each.name for each in _TABLE if each.account)
"""What happens to one's own money."""


def traits_of(channel: str) -> Channel:
    """Return what sets `channel` apart.

    Raises
    ------
    KeyError
        When there is none of that name; what a user writes has been checked before.
    """
    return _BY_NAME[channel]


def source_of(channel: str) -> str:
    """Return the exchange's channel that rows are made from: itself, but for what the kit makes."""
    return _BY_NAME[channel].source or channel


@cache
def position(channel: str, column: str) -> int:
    """Return where `column` stands in a plain row of `channel`."""
    return [each.name for each in LAYOUTS[channel]].index(column)

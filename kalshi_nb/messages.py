"""Messages as ``feed.messages()`` and ``feed.on()`` give them: numbers and times, not wire strings.

Fields are named as the columns of the frames. Prices, costs and values are dollars, counts are contracts, all
floats made by one division from exact integers; times are in UTC. None is what the exchange writes as "none".

======================================================  ==============================================================
channel                                                 messages
======================================================  ==============================================================
``trade``                                               `Trade`
``ticker``                                              `Ticker`
``orderbook_delta``                                     `OrderbookDelta`, `OrderbookSnapshot`
``fill``                                                `Fill`
``market_positions``                                    `MarketPosition`
``user_orders``                                         `UserOrder`
``order_group_updates``                                 `OrderGroupUpdate`
``market_lifecycle_v2``                                 `MarketLifecycle`, `EventLifecycle`, `EventFeeUpdate`
``multivariate_market_lifecycle``                       `MarketLifecycle`, `EventLifecycle`
``communications``                                      `RfqCreated`, `RfqDeleted`, `QuoteCreated`, `QuoteAccepted`,
                                                        `QuoteExecuted`, `RfqBatchCreated`, `RfqBatchDeleted`,
                                                        `BatchQuoteCreated`, `RfqBatchBestQuotes`,
                                                        `BatchQuoteAccepted`, `RfqBatchExecuted`, `BatchQuoteExecuted`
``cfbenchmarks_value``                                  `IndexValue`, `IndexList`
``cfbenchmarks_value_5hz``                              `IndexTick`, `IndexList`
``pyth_value``                                          `UnderlyingValue`, `UnderlyingList`
``quotes`` (made from books)                            `Quote`
======================================================  ==============================================================
"""

from __future__ import annotations

from kalshi_nb._messages.communications import (
    BatchQuote,
    BatchQuoteAccepted,
    BatchQuoteCreated,
    BatchQuoteExecuted,
    BatchRfq,
    Leg,
    QuoteAccepted,
    QuoteCreated,
    QuoteExecuted,
    RfqBatchBestQuotes,
    RfqBatchCreated,
    RfqBatchDeleted,
    RfqBatchExecuted,
    RfqCreated,
    RfqDeleted,
)
from kalshi_nb._messages.indices import IndexList, IndexTick, IndexValue, UnderlyingList, UnderlyingValue
from kalshi_nb._messages.lifecycle import EventFeeUpdate, EventLifecycle, MarketLifecycle
from kalshi_nb._messages.market import OrderbookDelta, OrderbookSnapshot, Ticker, Trade
from kalshi_nb._messages.private import Fill, MarketPosition, OrderGroupUpdate, UserOrder
from kalshi_nb._messages.quote import Quote
from kalshi_nb._messages.reading import Message, from_row, from_rows

__all__ = [
    "BatchQuote",
    "BatchQuoteAccepted",
    "BatchQuoteCreated",
    "BatchQuoteExecuted",
    "BatchRfq",
    "EventFeeUpdate",
    "EventLifecycle",
    "Fill",
    "IndexList",
    "IndexTick",
    "IndexValue",
    "Leg",
    "MarketLifecycle",
    "MarketPosition",
    "Message",
    "OrderGroupUpdate",
    "OrderbookDelta",
    "OrderbookSnapshot",
    "Quote",
    "QuoteAccepted",
    "QuoteCreated",
    "QuoteExecuted",
    "RfqBatchBestQuotes",
    "RfqBatchCreated",
    "RfqBatchDeleted",
    "RfqBatchExecuted",
    "RfqCreated",
    "RfqDeleted",
    "Ticker",
    "Trade",
    "UnderlyingList",
    "UnderlyingValue",
    "UserOrder",
    "from_row",
    "from_rows",
]

"""The tables of docs/columns.md, written from the code: ``python -m tests.columns_page`` writes them anew.

What a column is called and of which type it is stands in the package; what it means stands here, once for each name
and once more where a name means something else.
"""

import pathlib
import re

import polars as pl

import kalshi_nb as kn
from kalshi_nb._frames.gaps import GAP_SCHEMA
from kalshi_nb._frames.schema import schema
from kalshi_nb._recording.candles import CANDLE_SCHEMA
from kalshi_nb._recording.telling import DEPTH_SCHEMA
from kalshi_nb._rest.candles import CANDLES
from kalshi_nb._rest.frames import MARKETS, event_frame, series_frame
from kalshi_nb._rows.channels import LAYOUTS, ROWS, traits_of
from kalshi_nb._rows.columns import Kind

PAGE = pathlib.Path(__file__).parent.parent / "docs" / "columns.md"
BEGIN, END = "<!-- begin: {} -->", "<!-- end: {} -->"

UNITS: dict[Kind, str] = {
    "time": "UTC, microseconds",
    "price": "dollars, 4 decimals",
    "midpoint": "dollars, 5 decimals",
    "count": "contracts, 2 decimals",
    "cost": "dollars, 6 decimals",
    "value": "dollars, 8 decimals",
    "dollars": "whole dollars",
    "integer": "number",
    "number": "number",
    "market": "text",
    "name": "text",
    "outcome": "`yes` or `no`",
    "book": "`bid` or `ask`",
    "flag": "true or false",
    "text": "text",
    "json": "JSON as text",
}

MEANING = {
    "accepted_side": "which side was accepted",
    "avg_60s": "mean of the last 60 seconds",
    "avg_60s_window_end_ts": "where that window ends",
    "avg_60s_window_size": "how many values that mean is of",
    "avg_60s_window_start_ts": "where that window begins",
    "ask": "best price at which YES can be bought",
    "ask_size": "how much is offered there",
    "at": "the moment that the book is of",
    "backfilled": "true: fetched over REST; false: it came by itself",
    "batch_quote_id": "the quote of several requests at once",
    "bid": "best price that is bid for YES",
    "bid_size": "how much is bid there",
    "book_side": "the side of the YES book: `bid` buys YES or sells NO, `ask` the other way round",
    "can_close_early": "whether it may close before `close_time`",
    "cap_strike": "upper bound of the strike; null where there is none",
    "category": "what it is about, in a word or two",
    "channel": "Kalshi's name of the channel",
    "checked_at": "when it was looked at",
    "client_batch_id": "the id that whoever asked gave it",
    "client_order_id": "the id that you gave your order; null where it is not yours, or has none",
    "clock": "the exchange's own count of what made the change; null in older frames",
    "close": "price of the last trade",
    "close_reason": "why it ended",
    "close_time": "when trading ends, as planned",
    "close_ts": "when trading ends, as planned",
    "closed_at": "when it was over; null while it is open",
    "collateral_return_type": "how collateral comes back",
    "complete": "false: still open, or trades may be missing",
    "connection": "which of the feed's connections, from 1",
    "contract_url": "where its terms are",
    "contracts": "how many are asked for",
    "contracts_accepted": "how many were accepted",
    "contracts_limit": "how many the group may still trade",
    "count": "how many contracts",
    "created_time": "when it was made",
    "created_ts": "when it was made",
    "data": "what the provider sent, JSON as text",
    "delta": "signed change of what is bid at `price`",
    "determination_ts": "when it was decided",
    "differing_levels": "how many levels were not the same",
    "dollar_open_interest": "worth of the open interest",
    "dollar_volume": "worth of all trades so far",
    "end": "where the interval ends, itself not in it",
    "event": "which step of the story this is",
    "event_ticker": "the event",
    "event_title": "of its event",
    "event_type": "what happened",
    "exchange_index": "which shard of the exchange",
    "executed_rfq_ids": "requests that were executed",
    "expected_expiration_time": "when it is expected to be decided",
    "expiration_ts": "when it ends by itself; null for never",
    "failed_rfq_ids": "requests that were not",
    "fee_cost": "what it cost in fees",
    "fee_multiplier": "factor of the fee",
    "fee_multiplier_override": "factor of the fee from now on",
    "fee_type": "how fees are reckoned",
    "fee_type_override": "how fees are reckoned from now on",
    "fees_paid": "fees so far",
    "fill_count": "how much of it was filled",
    "floor_strike": "lower bound of the strike; null where there is none",
    "frequency": "how often there is one",
    "gap": "true on each market's first row after a gap",
    "high": "highest price of a trade",
    "index_id": "the index, such as `BRTI`",
    "initial_count": "how large it was",
    "is_block_trade": "negotiated outside of the book",
    "is_deactivated": "trading is halted",
    "is_multivariate": "combines other markets",
    "is_taker": "true where your order took, false where it rested in the book",
    "last_60s_windowed_average_15min": "mean of the last minute before a quarter of an hour ends",
    "last_60s_windowed_average_15min_window_end_ts": "where that window ends",
    "last_60s_windowed_average_15min_window_size": "how many values that mean is of",
    "last_60s_windowed_average_15min_window_start_ts": "where that window begins",
    "last_trade_size": "size of the last trade; null before the first",
    "last_update_reason": "why it changed last",
    "last_updated_ts": "when it changed last",
    "legs": "what is nested in the message",
    "level": "1 is the best price of either side",
    "looks": "how often it was looked at",
    "low": "lowest price of a trade",
    "maker_fees": "fees where it rested",
    "maker_fill_cost": "what was paid where it rested",
    "market_id": "the exchange's id of the market",
    "market_ticker": "the market",
    "market_type": "the exchange's word for its kind",
    "metadata": "what else is said of it",
    "mid": "middle between bid and ask, exact; null where one of them is",
    "mutually_exclusive": "whether one market of it at most is decided YES",
    "mve_collection_ticker": "the collection that the combination is of",
    "mve_selected_legs": "what is combined",
    "no_bid": "bid for NO",
    "no_complete": "whether all of NO was offered",
    "no_contracts_offered": "how many NO contracts are offered",
    "no_price": "price of NO: one dollar less `yes_price`",
    "open": "price of the first trade",
    "open_interest": "contracts that are held",
    "open_time": "when trading begins",
    "open_ts": "when trading begins",
    "opened_at": "when it was seen",
    "order_group_id": "the order group; null for none",
    "order_id": "the order",
    "outcome_side": "what you take a position in",
    "position": "net contracts: YES above zero, NO below",
    "position_cost": "what it cost",
    "position_fee_cost": "what it cost in fees",
    "post_position": "net position afterwards: YES above zero, NO below; null where the row was fetched",
    "price": "price of the last trade; null before the first",
    "price_level_structure": "which prices there are, by name",
    "price_ranges": "which prices there are",
    "quote_creator_id": "who quotes",
    "quote_id": "the quote",
    "quotes": "what is nested in the message",
    "realized_pnl": "profit so far",
    "reason": "why: see below",
    "received_at": "this computer's clock when it came",
    "remaining_count": "how much of it is still open",
    "repaired_by": "what brought it right; null while, or where, nothing did",
    "result": "how it was decided; null before",
    "rfq_batch_id": "several requests at once",
    "rfq_creator_id": "who asks",
    "rfq_id": "the request for a quote",
    "rfq_ids": "the requests",
    "rfqs": "what is nested in the message",
    "rules": "how it is decided",
    "score": "how well it fits the words, 1 at most",
    "self_trade_prevention_type": "what happens where it would meet an order of yours",
    "seq": "number of the message in its subscription",
    "seq_from": "first number that is missing; null where none is known",
    "seq_to": "last number that is missing",
    "series_ticker": "the series; null until it is known",
    "series_title": "of its series",
    "settled_ts": "when it was paid out",
    "settlement_time": "when it was paid out",
    "settlement_value": "what one YES was paid",
    "side": "whose book changed; where `no`, `price` is a NO price",
    "source_ts": "the provider's own time",
    "spread": "`ask - bid`, exact; null where one of them is",
    "start": "where the interval begins",
    "status": "how it stands, in the exchange's word",
    "strike_date": "when it is decided",
    "strike_period": "how long it is about",
    "strike_type": "how strikes are to be read",
    "subaccount": "which subaccount; null where it is not said",
    "subaccount_number": "which subaccount; null where it is not said",
    "subtitle": "which outcome",
    "tags": "what it is about, in more words",
    "taker_book_side": "the side of the YES book that the taker was on: see above",
    "taker_fees": "fees where it took",
    "taker_fill_cost": "what was paid where it took",
    "taker_outcome_side": "what the taker got a position in: see above",
    "target_cost": "for how much somebody wants to trade",
    "title": "what it asks",
    "trade_id": "names the trade, for ever",
    "trades": "how many",
    "ts": "the exchange's time, never null; where it gave none, `received_at`",
    "underlying_ticker": "the underlying, such as `Metal.XAU/USD`",
    "updated_time": "when it changed last",
    "user_id": "whose it is",
    "value": "the value; null where it is not exact",
    "verdict": "`same`, `different`, `not live` or `unknown there`",
    "version": "of the quote",
    "volume": "contracts traded so far",
    "volume_24h": "contracts traded in the last day",
    "yes_ask": "best price at which YES can be bought; null for none",
    "yes_ask_close": "best ask at the end",
    "yes_ask_high": "highest best ask",
    "yes_ask_low": "lowest best ask",
    "yes_ask_open": "best ask at the beginning",
    "yes_ask_size": "how much is offered there; null for none",
    "yes_bid": "best price that is bid for YES; null for none",
    "yes_bid_close": "best bid at the end",
    "yes_bid_high": "highest best bid",
    "yes_bid_low": "lowest best bid",
    "yes_bid_open": "best bid at the beginning",
    "yes_bid_size": "how much is bid there; null for none",
    "yes_complete": "whether all of YES was offered",
    "yes_contracts_offered": "how many YES contracts are offered",
    "yes_price": "price of YES, also where NO was taken",
}

FETCHED = "this computer's clock when it came; null where the row was fetched"

OTHERWISE = {
    ("trade", "received_at"): FETCHED,
    ("fill", "received_at"): FETCHED,
    ("user_orders", "received_at"): FETCHED,
    ("market_positions", "received_at"): FETCHED,
    ("trade", "seq"): "number of the message in its subscription; null where the row was fetched",
    (
        "orderbook_delta",
        "price",
    ): "the level: a price of what `side` says, so that 0.30 for NO is an ask of 0.70 for YES",
    ("communications", "yes_bid"): "what is bid for YES",
    ("market_positions", "volume"): "contracts traded by you; null where the row was fetched",
    ("market_positions", "position_fee_cost"): "what it cost in fees; null where the row was fetched",
    ("market_positions", "user_id"): "whose it is; null where the row was fetched",
    ("quotes", "status"): "that of the book: `live`, `stale`, `closed`",
    ("books", "status"): "of the book: `live`, `connecting`, `stale`, `unknown` or `closed`",
    ("quotes", "seq"): "number of the message that changed the book; null where none did",
    ("bars", "volume"): "contracts traded in the interval",
    ("bars", "open_interest"): "contracts that were held at the end; null in bars of your own",
    ("bars", "trades"): "how many; null where the exchange made the candle",
    ("bars", "mid"): "middle between the last bid and ask; only candles from the exchange have it",
    ("gaps", "market_ticker"): "the market; null for all of the subscription's",
    ("depth", "bid"): "price that is bid for YES; null where this side has no such level",
    ("depth", "ask"): "price at which YES can be bought; null where this side has no such level",
    ("order_group_updates", "event_type"): "what happened to the group",
    ("index", "value"): "the value in dollars; null where it is not exact",
}

ASKED = {
    "trade": "feed.trades()",
    "ticker": "feed.tickers()",
    "orderbook_delta": "feed.deltas(market)",
    "quotes": "feed.quotes(market)",
    "fill": "feed.fills()",
    "user_orders": "feed.orders()",
    "market_positions": "feed.positions()",
    "order_group_updates": "feed.order_groups()",
    "market_lifecycle_v2": "feed.lifecycle()",
    "multivariate_market_lifecycle": 'feed.frame("multivariate_market_lifecycle")',
    "communications": "feed.rfqs()",
    "cfbenchmarks_value": 'feed.index_values("BRTI")',
    "cfbenchmarks_value_5hz": 'feed.frame("cfbenchmarks_value_5hz")',
    "pyth_value": 'feed.frame("pyth_value")',
}
ORDER = tuple(ASKED)


def unit_of(name, dtype):
    """What a column holds whose kind nobody wrote down."""
    if isinstance(dtype, pl.Datetime):
        return UNITS["time"]
    if dtype == pl.Boolean:
        return UNITS["flag"]
    if dtype == pl.Float64:
        counted = ("size", "volume", "volume_24h", "open_interest")
        plain = ("score", "fee_multiplier", "strike")
        return "contracts" if name.endswith(counted) else "number" if name.endswith(plain) else "dollars"
    return {pl.String: "text", pl.Int64: "number"}.get(type(dtype), "list of texts")


def type_of(dtype):
    """A dtype as people write it."""
    if isinstance(dtype, pl.Enum):
        return "Enum"
    if isinstance(dtype, pl.Datetime):
        return "Datetime"
    return "List(String)" if isinstance(dtype, pl.List) else str(dtype)


def meaning(where, name):
    """Say what a column means in one frame."""
    return OTHERWISE.get((where, name)) or MEANING[name]


def table(where, columns):
    """Return a table of (name, dtype, what it holds)."""
    rows = [f"| `{name}` | {type_of(dtype)} | {unit} | {meaning(where, name)} |" for name, dtype, unit in columns]
    return "\n".join(["| column | type | holds | what it is |", "|---|---|---|---|", *rows])


def of_channel(channel):
    """Return the table of one channel's frame."""
    kinds = dict(LAYOUTS[channel])
    return table(channel, [(name, dtype, UNITS[kinds[name]]) for name, dtype in schema(channel).items()])


def of_schema(where, found):
    """Return the table of any other frame."""
    made = pl.Schema({name: each() if isinstance(each, type) else each for name, each in found.items()})
    return table(where, [(name, dtype, unit_of(name, dtype)) for name, dtype in made.items()])


def channels():
    """Return the tables of all channels, those that people ask for most in front."""
    parts = []
    for channel in sorted(ROWS, key=ORDER.index):
        traits = traits_of(channel)
        made = f"made from `{traits.source}`" if traits.source else "with sequence numbers" * traits.sequenced
        about = [f"channel `{channel}`" if not traits.source else made, "" if traits.source else made]
        key = ", ".join(f"`{each}`" for each in traits.key)
        about.append(f"`latest()` keeps the newest row of each {key}")
        parts.append(
            f"### {traits.title}\n\n`{ASKED[channel]}`: {'; '.join(filter(None, about))}.\n\n{of_channel(channel)}"
        )
    return "\n\n".join(parts)


def others():
    """Return the tables of what is no channel's frame."""
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        market = exchange.market_tickers[0]
        exchange.advance(1)
        book = feed.book(market).wait()
        depth, checked = book.depth(1).schema, feed.verify_books([market]).schema
        found = feed.search("temperature").schema
        books = feed.books([market]).df.schema
    listed = {name: dtype for name, dtype in found.items() if name not in MARKETS}
    tables = {
        "Candles and bars": (
            '`feed.candles(market, "1h")`, `kn.candles(…)`, without `mid` `recording.candles("1m")`, `bars("1m")`.',
            "bars",
            {**CANDLE_SCHEMA, **CANDLES},
        ),
        "A book's depth": ("`book.depth(10)`: a row a level.", "depth", depth),
        "Depth of a recording": (
            '`recording.depth(every="1s")`: likewise, of each book and moment.',
            "depth",
            DEPTH_SCHEMA,
        ),
        "Several books": ("`feed.books([…]).df`: a row a book.", "books", books),
        "Gaps": ("`feed.gaps`, `recording.gaps()` and those of an export.", "gaps", GAP_SCHEMA),
        "Books against the exchange's own": ("`feed.verify_books()`.", "verify", checked),
        "Markets": (
            "`feed.markets()`, `feed.market(ticker)`, `kn.markets(…)`; `feed.search(words)` has three more.",
            "markets",
            {**MARKETS, **listed},
        ),
        "Events": ("`feed.events()`.", "events", event_frame([]).schema),
        "Series": ("`feed.series()`.", "series", series_frame([]).schema),
    }
    return "\n\n".join(
        f"### {title}\n\n{said}\n\n{of_schema(where, found)}" for title, (said, where, found) in tables.items()
    )


def written(text):
    """Return the page with its tables as the code has them now."""
    for name, made in (("channels", channels()), ("other frames", others())):
        begin, end = BEGIN.format(name), END.format(name)
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        text, times = pattern.subn(lambda _found, made=made, b=begin, e=end: f"{b}\n\n{made}\n\n{e}", text)
        if times != 1:
            raise SystemExit(f"{PAGE} needs {begin} and {end}, once each.")
    return text


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

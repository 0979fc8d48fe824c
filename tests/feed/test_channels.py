"""Every channel as a frame, a stream, messages and a callback, over the simulated exchange."""

import threading
from decimal import Decimal

import polars as pl
import pytest

import kalshi_nb as kn
from kalshi_nb import errors
from kalshi_nb._rows.channels import CHANNELS, LAYOUTS, NEVER_DROPPED, traits_of
from tests.channel_frames import EVERY, MESSAGES
from tests.feed.conftest import until

pytestmark = pytest.mark.usefixtures("nothing_before")

WHAT = {"index_id": "BRTI", "underlying_ticker": "Metal.XAU/USD", "market_ticker": "KXA-1"}
FRAMES = {
    "fill": lambda feed, **more: feed.fills(**more),
    "market_positions": lambda feed, **more: feed.positions(**more),
    "user_orders": lambda feed, **more: feed.orders(**more),
    "order_group_updates": lambda feed, **more: feed.order_groups(**more),
    "market_lifecycle_v2": lambda feed, **more: feed.lifecycle(**more),
    "multivariate_market_lifecycle": lambda feed, **more: feed.lifecycle(multivariate=True, **more),
    "communications": lambda feed, **more: feed.rfqs(**more),
    "cfbenchmarks_value": lambda feed, **more: feed.index_values(**more),
    "cfbenchmarks_value_5hz": lambda feed, **more: feed.index_values(five_hz=True, **more),
}


def say(exchange, channel, kind=None, **changes):
    kind = kind or next(iter(MESSAGES[channel]))
    sent = exchange.publish(channel, kind, {**MESSAGES[channel][kind], **changes})
    exchange.advance(0)
    return sent


@pytest.mark.parametrize("channel", FRAMES)
def test_each_method_gives_the_frame_of_its_channel_whole_when_it_is_empty(feed, channel):
    for exact in (False, True):
        df = FRAMES[channel](feed, exact=exact).df
        fetched = ["backfilled"] if channel in NEVER_DROPPED else []
        assert df.columns == [*(each.name for each in LAYOUTS[channel]), *fetched]
        assert df.is_empty()
        if "received_at" in df.columns:
            assert df.schema["received_at"] == pl.Datetime("us", "UTC")
    assert FRAMES[channel](feed) is feed.frame(channel)
    assert FRAMES[channel](feed).name in repr(FRAMES[channel](feed))


def test_the_first_eight_columns_are_what_people_look_at(feed):
    first = {
        "fills": "ts market_ticker outcome_side yes_price count fee_cost post_position is_taker",
        "orders": "ts market_ticker order_id status outcome_side yes_price remaining_count fill_count",
        "positions": "ts market_ticker position position_cost realized_pnl fees_paid position_fee_cost volume",
        "rfqs": "ts event market_ticker rfq_id yes_bid no_bid contracts target_cost",
        "lifecycle": "ts market_ticker event_type result settlement_value close_ts is_deactivated event_ticker",
    }
    for method, columns in first.items():
        assert getattr(feed, method)().df.columns[:8] == columns.split()


def test_exact_frames_have_the_decimals_of_their_channel(feed, exchange):
    fills, values = feed.fills(exact=True), feed.frame("pyth_value", exact=True)
    say(exchange, "fill")
    say(exchange, "pyth_value")
    assert fills.df.schema["fee_cost"] == pl.Decimal(18, 6)
    assert fills.df["fee_cost"].to_list() == [Decimal("0.054601")]
    assert values.df.schema["value"] == pl.Decimal(18, 8)
    assert values.df["value"].to_list() == [Decimal("4012.00000001")]


@pytest.mark.parametrize(("channel", "kind"), EVERY)
def test_every_message_comes_through_as_row_and_as_message(feed, exchange, channel, kind):
    frame, seen, lists = feed.frame(channel), [], []
    calls = feed.messages(channel).sink(lists.append)

    @feed.on(channel)
    def saw(message):
        seen.append(message)

    assert say(exchange, channel, kind) == 1
    assert len(seen) == 1
    assert lists == [seen]
    assert isinstance(seen[0], getattr(kn.messages, type(seen[0]).__name__))
    in_frame = "list" not in kind
    assert frame.df.height == in_frame
    assert feed.rejects == []
    assert feed.health().pipeline_errors == 0
    calls.destroy()


@pytest.mark.parametrize("channel", MESSAGES)
def test_streams_give_the_same_rows_and_frames_of_theirs_are_keyed_alike(feed, exchange, channel):
    source = feed.stream(channel)
    kept = source.rolling_frame()
    frame = feed.frame(channel)
    say(exchange, channel)
    say(exchange, channel)
    assert kept.df.equals(frame.df.drop("backfilled", strict=False))  # which those of one's own account have besides
    assert kept.df.height == 2
    assert kept.latest().height == frame.latest().height == 1


@pytest.mark.parametrize("channel", [each for each in MESSAGES if traits_of(each).subject is not None])
def test_a_frame_of_some_holds_only_those(feed, exchange, channel):
    subject = traits_of(channel).subject
    field = "ticker" if channel == "user_orders" else subject
    kind, message = next(iter(MESSAGES[channel].items()))
    mine = message[field]
    frame = feed.frame(channel, mine)
    say(exchange, channel, kind)
    say(exchange, channel, kind, **{field: "another"})
    assert frame.df[subject].cast(pl.String).to_list() == [mine]
    sent = say(exchange, channel, kind, **{field: "another"})
    assert sent == (0 if traits_of(channel).filtered else 1)  # the exchange itself filters where it can


def test_more_of_a_feed_can_be_asked_for_later_and_let_go(feed, exchange):
    first = feed.index_values("BRTI")
    second = feed.index_values(["ETHUSD_RTI"])
    say(exchange, "cfbenchmarks_value", index_id="BRTI")
    say(exchange, "cfbenchmarks_value", index_id="ETHUSD_RTI")
    assert (first.df.height, second.df.height) == (1, 1)
    second.close()
    until(lambda: say(exchange, "cfbenchmarks_value", index_id="ETHUSD_RTI") == 0, "the index is let go")
    assert say(exchange, "cfbenchmarks_value", index_id="BRTI") == 1
    assert feed.gaps.is_empty()
    every = feed.frame("cfbenchmarks_value_5hz")
    say(exchange, "cfbenchmarks_value_5hz", index_id="SOLUSD_RTI")
    assert every.df.height == 1


def test_latest_is_the_state_of_each_order(feed, exchange):
    orders = feed.orders(rows=2)
    for order, status, left in (
        ("a", "resting", "5.00"),
        ("b", "resting", "7.00"),
        ("a", "resting", "2.00"),
        ("b", "canceled", "0.00"),
        ("c", "resting", "1.00"),
        ("a", "executed", "0.00"),
    ):
        say(exchange, "user_orders", order_id=order, status=status, remaining_count_fp=left)
    latest = orders.latest()
    assert dict(latest.select("order_id", "status").rows()) == {"a": "executed", "b": "canceled", "c": "resting"}
    assert orders.df.height == 2


def test_latest_is_the_state_of_each_position(feed, exchange):
    positions = feed.positions(rows=1)
    for market, account, held in (("A", 0, "1.00"), ("B", 0, "2.00"), ("A", 0, "3.00"), ("A", 1, "4.00")):
        say(exchange, "market_positions", market_ticker=market, subaccount=account, position_fp=held)
    latest = positions.latest().with_columns(pl.col("market_ticker").cast(pl.String))
    assert sorted(latest.select("market_ticker", "subaccount", "position").rows()) == [
        ("A", 0, 3.0),
        ("A", 1, 4.0),
        ("B", 0, 2.0),
    ]


def test_latest_of_requests_leaves_out_what_is_about_none(feed, exchange):
    rfqs = feed.rfqs()
    say(exchange, "communications", "rfq_created")
    say(exchange, "communications", "rfq_deleted")
    say(exchange, "communications", "rfq_batch_deleted")
    assert rfqs.df["event"].to_list() == ["rfq_created", "rfq_deleted", "rfq_batch_deleted"]
    assert rfqs.latest()["event"].to_list() == ["rfq_deleted"]


def test_rows_of_ones_own_money_are_never_dropped():
    with (
        kn.sim.Exchange(seed=7, clock="manual") as exchange,
        kn.connect(exchange, max_pending_rows=50, new=True) as feed,
    ):
        free, seen = (
            threading.Event(),
            dict.fromkeys(("fill", "user_orders", "market_positions", "trade"), 0),
        )

        def counting(channel):
            def count(message):
                assert free.wait(30)
                seen[channel] += 1

            return count

        for channel in seen:
            feed.on(channel)(counting(channel))
        try:
            before = feed.health().messages
            for _ in range(300):
                for channel in ("fill", "user_orders", "market_positions"):
                    exchange.publish(channel, next(iter(MESSAGES[channel])), next(iter(MESSAGES[channel].values())))
            until(lambda: feed.health().messages == before + 900, "all of them are received")
            trade = {
                "trade_id": "t",
                "market_ticker": "KXA-1",
                "yes_price_dollars": "0.4700",
                "no_price_dollars": "0.5300",
                "count_fp": "1.00",
                "ts_ms": 1_790_000_000_000,
            }

            def trades_are_dropped():
                exchange.publish("trade", "trade", trade)
                return feed.health().dropped_rows > 0

            until(trades_are_dropped, "trades are dropped")
        finally:
            free.set()
        feed.flush()
        assert {channel: seen[channel] for channel in ("fill", "user_orders", "market_positions")} == {
            "fill": 300,
            "user_orders": 300,
            "market_positions": 300,
        }


def test_what_is_unknown_is_counted_and_kept(feed, exchange):
    rfqs, groups, lifecycle = feed.rfqs(), feed.order_groups(), feed.lifecycle("KXA-1")
    exchange.publish("communications", "rfq_paused", {"id": "rfq-1"})
    say(exchange, "order_group_updates", event_type="frozen")
    exchange.publish("market_lifecycle_v2", "market_lifecycle_v2", {"market_ticker": "KXA-1", "event_type": "moved"})
    say(exchange, "communications", "rfq_created")
    assert [reject.reason for reject in feed.rejects] == ["unknown type 'rfq_paused'"]
    assert b"rfq-1" in feed.rejects[0].data
    assert groups.df["event_type"].to_list() == ["frozen"]
    assert lifecycle.df["event_type"].to_list() == ["moved"]
    assert rfqs.df.height == 1
    assert feed.gaps.is_empty()


def test_a_hole_in_communications_is_a_row_of_gaps(feed, exchange):
    rfqs = feed.rfqs()
    say(exchange, "communications")
    exchange.faults.skip_frames("communications", 2)
    for _ in range(3):
        exchange.publish("communications", "rfq_created", MESSAGES["communications"]["rfq_created"])
    until(lambda: rfqs.total == 2, "the last one comes")
    assert feed.gaps.select("channel", "seq_from", "seq_to").rows() == [("communications", 2, 3)]


LISTED = {
    "cfbenchmarks_value": "index_id",
    "cfbenchmarks_value_5hz": "index_id",
    "pyth_value": "underlying_ticker",
}


@pytest.mark.parametrize("channel", LISTED)
def test_what_a_reference_feed_has_can_be_asked_for(feed, exchange, channel):
    assert feed.index_ids(channel) == []
    assert feed.health().markets.get(channel) in (None, 0)
    for name in ("ETHUSD_RTI", "BRTI"):
        exchange.publish(channel, channel, {**MESSAGES[channel][channel], LISTED[channel]: name})
    assert sorted(feed.index_ids(channel)) == ["BRTI", "ETHUSD_RTI"]
    frame = feed.frame(channel, "BRTI")
    assert sorted(feed.index_ids(channel)) == ["BRTI", "ETHUSD_RTI"]
    say(exchange, channel, **{LISTED[channel]: "BRTI"})
    assert frame.df.height == 1
    assert say(exchange, channel, **{LISTED[channel]: "ETHUSD_RTI"}) == 0
    assert feed.gaps.is_empty()


def test_a_question_that_cannot_be_answered_says_why(feed, exchange):
    with pytest.raises(errors.ConfigurationError, match=r"these have one: .*pyth_value"):
        feed.index_ids("trade")
    with pytest.raises(errors.UnknownChannelError):
        feed.index_ids("brti")
    exchange.faults.begin_maintenance()
    until(lambda: feed.state == "reconnecting", "the line is down")
    with pytest.raises(errors.LinkError, match="no connection to ask cfbenchmarks_value by"):
        feed.index_ids()
    feed.close()
    with pytest.raises(errors.FeedClosedError):
        feed.index_ids()


# parameters of communications


def test_shards_share_a_channel(exchange):
    with kn.connect(exchange, new=True) as one, kn.connect(exchange, new=True) as two:
        frames = [feed.rfqs(shard_factor=2, shard_key=key) for key, feed in enumerate((one, two))]
        markets = [f"KX-{number}" for number in range(40)]
        for market in markets:
            assert say(exchange, "communications", market_ticker=market) == 1
        found = [set(frame.df["market_ticker"].cast(pl.String)) for frame in frames]
        assert found[0] | found[1] == set(markets)
        assert not found[0] & found[1]
        assert found[0]
        assert found[1]


def test_only_own_requests(feed, exchange):
    rfqs = feed.rfqs(user_filter="self")
    message = MESSAGES["communications"]["rfq_created"]
    assert exchange.publish("communications", "rfq_created", message, own=False) == 0
    assert exchange.publish("communications", "quote_created", MESSAGES["communications"]["quote_created"]) == 1
    assert say(exchange, "communications", "rfq_created") == 1
    assert rfqs.df["event"].to_list() == ["quote_created", "rfq_created"]
    assert feed.rfqs(user_filter="self") is rfqs


def test_parameters_come_back_with_the_connection(feed, exchange):
    feed.rfqs(user_filter="self")
    exchange.faults.drop_connections()
    until(lambda: feed.health().reconnects == 1 and feed.health().markets == {"communications": None}, "it is back")
    message = MESSAGES["communications"]["rfq_created"]
    assert exchange.publish("communications", "rfq_created", message, own=False) == 0
    assert exchange.publish("communications", "rfq_created", message) == 1


def test_one_subscription_has_one_set_of_parameters(feed):
    mine = feed.rfqs(user_filter="self")
    assert feed.rfqs() is not mine  # takes what the feed receives, and says so
    assert "all markets, user_filter='self'" in repr(feed.rfqs())
    with pytest.raises(errors.ConfigurationError, match=r"user_filter='self'.*one subscription a channel"):
        feed.rfqs(shard_factor=2)
    mine.close()
    feed.rfqs().close()
    until(lambda: feed.health().markets == {}, "the subscription ends")
    feed.rfqs(shard_factor=2)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"user_filter": "others"}, "user_filter"),
        ({"shard_key": 0}, "shard_factor"),
        ({"shard_factor": 0}, "1 to 100"),
        ({"shard_factor": 101}, "1 to 100"),
        ({"shard_factor": True}, "shard_factor"),
        ({"shard_factor": 2, "shard_key": 2}, "0 to 1"),
        ({"shard_factor": 2, "shard_key": -1}, "shard_key"),
    ],
)
def test_parameters_that_cannot_be_are_refused_in_the_cell(feed, params, words):
    with pytest.raises(errors.ConfigurationError, match=words):
        feed.rfqs(**params)


def test_wrong_names_say_what_they_are_names_of(feed):
    with pytest.raises(errors.MarketTickerError, match="An index id is text such as 'BRTI'"):
        feed.index_values(5)
    with pytest.raises(errors.MarketTickerError, match="all underlyings"):
        feed.frame("pyth_value", [])
    with pytest.raises(errors.MarketTickerError, match="Leave the argument out"):
        feed.index_values("all")
    with pytest.raises(errors.MarketTickerError, match="about no market"):
        feed.stream("order_group_updates", "KXA-1")
    with pytest.raises(errors.UnknownChannelError, match="pyth_value"):
        feed.frame("pyth")


def test_every_channel_has_a_name_for_its_frame(feed):
    names = {feed.frame(channel, "KXA-1" if channel == "orderbook_delta" else None).name for channel in CHANNELS}
    assert len(names) == len(CHANNELS)

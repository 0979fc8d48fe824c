"""Orders, fills and positions begin with what there is and go on with what comes: nothing is missed, nothing twice."""

from __future__ import annotations

import warnings

import polars as pl
import pytest

import kalshi_nb as kn
from kalshi_nb import errors
from kalshi_nb._feed import account
from kalshi_nb._rest import portfolio
from tests.feed.conftest import until

ORDER = ["order_id", "market_ticker", "status", "outcome_side", "yes_price", "remaining_count", "fill_count"]
ORDER += ["initial_count", "book_side", "client_order_id", "taker_fill_cost", "maker_fill_cost", "taker_fees"]
FILL = ["trade_id", "order_id", "market_ticker", "outcome_side", "yes_price", "count", "fee_cost", "is_taker"]
FILL += ["book_side", "client_order_id"]
POSITION = ["market_ticker", "subaccount", "position", "position_cost", "realized_pnl", "fees_paid"]


class Frames:
    """The three frames of an account."""

    def __init__(self, feed):
        self.orders, self.fills, self.positions = feed.orders(), feed.fills(), feed.positions()

    def stand(self):
        """How all of it stands: each order, fill and position, sorted."""
        assert self.fills.df.height == self.fills.df.n_unique(["trade_id", "order_id"]), "a fill is there twice"
        return (
            self.orders.latest().select(ORDER).sort("order_id").rows(),
            self.fills.df.select(FILL).sort("trade_id").rows(),
            self.positions.latest().select(POSITION).filter(pl.col("position") != 0).sort("market_ticker").rows(),
        )


@pytest.fixture
def witness(exchange):
    """The frames of a feed that was there from the beginning."""
    with kn.connect(exchange, new=True) as feed:
        yield Frames(feed)


@pytest.fixture
def late(exchange, witness):
    """A feed that comes when much has happened already."""
    exchange.advance(75)
    with kn.connect(exchange, new=True) as feed:
        yield feed


def test_frames_begin_with_what_there_is_and_go_on_with_what_comes(exchange, witness, late):
    frames = Frames(late)
    orders, fills, positions = frames.stand()
    assert len(fills) > 10
    assert len(positions) > 3
    assert {each[2] for each in orders} == {"resting", "canceled", "executed"}
    assert frames.stand() == witness.stand()
    exchange.advance(60)
    assert frames.stand() == witness.stand()
    assert len(frames.stand()[1]) > len(fills)
    assert late.health().warnings == ()


def test_rows_that_were_fetched_say_so_and_stand_in_the_order_of_their_time(exchange, late):
    frames = Frames(late)
    exchange.advance(60)
    for frame in (frames.orders, frames.fills, frames.positions):
        df = frame.df
        assert df.columns[-1] == "backfilled"
        assert set(df["backfilled"]) == {True, False}
        assert df["received_at"].is_null().to_list() == df["backfilled"].to_list()
        assert df["ts"].null_count() == 0
        assert df.filter("backfilled")["ts"].is_sorted()
        assert frame.total == df.height
    fetched = frames.fills.df.filter("backfilled")
    assert fetched["post_position"].null_count() == fetched.height  # REST does not tell it
    assert frames.fills.df.filter(~pl.col("backfilled"))["post_position"].null_count() == 0


def test_those_of_some_markets_begin_with_these_and_leave_others_as_they_are(exchange, late):
    every = late.fills()
    before = every.total
    tickers = sorted(set(every.df["market_ticker"]))[:2]
    one, two = late.fills(tickers[0], gaps=True), late.fills(tickers, exact=True)
    for frame, wanted in ((one, tickers[:1]), (two, tickers)):
        expected = every.df.filter(pl.col("market_ticker").is_in(wanted))["trade_id"]
        assert sorted(frame.df["trade_id"]) == sorted(expected)
    assert one.df.columns[-2:] == ["backfilled", "gap"]
    assert not one.df["gap"].any()
    assert every.total == before


def test_what_was_fetched_reaches_no_stream_and_no_callback(exchange, late):
    called, streamed = [], []
    late.on("fill")(called.append)
    source = late.stream("fill")
    source.sink(streamed.append)
    fills = late.fills()
    late.flush()
    assert fills.total > 10
    assert called == streamed == []
    exchange.advance(30)
    late.flush()
    assert len(called) == fills.df.filter(~pl.col("backfilled")).height
    assert "backfilled" not in streamed[0].columns


def test_what_moved_to_the_historical_tier_is_there_as_well_each_once(exchange, witness, late):
    exchange.faults.rest(live_tier=40)
    exchange.advance(45)
    frames = Frames(late)
    assert frames.stand() == witness.stand()
    venue = exchange._programme.venue
    since = exchange.now_us() - 40_000_000
    assert sum(each.time_us < since for each in venue.account.fills) > 10
    assert (
        sum(
            each.updated_us < since and each.update.order.status != "resting" for each in venue.account.orders.values()
        )
        > 10
    )
    for frame in (frames.orders, frames.fills):
        assert frame.df.filter("backfilled")["ts"].is_sorted()


def test_an_exchange_without_a_historical_tier_of_accounts_is_none_the_worse(exchange, witness, late):
    rest = exchange._server.rest
    rest._routes = [
        each for each in rest._routes if each.operation not in ("GetHistoricalOrders", "GetFillsHistorical")
    ]
    assert Frames(late).stand() == witness.stand()
    assert late.health().warnings == ()


@pytest.mark.parametrize(
    "trouble",
    [
        {"refuse": 3, "refusal": "object"},
        {"refuse": 2, "after": 1, "refusal": "gateway"},
        {"cursors": "empty_page"},
        {"delay": 0.3},
        {"cache": 15},
    ],
    ids=["429", "502", "empty pages", "slow", "cache"],
)
def test_trouble_that_passes_is_none(exchange, witness, late, monkeypatch, trouble):
    monkeypatch.setattr(account, "_PATIENCE", 60.0)
    exchange.faults.rest(**trouble)
    frames = Frames(late)
    assert frames.stand() == witness.stand()
    exchange.advance(30)
    assert frames.stand() == witness.stand()
    assert late.health().warnings == ()


def test_where_pages_lead_in_a_circle_what_came_is_there_and_it_is_said(exchange, late, monkeypatch):
    monkeypatch.setattr(portfolio, "_MOST", 10)
    monkeypatch.setattr(account, "_PATIENCE", 60.0)
    exchange.faults.rest(cursors="repeated")
    with pytest.warns(errors.AccountWarning, match="orders: only what has changed .* circle"):
        orders = late.orders()
    assert orders.total >= 20
    assert any(each.startswith("orders: ") for each in late.health().warnings)


def test_where_there_is_no_rest_the_live_half_works_and_it_is_said_once_with_the_server_s_own_taken_away(exchange):
    exchange._server.rest = None  # every address but the socket's is 404 then, as with a server of somebody's own
    with kn.connect(exchange, new=True) as feed:
        with pytest.warns(errors.AccountWarning, match="fills: .*no account over REST") as told:
            fills = feed.fills()
        feed.positions()  # a second warning would be an error here
        assert [each.filename for each in told] == [__file__]
        exchange.advance(60)
        assert fills.df.height > 10
        assert not fills.df["backfilled"].any()
        assert [each.partition(":")[0] for each in feed.health().warnings] == ["fills", "positions"]


def test_what_cannot_be_had_now_is_asked_for_again(exchange, witness, late, monkeypatch):
    monkeypatch.setattr(account, "_AGAIN", 0.1)
    monkeypatch.setattr(account, "_PATIENCE", 0.5)
    exchange.faults.rest(refuse=1_000_000, refusal="gateway")
    with pytest.warns(errors.AccountWarning, match="positions"):
        positions = late.positions()
    assert positions.total == 0
    exchange.faults.rest()
    monkeypatch.setattr(account, "_PATIENCE", 60.0)
    until(lambda: positions.total > 0, "the positions", timeout=90)
    until(lambda: late.health().warnings == (), "no warning any more")
    frames = Frames(late)
    assert frames.stand() == witness.stand()


# -- after a lost connection -------------------------------------------------------------------------------------


def outage(exchange, feed, seconds):
    """Have a feed miss so many seconds, and wait until it is there again."""
    exchange.detach(feed._parts.follower)  # the clock goes on without it
    exchange.faults.refuse_handshakes(503, retry_after=300)
    exchange.faults.drop_connections()
    until(lambda: feed.state != "connected", "the loss")
    until(lambda: "503" in (feed.health().last_error or ""), "the refusal")
    exchange.advance(seconds)
    feed.reconnect()
    until(lambda: feed.state == "connected", "connected again", timeout=30)
    exchange.attach(feed._parts.follower)


def repaired(feed):
    """By what the gaps of the account were repaired."""
    return feed.gaps.filter(pl.col("channel").is_in(account.ACCOUNT))["repaired_by"].to_list()


@pytest.fixture
def alone(exchange):
    with kn.connect(exchange, new=True) as feed:
        yield feed


def test_what_an_outage_hid_is_fetched_and_its_gaps_are_repaired_by_rest(exchange, alone):
    frames = Frames(alone)
    exchange.advance(30)
    outage(exchange, alone, 60)
    until(lambda: len(repaired(alone)) == 3 and set(repaired(alone)) == {"rest"}, "the repair", timeout=30)
    exchange.advance(1)
    with kn.connect(exchange, new=True) as other:
        assert frames.stand() == Frames(other).stand()
    assert frames.fills.df.filter("backfilled").height > 5
    assert alone.health().warnings == ()
    exchange.advance(60)
    with kn.connect(exchange, new=True) as other:
        assert frames.stand() == Frames(other).stand()


def test_a_position_that_was_paid_out_in_an_outage_is_flat():
    with kn.sim.Exchange(seed=7, clock="manual", closes_in=60) as exchange, kn.connect(exchange) as feed:
        positions = feed.positions()
        exchange.advance(50)
        before = positions.latest().filter(pl.col("market_ticker").str.starts_with("KXBTC15M"))
        assert before["position"].to_list() != [0.0]
        outage(exchange, feed, 30)
        until(lambda: repaired(feed) == ["rest"], "the repair", timeout=30)
        after = positions.latest().filter(pl.col("market_ticker").str.starts_with("KXBTC15M"))
        assert after.select("position", "position_cost", "backfilled").rows() == [(0.0, 0.0, True)]


# -- a market that goes on by itself -----------------------------------------------------------------------------


def test_on_a_busy_account_whose_answers_are_slow_nothing_is_twice_and_nothing_is_missed_by_a_pause_from_inside(
    monkeypatch,
):
    monkeypatch.setattr(account, "_PATIENCE", 60.0)
    with kn.sim.Exchange(seed=7, speed=30) as exchange, kn.connect(exchange) as feed:
        exchange.faults.rest(delay=0.2, refuse=2, after=4)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            witness, frames = Frames(feed), []
            for number in range(3):
                frames.append(feed.fills(rows=10_000 + number))
        until(lambda: frames[-1].df.filter(~pl.col("backfilled")).height > 20, "some live ones", timeout=60)
        exchange._programme.pause(on=True)  # the maintenance of faults would close the connection as well
        until(lambda: witness.fills.df.height == frames[-1].df.height, "the same", timeout=10)
        witness.stand()
        for each in frames:
            assert each.df.n_unique(["trade_id", "order_id"]) == each.df.height
            assert set(each.df["trade_id"]) == set(witness.fills.df["trade_id"])


# -- what shows it -----------------------------------------------------------------------------------------------


def test_the_account_panel_shows_the_whole_of_it_without_doubt(exchange, late):
    frames = Frames(late)
    text = kn.show(frames.positions, renderer="text", private=True).snapshot(private=True).text
    for ticker in frames.positions.latest().filter(pl.col("position") != 0)["market_ticker"]:
        assert ticker in text
    assert "doubt" not in text

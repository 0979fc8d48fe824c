"""One's own orders and fills: those that are marked are there, whatever was missed meanwhile."""

import polars as pl
import pytest

import kalshi_nb as kn
from kalshi_nb._markets.marks import OwnFill, OwnMarks, OwnOrder
from kalshi_nb._rows.channels import LAYOUTS
from kalshi_nb._rows.gaps import GapRow
from kalshi_nb._rows.steering import ClockStepRow, LateRows, ResetRow

AT = 1_795_000_000_000_000


def row(channel, **values):
    return tuple(values.get(each.name) for each in LAYOUTS[channel])


def order(name, left=500, market="KXA-1", status="resting", side="bid", price=4_600, at=AT, **more):
    return row(
        "user_orders", order_id=name, market_ticker=market, status=status, remaining_count=left, book_side=side,
        outcome_side={"bid": "yes", "ask": "no"}.get(side), yes_price=price, received_at=at, **more,
    )  # fmt: skip


def fill(number, market="KXA-1", outcome="yes"):
    return row(
        "fill", ts=AT + number, market_ticker=market, outcome_side=outcome, yes_price=5_000, count=100 + number,
    )  # fmt: skip


def test_an_order_is_marked_while_something_of_it_rests():
    marks = OwnMarks()
    marks.learn_orders([order("a"), order("b", 200, side="ask", price=5_300), order("c", market="KXB-1")])
    assert marks.orders("KXA-1") == (OwnOrder("yes", 4_600, 500, AT), OwnOrder("no", 5_300, 200, AT))
    marks.learn_orders([order("a", 300, at=AT + 1)])
    assert [each.left for each in marks.orders("KXA-1")] == [300, 200]
    marks.learn_orders([order("a", 0, status="executed"), order("b", 0, status="canceled", side="ask")])
    assert marks.orders("KXA-1") == ()
    assert len(marks.orders("KXB-1")) == 1


@pytest.mark.parametrize(
    "over",
    [{"left": 0}, {"left": None}, {"status": "unknown"}, {"status": None}, {"side": None}, {"price": None}],
)
def test_an_order_that_is_not_told_to_rest_somewhere_is_not_marked(over):
    marks = OwnMarks()
    marks.learn_orders([order("a")])
    marks.learn_orders([order("a", **over)])
    assert marks.orders("KXA-1") == ()


def test_one_batch_says_the_same_as_its_rows_one_by_one():
    rows = [
        order("a"),
        order("b"),
        order("a", 100),
        order("b", 0, status="canceled"),
        order("d", 0, status="executed"),
    ]
    rows += [GapRow("KXB-1", AT, "connection_lost"), order("c", market="KXB-1"), ClockStepRow(3)]
    whole, single = OwnMarks(), OwnMarks()
    whole.learn_orders(rows)
    for each in rows:
        single.learn_orders([each])
    for market in ("KXA-1", "KXB-1"):
        assert whole.orders(market) == single.orders(market) != ()


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(("gap", "left"), [("KXA-1", [0, 1]), (None, [0, 0])])
def test_where_an_end_may_have_been_missed_orders_are_forgotten(gap, left, at_once):
    marks = OwnMarks()
    rows = [order("a"), order("b", market="KXB-1")]
    missed = GapRow(gap, AT, "connection_lost")
    for batch in [[*rows, missed]] if at_once else [rows, [missed]]:
        marks.learn_orders(batch)
    assert [len(marks.orders(market)) for market in ("KXA-1", "KXB-1")] == left
    marks.learn_orders([order("a", 100)])
    assert [each.left for each in marks.orders("KXA-1")] == [100]


def test_what_was_fetched_later_revives_no_order_and_makes_no_fill_the_newest():
    marks = OwnMarks()
    marks.learn_orders([order("a"), order("a", 0, status="canceled"), LateRows((order("a"),))])
    assert marks.orders("KXA-1") == ()
    marks.learn_fills([fill(1), fill(5), LateRows((fill(3),))])
    assert [each.at - AT for each in marks.fills("KXA-1")] == [1, 3, 5]


def test_what_was_fetched_is_marked_unless_something_newer_was_heard():
    marks = OwnMarks()
    marks.learn_orders([LateRows((order("a", ts=AT, at=None), order("b", market="KXB-1", ts=AT, at=None)))], AT + 9)
    assert marks.orders("KXA-1") == (OwnOrder("yes", 4_600, 500, AT + 9, AT),)
    marks.learn_orders([order("a", 400, ts=AT + 5_000, at=AT + 5_001)])
    marks.learn_orders([LateRows((order("a", 450, ts=AT + 3_000, at=None),))], AT + 6_000)
    assert marks.orders("KXA-1") == (OwnOrder("yes", 4_600, 400, AT + 5_001, AT + 5_000),)
    marks.learn_orders([LateRows((order("a", 400, ts=AT + 5_123, at=None),))], AT + 7_000)  # the same, heard anew
    assert [(each.left, each.heard_at) for each in marks.orders("KXA-1")] == [(400, AT + 7_000)]
    marks.learn_orders([LateRows((order("a", 300, ts=AT + 8_000, at=None),))], AT + 9_000)
    assert [each.left for each in marks.orders("KXA-1")] == [300]
    marks.learn_orders([LateRows((order("a", 0, status="executed", ts=AT + 9_000, at=None),))], AT + 9_000)
    assert marks.orders("KXA-1") == ()
    assert len(marks.orders("KXB-1")) == 1


@pytest.mark.parametrize("between", [[], [GapRow(None, AT, "connection_lost")]])
@pytest.mark.parametrize("at_once", [True, False])
def test_an_order_that_ended_is_not_marked_again_by_an_answer_of_before(between, at_once):
    marks = OwnMarks(most_orders=3)
    rows = [order("a", 0, status="canceled"), *between, LateRows((order("a"), order("b")))]
    for batch in [rows] if at_once else [[each] for each in rows]:
        marks.learn_orders(batch, AT)
    assert list(marks._orders["KXA-1"]) == ["b"]
    marks.learn_orders([order(str(number), 0, status="executed") for number in range(9)])
    assert list(marks._ended) == ["6", "7", "8"]


def test_after_a_gap_orders_are_marked_as_they_were_fetched():
    marks = OwnMarks()
    marks.learn_orders([order("a"), GapRow(None, AT, "connection_lost"), LateRows((order("a", 200),))], AT + 5)
    assert [(each.left, each.heard_at) for each in marks.orders("KXA-1")] == [(200, AT + 5)]


def test_a_reset_forgets_what_is_before_it():
    marks = OwnMarks()
    marks.learn_orders([order("a")])
    marks.learn_orders([order("b"), ResetRow(), order("c", 100)])
    assert [each.left for each in marks.orders("KXA-1")] == [100]
    marks.learn_fills([fill(1)])
    marks.learn_fills([fill(2), ResetRow(), fill(3, outcome="no")])
    assert marks.fills("KXA-1") == (OwnFill("no", 5_000, 103, AT + 3),)


def test_it_is_bounded_and_what_was_seen_first_goes():
    marks = OwnMarks(most_orders=10, most_fills=3, most_markets=2)
    for number in range(25):
        marks.learn_orders([order(str(number), 100 + number, market=f"KX-{number % 2}")])
        marks.learn_fills([fill(number)])
    kept = [each.left - 100 for market in ("KX-0", "KX-1") for each in marks.orders(market)]
    assert sorted(kept) == list(range(15, 25))
    assert [each.at - AT for each in marks.fills("KXA-1")] == [22, 23, 24]
    marks.learn_fills([fill(1, "KXB-1"), fill(1, "KXC-1")])
    assert marks.fills("KXA-1") == ()


def test_what_a_reader_was_given_does_not_change():
    marks = OwnMarks()
    marks.learn_orders([order("a")])
    held = marks._orders["KXA-1"]
    marks.learn_orders([order("b")])
    marks.learn_orders([order("a", 0, status="canceled")])
    assert list(held) == ["a"]


@pytest.fixture
def exchange():
    with kn.sim.Exchange(seed=7, clock="manual") as made:
        yield made


def test_a_ladder_marks_what_the_frames_say_of_ones_own_and_asks_for_nothing_itself(exchange):
    with kn.connect(exchange) as feed:
        books = feed.books(sorted(each for each in _tickers(feed)))
        books.wait()
        exchange.advance(120)
        assert all(book._picture(5).orders == book._picture(5).fills == () for book in books.values())
        assert set(feed._engine.status().channels) == {"orderbook_delta"}
        orders, fills = feed.orders(), feed.fills()
        exchange.advance(300)
        resting = orders.latest().filter((pl.col("status") == "resting") & (pl.col("remaining_count") > 0))
        seen = [0, 0]
        for ticker, book in books.items():
            picture = book._picture(5)
            mine = resting.filter(pl.col("market_ticker") == ticker)
            told = mine.select("outcome_side", "yes_price", "remaining_count").rows()
            assert sorted(picture.orders) == sorted(told)
            newest = fills.df.filter(pl.col("market_ticker") == ticker).tail(20)
            assert [each[:3] for each in picture.fills] == newest.select("outcome_side", "yes_price", "count").rows()
            assert [each[3] for each in picture.fills] == pytest.approx(
                [each.timestamp() for each in newest["ts"]], abs=1e-3
            )
            assert picture.version == book._picture(5).version
            seen[0] += len(picture.orders)
            seen[1] += len(picture.fills)
        assert min(seen) > 0


def test_a_new_order_moves_the_version_and_its_end_takes_the_mark_away(exchange):
    with kn.connect(exchange) as feed:
        book = feed.book("KXHIGHNY-26NOV22-B52.5").wait()
        feed.orders()
        before = book._picture(5)
        _say(exchange, "resting", "25.00")
        marked = book._picture(5)
        assert marked.changes == before.changes
        assert marked.version != before.version
        assert ("no", 0.99, 25.0) in marked.orders
        _say(exchange, "canceled", "0.00")
        assert book._picture(5).orders == before.orders


def test_orders_that_rested_before_anybody_listened_are_marked(exchange):
    with kn.connect(exchange) as feed:
        exchange.advance(300)
        orders = feed.orders()
        fetched = orders.latest().filter((pl.col("status") == "resting") & (pl.col("remaining_count") > 0))
        assert fetched["backfilled"].all()
        assert fetched.height > 0
        told = fetched.select("outcome_side", "yes_price", "remaining_count").rows()
        books = feed.books(fetched["market_ticker"].unique().to_list())
        books.wait()
        assert sorted(each for book in books.values() for each in book._picture(5).orders) == sorted(told)
        orders.close()
        assert all(book._picture(5).orders == () for book in books.values())
        exchange.advance(1)
        feed.orders()
        assert any(book._picture(5).orders for book in books.values())


def test_once_nobody_hears_of_orders_none_is_marked_and_those_of_before_do_not_come_back(exchange):
    with kn.connect(exchange) as feed:
        book = feed.book("KXHIGHNY-26NOV22-B52.5").wait()
        orders, other = feed.orders(), feed.orders("KXHIGHNY-26NOV22-B54.5")
        _say(exchange, "resting", "25.00")
        assert ("no", 0.99, 25.0) in book._picture(5).orders
        orders.close()
        assert book._picture(5).orders == ()
        other.close()
        exchange.advance(1)
        feed.orders()
        assert ("no", 0.99, 25.0) not in book._picture(5).orders
        _say(exchange, "resting", "20.00")
        assert ("no", 0.99, 20.0) in book._picture(5).orders


def _tickers(feed):
    return [each.market_ticker for each in feed._markets.markets_of("KXHIGHNY-26NOV22")]


def _say(exchange, status, left):
    body = {
        "order_id": "own-1", "ticker": "KXHIGHNY-26NOV22-B52.5", "status": status, "outcome_side": "no",
        "book_side": "ask", "yes_price_dollars": "0.9900", "fill_count_fp": "0.00", "remaining_count_fp": left,
        "initial_count_fp": "25.00", "created_ts_ms": exchange.now_us() // 1_000,
    }  # fmt: skip
    exchange.publish("user_orders", "user_order", body)
    exchange.advance(0)


def test_a_fill_that_was_told_and_is_fetched_is_marked_once():
    def at(moment, count=100):
        return row("fill", ts=moment, market_ticker="KXA-1", outcome_side="yes", yes_price=5_000, count=count)

    marks = OwnMarks()
    marks.learn_fills([at(5_000), LateRows((at(5_123), at(9_000)))])  # what is told is so to the millisecond
    marks.learn_fills([LateRows((at(5_123), at(1_000), at(5_123, 200)))])
    assert [each.at for each in marks.fills("KXA-1")] == [1_000, 5_000, 5_123, 9_000]

"""A view of an account: what the frames say, in a person's words, and no more than is known."""

# ruff: noqa: RUF001  # golden texts stand as they are shown

import polars as pl
import pytest

import kalshi_nb as kn
from kalshi_nb._widgets.account.picture import AccountPicture, Deal, Holding, Name, Section, Working
from kalshi_nb._widgets.account.presenter import AccountPresenter
from kalshi_nb._widgets.account.text import account_html, account_text
from kalshi_nb._widgets.account.view import AccountView
from kalshi_nb.errors import ConfigurationError, UsageError
from tests.widgets.conftest import wait_until

TICKER = "KXHIGHNY-26NOV22-B52.5"
HOSTILE = "<img onerror=alert(1)>\u202e\u2066" + "x" * 10_000


@pytest.fixture
def exchange():
    with kn.sim.Exchange(seed=7, clock="manual") as made:
        yield made


@pytest.fixture
def feed(exchange):
    with kn.connect(exchange) as made:
        yield made


def picture(frame, rows=200):
    return AccountPresenter(frame._source).picture(rows)


def say_order(exchange, name="own-1", **changes):
    body = {
        "order_id": name, "ticker": TICKER, "status": "resting", "outcome_side": "no", "book_side": "ask",
        "yes_price_dollars": "0.9900", "fill_count_fp": "5.00", "remaining_count_fp": "20.00",
        "initial_count_fp": "25.00", "created_ts_ms": exchange.now_us() // 1_000,
    }  # fmt: skip
    exchange.publish("user_orders", "user_order", body | changes)
    exchange.advance(0)


def say_position(exchange, ticker=TICKER, position="25.00", cost="10.000000", **changes):
    body = {
        "user_id": "u", "market_ticker": ticker, "position_fp": position, "position_cost_dollars": cost,
        "realized_pnl_dollars": "-1.500000", "fees_paid_dollars": "0.250000", "position_fee_cost_dollars": "0.250000",
        "volume_fp": "30.00", "subaccount": 0,
    }  # fmt: skip
    exchange.publish("market_positions", "market_position", body | changes)
    exchange.advance(0)


# What is shown ----------------------------------------------------------------------------------------------------


def test_a_frame_shows_its_own_section_and_those_of_which_somebody_has_frames(feed):
    fills = feed.fills()
    assert list(picture(fills).sections) == ["fills"]
    positions = feed.positions()
    assert list(picture(fills).sections) == ["positions", "fills"]
    orders = feed.orders(TICKER)
    assert list(picture(positions).sections) == ["positions", "orders", "fills"]
    orders.close()
    assert list(picture(positions).sections) == ["positions", "fills"]


def test_of_several_frames_of_a_channel_the_one_with_the_most_markets_is_shown(feed, exchange):
    fills, few, every = feed.fills(), feed.orders("KXNOBODY-TRADES-1"), feed.orders()
    before = len(picture(fills).sections["orders"].rows)
    say_order(exchange, ticker="KXHIGHNY-26NOV22-B54.5")
    assert len(picture(fills).sections["orders"].rows) == before + 1
    every.close()
    assert len(picture(fills).sections["orders"].rows) == 0
    assert few.total == 0


def test_an_account_says_of_each_section_what_its_frame_has(feed, exchange):
    positions, orders, fills = feed.positions(), feed.orders(), feed.fills()
    exchange.advance(400)
    shown = picture(fills)
    told = positions.latest().sort("market_ticker")
    assert [each.size for each in shown.sections["positions"].rows] == told["position"].to_list()
    assert [each.market.ticker for each in shown.sections["positions"].rows] == told["market_ticker"].to_list()
    resting = orders.latest().filter(pl.col("status") == "resting")
    assert sorted((each.left, each.initial) for each in shown.sections["orders"].rows if not each.is_over) == sorted(
        resting.select("remaining_count", "initial_count").rows()
    )
    newest = fills.df.reverse()
    assert [each.size for each in shown.sections["fills"].rows] == newest["count"].to_list()[:200]
    assert [each.is_taker for each in shown.sections["fills"].rows] == newest["is_taker"].to_list()[:200]
    at = [each.at for each in shown.sections["fills"].rows]
    assert at == sorted(at, reverse=True)
    assert shown.sections["positions"].rows[0].market.title
    assert min(len(each.rows) for each in shown.sections.values()) > 0


def test_frames_of_decimals_show_the_same(feed, exchange):
    floats, decimals = feed.positions(), feed.positions(exact=True)
    exchange.advance(300)
    one, other = picture(floats), picture(decimals)
    assert one.sections == other.sections
    assert one.total == other.total


def test_a_frame_of_one_market_shows_that_market_alone(feed, exchange):
    one, _ = feed.fills(TICKER), feed.positions()
    exchange.advance(400)
    shown = picture(one)
    assert {row.market.ticker for each in shown.sections.values() for row in each.rows} == {TICKER}
    assert shown.title == TICKER


@pytest.mark.parametrize(("position", "side"), [("25.00", 0), ("-25.00", 1)])
def test_a_position_is_marked_by_the_best_bid_for_its_side_where_a_live_book_is_kept(feed, exchange, position, side):
    positions, book = feed.positions(), feed.book(TICKER).wait()
    say_position(exchange, position=position)
    (row,) = picture(positions).sections["positions"].rows
    bid = (book.best_bid, round(1 - book.best_ask, 4))[side]
    assert (row.mark, row.by, row.side) == (bid, "bid", ("yes", "no")[side])
    assert row.average == 0.4
    assert row.unrealized == pytest.approx(25 * bid - 10)
    assert (row.realized, row.fees) == (-1.5, 0.25)


def test_without_a_book_the_newest_trade_marks_and_says_so_and_without_either_nothing_does(feed, exchange):
    positions = feed.positions()
    say_position(exchange, position="-25.00")
    (row,) = picture(positions).sections["positions"].rows
    assert (row.mark, row.by, row.unrealized) == (None, "", None)
    assert picture(positions).total[:2] == (None, -1.5)
    trades = feed.trades(TICKER)
    while not trades.total:
        exchange.advance(10)
    price = trades.df["yes_price"][-1]
    say_position(exchange, position="-25.00")
    (row,) = (each for each in picture(positions).sections["positions"].rows if each.market.ticker == TICKER)
    assert (row.mark, row.by) == (round(1 - price, 4), "last")


def test_a_total_says_of_how_many_positions_it_has_the_worth(feed, exchange):
    positions, _ = feed.positions(), feed.book(TICKER).wait()
    say_position(exchange)
    say_position(exchange, "KXHIGHNY-26NOV22-B54.5", "-10.00")
    say_position(exchange, "KXHIGHNY-26NOV22-B50.5", "0.00", "0.000000")
    shown = picture(positions)
    assert (shown.total.marked, shown.total.held) == (1, 2)
    assert shown.total.realized == -4.5
    assert shown.total.unrealized == shown.sections["positions"].rows[1].unrealized
    assert shown.sections["positions"].rows[0].side == "flat"
    assert "total, 1 of 2 have a mark" in account_text(shown)


def test_an_order_that_ended_stays_some_seconds_and_then_goes(feed, exchange):
    orders = feed.orders()
    say_order(exchange)
    (row,) = (each for each in picture(orders).sections["orders"].rows if each.price == 0.01)
    assert (row.side, row.price, row.left, row.initial, row.is_over) == ("no", 0.01, 20.0, 25.0, False)
    say_order(exchange, status="canceled", remaining_count_fp="0.00")
    (row,) = (each for each in picture(orders).sections["orders"].rows if each.price == 0.01)
    assert (row.status, row.is_over) == ("canceled", True)
    exchange.advance(11)
    assert "own-1" in orders.latest()["order_id"].to_list()
    assert not [each for each in picture(orders).sections["orders"].rows if each.price == 0.01]


@pytest.mark.usefixtures("nothing_before")
def test_orders_that_rest_stand_before_those_that_ended_so_that_none_of_them_is_left_out(feed, exchange):
    orders = feed.orders()
    for number in range(4):
        say_order(exchange, f"ended-{number}", status="canceled", remaining_count_fp="0.00", ticker="A")
    for number in range(3):
        say_order(exchange, f"resting-{number}", ticker="Z")
    section = picture(orders, rows=4).sections["orders"]
    mine = [row.is_over for row in section.rows if row.market.ticker in ("A", "Z")]
    assert mine[:3] == [False] * 3
    assert section.more >= 3


def test_a_lost_connection_is_told_by_the_feeds_clock(feed, exchange):
    view = kn.show(feed.orders(TICKER))
    exchange.advance(1)
    exchange.faults.begin_maintenance()
    wait_until(lambda: view._scene.take().status == "stale")
    assert "stale since 2026-11-22 15:00:01 UTC" in view._scene.text(view._scene.take())


def test_an_order_that_was_heard_of_before_a_gap_is_doubtful_until_it_is_heard_of_again(feed, exchange):
    orders = feed.orders(TICKER)
    say_order(exchange)
    assert not picture(orders).sections["orders"].rows[0].is_doubtful
    exchange.advance(1)
    exchange.faults.drop_connections()
    wait_until(lambda: orders._source.gaps() and feed.state == "connected")
    rows = [each for each in picture(orders).sections["orders"].rows if each.price == 0.01]
    assert [each.is_doubtful for each in rows] == [True]
    exchange.advance(1)
    say_order(exchange)
    rows = [each for each in picture(orders).sections["orders"].rows if each.price == 0.01]
    assert [each.is_doubtful for each in rows] == [False]


def test_the_version_moves_with_what_is_shown_and_not_with_the_clock(feed, exchange):
    orders = feed.orders("KXNOBODY-TRADES-1")
    presenter = AccountPresenter(orders._source)
    before = presenter.picture(10)
    exchange.advance(30)
    after = presenter.picture(10)
    assert after.clock > before.clock
    assert after.version == before.version
    say_order(exchange, ticker="KXNOBODY-TRADES-1")
    assert presenter.picture(10).version != before.version


def test_a_closed_frame_says_so_and_keeps_its_rows(feed, exchange):
    orders = feed.orders("KXNOBODY-TRADES-1")
    say_order(exchange, ticker="KXNOBODY-TRADES-1")
    presenter = AccountPresenter(orders._source)
    assert presenter.picture(10).status == "live"
    orders.close()
    shown = presenter.picture(10)
    assert (shown.status, len(shown.sections["orders"].rows)) == ("closed", 1)
    assert "closed" in orders._live_view().snapshot(private=True).text


def test_a_mark_on_a_ladder_is_told_of_when_it_is_learned(feed, exchange):
    book = feed.book(TICKER).wait()
    feed.orders()
    woken = []
    book._presenter.watch(lambda: woken.append(book._picture(5).orders))
    say_order(exchange)
    assert [("no", 0.99, 20.0) in each for each in woken][-1]


# How it is written -------------------------------------------------------------------------------------------------


def shown(**changes):
    market = Name("KX-1", "A question?", "52 to 53")
    sections = {
        "positions": Section(
            (
                Holding(market, 25.0, 0.401234, 0.47, "bid", 1.7192, 0.0, 0.25, "yes"),
                Holding(Name("KX-2"), -10.5, 0.5, 0.4, "last", -1.05, -3.004, 0.0175, "no"),
                Holding(Name("KX-3"), 0.0, None, None, "", None, 12.0, 1.0, "flat"),
            ),
            2,
        ),
        "orders": Section((Working(market, "yes", 0.465, 20.0, 25.0, "resting", 1_795_000_000.0, False, True),)),
        "fills": Section((Deal(market, "no", 0.4, 1_250.0, True, 0.5, 1_795_000_000.0),)),
    }
    values = {"status": "live", "status_since": 1_795_000_000.0, "clock": 1_795_000_000.0, "title": "fills"}
    return AccountPicture(1, **values | {"sections": sections} | changes)


TEXT = """\
fills  live   (snapshot 2026-11-18 11:06:40 UTC)
  positions
    market  contracts  average      mark  unrealized  realized   fees
    KX-1       25 YES   40.12¢   47¢ bid      +$1.72     $0.00  $0.25
    KX-2     10.50 NO      50¢  40¢ last      −$1.05    −$3.00  $0.02
    KX-3            0        –         –           –   +$12.00  $1.00
    3 of 5 shown, 2 more
  orders
    market  side  price  remaining  of  status                       since
    KX-1    YES   46.5¢         20  25  resting ? heard of before a gap  2026-11-18 11:06:40 UTC
  fills
    market  side  price  contracts  as       fee  time
    KX-1    NO      40¢      1,250  taker  $0.50  2026-11-18 11:06:40 UTC"""


def test_an_account_reads_as_text():
    made = account_text(shown())
    assert [" ".join(line.split()) for line in made.splitlines()] == [
        " ".join(line.split()) for line in TEXT.splitlines()
    ]
    assert all(line == line.rstrip() for line in made.splitlines())


def test_an_account_without_style_is_a_table_a_section():
    html = account_html(shown(), note="below")
    assert html.count("<table") == 3
    for word in ("25 YES", "10.50 NO", "40¢ last", "taker", "below", "snapshot 2026"):
        assert word in html
    for word in ("<script", "http", " id=", "onerror"):
        assert word not in html


@pytest.mark.parametrize("form", [account_text, account_html])
def test_hostile_texts_stay_texts_and_a_full_account_stays_small(form):
    market = Name(HOSTILE, HOSTILE, HOSTILE)
    rows = {
        "positions": Section((Holding(market, 1e6, 0.5, 0.5, "bid", 1e5, 1e5, 1e5, "yes"),) * 200),
        "orders": Section((Working(market, "no", 0.4, 1e6, 1e6, HOSTILE, 0.0, False, False),) * 200),
        "fills": Section((Deal(market, "no", 0.4, 1e6, True, 1e4, 0.0),) * 200),
    }
    made = form(shown(title=HOSTILE, note="", sections=rows))
    assert "<img" not in made or form is account_text
    assert "\u202e" not in made
    assert len(made.encode()) < 20_000
    assert "190 more" in made


@pytest.mark.parametrize("form", [account_text, account_html])
def test_every_status_and_an_empty_account_say_so_in_words(form):
    for status in ("connecting", "live", "stale", "closed"):
        assert status in form(shown(status=status))
    empty = form(shown(sections={"orders": Section(), "fills": Section()}))
    assert empty.count("none heard of yet") == 2
    assert "amounts are masked" in form(shown().hidden())
    assert "left out of what a notebook stores" in form(shown().masked())


# What it is asked for ----------------------------------------------------------------------------------------------


def test_an_option_that_there_is_not_is_refused_by_name(feed):
    with pytest.raises(UsageError, match=r"An account has no option 'row'\. Did you mean 'rows'"):
        kn.show(feed.fills(), row=3)
    with pytest.raises(ConfigurationError, match="rows=0"):
        kn.show(feed.fills(), rows=0)


def test_so_many_rows_of_each_section_are_sent(feed, exchange):
    fills = feed.fills()
    exchange.advance(400)
    scene = AccountView.of(fills._source, {"rows": 3})
    body = scene.body(scene.complete())["sections"]["fills"]
    assert len(body["rows"]) == 3
    assert body["more"] == fills.total - 3

"""The newest trade of each market, whatever order things are asked for in."""

import pytest

import kalshi_nb as kn
from kalshi_nb._markets.last_trades import LastTrade, LastTrades
from kalshi_nb._rows.steering import LateRows, ResetRow

AT = 1_795_000_000_000_000


def trade(number, market="KXA-1", price=4_700, taker="yes"):
    return (AT + number, market, price, 100 + number, taker, "bid", 10_000 - price, False, f"id-{number}", AT, number)


def test_the_newest_row_of_each_market_stands():
    trades = LastTrades()
    trades.learn([trade(1), trade(2, "KXB-1", 900, "no"), trade(3)])
    assert trades.get("KXA-1") == LastTrade(4_700, 103, "yes", AT + 3)
    trades.learn([trade(4, "KXB-1", 950)])
    assert trades.get("KXA-1") == LastTrade(4_700, 103, "yes", AT + 3)
    assert trades.get("KXB-1") == LastTrade(950, 104, "yes", AT + 4)
    assert trades.get("KXC-1") is None


def test_what_was_fetched_later_is_not_the_newest_and_a_reset_forgets_what_is_before_it():
    trades = LastTrades()
    trades.learn([trade(5), LateRows((trade(1),))])
    assert trades.get("KXA-1").at == AT + 5
    trades.learn([trade(6), ResetRow(), trade(2, "KXB-1")])
    assert trades.get("KXA-1") is None
    assert trades.get("KXB-1").at == AT + 2


def test_it_is_bounded_and_the_first_seen_go():
    trades = LastTrades(most=10)
    for number in range(25):
        trades.learn([trade(number, f"KX-{number}")])
    assert len(trades) == 10
    assert trades.get("KX-14") is None
    assert trades.get("KX-15").at == AT + 15


def test_a_ladder_shows_the_newest_trade_where_somebody_wants_trades_and_asks_for_none_itself():
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange) as feed:
        ticker = "KXHIGHNY-26NOV22-B52.5"
        book = feed.book(ticker).wait()
        exchange.advance(120)
        before = book._picture(5)
        assert before.last is None
        trades = feed.trades()
        exchange.advance(120)
        newest = trades.latest().row(by_predicate=_of(ticker), named=True)
        picture = book._picture(5)
        last = picture.last
        assert (last.price, last.size, last.taker) == (
            newest["yes_price"],
            newest["count"],
            newest["taker_outcome_side"],
        )
        assert last.at == pytest.approx(newest["ts"].timestamp(), abs=1e-3)
        assert picture.version != before.version


def _of(ticker):
    import polars as pl

    return pl.col("market_ticker") == ticker

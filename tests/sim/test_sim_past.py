"""The ninety days before the simulated exchange began: the same whoever asks, and one with what it does then."""

import datetime as dt

import pytest

from kalshi_nb.sim import Exchange
from kalshi_nb.sim._calendar import Calendar
from kalshi_nb.sim._catalogue import CATALOGUE
from kalshi_nb.sim._market import GRIDS
from kalshi_nb.sim._past import Past
from kalshi_nb.sim._rest_candles import ends_between
from tests.sim.test_sim_rest import BOOK_TICKER, START, ask, got, pages

SENATE = "KXSENATEOH-28-D"
DAY = 86_400


def past(seed=7, speed=1.0):
    listings = Calendar(START * 1_000_000, 21_600).listings
    return Past(seed, START * 1_000_000, ((listings[market.ticker], temper) for market, temper in CATALOGUE), speed)


def test_the_same_hour_is_the_same_whatever_was_asked_before():
    begin, end = (START - 5 * 3_600) * 1_000_000, START * 1_000_000
    one, other = past(), past()
    list(other.trades(SENATE, (START - 40 * DAY) * 1_000_000, begin))
    whole = list(one.trades(SENATE, begin, end))
    assert len(whole) > 10
    assert list(other.trades(SENATE, begin, end)) == whole
    assert list(one.trades_newest_first(SENATE, begin, end)) == whole[::-1]
    assert list(past(seed=8).trades(SENATE, begin, end)) != whole


def test_trades_are_at_the_prices_that_stood_and_these_lie_on_the_grid():
    found = past()
    begin, end = (START - 10 * 3_600) * 1_000_000, START * 1_000_000
    quotes = list(found.quotes(BOOK_TICKER, begin, end))
    grid = GRIDS["linear_cent"]
    assert all(grid.floor(each.yes_bid) == each.yes_bid < each.yes_ask for each in quotes)
    assert [each.time_us for each in quotes] == sorted({each.time_us for each in quotes})
    for dealt in found.trades(BOOK_TICKER, begin, end):
        standing = found.quote_at(BOOK_TICKER, dealt.time_us)
        assert dealt.trade.yes_price == (standing.yes_ask if dealt.trade.taker == "yes" else standing.yes_bid)
        assert dealt.time_us < end


def test_one_market_of_each_day_came_true_and_its_price_went_there():
    found = past()
    days = {}
    for ticker, listing in found.listings.items():
        days.setdefault(listing.event.ticker, []).append((ticker, listing))
    assert len(days) == 90
    for members in days.values():
        assert [listing.result for _, listing in members].count("yes") == 1
    ticker, listing = next((t, each) for t, each in found.listings.items() if each.result == "yes")
    last = found.quote_at(ticker, listing.close_us)
    assert last.yes_bid > 9_000


def test_nobody_pays_for_a_past_that_he_does_not_ask_for():
    with Exchange(seed=7, clock="manual") as exchange:
        made = exchange._programme.venue.past
        exchange.advance(1)
        assert "listings" not in vars(made)
        got(exchange, "/markets?status=settled")
        assert "listings" in vars(made)


# -- over REST -----------------------------------------------------------------------------------------------------


def test_a_list_of_trades_goes_on_into_the_past(exchange):
    exchange.advance(30)
    begin = START - 3_600
    found = pages(exchange, f"/markets/trades?limit=50&ticker={BOOK_TICKER}&min_ts={begin}", "trades")
    rows = [row for page in found for row in page]
    times = [dt.datetime.fromisoformat(row["created_time"]).timestamp() for row in rows]
    assert times == sorted(times, reverse=True)
    assert times[0] > START > times[-1] >= begin
    assert len({row["trade_id"] for row in rows}) == len(rows)


def test_what_is_older_than_sixty_days_is_in_the_historical_tier_and_for_a_while_in_both(exchange):
    cutoff = dt.datetime.fromisoformat(got(exchange, "/historical/cutoff")["trades_created_ts"]).timestamp()
    assert START - 61 * DAY < cutoff <= START - 60 * DAY
    window = f"limit=1000&ticker={SENATE}&min_ts={int(cutoff) - 4 * DAY}&max_ts={int(cutoff) + DAY}"
    now, before = (
        {row["trade_id"]: row["created_time"] for row in got(exchange, f"/{where}/trades?{window}")["trades"]}
        for where in ("markets", "historical")
    )
    assert now.keys() & before.keys()
    assert now.keys() - before.keys()
    assert before.keys() - now.keys()
    assert max(before.values()) < min(now[each] for each in now.keys() - before.keys())


def test_a_market_that_was_settled_long_ago_is_there_and_not_here(exchange):
    rows = got(exchange, "/historical/markets?series_ticker=KXHIGHNY&limit=3")["markets"]
    assert [row["status"] for row in rows] == ["finalized"] * 3
    ticker = rows[0]["ticker"]
    assert ask(exchange, f"/markets/{ticker}")[0] == 404
    assert got(exchange, f"/historical/markets/{ticker}")["market"] == rows[0]
    status, body = ask(exchange, f"/historical/markets/{BOOK_TICKER}")[::2]
    assert (status, b"failed_to_get_market_by_ticker" in body) == (404, True)
    assert ask(exchange, "/historical/markets?event_ticker=A&series_ticker=B")[0] == 400


def test_candles_have_the_trades_and_the_best_prices_of_their_period(exchange):
    exchange.advance(130)
    body = got(
        exchange,
        f"/markets/candlesticks?market_tickers={BOOK_TICKER},NONE&period_interval=1"
        f"&start_ts={START - 3_600}&end_ts={START + 120}",
    )
    (market,) = body["markets"]
    assert market["market_ticker"] == BOOK_TICKER
    by_end = {each["end_period_ts"]: each for each in market["candlesticks"]}
    assert {START, START + 60, START + 120} & set(by_end) == {START + 60, START + 120} | ({START} & set(by_end))
    trades = got(exchange, f"/markets/trades?limit=1000&ticker={BOOK_TICKER}&min_ts={START}")["trades"]
    first = [row for row in trades if dt.datetime.fromisoformat(row["created_time"]).timestamp() <= START + 60]
    candle = by_end[START + 60]
    assert candle["price"]["open_dollars"] == first[-1]["yes_price_dollars"]
    assert candle["price"]["close_dollars"] == first[0]["yes_price_dollars"]
    assert candle["price"]["high_dollars"] == max(row["yes_price_dollars"] for row in first)
    assert float(candle["volume_fp"]) == pytest.approx(sum(float(row["count_fp"]) for row in first))
    quiet = [each for each in market["candlesticks"] if each["volume_fp"] == "0.00"]
    assert quiet
    assert all("open_dollars" not in each["price"] and "open_dollars" in each["yes_bid"] for each in quiet)


def test_candles_of_the_historical_tier_have_other_names_and_every_key(exchange):
    ticker = got(exchange, "/historical/markets?limit=1")["markets"][0]["ticker"]
    listing = exchange._programme.venue.past.listings[ticker]
    end = listing.close_us // 1_000_000
    path = f"/historical/markets/{ticker}/candlesticks?period_interval=60&start_ts={end - DAY}&end_ts={end}"
    found = got(exchange, path)["candlesticks"]
    assert len(found) > 20
    for each in found:
        assert set(each) == {"end_period_ts", "price", "yes_bid", "yes_ask", "volume", "open_interest"}
        assert set(each["price"]) == {"open", "high", "low", "close", "mean", "previous"}


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (f"start_ts={START - 10_000 * 60}&end_ts={START}&period_interval=1", b"max candlesticks: 5000"),
        (f"start_ts={START}&end_ts={START}&period_interval=5", b"Parameter validation failed"),
        (f"start_ts={START}&period_interval=60", b"Parameter validation failed"),
    ],
)
def test_too_many_candles_and_wrong_intervals_are_refused(exchange, query, told):
    status, body = ask(exchange, f"/series/x/markets/{BOOK_TICKER}/candlesticks?{query}")[::2]
    assert (status, told in body) == (400, True)


def test_days_end_at_midnight_in_new_york_in_summer_and_in_winter():
    october = int(dt.datetime(2026, 10, 30, tzinfo=dt.UTC).timestamp())
    ends = [dt.datetime.fromtimestamp(each, dt.UTC) for each in ends_between(october, october + 5 * DAY, 1_440)]
    assert [(each.month, each.day, each.hour) for each in ends] == [
        (10, 30, 4),
        (10, 31, 4),
        (11, 1, 4),
        (11, 2, 5),
        (11, 3, 5),
    ]


def test_trades_can_be_seen_late(exchange):
    exchange.advance(30)
    path = f"/markets/trades?limit=1000&min_ts={START}"
    whole = got(exchange, path)["trades"]
    exchange.faults.rest(late=10)
    seen = got(exchange, path)["trades"]
    assert 0 < len(seen) < len(whole)
    assert seen == whole[-len(seen) :]
    exchange.advance(10)
    assert got(exchange, path)["trades"][-len(whole) :] == whole


def test_a_candle_has_what_was_held_at_its_end_and_not_what_is_held_when_it_is_asked_for(exchange):
    exchange.advance(60 - START % 60)
    held = {}
    for _ in range(6):
        exchange.advance(60)
        end = exchange.now_us() // 1_000_000
        held[end] = exchange._programme.venue.quote(BOOK_TICKER).open_interest / 100
    span = f"start_ts={min(held)}&end_ts={max(held)}&period_interval=1"
    (found,) = got(exchange, f"/markets/candlesticks?market_tickers={BOOK_TICKER}&{span}")["markets"]
    told = {each["end_period_ts"]: float(each["open_interest_fp"]) for each in found["candlesticks"]}
    assert len(set(told.values())) > 2
    assert told == {end: held[end] for end in told}


def test_candles_have_a_trade_no_sooner_than_it_can_be_seen(exchange):
    exchange.advance(60 - START % 60 + 60)
    end = exchange.now_us() // 1_000_000
    path = f"/markets/candlesticks?market_tickers={BOOK_TICKER}&start_ts={end}&end_ts={end}&period_interval=1"
    whole = got(exchange, path)["markets"][0]["candlesticks"]
    exchange.faults.rest(late=20)
    seen = got(exchange, path)["markets"][0]["candlesticks"]
    assert float(seen[0]["volume_fp"]) < float(whole[0]["volume_fp"])
    exchange.advance(20)
    assert got(exchange, path)["markets"][0]["candlesticks"] == whole

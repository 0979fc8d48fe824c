"""Every question under every trouble: the whole truth, or one error that says what it is, and never part of it as all.

The exchange stands still meanwhile, so what is true is what it answers without trouble; of trades it is its ledger.
"""

from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from kalshi_nb._feed.history import candle_frame
from kalshi_nb._markets.registry import MarketRegistry
from kalshi_nb._rest import candles, discovery, trades
from kalshi_nb._rest.discovery import Discovery
from kalshi_nb._rest.filters import MarketQuestion
from kalshi_nb._rest.trade_files import collected, written_to
from kalshi_nb._rest.trades import TradeHistory
from kalshi_nb.errors import PagingError, RateLimitError, RestError, RestUnavailableError
from kalshi_nb.sim import Exchange

TICKER, SENATE = "KXHIGHNY-26NOV22-B52.5", "KXSENATEOH-28-D"
MOVED = "KXHIGHNY-26SEP03"
SECOND = 1_000_000
HOUR = 3_600 * SECOND
LATE = 20

PASSING = {
    "429, an object": {"refuse": 6, "after": 1},
    "429, a text": {"refuse": 6, "after": 1, "refusal": "text"},
    "429 of the edge": {"refuse": 6, "after": 1, "refusal": "html"},
    "502": {"refuse": 6, "after": 1, "refusal": "gateway"},
    "torn": {"refuse": 6, "after": 1, "refusal": "torn"},
    "late": {"late": LATE},
    "cache": {"cache": 15},
    "late and cache": {"late": LATE, "cache": 15},
    "empty pages": {"cursors": "empty_page"},
    "slow": {"delay": 0.02},
    "combinations": {"combos": 130},
    "all at once": {
        "refuse": 5,
        "after": 2,
        "refusal": "torn",
        "cursors": "empty_page",
        "late": LATE,
        "cache": 15,
        "delay": 0.01,
        "combos": 30,
    },
}
"""What a walk outlasts."""

LASTING = {
    "429 for ever": ({"refuse": 1_000_000, "after": 2}, RateLimitError),
    "502 for ever": ({"refuse": 1_000_000, "after": 2, "refusal": "gateway"}, RestUnavailableError),
    "torn for ever": ({"refuse": 1_000_000, "after": 2, "refusal": "torn"}, RestUnavailableError),
    "repeated cursors": ({"cursors": "repeated"}, PagingError),
    "garbage cursors": ({"cursors": "garbage"}, PagingError),
}
"""What ends it, and as what."""


def some_trades(asked, _folder, until):
    return collected(TradeHistory(asked.client, asked.now_us), [TICKER, SENATE], until - 6 * HOUR, until, None)


def trades_as_files(asked, folder, until):
    history = TradeHistory(asked.client, asked.now_us)
    return written_to(folder, history, [TICKER], until - 6 * HOUR, until, None).collect()


def trades_of_both_tiers(asked, _folder, until):
    history = TradeHistory(asked.client, asked.now_us)
    cutoff = history.cutoff()
    return collected(history, [SENATE], cutoff - 60 * HOUR, cutoff + 12 * HOUR, None)


def minutes(asked, _folder, until):
    span = (until - 3 * HOUR) / SECOND, until / SECOND
    return candle_frame(asked, [TICKER, SENATE], "1m", *span, filled=False, progress=None)


def days_filled(asked, _folder, until):
    span = (until - 9 * 24 * HOUR) / SECOND, until / SECOND
    return candle_frame(asked, SENATE, "1d", *span, filled=True, progress=None)


def hours_of_a_moved_market(asked, _folder, until):
    ticker = asked.markets(MarketQuestion(event=MOVED, status=None))["market_ticker"][0]
    span = (until - 85 * 24 * HOUR) / SECOND, until / SECOND
    return candle_frame(asked, ticker, "1h", *span, filled=False, progress=None)


QUESTIONS = {
    "trades": some_trades,
    "trades as files": trades_as_files,
    "trades of both tiers": trades_of_both_tiers,
    "minutes": minutes,
    "days, filled": days_filled,
    "hours of a moved market": hours_of_a_moved_market,
    "open markets": lambda asked, *_: asked.markets(MarketQuestion()),
    "settled markets": lambda asked, *_: asked.markets(MarketQuestion(series="KXHIGHNY", status="settled")),
    "named markets": lambda asked, *_: asked.markets(MarketQuestion(tickers=[TICKER, SENATE], status=None)),
    "one market": lambda asked, *_: asked.market(TICKER),
    "events": lambda asked, *_: asked.events(status=None),
    "series": lambda asked, *_: asked.series(),
    "search": lambda asked, *_: asked.search("high temp new york", cache=False),
}


@pytest.fixture(scope="module")
def exchange():
    with Exchange(seed=7, clock="manual") as made:
        made.advance(60)
        yield made


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch, exchange):
    monkeypatch.setattr(trades, "MOST_TRADES", 150)
    monkeypatch.setattr(discovery, "_MOST_MARKETS", 100)
    monkeypatch.setattr(discovery, "_MOST_EVENTS", 30)
    monkeypatch.setattr(candles, "_MOST_IN_ALL", 150)
    monkeypatch.setattr(candles, "_MOST", 400)
    yield
    exchange.faults.rest()


@pytest.fixture
def asked(exchange, open_client, tmp_path):
    """Asks a question with a client of its own."""

    def ask(question, until, number=[0]):  # noqa: B006  # counts folders
        number[0] += 1
        one = Discovery(open_client(exchange), MarketRegistry(), exchange.now_us)
        return QUESTIONS[question](one, tmp_path / str(number[0]), until)

    return ask


@pytest.fixture(scope="module")
def truths():
    """Answers without trouble, by the question and the time."""
    return {}


@pytest.fixture
def true_of(asked, truths):
    def true(question, until):
        if (question, until) not in truths:
            truths[question, until] = asked(question, until)
        return truths[question, until]

    return true


def ledger(exchange, tickers, since, until):
    """The ids of all that was traded in a window, as the exchange itself knows them."""
    venue = exchange._programme.venue
    past = [each for ticker in tickers for each in venue.past.trades(ticker, since, until)]
    tape = [each for each in venue.ledger.dealt() if each.trade.market.ticker in tickers]
    return {each.trade_id for each in (*past, *tape) if since <= each.time_us <= until}


def check(found, true, *, seen_until):
    """Compare an answer with the truth, of which what is younger than a moment may not be seen yet."""
    if "trade_id" in true.columns:
        true = true.filter(pl.col("ts").dt.epoch("us") <= seen_until)
    elif "complete" in true.columns:
        # What is called complete is what is true of it, and none of them is missing that is known to be over.
        over = pl.col("end").dt.epoch("us") <= seen_until
        assert_frame_equal(
            found.filter("complete"), true.join(found.filter("complete"), on=["market_ticker", "start"], how="semi")
        )
        found, true = (each.filter(over).drop("complete") for each in (found, true))
    assert_frame_equal(found, true)


@pytest.mark.parametrize("trouble", PASSING)
@pytest.mark.parametrize("question", QUESTIONS)
def test_trouble_that_passes_changes_no_answer(exchange, asked, true_of, question, trouble):
    until = exchange.now_us()
    true = true_of(question, until)
    assert true.height
    exchange.faults.rest(**PASSING[trouble])
    if "cache" in trouble or trouble == "all at once":
        asked(question, until)
        exchange.advance(10)
    found = asked(question, until)
    late = "late" in PASSING[trouble]
    check(found, true, seen_until=until - LATE * SECOND if late else until)


@pytest.mark.parametrize("trouble", LASTING)
@pytest.mark.parametrize("question", QUESTIONS)
def test_trouble_that_lasts_is_an_error_with_nothing_but_what_is_true(exchange, asked, true_of, question, trouble):
    until = exchange.now_us()
    true = true_of(question, until)
    faults, kind = LASTING[trouble]
    exchange.faults.rest(**faults)
    try:
        found = asked(question, until)
    except RestError as told:
        assert isinstance(told, kind), repr(told)
        partial = told.partial
        if partial is not None and partial.height:
            assert partial.join(true, on=partial.columns, how="anti", nulls_equal=True).is_empty()
    else:
        assert_frame_equal(found, true)  # where one page was all


def test_the_truth_is_the_ledger_s(exchange, asked):
    until = exchange.now_us()
    assert set(asked("trades", until)["trade_id"]) == ledger(exchange, [TICKER, SENATE], until - 6 * HOUR, until)
    assert set(asked("trades as files", until)["trade_id"]) == ledger(exchange, [TICKER], until - 6 * HOUR, until)

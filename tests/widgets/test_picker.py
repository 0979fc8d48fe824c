"""The picker of markets: words, what they name, and what is chosen."""

import threading

import polars as pl
import pytest

import kalshi_nb as kn
from kalshi_nb._widgets.picker import MarketPicker
from kalshi_nb.errors import ConfigurationError, FeedClosedError, UsageError
from tests.widgets.conftest import wait_until

WEATHER = [f"KXHIGHNY-26NOV22-B{each}" for each in (50, 52, 54)]


def found(*tickers, **more):
    columns = {
        "market_ticker": [*tickers],
        "event_title": [None] * len(tickers),
        "title": ["Will it be warm?"] * len(tickers),
        "subtitle": [None] * len(tickers),
        "yes_bid": [0.12] * len(tickers),
        "yes_ask": [None] * len(tickers),
    }
    schema = dict.fromkeys(columns, pl.String) | {"yes_bid": pl.Float64, "yes_ask": pl.Float64}
    return pl.DataFrame(columns | more, schema=schema)


class Searching:
    """A search that answers when it may, and remembers what it was asked."""

    def __init__(self):
        self.asked, self.answers = [], {}
        self.may = threading.Event()
        self.may.set()

    def __call__(self, words):
        self.asked.append(words)
        assert self.may.wait(30)
        answer = self.answers.get(words, found(*WEATHER))
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def searching():
    return Searching()


@pytest.fixture
def picker(searching):
    picker = MarketPicker(searching)
    yield picker
    picker.close()


def texts(picker):
    return [text for text, _ in picker._list.options]


def type_words(picker, words):
    picker.query = words
    assert picker.settle(30)


def test_words_propose_markets_with_what_they_cost(picker):
    assert repr(picker) == "<MarketPicker '': nothing typed>"
    type_words(picker, " weather new york ")
    assert [ticker for _, ticker in picker._list.options] == WEATHER
    assert texts(picker)[0] == f"Will it be warm? · 12¢/\N{EN DASH} · {WEATHER[0]}"
    assert picker._said.value.startswith("3 markets")
    assert (picker.market_tickers, picker.market_ticker) == ((), None)


def test_what_is_chosen_stays_chosen_while_other_words_are_typed(picker, searching):
    heard = []
    picker.observe(lambda change: heard.append(change["new"]), "market_tickers")
    type_words(picker, "weather")
    picker._list.value = (WEATHER[2],)
    picker._list.value = (WEATHER[0], WEATHER[2])
    assert picker.market_tickers == (WEATHER[2], WEATHER[0])
    assert picker.market_ticker == WEATHER[2]
    searching.answers["senate"] = found("KXSENATEOH-28-D", WEATHER[0])
    type_words(picker, "senate")
    assert picker._list.value == picker.market_tickers == (WEATHER[2], WEATHER[0])
    assert [ticker for _, ticker in picker._list.options] == [WEATHER[2], WEATHER[0], "KXSENATEOH-28-D"]
    assert heard == [(WEATHER[2],), (WEATHER[2], WEATHER[0])]
    picker._list.value = (WEATHER[0],)
    assert picker.market_tickers == (WEATHER[0],)
    assert repr(picker) == f"<MarketPicker 'senate': 3 found, chosen: {WEATHER[0]}>"


def test_what_is_half_typed_is_not_looked_for_and_an_old_answer_is_not_shown(picker, searching):
    searching.may.clear()
    for words in ("w", "we", "weather"):
        picker.query = words
    wait_until(lambda: searching.asked)
    assert searching.asked == ["weather"]
    assert picker._said.value == "Searching …"
    searching.answers["weather"] = found("KXOLD-1")
    picker.query = "senate"
    searching.may.set()
    assert picker.settle(30)
    assert searching.asked == ["weather", "senate"]
    assert [ticker for _, ticker in picker._list.options] == WEATHER


def test_no_words_and_no_market_and_no_answer_are_said(picker, searching):
    searching.answers = {"nothing": found(), "down": kn.errors.RestError("The exchange\x1b did not answer.\n")}
    type_words(picker, "nothing")
    assert picker._said.value == "No open market is named so: nothing"
    type_words(picker, "down")
    assert picker._said.value == "The exchange did not answer."
    type_words(picker, "")
    assert picker._said.value.startswith("Type what it is about")
    assert searching.asked == ["nothing", "down"]


def test_a_text_of_the_exchange_turns_no_line_around(picker, searching):
    searching.answers["odd"] = found("KXA-1", title=["a\u202eb\nc"])
    type_words(picker, "odd")
    assert texts(picker) == ["abc · 12¢/\N{EN DASH} · KXA-1"]


def test_a_feed_has_one_picker_for_the_same_words_until_it_is_closed():
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        picker = feed.picker("high temp new york")
        assert feed.picker("high temp new york") is picker
        assert feed.picker() is not picker
        assert picker.settle(30)
        assert "KXHIGHNY-26NOV22-B52.5" in [ticker for _, ticker in picker._list.options]
        picker._list.value = ("KXHIGHNY-26NOV22-B52.5",)
        assert feed.book(picker.market_ticker).market_ticker == "KXHIGHNY-26NOV22-B52.5"
        picker.close()
        again = feed.picker("high temp new york")
        assert again is not picker
        for arguments in ((None,), (7,)):
            with pytest.raises(ConfigurationError, match="takes words"):
                feed.picker(*arguments)
        with pytest.raises(ConfigurationError, match="status"):
            feed.picker(status="opne")
        with pytest.raises(ConfigurationError, match="limit"):
            feed.picker(limit=0.5)
        with pytest.raises(UsageError, match="market_tickers"):
            picker.__reduce__()
    assert again._said.value == "The feed is closed."
    assert again._list.disabled
    with pytest.raises(FeedClosedError):
        feed.picker()

"""From words to markets: what people type is not what titles say."""

from __future__ import annotations

import os

import polars as pl
import pytest

from kalshi_nb._markets.registry import MarketRegistry
from kalshi_nb._rest.discovery import Discovery
from kalshi_nb._rest.series_table import SeriesTable, folder_for
from kalshi_nb._rest.words import WordIndex, words_of
from kalshi_nb.errors import ConfigurationError, RestError

SERIES = (
    '{"series":[{"ticker":"KXHIGHNY","title":"Highest temperature in NYC","category":"Climate and Weather",'
    '"tags":["Daily temperature"]},{"ticker":"KXRAINNYC","title":"Rain in NYC","category":"Climate and Weather"},'
    '{"ticker":"KXFED","title":"Fed funds rate","category":"Economics","tags":null}]}'
)


@pytest.fixture
def discovery(client, exchange):
    return Discovery(client, MarketRegistry(), exchange.now_us)


# -- words -------------------------------------------------------------------------------------------------------


def best(query, *texts):
    return [number for number, _ in WordIndex([[(text, 1.0)] for text in texts]).find(query)]


def test_words_are_letters_and_numbers_in_small_letters():
    assert words_of("KXHIGHNY-26NOV22-B52.5: 50.5°, É!") == ["kxhighny", "26nov22", "b52.5", "50.5", "é"]


def test_a_text_with_more_of_the_words_comes_first():
    assert best("rain new york", "Rain in Seattle", "Rain in New York", "New York mayor", "Fed")[0] == 1


def test_a_rare_word_says_more_than_one_that_all_have():
    texts = ["Will it rain?", "Will it snow?", "Will it hail?"]
    assert best("will it snow", *texts)[0] == 1
    ranked = WordIndex([[(text, 1.0)] for text in texts]).find("will it snow")
    assert ranked[0][1] == pytest.approx(1)
    assert ranked[1][1] < 0.6


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("temp", "Highest temperature"),
        ("high", "Highest temperature"),
        ("elections", "Ohio election"),
        ("new york", "Rain in NYC"),
        ("nyc", "Rain in New York City"),
        ("bitcoin", "BTC price"),
        ("temprature", "Highest temperature"),
        ("KXHIGHNY", "kxhighny"),
    ],
)
def test_a_word_is_met_by_its_beginning_its_other_name_and_nearly_its_letters(query, text):
    assert best(query, "Something else", text) == [1]


def test_a_word_as_it_stands_is_worth_more_than_its_beginning():
    assert best("rain", "Rainbow parade", "Rain in Seattle") == [1, 0]


def test_what_nobody_has_is_not_found():
    assert best("zzzzzz", "Rain", "Snow") == []
    assert WordIndex([]).find("rain") == []


# -- markets -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["high temp new york", "weather new york", "NYC temperature", "new york TEMP"])
def test_the_temperature_in_new_york_is_found_whatever_it_is_called(discovery, query):
    found = discovery.search(query)
    assert found.height == 6
    assert set(found["series_ticker"]) == {"KXHIGHNY"}
    assert set(found["series_title"]) == {"Highest temperature in NYC"}
    assert found["score"].is_sorted(descending=True)


def test_one_market_of_an_event_comes_first_where_its_words_are_named(discovery):
    assert discovery.search("new york temperature 52")["market_ticker"][0] == "KXHIGHNY-26NOV22-B52.5"
    assert discovery.search("ohio senate republican")["market_ticker"][0] == "KXSENATEOH-28-R"


def test_a_ticker_is_found(discovery):
    assert discovery.search("KXHIGHNY-26NOV22-B52.5")["market_ticker"][0] == "KXHIGHNY-26NOV22-B52.5"


def test_a_ticker_is_found_without_the_letters_that_nearly_all_begin_with(discovery):
    found = discovery.search("nfl")["market_ticker"]
    assert set(found) == {"KXNFLGAME-26NOV22NYJBUF-NYJ", "KXNFLGAME-26NOV22NYJBUF-BUF"}
    assert best("kx", "KX", "x") == [0]


def test_of_what_fits_equally_well_the_most_traded_comes_first(discovery):
    found = discovery.search("high temp new york")
    same = found.filter(pl.col("score") == found["score"][0])
    assert same.height > 1
    assert same["volume"].is_sorted(descending=True)


def test_a_limit_and_a_status(discovery):
    assert discovery.search("high temp new york", limit=2).height == 2
    with pytest.raises(ConfigurationError, match="'open'"):
        discovery.search("high temp", status="active")


def test_markets_that_are_over_are_found_although_their_events_do_not_list_them(discovery):
    over = discovery.search("high temp new york", status="settled")
    assert over.height == 50
    assert set(over["status"]) == {"finalized"}
    assert set(over["series_title"]) == {"Highest temperature in NYC"}
    assert over["event_title"].null_count() == 0
    whole = discovery.search("high temp new york", status=None, limit=1_000)
    assert set(whole["market_ticker"]) > set(over["market_ticker"])
    assert set(whole["market_ticker"]) > set(discovery.search("high temp new york")["market_ticker"])


@pytest.mark.parametrize("query", ["", "  ", None, 5])
def test_no_words_are_refused(discovery, query):
    with pytest.raises(ConfigurationError, match="takes words"):
        discovery.search(query)


def test_what_was_found_is_what_views_know(client, exchange):
    registry = MarketRegistry()
    Discovery(client, registry, exchange.now_us).search("high temp new york")
    assert registry.get("KXHIGHNY-26NOV22-T48").event_title == "Highest temperature in NYC on Nov 22, 2026?"


# -- the table of series -----------------------------------------------------------------------------------------


def test_the_table_is_asked_for_once_and_kept_on_disk_for_a_day(open_client, scripted, tmp_path):
    server = scripted((200, SERIES))
    folder = tmp_path / "cache"
    first = SeriesTable(open_client(server.base), folder)
    assert first.get().height == first.get().height == 3
    assert len(server.asked) == 1
    other = SeriesTable(open_client(server.base), folder)
    assert other.get().equals(first.get())
    assert len(server.asked) == 1
    (path,) = folder.iterdir()
    old = path.stat().st_mtime - 24 * 3_600 - 1
    os.utime(path, (old, old))
    assert SeriesTable(open_client(server.base), folder).get().height == 3
    assert len(server.asked) == 2


def test_without_a_cache_nothing_is_written_or_read(open_client, scripted, tmp_path):
    server = scripted((200, SERIES))
    table = SeriesTable(open_client(server.base), tmp_path / "cache")
    table.get(cache=False)
    table.get(cache=False)
    assert len(server.asked) == 2
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("content", [b"", b"no parquet", "columns"])
def test_a_file_that_is_none_is_written_anew(open_client, scripted, tmp_path, content):
    server = scripted((200, SERIES))
    SeriesTable(open_client(server.base), tmp_path).get()
    (path,) = tmp_path.iterdir()
    if content == "columns":
        pl.DataFrame({"other": [1]}).write_parquet(path)
    else:
        path.write_bytes(content)
    assert SeriesTable(open_client(server.base), tmp_path).get().height == 3
    assert pl.read_parquet(path).height == 3


def test_a_folder_that_cannot_be_written_is_no_trouble(open_client, scripted, tmp_path):
    (tmp_path / "file").write_text("")
    table = SeriesTable(open_client(scripted((200, SERIES)).base), tmp_path / "file" / "cache")
    assert table.get().height == 3


def test_exchanges_have_files_of_their_own(open_client, scripted, tmp_path):
    one, other = scripted((200, SERIES)), scripted((200, '{"series":[]}'))
    SeriesTable(open_client(one.base), tmp_path).get()
    assert SeriesTable(open_client(other.base), tmp_path).get().height == 0


def test_a_table_that_cannot_be_had_is_an_error_each_time(open_client, scripted, tmp_path):
    server = scripted((404, "{}"))
    table = SeriesTable(open_client(server.base), tmp_path)
    for _ in range(2):
        with pytest.raises(RestError):
            table.get()
    assert len(server.asked) == 2


def test_it_lies_in_the_user_s_cache_but_for_exchanges_of_this_computer(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert folder_for("http://127.0.0.1:8765/trade-api/v2") is None
    assert folder_for("https://external-api.kalshi.com/trade-api/v2").name == "kalshi_nb"

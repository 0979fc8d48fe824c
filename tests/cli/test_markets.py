"""``kalshi-nb markets``: words in, tickers out."""

import json

import pytest

from kalshi_nb._cli.main import main
from kalshi_nb.sim import Exchange
from kalshi_nb.sim._running import embedded

TICKERS = {f"KXHIGHNY-26NOV22-{each}" for each in ("T48", "B48.5", "B50.5", "B52.5", "B54.5", "T55")}


@pytest.fixture
def exchange():
    with Exchange(seed=7, clock="manual") as made:
        yield made


def run(capsys, exchange, *arguments):
    status = main(["markets", *arguments, "--env", exchange.url])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_words_find_markets(capsys, exchange):
    status, out, err = run(capsys, exchange, "weather new york")
    assert (status, err) == (0, "")
    head, *lines = out.splitlines()
    assert head.split() == ["market", "bid", "ask", "closes", "(UTC)", "title"]
    assert {line.split()[0] for line in lines} == TICKERS
    (line,) = (each for each in lines if "-T48" in each)
    assert line.endswith(
        "2026-11-23 03:00  Will the high temperature in New York be below 48° on Nov 22, 2026? · 47° or below"
    )


def test_several_words_need_no_quotes(capsys, exchange):
    assert run(capsys, exchange, "weather", "new", "york") == run(capsys, exchange, "weather new york")


def test_a_series_or_an_event_is_listed(capsys, exchange):
    for arguments in (("--series", "KXHIGHNY"), ("--event", "KXHIGHNY-26NOV22")):
        status, out, _ = run(capsys, exchange, *arguments)
        assert status == 0
        assert {line.split()[0] for line in out.splitlines()[1:]} == TICKERS
    assert len(run(capsys, exchange, "--series", "KXHIGHNY", "--limit", "2")[1].splitlines()) == 3


def test_json_has_all_that_is_known(capsys, exchange):
    status, out, _ = run(capsys, exchange, "--series", "KXSENATEOH", "--json")
    rows = json.loads(out)
    assert status == 0
    assert [row["subtitle"] for row in rows] == ["Democratic Party", "Independent", "Republican Party"]
    assert rows[0]["close_time"].endswith("+00:00")
    assert rows[1]["price"] is None


def test_prices_of_a_finer_grid_have_their_decimals_and_no_price_a_mark(capsys, exchange):
    _, out, _ = run(capsys, exchange, "--event", "KXSENATEOH-28")
    assert len(out.splitlines()[1].split()[1].partition(".")[2]) == 3


def test_nothing_found_is_said_and_ends_with_1(capsys, exchange):
    status, out, err = run(capsys, exchange, "zzzz")
    assert (status, out) == (1, "")
    assert "fewer words" in err
    assert run(capsys, exchange, "zzzz", "--json")[:2] == (1, "[]\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rain", "--series", "KXHIGHNY"], "not both"),
        (["rain", "--status", "active"], "'open'"),
        (["--series", "KXHIGHNY", "--limit", "0"], "limit"),
    ],
)
def test_what_cannot_be_asked_for_is_one_line(capsys, exchange, arguments, words):
    status, out, err = run(capsys, exchange, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("kalshi-nb markets: ")
    assert len(err.splitlines()) == 1
    assert words in err


def test_all_statuses(capsys):
    with Exchange(seed=7, clock="manual", closes_in=60) as exchange:
        exchange.advance(80)
        assert run(capsys, exchange, "--series", "KXBTC15M")[0] == 1
        assert run(capsys, exchange, "--series", "KXBTC15M", "--status", "all")[0] == 0


def test_the_embedded_exchange_is_asked_by_its_name(capsys):
    try:
        assert main(["markets", "weather new york", "--env", "sim"]) == 0
    finally:
        embedded().close()  # it goes on for whoever connects to it by that name
    assert "KXHIGHNY-26NOV22-B52.5" in capsys.readouterr().out

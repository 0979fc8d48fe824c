"""``kalshi-nb history``: the trades of a window into a folder, candles into a file."""

import polars as pl
import pytest

import kalshi_nb as kn
from kalshi_nb._cli.main import main
from kalshi_nb.sim import Exchange

TICKER = "KXHIGHNY-26NOV22-B52.5"
# Of an address nobody knows that its clock is moved by hand: now is now.
WINDOW = ["--since", "2026-11-22T12:00", "--until", "2026-11-22T15:00"]


@pytest.fixture
def exchange():
    with Exchange(seed=7, clock="manual") as made:
        yield made


def run(capsys, exchange, *arguments):
    status = main(["history", *map(str, arguments), "--env", exchange.url])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_trades_go_to_a_folder(capsys, exchange, tmp_path):
    out = tmp_path / "trades"
    status, told, err = run(capsys, exchange, TICKER, *WINDOW, "--out", out)
    found = pl.read_parquet(out / TICKER)
    assert (status, err) == (0, "")
    assert told == f"{found.height:,} trades in {out}\n"
    assert found.equals(kn.history(exchange, TICKER, "3h"))


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_candles_go_to_a_file(capsys, exchange, tmp_path, suffix):
    out = tmp_path / f"candles.{suffix}"
    status, told, _ = run(capsys, exchange, TICKER, "--candles", "1m", *WINDOW, "--out", out)
    expected = kn.candles(exchange, TICKER, "1m", since="3h", until="2026-11-22T15:00")
    assert (status, told) == (0, f"{expected.height} candles in {out}\n")
    found = pl.read_parquet(out) if suffix == "parquet" else pl.read_csv(out)
    assert found.height == expected.height
    assert found.columns == expected.columns


def test_nothing_is_said_and_is_status_one(capsys, exchange, tmp_path):
    status, told, _ = run(capsys, exchange, "KXNONE-1", "--out", tmp_path / "out")
    assert (status, told) == (1, f"0 trades of the last 24h in {tmp_path / 'out'}\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--since", "soon", "--out", "a"], "since"),
        (["--candles", "5m", "--out", "a.csv"], "'1m', '1h' and '1d'"),
        (["--candles", "1h", "--out", "a.txt"], ".parquet or .csv"),
        (["--out", "a.csv"], "trades go into a folder"),
        (["KXHIGHNY", "--candles", "1h", "--out", "a.csv"], "is a series"),
    ],
)
def test_what_cannot_be_is_one_line(capsys, exchange, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, exchange, TICKER, *arguments)
    assert (status != 0, out) == (True, "")
    assert said in err
    assert "Traceback" not in err


@pytest.mark.parametrize("more", [(), ("--candles", "1h")])
def test_an_event_in_place_of_a_market_is_one_line_with_its_markets(capsys, exchange, tmp_path, more):
    out = tmp_path / ("out.csv" if more else "out")
    status, told, err = run(capsys, exchange, "KXHIGHNY-26NOV22", "--out", out, *more)
    assert (status != 0, told) == (True, "")
    assert f"'{TICKER}'" in err

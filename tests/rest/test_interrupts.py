"""Ctrl-C amid a long walk, as a person presses it: what has come by then is kept, and the process goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import polars as pl
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kalshi_nb.sim import Exchange

WALKS = {
    "kn.history": "kn.history(url, [TICKER, 'KXSENATEOH-28-D'], since=NOW - 20 * HOUR, until=NOW, progress=told)",
    "kn.history to files": "kn.history(url, None, since=NOW - 90 * 24 * HOUR, until=NOW, out=out, progress=told)",
    "kn.candles": "kn.candles(url, TICKERS, '1m', since=NOW - 48 * HOUR, until=NOW, progress=told)",
    "kn.markets": "kn.markets(url, multivariate=True, progress=told)",
    "feed.trades": "feed().trades(since=NOW - 90 * 24 * HOUR, rows=10_000_000, progress=told)",
    "feed.candles": "feed().candles(TICKERS, '1m', since=NOW - 48 * HOUR, until=NOW, progress=told)",
    "feed.markets": "feed().markets(multivariate=True, progress=told)",
    "feed.events": "feed().events(status=None, progress=told)",
}
"""What is walked over; each has many more pages than are waited for."""

AS_IN_A_TERMINAL = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
"""Who starts the tests in the background has Ctrl-C ignored by all that comes of it."""

SCRIPT = """
import sys
import kalshi_nb as kn
from kalshi_nb._rest import discovery

url, key_id, key, out = sys.argv[1:]
TICKER, HOUR = "KXHIGHNY-26NOV22-B52.5", 3_600
NOW = 1_795_359_600
TICKERS = ["KXHIGHNY-26NOV22-B48.5", "KXHIGHNY-26NOV22-B50.5", TICKER, "KXHIGHNY-26NOV22-B54.5"]
discovery._MOST_MARKETS, discovery._MOST_EVENTS = 5, 5

def told(rows, reached):
    print("page", rows, flush=True)

def feed():
    return kn.connect(url, key_id=key_id, private_key=key)

try:
    WALK
    print("not interrupted")
except KeyboardInterrupt as stopped:
    partial = getattr(stopped, "partial", None)
    print("kept", "nothing" if partial is None else partial.height, flush=True)
    print("told", *getattr(stopped, "__notes__", ()), flush=True)
"""


@pytest.fixture
def exchange(tmp_path):
    with Exchange(seed=7, clock="manual") as made:
        made.faults.rest(delay=0.05, combos=300)
        yield made


@pytest.fixture
def key(exchange, tmp_path):
    path = tmp_path / "key.pem"
    path.write_bytes(exchange.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def begun(*command):
    return subprocess.Popen(
        [sys.executable, *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("walk", WALKS)
def test_what_came_before_ctrl_c_is_kept(exchange, key, tmp_path, walk):
    out = tmp_path / "trades"
    script = AS_IN_A_TERMINAL + SCRIPT.replace("WALK", WALKS[walk])
    process = begun("-c", script, exchange.url, exchange.key_id, key, out)
    rows = 0
    for _ in range(3):
        line = process.stdout.readline()
        assert line.startswith("page"), line + process.communicate(timeout=60)[1]
        rows = int(line.split()[1])
    process.send_signal(signal.SIGINT)
    told, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    kept, said = (line for line in told.splitlines() if not line.startswith("page"))
    assert rows > 0
    if "files" in walk:
        assert pl.read_parquet(out / "**/*.parquet").height >= rows
        assert "1 file had been written" in said
    else:
        assert int(kept.split()[1]) >= rows
        assert f"{int(kept.split()[1]):,} " in said


@pytest.mark.parametrize("what", ["trades", "candles.parquet"])
def test_what_came_before_ctrl_c_of_the_command_is_in_its_files(exchange, tmp_path, what):
    out = tmp_path / what
    asked = ["ALL"] if what == "trades" else ["KXSENATEOH-28-D", "--candles", "1m"]
    since = "2026-09-01" if what == "trades" else "2026-11-19"
    command = f"{AS_IN_A_TERMINAL}\nfrom kalshi_nb._rest import candles; candles._MOST_IN_ALL = 300\n"
    command += "from kalshi_nb._cli.main import main; raise SystemExit(main())"
    process = begun("-c", command, "history", *asked, "--since", since, "--out", out, "--env", exchange.url)
    end = time.monotonic() + 60
    while exchange._server.rest.trouble.requests < 8 and time.monotonic() < end:  # by the count inside
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    printed, said = process.communicate(timeout=60)
    assert (process.returncode, printed) == (130, "")
    kept = pl.read_parquet(out if out.is_file() else out / "**/*.parquet")
    assert kept.height > 100
    assert str(out) in said
    assert "Traceback" not in said

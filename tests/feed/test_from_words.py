"""From words to what was and what is, as the documentation shows it."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

import kalshi_nb as kn
from tests.feed.conftest import until
from tests.feed.test_history import ledger

DOCUMENT = Path(__file__).parents[2] / "docs" / "markets.md"


def test_five_lines_go_from_words_to_a_live_book_the_trades_of_a_day_and_candles(exchange, monkeypatch):
    (lines,) = re.findall(r"it is five lines:\n\n```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert lines.count("\n") == 5
    connect = kn.connect
    monkeypatch.setattr(kn, "connect", lambda _: connect(exchange, new=True))
    since = exchange.now_us() - 86_400_000_000
    found = {"kn": kn}
    exec(lines, found)  # as a person would have it
    with found["feed"]:
        assert found["ticker"].startswith("KXHIGHNY-")
        exchange.advance(60)
        assert found["book"].status == "live"
        until(lambda: found["trades"].complete("24h"), "the seam was not closed", 30)
        assert set(found["trades"].df["trade_id"]) == ledger(exchange, [found["ticker"]], since)
        candles = found["candles"].filter(pl.col("complete"))
        assert candles.height > 20
        traded = found["trades"].df.filter(pl.col("ts").is_between(candles["start"][0], candles["end"][-1]))
        assert abs(traded["count"].sum() - candles["volume"].sum()) < 1e-6

"""Rows that were fetched after a gap, in pipelines that ask for them: each once, marked, in a batch of their own."""

from __future__ import annotations

import polars as pl
import pytest

from kalshi_nb._rows.channels import ROWS
from kalshi_nb._rows.gaps import GapRow
from kalshi_nb._rows.steering import LateRows, ResetRow
from kalshi_nb.errors import ConfigurationError
from kalshi_nb.messages import Trade
from tests.streams.conftest import BASE_US, trade, until


def fetched(number, market="KXA-1", **options):
    """Return a trade as REST tells it: nobody received it, and it has no number."""
    *row, _received_at, _seq = trade(number, market, **options)
    return (*row, None, None)


class Slow:
    """A callback that is in the midst of its first call until it is let go on."""

    def __init__(self):
        self.is_in = self.go_on = False

    def __call__(self, _message):
        self.is_in = True
        until(lambda: self.go_on)


def ids(rows):
    return [each.trade_id for each in rows if isinstance(each, Trade)]


def test_a_callback_and_a_stream_of_messages_have_them_marked_and_others_do_not(pipelines, engine):
    lists, called, plain = [], [], []
    pipelines.messages("trade", backfill=True).sink(lists.append)
    pipelines.on("trade", called.append, backfill=True)
    pipelines.on("trade", plain.append)
    engine.add("trade", trade(1), trade(5), LateRows((fetched(3), fetched(2))), trade(6))
    pipelines.flush()
    assert [ids(each) for each in lists] == [["id-1", "id-5"], ["id-2", "id-3"], ["id-6"]]
    assert [each.backfilled for each in called] == [False, False, True, True, False]
    assert [each.received_at is None and each.seq is None for each in called] == [False, False, True, True, False]
    assert ids(plain) == ["id-1", "id-5", "id-6"]
    assert not any(each.backfilled for each in plain)
    assert pipelines.errors == pipelines.kit_errors == 0


@pytest.mark.parametrize("exact", [False, True])
def test_a_stream_has_a_last_column_and_its_frame_them_at_their_place(pipelines, engine, exact):
    frames = []
    source = pipelines.stream("trade", backfill=True, exact=exact)
    source.sink(frames.append)
    kept, plain = source.rolling_frame(), pipelines.stream("trade", exact=exact).rolling_frame()
    assert kept.df.columns[-1] == "backfilled"
    engine.add("trade", trade(1), trade(5), LateRows((fetched(3), fetched(2))), trade(6))
    pipelines.flush()
    assert [each["backfilled"].to_list() for each in frames] == [[False, False], [True, True], [False]]
    assert kept.df["trade_id"].to_list() == ["id-1", "id-2", "id-3", "id-5", "id-6"]
    assert kept.df.filter("backfilled")["trade_id"].to_list() == ["id-2", "id-3"]
    assert kept.latest()["trade_id"].to_list() == ["id-6"]
    assert "backfilled" not in plain.df.columns
    assert plain.df.height == 3
    assert pipelines.errors == pipelines.kit_errors == 0


def test_each_comes_once_however_often_it_is_fetched_or_sent(pipelines, engine):
    called = []
    pipelines.on("trade", called.append, backfill=True)
    engine.add("trade", trade(1), LateRows((fetched(2),)))
    engine.add("trade", LateRows((fetched(2), fetched(3), fetched(3))), trade(4))
    pipelines.flush()
    engine.add("trade", LateRows((fetched(2), fetched(3))), trade(3), trade(5))
    pipelines.flush()
    assert ids(called) == ["id-1", "id-2", "id-3", "id-4", "id-5"]


def test_as_many_are_remembered_as_came_at_once(pipelines, engine, monkeypatch):
    monkeypatch.setattr("kalshi_nb._streams.fetched.MOST_KNOWN", 2)
    called = []
    pipelines.on("trade", called.append, backfill=True)
    many = tuple(fetched(each) for each in range(10, 15))
    engine.add("trade", LateRows(many), LateRows(many))
    pipelines.flush()
    assert len(called) == 5
    engine.add("trade", LateRows((fetched(1), fetched(2))), LateRows((fetched(1), fetched(2), fetched(10))))
    pipelines.flush()
    assert ids(called)[5:] == ["id-1", "id-2", "id-10"]  # the oldest of them were forgotten


def test_after_a_reset_everything_may_come_again(pipelines, engine):
    called = []
    pipelines.on("trade", called.append, backfill=True)
    engine.add("trade", LateRows((fetched(2),)), ResetRow(), trade(2))
    pipelines.flush()
    assert ids(called) == ["id-2", "id-2"]


def test_a_pipeline_of_one_market_has_those_of_that_market(pipelines, engine):
    called = []
    pipelines.on("trade", called.append, frozenset({"KXB-1"}), backfill=True)
    engine.add("trade", trade(1), LateRows((fetched(2), fetched(3, "KXB-1"))))
    pipelines.flush()
    assert ids(called) == ["id-3"]


def test_gaps_in_band_are_told_before_them(pipelines, engine):
    called = []
    pipelines.on("trade", called.append, gaps=True, backfill=True)
    engine.add("trade", trade(1), GapRow(None, BASE_US, "sequence"), trade(5), LateRows((fetched(2),)))
    pipelines.flush()
    assert [type(each).__name__ for each in called] == ["Trade", "Gap", "Trade", "Trade"]
    assert called[-1].backfilled


def test_a_pipeline_that_rests_misses_them_and_counts_them(pipelines, engine):
    def fails(_message):
        raise ValueError

    pipeline = pipelines.on("trade", fails, backfill=True)
    plain = pipelines.on("trade", fails)
    engine.add("trade", *[trade(each) for each in range(1, 11)])
    pipelines.flush()
    assert pipeline.state == plain.state == "resting"
    engine.add("trade", LateRows((fetched(11), fetched(12))))
    pipelines.flush()
    assert (pipeline.dropped, plain.dropped) == (2, 0)


def test_a_pipeline_that_is_too_slow_counts_those_that_went(make, engine):
    pipelines = make(max_pending_rows=5)
    slow = Slow()
    asks = pipelines.on("trade", slow, backfill=True)
    plain = pipelines.on("trade", lambda _: None)
    engine.add("trade", trade(1))
    until(lambda: slow.is_in)
    engine.add("trade", LateRows((fetched(2), fetched(3))), trade(4))
    assert pipelines.bring(10)
    engine.add("trade", *[trade(each) for each in range(10, 16)])
    assert pipelines.bring(10)
    slow.go_on = True
    pipelines.flush()
    assert (asks.dropped, plain.dropped) == (3, 1)
    assert asks.gaps["rows"].to_list() == [3]


def test_bars_are_corrected_by_them(pipelines, engine):
    minutes = pipelines.stream("trade", backfill=True).bars(60).rolling_frame()
    second = 1_000_000
    first = BASE_US // (60 * second) * 60 * second + 60 * second
    engine.add("trade", trade(1, price=4700, received_us=first + 1 * second))
    engine.add("trade", trade(2, price=4800, received_us=first + 70 * second))
    pipelines.flush()
    late = [fetched(3, price=4000, received_us=first + 30 * second), fetched(4, received_us=first + 40 * second)]
    engine.add("trade", LateRows(tuple(late)))
    pipelines.flush()
    assert minutes.df.select("open", "high", "low", "close", "trades").rows() == [
        (0.47, 0.47, 0.40, 0.47, 3),
        (0.48, 0.48, 0.48, 0.48, 1),
    ]
    assert not minutes.df["complete"].any()
    assert pipelines.errors == pipelines.kit_errors == 0


def test_the_last_row_of_each_market_stays_the_last_unless_a_fetched_one_is_newer(pipelines, engine):
    found = []
    pipelines.stream("trade", backfill=True).latest_by("market_ticker").sink(found.append)
    engine.add("trade", trade(1, "KXB-1"), trade(5), LateRows((fetched(3), fetched(4, "KXB-1"), fetched(2, "KXC-1"))))
    pipelines.flush()
    last = dict(found[-1].select("market_ticker", "trade_id").rows())
    assert last == {"KXA-1": "id-5", "KXB-1": "id-4", "KXC-1": "id-2"}


def test_a_window_of_seconds_lets_them_go_with_the_rows_around_them(pipelines, engine, clock):
    kept = pipelines.stream("trade", backfill=True).rolling_frame(seconds=10)
    engine.add("trade", trade(1), trade(5), LateRows((fetched(3),)))
    pipelines.flush()
    assert kept.df["trade_id"].to_list() == ["id-1", "id-3", "id-5"]
    clock.us += 11_000_000
    assert kept.df.height == 0


@pytest.mark.parametrize("channel", [each for each in ROWS if each != "trade"])
@pytest.mark.parametrize("call", ["stream", "messages", "listen", "on"])
def test_no_other_channel_has_such_rows(pipelines, channel, call):
    arguments = (channel, print) if call == "on" else (channel,)
    with pytest.raises(ConfigurationError, match=f"only trades that a gap took.*'{channel}'.*'trade'"):
        getattr(pipelines, call)(*arguments, backfill=True)
    assert pipelines.pipelines == []


def test_a_pipeline_says_whether_it_has_them(pipelines):
    asks, plain = pipelines.stream("trade", backfill=True), pipelines.stream("trade")
    assert (asks.pipeline.backfill, plain.pipeline.backfill) == (True, False)
    assert pl.Series([each.backfill for each in pipelines.pipelines]).sum() == 1

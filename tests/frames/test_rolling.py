from __future__ import annotations

import threading

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_nb._frames.batch import Batch
from kalshi_nb._frames.rolling import RollingFrame, Window, window
from kalshi_nb._frames.schema import schema
from kalshi_nb.errors import ConfigurationError, PipelineError
from tests.frames.making import BASE_US, SMALL, HandClock, small, trade


class NaiveWindow:
    """The same laws, with a list."""

    def __init__(self, rows, seconds):
        self.rows, self.seconds = rows, seconds
        self.kept, self.all = [], []

    def append(self, rows, now_us):
        self.kept += rows
        self.all += rows
        self.kept = self.window(now_us)

    def window(self, now_us):
        kept = self.kept if self.rows is None else self.kept[-self.rows :]
        if self.seconds is not None:
            since = now_us - round(self.seconds * 1e6)
            first = next((at for at, row in enumerate(kept) if row[2] >= since), len(kept))
            kept = kept[first:]
        return kept

    def latest(self):
        last = {}
        for row in self.all:
            last.pop(row[0], None)
            last[row[0]] = row
        return list(last.values())


STEPS = st.lists(
    st.tuples(
        st.integers(0, 40),  # rows of the batch
        st.integers(0, 3),  # seconds until it comes
        st.integers(0, 6),  # which markets
        st.integers(-2, 0),  # how late its rows are, in seconds: clocks get set back
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(STEPS, st.none() | st.integers(1, 60), st.none() | st.sampled_from([0.5, 3, 7.25]), st.integers(1, 9))
def test_a_rolling_frame_is_what_a_list_would_be(steps, rows, seconds, size):
    clock = HandClock()
    frame = RollingFrame(SMALL, rows=rows, seconds=seconds, clock=clock)
    naive = NaiveWindow(rows, seconds)
    number = 0
    for count, later, markets, late in steps:
        clock.us += later * 1_000_000
        batch = []
        for _ in range(count * size):
            number += 1
            batch.append((f"KX-{number % (markets + 1)}", number, clock.us + late * 1_000_000))
        frame.append(small(*batch))
        naive.append(batch, clock.us)
        assert frame.df.equals(small(*naive.window(clock.us)))
        assert frame.height == len(naive.window(clock.us))
        assert frame.total == len(naive.all)
        assert frame.latest().equals(small(*naive.latest()))
    clock.us += 4_000_000
    assert frame.df.equals(small(*naive.window(clock.us)))


@pytest.mark.parametrize("size", [1, 7, 500])
@pytest.mark.parametrize("rows", [None, 10, 10_000])
def test_the_rows_lie_in_few_chunks_however_they_came(rows, size):
    frame = RollingFrame(SMALL, rows=rows, clock=HandClock())
    most = 0
    batch = small(*[("KX-1", n, BASE_US) for n in range(size)])
    for _ in range(3_000):
        frame.append(batch)
        most = max(most, frame.df.n_chunks())
    assert most <= 48
    assert frame.total == 3_000 * size


def test_what_left_the_window_is_not_kept_in_memory_for_long():
    frame = RollingFrame(SMALL, rows=1_000, clock=HandClock())
    for number in range(200):
        frame.append(small(*[("KX-1", number, BASE_US)] * 100))
    view = frame._state.view
    assert view.blocks.height <= 1_000 + 2 * 1_024
    assert len(view.folded._waiting) <= 64
    assert sum(each.height for each in view.folded._waiting) <= 4_096


def test_a_window_of_seconds_empties_although_nothing_comes():
    clock = HandClock()
    frame = RollingFrame(SMALL, seconds=10, clock=clock)
    frame.append(small(("KX-1", 1, clock.us), ("KX-2", 2, clock.us + 4_000_000)))
    assert frame.height == 2
    clock.us += 10_000_000
    assert frame.df["n"].to_list() == [1, 2]
    clock.us += 1
    assert frame.df["n"].to_list() == [2]
    clock.us += 60_000_000
    assert frame.df.height == frame.height == 0
    assert frame.df.schema == SMALL
    assert frame.latest()["n"].to_list() == [1, 2]


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_seconds_count_in_every_time_unit(unit):
    clock = HandClock()
    frame = RollingFrame(None, seconds=10, clock=clock)
    rows = small(("KX-1", 1, clock.us - 9_999_000), ("KX-1", 2, clock.us))
    frame.append(rows.with_columns(pl.col("received_at").cast(pl.Datetime(unit, "UTC"))))
    assert frame.df["n"].to_list() == [1, 2]
    clock.us += 1_001
    assert frame.df["n"].to_list() == [2]


def test_a_row_without_a_time_counts_as_an_old_one():
    frame = RollingFrame(SMALL, seconds=10, clock=HandClock())
    frame.append(small(("KX-1", 1, None), ("KX-1", 2, BASE_US), ("KX-1", 3, None)))
    assert frame.df["n"].to_list() == [2, 3]
    frame = RollingFrame(SMALL, seconds=10, clock=HandClock())
    frame.append(small(("KX-1", 1, None)))
    assert frame.height == 0


def test_an_empty_frame_has_its_schema_and_no_latest_row():
    frame = RollingFrame(schema("trade"), rows=5, clock=HandClock())
    assert frame.df.schema == frame.latest().schema == schema("trade")
    assert frame.total == frame.height == 0


def test_the_schema_is_that_of_the_first_batch_where_none_was_given():
    frame = RollingFrame(None, rows=5, clock=HandClock())
    assert frame.schema is None
    frame.append(small())
    assert frame.schema == frame.df.schema == SMALL
    frame.append(small(("KX-1", 1, BASE_US)))
    assert frame.total == 1


def test_a_batch_with_other_columns_is_refused_by_name_and_changes_nothing():
    frame = RollingFrame(SMALL, rows=5, clock=HandClock())
    frame.append(small(("KX-1", 1, BASE_US)))
    other = pl.DataFrame({"n": ["1"], "market_ticker": ["KX-1"], "extra": [1]})
    with pytest.raises(PipelineError, match="received_at is missing; extra is new; n is String instead of Int64"):
        frame.append(other)
    assert frame.total == 1
    assert frame.df.equals(small(("KX-1", 1, BASE_US)))
    frame.append(small(("KX-1", 2, BASE_US)))
    assert frame.total == 2


DTYPES = [
    pl.Int64(),
    pl.Int32(),
    pl.UInt64(),
    pl.Int128(),
    pl.Float64(),
    pl.Float32(),
    pl.String(),
    pl.Binary(),
    pl.Boolean(),
    pl.Null(),
    pl.Object(),
    pl.Categorical(),
    pl.Enum(["yes", "no"]),
    pl.Enum(["no", "yes"]),
    pl.Enum(["bid", "ask"]),
    pl.Date(),
    pl.Time(),
    pl.Datetime("us", "UTC"),
    pl.Datetime("ms", "UTC"),
    pl.Datetime("us"),
    pl.Datetime("us", "America/New_York"),
    pl.Duration("us"),
    pl.Duration("ms"),
    pl.Decimal(18, 4),
    pl.Decimal(18, 2),
    pl.Decimal(38, 4),
    pl.List(pl.Int64()),
    pl.List(pl.Int32()),
    pl.List(pl.Null()),
    pl.Array(pl.Int64(), 2),
    pl.Array(pl.Int64(), 3),
    pl.Struct({"a": pl.Int64()}),
    pl.Struct({"a": pl.Int32()}),
    pl.Struct({"b": pl.Int64()}),
]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_column_of_any_other_dtype_is_refused_with_and_without_rows(dtype):
    for rows in ([], [None]):
        for other in DTYPES:
            frame = RollingFrame(pl.Schema({"market_ticker": pl.String, "x": dtype}), rows=5, clock=HandClock())
            tickers = pl.Series("market_ticker", ["KX-1"] * len(rows), dtype=pl.String)
            batch = pl.DataFrame([tickers, pl.Series("x", rows, dtype=other)])
            if other == dtype:
                frame.append(batch)
                assert frame.df.equals(batch) or dtype == pl.Object
            else:
                with pytest.raises(PipelineError, match="x is"):
                    frame.append(batch)
            assert frame.df.schema == {"market_ticker": pl.String, "x": dtype}


def test_the_same_columns_in_another_order_are_the_same_columns():
    frame = RollingFrame(SMALL, rows=5, clock=HandClock())
    frame.append(small(("KX-1", 1, BASE_US)).select("n", "received_at", "market_ticker"))
    assert frame.df.equals(small(("KX-1", 1, BASE_US)))


def test_nobody_changes_the_store_through_a_frame_that_was_passed_in_or_out():
    frame = RollingFrame(SMALL, rows=5, clock=HandClock())
    given_in = small(("KX-1", 1, BASE_US))
    frame.append(given_in)
    given_in.drop_in_place("n")
    frame.df.drop_in_place("market_ticker")
    frame.latest().drop_in_place("market_ticker")
    out = frame.df
    out[0, "n"] = 77
    assert frame.df.equals(small(("KX-1", 1, BASE_US)))
    assert frame.latest().equals(small(("KX-1", 1, BASE_US)))
    frame.append(small(("KX-1", 2, BASE_US)))
    assert frame.df["n"].to_list() == [1, 2]


def test_a_window_of_seconds_needs_a_time_to_go_by():
    with pytest.raises(ConfigurationError, match="received_at"):
        RollingFrame(pl.Schema({"n": pl.Int64()}), seconds=5, clock=HandClock())
    frame = RollingFrame(None, seconds=5, clock=HandClock())
    with pytest.raises(PipelineError, match="received_at"):
        frame.append(pl.DataFrame({"n": [1]}))


def test_latest_needs_market_tickers_and_says_so():
    frame = RollingFrame(None, rows=2, clock=HandClock())
    frame.append(pl.DataFrame({"n": [1, 2, 3]}))
    assert frame.df["n"].to_list() == [2, 3]
    with pytest.raises(PipelineError, match="market_ticker"):
        frame.latest()


def test_readers_see_whole_batches_only():
    frame = RollingFrame(SMALL, rows=4_000, clock=HandClock())
    size, batches = 10, 1_500
    done = threading.Event()
    torn = []

    def read():
        while not done.is_set():
            df = frame.df
            last = df["n"]
            if df.height % size or (df.height and last[-1] % size != size - 1):
                torn.append(df)
            frame.latest()

    readers = [threading.Thread(target=read) for _ in range(3)]
    for each in readers:
        each.start()
    for number in range(batches):
        frame.append(small(*[(f"KX-{n % 3}", number * size + n, BASE_US) for n in range(size)]))
    done.set()
    for each in readers:
        each.join(30)
    assert not torn
    assert frame.total == size * batches


def test_waiting_ends_with_the_row_that_was_waited_for():
    frame = RollingFrame(SMALL, rows=1, clock=HandClock())
    assert not frame.wait(1, 0.01)
    seen = []
    waiter = threading.Thread(target=lambda: seen.append(frame.wait(3, 30)))
    waiter.start()
    for number in range(3):
        assert not seen
        frame.append(small(("KX-1", number, BASE_US)))
    waiter.join(30)
    assert seen == [True]
    assert frame.height == 1


def test_channel_frames_roll_too_with_their_categoricals():
    frame = RollingFrame(schema("trade"), rows=50, clock=HandClock())
    for number in range(40):
        frame.append(Batch("trade", [trade(number * 5 + n, f"KX-{number}") for n in range(5)]).df())
    assert frame.df["seq"].to_list() == list(range(150, 200))
    assert frame.latest()["market_ticker"].to_list() == [f"KX-{n}" for n in range(40)]


@pytest.mark.parametrize("rows", [0, -1, 1.5, "10", True])
def test_a_number_of_rows_that_cannot_be_is_refused(rows):
    with pytest.raises(ConfigurationError, match="rows="):
        window(rows=rows)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), "10", True])
def test_a_number_of_seconds_that_cannot_be_is_refused(seconds):
    with pytest.raises(ConfigurationError, match="seconds="):
        window(seconds=seconds)


def test_a_window_is_100_000_rows_unless_told():
    assert window() == Window(100_000, None)
    assert window(seconds=5) == Window(None, 5)
    assert window(rows=7, seconds=5) == Window(7, 5)
    assert str(window(7, 5)) == "keeps 7 rows and 5 s"

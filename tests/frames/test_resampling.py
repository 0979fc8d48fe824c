"""Frames at even steps of time, and the rows of the last minutes, against lists that are gone through one by one."""

import datetime as dt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from kalshi_nb._frames.reading import FrameReading
from kalshi_nb._frames.rolling import RollingFrame
from kalshi_nb.errors import ConfigurationError, PipelineError
from tests.frames.making import BASE_US, HandClock

TIME = pl.Datetime("us", "UTC")
SCHEMA = pl.Schema({"ts": TIME, "market_ticker": pl.String(), "mid": pl.Float64(), "received_at": TIME})
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Handle(FrameReading):
    name = "quotes"

    def __init__(self, schema=SCHEMA, clock=None, **window):
        self._store = RollingFrame(schema, clock=clock or HandClock(), **window)


def at(us):
    return EPOCH + dt.timedelta(microseconds=us)


def frame(rows):
    """Rows of (ts offset, market, mid, received offset)."""
    return pl.DataFrame(
        [(at(BASE_US + ts), market, mid, at(BASE_US + received)) for ts, market, mid, received in rows],
        schema=SCHEMA,
        orient="row",
    )


ROWS = st.lists(
    st.tuples(
        st.integers(0, 40_000_000),
        st.sampled_from(["A", "B", "C", None]),
        st.none() | st.sampled_from([0.25, 0.5, 0.75]),
        st.integers(0, 40_000_000),
    ),
    max_size=30,
)
STEPS = st.sampled_from([1_000_000, 2_500_000, 7_000_000, 700_000])


def naive_steps(rows, every):
    """Tick to market to its row, gone through one by one."""
    times = [BASE_US + ts for ts, market, *_ in rows if market is not None]
    if not times:
        return {}
    tick, found = min(times) // every * every, {}
    if tick < min(times):
        tick += every
    while tick <= max(times):
        found[tick] = {}
        for market in ("A", "B", "C"):
            for row in sorted(rows, key=lambda each: each[0]):
                if row[1] == market and BASE_US + row[0] <= tick:
                    found[tick][market] = row
        tick += every
    return found


@settings(max_examples=150, deadline=None)
@given(ROWS, STEPS)
def test_resample_has_the_last_row_at_or_before_each_step_of_each_market_that_has_one(rows, every):
    handle = Handle()
    handle._store.append(frame(rows))
    expected = [
        (at(tick), market, row[2], at(BASE_US + row[3]))
        for tick, markets in naive_steps(rows, every).items()
        for market, row in sorted(markets.items())
    ]
    found = handle.resample(dt.timedelta(microseconds=every))
    assert_frame_equal(found, pl.DataFrame(expected, schema=SCHEMA, orient="row"))


@settings(max_examples=150, deadline=None)
@given(ROWS, STEPS)
def test_wide_is_the_same_with_a_column_a_market_and_null_before_its_first_row(rows, every):
    handle = Handle()
    handle._store.append(frame(rows))
    markets = sorted({row[1] for row in rows} - {None})
    steps = naive_steps(rows, every)
    found = handle.wide("mid", every=every / 1e6)
    assert found.columns == ["ts", *markets]
    assert found.schema["ts"] == TIME
    assert found["ts"].to_list() == [at(tick) for tick in steps]
    for market in markets:
        expected = [row[2] if (row := found_at.get(market)) else None for found_at in steps.values()]
        assert found[market].to_list() == expected
        assert found.schema[market] == pl.Float64()


def test_a_null_is_carried_like_any_value_and_not_filled_with_an_older_one():
    handle = Handle()
    handle._store.append(frame([(0, "A", 0.5, 0), (1_500_000, "A", None, 0), (3_000_000, "A", 0.25, 0)]))
    assert handle.wide("mid", every="1s")["A"].to_list() == [0.5, 0.5, None, 0.25]


def test_frames_of_a_coarser_time_are_taken_as_they_are():
    coarse = pl.Schema({**SCHEMA, "ts": pl.Datetime("ms", "UTC")})
    handle = Handle(coarse)
    handle._store.append(frame([(0, "A", 0.5, 0), (2_000_000, "A", 0.25, 0)]).cast(dict(coarse)))
    assert handle.resample("1s").height == 3


@pytest.mark.parametrize(("value", "said"), [("midd", "Did you mean 'mid'"), ("ts", "has the columns"), (7, "wide")])
def test_a_column_that_is_not_there_is_refused_with_the_nearest(value, said):
    with pytest.raises(ConfigurationError, match=said):
        Handle().wide(value, every="1s")


def test_a_column_that_is_a_part_of_several_names_is_asked_back_with_all_of_them():
    schema = pl.Schema({"ts": TIME, "market_ticker": pl.String, "yes_price": pl.Float64, "no_price": pl.Float64})
    with pytest.raises(ConfigurationError, match=r"Did you mean 'yes_price' or 'no_price'\?$"):
        Handle(schema).wide("price", every="1s")


def test_steps_that_would_fill_the_memory_are_refused_with_what_to_do():
    handle = Handle()
    handle._store.append(frame([(0, "A", 0.5, 0), (40_000_000, "A", 0.25, 0)]))
    with pytest.raises(ConfigurationError, match="longer every="):
        handle.resample("1us")


@pytest.mark.parametrize("call", [lambda frame: frame.resample("soon"), lambda frame: frame.wide("mid", every=0)])
def test_a_step_that_is_none_is_refused(call):
    with pytest.raises(ConfigurationError, match="every="):
        call(Handle())


def test_without_time_or_market_it_says_what_it_goes_by():
    handle = Handle(pl.Schema({"n": pl.Int64(), "received_at": TIME}))
    with pytest.raises(PipelineError, match=r"goes by the columns ts.*market_ticker"):
        handle.resample("1s")


# since ------------------------------------------------------------------------------------------------

ARRIVALS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4_000_000)), max_size=30)


@settings(max_examples=200, deadline=None)
@given(
    ARRIVALS,
    st.none() | st.integers(1, 30),
    st.none() | st.sampled_from([2, 5.5]),
    st.sampled_from([0.5, 1, 3.25, 30]),
)
def test_since_has_every_row_received_in_the_span_or_says_that_it_cannot(arrivals, rows, seconds, span):
    clock = HandClock()
    handle = Handle(clock=clock, rows=rows, seconds=seconds)
    all_of_them = []
    for number, later in arrivals:
        clock.us += later
        batch = [(clock.us - BASE_US, "A", 0.5, clock.us - BASE_US)] * number
        all_of_them += batch
        handle._store.append(frame(batch))
    clock.us += 700_000
    wanted = [row for row in all_of_them if BASE_US + row[3] >= clock.us - round(span * 1e6)]
    try:
        found = handle.since(span)
    except ConfigurationError as refusal:
        kept = len(handle)
        assert kept < len(all_of_them)  # something has left
        full = rows is not None and kept >= rows
        assert full or (seconds is not None and seconds < span)
        assert "reaches back" in str(refusal)
        assert "seconds=" in str(refusal)
    else:
        assert found["received_at"].to_list() == [at(BASE_US + row[3]) for row in wanted]


def test_a_window_of_rows_that_is_too_short_says_how_many_it_takes():
    clock = HandClock()
    handle = Handle(clock=clock, rows=10)
    for _ in range(20):
        clock.us += 1_000_000
        handle._store.append(frame([(0, "A", 0.5, clock.us - BASE_US)]))
    assert handle.since("9s").height == 10
    with pytest.raises(ConfigurationError, match=r"since\('1m'\).*reaches back 9\.000 s.*rows=67.*seconds=60"):
        handle.since("1m")


def test_a_window_of_seconds_that_is_too_short_says_so():
    clock = HandClock()
    handle = Handle(clock=clock, seconds=5)
    handle._store.append(frame([(0, "A", 0.5, 0)]))
    assert handle.since("1h").height == 1  # nothing has left yet
    clock.us += 6_000_000
    with pytest.raises(ConfigurationError, match=r"reaches back 5\.000 s only. Ask for the frame with seconds=3600"):
        handle.since("1h")


def test_a_clock_that_was_set_makes_no_row_older_or_younger():
    clock = HandClock()
    handle = Handle(clock=clock)
    handle._store.append(frame([(0, "A", 0.5, 0)]))
    clock.us += 3_600_000_000 + 2_000_000
    handle._store.step(3_600_000_000)
    assert handle.since("3s").height == 1
    assert handle.since("1s").height == 0


def test_a_row_that_was_fetched_later_goes_by_its_own_time():
    clock = HandClock(BASE_US + 10_000_000)
    handle = Handle(clock=clock)
    late = frame([(9_000_000, "A", 0.5, 0), (1_000_000, "A", 0.5, 0)])
    handle._store.append(late.with_columns(received_at=pl.lit(None, TIME)))
    assert handle.since("2s").height == 1


def test_without_a_time_of_receipt_since_says_what_it_goes_by():
    with pytest.raises(PipelineError, match="received_at"):
        Handle(pl.Schema({"n": pl.Int64()})).since("1s")

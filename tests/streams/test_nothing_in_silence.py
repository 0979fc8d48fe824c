"""Every row is delivered, or stands among what failed, or is counted as dropped, or waits: whatever is raised when."""

from __future__ import annotations

import itertools
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_nb import Gap
from kalshi_nb._frames.batch import Batch
from kalshi_nb._rows.channels import CHANNELS, LAYOUTS
from kalshi_nb._rows.gaps import GapRow
from kalshi_nb._rows.steering import DroppedRows
from kalshi_nb._streams import user_delivery
from kalshi_nb._streams.runner import Pipelines
from tests.streams.conftest import BASE_US, Engine, HandClock, deliver_to_users

MOST = 7

STEPS = st.lists(
    st.tuples(
        st.integers(0, 12),  # rows that come
        st.booleans(),  # whether the user's code works then
        st.sampled_from([0, 0, 0.5, 1, 2, 30]),  # seconds until then
        st.sampled_from(["rows", "rows", "gap", "dropped", "nothing"]),
    ),
    max_size=60,
)


def row(channel, number):
    values = {"ts": BASE_US, "received_at": BASE_US, "trade_id": str(number), "market_ticker": f"KX{'AB'[number % 2]}"}
    return tuple(values.get(each.name, 0 if each.kind in ("price", "count") else None) for each in LAYOUTS[channel])


def batches(channel, steps, numbers):
    """Yield a batch a step, with how many of its rows will never come, and what they were."""
    for count, works, seconds, what in steps:
        rows = [row(channel, next(numbers)) for _ in range(count)]
        gone = 0
        if what == "gap":
            rows.insert(len(rows) // 2, GapRow(None, BASE_US, "sequence"))
        elif what == "dropped" and rows and channel == "trade":
            rest = Batch(channel, rows[: len(rows) // 2])
            gone = len(rest)
            rows = [rest.dropped(None), *rows[gone:]] if gone else rows
            assert not gone or isinstance(rows[0], DroppedRows)
        yield Batch(channel, rows), count, works, seconds


@pytest.mark.parametrize("kind", ["on", "messages", "stream"])
@pytest.mark.parametrize("channel", ["trade", "fill"])
@settings(max_examples=60, deadline=None)
@given(steps=STEPS, market=st.sampled_from([None, "KXA"]))
def test_nothing_is_lost_in_silence(kind, channel, steps, market):
    clock = HandClock()
    engine = Engine()
    pipelines = Pipelines(engine.take, engine.pending, engine.watch, CHANNELS, clock)
    broken, seen, tries = False, [], []

    def take(element):
        tries.append(element)
        if broken:
            raise ConnectionError
        seen.append(element)

    markets = None if market is None else frozenset({market})
    if kind == "on":
        pipeline = pipelines.on(channel, take, markets, gaps=True)
    elif kind == "messages":
        source = pipelines.messages(channel, markets, gaps=True)
        pipeline = source.pipeline
        source.sink(take)
    else:
        source = pipelines.stream(channel, markets)
        pipeline = source.pipeline
        source.sink(take)
    numbers, came = itertools.count(), 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(user_delivery, "MOST_WAITING", MOST)
        for batch, count, works, seconds in batches(channel, steps, numbers):
            came += count
            broken = not works
            clock.us += round(seconds * 1e6)
            deliver_to_users(pipelines, batch)
            wanted = [number for number in range(came) if market is None or number % 2 == 0]
            delivered, failed = told(seen), told(each.element for each in pipeline.failed)
            assert delivered == sorted(delivered)
            assert len(delivered) + len(failed) + pipeline.dropped + pipeline.waiting == len(wanted)
            assert len({*delivered, *failed}) == len(delivered) + len(failed)
            assert pipeline.waiting <= MOST
            assert pipeline.gaps["rows"].sum() == pipeline.dropped
            assert pipeline.state in ("running", "resting")
        broken = False
        clock.us += 31_000_000
        deliver_to_users(pipelines, Batch(channel, [row(channel, next(numbers)), row(channel, next(numbers))]))
    assert pipeline.state == "running"
    assert pipeline.waiting == 0
    if kind != "stream":
        assert sum(each.rows or 0 for each in every(tries) if isinstance(each, Gap)) == pipeline.dropped
    pipeline.close()
    assert pipelines.stop(10)


def test_pipelines_are_closed_while_they_raise_rest_and_wait(make, engine, clock, hectic):
    pipelines = make()

    def raising(message):
        raise ConnectionError

    stop = threading.Event()

    def play():
        for number in itertools.count():
            while pipelines.pending_rows > 20_000 and not stop.is_set():
                time.sleep(0.001)  # rows of the account are never dropped, so a player has to wait for its readers
            if stop.is_set():
                return
            engine.add("fill", *(row("fill", number) for _ in range(30)))
            clock.us += 100_000

    player = threading.Thread(target=play)
    player.start()
    try:
        for _ in range(150):
            callback = pipelines.on("fill", raising, gaps=True)
            source = pipelines.messages("fill", frozenset({"KXA"}))
            source.sink(raising)
            pipelines.flush()
            for pipeline in (callback, source.pipeline):
                repr(pipeline)
                pipeline.close()
                assert pipeline.waiting == 0
                assert pipeline.gaps["closed_at"].null_count() == 0
    finally:
        stop.set()
        player.join()
    pipelines.flush()
    assert pipelines.kit_errors == 0


def every(elements):
    return [each for element in elements for each in (element if isinstance(element, list) else [element])]


def told(elements):
    """Return the numbers of all rows in some elements."""
    found = []
    for element in every(elements):
        if isinstance(element, Gap):
            continue
        found += element["trade_id"].to_list() if hasattr(element, "columns") else [element.trade_id]
    return [int(each) for each in found]

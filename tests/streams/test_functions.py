"""What could never work where it was put is refused in the cell, with what to do."""

from __future__ import annotations

import asyncio
import functools

import polars as pl
import pytest

from kalshi_nb._frames.batch import Batch
from kalshi_nb.errors import KalshiError, PipelineError
from tests.streams.conftest import deliver_to_users, trade, until


async def later(x):
    return x


async def later_and_later(x):
    yield x


def gathers(x):
    yield x


class Later:
    async def __call__(self, x):
        return x

    async def method(self, x):
        return x


def with_options(x, *, option):
    return later(x)


NEVER_RUN = [
    pytest.param(later, id="async"),
    pytest.param(later_and_later, id="async with yield"),
    pytest.param(functools.partial(later), id="partial"),
    pytest.param(functools.partial(functools.partial(later)), id="partial of partial"),
    pytest.param(Later(), id="object"),
    pytest.param(functools.partial(Later()), id="partial of object"),
    pytest.param(Later().method, id="method"),
]


def deliver(pipelines, *numbers):
    deliver_to_users(pipelines, Batch("trade", [trade(number) for number in numbers]))


@pytest.mark.parametrize("function", NEVER_RUN)
def test_an_async_callback_is_refused_with_listen_named(pipelines, function):
    with pytest.raises(KalshiError, match=r"feed\.listen\('trade'\)"):
        pipelines.on("trade", function)
    assert pipelines.pipelines == []


@pytest.mark.parametrize("function", NEVER_RUN)
@pytest.mark.parametrize("node", ["map", "starmap", "sink", "filter", "accumulate"])
def test_an_async_function_of_a_node_is_refused_with_listen_named(pipelines, node, function):
    source = pipelines.stream("trade")
    for above in (source, source.map(pl.DataFrame.head)):
        with pytest.raises(PipelineError, match=r"feed\.listen\('trade'\)"):
            getattr(above, node)(function)
    deliver(pipelines, 1)
    assert source.pipeline.errors == 0


@pytest.mark.parametrize(
    "function",
    [
        lambda x: later(x.head() if hasattr(x, "head") else x),
        functools.partial(with_options, option=1),
        lambda x: later_and_later(None),
    ],
)
def test_a_call_that_returns_a_coroutine_is_an_error_that_says_so(pipelines, function):
    callback = pipelines.on("trade", function)
    source = pipelines.stream("trade")
    kept = source.map(function)
    seen = []
    kept.sink(seen.append)
    deliver(pipelines, 1, 2)
    assert callback.errors == 2
    assert source.pipeline.errors == 1
    assert seen == []
    for pipeline in (callback, source.pipeline):
        assert "feed.listen('trade')" in str(pipeline.last_error.error)


def test_a_filter_whose_function_returns_a_coroutine_lets_nothing_through(pipelines):
    source, seen = pipelines.stream("trade"), []
    source.filter(lambda x: later(x.head())).sink(seen.append)
    deliver(pipelines, 1)
    assert (source.pipeline.errors, seen) == (1, [])


@pytest.mark.parametrize("node", ["map", "sink"])
def test_a_call_that_returns_a_future_is_an_error_that_says_so(pipelines, node):
    loop = asyncio.new_event_loop()
    futures = iter([loop.create_future(), loop.create_future()])
    callback = pipelines.on("trade", lambda _: next(futures))
    source = pipelines.stream("trade")
    below = getattr(source, node)(lambda _: next(futures))
    if node == "map":
        below.sink(print)
    deliver(pipelines, 1)
    loop.close()
    for pipeline in (callback, source.pipeline):
        assert pipeline.errors == 1
        assert "async for message in feed.listen" in str(pipeline.last_error.error)


def test_a_sink_behind_a_throttle_that_returns_a_coroutine_is_an_error_too(pipelines, engine):
    source = pipelines.stream("trade")
    source.throttle(0.02).sink(lambda x: later(x.head()))
    for number in (1, 2):
        engine.add("trade", trade(number))
        pipelines.flush()
    until(lambda: source.pipeline.errors == 2)
    assert source.pipeline.failed[-1].element["seq"].to_list() == [2]


@pytest.mark.parametrize("function", [gathers, functools.partial(gathers)])
def test_a_callback_or_sink_with_yield_is_refused(pipelines, function):
    with pytest.raises(PipelineError, match="without yield"):
        pipelines.on("trade", function)
    with pytest.raises(PipelineError, match="without yield"):
        pipelines.stream("trade").sink(function)


def test_a_callback_that_returns_what_yields_is_an_error_that_says_so(pipelines):
    callback = pipelines.on("trade", lambda x: gathers(x.seq))
    deliver(pipelines, 1)
    assert "without yield" in str(callback.last_error.error)


def test_a_map_with_yield_may_be_flattened(pipelines):
    seen = []
    pipelines.messages("trade").map(lambda found: gathers(len(found))).flatten().sink(seen.append)
    pipelines.messages("trade").map(gathers).map(next).sink(seen.append)
    deliver(pipelines, 1, 2)
    assert seen[0] == 2
    assert [each.seq for each in seen[1]] == [1, 2]


def test_what_a_plain_function_returns_is_nobodys_business(pipelines):
    callback = pipelines.on("trade", lambda x: x)
    deliver(pipelines, 1)
    assert callback.errors == 0


@pytest.mark.parametrize(
    ("attach", "said"),
    [
        (lambda s: s.filter(pl.col("count") > 100), r"polars expression.*df\.filter"),
        (lambda s: s.filter("count"), r"not 'count'.*df\.filter"),
        (lambda s: s.filter(True), r"not True"),
        (lambda s: s.map(3), r"map\(\) takes a function.*not 3"),
        (lambda s: s.map(pl.col), r"polars expression"),
        (lambda s: s.map(pl.col("count")), r"polars expression.*with_columns"),
        (lambda s: s.map(None), r"not None"),
        (lambda s: s.map(pl.DataFrame()), r"not DataFrame"),
        (lambda s: s.starmap(3), r"starmap\(\) takes a function"),
        (lambda s: s.sink(None), r"sink\(\) takes a function.*not None.*print"),
        (lambda s: s.sink([]), r"not list.*rows\.append"),
        (lambda s: s.accumulate(3), r"accumulate\(\) takes a function.*start=0"),
        (list, r"feed\.listen\('trade'\)"),
        (set, r"\.sink\(function\)"),
        (lambda s: s["count"], r"map\(lambda df: df\['count'\]\)"),
        (lambda s: s[0], r"\.sink\(function\)"),
        (aiter, r"feed\.listen\('trade'\)"),
    ],
)
def test_what_is_no_function_is_refused_in_the_cell(pipelines, attach, said):
    source = pipelines.stream("trade")
    with pytest.raises(PipelineError, match=said):
        attach(source)
    assert list(source.downstreams) == []
    deliver(pipelines, 1)
    assert source.pipeline.errors == 0


def test_a_stream_passes_for_no_list_where_streamz_takes_either(pipelines):
    source, other = pipelines.stream("trade"), pipelines.stream("trade")
    seen = []
    source.combine_latest(other, emit_on=source).sink(seen.append)
    deliver(pipelines, 1)
    deliver(pipelines, 2)
    assert [[each["seq"][0] for each in pair] for pair in seen] == [[2, 1]]


def test_a_node_keeps_the_name_of_its_function(pipelines):
    source = pipelines.stream("trade")
    assert "gathers" in str(source.map(gathers))
    assert str(source.map(functools.partial(gathers))) == "<map: partial>"

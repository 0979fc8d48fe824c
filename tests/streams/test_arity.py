"""Functions that cannot be called as they will be are refused where they were passed, but only where that is sure."""

import functools
import inspect
import queue

import pytest

import kalshi_nb as kn
from kalshi_nb import errors

MARKET = "KXHIGHNY-26NOV22-B52.5"


@pytest.fixture
def feed():
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange) as made:
        yield made


class Counts:
    def of_two(self, first, second):
        return first, second

    def __call__(self, element):
        return element


class OfTwo:
    def __call__(self, first, second):
        return first, second


class MadeOfTwo:
    def __init__(self, first, second):
        self.parts = first, second


def of_two(first, second):
    return first, second


def named(*, element):
    return element


ONE = {
    "on": lambda feed, it: feed.on("trade")(it),
    "when's condition": lambda feed, it: feed.when(it, print, MARKET),
    "when's call": lambda feed, it: feed.when(lambda top: True, it, MARKET),
    "map": lambda feed, it: feed.stream("trade").map(it),
    "filter": lambda feed, it: feed.stream("trade").filter(it),
    "sink": lambda feed, it: feed.stream("trade").sink(it),
    "unique": lambda feed, it: feed.stream("trade").unique(key=it),
    "map of messages": lambda feed, it: feed.messages("trade").map(it),
    "map further down": lambda feed, it: feed.stream("trade").map(lambda df: df).map(it),
}
NOT_OF_ONE = {
    "two": of_two,
    "none": lambda: True,
    "by name alone": named,
    "a method of two": Counts().of_two,
    "called with two": OfTwo(),
    "a class of two": MadeOfTwo,
    "one too few left": functools.partial(of_two, 1, 2),
}
OF_ONE = {
    "one": lambda element: element,
    "one and a default": lambda element, more=1: (element, more),
    "any": lambda *elements: elements,
    "one and names": lambda element, **names: (element, names),
    "by place alone": lambda element, /: element,
    "one is left": functools.partial(of_two, 1),
    "called with one": Counts(),
    "of C": [].append,
    "of C without a signature": type,
    "print": print,
    "put": queue.SimpleQueue().put,
    "a class": repr,
}


def refused(ask, match):
    with pytest.raises((errors.PipelineError, errors.ConfigurationError), match=match) as caught:
        ask()
    assert "\n" not in str(caught.value)
    assert "object at 0x" not in str(caught.value)


@pytest.mark.parametrize("call", ONE)
def test_a_function_that_cannot_be_called_with_one_is_refused_in_the_cell(feed, call):
    for function in NOT_OF_ONE.values():
        refused(lambda function=function: ONE[call](feed, function), r"calls .* with .*; .* cannot be called so: ")


@pytest.mark.parametrize("call", [each for each in ONE if each != "when's condition"])
def test_a_function_that_may_be_called_with_one_is_taken(feed, call):
    kept = [ONE[call](feed, function) for function in OF_ONE.values()]
    assert len(kept) == len(OF_ONE)


def test_what_accumulates_is_called_with_two(feed):
    stream = feed.stream("trade")
    assert stream.accumulate(of_two, start=0)
    assert stream.accumulate(lambda total, df, weight: total, start=0, weight=2)
    for function in (lambda df: df, lambda total, df, weight: total, named):
        refused(lambda function=function: stream.accumulate(function, start=0), r"accumulate\(\) calls its function")
    refused(lambda: stream.accumulate(of_two, start=0, weight=2), "weight")


def test_what_else_a_node_was_given_counts(feed):
    stream = feed.stream("trade")
    assert stream.map(of_two, 1)
    assert stream.map(of_two, second=1)
    assert stream.sink(of_two, 1)
    assert stream.filter(of_two, 1)
    refused(lambda: stream.filter(lambda df: True, count=5), "'count'")
    refused(lambda: stream.map(lambda df: df, 1), "too many positional arguments")
    refused(lambda: stream.sink(lambda df: df, colour="red"), "'colour'")


def test_what_stands_in_for_another_function_is_taken_at_its_word(feed):
    @functools.wraps(of_two)
    def timed(*arguments):
        return of_two(*arguments, 2)

    stream = feed.stream("trade")
    assert stream.map(timed)
    assert feed.on("trade")(timed) is timed


def test_a_key_that_is_no_function_is_refused(feed):
    refused(lambda: feed.stream("trade").unique(key=5), r"unique\(\) takes a function")


def test_a_node_of_ones_own_may_call_its_function_as_it_likes(feed):
    from streamz import core

    class Paired(core.map):
        def update(self, x, who=None, metadata=None):
            return self._emit(self.func(x, x), metadata=metadata)

    assert Paired(feed.stream("trade"), of_two)


@pytest.mark.parametrize(
    ("name", "given", "named", "says"),
    [
        (
            "bars",
            (),
            {"every": "1m"},
            r"bars\(\) has no argument 'every'\. Did you mean 'interval'\? It takes interval",
        ),
        ("bars", (), {}, r"bars\(\) needs interval=…; it takes interval"),
        ("bars", ("1m", "5m"), {}, r"bars\(\) takes only interval without a name"),
        ("rolling_frame", (), {"row": 5}, r"rolling_frame\(\) has no argument 'row'\. Did you mean 'rows'\?"),
        ("throttle", (), {"freq": 1}, r"throttle\(\) has no argument 'freq'\. Did you mean 'interval'\?"),
        ("throttle", (1,), {"interval": 1}, r"throttle\(\) was given interval twice"),
        ("latest_by", (), {}, r"latest_by\(\) needs column=…"),
        ("join_asof", (), {"on": "ts"}, r"join_asof\(\) has no argument 'on'\. It takes quotes"),
    ],
    ids=lambda it: str(it)[:20],
)
def test_an_argument_of_a_node_by_another_name_or_at_no_place_is_refused_with_the_right_word(
    feed, name, given, named, says
):
    source = feed.stream("trade")
    with pytest.raises(errors.UsageError, match=says):
        getattr(source, name)(*given, **named)
    assert not list(source.downstreams)


@pytest.mark.parametrize("name", ["rolling_frame", "throttle", "bars", "latest_by", "join_asof"])
def test_what_asks_for_a_node_shows_what_it_is_and_takes(feed, name):
    method = getattr(feed.stream("trade"), name)
    assert method.__name__ == name
    assert f"stream.{name}(" in method.__doc__ or f"trades.{name}(" in method.__doc__
    assert "upstream" not in inspect.signature(method).parameters
    assert inspect.signature(method).parameters

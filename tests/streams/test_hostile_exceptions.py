"""Whatever a user's code raises, it is counted, and nobody else notices."""

import dataclasses

import pytest

from tests.streams.conftest import trade, until


@dataclasses.dataclass(frozen=True)
class FrozenError(Exception):
    size: int


class EvasiveError(Exception):
    def __getattribute__(self, name):
        raise RuntimeError("no")

    def __str__(self):
        raise RuntimeError("no")


class Meta(type):
    is_hostile = False

    def __getattribute__(cls, name):
        if Meta.is_hostile:
            raise RuntimeError("no")
        return super().__getattribute__(name)


class NamelessError(Exception, metaclass=Meta):
    pass


@pytest.fixture
def hostile(monkeypatch):
    """Classes are hostile for one test: whoever walks all exceptions later in this process (Dask does) reads them."""
    monkeypatch.setattr(Meta, "is_hostile", True)


class LoudError(Exception):
    def __init__(self):
        super().__init__("x" * 5_000_000)


def test_no_exception_however_made_ends_a_thread_or_takes_rows_from_others(make, engine, hostile):
    for kind in (lambda: FrozenError(3), EvasiveError, NamelessError, LoudError):
        pipelines = make()

        def bad(message, kind=kind):
            raise kind()

        seen = []
        culprit = pipelines.on("trade", bad)
        good = pipelines.on("trade", seen.append)
        for number in range(5):
            engine.add("trade", trade(number))
            pipelines.flush()
        assert len(seen) == 5
        assert culprit.errors == 5
        assert pipelines.kit_errors == 0
        failure = culprit.last_error
        assert len(failure.text) < 5_000
        assert len(failure.traceback) < 200_000
        assert len(repr(culprit)) < 10_000
        culprit.close()
        good.close()
        assert pipelines.stop(10)


def test_what_steers_a_terminal_is_told_as_repr_has_it(make, engine):
    pipelines = make()

    def bad(message):
        raise ValueError("\x1b[31mred\u202e\ud800\x07\nnext")

    culprit = pipelines.on("trade", bad)
    engine.add("trade", trade(1))
    pipelines.flush()
    failure = culprit.last_error
    assert failure.text.endswith("ValueError: \\x1b[31mred\\u202e\\ud800\\x07\nnext")
    for text in (failure.text, failure.traceback, failure.placed, failure.short, *pipelines.troubles(), repr(culprit)):
        assert text.replace("\n", "").isprintable()
    assert failure.error.args == ("\x1b[31mred\u202e\ud800\x07\nnext",)
    culprit.close()
    assert pipelines.stop(10)


def test_a_callback_that_fails_at_gaps_goes_on_with_messages(make, engine):
    from kalshi_nb._rows.gaps import GapRow

    pipelines, seen = make(), []

    def price(message):
        seen.append(message.yes_price)

    made = pipelines.on("trade", price, gaps=True)
    for number in range(30):
        engine.add("trade", GapRow(None, 1, "sequence"), trade(number))
    pipelines.flush()
    until(lambda: len(seen) == 30)
    assert made.state == "running"
    assert made.errors == 30
    made.close()

"""Whatever a user's code raises, it is counted, and nobody else notices."""

import dataclasses

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
    def __getattribute__(cls, name):
        raise RuntimeError("no")


class NamelessError(Exception, metaclass=Meta):
    pass


class LoudError(Exception):
    def __init__(self):
        super().__init__("x" * 5_000_000)


def test_no_exception_however_made_ends_a_thread_or_takes_rows_from_others(make, engine):
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

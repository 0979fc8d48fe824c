"""Rates and lags, from a session that is only counted."""

from types import SimpleNamespace

import pytest

from kalshi_nb._engine.metering import Meter, lag_of, quantile


class Counted:
    """What a meter reads of a session."""

    def __init__(self):
        self.messages = 0
        self.trade = SimpleNamespace(exchange_ms=None, received_at=0, messages=0)
        self.subscriptions = {"trade": self.trade}

    def came(self, lag, at=1_790_000_000.0):
        self.messages += 1
        self.trade.messages += 1
        self.trade.exchange_ms = round(at * 1e3)
        self.trade.received_at = round((at + lag) * 1e6)


@pytest.fixture
def session():
    return Counted()


@pytest.fixture
def meter(session):
    return Meter(session)


def test_the_rate_is_over_the_last_five_seconds(session, meter):
    assert meter.rate(0.0) == 0.0
    for step in range(200):
        session.messages += 7 if step < 100 else 1
        meter.sample(step * 0.1)
    assert meter.rate(19.9) == pytest.approx(10.0)
    meter.sample(19.9)
    assert meter.rate(19.9) >= 0.0


def test_a_dead_line_brings_fewer_and_fewer_and_then_none(session, meter):
    for step in range(101):
        session.messages += 1
        meter.sample(step * 0.1)
    assert [meter.rate(10.0 + quiet) for quiet in (0.0, 2.5, 4.0, 5.5, 28.0)] == pytest.approx(
        [10.0, 5.0, 2.0, 0.0, 0.0], abs=0.3
    )


def test_a_lag_counts_once_a_message(session, meter):
    assert lag_of([meter]) == (None, None)
    session.came(0.5)
    meter.sample(0.0)
    meter.sample(0.1)
    session.came(0.1)
    meter.sample(0.2)
    low, high = lag_of([meter])
    assert (low, high) == (pytest.approx(0.5, abs=0.01), pytest.approx(0.5, abs=0.01))
    assert len(meter._lags) == 2


@pytest.mark.parametrize("ms", [1, 4_102_444_799_999])
def test_an_absurd_time_is_no_lag(session, meter, ms):
    session.came(0.5)
    session.trade.exchange_ms = ms
    meter.sample(0.0)
    assert lag_of([meter]) == (None, None)


@pytest.mark.parametrize(("growth", "grows"), [(0.3, True), (0.1, False), (0.0, False), (-0.3, False)])
def test_lag_that_grows_for_thirty_seconds_is_told(session, meter, growth, grows):
    for second in range(60):
        session.came(1.0 + growth * (second // 5))
        meter.sample(float(second))
        if second < 30:
            assert not meter.lag_grows()
    assert meter.lag_grows() is grows


def test_a_quiet_stretch_has_no_lag_of_its_own(session, meter):
    for second in range(60):
        meter.sample(float(second))
    assert not meter.lag_grows()
    assert lag_of([meter]) == (None, None)


def test_quantiles():
    assert quantile([], 0.5) is None
    assert quantile([1.0], 0.99) == 1.0
    assert quantile([float(number) for number in range(100)], 0.99) == 99.0

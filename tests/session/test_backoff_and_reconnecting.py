"""Delays between attempts, and what a lost connection costs."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_nb._rows.wanted import ALL
from kalshi_nb._session.backoff import Backoff
from kalshi_nb._session.reconnecting import REFUSAL_CEILING, REFUSAL_WAIT, Reconnecting
from tests.session.session_rig import BOOKS, Rig, snapshot, subscribed, ticker_frame, trade

CEILINGS = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
seeds = st.integers(0, 2**32)


@given(seeds)
def test_the_first_attempt_is_made_at_once_and_the_others_within_a_ceiling_that_doubles(seed):
    backoff = Backoff(Random(seed))
    assert backoff.next() == 0.0
    for ceiling in CEILINGS:
        assert 0.0 <= backoff.next() <= ceiling
    assert backoff.attempts == len(CEILINGS) + 1


@given(seeds, st.integers(0, 2_000))
def test_a_reset_begins_anew_after_any_number_of_attempts(seed, attempts):
    backoff = Backoff(Random(seed))
    for _ in range(attempts):
        assert backoff.next() <= 30.0
    backoff.reset()
    assert backoff.attempts == 0
    assert backoff.next() == 0.0
    assert backoff.next() <= 0.5


@given(seeds, st.integers(0, 20), st.floats(0, 3_600))
def test_no_delay_is_shorter_than_the_server_asked_for(seed, attempts, at_least):
    backoff = Backoff(Random(seed))
    for _ in range(attempts):
        backoff.next()
    assert at_least <= backoff.next(at_least=at_least) <= max(at_least, 30.0)


def test_many_clients_of_one_broken_server_come_back_spread_over_the_whole_ceiling():
    delays = []
    for seed in range(2_000):
        backoff = Backoff(Random(seed))
        for _ in range(12):
            backoff.next()
        delays.append(backoff.next())
    tenths = [0] * 10
    for delay in delays:
        tenths[min(9, int(delay / 3.0))] += 1
    assert min(tenths) > 140
    assert max(tenths) < 260


def test_refused_credentials_are_named_after_three_in_a_row_and_tried_again_ever_more_rarely():
    reconnecting, refused = Reconnecting(Random(1)), []
    for _ in range(3):
        assert reconnecting.delay(refused=True) >= REFUSAL_WAIT
        refused.append(reconnecting.refused)
    assert refused == [False, False, True]
    reconnecting = Reconnecting(Random(1))
    for refused in (True, True, False, True, True, False):
        reconnecting.delay(refused=refused)
        assert not reconnecting.refused
    late = [reconnecting.delay(refused=True) for _ in range(1_000)]
    assert 200.0 < max(late) <= REFUSAL_CEILING
    assert reconnecting.refused
    assert max(reconnecting.delay() for _ in range(1_000)) <= 30.0
    assert not reconnecting.refused


def test_an_accepted_handshake_forgives_refusals_but_not_the_delays():
    reconnecting = Reconnecting(Random(1))
    for _ in range(20):
        reconnecting.delay(refused=True)
        reconnecting.delay(refused=True)
        reconnecting.accepted()
    assert max(reconnecting.delay() for _ in range(20)) > 10


def test_data_begins_the_delays_anew():
    reconnecting = Reconnecting(Random(1))
    for _ in range(20):
        reconnecting.delay()
    reconnecting.reset()
    assert reconnecting.delay() == 0.0


def test_retry_after_is_honoured_beyond_the_ceiling():
    assert Reconnecting(Random(1)).delay(retry_after=90.0) == 90.0


# 200 losses -----------------------------------------------------------------------------------------------

A, B = "KXA-1", "KXB-2"
KINDS = ("clean close", "reset", "silence", "mid-frame", "401 once", "429", "503", "accept then close")


class Weather:
    """A server that goes away in many ways, dialled as the engine dials it, on a clock moved by hand."""

    def __init__(self, seed):
        self.random = Random(seed)
        self.rig = Rig(connected=False, seed=seed)
        self.reconnecting = Reconnecting(Random(seed + 1))
        self.rig.session.want(BOOKS, frozenset({A, B}))
        self.rig.session.want("trade", ALL)
        self.rig.session.want("ticker", frozenset({A}))
        self.truth = {ticker: {4700: 100} for ticker in (A, B)}
        self.sids = {}

    def serve(self):
        """Accept a connection and answer what it asks for, until every book is live and data has come."""
        rig = self.rig
        self.reconnecting.accepted()
        rig.session.connected()
        for sid, command in enumerate(rig.commands(), 1):
            (channel,) = command["params"]["channels"]
            self.sids[channel] = sid
            rig.receive(subscribed(command["id"], channel, sid))
        for number, ticker in enumerate((A, B), 1):
            rig.receive(snapshot(self.sids[BOOKS], number, ticker, self.truth[ticker]))
        rig.receive(trade(self.sids["trade"], 1, A), ticker_frame(self.sids["ticker"], A))
        self.reconnecting.reset()

    def lose(self, kind, outage):
        """Lose the connection; return seconds between the server's return and the new connection."""
        rig = self.rig
        if kind == "mid-frame":
            rig.receive(b'{"type":"orderbook_delta","sid":%d,"seq":3,"msg":{"mark' % self.sids[BOOKS])
        if kind == "silence":  # no frame, no pong: the session itself asks for a new connection
            began = rig.seconds
            while not rig.reconnects():
                rig.wait(0.1)
                assert rig.seconds - began < 41
        rig.session.disconnected()
        rig.commands()
        assert not rig.session.ladder(A).live
        for ticker in (A, B):
            self.truth[ticker] = {self.random.randint(1, 9999): self.random.randint(1, 10_000)}
        back = rig.seconds + outage
        answers = {
            "401 once": [{"refused": True}],
            "429": [{"retry_after": 3.0}],
            "503": [{}] * 4,
        }
        pending = list(answers.get(kind, []))
        delay = self.reconnecting.delay()
        attempts = 0
        while True:
            rig.seconds += delay
            attempts += 1
            if rig.seconds < back and kind == "accept then close":
                self.reconnecting.accepted()
                rig.session.connected()
                rig.session.disconnected()
                rig.commands()
                delay = self.reconnecting.delay()
            elif rig.seconds < back:
                delay = self.reconnecting.delay(**(pending.pop() if pending else {}))
            else:
                self.attempts = attempts
                return rig.seconds - back


@pytest.mark.parametrize("seed", range(3))
def test_two_hundred_losses_of_mixed_kinds_are_two_hundred_recoveries(seed):
    weather = Weather(seed)
    rig = weather.rig
    weather.serve()
    for number in range(200):
        kind = KINDS[number % len(KINDS)]
        outage = weather.random.uniform(0, 60)
        late = weather.lose(kind, outage)
        assert late <= 30.0 + 2.0, (kind, outage)
        assert weather.attempts < 30
        weather.serve()
        assert rig.book(A) == (weather.truth[A], {})
        assert rig.book(B) == (weather.truth[B], {})
        assert (rig.status(A), rig.status(B)) == ("live", "live")
    gaps = [gap for gap in rig.gaps if gap.reason == "connection_lost"]
    assert all(gap.closed_at is not None for gap in rig.gaps)
    for channel, repaired in ((BOOKS, "reconnect"), ("trade", None), ("ticker", None)):
        of_channel = [gap for gap in gaps if gap.channel == channel]
        assert len(of_channel) >= 200
        assert {gap.repaired_by for gap in of_channel} == {repaired}

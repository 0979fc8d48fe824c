"""Any order of requests, losses, repeats, ends and delays: a book that says "live" is the exchange's own."""

import json

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from kalshi_nb._rows.wanted import ALL
from tests.session.model_exchange import ModelExchange
from tests.session.session_rig import BOOKS, START_US, Rig

ALWAYS = "KX-ALWAYS"
TICKERS = (ALWAYS, "KX-B", "KX-C", "KX-D")
tickers = st.sampled_from(TICKERS)


class AnyLine(RuleBasedStateMachine):
    """One session, one model exchange, and a line between them that does what lines do."""

    @initialize(seed=st.integers(0, 2**16))
    def begin(self, seed):
        self.rig = Rig(seed=seed)
        self.exchange = ModelExchange(TICKERS)
        self.requests = []
        self.lost = []
        self.rig.session.listen("trade", on=True)
        self.rig.session.want(BOOKS, frozenset({ALWAYS}))
        self.rig.session.want("trade", ALL)
        self.collect()

    # helpers

    @property
    def session(self):
        return self.rig.session

    def collect(self):
        outgoing = self.session.outgoing
        while outgoing:
            self.exchange.inbox.append(outgoing.popleft())
        self.rig.outcomes()
        if self.rig.reconnects():
            self.lose_the_connection()
            self.connect()

    def lose_the_connection(self):
        self.exchange.disconnect()
        self.session.disconnected()

    def connect(self):
        self.session.connected()
        self.collect()

    def lose(self, sid, seq):
        """Note a frame that the session can miss: one of a subscription it knows of."""
        subscription = self.session._state.by_sid.get(sid)
        if seq is not None and subscription is not None and seq > subscription.counting.seq:
            self.lost.append((subscription.channel, seq, START_US + round(self.rig.seconds * 1e6)))

    def deliver(self):
        sid, seq, frame = self.exchange.wire.pop(0)
        self.exchange.delivered[sid] = seq
        self.rig.receive(frame)
        self.collect()

    # rules

    @rule(wanted=st.sets(tickers, min_size=1))
    def want(self, wanted):
        self.requests.append(self.session.want(BOOKS, frozenset(wanted)))
        self.collect()

    @precondition(lambda self: self.requests)
    @rule(data=st.data())
    def release(self, data):
        self.session.release(self.requests.pop(data.draw(st.integers(0, len(self.requests) - 1))))
        self.collect()

    @precondition(lambda self: self.exchange.inbox)
    @rule(data=st.data())
    def the_exchange_processes_a_command(self, data):
        self.exchange.process(data.draw(st.integers(0, len(self.exchange.inbox) - 1)))

    @rule(
        ticker=tickers,
        side=st.sampled_from(["yes", "no"]),
        price=st.sampled_from([1, 4700, 9999]),
        change=st.integers(-300, 300),
    )
    def the_book_changes(self, ticker, side, price, change):
        self.exchange.move(ticker, side, price, change)

    @rule(ticker=tickers)
    def a_trade_happens(self, ticker):
        self.exchange.match(ticker)

    @precondition(lambda self: self.exchange.wire)
    @rule(most=st.integers(1, 12))
    def frames_are_delivered(self, most):
        for _ in range(min(most, len(self.exchange.wire))):
            if self.exchange.wire:
                self.deliver()

    @precondition(lambda self: self.exchange.wire)
    @rule()
    def a_frame_is_lost(self):
        sid, seq, _ = self.exchange.wire.pop(0)
        self.lose(sid, seq)

    @precondition(lambda self: self.exchange.wire)
    @rule(share=st.floats(0, 0.95))
    def a_frame_is_cut(self, share):
        sid, seq, frame = self.exchange.wire.pop(0)
        self.lose(sid, seq)
        data = json.dumps(frame).encode()
        self.rig.receive(data[: int(len(data) * share)])
        self.collect()

    @precondition(lambda self: self.exchange.wire)
    @rule(times=st.integers(1, 3))
    def a_frame_comes_more_than_once(self, times):
        frame = self.exchange.wire[0][2]
        self.deliver()
        for _ in range(times):
            self.rig.receive(frame)
            self.collect()

    @precondition(lambda self: len(self.exchange.wire) > 1)
    @rule()
    def a_frame_overtakes_another(self):
        wire = self.exchange.wire
        wire[0], wire[1] = wire[1], wire[0]
        sid, seq, _ = wire[1]
        overtaken = wire[0][0] == sid
        if overtaken:
            self.lose(sid, seq)  # it comes with an old number now, and is not applied
        self.deliver()

    @rule(channel=st.sampled_from([BOOKS, "trade"]))
    def a_subscription_overflows(self, channel):
        self.exchange.overflow(channel)

    @rule(outage=st.floats(0, 5))
    def the_connection_is_lost(self, outage):
        self.lose_the_connection()
        self.rig.wait(outage)
        self.connect()

    @rule(seconds=st.sampled_from([0.1, 0.5, 3.2, 8.2, 10.2, 31.0]))
    def time_passes(self, seconds):
        end = self.rig.seconds + seconds
        while self.rig.seconds < end:
            self.rig.wait(0.5, step=0.25)
            self.collect()

    # laws

    def truth_is_known(self):
        """Whether the session was told everything about its books up to this moment."""
        sid = self.exchange.sids.get(BOOKS)
        known = self.session.subscriptions[BOOKS].sid
        if self.exchange.wire or known is None:
            return not self.exchange.wire
        return sid == known and self.exchange.delivered.get(sid) == self.exchange.seq[sid]

    def wrong(self):
        found = {}
        for ticker, ladder in self.session._state.ladders.items():
            true = self.exchange.truth[ticker]
            yes, no = ladder.levels()
            if ladder.live and (dict(yes) != true["yes"] or dict(no) != true["no"]):
                found[ticker] = (yes, no, true)
        return found

    @invariant()
    def a_live_book_is_true_once_everything_sent_was_delivered(self):
        if hasattr(self, "exchange") and self.truth_is_known():
            assert self.wrong() == {}

    @invariant()
    def no_trade_is_doubled_or_out_of_order(self):
        if hasattr(self, "exchange"):
            numbers = [int(row[8]) for row in self.session.rows("trade") if type(row) is tuple]
            assert numbers == sorted(set(numbers))

    def teardown(self):
        if not hasattr(self, "exchange"):
            return
        for step in range(600):
            for _ in range(1_000):
                if not (self.exchange.inbox or self.exchange.wire):
                    break
                if self.exchange.inbox:
                    self.exchange.process(0)
                if self.exchange.wire:
                    self.deliver()
            assert not self.exchange.wire, "the two never come to rest"
            self.rig.wait(0.25, step=0.25)
            self.collect()
            if step < 400:  # the market goes on, so that a lost last frame shows
                self.exchange.move(TICKERS[step % 4], "yes", 100 + step, 100)
                self.exchange.match(ALWAYS)
        wanted = {ALWAYS}.union(*(request.wanted for request in self.requests))
        assert {ticker: self.rig.status(ticker) for ticker in wanted} == dict.fromkeys(wanted, "live")
        assert set(self.session._state.ladders) == wanted
        assert self.truth_is_known()
        assert self.wrong() == {}
        assert self.exchange.markets[self.exchange.sids[BOOKS]] >= wanted
        assert all(gap.closed_at is not None and gap.closed_at >= gap.opened_at for gap in self.rig.gaps)
        for channel, seq, at in self.lost:
            assert any(gap.channel == channel and gap.closed_at >= at and covers(gap, seq) for gap in self.rig.gaps), (
                f"no gap tells of number {seq} of {channel}"
            )
        assert len(self.session._state.commands) <= 1


def covers(gap, seq):
    return (gap.seq_from is None or gap.seq_from <= seq) and (gap.seq_to is None or seq <= gap.seq_to)


def test_any_line_leaves_live_books_true_and_every_loss_reported():
    # Shrinking takes minutes here; the unshrunk steps of a failure are printed and can be replayed.
    run_state_machine_as_test(
        AnyLine,
        settings=settings(
            max_examples=150,
            stateful_step_count=40,
            deadline=None,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )

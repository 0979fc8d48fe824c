"""Whatever a line does: who is told of it afterwards has the same books, gaps and rows as who was there."""

import json
from random import Random

import pytest

from kalshi_nb._rows.quotes import QUOTES
from kalshi_nb._rows.wanted import ALL
from tests.session.model_exchange import ModelExchange
from tests.session.retelling import Heard, Told, books_of, counts_of, rows_of
from tests.session.session_rig import BOOKS, error, ticker_frame

TICKERS = ("KX-A", "KX-B", "KX-C", "KX-D")
LISTENED = (BOOKS, "trade", "ticker", QUOTES)
STEPS = 150

USUAL = {"book_moves": 30, "trade": 5, "ticker": 3, "command_is_processed": 12, "frames_come": 14}
HARM = {"frame_is_lost": 1, "frame_is_doubled": 1, "frame_is_cut": 1, "frames_are_swapped": 1, "frame_is_odd": 1}
TROUBLE = {"overflow": 0.3, "time_passes": 2, "connection_is_lost": 0.3, "checkpoint": 0.5}
REFUSALS = {"command_is_lost": 1, "command_is_refused": 1}
ODD = [{"delta_fp": "x"}, {"delta_fp": "-999999.00"}, {"yes_dollars_fp": 7}, {"price_dollars": "2"}]


class Line:
    """A session, an honest exchange, and a line between them whose doings a seed chooses."""

    def __init__(self, seed, happenings):
        self.random = Random(seed)
        self.happenings = happenings
        self.rig = Heard(seed=seed)
        self.exchange = ModelExchange(TICKERS)
        for ticker in TICKERS:
            self.exchange.truth[ticker] = {"yes": {4700: 1000}, "no": {4800: 2000}}
        for channel in LISTENED:
            self.rig.session.listen(channel, on=True)
        self.rig.session.want(BOOKS, frozenset(TICKERS[:2]))
        self.rig.session.want("trade", ALL)
        self.rig.session.want("ticker", ALL)
        self.collect()
        for _ in range(STEPS):
            (name,) = self.random.choices([*happenings], [*happenings.values()])
            getattr(self, name)()
            self.collect()
            self.rig.seconds += 0.01

    @property
    def wire(self):
        return self.exchange.wire

    def collect(self):
        self.exchange.inbox += self.rig.flush()
        self.rig.outcomes()
        if self.rig.reconnects():
            self.connection_is_lost()

    def newest(self, change):
        """Change the frame that was sent last, where it is a whole one."""
        if self.wire and isinstance(self.wire[-1][2], dict):
            sid, seq, frame = self.wire.pop()
            self.wire.append((sid, seq, change(frame)))

    # what happens

    def book_moves(self):
        side, price = self.random.choice(["yes", "no"]), self.random.choice([1, 4700, 4705, 9999])
        self.exchange.move(self.random.choice(TICKERS), side, price, self.random.choice([100, 101, 250, -100, -251]))

    def more_is_wanted(self):
        self.rig.session.want(BOOKS, frozenset(TICKERS[2:]))

    def trade(self):
        self.exchange.match(self.random.choice(TICKERS))

    def ticker(self):
        sid = self.exchange.sids.get("ticker")
        if sid is not None:
            self.exchange._send(None, lambda _: ticker_frame(sid, self.random.choice(TICKERS)))

    def command_is_processed(self):
        if self.exchange.inbox:
            self.exchange.process(0)

    def frames_come(self):
        frames = [frame for _, _, frame in self.wire]
        self.wire.clear()
        if frames:
            self.rig.receive(*frames)

    def frame_is_lost(self):
        if self.wire:
            self.wire.pop()

    def frame_is_doubled(self):
        self.wire.extend(self.wire[-1:])

    def frames_are_swapped(self):
        self.wire[-2:] = reversed(self.wire[-2:])

    def frame_is_cut(self):
        self.newest(lambda frame: json.dumps(frame).encode()[: self.random.randrange(40, 80)])

    def frame_is_odd(self):
        odd = self.random.choice(ODD)
        self.newest(
            lambda frame: {**frame, "msg": {**frame["msg"], **odd}} if type(frame.get("msg")) is dict else frame
        )

    def overflow(self):
        self.exchange.overflow(self.random.choice([BOOKS, "trade"]))

    def time_passes(self):
        end = self.rig.seconds + self.random.choice([0.1, 0.6, 3.2, 11.0])
        while self.rig.seconds < end:
            self.rig.wait(0.1)
            self.collect()

    def connection_is_lost(self):
        self.exchange.disconnect()
        self.rig.disconnect()
        self.rig.seconds += 0.5
        self.rig.connect()
        self.collect()

    def checkpoint(self):
        self.rig.checkpoint()

    def command_is_lost(self):
        del self.exchange.inbox[:1]

    def command_is_refused(self):
        if self.exchange.inbox:
            command = json.loads(self.exchange.inbox.pop(0))
            self.rig.receive(error(self.random.choice([2, 8, 14, 15]), "no", id=command["id"]))


# What is wanted while nothing can be sent is told with the command that is sent in the end; until then a gap may be
# over for who is told, and not yet for who was there. So nobody wants more where there is trouble.
KINDS = {
    "good": USUAL | {"more_is_wanted": 1},
    "harmful": USUAL | HARM | {"more_is_wanted": 1},
    "troubled": USUAL | HARM | TROUBLE,
    "deaf": USUAL | HARM | TROUBLE | REFUSALS,
}


@pytest.mark.parametrize("kind", KINDS)
def test_who_is_told_has_what_who_was_there_has(kind):
    reasons = set()
    for seed in range(25):
        there = Line(seed, KINDS[kind]).rig
        told = Told(there.heard, listened=LISTENED)
        assert books_of(told.session) == books_of(there.session), seed
        assert told.session.gaps.snapshot() == there.gaps, seed
        assert rows_of(told.session) == rows_of(there.session), seed
        assert counts_of(told.session) == counts_of(there.session), seed
        assert not told.session.outgoing
        reasons |= {(gap.reason, gap.repaired_by) for gap in there.gaps}
    if kind == "good":
        assert reasons == set()
    else:
        assert ("sequence", "get_snapshot") in reasons
        assert {"rejected", "negative_level"} & {reason for reason, _ in reasons}
    if kind in ("troubled", "deaf"):
        assert {("sequence", "resubscribe"), ("connection_lost", "reconnect")} <= reasons
        assert "error_25" in {reason for reason, _ in reasons}

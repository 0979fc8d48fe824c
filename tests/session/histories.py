"""Histories of a connection, good and bad, that a plain and a compiled session are told alike."""

import json
from itertools import product

from hypothesis import strategies as st

from kalshi_nb._rows.quotes import QUOTES
from kalshi_nb._rows.wanted import ALL
from kalshi_nb._session.requests import Request
from kalshi_nb._session.session import Reconnect
from tests.session.model_exchange import ModelExchange
from tests.session.odd_texts import COUNTS, PRICES
from tests.session.session_rig import BOOKS, Rig, ticker_frame, trade

KEPT, LET_GO = ("KX-A", "KX-B"), ("KX-C", "KX-D")
TICKERS = (*KEPT, *LET_GO)


# What is seen of a session ---------------------------------------------------------------------------------------


def of_ladder(ladder):
    status = (ladder.status, ladder.status_since, ladder.reason, ladder.live, ladder.crossed)
    return ladder.market_ticker, ladder.levels(), ladder.top(), *status, ladder.changed_at, ladder.version


def of_subscription(subscription):
    """All that its parts have written down, less what is seen elsewhere or made of other things."""
    return {
        name: getattr(part, name)
        for part in (subscription.membership, subscription.repair, subscription.counting)
        for name in part.__slots__
        if not name.startswith("_") and name not in ("requests", "rows")
    }


def of_event(event):
    if isinstance(event, Request):
        return event.channel, event.wanted, event.listens, event.outcome
    return event


def listed(rows):
    """Rows as they are, and of what type."""
    return [(type(row), row) for row in rows]


def observable(session, seen=listed):
    """Everything that anybody can learn of a session, its rows as they are `seen`."""
    state = session._state
    return {
        "ladders": {ticker: of_ladder(ladder) for ticker, ladder in state.ladders.items()},
        "gaps": session.gaps.snapshot(),
        "rejects": list(session.rejects),
        "counters": (session.messages, session.rejected, session.duplicates, session.unrequested),
        "data": session.data_messages,
        "subscriptions": {
            channel: of_subscription(subscription) for channel, subscription in session.subscriptions.items()
        },
        "sids": {sid: subscription.channel for sid, subscription in state.by_sid.items()},
        "rows": {channel: seen(session.rows(channel)) for channel in (*session.subscriptions, QUOTES)},
        "commands": dict(state.commands),
        "outgoing": list(session.outgoing),
        "events": [of_event(event) for event in session.events],
        "complaint": session.complaint,
    }


# What happens ----------------------------------------------------------------------------------------------------


def one_in(number, rare, usual):
    """Something rare once in so many times."""
    return st.integers(1, number).flatmap(lambda drawn: rare if drawn == number else usual)


odd_messages = st.one_of(
    st.builds(lambda text: {"price_dollars": text}, st.sampled_from(PRICES)),
    st.builds(lambda text: {"delta_fp": text}, st.sampled_from(COUNTS)),
    st.builds(
        lambda price, size: {"yes_dollars_fp": [[price, size]]}, st.sampled_from(PRICES), st.sampled_from(COUNTS)
    ),
    st.sampled_from(
        [
            {"ts_ms": None},
            {"ts_ms": None, "ts": 1_790_000_000},
            {"ts_ms": None, "ts": "2026-09-21T14:13:20.12345Z"},
            {"ts_ms": None, "ts": "never"},
            {"ts_ms": None, "ts": 10**12},
            {"ts_ms": 0},
            {"ts_ms": -1},
            {"ts_ms": 10**15},
            {"ts_ms": 2**60},
            {"ts_ms": "soon"},
        ]
    ),
    st.sampled_from(
        [
            {"price_dollars": 0.47},
            {"price_dollars": 1e-4},
            {"delta_fp": 12},
            {"delta_fp": -1.25},
            {"delta_fp": "-999999.00"},
            {"delta_fp": None},
            {"side": "maybe"},
            {"market_ticker": "KX-NOBODY"},
            {"market_ticker": None},
            {"client_order_id": "mine"},
            {"count_fp": "many"},
            {"market_id": None},
            {"more": [[[]]] * 3},
        ]
    ),
)
odd_frames = st.sampled_from(
    [
        {"sid": 77},
        {"sid": None},
        {"sid": "1"},
        {"sid": 2**60},
        {"seq": None},
        {"seq": 0},
        {"seq": -1},
        {"seq": 2**53},
        {"seq": 2**60},
        {"seq": 1.5},
        {"id": 1},
        {"msg": None},
        {"msg": []},
        {"type": "orderbook_news"},
        {"type": 17},
    ]
)
nonsense = st.sampled_from([b"", b"nonsense", b"[]", b"\xff\xfe", b'{"type":"orderbook_delta"}', b"[" * 100_000])

damage = one_in(
    2,
    st.tuples(st.just("with_message"), odd_messages),
    st.one_of(
        st.sampled_from([("lost",), ("twice",), ("overtakes",), ("not_in_utf_8",), ("deep",)]),
        st.tuples(st.just("cut"), st.integers(1, 200)),
        st.tuples(st.just("of_another_channel"), st.sampled_from([BOOKS, "trade", "ticker"])),
        st.tuples(st.just("with_frame"), odd_frames),
    ),
)
# Whole tuples are drawn here, since each number drawn by itself would cost more than all that comes of it.
where = list(product(TICKERS, ["yes", "no"], [1, 4700, 4705, 9999]))
move = st.sampled_from([("move", *level, change) for level in where for change in (100, 101, 250, -100, -101, -250)])
large_move = st.sampled_from([("move", *level, change) for level in where for change in (-(2**60), 10**15 - 1, 2**53)])
message = st.sampled_from([*product(["match", "ticker", "stray_trade", "snapshot"], TICKERS), ("answer",)])
trouble = st.one_of(
    st.sampled_from([*product(["snapshot_of_nobody"], TICKERS), ("overflow", BOOKS), ("overflow", "trade")]),
    st.tuples(st.just("say"), nonsense),
)
happening = one_in(5, one_in(5, trouble, message), one_in(40, large_move, move))
happenings = st.tuples(happening, one_in(15, damage, st.none()))
slowness = one_in(5, st.just("before the answers"), st.just("after the answers"))
reads = st.tuples(st.just("read"), st.lists(happenings, min_size=5, max_size=30), slowness)
in_between = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from([0.1, 0.6, 3.2, 11.0])),
    st.tuples(st.just("release")),
    st.tuples(st.just("want")),
    st.tuples(st.just("reconnect"), st.sampled_from([0.0, 1.0])),
    st.tuples(st.just("listen"), st.sampled_from([BOOKS, QUOTES, "trade"]), st.booleans()),
)
histories = st.lists(one_in(4, in_between, reads), min_size=4, max_size=20)
listened = st.sets(st.sampled_from([BOOKS, QUOTES, "trade"]))


class BothWays:
    """A plain and a compiled session, and behind a line that does what lines do, an exchange that is honest."""

    seen = staticmethod(listed)

    def __init__(self, listened):
        self.rigs = self.made()
        self.exchange = ModelExchange(TICKERS)
        self.line = []
        for ticker in TICKERS:
            self.exchange.truth[ticker] = {"yes": {4700: 1000}, "no": {4800: 2000}}
        for channel in sorted(listened):
            self.listen(channel, True)
        self.each(lambda rig: rig.session.want(BOOKS, frozenset(KEPT)))
        self.each(lambda rig: rig.session.want("trade", ALL))
        self.each(lambda rig: rig.session.want("ticker", ALL))
        self.requests = None
        self.want()
        self.agree()
        while self.exchange.inbox:
            self.read([], "after the answers")
            self.agree()

    def made(self):
        return [Rig(compiled=False), Rig(compiled=True)]

    def each(self, do):
        return [do(rig) for rig in self.rigs]

    def follow(self, history):
        for name, *arguments in history:
            getattr(self, name)(*arguments)
            self.agree()

    def agree(self):
        """See that both are the same; hand on what they say."""
        plain, compiled = self.each(lambda rig: observable(rig.session, self.seen))
        assert plain == compiled
        self.exchange.inbox.extend(plain["outgoing"])
        for rig in self.rigs:
            rig.session.outgoing.clear()
            rig.session.events.clear()
            for channel in plain["rows"]:
                self.taken(rig.session.rows(channel))
        if any(isinstance(event, Reconnect) for event in plain["events"]):
            self.reconnect(0.0)
            self.agree()

    def taken(self, rows):
        rows.clear()

    # steps

    def wait(self, seconds):
        self.each(lambda rig: rig.wait(seconds, step=0.2))

    def want(self):
        if self.requests is None:
            self.requests = self.each(lambda rig: rig.session.want(BOOKS, frozenset(LET_GO)))

    def release(self):
        if self.requests is not None:
            for rig, request in zip(self.rigs, self.requests, strict=True):
                rig.session.release(request)
            self.requests = None

    def listen(self, channel, on):
        self.each(lambda rig: rig.session.listen(channel, on=on))

    def reconnect(self, outage):
        self.exchange.disconnect()
        self.each(lambda rig: rig.session.disconnected())
        self.wait(outage)
        self.each(lambda rig: rig.session.connected())

    def read(self, happenings, slowness):
        self.line.clear()
        if slowness == "after the answers":
            happenings = [*[(("answer",), None)] * len(self.exchange.inbox), *happenings]
        for (what, *arguments), harm in happenings:
            getattr(self, f"happens_{what}")(*arguments)
            self.line += [frame for _, _, frame in self.exchange.wire]
            self.exchange.wire.clear()
            if harm is not None and self.line and isinstance(self.line[-1], dict):
                getattr(self, f"harm_{harm[0]}")(*harm[1:])
        self.wait(0.05)
        self.each(lambda rig: rig.receive(*self.line))

    # happenings within a read

    def happens_move(self, *change):
        self.exchange.move(*change)

    def happens_match(self, ticker):
        self.exchange.match(ticker)

    def happens_ticker(self, ticker):
        sid = self.exchange.sids.get("ticker", 9)
        self.exchange._send(None, lambda _: ticker_frame(sid, ticker))

    def happens_stray_trade(self, ticker):
        sid = self.exchange.sids.get(BOOKS)
        if sid is not None:
            self.exchange._send(sid, lambda seq: trade(sid, seq, ticker))

    def happens_snapshot(self, ticker):
        sid = self.exchange.sids.get(BOOKS)
        if sid is not None:
            self.exchange._snapshot(sid, ticker)

    def happens_snapshot_of_nobody(self, ticker):
        sid = self.exchange.sids.get(BOOKS)
        if sid is not None:
            msg = {"market_ticker": ticker, "market_id": ""}
            self.exchange._send(sid, lambda seq: {"type": "orderbook_snapshot", "sid": sid, "seq": seq, "msg": msg})

    def happens_answer(self):
        if self.exchange.inbox:
            self.exchange.process(0)

    def happens_overflow(self, channel):
        self.exchange.overflow(channel)

    def happens_say(self, data):
        self.line.append(data)

    # harm to the newest frame

    def harm_lost(self):
        del self.line[-1]

    def harm_twice(self):
        self.line.append(self.line[-1])

    def harm_overtakes(self):
        self.line[-2:] = reversed(self.line[-2:])

    def harm_cut(self, kept):
        self.line[-1] = json.dumps(self.line[-1]).encode()[:kept]

    def harm_not_in_utf_8(self):
        self.line[-1] = json.dumps(self.line[-1]).encode().replace(b"KX", b"\xff\xfe")

    def harm_deep(self):
        self.line[-1] = {**self.line[-1], "msg": ...}
        self.line[-1] = json.dumps(self.line[-1], default=lambda _: "deep").encode().replace(b'"deep"', b"[" * 5_000)

    def harm_of_another_channel(self, channel):
        self.line[-1] = {**self.line[-1], "sid": self.exchange.sids.get(channel, 77)}

    def harm_with_message(self, changes):
        if isinstance(self.line[-1].get("msg"), dict):
            self.line[-1] = {**self.line[-1], "msg": {**self.line[-1]["msg"], **changes}}

    def harm_with_frame(self, changes):
        self.line[-1] = {**self.line[-1], **changes}

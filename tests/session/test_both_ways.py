"""The compiled part changes nothing but the time: whatever happens, both ways come to the same."""

import gc
import json
import weakref

import pytest
from hypothesis import HealthCheck, given, settings

from kalshi_nb._fixed_point import FixedPoint
from kalshi_nb._rows.quotes import QUOTES
from kalshi_nb._rows.wanted import ALL
from kalshi_nb._session import extension
from kalshi_nb._session.ladder import MOST_CONTRACTS
from kalshi_nb.errors import WireError
from tests.session.histories import BothWays, histories, listened, observable
from tests.session.odd_texts import COUNTS, PRICES
from tests.session.session_rig import BOOKS, START_US, Rig, delta, error, ok, snapshot, subscribed, ticker_frame, trade
from tests.session.ways import WAYS, needs_the_compiled_part

A, B, CLOSED = "KXA-1", "KXB-2", "KXC-3"


@pytest.fixture(scope="module", autouse=True)
def way():
    """The tests here go both ways by themselves."""


# Any history -----------------------------------------------------------------------------------------------------


@pytest.mark.timeout(600)  # three hundred histories, where other tests have the machine
@needs_the_compiled_part
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(histories, listened)
def test_after_every_read_of_any_history_both_ways_have_come_to_the_same(history, listened):
    BothWays(listened).follow(history)


# Any text --------------------------------------------------------------------------------------------------------


def value(decimals, text):
    """What a text stands for, None where it stands for nothing."""
    try:
        return FixedPoint(decimals)[text]
    except WireError:
        return None


def after(compiled, text, of):
    """A book of a thousand on either side, after one delta."""
    rig = Rig(compiled=compiled)
    seq = rig.open_books(A)
    frame = delta(1, seq + 1, A)
    frame["msg"][of] = text
    rig.receive(frame)
    return rig.book(A)[0], rig.status(A), [gap.reason for gap in rig.gaps], rig.session.rejected


@pytest.mark.parametrize("compiled", WAYS)
@pytest.mark.parametrize("text", PRICES)
def test_a_price_is_what_the_fixed_point_says_or_no_price(text, compiled):
    price, before = value(4, text), {4700: 1000}
    if price is None or not 0 < price < 10_000:
        expected = (before, "stale", ["rejected"], 1)
    else:
        expected = ({**before, price: before.get(price, 0) + 100}, "live", [], 0)
    assert after(compiled, text, "price_dollars") == expected


@pytest.mark.parametrize("compiled", WAYS)
@pytest.mark.parametrize("text", COUNTS)
def test_a_count_is_what_the_fixed_point_says_or_no_count(text, compiled):
    change, before = value(2, text), {4700: 1000}
    if change is None:
        expected = (before, "stale", ["rejected"], 1)
    elif not 0 <= 1000 + change <= MOST_CONTRACTS:
        expected = (before, "stale", ["negative_level"], 0)
    else:
        expected = ({4700: 1000 + change} if change > -1000 else {}, "live", [], 0)
    assert after(compiled, text, "delta_fp") == expected


# Who takes what --------------------------------------------------------------------------------------------------


class OneLine:
    """A compiled line over the state of a session, which gives all it does not take itself to the test."""

    def __init__(self, *listened):
        self.rig = Rig(compiled=True)
        self.session = self.rig.session
        for channel in listened:
            self.session.listen(channel, on=True)
        self.seq = self.rig.open_books(A, B, CLOSED)
        self.rig.open("trade")
        self.session._state.ladders[CLOSED].set_status("stale", START_US)
        self.left = []
        self.line = extension.straight_line(self.session._state.rows)(
            self.session._state, BOOKS, self.refused, self.leave
        )

    def refused(self, data, refusal, at):
        self.left.append(data)

    def leave(self, frame, data, at):
        self.left.append(data)

    def receive(self, *frames, separators=None):
        """What was left over, of one read."""
        read = [
            frame if isinstance(frame, bytes) else json.dumps(frame, separators=separators).encode()
            for frame in frames
        ]
        self.left.clear()
        self.line.receive(read, START_US + 7)
        return [read.index(data) for data in self.left]

    def next(self, ticker=A, side="yes", price=4700, change=100, **fields):
        """The next delta there would be, with other fields."""
        frame = delta(1, self.session.subscriptions[BOOKS].counting.seq + 1, ticker, side, price, change)
        top = {name: fields.pop(name) for name in ("sid", "seq") if name in fields}
        return {**frame, **top, "msg": {**frame["msg"], **fields}}


PLAIN = {
    "as ever": {},
    "the other side": {"side": "no", "price": 4800},
    "a new level": {"price": 9999},
    "less": {"change": -999},
    "all of it": {"change": -1000},
    "nothing": {"change": 0},
    "no time": {"ts_ms": None},
    "the old name of the time": {"ts_ms": None, "ts": "2026-09-21T14:13:20Z"},
    "an order of ours": {"client_order_id": "mine"},
    "another market": {"ticker": B},
}
OTHER = {
    "a gap in the numbers": {"seq": 900},
    "an old number": {"seq": 1},
    "the newest number again": {"seq": 3},
    "nobody's subscription": {"sid": 77},
    "another channel's subscription": {"sid": 2},
    "a market nobody wants": {"ticker": "KX-NOBODY"},
    "a book that is not live": {"ticker": CLOSED},
    "less than there is": {"change": -1001},
    "less than none": {"price": 100, "change": -1},
    "more than there may be": {"change": MOST_CONTRACTS},
    "a price in another spelling": {"price_dollars": "0.47"},
    "no level's price": {"price_dollars": "0.0000"},
    "a count in another spelling": {"delta_fp": "1"},
    "no count": {"delta_fp": "many"},
}


SPELLINGS = pytest.mark.parametrize("spelled", [(",", ":"), None], ids=["as the exchange does", "with spaces"])
"""Of the first the bytes are read as they lie, and the second is decoded."""


@needs_the_compiled_part
@SPELLINGS
@pytest.mark.parametrize("listened", [(), (BOOKS,), (BOOKS, QUOTES)], ids=["unheard", "rows", "rows and quotes"])
@pytest.mark.parametrize("special", PLAIN)
def test_a_delta_to_which_nothing_can_happen_is_taken_on_the_straight_line(special, listened, spelled):
    one = OneLine(*listened)
    assert one.receive(one.next(**PLAIN[special]), separators=spelled) == []
    counting = one.session.subscriptions[BOOKS].counting
    assert (counting.seq, counting.messages, counting.received_at) == (4, 4, START_US + 7)
    assert one.session.ladder(PLAIN[special].get("ticker", A)).changed_at == START_US + 7


@needs_the_compiled_part
@SPELLINGS
@pytest.mark.parametrize("listened", [(), (BOOKS, QUOTES)], ids=["unheard", "rows and quotes"])
@pytest.mark.parametrize("special", OTHER)
def test_every_other_delta_leaves_the_straight_line_with_nothing_changed(special, listened, spelled):
    one = OneLine(*listened)
    before = observable(one.session)
    assert one.receive(one.next(**OTHER[special]), separators=spelled) == [0]
    assert observable(one.session) == {**before, "counters": (before["counters"][0] + 1, *before["counters"][1:])}


@needs_the_compiled_part
def test_a_delta_with_a_time_that_means_nothing_is_plain_until_somebody_takes_rows():
    heard, unheard = OneLine(BOOKS), OneLine()
    assert unheard.receive(unheard.next(ts_ms=10**15)) == []
    before = observable(heard.session)["ladders"]
    assert heard.receive(heard.next(ts_ms=10**15)) == [0]
    assert observable(heard.session)["ladders"] == before


@needs_the_compiled_part
@pytest.mark.parametrize(
    "frame",
    [
        snapshot(1, 4, A, {4700: 100}),
        trade(2, 1, A),
        trade(1, 4, A),
        ticker_frame(3, A),
        subscribed(9, "ticker", 3),
        ok(9, 1, 4, [A]),
        error(25, "Subscription buffer overflow", sid=1, seq=4),
        {"type": "unsubscribed", "sid": 1, "seq": 4},
        {"type": "orderbook_news", "sid": 1, "seq": 4},
        delta(1, 2**60, A),
        b"nonsense",
        b"\xff\xfe",
        b"[" * 100_000,
    ],
    ids=lambda frame: frame["type"] if isinstance(frame, dict) else None,
)
def test_every_frame_that_is_no_delta_leaves_the_straight_line_with_nothing_changed(frame):
    one = OneLine(BOOKS, QUOTES)
    before = observable(one.session)
    assert one.receive(frame) == [0]
    assert observable(one.session) == {**before, "counters": (before["counters"][0] + 1, *before["counters"][1:])}


@needs_the_compiled_part
@pytest.mark.parametrize(
    "frame",
    [
        delta(1, 900, A),
        ok(9, 1, 6, [A]),
        trade(1, 6, A),
        b"nonsense",
    ],
    ids=["delta", "answer", "trade", "nonsense"],
)
@SPELLINGS
def test_whoever_is_handed_a_frame_finds_written_down_what_was_before_it(frame, spelled):
    one = OneLine()
    found = []
    one.leave = one.refused = lambda *_: found.append(observable(one.session)["subscriptions"][BOOKS])
    one.line = extension.straight_line({})(one.session._state, BOOKS, one.refused, one.leave)
    ms = START_US // 1_000 + 5  # no other delta's
    one.receive({**one.next(), "seq": 4}, {**one.next(ts_ms=ms), "seq": 5}, frame, separators=spelled)
    ((subscription,)) = found
    assert [subscription[name] for name in ("seq", "exchange_ms", "messages", "received_at")] == [
        5,
        ms,
        5,
        START_US + 7,
    ]


# What may change between two deltas ------------------------------------------------------------------------------


@pytest.mark.parametrize("compiled", WAYS)
def test_rows_are_made_from_the_read_on_that_follows_the_first_listener_and_up_to_the_last(compiled):
    rig = Rig(compiled=compiled)
    seq = rig.open_books(A)
    for number, on in enumerate((False, True, True, False, False, True), seq + 1):
        rig.session.listen(BOOKS, on=on)
        rig.receive(delta(1, number, A))
    assert [row[9] for row in rig.session.rows(BOOKS)] == [seq + 2, seq + 3, seq + 6]


@pytest.mark.parametrize("compiled", WAYS)
def test_a_number_that_another_frame_took_in_between_is_old_for_a_delta(compiled):
    rig = Rig(compiled=compiled)
    seq = rig.open_books(A)
    rig.receive(delta(1, seq + 1, A), ok(99, 1, seq + 2, [A]), delta(1, seq + 2, A), delta(1, seq + 3, A))
    rig.receive(ok(99, 1, seq + 4, [A]))
    rig.receive(delta(1, seq + 4, A), trade(1, seq + 5, A), delta(1, seq + 5, A), delta(1, seq + 6, A))
    assert rig.book(A)[0] == {4700: 1300}
    assert (rig.session.duplicates, rig.session.unrequested, rig.gaps) == (3, 1, [])


@pytest.mark.parametrize("compiled", WAYS)
def test_a_new_connection_counts_anew_under_the_same_sid(compiled):
    rig = Rig(compiled=compiled)
    seq = rig.open_books(A)
    rig.receive(*(delta(1, seq + number, A) for number in range(1, 6)))
    rig.session.disconnected()
    rig.session.connected()
    rig.receive(subscribed(rig.command("subscribe")["id"], BOOKS, 1), snapshot(1, 1, A, {4700: 100}))
    rig.receive(delta(1, seq + 6, A))
    assert (rig.book(A)[0], rig.status(A), rig.gaps[-1].reason) == ({4700: 100}, "stale", "sequence")


# What nobody holds -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compiled", WAYS)
def test_a_session_that_nobody_holds_any_more_is_gone(compiled):
    rig = Rig(compiled=compiled)
    rig.session.listen(QUOTES, on=True)
    rig.receive(delta(1, rig.open_books(A) + 1, A))
    gone = [weakref.ref(rig.session), weakref.ref(rig.session._state)]
    rig.session.want("trade", ALL)
    del rig
    gc.collect()
    assert [each() for each in gone] == [None, None]

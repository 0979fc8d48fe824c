"""Bytes to typed frames: everything that the exchange sends, and everything that it should not."""

import contextlib
import json
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kalshi_nb._frames.batch import Batch
from kalshi_nb._rows.channels import CHANNELS
from kalshi_nb._rows.wanted import ALL
from kalshi_nb._session.session import Session
from kalshi_nb._wire import control
from kalshi_nb._wire.decode import TYPES, Rejected, decode
from kalshi_nb.messages import from_rows
from tests import channel_frames
from tests.wire.own_frames import CREATED, DELTA, FRAMES, LIST, OK, SNAPSHOT, TICKER, TRADE, data, with_msg


def rejected(raw):
    with pytest.raises(Rejected) as caught:
        decode(raw)
    return caught.value


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame["type"])
def test_every_type_is_decoded_with_every_field_that_is_used(frame):
    found = decode(data(frame))
    assert type(found) is TYPES[frame["type"]]
    for name in ("id", "sid", "seq"):
        if name in frame:
            assert getattr(found, name) == frame[name]
    if isinstance(frame.get("msg"), dict) and not isinstance(found, control.OkFrame):
        for name in found.msg.__struct_fields__:
            if name in frame["msg"]:
                value = getattr(found.msg, name)
                value = [list(level) for level in value] if name.endswith("_dollars_fp") else value
                assert value == frame["msg"][name], name


def test_every_type_is_covered():
    of_channels = {kind for _, kind in channel_frames.EVERY}
    assert {frame["type"] for frame in FRAMES} | of_channels == set(TYPES)


@pytest.mark.parametrize("end", [b"", b"\n", b" \r\n"])
def test_a_line_break_after_a_frame_may_be_there_or_not(end):
    assert decode(data(DELTA).rstrip() + end) == decode(data(DELTA))


def test_the_order_of_keys_does_not_matter():
    turned = {key: DELTA[key] for key in reversed(DELTA)}
    assert decode(json.dumps(turned, indent=1).encode()) == decode(data(DELTA))


@pytest.mark.parametrize("missing", [["yes_dollars_fp"], ["no_dollars_fp"], ["yes_dollars_fp", "no_dollars_fp"]])
def test_a_missing_side_is_no_error(missing):
    found = decode(data(with_msg(SNAPSHOT, **dict.fromkeys(missing, ...))))
    assert [getattr(found.msg, name) for name in missing] == [None] * len(missing)


def test_the_list_of_subscriptions_is_an_ok_with_an_array():
    assert decode(data(LIST)).msg == LIST["msg"]
    assert decode(data(OK)).msg == OK["msg"]


# numbers where strings belong


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (b"0.47", "0.47"),
        (b"1", "1"),
        (b"-138.96", "-138.96"),
        (b"1e-4", "0.0001"),
        (b"1E-4", "0.0001"),
        (b"4.7e-1", "0.47"),
        (b"25e2", "2500"),
        (b"0.29", "0.29"),
        (b"0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
        (b"123456789012345678901234567890", "123456789012345678901234567890"),
    ],
)
def test_a_number_where_a_string_belongs_is_the_text_that_stood_there(number, text):
    raw = data(with_msg(DELTA, price_dollars="@")).replace(b'"@"', number)
    assert decode(raw).msg.price_dollars == text


def test_numbers_in_levels_are_taken_as_well():
    raw = data(SNAPSHOT).replace(b'["0.4700","0.01"]', b"[0.47,1e-2]")
    assert decode(raw).msg.yes_dollars_fp == [("0.0100", "12.00"), ("0.47", "0.01")]


@pytest.mark.parametrize(
    "number", [b"1e999999999", b"1e-999999999", b"1e400", b"9" * 100_000, b'"1e999999999"', b'"e"']
)
def test_a_number_beyond_reason_costs_neither_time_nor_memory(number):
    raw = data(with_msg(DELTA, price_dollars="@")).replace(b'"@"', number)
    try:
        assert len(decode(raw).msg.price_dollars) <= len(number)
    except Rejected as refusal:
        assert (refusal.sid, refusal.seq) == (1, 2)


def test_words_beside_a_number_stay_words():
    raw = data(with_msg(DELTA, price_dollars="everything", delta_fp="@")).replace(b'"@"', b"1")
    assert (decode(raw).msg.price_dollars, decode(raw).msg.delta_fp) == ("everything", "1")


@pytest.mark.parametrize("value", [True, None, {}, {"a": 1}])
def test_what_is_no_number_is_not_made_one(value):
    refusal = rejected(data(with_msg(DELTA, price_dollars=value)))
    assert (refusal.sid, refusal.seq) == (1, 2)


def test_sid_and_seq_as_text_are_taken():
    assert decode(data({**DELTA, "sid": "1", "seq": "2"})) == decode(data(DELTA))


# what is rejected, and what is still known of it


@pytest.mark.parametrize(
    ("raw", "sid", "seq"),
    [
        (data(DELTA)[:80], 1, 2),
        (b'{"type":"orderbook_delta","sid" : 5 , "seq": 6,"msg":', 5, 6),
        (b'{"type":"orderbook_delta","sid":5', 5, None),
        (b"nonsense", None, None),
        (b" " * 600 + b'{"sid":5,"seq":6', None, None),
        (data({**DELTA, "msg": 5}), 1, 2),
        (data({**DELTA, "seq": True}), 1, None),
        (data({**DELTA, "seq": 10**20}), 1, None),
        (b'{"sid":1,"seq":%d,' % (2**53 + 1), 1, None),
        (data({**DELTA, "sid": [1]}), None, 2),
        (data({**DELTA, "type": None}), 1, 2),
        (b'\xff{"sid":3,"seq":4}', 3, 4),
        (b'{"type":"trade","sid":3,"seq":4,"msg":{"a":"\xff"}}', 3, 4),
        (b"[1,2]", None, None),
        (b"null", None, None),
        (b'"text"', None, None),
    ],
)
def test_a_rejected_frame_says_what_is_still_known_of_it(raw, sid, seq):
    refusal = rejected(raw)
    assert (refusal.sid, refusal.seq) == (sid, seq)
    assert str(refusal)


@pytest.mark.parametrize("depth", [2, 100, 480, 600, 900, 990, 1_000, 10_000, 1_000_000])
@pytest.mark.parametrize("around", [b"%b", b'{"type":%b}', b'{"type":"ticker","sid":1,"msg":{"a_fp":%b}}'])
def test_deep_nesting_is_rejected_and_nothing_worse(depth, around):
    rejected(around % (b"[" * depth + b"]" * depth))
    rejected(around % (b"[" * depth))


def test_an_unknown_type_is_a_frame_with_its_numbers_and_a_short_name():
    found = decode(data({"type": "x" * 5_000, "sid": 4, "seq": 5, "msg": {}}))
    assert found == control.UnknownFrame("x" * 80, 4, 5)


# whole files: the corpus, and frames of the real exchange where they are at hand


def test_every_frame_of_a_file_is_decoded_as_its_type_says(captured):
    for name, lines in captured.files.items():
        assert len(lines) > 5
        for line in lines:
            kind = json.loads(line)["type"]
            if kind == "trade" and b"count_fp" not in line:
                rejected(line)  # of 2025, when contracts were whole numbers
                continue
            found = decode(line)
            assert type(found) is TYPES.get(kind, control.UnknownFrame), (name, line)
            if kind in ("orderbook_delta", "orderbook_snapshot", "trade", "market_lifecycle_v2"):
                assert (found.sid, found.seq) == (json.loads(line)["sid"], json.loads(line)["seq"])


def test_a_session_of_books_goes_through_a_session_without_a_gap(captured, compiled):
    session = Session(now_us=lambda: 1, monotonic=lambda: 0.0, random=Random(1), compiled=compiled)
    lines = captured.books
    tickers = {json.loads(line)["msg"].get("market_ticker") for line in lines if b"orderbook_" in line[:40]}
    session.want("orderbook_delta", frozenset(tickers - {None}))
    session.connected()
    session.listen("orderbook_delta", on=True)
    naive = {}
    for line in lines:
        session.receive([line], 1)
        frame = json.loads(line)
        msg = frame.get("msg")
        if frame["type"] == "orderbook_snapshot":
            naive[msg["market_ticker"]] = {
                (side, price): round(float(size) * 100)
                for side in ("yes", "no")
                for price, size in msg.get(f"{side}_dollars_fp", ())
            }
        elif frame["type"] == "orderbook_delta":
            level = (msg["side"], msg["price_dollars"])
            book = naive[msg["market_ticker"]]
            book[level] = book.get(level, 0) + round(float(msg["delta_fp"]) * 100)
    assert session.gaps.snapshot() == []
    assert session.duplicates == 0
    for ticker, book in naive.items():
        ladder = session.ladder(ticker)
        assert ladder.status == "live"
        kept = {
            (side, f"{price / 10_000:.4f}"): size
            for side, levels in zip(("yes", "no"), ladder.levels(), strict=True)
            for price, size in levels
        }
        assert kept == {level: size for level, size in book.items() if size}
        top = ladder.top()
        assert top.yes + top.no < 10_000
    assert len(session.rows("orderbook_delta")) == captured.book_rows


def test_trades_and_tickers_of_an_older_era_become_rows(captured, compiled):
    for channel, lines in (("ticker", captured.older_tickers), ("trade", captured.older_trades)):
        session = listening_session(json.loads(lines[0])["sid"], channel, compiled)
        for line in lines:
            session.receive([line], 1)
        # A recording may begin in the middle of its trades, which is a gap of its own.
        rows = [row for row in session.rows(channel) if type(row) is tuple]
        assert len(rows) == len(lines) >= 10
        for row, line in zip(rows, lines, strict=True):
            msg = json.loads(line)["msg"]
            assert row[1] == msg["market_ticker"]
            assert row[0] == msg["ts"] * 1_000_000


# fuzz

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(10**400), 10**400),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(["1e999999999", "-0", "0.00005", "", "\x00", "1" * 30, "2026-13-01", "9999-12-31T23:59:59+00:00"]),
    st.recursive(st.none(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner)),
)
FIELDS = ["type", "id", "sid", "seq", "msg", "sending_ts_ms"]


def listening_session(sid, channel, compiled):
    session = Session(now_us=lambda: 1, monotonic=lambda: 0.0, random=Random(1), compiled=compiled)
    session.connected()
    session.want(channel, frozenset({"KXA-1"}) if channel == "orderbook_delta" else ALL)
    session.listen(channel, on=True)
    number = json.loads(session.outgoing.popleft())["id"]
    session.receive([data({"type": "subscribed", "id": number, "msg": {"channel": channel, "sid": sid}})], 1)
    return session


BUSY = ("orderbook_delta", "trade", "ticker", "market_lifecycle_v2", *channel_frames.MESSAGES)
OF_OTHER_CHANNELS = [
    channel_frames.frame(channel, kind, sid=BUSY.index(channel) + 1) for channel, kind in channel_frames.EVERY
]


def busy_session(compiled):
    """Every channel is subscribed to and listened to, with the sids of the test's own frames."""
    session = Session(now_us=lambda: 1, monotonic=lambda: 0.0, random=Random(1), compiled=compiled)
    session.connected()
    for sid, channel in enumerate(BUSY, 1):
        session.want(channel, frozenset({"KXA-1"}) if sid == 1 else ALL)
        session.listen(channel, on=True)
        number = json.loads(session.outgoing.popleft())["id"]
        session.receive([data({"type": "subscribed", "id": number, "msg": {"channel": channel, "sid": sid}})], 1)
    return session


@st.composite
def mutated_frames(draw):
    frame = json.loads(json.dumps(draw(st.sampled_from(FRAMES) | st.sampled_from(OF_OTHER_CHANNELS))))
    for _ in range(draw(st.integers(0, 3))):
        where = frame
        if isinstance(frame.get("msg"), dict) and draw(st.booleans()):
            where = frame["msg"]
        name = draw(st.sampled_from([*where, *FIELDS]))
        if draw(st.booleans()):
            where[name] = draw(VALUES)
        else:
            where.pop(name, None)
    return data(frame)


@st.composite
def mutated_bytes(draw):
    raw = bytearray(draw(mutated_frames()))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(raw)))
        kind = draw(st.integers(0, 3))
        if kind == 0:
            raw[at : at + 1] = draw(st.binary(max_size=3))
        elif kind == 1:
            del raw[at : at + draw(st.integers(0, 40))]
        elif kind == 2:
            raw[at:at] = raw[at : at + 30]
        else:
            raw[at:at] = draw(
                st.sampled_from([b"[" * 1_000, b'"', b"\\u0000", b"\\ud800", b"e9", b"-", b"{}", b"null"])
            )
    return bytes(raw)


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(mutated_bytes(), st.binary(max_size=200)))
def test_nothing_but_a_rejection_comes_out_of_decode(raw):
    with contextlib.suppress(Rejected):
        decode(raw)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(mutated_bytes(), mutated_frames()), max_size=12))
def test_nothing_comes_out_of_a_session_whatever_goes_in(compiled, raws):
    session = busy_session(compiled)
    for raw in raws:
        session.receive([raw], 1_790_000_000_000_000)
        session.tick()
    assert session.messages == len(raws) + len(CHANNELS)
    for channel, subscription in session.subscriptions.items():
        for row in subscription.rows:
            for value in row:
                assert not isinstance(value, int) or abs(value) < 2**63, (channel, row)
        if subscription.rows:  # whatever came through fits its columns, and is a message
            Batch(channel, subscription.rows).df()
            from_rows(channel, Batch(channel, subscription.rows).rows_for(None))


def test_mutated_frames_of_a_corpus_never_get_out(captured, compiled):
    random = Random(20_261_122)
    lines = [line for of_file in captured.files.values() for line in of_file]
    session = busy_session(compiled)
    for _ in range(10_000):
        raw = bytearray(random.choice(lines))
        for _ in range(random.randint(0, 3)):
            raw[random.randrange(len(raw))] = random.choice(b'0123456789"{}[],:.-e\\ntrue\x00\xff')
        if random.random() < 0.2:
            del raw[random.randrange(len(raw)) :]
        session.receive([bytes(raw)], 1)
    assert session.rejected > 300
    assert len(session.rejects) == 100
    assert set(session.subscriptions) == set(CHANNELS)
    assert len(session._state.commands) < 50


def test_the_frames_of_the_fuzz_do_something_when_they_are_whole(compiled):
    session = busy_session(compiled)
    for frame in (SNAPSHOT, DELTA, TRADE, TICKER, CREATED):
        session.receive([data({**frame, "seq": 1} if frame is TRADE else frame)], 1)
    assert session.rejected == 0
    assert [gap.reason for gap in session.gaps.snapshot()] == ["negative_level"]  # the delta takes more than there is
    # Of the book: its snapshot, the gap, its delta.
    assert [len(each.rows) for each in session.subscriptions.values()][:4] == [3, 1, 1, 1]

"""Frames that are read from their bytes come to what they would have come to, as rows and as columns."""

import json
import re

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kalshi_nb._rows.channels import LAYOUTS
from kalshi_nb._rows.gaps import GapRow
from kalshi_nb._rows.rows import SnapshotRow
from kalshi_nb._session import extension
from tests.session.histories import BothWays, histories, listened, observable
from tests.session.odd_texts import COUNTS, PRICES
from tests.session.session_rig import BOOKS, Rig, delta, ticker_frame, trade
from tests.session.ways import needs_the_compiled_part

pytestmark = needs_the_compiled_part

A = "KX-A"
CHANNELS = (BOOKS, "ticker", "trade")


@pytest.fixture(scope="module", autouse=True)
def way():
    """The tests here go both ways by themselves."""


def rows_in(rows):
    """The plain rows of a list, or of columns, which have them no more."""
    if isinstance(rows, list):
        return [row for row in rows if type(row) is tuple]
    if not rows:
        return []
    columns = []
    for values, texts in rows.take():
        found = pl.Series(values).to_list()
        columns.append(found if texts is None else [None if each is None else texts[each] for each in found])
    return list(zip(*columns, strict=True))


def columns():
    return extension.row_columns(CHANNELS, compiled=True)


class IntoColumns(BothWays):
    """Both ways, of which the compiled one goes into columns."""

    seen = staticmethod(rows_in)

    def made(self):
        return [Rig(compiled=False), Rig(compiled=True, rows=columns())]

    def taken(self, rows):
        if isinstance(rows, list):
            rows.clear()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(histories, listened)
def test_after_every_read_of_any_history_the_rows_are_the_same(history, listened):
    IntoColumns(listened | {"ticker"}).follow(history)


# Any frame -------------------------------------------------------------------------------------------------------

WHOLE = {
    "orderbook_delta": {
        "market_ticker": A,
        "market_id": "39ce5546",
        "clock": 13000000629,
        "price_dollars": "0.4700",
        "delta_fp": "-1.25",
        "side": "yes",
        "ts": "2026-09-21T14:13:20Z",
        "ts_ms": 1_790_000_000_000,
        "client_order_id": "mine",
        "subaccount": 3,
    },
    "trade": {
        "trade_id": "99bfd86d",
        "market_ticker": A,
        "yes_price_dollars": "0.1500",
        "no_price_dollars": "0.8500",
        "count_fp": "17.00",
        "taker_side": "no",
        "taker_outcome_side": "no",
        "taker_book_side": "ask",
        "is_block_trade": False,
        "ts": 1_790_000_000,
        "ts_ms": 1_790_000_000_009,
    },
    "ticker": {
        "market_id": "a6a3a450",
        "market_ticker": A,
        "price_dollars": "0.4500",
        "yes_bid_dollars": "0.4400",
        "yes_ask_dollars": "0.4600",
        "volume_fp": "5.00",
        "open_interest_fp": "0.00",
        "dollar_volume": 3,
        "dollar_open_interest": -2,
        "yes_bid_size_fp": "33.00",
        "yes_ask_size_fp": "9.08",
        "last_trade_size_fp": "0.25",
        "ts": 1_790_000_000,
        "ts_ms": 1_790_000_000_000,
        "time": "2026",
    },
}
SIDS = {BOOKS: 1, "trade": 2, "ticker": 3}


def compact(frame):
    return json.dumps(frame, separators=(",", ":")).encode() + b"\n"


def written(kind, msg, **top):
    """A frame as the exchange writes it, but that values may be raw."""
    frame = {"type": kind, "sid": SIDS[kind], **({} if kind == "ticker" else {"seq": top.pop("seq")}), **top}
    frame |= {"msg": msg, "sending_ts_ms": 1_790_000_000_000}
    return compact(frame)


def typed_rows(rows):
    """Rows as they are, of what type, and each value of what type."""
    return [(type(row), [(type(value), value) for value in row]) for row in rows]


class Alike:
    """Sessions that are told the same: a plain one, two compiled ones with lists, and one with columns.

    One of the two is handed what `websockets` hands over: bytes that could be changed.
    """

    def __init__(self):
        self.rigs = [Rig(compiled=False), Rig(compiled=True), Rig(compiled=True), Rig(compiled=True, rows=columns())]
        *_, self.of_bytearrays, _ = self.rigs
        for rig in self.rigs:
            for channel in CHANNELS:
                rig.session.listen(channel, on=True)
            self.seq = rig.open_books(A)
            rig.open("trade", sid=2)
            rig.open("ticker", sid=3)

    def next(self, kind):
        return self.seq + 1 if kind == BOOKS else 1

    def agree(self, *frames):
        read = [frame if isinstance(frame, bytes) else compact(frame) for frame in frames]
        for rig in self.rigs:
            rig.take([bytearray(data) for data in read] if rig is self.of_bytearrays else read)
        plain, *lists, into_columns = [rig.session for rig in self.rigs]
        expected = observable(plain, typed_rows)
        for session in lists:
            assert observable(session, typed_rows) == expected
        expected = observable(plain, rows_in)
        assert observable(into_columns, rows_in) == expected
        return expected["rows"]


@pytest.fixture
def decoded(monkeypatch):
    """The frames that were decoded by the compiled line, one after the other."""
    module = extension._extension
    found, typed = [], module.typed
    monkeypatch.setattr(module, "typed", lambda data: found.append(data) or typed(data))
    return found


@pytest.mark.parametrize("kind", CHANNELS)
def test_a_frame_as_ever_is_a_row_and_is_not_decoded(kind, decoded):
    alike = Alike()
    decoded.clear()
    rows = alike.agree(written(kind, WHOLE[kind], seq=alike.next(kind)))
    assert len(rows[kind]) == 1
    assert len(rows[kind][0]) == len(LAYOUTS[kind])
    assert None not in rows[kind][0]
    assert not decoded


@pytest.mark.parametrize("kind", CHANNELS)
@pytest.mark.parametrize("field", sorted({field for msg in WHOLE.values() for field in msg}))
def test_a_frame_without_a_field_is_what_it_would_have_been(kind, field):
    for left in ({**WHOLE[kind], field: None}, {key: each for key, each in WHOLE[kind].items() if key != field}):
        alike = Alike()
        alike.agree(written(kind, left, seq=alike.next(kind)))


VALUES = [
    *PRICES,
    *COUNTS,
    *("yes", "no", "bid", "ask", "maybe", "x" * 200, "x" * 201, "KX-B", 'a"b', "a\\b", "a\nb", "\x7f", "é"),
    *(0, -0.0, 1, -1, 12, 0.47, 1e3, 10**15, 10**16, 2**53, 2**53 + 1, -(2**53) - 1, 2**60, 2**64 + 3, 2**70),
    *(1_609_459_199_999, 1_609_459_200_000, 1_790_604_900_099, 1_790_604_900_100, 1_790_700_000_000),
    *(True, False, None, [], {}, [1], {"a": 1}),
]


@pytest.mark.parametrize("kind", CHANNELS)
def test_a_frame_with_each_value_in_each_field_is_what_it_would_have_been(kind):
    for field in WHOLE[kind]:
        for value in VALUES:
            alike = Alike()
            alike.agree(written(kind, {**WHOLE[kind], field: value}, seq=alike.next(kind)))


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(CHANNELS), st.data())
def test_a_frame_with_any_value_in_any_field_is_what_it_would_have_been(kind, data):
    msg = dict(WHOLE[kind])
    for _ in range(data.draw(st.integers(1, 3))):
        msg[data.draw(st.sampled_from([*msg, "ts_ms", "more"]))] = data.draw(st.sampled_from(VALUES))
    order = data.draw(st.permutations(list(msg)))
    alike = Alike()
    alike.agree(written(kind, {key: msg[key] for key in order}, seq=alike.next(kind)))


@pytest.mark.parametrize("kind", CHANNELS)
@pytest.mark.parametrize(
    "top",
    [{"sid": 7}, {"sid": None}, {"sid": "1"}, {"seq": 0}, {"seq": 99}, {"seq": None}, {"seq": 1.5}, {"id": 1}],
    ids=str,
)
def test_a_frame_with_other_numbers_is_what_it_would_have_been(kind, top):
    alike = Alike()
    frame = json.loads(written(kind, WHOLE[kind], seq=alike.next(kind))) | top
    alike.agree(frame, json.loads(written(kind, WHOLE[kind], seq=alike.next(kind) + 1)))


@pytest.mark.parametrize("kind", CHANNELS)
def test_a_frame_under_the_number_of_another_channel_is_what_it_would_have_been(kind):
    for sid in SIDS.values():
        for due in ("its own", "the other's"):
            alike = Alike()
            seq = alike.next(kind) if due == "its own" else alike.seq + 1 if sid == SIDS[BOOKS] else 1
            frame = json.loads(written(kind, WHOLE[kind], seq=seq)) | {"sid": sid, "seq": seq}
            alike.agree(frame, delta(SIDS[BOOKS], alike.seq + 1, A), trade(SIDS["trade"], 1, A))


@pytest.mark.parametrize("price", ["0.0000", "1.0000", "0.4400", None])
@pytest.mark.parametrize("size", ["0.00", "1.00", None])
def test_a_side_without_a_quote_is_what_it_would_have_been(price, size):
    for side in ("bid", "ask"):
        alike = Alike()
        quote = {f"yes_{side}_dollars": price, f"yes_{side}_size_fp": size}
        alike.agree(written("ticker", WHOLE["ticker"] | quote, seq=None))


@pytest.mark.parametrize("kind", CHANNELS)
def test_a_frame_with_a_field_too_few_or_twice_or_a_number_spelled_otherwise_is_what_it_would_have_been(kind):
    alike = Alike()
    whole = written(kind, WHOLE[kind], seq=alike.next(kind))
    fields = re.findall(rb'"\w+":(?:"[^"]*"|\w+),', whole)
    numbers = re.findall(rb'"\w+":\d+', whole)
    assert len(fields) > len(WHOLE[kind])
    spelled = [(each, each.replace(b":", b":" + more)) for each in numbers for more in (b"0", b"-", b"-0", b"+", b" ")]
    spelled += [(each, each + more) for each in numbers for more in (b".0", b"e0", b"_0")]
    spelled += [(each, re.sub(rb":\d+", b":" + other, each)) for each in numbers for other in (b"-0", b"0", b"00")]
    spelled += [
        (each, each + re.sub(rb":.*,", b":" + other + b",", each)) for each in fields for other in (b"null", b"1")
    ]
    spelled += [(each, each[:-1] + other) for each in fields for other in (b";", b" ", b"", b":", b"}")]
    spelled += [(b"}\n", b"}" + more) for more in (b"", b" ", b"\n\n", b"}\n", b",\n", b"0\n", b"{}\n", b"\x00")]
    for before, after in [*((each, b"") for each in fields), *((each, each * 2) for each in fields), *spelled]:
        alike = Alike()
        alike.agree(whole.replace(before, after))


BYTES = [bytes([each]) for each in b'"\\{}[],: \t\n\r\x00\x1f\x7f\x80\xff01-.entuaA'] + [
    b"",
    b'"ts_ms":1,',
    b'"sid":1,',
    b"{}",
    b"null",
]


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(CHANNELS), st.integers(0, 500), st.integers(0, 2), st.sampled_from(BYTES))
@example("ticker", 1, 0, b'"sid":1,')
def test_a_frame_with_other_bytes_anywhere_is_what_it_would_have_been(kind, at, gone, instead):
    alike = Alike()
    frame = written(kind, WHOLE[kind], seq=alike.next(kind))
    at %= len(frame) + 1
    alike.agree(frame[:at] + instead + frame[at + gone :])


@pytest.mark.parametrize("byte", [b"\\", b"\x1f", b"\x80", b"\xff"], ids=repr)
@pytest.mark.parametrize("kind", CHANNELS)
def test_a_frame_with_an_odd_byte_near_its_end_is_what_it_would_have_been(kind, byte):
    for at in range(10):  # among the last eight, too, however many bytes are left for them
        alike = Alike()
        frame = written(kind, WHOLE[kind], seq=alike.next(kind)).removesuffix(b"}\n")
        alike.agree(frame + b',"more":"' + b"x" * (9 - at) + byte + b"x" * at + b'"}\n')


@pytest.mark.parametrize("text", ["KX-é".encode(), b"KX-\xc3", b"\x80"], ids=repr)
@pytest.mark.parametrize("kind", CHANNELS)
def test_a_name_that_is_not_of_ascii_is_what_it_would_have_been(kind, text):
    for field in {"market_ticker", "market_id", "trade_id", "client_order_id"} & WHOLE[kind].keys():
        alike = Alike()
        frame = written(kind, {**WHOLE[kind], field: "KX-NAME"}, seq=alike.next(kind))
        alike.agree(frame.replace(b"KX-NAME", text))


@pytest.mark.parametrize("kind", CHANNELS)
def test_a_frame_that_breaks_off_anywhere_is_what_it_would_have_been(kind):
    whole = written(kind, WHOLE[kind], seq=2)
    for at in range(len(whole)):
        alike = Alike()
        alike.agree(whole[:at])


def test_a_frame_that_nobody_listens_to_has_no_row():
    alike = Alike()
    for rig in alike.rigs:
        for channel in CHANNELS:
            rig.session.listen(channel, on=False)
    rows = alike.agree(*(written(kind, WHOLE[kind], seq=alike.next(kind)) for kind in CHANNELS))
    assert not any(rows[kind] for kind in CHANNELS)


# Columns ---------------------------------------------------------------------------------------------------------


def test_many_rows_with_and_without_values_stand_in_their_order():
    kept = columns()["trade"]
    expected = []
    for at in range(3_000):
        text = None if at % 7 else f"é{at}" * (at % 11)
        outcome = None if at % 1_027 == 3 else ("yes", "no")[at % 2]
        row = (at, f"M{at % 1_500}", at if at % 1_025 else None, -at, outcome, "bid", 1, at % 2 == 0, text, at, None)
        expected.append(row)
        kept.append(row)
    assert len(kept) == 3_000
    assert rows_in(kept) == expected
    assert len(kept) == 0


def test_what_is_no_plain_row_is_left_out():
    kept = columns()["trade"]
    kept.extend([GapRow(None, 1, "sequence")])
    kept.append(SnapshotRow(1, 1, A, (), ()))
    assert len(kept) == 0


def test_names_are_right_although_others_were_forgotten():
    kept = columns()["trade"]
    row = (1, "", 1, 1, "no", "ask", 1, None, "x", 1, 1)
    for turn in range(3):
        rows = [(*row[:1], f"{turn}-{at}", *row[2:]) for at in range(40_000)]
        kept.extend(rows)
        assert rows_in(kept) == rows
    kept.append(row)
    assert len(kept.take()[1][1]) <= 65_536


def test_names_are_right_although_others_were_forgotten_where_rows_are_tuples():
    rig = Rig(compiled=True)
    rig.session.listen("ticker", on=True)
    rig.open("ticker", sid=3)
    names = [f"KX-{at}" for at in range(66_000)] * 2
    for at in range(0, len(names), 1_000):
        read = [{"market_ticker": each, "market_id": f"id of {each}"} for each in names[at : at + 1_000]]
        rig.receive(*(written("ticker", WHOLE["ticker"] | each) for each in read))
    rows = rig.session.rows("ticker")
    assert [row[1] for row in rows] == names
    assert [row[14] for row in rows] == [f"id of {each}" for each in names]


def test_values_are_handed_on_once():
    kept = columns()["trade"]
    kept.append((1, "A", 1, 1, "no", "ask", 1, None, "x", 1, 1))
    (values, _), *_ = kept.take()
    assert len(values) == 1
    pl.Series(values)
    with pytest.raises(ValueError, match="handed on"):
        pl.Series(values)


def test_a_value_of_another_type_is_refused():
    with pytest.raises(TypeError):
        columns()["trade"].append(("1", "A", 1, 1, "no", "ask", 1, None, "x", 1, 1))


def test_other_frames_of_the_rig_are_read_alike():
    alike = Alike()
    rows = alike.agree(delta(1, alike.seq + 1, A), trade(2, 1, A), ticker_frame(3, A))
    assert [len(rows[kind]) for kind in CHANNELS] == [1, 1, 1]

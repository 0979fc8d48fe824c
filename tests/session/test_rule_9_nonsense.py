"""Truth rule 9: whatever the exchange sends, the feed goes on and never misreads."""

import json

import pytest

from kalshi_nb._rows.gaps import MOST_OLD, GapRow
from kalshi_nb._rows.wanted import ALL
from kalshi_nb._session.membership import MOST_STRANGERS
from kalshi_nb._session.repair import MOST_OPEN
from kalshi_nb._session.state import MOST_TYPES
from tests.session.session_rig import BOOKS, Rig, delta, error, ok, snapshot, subscribed, ticker_frame, trade

A, B = "KXA-1", "KXB-2"


@pytest.fixture
def rig():
    return Rig()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"{",
        b"nonsense",
        b"null",
        b"[]",
        b"[1,2]",
        b"42",
        b'"text"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"type":' + b"[" * 100_000,
        b"{}",
        b'{"type":null}',
        b'{"type":17,"sid":1}',
        b'{"type":"orderbook_delta"}',
        b'{"type":"ok","msg":' + b"[" * 700 + b"]" * 700 + b"}x",
    ],
)
def test_rule_9_nonsense_is_counted_and_kept_and_harms_nothing(rig, data):
    seq = rig.open_books(A)
    rig.receive(data)
    assert rig.session.rejected == 1
    (reject,) = rig.session.rejects
    assert reject.data == data[:2000]
    assert reject.reason
    rig.receive(delta(1, seq + 1, A))
    assert rig.book(A)[0] == {4700: 1100}
    assert rig.gaps == []


@pytest.mark.parametrize("depth", [10, 300, 480, 600, 900, 985, 990, 995, 1_000, 5_000])
@pytest.mark.parametrize("where", ["yes_dollars_fp", "additional_metadata", "msg"])
def test_rule_9_no_depth_of_nesting_gets_out(rig, depth, where):
    nest = b"[" * depth + b"]" * depth
    frames = {
        "yes_dollars_fp": b'{"type":"orderbook_snapshot","sid":9,"seq":1,"msg":{"market_ticker":"A",'
        b'"yes_dollars_fp":%b}}',
        "additional_metadata": b'{"type":"market_lifecycle_v2","sid":2,"seq":1,"msg":{"market_ticker":"A",'
        b'"event_type":"created","additional_metadata":{"a":%b}}}',
        "msg": b'{"type":"ok","id":1,"msg":%b}',
    }
    rig.open("market_lifecycle_v2")
    rig.receive(frames[where] % nest)


def test_rule_9_an_unknown_type_is_counted(rig):
    rig.receive({"type": "rfq_paused", "sid": 5, "seq": 1, "msg": {}})
    assert rig.session.rejected == 1
    assert "rfq_paused" in rig.session.rejects[0].reason


def test_rule_9_unknown_fields_are_ignored(rig):
    seq = rig.open_books(A)
    frame = delta(1, seq + 1, A)
    frame["sending_ts_ms"] = 1
    frame["msg"]["clock"] = 7
    rig.receive(frame)
    assert rig.session.rejected == 0
    assert rig.book(A)[0] == {4700: 1100}


def test_rule_9_the_ring_of_rejects_is_bounded(rig):
    for number in range(250):
        rig.receive(b"nonsense %d" % number)
    assert rig.session.rejected == 250
    assert len(rig.session.rejects) == 100
    assert rig.session.rejects[-1].data == b"nonsense 249"


@pytest.mark.parametrize(
    "damage",
    [
        lambda frame: json.dumps(frame).encode()[:-20],
        lambda frame: json.dumps({**frame, "type": "orderbook_news"}).encode(),
        lambda frame: json.dumps({**frame, "msg": None}).encode(),
    ],
    ids=["cut", "unknown type", "no message"],
)
def test_rule_9_a_rejected_frame_with_a_number_on_a_book_sid_is_a_gap(rig, damage):
    seq = rig.open_books(A, B)
    rig.receive(damage(delta(1, seq + 1, A)))
    assert (rig.status(A), rig.status(B)) == ("stale", "stale")
    (gap,) = rig.gaps
    assert (gap.reason, gap.market_ticker, gap.seq_from, gap.seq_to) == ("rejected", None, seq + 1, seq + 1)
    rig.command("get_snapshot")
    rig.receive(snapshot(1, seq + 2, A), snapshot(1, seq + 3, B))
    assert rig.gaps[0].repaired_by == "get_snapshot"


@pytest.mark.parametrize(
    "damage",
    [{"price_dollars": "1.5000"}, {"price_dollars": "0.47001"}, {"delta_fp": "1.005"}, {"delta_fp": "many"}],
    ids=["price", "decimals", "count decimals", "words"],
)
def test_rule_9_a_delta_with_values_that_mean_nothing_is_a_gap_in_its_own_market(rig, damage):
    seq = rig.open_books(A, B)
    frame = delta(1, seq + 1, A)
    rig.receive({**frame, "msg": {**frame["msg"], **damage}})
    assert (rig.status(A), rig.status(B)) == ("stale", "live")
    (gap,) = rig.gaps
    assert (gap.reason, gap.market_ticker, gap.seq_from, gap.seq_to) == ("rejected", A, seq + 1, seq + 1)
    assert rig.command("get_snapshot")["params"]["market_tickers"] == [A]
    rig.receive(snapshot(1, seq + 2, A))
    assert rig.gaps[0].repaired_by == "get_snapshot"


def test_rule_9_one_market_full_of_nonsense_starts_no_storm_and_leaves_the_others_live(rig):
    seq = rig.open_books(A, B)
    asked, broken = 0, delta(1, 0, A)
    for _ in range(600):
        rig.wait(0.1)
        asked += len(commands := [each for each in rig.commands() if "sids" in each.get("params", {})])
        seq += 1
        rig.receive({**broken, "seq": seq, "msg": {**broken["msg"], "price_dollars": "0.47001"}})
        for _ in commands:
            seq += 1
            rig.receive(snapshot(1, seq, A))
        assert rig.status(B) == "live"
    assert 1 <= asked <= 20  # in a minute, with ten broken frames a second


def test_rule_9_snapshots_that_cannot_be_read_leave_one_market_stale_and_end_no_connection(rig):
    seq = rig.open_books(A, B)
    rig.receive(delta(1, seq + 2, B))
    seq += 2
    for _ in range(600):
        seq += 1
        rig.receive(delta(1, seq, B))
        for command in rig.commands():
            for ticker in command["params"]["market_tickers"]:
                seq += 1
                rig.receive(snapshot(1, seq, ticker, {4700: -100} if ticker == A else {4700: 100}, id=command["id"]))
        rig.wait(0.1)
    assert (rig.status(A), rig.status(B)) == ("stale", "live")
    assert rig.session.ladder(A).reason == "unreadable"
    assert rig.reconnects() == []
    assert len(rig.gaps) <= 5
    rig.receive(snapshot(1, seq + 1, A, {4700: 300}))
    assert rig.status(A) == "live"


def test_rule_9_a_rejected_frame_with_an_old_number_is_no_gap(rig):
    seq = rig.open_books(A)
    rig.receive({**delta(1, seq, A), "msg": None})
    assert rig.status(A) == "live"
    assert rig.session.rejected == 1


UNREADABLE = [10**30, 2**63, "x", True, None, 1.5, [1], {}]


@pytest.mark.parametrize("number", UNREADABLE, ids=str)
def test_rule_9_a_delta_whose_number_cannot_be_read_is_a_gap_and_told_once(rig, number):
    seq = rig.open_books(A, B)
    rig.receive(delta(1, number, A), delta(1, number, B))
    assert (rig.status(A), rig.status(B)) == ("stale", "stale")
    assert [(gap.reason, gap.seq_from, gap.closed_at) for gap in rig.gaps] == [("rejected", None, None)]
    command = rig.command("get_snapshot")
    rig.receive(delta(1, seq + 3, A))
    (gap,) = rig.gaps
    assert (gap.reason, gap.seq_from, gap.seq_to, gap.closed_at) == ("rejected", seq + 1, seq + 2, None)
    rig.receive(snapshot(1, seq + 4, A, id=command["id"]), snapshot(1, seq + 5, B, id=command["id"]))
    assert (rig.status(A), rig.status(B), gap.repaired_by) == ("live", "live", "get_snapshot")
    assert rig.commands() == []
    rig.receive(delta(1, seq + 7, A))
    assert [(each.reason, each.seq_from, each.seq_to) for each in rig.gaps[1:]] == [("sequence", seq + 6, seq + 6)]


@pytest.mark.parametrize("number", [each for each in UNREADABLE if each is not None], ids=str)
def test_rule_9_a_trade_whose_number_cannot_be_read_is_a_gap_that_ends_when_data_goes_on(rig, number):
    rig.open("trade")
    rig.receive(trade(2, 1, A), trade(2, number, A), trade(2, number, B))
    assert rig.session.rejected == 2
    (gap,) = rig.gaps
    assert (gap.channel, gap.market_ticker, gap.reason, gap.seq_from, gap.closed_at) == (
        "trade",
        None,
        "rejected",
        None,
        None,
    )
    rig.receive(trade(2, 4, A))
    assert rig.gaps == [gap]
    assert (gap.seq_from, gap.seq_to, gap.repaired_by) == (2, 3, None)
    assert gap.closed_at is not None
    rig.receive(trade(2, 6, A))
    assert [(each.reason, each.seq_from) for each in rig.gaps] == [("rejected", 2), ("sequence", 5)]


def test_rule_9_a_frame_without_a_readable_number_that_took_none_is_a_gap_without_numbers(rig):
    rig.open("trade")
    rig.receive(trade(2, 1, A), trade(2, "x", A), trade(2, 2, A), trade(2, 4, A))
    assert [(gap.reason, gap.seq_from, gap.seq_to) for gap in rig.gaps] == [
        ("rejected", None, None),
        ("sequence", 3, 3),
    ]
    assert all(gap.closed_at is not None for gap in rig.gaps)


@pytest.mark.parametrize("kind", ["ok", "error", "trade"])
def test_rule_9_what_is_no_data_of_books_and_has_no_readable_number_is_no_gap_of_theirs(rig, kind):
    rig.open_books(A)
    rig.receive({"type": kind, "sid": 1, "seq": "x", "msg": {"code": 1}})
    assert (rig.session.rejected, rig.status(A), rig.gaps) == (1, "live", [])


def test_rule_9_a_rejected_snapshot_leaves_the_book_as_it_was_and_stale(rig):
    seq = rig.open_books(A)
    frame = snapshot(1, seq + 1, A, {4700: -100})
    rig.receive(frame)
    assert rig.status(A) == "stale"
    assert rig.book(A)[0] == {4700: 1000}


def test_rule_9_numbers_where_strings_are_expected_are_taken_exactly(rig):
    seq = rig.open_books(A)
    raw = (
        b'{"type":"orderbook_delta","sid":1,"seq":%d,"msg":{"market_ticker":"KXA-1","price_dollars":%b,'
        b'"delta_fp":%b,"side":"yes"}}'
    )
    rig.receive(
        raw % (seq + 1, b"0.47", b"-10"), raw % (seq + 2, b"1e-4", b"0.29"), raw % (seq + 3, b'"0.12345"', b"1")
    )
    assert rig.book(A)[0] == {1: 29}
    assert rig.gaps[0].seq_from == seq + 3


def test_rule_9_frames_of_nobody_are_counted(rig):
    rig.open("trade")
    rig.receive(trade(77, 1, A), delta(77, 1, A), delta(2, 1, A), snapshot(2, 1, A))
    assert rig.session.unrequested == 4


def test_rule_9_a_damaged_trade_is_a_gap_until_data_goes_on(rig):
    rig.open("trade")
    broken = trade(2, 1, A)
    broken["msg"]["count_fp"] = "many"
    rig.receive(broken)
    (gap,) = rig.gaps
    assert (gap.reason, gap.seq_from, gap.closed_at) == ("rejected", 1, None)
    rig.receive(trade(2, 2, A))
    assert gap.closed_at is not None


def test_rule_9_a_damaged_ticker_is_a_gap_until_data_goes_on(rig):
    rig.open("ticker")
    rig.receive({**ticker_frame(2, A), "seq": 5, "msg": None})
    assert rig.session.rejected == 1
    (gap,) = rig.gaps
    assert (gap.channel, gap.reason, gap.seq_from, gap.closed_at) == ("ticker", "rejected", None, None)
    rig.receive(ticker_frame(2, A))
    assert gap.closed_at is not None


@pytest.mark.parametrize(
    "data",
    [
        b'{"type":"ticker","sid":2,"msg":{"market_ticker":"KX',
        b'{"sid":2,"msg":{"market_ticker":"KX',
        b'{"type":"ticker","sid":"x","msg":{}}',
        b'{"type":"ticker","msg":{}}',
        b'{"type":"ticker","msg":{"market_ticker":"KX',
    ],
)
def test_rule_9_what_was_a_ticker_is_a_gap_however_little_of_it_can_be_read(rig, data):
    rig.open("ticker")
    rig.open("trade", sid=3)
    rig.receive(data)
    assert [(gap.channel, gap.reason) for gap in rig.gaps] == [("ticker", "rejected")]


@pytest.mark.parametrize(
    "data",
    [
        b'{"type":"error","sid":2,"msg":null}',
        b'{"type":"ok","sid":2,"id":[],"msg":{}}',
        b'{"type":"news","sid":2,"msg":{',
        b'{"type":"ticker","sid":77,"msg":{}}',
        b'{"type":"fill","msg":{}}',
        b'{"type":"trade","msg":{}}',
        b'{"msg":{}',
    ],
)
def test_rule_9_what_was_no_ticker_is_no_gap_of_tickers(rig, data):
    rig.open("ticker")
    rig.open("trade", sid=3)
    rig.receive(data)
    assert rig.session.rejected == 1
    assert rig.gaps == []


def test_rule_9_a_frame_is_rejected_once_whatever_is_wrong_with_it(rig):
    rig.open("trade")
    rig.session.listen("trade", on=True)
    odd = trade(2, 1, A)
    odd["msg"].update(is_block_trade="x", ts=1_790_000_000, ts_ms=10**15)
    rig.receive(odd)
    assert [each.fields for each in rig.session.rejects] == [("is_block_trade", "ts_ms")]
    assert rig.session.rejected == 1
    rig.receive({**odd, "seq": 2})
    assert rig.session.rejected == 2
    beyond = trade(2, 3, A)
    beyond["msg"].update(is_block_trade="x", count_fp="0.00")
    rig.receive(beyond)
    assert rig.session.rejected == 3
    assert [each.fields for each in rig.session.rejects][2:] == [()]
    assert len([row for row in rig.session.rows("trade") if type(row) is tuple]) == 2


def test_rule_9_a_trade_without_a_number_that_is_set_aside_is_a_gap(rig):
    rig.open("trade")
    broken = trade(2, 1, A)
    del broken["seq"]
    broken["msg"]["count_fp"] = "0.00"
    rig.receive(broken)
    assert [(gap.reason, gap.market_ticker, gap.seq_from) for gap in rig.gaps] == [("rejected", A, None)]


def test_rule_9_a_delta_has_the_time_that_can_be_read(rig):
    seq = rig.open_books(A)
    rig.session.listen("orderbook_delta", on=True)
    frame = delta(1, seq + 1, A)
    frame["msg"].update(ts_ms=10**15, ts="2026-09-21T14:13:20Z")
    rig.receive(frame)
    (row,) = [each for each in rig.session.rows("orderbook_delta") if type(each) is tuple]
    assert row[0] == 1_790_000_000_000_000
    assert (rig.book(A)[0], rig.status(A), rig.gaps) == ({4700: 1100}, "live", [])
    assert [each.fields for each in rig.session.rejects] == [("ts_ms",)]


def test_rule_9_a_count_begun_anew_on_the_book_channel_ends_in_a_new_connection(rig):
    rig.open_books(A)
    for seq in range(2, 1000):
        rig.receive(delta(1, seq, A))
    rig.commands()
    for seq in range(1, MOST_OLD):
        rig.receive(delta(1, seq, A))
    assert rig.status(A) == "live"
    rig.receive(delta(1, MOST_OLD, A))
    assert rig.status(A) == "stale"
    rig.command("get_snapshot")
    rig.wait(12)
    assert len(rig.reconnects()) == 1


def test_rule_9_a_count_begun_anew_on_trade_costs_a_gap_and_goes_on(rig):
    rig.open("trade")
    rig.session.listen("trade", on=True)
    rig.receive(*(trade(2, seq, A) for seq in range(1, 301)))
    rig.receive(*(trade(2, seq, A) for seq in range(1, MOST_OLD + 11)))
    (gap,) = rig.gaps
    assert (gap.seq_from, gap.seq_to) == (301, None)
    assert gap.closed_at is not None
    assert sum(type(row) is tuple for row in rig.session.rows("trade")) == 300 + 11


def trades_taken(rig):
    return [row[-1] for row in rig.session.rows("trade") if type(row) is tuple]


def gap_numbers(rig):
    return [(gap.seq_from, gap.seq_to, gap.closed_at is None) for gap in rig.gaps]


def test_rule_9_after_one_number_far_ahead_what_is_set_aside_is_a_gap_that_is_open(rig):
    rig.open("trade")
    rig.session.listen("trade", on=True)
    rig.receive(*(trade(2, seq, A) for seq in (1, 2, 1_000_000)))
    assert gap_numbers(rig) == [(3, 999_999, False)]
    rig.receive(*(trade(2, seq, A) for seq in (3, 4, 4, 5)))
    assert gap_numbers(rig) == [(3, 999_999, False), (None, None, True)]
    assert (trades_taken(rig), rig.session.duplicates) == ([1, 2, 1_000_000], 4)
    rig.receive(*(trade(2, seq, A) for seq in range(6, 3 + MOST_OLD)))
    assert trades_taken(rig)[3:] == [MOST_OLD + 1, MOST_OLD + 2]
    assert not any(is_open for _, _, is_open in gap_numbers(rig))


def test_rule_9_trades_in_another_order_are_a_gap_until_data_goes_on(rig):
    rig.open("trade")
    rig.session.listen("trade", on=True)
    rig.receive(*(trade(2, seq, A) for seq in (1, 4, 3, 3)))
    assert gap_numbers(rig) == [(2, 3, False), (None, None, True)]
    rig.receive(*(trade(2, seq, A) for seq in (5, 4, 2, 5, 6)))
    assert trades_taken(rig) == [1, 4, 5, 6]
    assert gap_numbers(rig) == [(2, 3, False), (None, None, False)]


def test_rule_9_gaps_of_one_moment_that_nothing_tells_apart_are_one_that_goes_on(rig):
    rig.open("trade")
    rig.session.listen("trade", on=True)
    rig.receive(*(trade(2, seq, A) for seq in (1, 3, 2, 4, 6, 5)))
    assert gap_numbers(rig) == [(2, 2, False), (None, None, True), (5, 5, False)]
    places = [row for row in rig.session.rows("trade") if isinstance(row, GapRow)]
    assert len(places) == 4  # each stands where it was, also the two that are one
    rig.receive(trade(2, 7, A))
    assert gap_numbers(rig) == [(2, 2, False), (None, None, False), (5, 5, False)]
    rig.wait(0.1)
    rig.receive(*(trade(2, seq, A) for seq in (9, 8, 10)))
    assert gap_numbers(rig)[3:] == [(8, 8, False), (None, None, False)]
    rig.open("ticker", sid=3)
    rig.receive(*[b'{"type":"ticker","sid":3,"msg":{', ticker_frame(3, A)] * 3)
    assert gap_numbers(rig)[5:] == [(None, None, False)]
    assert rig.gaps[5].repaired_by is None


def test_rule_9_a_delta_that_comes_late_is_never_applied(rig):
    seq = rig.open_books(A)
    rig.receive(delta(1, seq + 2, A), delta(1, seq + 1, A))
    assert rig.session.duplicates == 1
    assert rig.status(A) == "stale"


def test_rule_9_a_few_duplicates_after_each_other_are_no_new_count(rig):
    seq = rig.open_books(A)
    for _ in range(MOST_OLD):
        seq += 1
        rig.receive(delta(1, seq, A), delta(1, seq, A))
    assert rig.session.duplicates == MOST_OLD
    assert rig.status(A) == "live"
    assert rig.gaps == []


def test_the_session_counts_data_apart_from_other_frames(rig):
    seq = rig.open_books(A)
    before = rig.session.messages
    rig.receive(delta(1, seq + 1, A), b"nonsense", {"type": "ok", "id": 99, "msg": {}})
    assert rig.session.messages == before + 3
    assert rig.session.data_messages == 2
    assert repr(ALL) == "ALL"


def test_rule_9_unreadable_snapshots_of_invented_markets_are_not_remembered(rig):
    seq = rig.open_books(A)
    for number in range(1, 200):
        rig.receive(snapshot(1, seq + number, f"KX-{number}", {4700: -100}))
    assert not rig.session.subscriptions["orderbook_delta"].repair.unreadable
    assert (rig.status(A), rig.gaps, rig.commands()) == ("live", [], [])


def test_rule_9_a_type_that_nobody_knows_costs_books_one_gap_and_takes_its_number_from_then_on(rig):
    seq = rig.open_books(A, B)
    news = {"type": "orderbook_news", "sid": 1, "msg": {}}
    rig.receive({**news, "seq": seq + 1})
    rig.command("get_snapshot")
    rig.receive(snapshot(1, seq + 2, A), snapshot(1, seq + 3, B))
    for number in range(seq + 4, seq + 124):
        rig.receive({**news, "seq": number})
        assert (rig.status(A), rig.status(B)) == ("live", "live")
        rig.wait(0.5)
    rig.receive(delta(1, seq + 124, A, price=100))
    assert rig.book(A)[0] == {100: 100}
    assert (len(rig.gaps), rig.session.rejected, rig.commands()) == (1, 121, [])
    rig.receive({**news, "seq": seq + 127})
    assert rig.status(A) == "stale"  # its number is looked at like any other


def test_rule_9_a_known_stranger_stays_known_on_the_next_connection(rig):
    seq = rig.open_books(A)
    rig.receive({"type": "orderbook_news", "sid": 1, "seq": seq + 1})
    rig.receive(snapshot(1, seq + 2, A))
    rig.session.disconnected()
    rig.commands()
    rig.session.connected()
    rig.receive({"type": "subscribed", "id": rig.command()["id"], "msg": {"channel": "orderbook_delta", "sid": 1}})
    rig.receive(snapshot(1, 1, A), {"type": "orderbook_news", "sid": 1, "seq": 2})
    assert rig.status(A) == "live"
    rig.receive({"type": "orderbook_other_news", "sid": 1, "seq": 3})
    assert rig.status(A) == "stale"


def test_rule_9_a_stranger_on_another_subscription_or_without_a_number_is_not_known_to_books_by_that(rig):
    seq = rig.open_books(A)
    rig.open("trade")
    news = {"type": "orderbook_news", "msg": {}}
    rig.receive({**news, "sid": 2, "seq": 1}, {**news, "sid": 1}, {**news, "sid": 9, "seq": 1}, news)
    assert (rig.status(A), rig.gaps, rig.session.rejected) == ("live", [], 4)
    rig.receive({**news, "sid": 1, "seq": seq + 1})
    assert rig.status(A) == "stale"


@pytest.mark.parametrize("pause", [0, 0.5])
def test_rule_9_a_type_that_nobody_knows_among_numbered_trades_costs_them_nothing(rig, pause):
    rig.open("trade")
    rig.receive(trade(2, 1, A))
    for number in range(2, 42):
        rig.receive({"type": "trade_news", "sid": 2, "seq": number, "msg": {}})
        rig.wait(pause)
    rig.receive(trade(2, 42, A))
    assert (rig.gaps, rig.session.rejected) == ([], 40)
    rig.receive({"type": "trade_news", "sid": 2, "seq": 45, "msg": {}}, trade(2, 46, A))
    assert [(gap.seq_from, gap.seq_to) for gap in rig.gaps] == [(43, 44)]  # its number is looked at like any other


def test_rule_9_types_without_end_are_not_remembered_without_end_and_cost_no_book_anything(rig):
    seq = rig.open_books(A)
    for number in range(1, 3_000):
        rig.receive({"type": f"news_{number}" + "x" * 10_000, "sid": 1, "seq": seq + number})
    assert len(rig.session._state._heard) == MOST_TYPES
    assert sum(map(len, rig.session._state._heard)) <= 100 * MOST_TYPES
    assert len(rig.gaps) == MOST_TYPES


def test_rule_9_a_reject_names_no_more_fields_than_anybody_reads(rig):
    rig.open("communications")
    leg = {"market_ticker": "KXA-1", "side": 5, "event_ticker": 5}
    msg = {"id": "rfq-1", "market_ticker": "KXA-1", "mve_selected_legs": [leg] * 100}
    rig.receive({"type": "rfq_created", "sid": 2, "seq": 1, "msg": msg})
    (reject,) = rig.session.rejects
    assert len(reject.fields) == 20
    assert len(reject.reason) < 2_000
    assert rig.gaps == []


@pytest.mark.parametrize("ms", [1, 4_102_444_799_999])
def test_rule_9_an_absurd_time_is_counted_and_its_row_stands_by_when_it_was_received(rig, ms):
    rig.open("trade")
    rig.open("ticker", sid=3)
    for channel in ("trade", "ticker"):
        rig.session.listen(channel, on=True)
    early = trade(2, 1, A)
    early["msg"]["ts_ms"] = ms
    other = ticker_frame(3, A)
    other["msg"]["ts_ms"] = ms
    rig.receive(early, other)
    for channel in ("trade", "ticker"):
        (row,) = rig.session.rows(channel)
        assert row[0] == rig.now_us()
    assert [each.fields for each in rig.session.rejects] == [("ts_ms",), ("ts_ms",)]
    assert rig.gaps == []


@pytest.mark.parametrize("ms", [1, 4_102_444_799_999])
def test_rule_9_an_absurd_time_of_a_delta_is_that_of_no_quote_either(rig, ms):
    rig.session.want("orderbook_delta", frozenset({A}), listens="quotes")
    seq = rig.open_books(A)
    frame = delta(1, seq + 1, A)
    frame["msg"]["ts_ms"] = ms
    rig.receive(frame)
    assert rig.session.rows("quotes")[-1][0] == rig.now_us()


@pytest.mark.parametrize("name", ["", "K" * 1_000_000], ids=["empty", "long"])
@pytest.mark.parametrize("field", ["market_ticker", "trade_id"])
def test_rule_9_a_trade_of_what_has_no_name_is_set_aside_and_a_gap(rig, field, name):
    rig.open("trade")
    rig.session.listen("trade", on=True)
    frame = trade(2, 1, A)
    frame["msg"][field] = name
    rig.receive(frame)
    (gap,) = rig.gaps
    assert (gap.reason, gap.seq_from, gap.market_ticker) == ("rejected", 1, None)
    assert [type(each) for each in rig.session.rows("trade")] == [GapRow]
    assert sum(len(each.data) for each in rig.session.rejects) <= 2_000


def test_rule_9_what_an_answer_lists_that_no_name_can_be_is_neither_kept_nor_sent_back(rig):
    rig.session.want("trade", frozenset({A}))
    rig.receive(subscribed(rig.command("subscribe")["id"], "trade", 2))
    rig.session.want("trade", frozenset({B}))
    rig.receive(ok(rig.command("add_markets")["id"], 2, 1, [A, B, "K" * 201]))
    assert rig.session.subscriptions["trade"].market_tickers == {A, B}
    assert rig.commands() == []


# Nonsense without end --------------------------------------------------------------------------------------------


def broken(channel, number, ticker):
    """A frame of a channel, numbered where it has numbers, whose values mean nothing."""
    frame = trade(1, number, ticker) if channel == "trade" else ticker_frame(1, ticker)
    frame["msg"]["count_fp" if channel == "trade" else "price_dollars"] = "nonsense"
    return frame


@pytest.mark.parametrize(("channel", "numbered_from"), [("trade", MOST_OPEN + 1), ("ticker", None)])
def test_rule_9_gaps_that_nothing_ends_become_one_of_all_markets_and_rows_tell_each(rig, channel, numbered_from):
    rig.open(channel, sid=1)
    rig.session.listen(channel, on=True)
    rig.receive(*(broken(channel, number, f"KX-{number}") for number in range(1, 3_001)))
    repair = rig.session.subscriptions[channel].repair
    assert len(repair.open_gaps) == len(rig.gaps) == MOST_OPEN + 1
    last = rig.gaps[-1]
    assert (last.market_ticker, last.reason, last.seq_from, last.seq_to) == (None, "rejected", numbered_from, None)
    marks = [each.market_ticker for each in rig.session.rows(channel)]
    own = {number: f"KX-{number}" for number in range(1, 3_001)}
    assert marks == list({**own, MOST_OPEN + 1: None}.values())
    rig.receive(trade(1, 3_001, A) if channel == "trade" else ticker_frame(1, A))
    assert repair.open_gaps == []
    assert all(each.closed_at is not None for each in rig.gaps)
    rig.receive(broken(channel, 3_002, A))
    assert rig.gaps[-1].market_ticker == A  # and so on, as before


def test_rule_9_one_gap_without_numbers_stands_for_all_that_follow_too_many_though_it_was_there_before(rig):
    rig.open("ticker", sid=1)
    rig.receive({"type": "ticker", "sid": 1, "msg": 5})  # of whatever market
    rig.receive(*(broken("ticker", None, f"KX-{number}") for number in range(3_000)))
    assert len(rig.gaps) == MOST_OPEN
    assert (rig.gaps[0].market_ticker, rig.gaps[0].closed_at) == (None, None)


def test_rule_9_the_loss_of_the_connection_is_a_gap_of_its_own_however_many_there_are(rig):
    rig.open("trade", sid=1)
    rig.receive(*(broken("trade", number, f"KX-{number}") for number in range(1, 2_001)))
    rig.session.disconnected()
    assert rig.gaps[-1].reason == "connection_lost"


def test_rule_9_many_open_gaps_are_not_gone_through_one_by_one(rig):
    rig.open("ticker", sid=1)
    rig.receive(*(broken("ticker", None, f"KX-{number}") for number in range(900)))

    class Counted(list):
        read = 0

        def __iter__(self):
            Counted.read += 1
            return super().__iter__()

    repair = rig.session.subscriptions["ticker"].repair
    repair.open_gaps = Counted(repair.open_gaps)
    rig.receive(*(broken("ticker", None, f"KX-{number}") for number in range(900)))
    assert (len(repair.open_gaps), Counted.read) == (900, 0)


def test_rule_9_a_new_number_said_again_and_again_has_a_command_follow_ever_more_rarely(rig):
    rig.open("trade", frozenset({A}), sid=1)
    rig.open_books(A, sid=2)
    sent = 0
    for number in range(3, 2_003):
        channel = ("trade", BOOKS)[number % 2]
        rig.receive(subscribed(None, channel, number))
        if number % 3 == 0:
            rig.receive({"type": "unsubscribed", "sid": number})
        sent += len(rig.commands())
    assert sent < 20
    open_gaps = {name: each.repair.open_gaps for name, each in rig.session.subscriptions.items()}
    assert all(open_gaps.values())  # none is over, for nothing was answered
    assert max(map(len, open_gaps.values())) <= MOST_OPEN + 1


def test_rule_9_markets_that_nobody_named_are_not_remembered_as_refused(rig):
    rig.open("trade", frozenset({A}), sid=1)
    for number in range(100):
        names = [f"KX-{number}-{each}" for each in range(100)]
        rig.receive(error(8, "no such market", id=1, market_tickers=[*names, B]))
    assert rig.session.subscriptions["trade"].membership.refused == set()
    rig.receive(error(8, "no such market", id=1, market_tickers=[A]))
    assert rig.session.subscriptions["trade"].membership.refused == {A}


def test_rule_9_markets_that_answers_invent_are_not_remembered_without_end_and_are_ended(rig):
    rig.open("trade", frozenset({A}), sid=1)
    sent = []
    for number in range(40):
        rig.receive(ok(None, 1, number + 1, [A, *(f"KX-{number}-{each}" for each in range(1_000))]))
        sent += rig.commands()
    membership = rig.session.subscriptions["trade"].membership
    assert len(membership.market_tickers) == MOST_STRANGERS + 1
    assert [each["params"]["action"] for each in sent] == ["delete_markets"]
    number, listed = 41, sent[0]
    while listed is not None:
        there = membership.market_tickers - set(listed["params"]["market_tickers"])
        rig.receive(ok(listed["id"], 1, number, there))
        number += 1
        listed = next(iter(rig.commands()), None)
    assert membership.market_tickers == {A}

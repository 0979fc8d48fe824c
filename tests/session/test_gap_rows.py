"""Where a gap is, something stands among the rows, and a request without a connection is a gap."""

from collections import defaultdict
from functools import partial

import pytest

from kalshi_nb._rows.gaps import GapRow
from kalshi_nb._rows.quotes import QUOTES
from kalshi_nb._rows.rows import SnapshotRow
from kalshi_nb._rows.wanted import ALL
from tests.session.session_rig import BOOKS, Rig, delta, snapshot, subscribed, trade


@pytest.fixture
def rig():
    return Rig()


def gap_rows(rig):
    return [row for row in rig.session.rows(BOOKS) if isinstance(row, GapRow)]


def test_a_gap_stands_before_the_row_that_shows_it(rig):
    rig.open("trade")
    rig.session.listen("trade", on=True)
    rig.receive(trade(2, 1, "A", "one"), trade(2, 4, "A", "four"))
    kinds = [type(row) for row in rig.session.rows("trade")]
    assert kinds == [tuple, GapRow, tuple]


def test_a_gap_of_books_stands_among_the_deltas(rig):
    seq = rig.open_books("A")
    rig.session.listen(BOOKS, on=True)
    rig.receive(delta(1, seq + 1, "A"), delta(1, seq + 3, "A"))
    assert [type(row) for row in rig.session.rows(BOOKS)] == [tuple, GapRow, tuple]


def test_a_gap_of_all_books_is_one_row_where_there_is_one_connection(rig):
    seq = rig.open_books("A", "B")
    rig.session.listen(BOOKS, on=True)
    rig.receive(delta(1, seq + 2, "A"))
    assert [row.market_ticker for row in gap_rows(rig)] == [None]


def test_a_gap_of_all_books_of_one_of_several_connections_names_its_own(rig):
    rows = {}
    one, two = (Rig(rows=rows, alone=False) for _ in range(2))
    seq = one.open_books("B", "A")
    two.open_books("C")
    for each in (one, two):
        each.session.listen(BOOKS, on=True)
    one.receive(delta(1, seq + 2, "A"))
    assert [row.market_ticker for row in gap_rows(two)] == ["A", "B"]
    assert len({row.opened_at for row in gap_rows(two)}) == 1
    assert [gap.market_ticker for gap in one.gaps] == [None]
    two.receive(delta(1, 9, "nobody's"))
    assert [row.market_ticker for row in gap_rows(one)] == ["A", "B", "C"]


def test_a_gap_of_one_book_names_it_however_many_connections_there_are():
    rig = Rig(alone=False)
    seq = rig.open_books("A", "B")
    rig.session.listen(BOOKS, on=True)
    rig.receive(delta(1, seq + 1, "A", change=-2_000))
    assert [row.market_ticker for row in gap_rows(rig)] == ["A"]


def test_a_gap_of_books_that_nobody_names_concerns_nobody_where_there_are_several_connections():
    rig = Rig(alone=False)
    rig.open_books("A")
    rig.session.release(rig.request)
    rig.session.want(BOOKS, frozenset(), listens=BOOKS)
    rig.receive(delta(1, 9, "A"))
    assert len(rig.gaps) == 1
    assert gap_rows(rig) == []


def test_a_gap_of_another_channel_is_of_all_its_markets_however_many_connections_there_are():
    rig = Rig(alone=False)
    rig.open("trade", frozenset({"A", "B"}))
    rig.session.listen("trade", on=True)
    rig.receive(trade(2, 2, "A"))
    assert [type(row) for row in rig.session.rows("trade")] == [GapRow, tuple]
    assert rig.session.rows("trade")[0].market_ticker is None


@pytest.mark.parametrize("mapping", [dict, partial(defaultdict, list)], ids=["dict", "defaultdict"])
def test_sessions_append_to_one_list_a_channel_in_the_order_in_which_they_receive(mapping):
    rows = mapping()
    one, two = (Rig(rows=rows, alone=False) for _ in range(2))
    for each, ticker in ((one, "A"), (two, "B")):
        each.open_books(ticker)
        each.session.listen(BOOKS, on=True)
        each.session.listen(QUOTES, on=True)
    assert one.session.rows(BOOKS) is two.session.rows(BOOKS) is rows[BOOKS]
    assert one.session.rows(QUOTES) is two.session.rows(QUOTES) is rows[QUOTES]
    rows[QUOTES].clear()
    two.set_by = -3_600.0  # its stamps are older than those of the other, and stand behind them all the same
    one.receive(delta(1, 2, "A"))
    two.receive(delta(1, 2, "B"))
    one.receive(snapshot(1, 3, "A"))
    assert [row[1] for row in rows[QUOTES]] == ["A", "B", "A"]
    assert [row[2] if isinstance(row, SnapshotRow) else row[1] for row in rows[BOOKS]] == ["A", "B", "A"]


def test_without_a_listener_nothing_stands_anywhere(rig):
    rig.open("trade")
    rig.receive(trade(2, 1, "A", "one"), trade(2, 4, "A", "four"))
    assert not rig.session.rows("trade")


def test_a_request_after_the_loss_of_a_connection_is_a_gap_until_data_comes(rig):
    rig.session.disconnected()
    rig.session.want("trade", ALL)
    (gap,) = rig.gaps
    assert (gap.channel, gap.reason, gap.closed_at) == ("trade", "connection_lost", None)
    rig.session.want("trade", frozenset({"A"}))
    assert len(rig.gaps) == 1
    rig.session.connected()
    rig.receive(subscribed(rig.command("subscribe")["id"], "trade", 1), trade(1, 1, "A"))
    assert rig.gaps[0].closed_at is not None


def test_a_request_before_the_first_connection_is_none():
    rig = Rig(connected=False)
    rig.session.want("trade", ALL)
    assert not rig.gaps


def test_a_request_for_whatever_books_come_is_no_gap_where_nobody_wants_any(rig):
    rig.session.disconnected()
    rig.session.want("orderbook_delta", frozenset())
    assert not rig.gaps


def test_a_sealed_log_takes_no_more(rig):
    rig.open("trade")
    rig.session.gaps.seal()
    rig.session.disconnected()
    assert not rig.gaps

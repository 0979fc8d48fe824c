"""Truth rule 3: a snapshot whose number is not the next of its subscription is a gap, too."""

import pytest

from kalshi_nb._rows.quotes import QUOTES
from tests.session.session_rig import BOOKS, Rig, delta, ok, snapshot, trade

A, B, C = "KXA-1", "KXB-2", "KXC-3"


@pytest.fixture
def rig():
    return Rig()


def far(rig, *tickers, last=201):
    """Books that are live under a count which stands at `last`."""
    seq = rig.open_books(*tickers)
    rig.receive(*(delta(1, number, tickers[0], price=100 + number) for number in range(seq + 1, last + 1)))
    assert rig.session.duplicates == 0
    return last


def statuses(rig, *tickers):
    return [rig.status(each) for each in tickers]


def test_a_snapshot_with_a_restarted_number_makes_every_book_stale_at_once(rig):
    far(rig, A, B)
    rig.receive(snapshot(1, 1, A, {5000: 700}))
    assert statuses(rig, A, B) == ["stale", "stale"]
    (gap,) = rig.gaps
    assert (gap.reason, gap.market_ticker, gap.seq_from, gap.seq_to) == ("sequence", None, 202, None)
    assert rig.command("get_snapshot")["params"]["market_tickers"] == [A, B]


def test_the_count_goes_on_from_the_answer_to_what_was_asked_after_the_gap(rig):
    far(rig, A, B)
    rig.receive(snapshot(1, 1, A, {5000: 700}), delta(1, 2, A, price=5000))
    asked = rig.command("get_snapshot")["id"]
    rig.receive(snapshot(1, 3, A, {5000: 800}, id=asked), delta(1, 4, A, price=5000), snapshot(1, 5, B, id=asked))
    assert statuses(rig, A, B) == ["live", "live"]
    assert rig.book(A) == ({5000: 900}, {})
    rig.receive(delta(1, 6, A, price=5000))
    assert rig.book(A)[0] == {5000: 1000}
    assert [gap.repaired_by for gap in rig.gaps] == ["get_snapshot"]


def test_a_burst_of_snapshots_under_a_restarted_count_is_one_gap_and_one_question(rig):
    far(rig, A, B, C)
    rig.receive(*(snapshot(1, number, each, {5000: 700}) for number, each in enumerate((A, B, C), 1)))
    assert len(rig.gaps) == 1
    asked = rig.command("get_snapshot")
    rig.receive(*(snapshot(1, number, each, id=asked["id"]) for number, each in enumerate((A, B, C), 4)))
    assert statuses(rig, A, B, C) == ["live"] * 3
    assert rig.commands() == []


def test_a_snapshot_ahead_of_the_count_is_a_gap_and_its_own_book_is_right(rig):
    seq = rig.open_books(A, B)
    rig.receive(snapshot(1, seq + 5, A, {5000: 700}))
    assert statuses(rig, A, B) == ["live", "stale"]
    assert (rig.gaps[0].seq_from, rig.gaps[0].seq_to) == (seq + 1, seq + 4)


def test_a_snapshot_said_twice_at_once_is_no_gap(rig):
    seq = rig.open_books(A, B)
    twice = snapshot(1, seq + 1, A, {5000: 700})
    rig.receive(twice, twice)
    assert statuses(rig, A, B) == ["live", "live"]
    assert (rig.gaps, rig.session.duplicates, rig.commands()) == ([], 1, [])
    rig.receive(snapshot(1, seq + 2, "KX-NOBODY"), snapshot(1, seq + 2, "KX-NOBODY"))
    assert (rig.gaps, rig.session.duplicates) == ([], 2)


def test_the_newest_number_with_another_book_under_it_is_a_gap(rig):
    seq = rig.open_books(A, B)
    rig.receive(snapshot(1, seq + 1, A, {5000: 700}), snapshot(1, seq + 1, A, {5000: 900}))
    assert statuses(rig, A, B) == ["stale", "stale"]
    assert rig.book(A)[0] == {5000: 700}


def test_an_older_snapshot_said_again_after_a_change_never_undoes_the_change(rig):
    seq = rig.open_books(A)
    older = snapshot(1, seq + 1, A, {5000: 700})
    rig.receive(older, delta(1, seq + 2, A, price=5000), older)
    assert rig.book(A)[0] == {5000: 800}
    assert rig.status(A) == "stale"


def test_an_old_snapshot_of_a_market_let_go_is_a_gap_since_the_count_is_not_what_it_seemed(rig):
    far(rig, A)
    rig.receive(snapshot(1, 7, "KX-NOBODY"))
    assert rig.status(A) == "stale"


def test_an_answer_said_twice_is_no_gap(rig):
    seq = rig.open_books(A, B)
    rig.receive(delta(1, seq + 2, A))
    asked = rig.command("get_snapshot")["id"]
    answer = snapshot(1, seq + 3, A, {5000: 700}, id=asked)
    rig.receive(answer, delta(1, seq + 4, A, price=5000), answer)
    assert rig.book(A)[0] == {5000: 800}
    rig.receive(snapshot(1, seq + 5, B, id=asked), answer)
    assert statuses(rig, A, B) == ["live", "live"]
    assert len(rig.gaps) == 1


def test_an_answer_that_a_gap_overtook_is_not_believed_and_asked_for_again(rig):
    seq = rig.open_books(A)
    rig.receive(delta(1, seq + 2, A))
    asked = rig.command("get_snapshot")["id"]
    rig.receive(delta(1, seq + 4, A), snapshot(1, seq + 3, A, {5000: 700}, id=asked))  # swapped on their way
    assert rig.status(A) == "stale"
    again = rig.command("get_snapshot")["id"]
    rig.receive(snapshot(1, seq + 5, A, {5000: 900}, id=again))
    assert (rig.status(A), rig.book(A)[0]) == ("live", {5000: 900})


def test_an_old_snapshot_that_cannot_be_read_leaves_its_market_stale(rig):
    seq = rig.open_books(A, B)
    rig.receive(snapshot(1, seq, B, {4700: -100}))
    assert statuses(rig, A, B) == ["live", "stale"]
    assert rig.session.rejected == 1


def test_a_snapshot_without_a_number_is_set_aside_and_a_gap_at_once(rig):
    seq = rig.open_books(A)
    frame = snapshot(1, seq + 1, A, {5000: 700})
    del frame["seq"]
    rig.receive(frame)
    assert (rig.status(A), rig.session.rejected) == ("stale", 1)
    rig.receive(delta(1, seq + 2, A))
    assert rig.status(A) == "stale"


def test_numbers_that_jump_back_elsewhere_cost_no_book_anything(rig):
    far(rig, A)
    rig.session.want("trade", frozenset({A}))
    rig.receive({"type": "subscribed", "id": rig.command("subscribe")["id"], "msg": {"channel": "trade", "sid": 2}})
    rig.receive(*(trade(2, number, A) for number in range(1, 51)), trade(2, 7, A), ok(99, 2, 3, [A]))
    assert (rig.status(A), rig.gaps, rig.session.duplicates) == ("live", [], 2)


def test_quotes_end_where_the_book_became_stale_by_a_restarted_number(rig):
    rig.session.listen(QUOTES, on=True)
    far(rig, A)
    rig.receive(snapshot(1, 1, A, {5000: 700}))
    assert rig.session.rows(QUOTES)[-1][-1] == "stale"
    assert rig.session.subscriptions[BOOKS].repair.awaiting == {A}

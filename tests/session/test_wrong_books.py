"""A book that was another over REST is distrusted at once and made anew, and so is none besides it."""

import pytest

from tests.session.session_rig import Rig, delta, snapshot

A, B = "KXA-1", "KXB-2"


@pytest.fixture
def rig():
    return Rig()


def test_the_book_that_is_wrong_is_stale_and_is_made_anew_by_a_snapshot(rig):
    seq = rig.open_books(A, B)
    rig.session.renew([A])
    assert (rig.status(A), rig.status(B)) == ("stale", "live")
    (gap,) = rig.gaps
    assert (gap.reason, gap.market_ticker, gap.closed_at) == ("differs", A, None)
    rig.wait(1.0)
    asked = [each for each in rig.commands() if each.get("params", {}).get("action") == "get_snapshot"]
    assert asked[0]["params"]["market_tickers"] == [A]
    rig.receive(snapshot(1, seq + 1, A, {4000: 100}, {5000: 2000}, id=asked[0]["id"]))
    assert rig.status(A) == "live"
    assert rig.book(A)[0] == {4000: 100}
    assert (gap.repaired_by, gap.closed_at is not None) == ("get_snapshot", True)


def test_what_is_not_live_or_not_there_is_passed_over(rig):
    rig.session.renew([A])  # nobody has asked for a book yet
    seq = rig.open_books(A)
    rig.receive(delta(1, seq + 2, A))  # one is missing
    assert rig.status(A) == "stale"
    rig.session.renew([A, "KXNONE-1"])
    assert [each.reason for each in rig.gaps] == ["sequence"]


def test_without_a_connection_there_is_nothing_to_renew(rig):
    rig.open_books(A)
    rig.session.disconnected()
    before = len(rig.gaps)
    rig.session.renew([A])
    assert len(rig.gaps) == before

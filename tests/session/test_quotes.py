"""Top of book as data: a row a change, none without, and the truth about when there is no quote."""

from random import Random

import pytest

from kalshi_nb._rows.channels import LAYOUTS, QUOTES
from kalshi_nb._rows.quotes import PresentQuoteRow
from tests.session.session_rig import BOOKS, START_US, Rig, delta, error, snapshot, subscribed

NAMES = [each.name for each in LAYOUTS[QUOTES]]


@pytest.fixture
def rig():
    return Rig()


def repeated(rig):
    """What was said again, by market, and the plain rows beside it."""
    rows = list(rig.session.rows(QUOTES))
    rig.session.rows(QUOTES).clear()
    again = [dict(zip(NAMES, each.row, strict=True)) for each in rows if type(each) is PresentQuoteRow]
    return again, [each for each in rows if type(each) is tuple]


def quotes(rig):
    rows = rig.session.rows(QUOTES)
    found = [dict(zip(NAMES, row, strict=True)) for row in rows]
    rows.clear()
    return found


def top(quote):
    return quote["bid"], quote["bid_size"], quote["ask"], quote["ask_size"]


def test_the_first_eight_columns_are_what_people_look_at():
    assert NAMES[:8] == ["ts", "market_ticker", "bid", "bid_size", "ask", "ask_size", "mid", "spread"]


def test_without_a_listener_there_is_neither_a_row_nor_a_watcher(rig):
    rig.open_books("A")
    rig.receive(delta(1, 2, "A", "yes", 4900, 100))
    assert not quotes(rig)
    assert rig.session.ladder("A").watcher is None


def test_listening_begins_with_the_quotes_there_are(rig):
    last = rig.open_books("A", "B")
    rig.session.listen(QUOTES, on=True)
    found = quotes(rig)
    assert [each["market_ticker"] for each in found] == ["A", "B"]
    for each in found:
        assert top(each) == (4700, 1000, 5200, 2000)
        assert (each["mid"], each["spread"]) == (4700 + 5200, 500)
        assert (each["ts"], each["seq"], each["status"]) == (each["received_at"], last, "live")


def test_one_row_a_change_at_the_top_and_none_for_changes_below_it(rig):
    seq = rig.open_books("A")
    rig.session.listen(QUOTES, on=True)
    quotes(rig)
    steps = [
        (("yes", 4600, 500), None),  # below the best bid
        (("yes", 4700, -300), (4700, 700, 5200, 2000)),  # its size
        (("yes", 4800, 100), (4800, 100, 5200, 2000)),  # a better bid
        (("no", 4700, 100), None),  # behind the best ask
        (("no", 4900, 50), (4800, 100, 5100, 50)),  # a better ask
        (("yes", 4800, -100), (4700, 700, 5100, 50)),  # the best bid is taken away
        (("no", 4900, -50), (4700, 700, 5200, 2000)),
    ]
    for (side, price, change), expected in steps:
        seq += 1
        rig.receive(delta(1, seq, "A", side, price, change))
        found = quotes(rig)
        assert [top(each) for each in found] == ([] if expected is None else [expected])
        for each in found:
            assert each["seq"] == seq
            assert each["ts"] == 1_790_000_000_000_000
            assert each["status"] == "live"


def test_a_side_without_orders_has_no_quote_and_there_is_no_middle(rig):
    seq = rig.open_books("A")
    rig.session.listen(QUOTES, on=True)
    quotes(rig)
    rig.receive(delta(1, seq + 1, "A", "no", 4800, -2000))
    (found,) = quotes(rig)
    assert top(found) == (4700, 1000, None, None)
    assert (found["mid"], found["spread"]) == (None, None)
    rig.receive(delta(1, seq + 2, "A", "yes", 4700, -1000))
    (found,) = quotes(rig)
    assert top(found) == (None, None, None, None)
    assert found["status"] == "live"


def test_half_a_tick_in_the_middle_is_not_rounded(rig):
    rig.session.listen(QUOTES, on=True)
    rig.session.want(BOOKS, frozenset({"A"}))
    rig.receive(subscribed(rig.command("subscribe")["id"], BOOKS, 1), snapshot(1, 1, "A", {4701: 100}, {5200: 100}))
    (found,) = quotes(rig)
    assert found["mid"] == 4701 + 4800  # in 1/20000 dollar


def test_a_stale_book_has_one_row_that_says_so_and_one_when_it_is_right_again(rig):
    seq = rig.open_books("A", "B")
    rig.session.listen(QUOTES, on=True)
    quotes(rig)
    rig.receive(delta(1, seq + 2, "A", "yes", 4600, 100))
    found = quotes(rig)
    assert sorted(each["market_ticker"] for each in found) == ["A", "B"]
    for each in found:
        assert each["status"] == "stale"
        assert {each[name] for name in NAMES if name not in ("ts", "market_ticker", "received_at", "status")} == {None}
        assert each["ts"] == each["received_at"]
    rig.receive(delta(1, seq + 3, "A", "yes", 4900, 100))
    assert not quotes(rig)
    rig.receive(snapshot(1, seq + 4, "A", {4900: 100}, {4800: 2000}))
    (again,) = quotes(rig)
    assert top(again) == (4900, 100, 5200, 2000)
    assert (again["market_ticker"], again["status"], again["seq"], again["ts"]) == (
        "A",
        "live",
        seq + 4,
        again["received_at"],
    )


def test_the_same_quote_after_a_gap_is_a_row_again(rig):
    seq = rig.open_books("A")
    rig.session.listen(QUOTES, on=True)
    before = quotes(rig)
    rig.receive(delta(1, seq + 2, "A", "yes", 4600, 100), snapshot(1, seq + 3, "A", {4700: 1000}, {4800: 2000}))
    stale, again = quotes(rig)
    assert stale["status"] == "stale"
    assert top(again) == top(before[0])


@pytest.mark.parametrize("end", ["connection", "error", "negative", "release"])
def test_whatever_ends_the_trust_in_a_book_ends_its_quote(rig, end):
    seq = rig.open_books("A")
    rig.session.listen(QUOTES, on=True)
    quotes(rig)
    if end == "connection":
        rig.session.disconnected()
    elif end == "error":
        rig.receive(error(25, "Subscription buffer overflow", sid=1, seq=seq + 1))
    elif end == "negative":
        rig.receive(delta(1, seq + 1, "A", "yes", 4700, -5000))
    else:
        rig.session.release(rig.request)
    (found,) = quotes(rig)
    assert top(found) == (None, None, None, None)
    assert found["status"] == ("closed" if end == "release" else "stale")


def test_a_nonsensical_time_stamp_is_as_good_as_none(rig):
    seq = rig.open_books("A")
    rig.session.listen(QUOTES, on=True)
    quotes(rig)
    frame = delta(1, seq + 1, "A", "yes", 4900, 100)
    frame["msg"]["ts_ms"] = 10**15
    rig.receive(frame)
    (found,) = quotes(rig)
    assert found["ts"] == found["received_at"]
    assert found["bid"] == 4900


def test_after_the_last_listener_left_nothing_is_made(rig):
    seq = rig.open_books("A")
    rig.session.listen(QUOTES, on=True)
    rig.session.listen(QUOTES, on=False)
    quotes(rig)
    rig.receive(delta(1, seq + 1, "A", "yes", 4900, 100))
    assert not quotes(rig)


@pytest.mark.parametrize("seed", range(5))
def test_the_last_row_is_always_what_the_book_says_and_no_two_rows_in_a_row_are_equal(rig, seed):
    random = Random(seed)
    seq = rig.open_books("A")
    rig.session.listen(QUOTES, on=True)
    last = quotes(rig)[-1]
    changes = 0
    for _ in range(2_000):
        side, price = random.choice(("yes", "no")), random.randrange(4000, 4900, 100)
        ladder = rig.session.ladder("A")
        held = rig.book("A")[side == "no"].get(price, 0)
        seq += 1
        rig.receive(delta(1, seq, "A", side, price, random.choice((100, 200, -held or 100))))
        for each in quotes(rig):
            assert top(each) != top(last)
            last = each
            changes += 1
        yes, yes_size, no, no_size = ladder.top()
        assert top(last) == (yes or None, yes_size or None, 10_000 - no if no else None, no_size or None)
    assert changes > 200


def test_whoever_listens_later_has_the_present_quotes_said_again_once_and_only_of_its_own_live_markets(rig):
    seq = rig.open_books("A", "B", "C")
    rig.session.want(BOOKS, frozenset({"A"}), listens=QUOTES)
    rig.receive(delta(1, seq + 1, "A", "yes", 4900, 100), delta(1, seq + 2, "C", "yes", 4700, -5000))
    quotes(rig)
    rig.wait(1)
    rig.session.want(BOOKS, frozenset({"A", "C"}), listens=QUOTES)
    again, plain = repeated(rig)
    assert plain == []
    (found,) = again  # the book of C is stale
    assert (found["market_ticker"], *top(found)) == ("A", 4900, 100, 5200, 2000)
    assert (found["ts"], found["seq"], found["status"]) == (found["received_at"], seq + 2, "live")
    assert found["received_at"] == START_US + round(rig.seconds * 1e6)
    rig.session.want(BOOKS, frozenset(), listens=QUOTES)
    assert [each["market_ticker"] for each in repeated(rig)[0]] == ["A", "B"]
    rig.session.want(BOOKS, frozenset({"A"}))
    rig.session.want(BOOKS, frozenset({"A"}), listens=BOOKS)
    assert repeated(rig) == ([], [])

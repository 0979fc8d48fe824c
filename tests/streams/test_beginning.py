"""A pipeline of quotes begins with the present quote of each market, and has it once."""

from kalshi_nb._frames.batch import Batch
from kalshi_nb._rows.channels import LAYOUTS, QUOTES
from kalshi_nb._rows.quotes import PresentQuoteRow
from kalshi_nb._streams.beginning import Beginning


def quote(ticker, bid, status="live"):
    values = {"market_ticker": ticker, "bid": bid, "received_at": 1, "status": status}
    return tuple(values.get(each.name) for each in LAYOUTS[QUOTES])


def again(ticker, bid):
    return PresentQuoteRow(ticker, quote(ticker, bid))


def bids(beginning, *rows):
    return [(row[1], row[2]) for row in beginning.of(Batch(QUOTES, rows)).rows]


def test_what_is_said_again_is_new_to_whoever_had_nothing_of_the_market():
    assert bids(Beginning(), again("A", 1), quote("A", 2)) == [("A", 1), ("A", 2)]


def test_what_is_said_again_is_left_out_by_whoever_had_it():
    beginning = Beginning()
    assert bids(beginning, quote("A", 1)) == [("A", 1)]
    assert bids(beginning, again("A", 1), again("B", 5), quote("A", 2)) == [("B", 5), ("A", 2)]
    assert bids(beginning, again("B", 5)) == []


def test_a_change_that_came_first_is_newer_than_what_is_said_again():
    assert bids(Beginning(), quote("A", 2), again("A", 2)) == [("A", 2)]


def test_a_market_whose_book_was_closed_is_begun_with_anew():
    beginning = Beginning()
    assert bids(beginning, quote("A", 1), quote("B", 1), quote("A", None, "closed")) == [
        ("A", 1),
        ("B", 1),
        ("A", None),
    ]
    assert bids(beginning, again("A", 2), again("B", 2)) == [("A", 2)]
    assert bids(beginning, again("B", 2), quote("B", None, "closed"), quote("B", 3)) == [("B", None), ("B", 3)]
    assert bids(beginning, again("B", 3)) == []


def test_a_batch_in_which_nothing_is_said_again_is_passed_on_as_it_is():
    batch = Batch(QUOTES, [quote("A", 1)])
    assert Beginning().of(batch) is batch

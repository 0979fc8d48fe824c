"""A walk over pages ends where they end, goes on where one is empty, and is led in no circle."""

import pytest

from kalshi_nb._rest.bodies import MarketsBody, TradesBody
from kalshi_nb._rest.pages import Page, Walk
from kalshi_nb.errors import PagingError


def markets(client, cursor="", limit=5):
    def fetch(at):
        params = {"limit": limit, "cursor": at or None, "status": "open"}
        body = client.get("/markets", MarketsBody, params).body
        return Page(body.markets, body.cursor)

    return Walk(fetch, name=lambda row: row.ticker, cursor=cursor)


def trades(client, cursor="", limit=10):
    def fetch(at):
        # Of the tape alone: what was before it are ninety days.
        params = {"limit": limit, "cursor": at or None, "min_ts": 1_795_359_600}
        body = client.get("/markets/trades", TradesBody, params).body
        return Page(body.trades, body.cursor)

    def order(row):
        head, _, fraction = row.created_time.removesuffix("Z").partition(".")
        return head, f"{fraction:0<6}"

    return Walk(fetch, name=lambda row: row.trade_id, order=order, cursor=cursor)


def test_every_row_comes_once(client, exchange):
    walk = markets(client)
    found = [row.ticker for page in walk for row in page]
    assert sorted(found) == list(exchange.market_tickers)
    assert (walk.rows, walk.pages, walk.cursor, walk.is_over) == (12, 3, "", True)
    assert list(walk) == []


def test_an_empty_page_that_goes_on_ends_nothing(client, exchange):
    exchange.faults.rest(cursors="empty_page")
    walk = markets(client)
    assert sorted(row.ticker for page in walk for row in page) == list(exchange.market_tickers)
    assert walk.pages == 5


def test_a_cursor_that_comes_back_is_an_error_after_what_came(client, exchange):
    exchange.faults.rest(cursors="repeated")
    found = []
    walk = markets(client, limit=3)
    with pytest.raises(PagingError, match="Page 2 names a page that came before"):
        for page in walk:
            found += page
    assert len(found) == walk.rows == 6


@pytest.mark.parametrize("walked", [markets, trades])
def test_a_cursor_that_is_none_leads_back_and_is_an_error(client, exchange, walked):
    exchange.advance(30)
    exchange.faults.rest(cursors="garbage")
    found = []
    walk = walked(client, limit=3)
    with pytest.raises(PagingError, match="Page 2"):
        for page in walk:
            found += page
    assert len(found) == 3


def test_a_page_that_is_newer_than_the_one_before_is_an_error():
    pages = {"": Page([("a", 5), ("b", 4)], "1"), "1": Page([("c", 4), ("d", 9)], "2")}
    walk = Walk(pages.get, name=lambda row: row[0], order=lambda row: row[1])
    with pytest.raises(PagingError, match="not older"):
        list(walk)


def test_empty_pages_without_end_are_an_error():
    walk = Walk(lambda at: Page([], str(int(at or 0) + 1)), name=str)
    with pytest.raises(PagingError, match="empty pages"):
        list(walk)


def test_a_row_that_comes_twice_is_handed_out_once():
    pages = {"": Page(["a", "b"], "1"), "1": Page(["b", "c"], None)}
    assert list(Walk(pages.get, name=str)) == [["a", "b"], ["c"]]


def test_a_row_that_stands_twice_on_one_page_is_handed_out_once_and_in_its_place():
    assert list(Walk({"": Page(["b", "a", "b", "c", "a"], None)}.get, name=str)) == [["b", "a", "c"]]


def test_a_walk_that_was_left_goes_on_also_another_that_begins_there(client, exchange):
    exchange.advance(60)
    whole = [row.trade_id for page in trades(client) for row in page]
    walk = trades(client)
    head = [row.trade_id for row in next(iter(walk))]
    exchange.advance(10)  # what is new shifts nothing
    other = [row.trade_id for page in trades(client, cursor=walk.cursor) for row in page]
    same = [row.trade_id for page in walk for row in page]
    assert head + other == whole
    assert same == other


def test_a_walk_outlasts_an_edge_that_fails_amid_it(client, exchange, time):
    exchange.faults.rest(refuse=3, after=2, refusal="gateway")
    assert len([row for page in markets(client) for row in page]) == 12
    assert len(time.waits) >= 3


def test_a_cursor_without_end_is_an_error_after_what_came():
    walk = Walk(lambda _: Page(["a"], "x" * 70_000), name=str)
    pages = iter(walk)
    assert next(pages) == ["a"]
    with pytest.raises(PagingError, match="no next page that could be asked for"):
        next(pages)


@pytest.mark.parametrize("order", [lambda _: 5, lambda _: None], ids=["of one moment", "of none"])
def test_pages_of_one_moment_that_come_again_and_again_under_new_cursors_lead_in_a_circle(order):
    pages = iter(range(1_000))

    def fetch(_):
        number = next(pages)
        return Page(["abc"[number % 3]], f"cursor {number}")

    found = []
    with pytest.raises(PagingError, match="has only rows that came before"):
        for page in Walk(fetch, name=str, order=order):
            found += page
    assert found == ["a", "b", "c"]

"""The simulated exchange over REST: what it answers, about the markets that its socket tells of."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from kalshi_nb.errors import SimulationError
from kalshi_nb.sim import Exchange
from tests.recordings import folder
from tests.sim.conftest import BOOK_TICKER, signed

PREFIX = "/trade-api/v2"


def ask(exchange, target, headers=None):
    """Status, headers and raw body of one GET."""
    request = urllib.request.Request(exchange.rest_url + target, headers=headers or {})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.headers, refusal.read()


def got(exchange, target, headers=None):
    status, _, body = ask(exchange, target, headers)
    assert status == 200, body
    return json.loads(body)


def refused(exchange, target, headers=None):
    status, _, body = ask(exchange, target, headers)
    return status, json.loads(body)


START = 1_795_359_600
"""When the tape begins; what was before it are ninety days."""


def pages(exchange, target, name):
    """All pages of a list, each as its rows."""
    cursor, found = "", []
    while True:
        page = got(exchange, f"{target}&cursor={cursor}")
        found.append(page[name])
        cursor = page["cursor"]
        if not cursor:
            return found


# -- form ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    ["/markets?limit=3", "/series", "/events?with_nested_markets=true", "/exchange/status", "/markets/trades"],
)
def test_keys_are_in_alphabetical_order_and_no_newline_ends_a_body(exchange, target):
    exchange.advance(5)
    _, headers, body = ask(exchange, target)
    assert headers["Content-Type"] == "application/json"
    assert headers["Cache-Control"] == "public, max-age=15"
    assert not body.endswith(b"\n")
    text = json.dumps(json.loads(body), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert body == text.encode()


def test_money_and_contracts_are_strings(exchange):
    for market in got(exchange, "/markets")["markets"]:
        for name, value in market.items():
            if name.endswith("_dollars"):
                assert len(value.partition(".")[2]) == 4
            if name.endswith("_fp"):
                assert len(value.partition(".")[2]) == 2


def test_the_date_is_the_exchange_s_own(exchange):
    _, headers, _ = ask(exchange, "/exchange/status")
    assert headers["Date"] == "Sun, 22 Nov 2026 15:00:00 GMT"


def test_one_address_has_the_socket_too(exchange, open_client):
    client = open_client(exchange)
    assert got(exchange, "/exchange/status") == {"exchange_active": True, "trading_active": True}
    assert client.answer() == []


# -- the same market as the socket's ---------------------------------------------------------------------------


def test_trades_are_those_of_the_socket_newest_first(exchange, client):
    client.subscribe("trade")
    client.answer()
    exchange.advance(60)
    heard = [json.loads(each)["msg"] for each in client.frames if json.loads(each)["type"] == "trade"]
    answered = [row for page in pages(exchange, f"/markets/trades?limit=7&min_ts={START}", "trades") for row in page]
    assert len(heard) > 100
    assert {row["trade_id"] for row in answered} == {row["trade_id"] for row in heard}
    by_id = {row["trade_id"]: row for row in heard}
    for row in answered:
        for mine, theirs in (("ticker", "market_ticker"), ("count_fp", "count_fp"), ("taker_side", "taker_side")):
            assert row[mine] == by_id[row["trade_id"]][theirs]
        assert row["yes_price_dollars"] == by_id[row["trade_id"]]["yes_price_dollars"]
        assert Decimal(row["yes_price_dollars"]) + Decimal(row["no_price_dollars"]) == 1
    keys = [(padded(row["created_time"]), row["trade_id"]) for row in answered]
    assert keys == sorted(keys, reverse=True)


def padded(time):
    """A time whose text is in its order: the exchange drops trailing zeros."""
    head, _, fraction = time.removesuffix("Z").partition(".")
    return f"{head}.{fraction:0<6}"


def test_the_window_of_trades_includes_both_its_seconds(exchange):
    exchange.advance(30)
    begin = 1_795_359_600 + 10
    rows = got(exchange, f"/markets/trades?limit=1000&min_ts={begin}&max_ts={begin + 1}")["trades"]
    everything = got(exchange, "/markets/trades?limit=1000")["trades"]
    inside = [row for row in everything if row["created_time"][:19] in ("2026-11-22T15:00:10", "2026-11-22T15:00:11")]
    assert rows == inside
    assert rows


def test_new_trades_shift_no_walk(exchange):
    exchange.advance(30)
    whole = got(exchange, "/markets/trades?limit=1000")["trades"]
    first = got(exchange, "/markets/trades?limit=10")
    exchange.advance(30)
    second = got(exchange, f"/markets/trades?limit=10&cursor={first['cursor']}")
    assert first["trades"] + second["trades"] == whole[:20]


def test_a_book_is_that_of_the_socket(exchange, client):
    exchange.advance(10)
    client.subscribe("orderbook_delta", market_tickers=[BOOK_TICKER])
    snapshot = next(each["msg"] for each in client.answer() if each["type"] == "orderbook_snapshot")
    book = got(exchange, f"/markets/{BOOK_TICKER}/orderbook")["orderbook_fp"]
    assert book == {"yes_dollars": snapshot["yes_dollars_fp"], "no_dollars": snapshot["no_dollars_fp"]}
    best = got(exchange, f"/markets/{BOOK_TICKER}/orderbook?depth=2")["orderbook_fp"]
    assert best == {name: levels[-2:] for name, levels in book.items()}
    several = got(exchange, f"/markets/orderbooks?tickers={BOOK_TICKER}&tickers=NONE")["orderbooks"]
    assert several == [{"orderbook_fp": book, "ticker": BOOK_TICKER}]
    market = got(exchange, f"/markets/{BOOK_TICKER}")["market"]
    assert [market["yes_bid_dollars"], market["yes_bid_size_fp"]] == book["yes_dollars"][-1]
    assert [market["no_bid_dollars"], market["yes_ask_size_fp"]] == book["no_dollars"][-1]


def test_a_market_closes_is_determined_and_is_paid_out():
    with Exchange(seed=7, clock="manual", closes_in=60) as exchange:
        ticker = "KXBTC15M-26NOV221015-15"

        def market():
            return got(exchange, f"/markets/{ticker}")["market"]

        found = market()
        assert found["status"] == "active"
        assert "settlement_value_dollars" not in found
        exchange.advance(64)
        assert market()["status"] == "closed"
        exchange.advance(3)
        found = market()
        assert found["status"] == "determined"
        assert found["result"] in ("yes", "no")
        exchange.advance(10)
        found = market()
        assert (found["status"], found["yes_bid_dollars"], found["yes_ask_dollars"]) == (
            "finalized",
            "0.0000",
            "1.0000",
        )
        assert found["settlement_value_dollars"] == ("1.0000" if found["result"] == "yes" else "0.0000")
        assert [
            row["ticker"] for row in got(exchange, "/markets?status=settled&series_ticker=KXBTC15M")["markets"]
        ] == [ticker]
        events = got(exchange, "/events?status=settled&series_ticker=KXBTC15M&with_nested_markets=true")["events"]
        assert [row["event_ticker"] for row in events] == ["KXBTC15M-26NOV221015"]
        assert "markets" not in events[0]


# -- lists -----------------------------------------------------------------------------------------------------


def test_markets_come_newest_first_and_then_by_falling_ticker(exchange):
    found = pages(exchange, "/markets?limit=5&status=open", "markets")
    assert [len(page) for page in found] == [5, 5, 2]
    keys = [(row["created_time"], row["ticker"]) for page in found for row in page]
    assert keys == sorted(keys, reverse=True)
    assert {ticker for _, ticker in keys} == set(exchange.market_tickers)


def test_combinations_head_the_list_and_can_be_left_out(exchange):
    exchange.faults.rest(combos=30)
    rows = got(exchange, "/markets?status=open")["markets"]
    assert all(row["ticker"].startswith("KXMVE") and "mve_collection_ticker" in row for row in rows[:30])
    assert len(rows) == 42
    assert len(got(exchange, "/markets?status=open&mve_filter=exclude")["markets"]) == 12
    assert len(got(exchange, "/markets?mve_filter=only")["markets"]) == 30


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("series_ticker=KXHIGHNY&status=open", 6),
        ("event_ticker=KXSENATEOH-28", 3),
        (f"tickers={BOOK_TICKER},NONE", 1),
        ("status=open", 12),
        ("status=closed", 0),
        ("min_close_ts=1795359600&max_close_ts=1795381200", 1),
        ("min_close_ts=1795381201", 11),
        ("limit=0", 100),
        ("series_ticker=KXSENATEOH&limit=0", 3),
    ],
)
def test_markets_can_be_narrowed(exchange, query, count):
    assert len(got(exchange, f"/markets?{query}")["markets"]) == count


def test_events_with_and_without_their_markets(exchange):
    ticker = "KXHIGHNY-26NOV22"
    bare = got(exchange, f"/events/{ticker}")
    nested = got(exchange, f"/events/{ticker}?with_nested_markets=true")
    assert "markets" not in bare["event"]
    assert nested["markets"] == []
    assert nested["event"]["markets"] == bare["markets"]
    assert got(exchange, f"/events/{ticker}?exclude_markets=true")["markets"] == []
    listed = got(exchange, "/events?series_ticker=KXHIGHNY&status=open&with_nested_markets=true")["events"]
    assert listed == [nested["event"]]
    assert [len(page) for page in pages(exchange, "/events?limit=3&status=open", "events")] == [3, 1]


def test_series_and_the_categories_they_are_in(exchange):
    series = {row["ticker"]: row for row in got(exchange, "/series")["series"]}
    assert {each.partition("-")[0] for each in exchange.market_tickers} == set(series)
    tags = defaultdict(list)
    for row in series.values():
        tags[row["category"]] += row["tags"]
    assert got(exchange, "/search/tags_by_categories")["tags_by_categories"] == tags
    assert got(exchange, "/series?category=crypto") == {"series": []}
    assert [row["ticker"] for row in got(exchange, "/series?category=Crypto")["series"]] == ["KXBTC15M"]
    assert [row["ticker"] for row in got(exchange, "/series?tags=NYC,X")["series"]] == ["KXHIGHNY"]
    assert "volume_fp" in got(exchange, "/series/KXHIGHNY?include_volume=true")["series"]


# -- what is wrong -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "status", "part"),
    [
        ("/nothing", 404, {"error": {"code": "not_found", "message": "not found"}}),
        ("/markets/NONE", 404, {"error": {"code": "not_found", "message": "not found"}}),
        ("/markets?status=active", 400, {"error": {"code": "invalid_parameters", "message": "invalid status filter"}}),
        ("/markets?limit=x", 400, {"code": "bad_request", "message": "bad request"}),
        ("/markets?status=open&min_close_ts=1", 400, {"code": "bad_request", "message": "invalid parameters"}),
        ("/markets?min_updated_ts=1", 400, {"code": "bad_request", "message": "invalid parameters"}),
        ("/events/KXSENATEOH-28?with_nested_markets=true&exclude_markets=true", 400, {"code": "bad_request"}),
        ("/markets/orderbooks", 400, {"code": "bad_request"}),
    ],
)
def test_each_error_has_its_shape(exchange, target, status, part):
    found, body = refused(exchange, target)
    assert found == status
    assert part.items() <= body.items()


@pytest.mark.parametrize(
    ("target", "field", "tag"),
    [
        ("/markets?limit=1001", "Limit", "lte"),
        ("/markets?limit=-1", "Limit", "gte"),
        ("/events?limit=0", "Limit", "gte"),
        (f"/markets/{BOOK_TICKER}/orderbook?depth=101", "Depth", "lte"),
        ("/markets?mve_filter=no", "MveFilter", "oneof"),
    ],
)
def test_parameters_out_of_range_are_told_in_a_bare_message(exchange, target, field, tag):
    status, body = refused(exchange, target)
    assert status == 400
    assert set(body) == {"msg"}
    assert body["msg"].endswith(f"Error:Field validation for '{field}' failed on the '{tag}' tag")


@pytest.mark.recordings
@pytest.mark.parametrize(
    ("name", "target"),
    [("exchange__status", "/exchange/status"), ("markets__limit_over_max", "/markets?limit=1001")],
)
def test_some_bodies_are_letter_for_letter_those_of_the_real_exchange(exchange, name, target):
    recorded = (folder() / "events-demo-2026-06-11" / f"{name}.json").read_bytes()
    assert ask(exchange, target)[2] == recorded.rstrip(b"\n")


@pytest.mark.recordings
@pytest.mark.parametrize(
    ("name", "target", "rows"),
    [("markets__page1", "/markets", "markets"), ("trades__public_recorded", "/markets/trades", "trades")],
)
def test_rows_have_the_names_of_the_real_exchange_s(exchange, name, target, rows):
    exchange.advance(5)
    gone = {"fractional_trading_enabled", "liquidity_dollars", "response_price_units", "primary_participant_key"}
    recorded = json.loads((folder() / "events-demo-2026-06-11" / f"{name}.json").read_bytes())[rows]
    mine = {each for row in got(exchange, target)[rows] for each in row}
    always = set.intersection(*map(set, recorded))
    assert always - gone - mine <= {"early_close_condition"}


# -- who may ask -------------------------------------------------------------------------------------------------


def test_a_signature_is_looked_at_wherever_there_is_one(exchange):
    path = f"{PREFIX}/markets"
    right = signed(exchange.key_id, exchange.private_key, path=path)
    assert got(exchange, "/markets?limit=1", right)["markets"]
    for wrong in (
        signed(exchange.key_id, exchange.private_key, path="/markets"),
        signed(exchange.key_id, exchange.private_key, path=f"{path}?limit=1"),
    ):
        status, body = refused(exchange, "/markets?limit=1", wrong)
        assert (status, body["error"]["details"]) == (401, "INCORRECT_API_KEY_SIGNATURE")
    old = signed(exchange.key_id, exchange.private_key, path=path, ahead_ms=-60_000)
    assert refused(exchange, "/markets", old)[1]["error"]["code"] == "header_timestamp_expired"


def test_limits_are_told_to_those_who_sign(exchange):
    assert refused(exchange, "/account/limits")[0] == 401
    found = got(
        exchange, "/account/limits", signed(exchange.key_id, exchange.private_key, path=f"{PREFIX}/account/limits")
    )
    assert found["read"] == {"bucket_capacity": 200, "refill_rate": 200}


def test_in_maintenance_everything_is_refused_and_the_status_says_so(exchange):
    exchange.faults.begin_maintenance()
    assert refused(exchange, "/exchange/status") == (503, {"exchange_active": False, "trading_active": False})
    assert refused(exchange, "/markets")[0] == 503
    exchange.faults.end_maintenance()
    assert got(exchange, "/markets")


# -- trouble -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("refusal", "status", "begin"),
    [
        ("object", 429, b'{"error":{"code":"too_many_requests"'),
        ("text", 429, b'{"error":"too many requests"}'),
        ("html", 429, b"<!DOCTYPE html>"),
        ("gateway", 502, b"<html>"),
    ],
)
def test_requests_are_refused_as_told_and_then_answered(exchange, refusal, status, begin):
    exchange.faults.rest(refuse=2, after=1, refusal=refusal)
    assert ask(exchange, "/series")[0] == 200
    for _ in range(2):
        found, headers, body = ask(exchange, "/series")
        assert found == status
        assert body.startswith(begin)
        assert "Retry-After" not in headers
    assert ask(exchange, "/series")[0] == 200


def test_an_answer_breaks_off_halfway_as_told(exchange):
    exchange.faults.rest(refuse=1, after=1, refusal="torn")
    whole = ask(exchange, "/series")[2]
    with pytest.raises(http.client.IncompleteRead) as torn:
        ask(exchange, "/series")
    assert torn.value.partial == whole[: len(whole) // 2]
    assert ask(exchange, "/series")[2] == whole


def test_the_hours_and_the_costs_are_told_to_everybody(exchange):
    (week,) = got(exchange, "/exchange/schedule")["schedule"]["standard_hours"]
    assert week["thursday"] == [{"close_time": "24:00", "open_time": "00:00"}]
    assert got(exchange, "/account/endpoint_costs") == {"default_cost": 10, "endpoint_costs": []}


def test_a_budget_is_kept_to(exchange):
    exchange.faults.rest(tokens=10)
    assert ask(exchange, "/series")[0] == 200
    assert any(ask(exchange, "/series")[0] == 429 for _ in range(500))
    exchange.faults.rest()
    assert ask(exchange, "/series")[0] == 200


def test_cursors_are_wrong_as_told(exchange):
    exchange.faults.rest(cursors="repeated")
    first = got(exchange, "/markets?limit=3")
    second = got(exchange, f"/markets?limit=3&cursor={first['cursor']}")
    assert second["cursor"] == first["cursor"]
    assert second["markets"] != first["markets"]
    exchange.faults.rest(cursors="garbage")
    first = got(exchange, "/markets?limit=3")
    second = got(exchange, f"/markets?limit=3&cursor={first['cursor']}")
    assert second["markets"] == first["markets"]
    assert second["cursor"] != first["cursor"]
    exchange.faults.rest(cursors="empty_page")
    assert [len(page) for page in pages(exchange, "/markets?limit=5&status=open", "markets")] == [5, 0, 5, 0, 2]


def test_the_edge_gives_an_answer_again_for_as_long_as_told_and_says_how_old_it_is(exchange):
    exchange.faults.rest(cache=15)
    target = f"/markets/orderbooks?tickers={BOOK_TICKER}"
    _, headers, first = ask(exchange, target)
    assert headers["Age"] is None
    exchange.advance(14.9)
    _, headers, second = ask(exchange, target)
    assert (second, headers["Age"]) == (first, "14")
    assert ask(exchange, f"{target}&min_ts=1")[2] != first  # another question, whatever it means
    exchange.advance(0.1)
    _, headers, third = ask(exchange, target)
    assert third != first
    assert headers["Age"] is None


def test_the_edge_keeps_nothing_that_needs_a_key_and_no_refusals(exchange):
    exchange.faults.rest(cache=15)
    headers = signed(exchange.key_id, exchange.private_key, path=f"{PREFIX}/account/limits")
    assert ask(exchange, "/account/limits", headers)[0] == 200
    assert ask(exchange, "/account/limits")[0] == 401
    exchange.faults.rest(cache=15, refuse=1)
    assert [ask(exchange, "/series")[0] for _ in range(2)] == [429, 200]


def test_an_answer_that_is_long_under_way_says_what_was_so_when_it_was_asked_for_by_the_count_inside(exchange):
    target = f"/markets/{BOOK_TICKER}/orderbook"
    before = ask(exchange, target)[2]
    exchange.faults.rest(delay=3.0)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(ask, exchange, target)
        until = time.monotonic() + 30
        while not exchange._server.rest.trouble.requests and time.monotonic() < until:
            time.sleep(0.01)
        exchange.advance(30)
        assert not answer.done()
        assert answer.result(30)[2] == before
    exchange.faults.rest()
    assert ask(exchange, target)[2] != before


@pytest.mark.parametrize(
    "wrong",
    [
        {"refusal": "no"},
        {"cursors": "no"},
        {"refuse": -1},
        {"tokens": 0},
        {"combos": "3"},
        {"cache": -1},
        {"delay": 6},
        {"live_tier": -1},
    ],
)
def test_trouble_that_cannot_be_is_refused(exchange, wrong):
    with pytest.raises(SimulationError):
        exchange.faults.rest(**wrong)


def test_a_recording_that_is_served_has_no_rest(tmp_path):
    path = tmp_path / "frames.jsonl"
    path.write_text('{"type":"trade","sid":1,"seq":1,"msg":{"market_ticker":"KXA-1"}}\n')
    with Exchange.from_frames(path) as exchange:
        assert ask(exchange, "/exchange/status")[0] == 404
        with pytest.raises(SimulationError):
            exchange.faults.rest()

"""One question over REST: signed right, asked again where that helps, and an error that says what to do."""

import asyncio
import base64
import contextlib
import datetime as dt
import gzip
import socket
import subprocess
import sys
import threading
import time as real_time
import zlib

import msgspec
import pytest

from kalshi_nb._auth import Credentials, Secret
from kalshi_nb._rest.bodies import LimitsBody, Market, MarketBody, MarketsBody, counts, micro_dollars
from kalshi_nb._rest.client import RestClient, segment
from kalshi_nb._threads import set_role
from kalshi_nb.errors import (
    ConfigurationError,
    KalshiError,
    RateLimitError,
    RestBodyError,
    RestCredentialsError,
    RestError,
    RestNotFoundError,
    RestRequestError,
    RestUnavailableError,
    WrongThreadError,
)
from tests.engine.hosts import ByHand
from tests.recordings import folder
from tests.rest.conftest import key_of

GOOD = (200, '{"market":{"ticker":"KXA-1"}}')
TICKER = "KXHIGHNY-26NOV22-B52.5"
DAY = "Sat, 28 Nov 2026 "


def ask(client):
    return client.get("/markets/KXA-1", MarketBody).body.market.ticker


# -- keys --------------------------------------------------------------------------------------------------------


def test_without_a_key_nothing_is_signed_and_five_a_second_are_made(open_client, scripted):
    server = scripted(GOOD)
    client = open_client(server.base)
    assert ask(client) == "KXA-1"
    ((path, headers),) = server.asked
    assert path == "/trade-api/v2/markets/KXA-1"
    assert not [name for name in headers if name.startswith("KALSHI")]
    assert client.limiter.rate == 5


def test_with_a_key_the_path_is_signed_without_its_query_and_the_limits_are_asked_once(open_client, exchange):
    client = open_client(exchange, credentials=key_of(exchange))
    for _ in range(2):
        assert len(client.get("/markets", MarketsBody, {"limit": 3}).body.markets) == 3
    assert client.get("/account/limits", LimitsBody).body.read.refill_rate == 200
    assert client.limiter.rate == 16


def test_the_limits_of_a_better_tier_are_taken_up(open_client, scripted, exchange):
    server = scripted((200, '{"usage_tier":"premier","read":{"refill_rate":1000,"bucket_capacity":1000}}'), GOOD)
    client = open_client(server.base, credentials=key_of(exchange))
    ask(client)
    ask(client)
    assert client.limiter.rate == 80
    assert [path.rpartition("/")[2] for path, _ in server.asked] == ["limits", "KXA-1", "KXA-1"]


@pytest.mark.parametrize("answer", [(404, "{}"), (503, "no"), (200, '{"read":5}'), (200, '{"read":{}}')])
def test_limits_that_cannot_be_had_are_no_error(open_client, scripted, exchange, answer):
    server = scripted(answer, GOOD)
    client = open_client(server.base, credentials=key_of(exchange))
    assert ask(client) == "KXA-1"
    assert client.limiter.rate == 16


def test_a_wrong_key_is_told_and_not_tried_again(open_client, exchange, time):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    wrong = Credentials(exchange.key_id, Secret(Ed25519PrivateKey.generate()), environ={})
    with pytest.raises(RestCredentialsError, match="kalshi-nb doctor") as caught:
        open_client(exchange, credentials=wrong).get("/markets", MarketsBody)
    assert (caught.value.status, caught.value.code) == (401, "authentication_error")
    assert time.waits == []


def test_what_needs_a_key_says_how_to_pass_one(client):
    with pytest.raises(RestCredentialsError, match="key_id="):
        client.get("/account/limits", LimitsBody)


def test_a_key_that_was_rotated_is_read_again(open_client, exchange, tmp_path):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    def write(key):
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        exchange.add_key("mine", key.public_key())

    path = tmp_path / "key.pem"
    write(Ed25519PrivateKey.generate())
    client = open_client(exchange, credentials=Credentials("mine", Secret(str(path)), environ={}))
    assert client.get("/markets", MarketsBody).body.markets
    write(Ed25519PrivateKey.generate())
    assert client.get("/markets", MarketsBody).body.markets


# -- trying again ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520, 522, 529])
def test_what_may_pass_is_asked_again_after_longer_and_longer(open_client, scripted, time, status):
    server = scripted(*[(status, "{}")] * 4, GOOD)
    assert ask(open_client(server.base)) == "KXA-1"
    assert len(server.asked) == 5
    # A 429 makes the rate lower, too: these waits stand between.
    assert [each for each in time.waits if each in (0.5, 1.0, 2.0, 4.0)] == [0.5, 1.0, 2.0, 4.0]


@pytest.mark.parametrize("body", ["{}", '{"message":"Forbidden"}', '{"error":"forbidden"}', "Forbidden", "", "[]"])
def test_a_403_that_is_not_the_exchange_s_own_is_an_outage(open_client, scripted, body):
    server = scripted(*[(403, body)] * 3, GOOD)
    assert ask(open_client(server.base)) == "KXA-1"
    assert len(server.asked) == 4
    with pytest.raises(RestUnavailableError, match="before the exchange"):
        ask(open_client(scripted((403, body)).base))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
def test_what_stays_as_it_is_is_asked_once(open_client, scripted, status):
    server = scripted((status, "{}" if status != 403 else '{"code":"permission_denied"}'))
    with pytest.raises(RestError):
        ask(open_client(server.base))
    assert len(server.asked) == 1


def test_waits_are_by_chance_under_their_ceiling(open_client, scripted, time):
    server = scripted(*[(503, "{}")] * 3, GOOD)
    ask(open_client(server.base, pacing=time.pacing(chance=lambda: 0.25)))
    assert time.waits == [0.125, 0.25, 0.5]


@pytest.mark.parametrize(
    ("said", "waited"),
    [
        ("7", 7.0),
        ("9999", 120.0),
        ("soon", 0.5),
        ("-1", 0.5),
        ("1e400", 0.5),
        (f"{DAY}08:00:09 GMT", 9.0),  # by the other end's clock, which stands beside it
        (f"{DAY}09:00:00 GMT", 120.0),
        ("Sat, 28 Nov 99999 08:00:00 GMT", 0.5),
        ("Sat, 99999999999999999999 Nov 2026 08:00:00 GMT", 0.5),
    ],
)
def test_a_wait_that_the_exchange_asks_for_is_waited(open_client, scripted, time, said, waited):
    server = scripted((503, "{}", {"Retry-After": said, "Date": f"{DAY}08:00:00 GMT"}), GOOD)
    ask(open_client(server.base))
    assert time.waits == [waited]


@pytest.mark.parametrize(
    "date", ["Sat, 99999999999999999999 Nov 2026 08:00:00 GMT", "Sat, 28 Nov 99999 08:00:00 GMT", "x"]
)
def test_nonsense_in_a_date_header_is_no_trouble_and_no_time(open_client, scripted, date):
    client = open_client(scripted((200, GOOD[1], {"Date": date, "Age": "1e400"})).base)
    assert client.get("/markets/KXA-1", MarketBody).at is None
    assert ask(client) == "KXA-1"


@pytest.mark.parametrize("refusal", ["object", "text"])
def test_either_body_of_too_many_requests_halves_the_rate(client, exchange, refusal):
    exchange.faults.rest(refuse=2, refusal=refusal)
    assert client.get("/markets", MarketsBody).body.markets
    assert client.limiter.rate == 1.25


def test_the_historical_tier_has_a_pace_of_its_own_whatever_the_key_is_allowed(open_client, exchange, time):
    client = open_client(exchange, credentials=key_of(exchange))
    client.get("/markets", MarketsBody)
    assert (client.limiter.rate, client.historical.rate) == (16, 4)
    begin, asked = time.seconds, 24
    for _ in range(asked):
        client.get("/historical/markets", MarketsBody)
    assert asked - 5 <= 4 * (time.seconds - begin) <= asked
    exchange.faults.rest(refuse=1)
    client.get("/historical/markets", MarketsBody)
    assert (client.limiter.rate, client.historical.rate) == (16, 2)


def test_a_page_of_the_edge_is_an_outage_whatever_its_status(client, exchange):
    exchange.faults.rest(refuse=1, refusal="html")
    assert client.get("/markets", MarketsBody).body.markets
    assert client.limiter.rate == 5


def test_a_body_that_cannot_be_unpacked_is_an_outage(open_client, scripted):
    server = scripted((200, "no gzip", {"Content-Encoding": "gzip"}), GOOD)
    assert ask(open_client(server.base)) == "KXA-1"


@pytest.mark.parametrize("body", ['{"market":', '{"market":{"ticker":"KXA', '  {"market":{"ticker":"KXA-1"}'])
def test_an_answer_that_breaks_off_is_asked_for_again(open_client, scripted, body):
    assert ask(open_client(scripted((200, body), GOOD).base)) == "KXA-1"
    with pytest.raises(RestUnavailableError, match="answers 200, an answer that breaks off"):
        ask(open_client(scripted((200, body)).base))


def test_an_answer_that_ends_before_its_length_is_asked_for_again(client, exchange):
    exchange.faults.rest(refuse=2, refusal="torn")
    assert len(client.get("/markets", MarketsBody).body.markets) > 10


def test_an_answer_that_trickles_does_not_hold_anybody_for_ever(open_client):
    """Every byte comes long before anybody would call the exchange silent."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def trickle():
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer, contextlib.suppress(OSError):
                    peer.recv(65_536)
                    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                    while True:
                        peer.sendall(b" ")
                        threading.Event().wait(0.02)

        threading.Thread(target=trickle, daemon=True).start()
        client = open_client(f"http://127.0.0.1:{server.getsockname()[1]}/trade-api/v2")
        began = real_time.monotonic()
        with pytest.raises(RestUnavailableError, match="began, and did not end"):
            client.get("/markets", MarketsBody, tries=2, timeout=0.1)
        assert 2 <= real_time.monotonic() - began < 30


def test_a_page_with_status_200_is_an_outage(open_client, scripted):
    server = scripted((200, "<html>wait</html>"), GOOD)
    assert ask(open_client(server.base)) == "KXA-1"


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [("object", RateLimitError), ("text", RateLimitError), ("html", RestUnavailableError)],
)
def test_in_the_end_it_is_said(client, exchange, refusal, kind):
    exchange.faults.rest(refuse=1_000, refusal=refusal)
    with pytest.raises(kind, match="several times"):
        client.get("/markets", MarketsBody)


def test_connections_that_break_are_made_again(open_client, exchange, scripted, time):
    with pytest.raises(RestUnavailableError, match="does not answer"):
        open_client("http://127.0.0.1:9/trade-api/v2").get("/markets", MarketsBody)
    assert time.waits == [0.5, 1.0, 2.0]


def test_a_simulated_market_s_budget_is_kept_to(exchange):
    client = RestClient(exchange.rest_url)
    exchange.faults.rest(tokens=20)
    try:
        for _ in range(8):
            assert client.get("/markets", MarketsBody, {"limit": 1}).body.markets
        assert client.limiter.rate < 5
    finally:
        client.close()


# -- errors ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "kind", "said", "code"),
    [
        (404, '{"error":{"code":"not_found","message":"not found"}}', RestNotFoundError, "not found", "not_found"),
        (400, '{"error":{"code":"bad","message":"m","details":"d"}}', RestRequestError, "400, d.", "bad"),
        (400, '{"code":"bad","message":"the message"}', RestRequestError, "the message", "bad"),
        (400, '{"code":"bad","message":"m","details":"the details"}', RestRequestError, "the details", "bad"),
        (400, '{"msg":"Parameter validation failed"}', RestRequestError, "Parameter validation failed", ""),
        (429, '{"error":"too many requests"}', RateLimitError, "too many requests", ""),
        (403, '{"error":{"code":"no","message":"forbidden"}}', RestCredentialsError, "forbidden", "no"),
        (500, '{"message":5}', RestUnavailableError, "answers 500.", ""),
        (400, "[]", RestUnavailableError, "before the exchange", ""),
        (400, '{"msg":"\\u001b[31mred"}', RestRequestError, r"\x1b[31mred", ""),
    ],
)
def test_each_shape_of_an_error_is_read(open_client, scripted, status, body, kind, said, code):
    with pytest.raises(kind) as caught:
        ask(open_client(scripted((status, body)).base))
    assert said in str(caught.value)
    assert (caught.value.status, caught.value.code) == (status, code)
    assert isinstance(caught.value, KalshiError)


def test_a_long_body_is_cut(open_client, scripted):
    with pytest.raises(RestRequestError) as caught:
        ask(open_client(scripted((400, '{"msg":"' + "x" * 5_000 + '"}')).base))
    assert len(caught.value.body) < 310
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("status", [413, 414, 431])
def test_a_question_that_is_too_long_is_not_asked_again(open_client, scripted, status):
    server = scripted((status, "<html>too long</html>"))
    with pytest.raises(RestRequestError, match="ask for fewer things at once"):
        ask(open_client(server.base))
    assert len(server.asked) == 1


@pytest.mark.parametrize("body", ['{"market":{}}', '{"market":5}', '{"market":null}', '{"market":{"ticker":5}}'])
def test_an_answer_that_means_nothing_is_said_to_be_one(open_client, scripted, body):
    with pytest.raises(RestBodyError, match="GET /markets/KXA-1: the answer cannot be read"):
        ask(open_client(scripted((200, body)).base))


@pytest.mark.parametrize(
    "body", ['{"market":{"ticker":"\\ud800"}}', '{"market":NaN}', '{"market":{"ticker":Infinity}}']
)
def test_an_answer_that_is_json_to_some_alone_is_not_called_a_refusal(open_client, scripted, body):
    with pytest.raises(RestBodyError, match=r"answers 200\. The answer cannot be read"):
        ask(open_client(scripted((200, body)).base))


def test_a_clock_that_is_off_is_named(open_client, scripted, exchange):
    body = '{"error":{"code":"header_timestamp_expired","message":"header timestamp expired"}}'
    client = open_client(scripted((401, body)).base, credentials=key_of(exchange))
    with pytest.raises(RestCredentialsError, match="clock is off"):
        ask(client)


@pytest.mark.parametrize("ticker", ["", " ", None, 5])
def test_what_is_no_ticker_is_refused(ticker):
    with pytest.raises(ConfigurationError, match="no ticker"):
        segment(ticker)


def test_a_ticker_cannot_leave_its_place_in_a_path():
    assert segment("../x?y#z") == "..%2Fx%3Fy%23z"


# -- bodies ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "micros"),
    [("0.47", 470_000), ("0.123456", 123_456), ("-1.5000", -1_500_000), (1, 1_000_000), (0.05, 50_000), ("", None)],
)
def test_money_is_exact(value, micros):
    assert micro_dollars(value) == micros


@pytest.mark.parametrize("value", ["0.1234567", "x", 0.1 + 0.2, 1e-7, float("inf")])
def test_money_is_not_rounded(value):
    with pytest.raises(RestBodyError, match="Nothing is rounded"):
        micro_dollars(value)
    assert counts("5.00") == 500


def test_unknown_fields_are_passed_over_and_missing_ones_are_none():
    market = msgspec.json.decode(b'{"ticker":"KXA-1","new_key":{"a":[1]},"floor_strike":3}', type=Market)
    assert (market.ticker, market.title, market.floor_strike) == ("KXA-1", None, 3.0)


@pytest.mark.recordings
def test_recorded_markets_of_the_real_exchange_are_read():
    base = folder() / "events-demo-2026-06-11"
    first = msgspec.json.decode((base / "markets__page1.json").read_bytes(), type=MarketsBody)
    assert len(first.markets) == 5
    assert first.cursor
    last = msgspec.json.decode((base / "markets__single_filter_lastpage.json").read_bytes(), type=MarketsBody)
    assert last.cursor == ""
    single = msgspec.json.decode((base / "markets__single.json").read_bytes(), type=MarketBody).market
    assert micro_dollars(single.last_price_dollars) == 990_000


def test_the_time_of_an_answer_is_the_exchange_s(client, exchange, open_client, scripted):
    at = client.get("/markets", MarketsBody).at
    assert at == exchange.now_us() // 1_000_000 * 1_000_000
    old = {"Date": "Sun, 22 Nov 2026 15:00:30 GMT", "Age": "12"}
    aged = open_client(scripted((200, GOOD[1], old)).base).get("/markets/KXA-1", MarketBody).at
    assert dt.datetime.fromtimestamp(aged / 1e6, dt.UTC) == dt.datetime(2026, 11, 22, 15, 0, 18, tzinfo=dt.UTC)


# -- hostile answers ---------------------------------------------------------------------------------------------

LIST = '{"markets":[],"cursor":""}'
DEEP = '{"a":' * 5_000 + "1" + "}" * 5_000


@pytest.mark.parametrize(
    "date",
    [
        "Sat, 11111111111111111111 Nov 2026 08:00:00 GMT",
        "Sat, 28 Nov 2026 08:00:00 +99999999999999999999",
        "Fri, 31 Dec 9999 23:59:59 -9999",
        "soon",
    ],
)
def test_an_answer_whose_date_is_none_is_an_answer(open_client, scripted, date):
    answer = open_client(scripted((200, LIST, {"Date": date})).base).get("/markets", MarketsBody)
    assert (answer.body.markets, answer.at) == ([], None)


@pytest.mark.parametrize("limits", [DEEP, b'{"read":{"refill_rate":1},"\xff":1}', '{"read":null}', "[]", "{"])
def test_limits_that_cannot_be_read_are_no_error(open_client, scripted, exchange, limits):
    client = open_client(scripted((200, limits), (200, LIST)).base, credentials=key_of(exchange))
    assert client.get("/markets", MarketsBody).body.markets == []


@pytest.mark.parametrize("body", [DEEP, '{"markets":[{"ticker":"\\ud800"}]}', "\ufeff" + LIST, b'{"markets":"\xff"}'])
def test_an_answer_that_is_read_by_some_and_not_by_others_is_one_that_cannot_be_read(open_client, scripted, body):
    server = scripted((200, body))
    with pytest.raises(RestBodyError, match="answer cannot be read"):
        open_client(server.base).get("/markets", MarketsBody)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "place", ["javascript:alert(1)", "http://[", "http://\x7f/", "x" * 70_000, "//@:99999999", "http://xn--\xad/", "/"]
)
def test_nobody_looks_where_an_answer_leads_to(open_client, scripted, place):
    server = scripted((302, "<html>moved</html>", {"Location": place}))
    with pytest.raises(RestUnavailableError, match="the exchange answers 302, a page of something before"):
        open_client(server.base).get("/markets", MarketsBody)
    assert {path.partition("?")[0] for path, _ in server.asked} == {"/trade-api/v2/markets"}


def test_a_body_without_end_is_not_kept(open_client, scripted):
    pieces = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = pieces.compress(b'{"markets":[],"x":"')
    for _ in range(2_000):
        packed += pieces.compress(bytes(100_000))
    packed += pieces.flush()
    server = scripted((200, packed, {"Content-Encoding": "gzip"}))
    with pytest.raises(RestBodyError, match="larger than 100 MB") as caught:
        open_client(server.base).get("/markets", MarketsBody)
    assert len(packed) < 1_000_000
    assert (caught.value.status, len(server.asked)) == (200, 1)


@pytest.mark.parametrize("packing", ["gzip, gzip", "br", "zstd", "gzip, " * 1_000, "\x1b[31m"])
def test_a_body_is_unpacked_once_and_as_was_asked_for(open_client, scripted, packing):
    server = scripted((200, gzip.compress(gzip.compress(LIST.encode())), {"Content-Encoding": packing}))
    with pytest.raises(RestBodyError, match="packed as nobody asked for") as caught:
        open_client(server.base).get("/markets", MarketsBody)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400
    (asked,) = server.asked
    assert asked[1]["Accept-Encoding"] == "gzip, deflate"


def test_a_body_that_is_packed_as_was_asked_for_is_read(open_client, scripted):
    server = scripted((200, gzip.compress(LIST.encode()), {"Content-Encoding": "GZIP"}))
    assert open_client(server.base).get("/markets", MarketsBody).body.markets == []


def test_what_cannot_be_asked_is_no_error_of_the_library_s(open_client, scripted):
    with pytest.raises(RestRequestError, match="nothing can be asked like that"):
        open_client(scripted((200, LIST)).base).get("/markets", MarketsBody, {"tickers": "x" * 100_000})


# -- threads, loops and the end ----------------------------------------------------------------------------------


def test_many_threads_ask_at_once(exchange):
    client = RestClient(exchange.rest_url, credentials=key_of(exchange))
    found = []

    def run():
        found.append(client.get(f"/markets/{TICKER}", MarketBody).body.market.ticker)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    client.close()
    assert found == [TICKER] * 8


def test_it_can_be_awaited(client):
    async def main():
        return await asyncio.gather(*(client.get_async("/markets", MarketsBody, {"limit": n}) for n in (1, 2)))

    assert [len(each.body.markets) for each in asyncio.run(main())] == [1, 2]


@pytest.mark.parametrize("role", ["io", "pipeline", "display"])
def test_threads_that_data_goes_through_do_not_ask(client, role):
    set_role(role)
    try:
        with pytest.raises(WrongThreadError, match="in a cell or in a callback"):
            client.get("/markets", MarketsBody)
    finally:
        set_role(None)


def test_closing_ends_whoever_waits(exchange):
    exchange.faults.rest(refuse=1_000, refusal="gateway")
    client = RestClient(exchange.rest_url)
    ended = []

    def run():
        with pytest.raises(RestUnavailableError) as caught:
            client.get("/markets", MarketsBody)
        ended.append(str(caught.value))

    thread = threading.Thread(target=run)
    thread.start()
    client.close()
    client.close()
    thread.join(60)
    assert len(ended) == 1
    assert "closed" in ended[0]


def test_closing_leaves_a_question_that_is_under_way_its_answer(open_client, scripted):
    server = scripted(GOOD)
    asked, may_answer = threading.Event(), threading.Event()
    answer = server.next

    def held():
        asked.set()
        assert may_answer.wait(60)
        return answer()

    server.next = held
    client, ended = open_client(server.base), []

    def run():
        ended.append(ask(client))

    thread = threading.Thread(target=run)
    thread.start()
    assert asked.wait(60)
    client.close()
    may_answer.set()
    thread.join(60)
    assert ended == ["KXA-1"]
    with pytest.raises(RestUnavailableError, match="closed"):
        ask(client)


def test_nothing_is_imported_before_the_first_question():
    code = (
        "import sys, kalshi_nb\n"
        "from kalshi_nb._rest.client import RestClient\n"
        "repr(RestClient('https://127.0.0.1:9/trade-api/v2'))\n"
        "print('httpx' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_proxy_that_cannot_be_used_is_named_without_its_password(open_client):
    client = open_client("https://external.invalid/trade-api/v2", proxy="socks9://me:secret@127.0.0.1:9")
    with pytest.raises(ConfigurationError, match="proxy") as caught:
        client.get("/markets", MarketsBody)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def of_a_signer(exchange, monkeypatch):
    """Credentials of an exchange, and what was signed with them, as it is signed."""
    from kalshi_nb._auth import Signer

    found, headers = [], Signer.headers

    def noting(self, path, **given):
        made = headers(self, path, **given)
        found.extend(made.values())
        return made

    monkeypatch.setattr(Signer, "headers", noting)
    return key_of(exchange), found


def shown_by(error):
    """All that a traceback with locals shows of an error, and of whatever it came from."""
    while error is not None:
        yield from (str(error), repr(error), repr(vars(error)))
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_globals["__name__"].startswith(("kalshi_nb", "httpx", "httpcore", "h11")):
                yield from map(repr, trace.tb_frame.f_locals.values())
            trace = trace.tb_next
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("where", ["SyncBackend.connect_tcp", "SyncStream.write", "SyncStream.read"])
@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit, RuntimeError])
def test_no_traceback_of_a_question_that_is_broken_off_shows_what_was_signed(
    open_client, exchange, monkeypatch, where, end
):
    credentials, signed = of_a_signer(exchange, monkeypatch)
    client = open_client(exchange, credentials=credentials)

    def broken_off(*_, **__):
        raise end

    monkeypatch.setattr(f"httpcore._backends.sync.{where}", broken_off)
    with pytest.raises(end) as caught:
        client.get("/markets", MarketsBody)
    assert len(signed) >= 3
    for text in shown_by(caught.value):
        assert [each for each in signed if each[:40] in text] == []


def test_a_server_that_says_back_what_it_was_told_is_not_quoted(open_client, exchange, monkeypatch):
    credentials, signed = of_a_signer(exchange, monkeypatch)

    def echo(connection):
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(4096)
        body = b'{"error":{"code":"bad","message":"' + b" ".join(head.split()[-12:]) + b'"}}'
        connection.sendall(b"HTTP/1.1 400 Bad\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    with ByHand(echo) as server:
        client = open_client(f"http://127.0.0.1:{server.port}/trade-api/v2", credentials=credentials)
        with pytest.raises(RestRequestError) as caught:
            client.get("/markets", MarketsBody)
    assert "KALSHI-ACCESS" in str(caught.value).upper()
    for text in shown_by(caught.value):
        assert [each for each in signed if each[:40] in text] == []


def test_no_traceback_of_an_error_leads_to_a_password(open_client, exchange):
    login = Secret("me:hunter2-of-the-proxy")
    credentials = Credentials(exchange.key_id, Secret(exchange.private_key), login=login, environ={})
    client = open_client("http://127.0.0.1:9/trade-api/v2", credentials=credentials)
    with pytest.raises(RestUnavailableError) as caught:
        client.get("/markets", MarketsBody)
    basic = base64.b64encode(login.reveal().encode()).decode()
    problem, seen = caught.value, 0
    while problem is not None:
        trace = problem.__traceback__
        while trace is not None:
            if trace.tb_frame.f_globals["__name__"].startswith(("kalshi_nb", "httpx", "httpcore")):
                seen += 1
                assert basic not in repr(trace.tb_frame.f_locals)
            trace = trace.tb_next
        problem = problem.__cause__ or problem.__context__
    assert seen >= 2

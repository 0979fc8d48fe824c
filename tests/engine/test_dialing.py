"""The first handshake: what is refused, how it is said, and that nothing is left running."""

import asyncio
import contextlib
import json
import socket
import threading
import time
from email.utils import formatdate

import pytest

from kalshi_nb._auth import Credentials
from kalshi_nb._engine.dialing import clock_skew, dial
from kalshi_nb._engine.transport import Route, hang_up
from kalshi_nb._environments import ENVIRONMENTS, path_of, place_of
from kalshi_nb.errors import (
    AuthenticationError,
    ClockSkewError,
    FeedClosedError,
    HandshakeError,
    MissingCredentialsError,
    UnknownEnvironmentError,
    UnreachableError,
)
from tests.engine.conftest import PATH, io_threads, wait_until


def unauthorised(code, details=None):
    error = {"code": code, "message": code}
    if details:
        error["details"] = details
    return (401, {}, json.dumps({"error": error}))


# addresses


def test_environments_have_their_addresses():
    assert place_of("prod").url == "wss://external-api-ws.kalshi.com" + PATH
    assert place_of("demo").url == ENVIRONMENTS["demo"]
    for url in ("wss://somewhere.else:444/a", "ws://127.0.0.1:8765" + PATH, "ws://localhost/", "ws://[::1]:1/"):
        assert place_of(url).url == url
    assert path_of("wss://host:1/a/b?c=d#e") == "/a/b"
    assert path_of("wss://host") == "/"


@pytest.mark.parametrize(
    ("where", "step"),
    [
        ("live", "'demo', 'prod'"),
        ("", "'sim'"),
        ("https://kalshi.com", "WebSocket address"),
        ("wss://", "WebSocket address"),
        ("ws://192.168.0.1/x", "not encrypted"),
        ("ws://127.0.0.1.evil.example/x", "not encrypted"),
        ("wss://[::1", "not an address"),
    ],
)
def test_a_place_that_does_not_exist_says_which_do(where, step):
    with pytest.raises(UnknownEnvironmentError) as caught:
        place_of(where)
    assert step in str(caught.value)


# refusals of the exchange


@pytest.mark.parametrize(
    ("refusal", "kind", "step"),
    [
        (unauthorised("authentication_error", "INCORRECT_API_KEY_SIGNATURE"), AuthenticationError, "same API key"),
        (unauthorised("authentication_error", "NOT_FOUND"), AuthenticationError, "Demo and production"),
        (unauthorised("authentication_error", "INVALID_PARAMETER"), AuthenticationError, "Check key id"),
        (unauthorised("header_timestamp_expired"), ClockSkewError, "NTP"),
        (unauthorised("signature_is_missing_from_headers"), AuthenticationError, "private key"),
        ((403, {}, "<html>no</html>"), HandshakeError, "a web page"),
        ((401, {}, ""), AuthenticationError, "HTTP 401"),
        ((401, {}, "[1]"), AuthenticationError, "[1]"),
        ((401, {}, '{"error":{"other":1}}'), AuthenticationError, "other"),
        ((503, {"Retry-After": "7"}, "maintenance"), HandshakeError, "maintenance"),
        ((429, {"Retry-After": "2.5"}, ""), HandshakeError, "Too many"),
        ((502, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, ""), HandshakeError, "try again later"),
        ((404, {}, "not here"), HandshakeError, "Check the address"),
        ((200, {}, "a web page"), HandshakeError, "Check the address"),
    ],
)
def test_a_refused_handshake_raises_where_it_was_asked_for(exchange, engines, refusal, kind, step):
    exchange.refuse.append(refusal)
    engine = engines(exchange.url)
    with pytest.raises(HandshakeError) as caught:
        engine.start(10)
    error = caught.value
    assert type(error) is kind
    assert step in str(error)
    assert error.status == refusal[0]
    assert error.body == refusal[2]
    expected = {"7": 7.0, "2.5": 2.5}.get(refusal[1].get("Retry-After"))
    assert error.retry_after == expected
    assert io_threads() == []
    assert engine.state == "closed"
    assert len(exchange.handshakes) == 1
    with pytest.raises(FeedClosedError):
        engine.want("trade", [frozenset({"KXA-1"})], rows="trade", timeout=1)


@contextlib.contextmanager
def raw_server(answer):
    """A TCP server that does with each connection what `answer` does."""
    listener = socket.create_server(("127.0.0.1", 0))
    kept = []

    def serve():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                kept.append(connection)
                with contextlib.suppress(OSError):
                    answer(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}{PATH}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in kept:
            connection.close()
        thread.join(5)


def test_nobody_listening_is_said_at_once(engines):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    engine = engines(f"ws://127.0.0.1:{port}{PATH}")
    with pytest.raises(UnreachableError, match=r"Nobody answers.*connect\('sim'\)"):
        engine.start(10)
    assert io_threads() == []


def test_silence_is_given_up_within_the_timeout_while_whoever_has_more_time_waits_on(engines):
    with raw_server(lambda connection: None) as url:
        patient = engines(url)

        def wait():
            with contextlib.suppress(FeedClosedError):
                patient.start(100)

        waiting = threading.Thread(target=wait)
        waiting.start()
        wait_until(io_threads)
        with pytest.raises(UnreachableError, match=r"within 0\.3 s"):
            engines(url).start(0.3)
        assert waiting.is_alive()  # though it began before
        assert len(io_threads()) == 1
        patient.close()
        waiting.join()
        assert io_threads() == []


@pytest.mark.parametrize(
    "answer",
    [
        lambda connection: (connection.recv(4096), connection.sendall(b"SSH-2.0-Other\r\n"), connection.close()),
        lambda connection: (connection.recv(4096), connection.sendall(b"\x00\xff" * 500), connection.close()),
        lambda connection: connection.close(),
        lambda connection: (connection.recv(4096), connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")),
    ],
    ids=["another protocol", "noise", "hung up", "half an answer"],
)
def test_a_server_that_is_no_websocket_server_is_told_from_a_refusal(engines, answer):
    with raw_server(answer) as url:
        with pytest.raises(HandshakeError, match="not as a WebSocket server") as caught:
            engines(url).start(10)
        assert caught.value.status == 0
        assert io_threads() == []


def test_a_reset_during_the_handshake_is_no_crash(engines):
    def reset(connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        connection.close()

    with raw_server(reset) as url:
        with pytest.raises((UnreachableError, HandshakeError)):
            engines(url).start(10)
        assert io_threads() == []


def test_a_name_that_does_not_exist_is_unreachable(engines, monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)

    async def fail(*args, **kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", fail)
    with pytest.raises(UnreachableError, match="name of the host"):
        engines("wss://no-such-host.invalid" + PATH).start(10)


def test_missing_credentials_are_said_before_anything_is_dialled(engines, exchange):
    with pytest.raises(MissingCredentialsError):
        engines(exchange.url, Credentials(environ={})).start(10)
    assert exchange.handshakes == []
    assert io_threads() == []


# the connection that is made


def test_the_handshake_carries_three_headers_and_offers_no_compression(exchange, engine):
    _, headers, path = exchange.handshakes[0]
    assert path == PATH
    assert headers["KALSHI-ACCESS-KEY"] == "a-key-id"
    assert {"KALSHI-ACCESS-TIMESTAMP", "KALSHI-ACCESS-SIGNATURE"} <= set(headers)
    assert "Sec-WebSocket-Extensions" not in headers
    assert engine.state == "connected"


@pytest.mark.parametrize("ahead", [0, -100, 100])
def test_the_clocks_difference_is_read_from_the_answer(exchange, credentials, transport, ahead):
    async def measure(stamp):
        exchange.date = stamp
        connection = await dial(exchange.url, credentials, timeout=10, route=Route(transport))
        await hang_up(connection)
        return clock_skew(connection)

    before = time.time()
    skew = asyncio.run(measure(formatdate(before + ahead, usegmt=True)))
    # The stamp has whole seconds, and the answer came at some time up to now.
    assert -0.01 <= skew + ahead <= time.time() - before + 1.01
    assert asyncio.run(measure("no date")) is None
    assert asyncio.run(measure("")) is None


def test_a_large_message_is_taken(exchange, engine):
    engine.want("trade", [frozenset({"KXA-1"})], rows="trade", timeout=10)
    before = engine.links[0].session.messages
    tickers = [f"KX-{number:06}-SOMEWHAT-LONG" for number in range(300_000)]
    exchange.send({"type": "ok", "id": 7_777, "msg": {"market_tickers": tickers}})
    wait_until(lambda: engine.links[0].session.messages > before)
    assert engine.state == "connected"

"""Whatever a server writes in place of a handshake: at first it is one of the kit's errors, later an outage."""

import base64
import contextlib
import hashlib
import random
import re
import socket
import threading

import pytest

from kalshi_nb.errors import HandshakeError, KalshiError, LinkError, UnreachableError
from tests.engine.conftest import PATH, io_threads, wait_until
from tests.engine.hosts import ByHand, request_of

DEEP = b"[" * 2_000 + b"]" * 2_000
DATES = [b"Sat, 28 Nov 2026 08:00:00 GMT", b"Sat, 11111111111111111111 Nov 2026", b"\xff\xfe", b"", b"0", b"-1"]
NAMES = [b"Date", b"Retry-After", b"Location", b"Content-Length", b"Content-Type", b"Transfer-Encoding", b"Connection"]
NAMES += [b"Upgrade", b"Sec-WebSocket-Accept", b"Sec-WebSocket-Extensions", b"Set-Cookie", b"", b"\x00", b"A B", b":"]
VALUES = [*DATES, b"x" * 9_000, b"\x1b[31m", b"1e999", b"nan", b"99999999999999999999", b"chunked", b"websocket"]
VALUES += [b"permessage-deflate", b"\r", b"\x00", "\u202e".encode(), b"7", b"close", b"Upgrade", b"gzip"]
BODIES = [
    b"",
    DEEP,
    b'{"error":' * 1_500,
    b'{"error":{"code":[1]}}',
    b'{"error":null}',
    b"null",
    b"\xff" * 300,
    b'"\\ud800"',
]
BODIES += [
    b"<html>" * 500,
    b"\x1b]0;title\x07",
    b"1" * 5_000,
    b'{"error":{"details":{"a":1}}}',
    b"5\r\nhello\r\n0\r\n\r\n",
]
STATUSES = [
    b"101",
    b"200",
    b"301",
    b"400",
    b"401",
    b"403",
    b"404",
    b"407",
    b"429",
    b"500",
    b"503",
    b"999",
    b"000",
    b"1",
]
LINES = [
    b"HTTP/1.1 %b Whatever",
    b"HTTP/1.0 %b No",
    b"HTTP/1.1 %b",
    b"HTTP/2 %b x",
    b"http/1.1 %b \xff",
    b"%b",
    b"ICY %b OK",
]


def accept(head):
    key = re.search(rb"(?i)sec-websocket-key: *(\S+)", head)[1]
    return base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())


def good(head, more=b""):
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        + accept(head)
        + b"\r\n"
        + more
        + b"\r\n"
    )


def made_up(seed):
    """Return what a hostile server answers: a handshake whose head, headers and body are put together by chance."""
    chance = random.Random(seed)
    headers = b"".join(
        b"%b: %b\r\n" % (chance.choice(NAMES), chance.choice(VALUES)) for _ in range(chance.choice([0, 1, 3, 9, 300]))
    )
    body = chance.choice(BODIES)
    if chance.random() < 0.7:
        headers += b"Content-Length: %d\r\n" % len(body)
    answer = chance.choice(LINES) % chance.choice(STATUSES) + b"\r\n" + headers + b"\r\n" + body

    def talk(connection):
        head = request_of(connection)
        whole = good(head, headers) if chance.random() < 0.3 else answer
        if chance.random() < 0.2:
            whole = bytearray(whole)
            for _ in range(chance.randint(1, 9)):
                whole[chance.randrange(len(whole))] = chance.randrange(256)
        connection.sendall(whole[: chance.randrange(len(whole))] if chance.random() < 0.1 else whole)

    return talk


@pytest.mark.parametrize("seed", [*range(60), 1287, 1598])
def test_a_first_handshake_of_chance_is_one_of_the_errors_of_the_kit_or_works(engines, seed):
    with ByHand(made_up(seed)) as server:
        engine = engines(f"ws://127.0.0.1:{server.port}{PATH}")
        with contextlib.suppress(LinkError):
            engine.start(3)
        error = engine.status().last_error or ""
        assert "Nobody thought of that" not in error
        assert error.isprintable()
        engine.close()
    assert io_threads() == []


@pytest.mark.parametrize("body", [DEEP, b'{"error":' * 2_000, b'{"a":' * 2_000 + b"1" + b"}" * 2_000])
@pytest.mark.parametrize("status", [401, 403, 503])
def test_a_body_nested_without_end_is_no_trouble(engines, body, status):
    def talk(connection):
        request_of(connection)
        connection.sendall(b"HTTP/1.1 %d No\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body)

    with ByHand(talk) as server, pytest.raises(HandshakeError) as caught:
        engines(f"ws://127.0.0.1:{server.port}{PATH}").start(5)
    assert caught.value.status == status
    assert len(str(caught.value)) < 500
    assert len(caught.value.body) <= 2_002


@pytest.mark.parametrize(
    "more",
    [
        b"Date: Sat, 28 Nov 2026 08:00:00 GMT\r\nDate: Sat, 28 Nov 2026 08:00:00 GMT\r\n",
        b"Date: Sat, 11111111111111111111 Nov 2026\r\n",
        b"Date: Fri, 31 Dec 9999 23:59:59 -9999\r\n",
        b"Date: \xff\xfe\r\n",
        b"Set-Cookie: " + b"x" * 8_000 + b"\r\n",
        b"".join(b"A-%d: b\r\n" % number for number in range(100)),
    ],
)
def test_a_good_handshake_with_absurd_headers_is_a_good_one(engines, more):
    answered = threading.Event()

    def talk(connection):
        connection.sendall(good(request_of(connection), more))
        answered.wait(5)

    with ByHand(talk) as server:
        engine = engines(f"ws://127.0.0.1:{server.port}{PATH}")
        engine.start(5)
        assert engine.state == "connected"
        assert engine.status().faults == 0
        answered.set()
        engine.close()


@pytest.mark.parametrize("host", ["x" * 64 + ".example", "a..example", "a\0b.example", "xn--\u0130.example", "."])
@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_a_host_of_which_the_name_can_be_none_is_an_address_to_check(engines, host, scheme):
    with pytest.raises(KalshiError) as caught:
        engines(f"{scheme}://{host}{PATH}", proxy=False).start(5)
    assert isinstance(caught.value, UnreachableError | HandshakeError)
    assert "Nobody thought of that" not in str(caught.value)
    assert "Check" in str(caught.value)
    assert str(caught.value).isprintable()
    assert io_threads() == []


def test_the_surprises_of_one_connection_are_no_trouble_of_another(engines):
    good_ones, hostile, lock = [], iter(()), threading.Lock()

    def talk(connection):
        head = request_of(connection)
        with lock:
            seed = next(hostile, None)
        if seed is not None:
            made_up(seed)(_Read(connection, head))
            return
        good_ones.append(connection)
        connection.sendall(good(head))
        while connection.recv(4096):
            pass

    with ByHand(talk) as server:
        engine = engines(f"ws://127.0.0.1:{server.port}{PATH}", connections=2)
        engine.start(5)
        wait_until(lambda: len(good_ones) == 2)
        thread, port = engine._io._thread, good_ones[0].getpeername()[1]
        (hit,) = [each for each in engine.links if each.local_port() == port]
        (spared,) = [each for each in engine.links if each is not hit]
        hostile = iter(range(1_000, 1_030))
        good_ones[0].shutdown(socket.SHUT_RDWR)
        wait_until(lambda: engine.reconnect() >= 0 and len(good_ones) == 3, 60)
        wait_until(lambda: engine.reconnect() >= 0 and hit.state == "connected")
        assert (spared.state, spared.reconnects, engine.status().faults) == ("connected", 0, 0)
        assert engine._io._thread is thread


class _Read:
    """A connection of which the request was read already."""

    def __init__(self, connection, head):
        self.sendall = connection.sendall
        self._head = head

    def recv(self, _):
        return self._head

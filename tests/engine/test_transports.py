"""Both transports behave alike, down to single frames that no library would send."""

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import re
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

from kalshi_nb._engine import over_picows, over_websockets
from kalshi_nb._engine.transport import TRANSPORTS, checked
from kalshi_nb.errors import (
    AuthenticationError,
    ClockSkewError,
    ConfigurationError,
    HandshakeError,
    MissingPackageError,
)
from tests.engine.conftest import PATH, io_threads, reconnects, wait_until

TEXT, CONTINUATION, BINARY, CLOSE, PING, PONG = 1, 0, 2, 8, 9, 10
MANY = 200
STATM = Path("/proc/self/statm")


def frame(kind, payload=b"", *, fin=True, length=None, reserved=0):
    length = len(payload) if length is None else length
    head = bytes([kind | (0x80 if fin else 0) | reserved << 4])
    if length < 126:
        return head + bytes([length]) + payload
    if length < 2**16:
        return head + b"\x7e" + length.to_bytes(2) + payload
    return head + b"\x7f" + length.to_bytes(8) + payload


def news(number):
    """A message that the session counts and sets aside, telling which one it is."""
    return json.dumps({"type": f"news-{number}"}).encode()


class RawServer:
    """Answers handshakes by hand and sends what it is told, byte for byte."""

    def __init__(self):
        self.with_the_answer = b""
        self.more_headers = b""
        self.floods = False
        self.stays = False
        self.first_answers = []
        self.connections = []
        self.received = []
        self.answers_pings = True
        self.sent = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self._listener.getsockname()[1]}{PATH}"
        self.handshakes = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection):
        with contextlib.suppress(OSError):
            request = b""
            while b"\r\n\r\n" not in request:
                request += connection.recv(4096)
            self.handshakes += 1
            if self.first_answers:
                for piece in self.first_answers.pop(0):
                    connection.sendall(piece)
                    threading.Event().wait(0.1)  # so that the pieces come one by one
                connection.close()
                return
            key = re.search(rb"(?i)sec-websocket-key: *(\S+)", request)[1]
            accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
            connection.sendall(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: " + accept + b"\r\n" + self.more_headers + b"\r\n" + self.with_the_answer
            )
            self.connections.append(connection)
            if self.floods:
                self._flood(connection)
            while data := connection.recv(65536):
                self.received.append(data)
                if data[0] & 0xF == CLOSE and not self.stays:
                    break
                if self.answers_pings and data[0] & 0xF == PING:
                    connection.sendall(frame(PONG, _unmasked(data)))
        connection.close()

    def _flood(self, connection):
        """Ask without end whether anybody is there, and read no answer."""
        pings = frame(PING, b"x" * 125) * 2_000
        while self.sent < 400_000_000:
            connection.sendall(pings)
            self.sent += len(pings)

    def send(self, data):
        self.connections[-1].sendall(data)

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def _unmasked(data):
    mask, payload = data[2:6], data[6 : 6 + (data[1] & 0x7F)]
    return bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


@pytest.fixture
def server():
    found = RawServer()
    yield found
    found.close()


@pytest.fixture
def talking(server, engines):
    """An engine that is connected to the server, by hand."""
    found = engines(server.url)
    found.start(10)
    wait_until(lambda: server.connections)
    return found


def seen(engine):
    """Numbers of the messages that came, in their order."""
    return [int(re.search(rb"news-(\d+)", each.data)[1]) for each in list(engine.links[0].session.rejects)]


# messages


def test_messages_come_whole_and_in_order_however_they_are_packed(server, talking):
    stream = b"".join(frame(TEXT, news(number)) for number in range(60))
    for start in range(0, len(stream), 17):
        server.send(stream[start : start + 17])
    wait_until(lambda: talking.links[0].session.messages == 60)
    assert seen(talking) == list(range(60))


def test_messages_that_come_with_the_answer_to_the_handshake_are_not_lost(server, engines):
    server.with_the_answer = b"".join(frame(TEXT, news(number)) for number in range(20))
    engine = engines(server.url)
    engine.start(10)
    wait_until(lambda: server.connections)
    server.send(b"".join(frame(TEXT, news(number)) for number in range(20, 40)))
    wait_until(lambda: engine.links[0].session.messages == 40)
    assert seen(engine) == list(range(40))


def test_a_message_in_pieces_is_joined_and_stands_in_its_place(server, talking):
    whole = news(1)
    server.send(
        frame(TEXT, news(0))
        + frame(TEXT, whole[:5], fin=False)
        + frame(CONTINUATION, b"", fin=False)
        + frame(PING, b"between two pieces")
        + frame(CONTINUATION, whole[5:])
        + b"".join(frame(TEXT, news(number)) for number in range(2, 30))
        + frame(BINARY, news(30))
    )
    wait_until(lambda: talking.links[0].session.messages == 31)
    assert seen(talking) == list(range(31))
    server.send(frame(TEXT, news(31)))
    wait_until(lambda: talking.links[0].session.messages == 32)
    assert reconnects(talking) == 0


def test_whole_messages_are_taken_where_the_library_calls_back_and_not_by_a_task(server, talking):
    tasks = []
    receive = talking.links[0].session.receive

    def noted(messages, received_at):
        tasks.extend(asyncio.current_task() for _ in messages)
        receive(messages, received_at)

    talking.links[0].session.receive = noted
    server.connections[-1].shutdown(socket.SHUT_RDWR)  # the reader takes the function up with its connection
    wait_until(lambda: reconnects(talking) == 1 and len(server.connections) == 2)
    server.send(b"".join(frame(TEXT, news(number)) for number in range(MANY)))
    wait_until(lambda: len(tasks) == MANY)
    assert set(tasks) == {None}


@pytest.mark.parametrize("transport", ["websockets"])  # picows documents its callbacks
def test_a_library_that_no_longer_calls_back_is_slower_and_not_silent(server, engines, transport, monkeypatch):
    monkeypatch.delattr(over_websockets._Straight, "process_event")
    engine = engines(server.url)
    engine.start(10)
    wait_until(lambda: server.connections)
    server.send(b"".join(frame(TEXT, news(number)) for number in range(90)))
    wait_until(lambda: engine.links[0].session.messages == 90)
    assert seen(engine) == list(range(90))


def test_what_one_read_brought_came_at_one_moment_and_no_moment_lasts_longer(server, engines, monkeypatch):
    monkeypatch.setattr(over_picows, "PING_INTERVAL", 600.0)  # or the answer to one ends a moment that lasts
    engine = engines(server.url)
    link = engine.links[0]
    receive, moments = link.session.receive, []

    def noting(messages, received_at):
        for each in messages:
            time.sleep(0.001)
            moments.append((received_at, link._now_us()))
            receive([each], received_at)

    link.session.receive = noting
    engine.start(10)
    wait_until(lambda: server.connections)
    ends = [frame(PING, b"the last of a read"), b"", frame(TEXT, b"half a mess", fin=False)]
    for number, end in enumerate(ends, 1):
        before = time.time_ns() // 1000
        server.send(b"".join(frame(TEXT, news(number)) for _ in range(10)) + end)
        wait_until(lambda wanted=10 * number: len(moments) == wanted)
        stamps = [stamp for stamp, _ in moments[-10:]]
        assert stamps == sorted(stamps)
        assert before <= stamps[0]
        # Each message took a millisecond; loopback may still bring such a lot in two reads.
        assert len(set(stamps)) <= 2
        wait_until(lambda: link._now_us() > moments[-1][0])
    assert all(stamp == moment for stamp, moment in moments)


def test_nothing_is_taken_after_a_fault_though_more_is_at_hand(server, engines):
    engine = engines(server.url)
    receive, taken = engine.links[0].session.receive, []

    def faulty(messages, received_at):
        for each in messages:
            taken.append(each)
            if len(taken) == 3:
                raise RuntimeError("a fault at the third")
            receive([each], received_at)

    engine.links[0].session.receive = faulty
    engine.start(10)
    wait_until(lambda: server.connections)
    server.send(b"".join(frame(TEXT, news(number)) for number in range(10)))
    wait_until(lambda: reconnects(engine) == 1)
    assert taken == [news(0), news(1), news(2)]
    assert "a fault at the third" in engine.status().last_error
    assert engine.links[0].session.messages == 2


# what ends a connection


@pytest.mark.parametrize(
    "data",
    [
        frame(TEXT, length=2**26 + 1),
        frame(CONTINUATION, b"no beginning"),
        frame(TEXT, b"a beginning", fin=False) + frame(TEXT, b"another"),
        frame(3, b"no such frame"),
        b"\x81\x85maskhello",
        frame(CONTINUATION, news(9) + b" " * 200),
        frame(CONTINUATION, news(9)[:5], fin=False) + frame(CONTINUATION, news(9)[5:]),
        *(frame(TEXT, news(9) + b" " * size, reserved=bit) for bit in (4, 2, 1) for size in (0, 200)),
        *(frame(kind, reserved=4) for kind in (PING, PONG, BINARY)),
        frame(CLOSE, (1001).to_bytes(2), reserved=4),
        frame(TEXT, news(9)[:5], fin=False) + frame(CONTINUATION, news(9)[5:], reserved=4),
        *(frame(kind, b"x" * 126) for kind in (PING, PONG, CLOSE)),
        *(frame(kind, b"", fin=False) for kind in (PING, PONG, CLOSE)),
        *(frame(kind, news(9) + b" " * 200) for kind in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
        b"\x81\xfe\x00\x80mask" + b"x" * 128,
        frame(CLOSE, (1005).to_bytes(2)),
        frame(CLOSE, (1001).to_bytes(2) + b"\xff"),
        frame(CLOSE, b"\x00"),
        frame(CLOSE, (1001).to_bytes(2)) + frame(TEXT, b"after the end"),
    ],
    ids=[
        "too large",
        "no beginning",
        "two beginnings",
        "unknown kind",
        "masked",
        "a large end without a beginning",
        "two ends without a beginning",
        *(f"reserved bit {bit}, {size}" for bit in (1, 2, 3) for size in ("small", "large")),
        *(f"reserved bit of {kind}" for kind in ("a ping", "a pong", "binary", "a close", "a second piece")),
        *(f"a large {kind}" for kind in ("ping", "pong", "close")),
        *(f"a {kind} in pieces" for kind in ("ping", "pong", "close")),
        *(f"unknown kind {kind}" for kind in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
        "masked and large",
        "a code that is none",
        "a reason that is no text",
        "half a code",
        "more behind a close",
    ],
)
def test_what_breaks_the_protocol_costs_the_connection_and_no_more(server, talking, data, capfd):
    server.send(frame(TEXT, news(1)))
    wait_until(lambda: talking.links[0].session.messages == 1)
    server.send(frame(TEXT, news(2)) + frame(TEXT, news(3) + b" " * 200) + data)  # what came before it still counts
    wait_until(lambda: reconnects(talking) == 1 and len(server.connections) == 2)
    assert "connection lost" in talking.status().last_error
    assert seen(talking) == [1, 2, 3]
    server.send(frame(TEXT, news(4)))
    wait_until(lambda: talking.links[0].session.messages == 4)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("size", [0, 200])
@pytest.mark.parametrize("pieces", [1, 2])
def test_text_that_is_none_is_set_aside_as_what_nobody_can_read(server, talking, size, pieces):
    nonsense = b'{"type":"news-\xff\xfe"' + b" " * size + b"}"
    if pieces == 1:
        server.send(frame(TEXT, nonsense))
    else:
        server.send(frame(TEXT, nonsense[:9], fin=False) + frame(CONTINUATION, nonsense[9:]))
    server.send(frame(TEXT, news(1)))
    wait_until(lambda: talking.links[0].session.messages == 2)
    assert reconnects(talking) == 0
    assert talking.status().rejected == 2


def test_a_message_in_pieces_may_be_no_larger_than_any_other(server, engines, monkeypatch):
    for module in ("over_websockets", "over_picows"):
        monkeypatch.setattr(f"kalshi_nb._engine.{module}.LARGEST_MESSAGE", 100_000)
    engine = engines(server.url)
    engine.start(10)
    wait_until(lambda: server.connections)
    server.send(frame(TEXT, b"x" * 60_000, fin=False) + frame(CONTINUATION, b"y" * 60_000))
    wait_until(lambda: reconnects(engine) == 1)
    assert engine.links[0].session.messages == 0


def test_a_close_frame_is_answered_and_its_code_and_reason_kept(server, talking):
    server.send(frame(CLOSE, (4000).to_bytes(2) + b"maintenance"))
    wait_until(lambda: reconnects(talking) == 1)
    assert "4000" in talking.status().last_error
    assert "maintenance" in talking.status().last_error
    assert any(data[0] & 0xF == CLOSE for data in server.received)


@pytest.mark.parametrize("then", [b"", frame(TEXT, b"x" * 100_000) * 100], ids=["silence", "a flood"])
def test_a_server_that_says_goodbye_and_stays_is_left_soon(server, talking, then):
    server.stays = True
    began = time.monotonic()
    with contextlib.suppress(OSError):
        server.send(frame(CLOSE, (1001).to_bytes(2)) + then)
    wait_until(lambda: reconnects(talking) == 1)
    assert time.monotonic() - began < 5
    assert "1001" in talking.status().last_error


def test_a_link_that_answers_no_ping_is_given_up(server, engines, monkeypatch):
    for module in ("over_websockets", "over_picows"):
        monkeypatch.setattr(f"kalshi_nb._engine.{module}.PING_INTERVAL", 0.1)
        monkeypatch.setattr(f"kalshi_nb._engine.{module}.PING_TIMEOUT", 0.3)
    engine = engines(server.url)
    engine.start(10)
    wait_until(lambda: sum(data[0] & 0xF == PING for data in server.received) >= 4)
    assert reconnects(engine) == 0
    server.answers_pings = False
    wait_until(lambda: reconnects(engine) >= 1)
    assert "ping" in engine.status().last_error


def test_a_ping_is_answered(server, talking):
    server.send(frame(PING, b"still there?"))
    wait_until(lambda: any(data[0] & 0xF == PONG and _unmasked(data) == b"still there?" for data in server.received))


def resident():
    """Return the memory that this process has, in bytes."""
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


@pytest.mark.skipif(not STATM.exists(), reason="memory is read where Linux has it")
def test_a_peer_that_pings_without_end_and_never_reads_costs_its_connection_and_no_memory(server, engines):
    server.floods = True
    before = resident()
    engine = engines(server.url)
    engine.start(10)
    wait_until(lambda: reconnects(engine) >= 2, 30)
    assert "reads nothing" in engine.status().last_error
    engine.close()
    assert server.sent < 200_000_000
    assert resident() - before < 80_000_000


# refusals


@pytest.mark.parametrize("name", [b"Sec-WebSocket-Extensions: permessage-deflate", b"Sec-WebSocket-Protocol: chat"])
def test_an_answer_that_takes_up_what_nobody_offered_is_refused(server, engines, name):
    server.more_headers = name + b"\r\n"
    server.with_the_answer = frame(TEXT, news(1))
    with pytest.raises(HandshakeError, match="not as a WebSocket server"):
        engines(server.url).start(10)
    assert io_threads() == []


def test_a_refusal_is_read_whole_although_its_body_comes_later(server, engines):
    body = b'{"error":{"code":"header_timestamp_expired"}}'
    head = f"HTTP/1.1 401 Unauthorized\r\nContent-Length: {len(body)}\r\nRetry-After: 3\r\n\r\n".encode()
    server.first_answers = [(head, body)] * 2
    with pytest.raises(ClockSkewError) as caught:
        engines(server.url).start(10)
    assert caught.value.body == body.decode()
    assert io_threads() == []


def test_a_refusal_of_which_the_rest_never_comes_is_said_as_far_as_it_goes(server, engines):
    server.first_answers = [(b'HTTP/1.1 403 Forbidden\r\nContent-Length: 999\r\n\r\n{"error":"no',)] * 2
    with pytest.raises(HandshakeError) as caught:
        engines(server.url).start(10)
    assert type(caught.value) in (AuthenticationError, HandshakeError)


def test_a_status_that_no_standard_knows_is_a_status_all_the_same(server, engines):
    server.first_answers = [(b"HTTP/1.1 520 Origin Error\r\nContent-Length: 4\r\nretry-after: 9\r\n\r\nhmm.",)]
    with pytest.raises(HandshakeError, match="try again later") as caught:
        engines(server.url).start(10)
    assert (caught.value.status, caught.value.body, caught.value.retry_after) == (520, "hmm.", 9.0)
    assert io_threads() == []


# names


def test_a_transport_that_does_not_exist_says_which_do():
    with pytest.raises(ConfigurationError, match="'websockets', 'picows'"):
        checked("carrier pigeon")
    assert [checked(name) for name in TRANSPORTS] == ["websockets", "picows"]


def test_a_transport_that_is_not_installed_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "picows", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'kalshi-nb\[speed\]'"):
        checked("picows")
    assert checked("websockets") == "websockets"

"""A raw client for the simulated exchange: `websockets` and the standard library's json, nothing else."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
import time

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from kalshi_nb.sim import Exchange

PATH = "/trade-api/ws/v2"
PATIENCE = 10.0
BOOK_TICKER = "KXHIGHNY-26NOV22-B52.5"
BUSY_TICKER = "KXBTC15M-26NOV221015-15"


def signature(private_key, message: bytes, salt_length=32) -> str:
    if isinstance(private_key, rsa.RSAPrivateKey):
        scheme = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=salt_length)
        raw = private_key.sign(message, scheme, hashes.SHA256())
    else:
        raw = private_key.sign(message)
    return base64.b64encode(raw).decode()


def signed(key_id: str, private_key, *, ahead_ms: int = 0, path: str = PATH, salt_length=32) -> dict[str, str]:
    timestamp = str(time.time_ns() // 1_000_000 + ahead_ms)
    return {
        "KALSHI-ACCESS-KEY": key_id,
        "KALSHI-ACCESS-TIMESTAMP": timestamp,
        "KALSHI-ACCESS-SIGNATURE": signature(private_key, f"{timestamp}GET{path}".encode(), salt_length),
    }


class RawClient:
    """Reads on a thread of its own, keeps every frame as it came, and can be followed."""

    def __init__(self, exchange, *, headers=None, read=True, **options):
        headers = signed(exchange.key_id, exchange.private_key) if headers is None else headers
        options.setdefault("compression", None)
        self._stack = contextlib.ExitStack()
        self.socket = self._stack.enter_context(
            connect(exchange.url, additional_headers=headers, proxy=None, ping_interval=None, max_size=None, **options)
        )
        self.port = None
        with contextlib.suppress(OSError):  # closed by the exchange before it could be looked at
            self.port = self.socket.local_address[1]
        self.frames: list[str] = []
        self.received = 0
        self.flushed = 0
        self.closed: ConnectionClosed | None = None
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        if read:
            self._thread.start()

    def _read(self):
        try:
            while True:
                frame = self.socket.recv()
                with self._news:
                    self.frames.append(frame)
                    self.received += 1
                    self._news.notify_all()
        except ConnectionClosed as closed:
            with self._news:
                self.closed = closed
                self._news.notify_all()

    # -- Follower ------------------------------------------------------------------------------------------

    def local_port(self):
        return None if self.closed else self.port

    def frames_received(self):
        return self.received

    def flush(self, timeout):
        self.flushed += 1

    # -- for tests -----------------------------------------------------------------------------------------

    def send(self, **command):
        self.socket.send(json.dumps(command))

    def subscribe(self, *channels, command_id=1, **params):
        self.send(id=command_id, cmd="subscribe", params={"channels": list(channels), **params})

    def update(self, action, *, command_id=5, **params):
        self.send(id=command_id, cmd="update_subscription", params={"action": action, **params})

    def wait_until(self, condition, what="that"):
        with self._news:
            done = self._news.wait_for(condition, PATIENCE)
        assert done, f"{what} did not come; the last frames are {self.frames[-5:]}"

    def take(self, count):
        """Return the next `count` messages, parsed, once they are there."""
        self.wait_until(lambda: len(self.frames) >= count, f"{count} frames")
        taken, self.frames[:count] = self.frames[:count], []
        return [json.loads(frame) for frame in taken]

    def answer(self):
        """Return all messages there are once a listing asked for now has been answered, which comes last."""
        self.send(id=777_777, cmd="list_subscriptions")
        self.wait_until(lambda: any('"id":777777,' in frame for frame in self.frames), "an answer")
        at = next(number for number, frame in enumerate(self.frames) if '"id":777777,' in frame)
        taken, self.frames[: at + 1] = self.frames[:at], []
        return [json.loads(frame) for frame in taken]

    def messages(self):
        return [json.loads(frame) for frame in self.frames]

    def close(self):
        self._stack.close()
        if self._thread.ident is not None:
            self._thread.join(PATIENCE)


def poll_until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.005)


@pytest.fixture
def open_exchange():
    """Makes exchanges, manual clock unless told, and closes them after the test."""
    opened = []

    def make(**options):
        options.setdefault("clock", "manual")
        exchange = Exchange(**options)
        opened.append(exchange)
        return exchange

    yield make
    for exchange in opened:
        exchange.close()


@pytest.fixture
def exchange(open_exchange):
    return open_exchange(seed=7)


@pytest.fixture
def open_client():
    """Makes raw clients and closes them after the test."""
    opened = []

    def make(exchange, **options):
        client = RawClient(exchange, **options)
        opened.append(client)
        return client

    yield make
    for client in opened:
        client.close()


@pytest.fixture
def client(exchange, open_client):
    """A client of `exchange` that its advance() waits for."""
    client = open_client(exchange)
    exchange.attach(client)
    return client

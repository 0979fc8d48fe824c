"""A tiny exchange over a real socket on 127.0.0.1: it does to a handshake and a connection what it is told."""

import asyncio
import contextlib
import itertools
import json
import threading
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from websockets.asyncio.server import ServerConnection, serve

from kalshi_nb._auth import Credentials, Secret
from kalshi_nb._clock import WallClock
from kalshi_nb._engine.live import LiveEngine
from kalshi_nb._engine.transport import TRANSPORTS

PATH = "/trade-api/ws/v2"


def wait_until(condition, timeout=20.0):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.005)


def reconnects(engine):
    return sum(each.reconnects for each in engine.status().links)


def inside(engine):
    """Return the engine's own thread, for a test of what happens on it."""
    return engine._io


def delays(engine):
    """Return what decides how long the first link waits before it dials again."""
    return engine.links[0]._reconnecting


def io_threads():
    return [each for each in threading.enumerate() if each.name == "kalshi-io" and each.is_alive()]


class TinyExchange:
    """Answers subscribe, unsubscribe and list; `refuse` holds what the next handshakes are answered with.

    A refusal is (status, headers, body). `handler` is what happens on an accepted connection. With `tls`, a context of
    a server, it is reached by wss://localhost.
    """

    def __init__(self, tls=None):
        self._tls = tls
        self.refuse = []
        self.refuse_always = None
        self.handshakes = []
        self.accepted = 0
        self.connections = []
        self._transports = []
        self.commands = []
        self.sids = itertools.count(1)
        self.handler = self.answer
        self.errors = {}
        self.silent = False
        self.date = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tiny-exchange", daemon=True)
        self._thread.start()
        self.port = self.call(self._open())

    @property
    def url(self):
        where = "ws://127.0.0.1" if self._tls is None else "wss://localhost"
        return f"{where}:{self.port}{PATH}"

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _open(self, port=0):
        transports = self._transports

        class Kept(ServerConnection):
            def connection_made(self, transport):
                transports.append(transport)
                super().connection_made(transport)

        self._server = await serve(
            self._accepted,
            "127.0.0.1",
            port,
            process_request=self._handshake,
            process_response=self._accept,
            create_connection=Kept,
            ping_interval=None,
            close_timeout=0.2,
            ssl=self._tls,
        )
        return self._server.sockets[0].getsockname()[1]

    def _handshake(self, connection, request):
        self.handshakes.append((time.monotonic(), dict(request.headers.raw_items()), request.path))
        refusal = self.refuse.pop(0) if self.refuse else self.refuse_always
        if refusal is None:
            self.accepted += 1
            return None
        status, headers, body = refusal
        response = connection.respond(status, body)
        for name, value in headers.items():
            response.headers[name] = value
        return response

    def _accept(self, connection, request, response):
        if self.date is not None:
            del response.headers["Date"]
            for each in [self.date] if isinstance(self.date, str) else self.date:
                response.headers["Date"] = each

    async def _accepted(self, connection):
        self.connections.append(connection)
        with contextlib.suppress(Exception):
            await self.handler(connection)

    async def answer(self, connection):
        sids = itertools.count(1)
        async for message in connection:
            command = json.loads(message)
            self.commands.append(command)
            if self.silent:
                continue
            for frame in self.reply(command, sids):
                await connection.send(json.dumps(frame) + "\n")

    def reply(self, command, sids):
        number = command["id"]
        if command["cmd"] == "subscribe":
            (channel,) = command["params"]["channels"]
            if channel in self.errors:
                yield {"type": "error", "id": number, "msg": self.errors[channel]}
                return
            sid = next(sids)
            yield {"type": "subscribed", "id": number, "msg": {"channel": channel, "sid": sid}}
            if channel == "orderbook_delta":
                for seq, ticker in enumerate(sorted(command["params"]["market_tickers"]), 1):
                    msg = {"market_ticker": ticker, "market_id": "x", "yes_dollars_fp": [["0.4700", "1.00"]]}
                    yield {"type": "orderbook_snapshot", "sid": sid, "seq": seq, "msg": msg}
        elif command["cmd"] == "unsubscribe":
            yield {"type": "unsubscribed", "id": number, "sid": command["params"]["sids"][0], "seq": 99}

    def send(self, frame):
        self.settle()
        data = frame if isinstance(frame, (str, bytes)) else json.dumps(frame)
        self.call(self.connections[-1].send(data))

    def settle(self):
        """Wait until every accepted handshake has become a connection here, too."""
        wait_until(lambda: len(self.connections) == self.accepted)

    def kill(self):
        """Cut the newest connection without a close frame."""
        self.settle()
        self._loop.call_soon_threadsafe(self.connections[-1].transport.abort)

    def hang_up(self, code):
        self.call(self.connections[-1].close(code))

    async def _stop_serving(self):
        """End every connection, also one in the midst of its handshake or not even begun, and what they left.

        A task that ends may leave another one behind: a socket just accepted its connection's, an iteration that
        was broken off its end. So the loop is quiet only when it has turned some times without any.
        """
        self._server.close(close_connections=False)
        quiet_turns = 0
        while quiet_turns < 5:
            for transport in self._transports:
                transport.abort()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            if others:
                quiet_turns = 0
                _, late = await asyncio.wait(others, timeout=0.3)
                for task in late:
                    task.cancel()
            else:
                quiet_turns += 1
                await asyncio.sleep(0)
        self._transports.clear()

    def go_away(self):
        self.call(self._stop_serving())

    def come_back(self):
        self.call(self._open(self.port))

    def close(self):
        self.call(self._stop_serving())
        self.call(self._loop.shutdown_asyncgens())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()


@pytest.fixture
def exchange():
    found = TinyExchange()
    yield found
    found.close()


@pytest.fixture(scope="session")
def private_key():
    return ed25519.Ed25519PrivateKey.generate()


@pytest.fixture
def credentials(private_key):
    return Credentials("a-key-id", Secret(private_key), environ={})


@pytest.fixture(params=TRANSPORTS)
def transport(request):
    return request.param


@pytest.fixture
def engines(credentials, transport):
    """Make engines that are closed at the end, whatever happens; no thread may be left."""
    made = []

    def make(url, given=None, **options):
        engine = LiveEngine(url, given or credentials, clock=WallClock(), transport=transport, **options)
        made.append(engine)
        return engine

    yield make
    for engine in made:
        engine.close()
    wait_until(lambda: not io_threads(), 5)


@pytest.fixture
def engine(engines, exchange):
    """An engine that is connected to the exchange."""
    found = engines(exchange.url)
    found.start(10)
    exchange.settle()
    return found

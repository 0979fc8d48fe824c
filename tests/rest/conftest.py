"""Clients of the simulated exchange over REST, and a server that says what it is told to."""

from __future__ import annotations

import http.server
import threading

import pytest

from kalshi_nb._auth import Credentials, Secret
from kalshi_nb._rest.client import Pacing, RestClient
from kalshi_nb.sim import Exchange


class Time:
    """A clock that goes as far as anybody waits, and remembers how far that was."""

    def __init__(self):
        self.seconds = 1_000.0
        self.waits = []

    def wait(self, seconds):
        self.waits.append(seconds)
        self.seconds += seconds

    def pacing(self, chance=lambda: 1.0):
        return Pacing(now=lambda: self.seconds, wait=self.wait, chance=chance)


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def exchange():
    with Exchange(seed=7, clock="manual") as made:
        yield made


@pytest.fixture
def open_client(time):
    """Makes clients that wait on the clock of the test, and closes them."""
    opened = []

    def make(base, **options):
        options.setdefault("pacing", time.pacing())
        client = RestClient(getattr(base, "rest_url", base), **options)
        opened.append(client)
        return client

    yield make
    for client in opened:
        client.close()


@pytest.fixture
def client(open_client, exchange):
    """A client without a key."""
    return open_client(exchange)


def key_of(exchange):
    """The credentials that open an exchange."""
    return Credentials(exchange.key_id, Secret(exchange.private_key), environ={})


class Scripted:
    """A server that gives the answers it is handed, each once and the last for ever, and keeps what it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append((self.path, dict(self.headers)))
                status, body, headers = outer.next()
                self.send_response_only(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}/trade-api/v2"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def next(self):
        status, body, *headers = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        return status, body.encode() if isinstance(body, str) else body, headers[0] if headers else {}

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def scripted():
    opened = []

    def make(*answers):
        server = Scripted(*answers)
        opened.append(server)
        return server

    yield make
    for server in opened:
        server.close()

import contextlib
import json
import threading
import time

import pytest

import kalshi_nb as kn


@pytest.fixture
def exchange():
    with kn.sim.Exchange(seed=7, clock="manual") as made:
        yield made


@pytest.fixture
def transport():
    """The library that speaks WebSocket; folders and files whose laws hold over each say so anew."""
    return "websockets"


@pytest.fixture
def feed(exchange, transport):
    with kn.connect(exchange, transport=transport) as made:
        yield made


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch):
    for name in ("KALSHI_API_KEY_ID", "KALSHI_KEY_ID", "KALSHI_PRIVATE_KEY", "KALSHI_PRIVATE_KEY_PATH", "KALSHI_ENV"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _no_thread_is_left():
    before = set(threading.enumerate())
    yield
    until(
        lambda: (
            not {
                each
                for each in set(threading.enumerate()) - before
                if each.name.startswith("kalshi-") and each.name not in {"kalshi-display", "kalshi-log"}
            }
        ),
        "threads of the kit outlived their feed",
    )


def until(condition, what, timeout=10.0):
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout} s: {what}")
        time.sleep(0.005)


def recorded(path):
    """Frames of a recorded file, as parsed JSON; read here on its own, not by the kit."""
    for line in path.read_text().splitlines():
        if line.strip():
            found = json.loads(line)
            yield json.loads(found["raw"]) if "raw" in found else found


@contextlib.contextmanager
def following(exchange, **options):
    feed = kn.connect(exchange, **options)
    try:
        yield feed
    finally:
        feed.close()

from __future__ import annotations

import gc
import sys
import threading
import time

import pytest
from streamz.sinks import _global_sinks

from kalshi_nb._feed.frame import Frame
from kalshi_nb._rows.channels import CHANNELS
from kalshi_nb._streams.runner import Pipelines

BASE_US = 1_760_000_000_000_000


class HandClock:
    def __init__(self, now_us=BASE_US):
        self.us = now_us

    def now_us(self):
        return self.us


class Engine:
    """The hand-off of the real engine: one list a channel, taken whole."""

    def __init__(self):
        self._lock = threading.Lock()
        self._pending = {channel: [] for channel in CHANNELS}
        self.taken = dict.fromkeys(CHANNELS, 0)
        self.broken = None
        self._watched, self._wake = (), None

    def add(self, channel, *rows):
        with self._lock:
            self._pending[channel].extend(rows)
            rings = channel in self._watched and self._pending[channel]
            if rings:
                self._watched = ()
        if rings:
            self._wake()

    def pending(self):
        return [channel for channel, rows in self._pending.items() if rows or channel == self.broken]

    def watch(self, channels, wake):
        with self._lock:
            self._watched, self._wake = tuple(channels), wake
            return any(self._pending[each] for each in channels)

    def take(self, channel):
        if self.broken == channel:
            raise RuntimeError("the engine is broken")
        with self._lock:
            rows, self._pending[channel] = self._pending[channel], []
        self.taken[channel] += len(rows)
        return rows


def trade(number, market="KXA-1", *, price=4700, count=100, received_us=None):
    at = BASE_US + number if received_us is None else received_us
    return (at, market, price, count, "yes", "bid", 10_000 - price, False, f"id-{number}", at, number)


def until(condition, timeout=20.0):
    """Wait until something is so; fail when it never is."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            pytest.fail("what was waited for never came")
        time.sleep(0.002)


def burn(seconds):
    until_cpu = time.thread_time() + seconds
    while time.thread_time() < until_cpu:
        pass


def costly_turns(pipelines, seconds):
    """Have each turn that takes trades cost so much CPU time."""
    take = pipelines._take

    def taking(channel):
        rows = take(channel)
        if rows:
            burn(seconds)
        return rows

    pipelines._take = taking


@pytest.fixture
def hectic():
    """Let threads take turns so often that what can go wrong between them does."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def engine():
    return Engine()


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def make(engine, clock):
    made = []

    def build(**options):
        options.setdefault("flush_interval", 0.005)
        pipelines = Pipelines(engine.take, engine.pending, engine.watch, CHANNELS, clock, **options)
        made.append(pipelines)
        return pipelines

    yield build
    for pipelines in made:
        for each in pipelines.pipelines:
            each.close()
        assert pipelines.stop(10)


@pytest.fixture
def pipelines(make):
    return make()


@pytest.fixture(autouse=True)
def _no_sink_is_left():
    before = set(_global_sinks)
    yield
    if not set(_global_sinks) <= before:  # those of other tests may go meanwhile
        gc.collect()  # not each time: that takes longer than most of these tests
    assert set(_global_sinks) <= before


def deliver_to_users(pipelines, batch):
    """Bring a batch to the users' pipelines of its channel at once, on this thread: whoever builds is done."""
    for each in pipelines._user.of(batch.channel):
        try:
            each.built()
            each.deliver(batch)
        except BaseException as error:
            pipelines._notices.kit_failed(error)


def frame_of(pipelines, channel, *arguments, **options):
    """Open one of the feed's own frames, as a feed does."""
    filled = pipelines.frame(channel, *arguments, **options)
    return Frame(filled.store, name=filled.pipeline.name, on_close=filled.pipeline.close)

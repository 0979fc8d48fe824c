"""What one thread sleeps on and others ring: as Python has it, and compiled."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from kalshi_nb import _wakeup
from kalshi_nb._wakeup import PlainWakeup

KINDS = {"plain": PlainWakeup}
if _wakeup._extension is not None:
    KINDS["compiled"] = _wakeup._extension.Wakeup


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


def test_the_compiled_one_is_taken_where_there_is_one():
    assert _wakeup.Wakeup is KINDS.get("compiled", PlainWakeup)


def test_a_ring_ends_the_next_sleep_and_several_are_one(kind):
    wakeup = kind()
    wakeup.ring()
    wakeup.ring()
    assert wakeup.sleep(None)
    assert not wakeup.sleep(0)


def test_a_sleep_nobody_ends_lasts_as_long_as_it_is_told(kind):
    began = time.monotonic()
    assert not kind().sleep(0.05)
    assert time.monotonic() - began >= 0.05


@pytest.mark.parametrize("seconds", [-1, -1e300, 0])
def test_no_time_is_no_sleep(kind, seconds):
    assert not kind().sleep(seconds)


@pytest.mark.parametrize("seconds", [1e300, float("inf"), threading.TIMEOUT_MAX * 2, None])
def test_a_ring_ends_the_longest_sleep(kind, seconds):
    wakeup = kind()
    threading.Timer(0.05, wakeup.ring).start()
    assert wakeup.sleep(seconds)


def test_what_is_no_number_is_refused(kind):
    with pytest.raises(TypeError):
        kind().sleep("1")


def test_nobody_else_is_held_up_by_a_sleep(kind):
    wakeup, counted = kind(), []

    def count():
        for number in range(100_000):
            counted.append(number)
        wakeup.ring()

    threading.Thread(target=count, daemon=True).start()
    assert wakeup.sleep(20)
    assert len(counted) == 100_000


def test_no_ring_is_lost_however_fast_two_threads_ring_each_other(kind):
    here, there, rounds = kind(), kind(), 20_000

    def answer():
        for _ in range(rounds):
            there.sleep(None)
            here.ring()

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    for _ in range(rounds):
        there.ring()
        assert here.sleep(20)
    thread.join(20)
    assert not thread.is_alive()


def test_a_ring_among_many_is_seen_by_who_looks_after_it(kind):
    wakeup, done = kind(), []
    threads = [threading.Thread(target=lambda: (done.append(1), wakeup.ring()), daemon=True) for _ in range(50)]
    for each in threads:
        each.start()
    while len(done) < 50:
        assert wakeup.sleep(20)
    for each in threads:
        each.join()


@pytest.mark.parametrize("seconds", [30, None])
@pytest.mark.parametrize("name", KINDS)
def test_ctrl_c_ends_a_sleep_of_the_main_thread(name, seconds):
    code = f"""
import kalshi_nb._wakeup as w
kind = {{"plain": w.PlainWakeup, "compiled": w.Wakeup}}[{name!r}]
print("sleeps", flush=True)
try:
    kind().sleep({seconds})
except KeyboardInterrupt:
    print("interrupted")
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "sleeps\n"
        time.sleep(0.2)
        os.kill(process.pid, signal.SIGINT)
        assert process.communicate(timeout=20)[0] == "interrupted\n"
    finally:
        process.kill()
        process.wait()


def test_a_signal_that_is_handled_ends_no_sleep(kind):
    heard = []
    before = signal.signal(signal.SIGUSR1, lambda *_: heard.append(1))
    try:
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        began = time.monotonic()
        assert not kind().sleep(0.3)
        assert time.monotonic() - began >= 0.3
        assert heard
    finally:
        signal.signal(signal.SIGUSR1, before)

"""``feed.run()``: what a script waits in."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

import kalshi_nb as kn
from kalshi_nb import errors

SCRIPT = """
import kalshi_nb as kn
feed = kn.connect("sim")
@feed.on("trade")
def printed(trade):
    print("trade", flush=True)
feed.run()
print("after", flush=True)
feed.close()
"""


@pytest.fixture
def feed():
    with kn.sim.Exchange(seed=7) as exchange, kn.connect(exchange, new=True) as feed:
        yield feed


def test_a_script_runs_until_ctrl_c_and_goes_on_after_it():
    script = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    )
    assert script.stdout.readline() == "trade\n"
    script.send_signal(signal.SIGINT)
    out, err = script.communicate(timeout=60)
    assert (script.returncode, err) == (0, "")
    assert out.endswith("after\n")


def test_it_ends_with_its_time_and_leaves_the_feed_open(feed):
    began = time.monotonic()
    feed.run("300ms")
    assert time.monotonic() - began >= 0.3
    assert feed.state == "connected"


def test_a_clock_that_is_moved_by_hand_is_moved_by_its_time_and_nothing_is_waited_for():
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        trades, before = feed.trades(), feed.now()
        began = time.monotonic()
        feed.run("1m")
        assert time.monotonic() - began < 60
        assert (feed.now() - before).total_seconds() == 60
        assert (trades.total, feed.state) == (298, "connected")


def test_what_a_callback_raised_meanwhile_is_told_at_its_end_where_the_clock_is_moved_by_hand():
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:

        @feed.on("trade")
        def failing(_trade):
            raise RuntimeError("as it does")

        with pytest.warns(errors.KalshiWarning, match="as it does"):
            feed.run("5s")


def test_it_ends_with_the_feed_without_an_error(feed):
    closing = threading.Thread(target=feed.close)
    feed.on("trade")(lambda _: closing.is_alive() or closing.ident or closing.start())
    feed.run()
    closing.join()
    with pytest.raises(errors.FeedClosedError):
        feed.run()


@pytest.mark.parametrize("seconds", ["soon", 0, -1, True])
def test_what_is_no_length_of_time_is_refused(feed, seconds):
    with pytest.raises(errors.ConfigurationError, match=r"seconds=.*or None to run until"):
        feed.run(seconds)

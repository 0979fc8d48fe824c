"""A feed that connect(…, new=True) made ends with the last who holds it, or anything of it."""

import gc
import logging
import subprocess
import sys
import threading

import pytest

import kalshi_nb as kn
from kalshi_nb._logging import settle
from tests.feed.conftest import until

MARKET = "KXHIGHNY-26NOV22-B52.5"


def io_threads():
    return [each for each in threading.enumerate() if each.name == "kalshi-io"]


def test_feeds_that_nobody_holds_are_ended_and_that_is_told(exchange, caplog):
    caplog.set_level(logging.WARNING, logger="kalshi_nb")
    for _ in range(3):
        kn.connect(exchange, new=True).trades()
    gc.collect()
    until(lambda: not io_threads(), "they were ended")
    # A feed of another test may be collected now as well: by its address each exchange's own are counted.
    told = f"{exchange.url} was ended, since nobody held it any more: keep what"
    until(lambda: settle() and caplog.text.count(told) == 3, "it was told")
    exchange.advance(5)  # which waits for nobody any more


def test_the_registrys_own_goes_on_whoever_holds_it(exchange):
    kn.connect(exchange)
    gc.collect()
    with kn.connect(exchange) as feed:
        assert feed.state == "connected"
        assert len(io_threads()) == 1


HANDLES = {
    "frame": lambda feed, _: feed.trades(),
    "book": lambda feed, _: feed.book(MARKET).wait(),
    "stream": lambda feed, _: feed.stream("trade").rolling_frame(),
    "callback": lambda feed, heard: feed.on("trade")(heard.append) and None,
}


@pytest.mark.parametrize("name", HANDLES)
def test_one_of_which_somebody_has_something_goes_on_until_that_is_gone_too(exchange, name):
    heard = []
    feed = kn.connect(exchange, new=True)
    handle = HANDLES[name](feed, heard)
    pipelines = feed.pipelines
    del feed
    gc.collect()
    exchange.advance(30)
    if name == "callback":
        assert heard
    elif name == "book":
        assert handle.status == "live"
    else:
        handle.wait(rows=1)
    assert len(io_threads()) == 1
    for each in pipelines:
        each.close()
    del handle, pipelines
    gc.collect()
    until(lambda: not io_threads(), "what was left is ended")


def test_the_exchange_that_was_started_for_one_is_closed_with_it():
    exchange = kn.connect("sim", new=True).exchange
    gc.collect()
    until(lambda: exchange.closed, "it is closed")


def test_at_the_interpreters_end_what_is_left_of_one_is_ended_in_peace():
    code = (
        "import gc, kalshi_nb as kn\n"
        "trades = kn.connect('sim', new=True).trades()\n"
        "gc.collect()\n"
        "print(trades.wait(rows=1, timeout=30).total > 0)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert (ended.returncode, ended.stdout, "Traceback" in ended.stderr) == (0, "True\n", False)

"""How soon rows go on from the engine: at once where it is quiet, in large batches where it is not."""

import random
import subprocess
import sys
import textwrap
import threading
import time

import kalshi_nb as kn
from kalshi_nb._rows.channels import LAYOUTS
from tests.streams.conftest import BASE_US, burn, costly_turns, trade, until

NEVER = 3_600
"""Seconds: a hand-off that comes is none that was waited for."""


def a_fill():
    values = {"market_ticker": "KXA-1", "ts": BASE_US, "received_at": BASE_US}
    return tuple(values.get(each.name) for each in LAYOUTS["fill"])


def test_a_row_that_comes_alone_is_told_at_once(make, engine):
    pipelines = make(flush_interval=NEVER)
    seen = []
    pipelines.on("trade", seen.append)
    frame = pipelines.frame("trade").store
    for number in range(1, 50):
        engine.add("trade", trade(number))
        until(lambda number=number: len(seen) == number)
        assert frame.total == number  # a callback finds its row in the frame


def test_no_row_is_overslept_however_threads_meet(make, engine, hectic):
    pipelines = make(flush_interval=NEVER)
    frame = pipelines.frame("trade").store
    chance = random.Random(7)
    for number in range(3_000):
        engine.add("trade", trade(number))
        if chance.random() < 0.3:
            time.sleep(chance.random() * 0.0005)
    until(lambda: frame.total == 3_000)


def test_after_a_costly_turn_rows_wait_but_those_of_the_account_end_the_rest(make, engine):
    pipelines = make(flush_interval=NEVER)
    frame, fills = pipelines.frame("trade").store, pipelines.frame("fill").store
    costly_turns(pipelines, 0.5)  # a rest of many seconds
    engine.add("trade", trade(1))
    until(lambda: frame.total == 1)
    engine.add("trade", trade(2))
    time.sleep(0.3)
    assert frame.total == 1
    engine.add("fill", a_fill())
    until(lambda: fills.total == 1)
    until(lambda: frame.total == 2)


def test_a_rest_is_never_longer_than_flush_interval(make, engine):
    pipelines = make(flush_interval=0.02)
    frame = pipelines.frame("trade").store
    costly_turns(pipelines, 0.2)
    for number in (1, 2, 3):
        engine.add("trade", trade(number))
        until(lambda number=number: frame.total == number, timeout=2.0)


def test_what_a_users_code_costs_makes_nobody_rest(make, engine):
    pipelines = make(flush_interval=NEVER)
    frame, called = pipelines.frame("trade").store, []

    def slow(message):
        called.append(message)
        burn(0.3)

    pipelines.on("trade", slow)
    for number in range(1, 4):
        engine.add("trade", trade(number))
        until(lambda number=number: frame.total == number, timeout=2.0)
    until(lambda: len(called) == 3)


def test_while_it_is_held_whoever_flushes_makes_the_batches(make, engine):
    pipelines = make(flush_interval=0.001)
    sizes = []
    pipelines.stream("trade").sink(lambda df: sizes.append(df.height))
    pipelines.hold()
    for number in range(5):
        engine.add("trade", trade(number))
        time.sleep(0.01)
    assert sizes == []
    pipelines.flush()
    assert sizes == [5]
    engine.add("trade", trade(6))
    pipelines.let_go()
    until(lambda: sizes == [5, 1])


def test_who_is_broken_off_while_he_holds_holds_for_a_while_only(make, engine, monkeypatch):
    monkeypatch.setattr("kalshi_nb._streams.turns._HELD", 0.2)
    pipelines = make(flush_interval=0.01)
    frame = pipelines.frame("trade").store
    pipelines.hold()  # and never lets go
    engine.add("trade", trade(1))
    assert frame.total == 0
    until(lambda: frame.total == 1)


def test_a_flush_that_is_interrupted_at_any_moment_leaves_nobody_standing_still():
    code = """
        import random, signal, time
        import kalshi_nb as kn
        exchange = kn.sim.Exchange(seed=7, speed=5)
        feed = kn.connect(exchange)
        trades, books = feed.trades(), feed.book(exchange.market_tickers[0])
        def interrupt(*_): raise KeyboardInterrupt
        signal.signal(signal.SIGALRM, interrupt)
        chance = random.Random(7)
        for number in range(1_500):
            try:
                signal.setitimer(signal.ITIMER_REAL, chance.uniform(0.00002, 0.0006))
                try:
                    feed.flush() if number % 2 else trades.wait(new=1, timeout=1)
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                pass
        feed.flush(10)
        trades.wait(new=3, timeout=20)
        feed.close()
        exchange.close()
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=100, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_flush_ends_a_rest(make, engine):
    pipelines = make(flush_interval=NEVER)
    frame = pipelines.frame("trade").store
    costly_turns(pipelines, 0.5)
    engine.add("trade", trade(1))
    until(lambda: frame.total == 1)
    engine.add("trade", trade(2))
    pipelines.flush(5)
    assert frame.total == 2


def test_stopping_ends_a_rest(make, engine):
    pipelines = make(flush_interval=NEVER)
    frame = pipelines.frame("trade").store
    costly_turns(pipelines, 0.5)
    engine.add("trade", trade(1))
    until(lambda: frame.total == 1)
    assert pipelines.stop(2)


def test_under_a_clock_moved_by_hand_a_batch_is_a_step_whatever_the_threads_do():
    def batches():
        with (
            kn.sim.Exchange(seed=3, clock="manual") as exchange,
            kn.connect(exchange, flush_interval=0.001, new=True) as feed,
        ):
            sizes = []
            sink = feed.stream("trade").sink(lambda df: sizes.append(df.height))
            busy = threading.Event()
            other = threading.Thread(target=lambda: [burn(0.002) for _ in range(100) if not busy.is_set()])
            other.start()
            exchange.advance(30)
            exchange.advance(30)
            busy.set()
            other.join()
            del sink
            return sizes

    first = batches()
    assert sum(first) > 20
    assert first == batches()


def test_what_comes_while_a_graph_is_being_built_reaches_its_last_node(pipelines, engine):
    for number in range(20):
        node = pipelines.stream("trade", name=f"stream {number}")
        engine.add("trade", trade(number))
        time.sleep(0.005)  # as a cell may take between two nodes
        frame = node.map(lambda df: df).rolling_frame()
        until(lambda frame=frame: frame.total == 1, timeout=5)


def test_what_comes_before_the_first_node_waits_for_it_and_for_the_next(pipelines, engine):
    node = pipelines.stream("trade")
    engine.add("trade", trade(1))
    time.sleep(0.4)  # as a cell may take on a busy machine
    below = node.map(lambda df: df)
    time.sleep(0.01)
    frame = below.rolling_frame()
    until(lambda: frame.total == 1, timeout=1)


def test_what_no_node_ever_takes_does_not_wait_for_ever(pipelines, engine):
    node = pipelines.stream("trade")
    engine.add("trade", trade(1))
    until(lambda: node.pipeline.rows == 1, timeout=10)


def test_a_flush_ends_the_building(pipelines, engine):
    frame = pipelines.stream("trade").rolling_frame()
    engine.add("trade", trade(1))
    pipelines.flush()
    assert frame.total == 1


def test_what_still_waits_when_a_feed_ends_is_counted_by_those_who_never_have_it(make, engine):
    pipelines, entered, go_on = make(), threading.Event(), threading.Event()
    blocker = pipelines.on("ticker", lambda message: entered.set() or go_on.wait(30))
    fills, big = [], pipelines.stream("trade").rolling_frame()
    waiting = pipelines.on("fill", fills.append)
    values = {"market_ticker": "KXA-1", "ts": BASE_US, "received_at": BASE_US}
    engine.add("ticker", tuple(values.get(each.name) for each in LAYOUTS["ticker"]))
    assert entered.wait(20)
    engine.add("fill", a_fill(), a_fill())
    engine.add("trade", trade(1), trade(2), trade(3))
    until(lambda: pipelines.pending_rows == 5)
    assert not pipelines.stop(0.2)
    assert (waiting.dropped, fills) == (2, [])
    assert waiting.gaps["reason"].to_list() == ["dropped"]
    assert sum(each.dropped for each in pipelines.pipelines if each.channel == "trade") == 3
    assert pipelines.dropped_rows == 5
    go_on.set()
    for each in (blocker, waiting):
        each.close()
    del big

"""What one caller waits for, nobody else does: no lock is held while the exchange is dialed or asked."""

import contextlib
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref

import pytest

import kalshi_nb as kn
from kalshi_nb._feed.feed import Feed
from kalshi_nb._feed.handles import Ending, Handles
from kalshi_nb.errors import FeedClosedError, SubscriptionError, UnreachableError
from tests.engine.conftest import TinyExchange
from tests.feed.conftest import until
from tests.feed.list_engine import ListEngine


@pytest.fixture
def key():
    from cryptography.hazmat.primitives.asymmetric import ed25519

    return ed25519.Ed25519PrivateKey.generate()


@pytest.fixture
def deaf():
    """An address where a connection is taken up and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"ws://127.0.0.1:{server.getsockname()[1]}/trade-api/ws/v2"


@pytest.fixture
def tiny():
    made = TinyExchange()
    yield made
    made.close()


@contextlib.contextmanager
def elsewhere(call):
    """Run `call` on another thread meanwhile; what it returned or raised is in the list at the end."""
    ended = []

    def run():
        try:
            ended.append(call())
        except BaseException as problem:  # looked at by the test
            ended.append(problem)

    thread = threading.Thread(target=run)
    thread.start()
    yield ended
    thread.join(30)
    assert not thread.is_alive()


def test_whoever_dials_a_dead_host_keeps_nobody_else_from_connecting(deaf, key):
    with elsewhere(lambda: kn.connect(deaf, key_id="a", private_key=key, timeout=3)) as ended:
        until(lambda: any(each.name == "kalshi-io" for each in threading.enumerate()), "it dials")
        with kn.connect("sim", new=True) as one, kn.connect("sim") as two:
            assert one.trades().wait(rows=1).total
            assert two.state == "connected"
        assert ended == []  # still at it
    assert isinstance(ended[0], UnreachableError)


def test_two_who_connect_to_the_same_place_get_the_same_feed(exchange):
    found = []
    threads = [threading.Thread(target=lambda: found.append(kn.connect(exchange))) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert len(set(map(id, found))) == 1
    found[0].close()


def test_whoever_waits_for_another_s_dialing_tries_for_himself_when_that_fails(tiny, key):
    tiny.refuse = [(503, {}, "")]
    with elsewhere(lambda: kn.connect(tiny.url, key_id="a", private_key=key)) as first:
        feeds = []
        with elsewhere(lambda: feeds.append(kn.connect(tiny.url, key_id="a", private_key=key))):
            pass
    feeds += [each for each in first if isinstance(each, Feed)]
    assert len(feeds) == 1
    assert feeds[0].state == "connected"
    feeds[0].close()


def test_a_feed_that_is_being_closed_is_handed_to_nobody(exchange):
    feed = kn.connect(exchange)
    closing, go_on = threading.Event(), threading.Event()

    class Slow:
        """What a close waits for: the exchange lets go of the feed."""

        def __getattr__(self, name):
            return getattr(exchange, name)

        def detach(self, follower):
            closing.set()
            assert go_on.wait(60)
            exchange.detach(follower)

    feed.exchange = Slow()
    with elsewhere(feed.close):
        assert closing.wait(10)
        other = kn.connect(exchange)
        assert not go_on.is_set()  # and nobody waited until that was over
        assert other is not feed
        assert feed.state == "closed"
        go_on.set()
    assert other.state == "connected"
    other.close()


@pytest.fixture
def silent(tiny, key):
    """A feed whose exchange answers for books of KXA-1 and trades, and is silent about all that is asked later."""
    with kn.connect(tiny.url, key_id="a", private_key=key) as feed:
        feed.book("KXA-1").wait()
        tiny.silent = True
        yield feed


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda feed: feed.book("KXA-1"), id="a book that is there"),
        pytest.param(lambda feed: feed.rejects, id="rejects"),
        pytest.param(lambda feed: feed.health(), id="health"),
        pytest.param(lambda feed: feed.pipelines, id="pipelines"),
        pytest.param(repr, id="repr"),
    ],
)
def test_whoever_waits_for_an_answer_keeps_nobody_else_waiting(silent, ask):
    with elsewhere(silent.trades) as ended:
        until(lambda: "trade" in silent.health().markets, "it is asked for")
        ask(silent)
        assert ended == []  # still at it
        silent.close()
    assert isinstance(ended[0], FeedClosedError)


def test_two_questions_are_both_sent_while_neither_is_answered(silent, tiny):
    def asked():
        return {each["params"]["channels"][0] for each in tiny.commands if each["cmd"] == "subscribe"}

    questions = [silent.trades, silent.tickers, lambda: silent.on("fill")(print), lambda: silent.stream("user_orders")]
    with contextlib.ExitStack() as stack:
        for each in questions:
            stack.enter_context(elsewhere(each))
        until(lambda: asked() >= {"trade", "ticker", "fill", "user_orders"}, "all are sent")
        silent.close()


def test_a_try_behind_an_unanswered_one_is_sent_and_not_refused_by_its_time_out(silent, tiny, monkeypatch):
    from kalshi_nb._feed import demand

    monkeypatch.setattr(demand, "SUBSCRIBE_TIMEOUT", 9.9)  # just before the session's own time-out
    with pytest.raises(SubscriptionError, match="no answer"):
        silent.trades()
    before = len(tiny.commands)
    tiny.silent = False
    trades = silent.trades()
    assert len(tiny.commands) > before
    assert trades.close() is None


def test_handles_are_made_once_and_a_failure_is_met_by_each_with_a_try_of_his_own():
    handles, made, gate = Handles(), [], threading.Event()

    def make(keys):
        made.append(tuple(keys))
        first = len(made) == 1
        gate.wait(10)
        if first:
            raise LookupError("the first try")
        return {each: each.upper() for each in keys}

    with elsewhere(lambda: handles.get(["a"], make)) as first:
        until(lambda: made, "the first is at it")
        with elsewhere(lambda: handles.get(["a", "b"], make)) as second:
            until(lambda: len(made) == 2, "what nobody makes is made meanwhile")
            assert made[1] == ("b",)
            gate.set()
    assert isinstance(first[0], LookupError)
    assert second == [["A", "B"]]
    assert made[2] == ("a",)
    assert handles.get(["b", "a"], make) == ["B", "A"]
    assert len(made) == 3


def test_a_reservation_whose_owner_left_it_is_void():
    handles = Handles()

    def interrupted(self, keys, make, mine):
        raise KeyboardInterrupt

    make = Handles._make
    try:
        Handles._make = interrupted  # Ctrl-C between the reservation and the step behind it
        with elsewhere(lambda: handles.get(["a"], dict)) as left:
            pass
        with pytest.raises(KeyboardInterrupt):
            handles.get(["b"], dict)
    finally:
        Handles._make = make
    assert isinstance(left[0], KeyboardInterrupt)
    assert handles.get(["a", "b"], lambda keys: {each: each.upper() for each in keys}) == ["A", "B"]


def test_what_ctrl_c_broke_off_is_ended_by_the_next_close():
    calls, broken = [], iter([KeyboardInterrupt])

    def first():
        calls.append("first")
        for each in broken:
            raise each

    ending = Ending([first, lambda: calls.append("second")])
    with pytest.raises(KeyboardInterrupt):
        ending()
    ending()
    ending()
    assert calls == ["first", "first", "second"]
    ending.add(lambda: calls.append("late"))
    assert calls[-1] == "late"


def test_a_closer_that_raises_keeps_the_others_from_nothing():
    calls = []

    def first():
        raise OSError("gone")

    ending = Ending([first, lambda: calls.append("second")])
    with pytest.raises(OSError, match="gone"):
        ending()
    assert calls == ["second"]


def test_ctrl_c_while_a_refused_feed_is_replaced_keeps_nobody_from_connecting(exchange, monkeypatch):
    feed = kn.connect(exchange)
    exchange.faults.refuse_handshakes(401, count=3)
    exchange.faults.drop_connections()
    until(lambda: feed.state == "refused", "it is refused", 60)

    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(feed, "close", interrupted)
    with pytest.raises(KeyboardInterrupt):
        kn.connect(exchange)
    monkeypatch.undo()
    with elsewhere(lambda: kn.connect(exchange)) as other:
        pass
    assert other[0].state == "connected"
    other[0].close()
    feed.close()


@pytest.mark.parametrize("wrong", [{"timeout": 1e-5}, {"key_id": "x"}])
def test_a_simulated_exchange_that_was_started_for_nothing_is_closed(wrong):
    with pytest.raises(kn.KalshiError):
        kn.connect("sim", **wrong)
    until(lambda: not any(each.name == "kalshi-sim" for each in threading.enumerate()), "it is closed")


def test_a_feed_that_nobody_got_is_closed_by_the_collector(monkeypatch):
    from kalshi_nb._feed import registry

    engine = ListEngine()
    feed = Feed(engine)
    # As if Ctrl-C came where not even a handler of exceptions is reached any more.
    monkeypatch.setattr(registry, "closed_for_sure", lambda close: None)
    monkeypatch.setattr(feed, "_open", lambda timeout: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        registry.opened(feed, 1.0)
    engine.state = "connected"
    gone = weakref.ref(feed)
    monkeypatch.undo()
    del feed
    until(lambda: gc.collect() is not None and gone() is None, "it is gone")
    until(lambda: engine.state == "closed", "its engine is closed")


INTERRUPTED = """
import json, os, random, signal, sys, threading, time
import kalshi_nb as kn
from cryptography.hazmat.primitives.asymmetric import ed25519

exchange = kn.sim.Exchange(seed=7)
key = ed25519.Ed25519PrivateKey.generate()
exchange.add_key("mine", key.public_key())
connect = {
    "one beside another": lambda: kn.connect(exchange, new=True),
    "one of a registry": lambda: kn.connect(exchange),
    "an address": lambda: kn.connect(exchange.url, key_id="mine", private_key=key),
}[sys.argv[2]]
connect().close()  # everything is imported
took = time.monotonic()
connect().close()
took = time.monotonic() - took

def descriptors():
    found = {}
    for each in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd") else ():
        try:
            found[each] = os.readlink(f"/proc/self/fd/{each}")
        except FileNotFoundError:  # that of the listing itself
            pass
    return found

at_first = descriptors()
before = set(threading.enumerate())
left, interrupted = 0, 0
random.seed(5)

def ring(after):
    time.sleep(after)
    os.kill(os.getpid(), signal.SIGINT)

for number in range(int(sys.argv[1])):
    feed = None
    bell = threading.Thread(target=ring, args=(random.uniform(0, took),))
    try:
        try:
            bell.start()
            feed = connect()
        finally:
            bell.join()
        time.sleep(0.001)
    except KeyboardInterrupt:
        interrupted += 1
    sys.last_value = sys.last_traceback = None
    if feed is not None:
        feed.close()
deadline = time.monotonic() + 20
mine = lambda: [each.name for each in set(threading.enumerate()) - before if each.name.startswith("kalshi")]
import gc
while mine() and time.monotonic() < deadline:
    gc.collect()
    time.sleep(0.05)
more = True
while (exchange._server.connections or more) and time.monotonic() < deadline:
    gc.collect()
    time.sleep(0.05)
    more = sorted(descriptors().items() - at_first.items()) if len(descriptors()) > len(at_first) else []
from kalshi_nb._feed.registry import registry
print(json.dumps({
    "left": mine(), "interrupted": interrupted, "connections": len(exchange._server.connections),
    "descriptors": more, "feeds": len(registry.feeds()),
}))
exchange.close()
"""


@pytest.mark.parametrize("kind", ["one beside another", "one of a registry", "an address"])
def test_ctrl_c_at_any_moment_of_connect_leaves_nothing_behind(kind):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", INTERRUPTED, "100", kind],
        capture_output=True,
        text=True,
        timeout=110,
        env={**os.environ, "PYTHONFAULTHANDLER": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        check=True,
    )
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["left"] == []
    assert result["connections"] == 0
    assert result["feeds"] == 0
    assert result["descriptors"] == []
    assert result["interrupted"] > 10


DIALING_AT_THE_END = """
import sys, threading, time
import kalshi_nb as kn
from cryptography.hazmat.primitives.asymmetric import ed25519

key = ed25519.Ed25519PrivateKey.generate()
dial = lambda: kn.connect(sys.argv[1], key_id="a", private_key=key, timeout=60)
threading.Thread(target=dial, daemon=True).start()
while not any(each.name == "kalshi-io" for each in threading.enumerate()):
    time.sleep(0.01)
time.sleep(0.2)
print("end", flush=True)
"""


def test_an_interpreter_ends_while_a_daemon_thread_dials(deaf):
    with subprocess.Popen(
        [sys.executable, "-c", DIALING_AT_THE_END, deaf], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout.readline() == "end\n"
        process.wait(5)  # a moment beside what the dialing would take
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(lambda feed, each: feed.book(each), lambda feed, each: feed.book(each), id="books"),
        pytest.param(lambda feed, each: feed.trades(each), lambda feed, each: feed.trades(each), id="trades"),
        pytest.param(lambda feed, each: feed.trades(each), lambda feed, each: feed.trades(), id="some, then all"),
        pytest.param(lambda feed, each: feed.tickers(), lambda feed, each: feed.tickers(each), id="all, then some"),
        pytest.param(lambda feed, each: feed.tickers(), lambda feed, each: feed.tickers(rows=7), id="the same"),
    ],
)
def test_whoever_asks_behind_an_unanswered_question_on_the_same_channel_does_not_wait_for_its_answer(first, second):
    with kn.sim.Exchange(unknown_markets="empty") as exchange, kn.connect(exchange, new=True) as feed:
        one, two = exchange.market_tickers[:2]
        exchange.faults.lose_commands(1)
        began = time.monotonic()
        with elsewhere(lambda: first(feed, one)) as ended:
            until(lambda: feed.health().markets, "it is asked for")
            second(feed, two)
            assert time.monotonic() - began < 5  # answers may take 10 s
        assert not isinstance(ended[0], Exception)  # the next question was for both
        assert "asked again" in feed.health().last_error

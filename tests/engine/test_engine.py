"""One thread that keeps one session connected, over real sockets."""

import asyncio
import base64
import contextlib
import itertools
import json
import socket
import sys
import threading
import time

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from kalshi_nb._auth import Credentials, Secret
from kalshi_nb._clock import WallClock
from kalshi_nb._engine import link as link_module
from kalshi_nb._engine.io_thread import JOIN
from kalshi_nb._engine.live import LiveEngine
from kalshi_nb._rows.gaps import GapRow
from kalshi_nb._rows.heard import Checkpoint, Event, Read, Sent
from kalshi_nb._rows.steering import ClockStepRow
from kalshi_nb._rows.wanted import ALL
from kalshi_nb._threads import set_role
from kalshi_nb.errors import FeedClosedError, HandshakeError, SubscriptionError, UnreachableError, WrongThreadError
from tests.daily import some
from tests.engine.conftest import PATH, delays, inside, io_threads, reconnects, wait_until

BOOKS = "orderbook_delta"
A, B = "KXA-1", "KXB-2"


def status(engine, ticker):
    ladder = engine.ladder(ticker)
    return None if ladder is None else ladder.status


# reconnecting


@pytest.mark.parametrize("how", ["kill", 1000, 1001, 1011])
def test_a_lost_connection_is_made_again_and_everything_wanted_restored(exchange, engine, how):
    engine.want(BOOKS, [frozenset({A, B})], rows=BOOKS, timeout=10)
    engine.want("trade", [ALL], rows="trade", timeout=10)
    wait_until(lambda: status(engine, A) == status(engine, B) == "live")
    if how == "kill":
        exchange.kill()
    else:
        exchange.hang_up(how)
    wait_until(lambda: reconnects(engine) == 1 and status(engine, A) == status(engine, B) == "live")
    assert engine.state == "connected"
    assert len(exchange.connections) == 2
    assert "connection lost" in engine.status().last_error
    wait_until(lambda: len([each for each in exchange.commands if each["cmd"] == "subscribe"]) == 4)
    gaps = engine.links[0].session.gaps.snapshot()
    assert {gap.channel for gap in gaps if gap.reason == "connection_lost"} == {BOOKS, "trade"}
    assert [gap.repaired_by for gap in gaps if gap.channel == BOOKS] == ["reconnect"]


def test_every_attempt_is_signed_afresh(exchange, engine, private_key):
    for number in range(1, 4):
        exchange.kill()
        wait_until(lambda number=number: reconnects(engine) == number and len(exchange.connections) == number + 1)
        exchange.send({"type": "news"})
        time.sleep(0.002)  # a millisecond must pass for the time stamps to differ
    stamps, signatures = set(), set()
    for _, headers, path in exchange.handshakes:
        assert path == PATH
        stamp, signature = headers["KALSHI-ACCESS-TIMESTAMP"], headers["KALSHI-ACCESS-SIGNATURE"]
        private_key.public_key().verify(base64.b64decode(signature), f"{stamp}GET{PATH}".encode())
        stamps.add(stamp)
        signatures.add(signature)
    assert len(stamps) == len(signatures) == 4


def test_a_rotated_key_is_taken_up_at_the_next_connection(exchange, engines, tmp_path):
    def write():
        key = ed25519.Ed25519PrivateKey.generate()
        content = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (tmp_path / "new.pem").write_bytes(content)
        (tmp_path / "new.pem").replace(tmp_path / "key.pem")
        return key

    keys = [write()]
    engine = engines(exchange.url, Credentials("a-key-id", Secret(tmp_path / "key.pem"), environ={}))
    engine.start(10)
    keys.append(write())
    exchange.kill()
    wait_until(lambda: reconnects(engine) == 1)
    (tmp_path / "key.pem").unlink()  # missing for a while
    exchange.kill()
    wait_until(lambda: "no private key file" in (engine.status().last_error or ""))
    keys.append(write())
    wait_until(lambda: reconnects(engine) == 2)
    for key, (_, headers, _) in zip(keys, exchange.handshakes, strict=True):
        message = f"{headers['KALSHI-ACCESS-TIMESTAMP']}GET{PATH}".encode()
        key.public_key().verify(base64.b64decode(headers["KALSHI-ACCESS-SIGNATURE"]), message)


def test_the_tiny_exchange_of_these_tests_ends_connections_that_have_not_begun(exchange):
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.create_connection(("127.0.0.1", exchange.port))) for _ in range(20)]
        exchange.go_away()
        assert asyncio.all_tasks(exchange._loop) == set()
        for each in sockets:
            each.settimeout(20)
            with contextlib.suppress(ConnectionResetError):
                assert each.recv(1) == b""


def test_a_server_that_accepts_and_closes_is_not_spun_around(exchange, engine):
    async def close(connection):
        await connection.close()

    exchange.handler = close
    exchange.kill()
    time.sleep(2.0)
    attempts = len(exchange.handshakes) - 1
    assert 1 < attempts < 25
    exchange.handler = exchange.answer
    wait_until(lambda: engine.state == "connected" and exchange.connections[-1].state.name == "OPEN")


def test_an_exchange_that_is_away_for_a_while_is_found_again(exchange, engine):
    engine.want(BOOKS, [frozenset({A})], rows=BOOKS, timeout=10)
    wait_until(lambda: status(engine, A) == "live")
    exchange.go_away()
    wait_until(lambda: engine.state == "reconnecting" and "Nobody answers" in (engine.status().last_error or ""))
    assert status(engine, A) == "stale"
    exchange.come_back()
    wait_until(lambda: status(engine, A) == "live")
    assert reconnects(engine) == 1


@pytest.mark.parametrize("code", some([401, 403], 1))
def test_refusals_in_a_row_are_reported_and_never_given_up(exchange, engine, code):
    engine.want(BOOKS, [frozenset({A})], rows=BOOKS, timeout=10)
    exchange.refuse_always = (code, {}, '{"error":{"code":"authentication_error","details":"NOT_FOUND"}}')
    exchange.kill()
    wait_until(lambda: engine.state == "refused")
    assert len(exchange.handshakes) == 4
    assert "NOT_FOUND" in engine.status().last_error
    assert status(engine, A) == "stale"
    with pytest.raises(FeedClosedError, match="refuses the credentials"):
        engine.want("trade", [ALL], rows="trade", timeout=1)
    exchange.refuse_always = None  # the key was renewed, or what stood in front of the exchange is well again
    wait_until(lambda: status(engine, A) == "live", 60)
    assert engine.state == "connected"


def test_one_refusal_at_a_reconnect_is_forgiven(exchange, engine):
    for _ in range(3):
        exchange.refuse.append((401, {}, ""))
        before = reconnects(engine)
        inside(engine).post(delays(engine).reset)  # as if data had come meanwhile
        exchange.kill()
        wait_until(lambda before=before: reconnects(engine) == before + 1)
    assert engine.state == "connected"


@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_is_honoured(exchange, engine, code):
    exchange.refuse.append((code, {"Retry-After": "1.2"}, ""))
    exchange.kill()
    wait_until(lambda: reconnects(engine) == 1)
    (_, *_), (refused, *_), (accepted, *_) = exchange.handshakes
    assert accepted - refused >= 1.2


def test_a_session_that_asks_for_a_new_connection_gets_one(exchange, engine, monkeypatch):
    monkeypatch.setattr("kalshi_nb._session.liveness.QUIET", 0.2)
    monkeypatch.setattr("kalshi_nb._session.liveness.LIST_WAIT", 0.3)
    wait_until(lambda: reconnects(engine) >= 1)
    assert any(each["cmd"] == "list_subscriptions" for each in exchange.commands)


def test_a_fault_of_our_own_costs_a_connection_and_not_the_feed(exchange, engine, monkeypatch):
    receive, faults = engine.links[0].session.receive, iter([RuntimeError("a fault in the reader")])

    def faulty(data, received_at):
        for fault in faults:
            raise fault
        receive(data, received_at)

    engine.links[0].session.receive = faulty
    exchange.kill()  # the reader takes the function up with its connection
    wait_until(lambda: reconnects(engine) == 1 and len(exchange.connections) == 2)
    exchange.send({"type": "news"})
    wait_until(lambda: reconnects(engine) == 2)
    assert "a fault in the reader" in engine.status().last_error
    engine.want("trade", [ALL], rows="trade", timeout=10)


def test_a_fault_beside_the_reader_costs_a_connection_too(exchange, engine, monkeypatch):
    tick, faults = engine.links[0].session.tick, iter([RuntimeError("a fault in the clockwork")])

    def faulty():
        for fault in faults:
            raise fault
        tick()

    monkeypatch.setattr(engine.links[0].session, "tick", faulty)
    wait_until(lambda: reconnects(engine) == 1)
    engine.want(BOOKS, [frozenset({A})], rows=BOOKS, timeout=10)


# want and release


def test_want_waits_for_the_exchanges_word(exchange, engine):
    engine.want("trade", [frozenset({A})], rows="trade", timeout=10)
    assert engine.links[0].session.subscriptions["trade"].market_tickers == {A}


def test_a_refused_channel_raises_in_the_caller(exchange, engine):
    exchange.errors["trade"] = {"code": 8, "msg": "Unknown channel name"}
    with pytest.raises(SubscriptionError, match="does not offer this channel") as caught:
        engine.want("trade", [ALL], rows="trade", timeout=10)
    assert (caught.value.channel, caught.value.code, caught.value.market_tickers) == ("trade", 8, ())
    assert engine.links[0].session.subscriptions["trade"].requests == []


@pytest.mark.parametrize(
    ("error", "step"),
    [
        ({"code": 9, "msg": "Authentication required"}, "scopes"),
        ({"code": 26, "msg": "Subscription market limit exceeded"}, r"connections=2"),
        ({"code": 28, "msg": "Markets not found", "market_tickers": [A]}, f"for {A}: error 28"),
        ({"code": 28, "msg": "Markets not found", "market_ticker": A}, "upper case"),
    ],
)
def test_a_refusal_says_what_to_do(exchange, engine, error, step):
    exchange.errors["trade"] = error
    with pytest.raises(SubscriptionError) as caught:
        engine.want("trade", [frozenset({A})], rows="trade", timeout=10)
    assert step in str(caught.value)
    assert caught.value.code == error["code"]


def test_an_exchange_that_does_not_answer_is_said_to_be_silent(exchange, engine):
    exchange.silent = True
    with pytest.raises(SubscriptionError, match=r"no answer within 0\.3 s.*said nothing that answers it") as caught:
        engine.want("trade", [ALL], rows="trade", timeout=0.3)
    assert caught.value.code == 0
    wait_until(lambda: engine.links[0].session.subscriptions["trade"].requests == [])


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ({"code": 10, "msg": "Channel error"}, "refused trade: error 10 'Channel error'"),
        (
            {"code": 25, "msg": "Subscription buffer overflow"},
            "error 25 'Subscription buffer.*fewer markets",
        ),
        ({"code": 18, "msg": "Command timeout"}, "error 18 'Command timeout'"),
        ({"code": 0, "msg": "no"}, "refused trade: an error without a number, 'no'"),
        ({"code": None, "msg": "no"}, "refused trade: an error without a number, 'no'"),
        ({"msg": "no"}, "refused trade: an error without a number, 'no'"),
    ],
    ids=["10", "25", "18", "0", "null", "none"],
)
def test_an_exchange_that_answers_with_an_error_is_not_said_to_be_silent(exchange, engine, error, words):
    exchange.errors["trade"] = error
    with pytest.raises(SubscriptionError, match=words) as caught:
        engine.want("trade", [ALL], rows="trade", timeout=0.3)
    assert caught.value.code == (error.get("code") or 0)
    assert "silent" not in str(caught.value)
    wait_until(lambda: engine.links[0].session.subscriptions["trade"].requests == [])


def test_a_name_that_cannot_be_sent_takes_neither_the_link_nor_anybody_elses_data(exchange, engine):
    engine.want(BOOKS, [frozenset({A})], rows=BOOKS, timeout=10)
    with pytest.raises(SubscriptionError, match=r"'KX\\ud800' is no text that can be sent") as caught:
        engine.want(BOOKS, [frozenset({"KX\ud800"})], rows=BOOKS, timeout=10)
    assert str(caught.value).isprintable()
    assert engine.state == "connected"
    exchange.kill()
    wait_until(lambda: reconnects(engine) == 1 and status(engine, A) == "live")
    assert "encod" not in engine.status().last_error


def test_want_returns_when_the_link_is_down_and_is_kept(exchange, engine):
    exchange.go_away()
    wait_until(lambda: engine.state == "reconnecting")
    engine.want(BOOKS, [frozenset({A})], rows=BOOKS, timeout=30)
    assert status(engine, A) == "connecting"
    exchange.come_back()
    wait_until(lambda: status(engine, A) == "live")


def test_want_is_let_go_when_the_link_is_lost_while_it_waits(exchange, engine):
    exchange.silent = True
    done = threading.Event()
    thread = threading.Thread(target=lambda: (engine.want("trade", [ALL], rows="trade", timeout=60), done.set()))
    thread.start()
    wait_until(lambda: exchange.commands)
    exchange.kill()
    assert done.wait(10)
    thread.join()


def test_what_is_released_is_ended(exchange, engine):
    (interest,) = engine.want("trade", [ALL], rows="trade", timeout=10)
    assert interest.connections == {1}
    engine.release(interest)
    wait_until(lambda: exchange.commands[-1]["cmd"] == "unsubscribe")
    wait_until(lambda: not engine.links[0].session.subscriptions["trade"].listening)


def test_want_from_the_io_thread_is_refused(engine):
    set_role("io")
    try:
        with pytest.raises(WrongThreadError, match="from the notebook"):
            engine.want("trade", [ALL], rows="trade", timeout=1)
    finally:
        set_role(None)
    assert inside(engine).call(threading.current_thread).name == "kalshi-io"
    with pytest.raises(WrongThreadError):
        inside(engine).call(lambda: engine.want("trade", [ALL], rows="trade", timeout=1))


def test_an_interrupted_want_leaves_nothing_wanted(exchange, engine, monkeypatch):
    exchange.silent = True

    def interrupted(parts, timeout):
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "_await", interrupted)
    with pytest.raises(KeyboardInterrupt):
        engine.want("trade", [ALL], rows="trade", timeout=10)
    monkeypatch.undo()
    wait_until(lambda: engine.links[0].session.subscriptions["trade"].requests == [])


# closing


def close_in_time(engine):
    """Close it: what else there is lasts for ever, and the thread has ended within the time that close() gives it."""
    assert JOIN <= 2.0
    engine.close()
    assert engine.state == "closed"
    assert io_threads() == []
    engine.close()


def test_close_while_connected(exchange, engine):
    engine.want(BOOKS, [frozenset({A})], rows=BOOKS, timeout=10)
    wait_until(lambda: status(engine, A) == "live")
    close_in_time(engine)
    assert status(engine, A) == "closed"
    for call in (
        lambda: engine.want("trade", [ALL], rows="trade", timeout=1),
        lambda: inside(engine).post(lambda: None),
        lambda: inside(engine).call(lambda: None),
    ):
        with pytest.raises(FeedClosedError, match=r"connect\(\) again"):
            call()
    engine.release(object())


def test_close_while_reconnecting(exchange, engine):
    exchange.go_away()
    wait_until(lambda: engine.state == "reconnecting" and "Nobody" in (engine.status().last_error or ""))
    close_in_time(engine)


def test_close_during_a_long_delay(exchange, engine):
    exchange.refuse_always = (503, {"Retry-After": "600"}, "")
    exchange.kill()
    wait_until(lambda: "503" in (engine.status().last_error or ""))
    close_in_time(engine)


def test_close_with_a_server_that_never_answers_the_close(exchange, engines):
    async def deaf(connection):
        connection.transport.pause_reading()
        await asyncio.sleep(60)

    exchange.handler = deaf
    engine = engines(exchange.url)
    engine.start(10)
    wait_until(lambda: exchange.connections)
    close_in_time(engine)


def test_close_with_a_server_that_reads_nothing_of_what_is_sent(exchange, engines):
    async def deaf(connection):
        connection.transport.pause_reading()
        await asyncio.sleep(60)

    exchange.handler = deaf
    engine = engines(exchange.url)
    engine.start(10)
    tickers = frozenset("KX-" + "X" * 1_000 + str(number) for number in range(100))
    for _ in range(200):
        inside(engine).post(lambda: engine.links[0].session.outgoing.extend([("x" * 100_000).encode()] * 10))
    inside(engine).post(lambda: engine.links[0].session.want("trade", tickers))
    inside(engine).post(engine.links[0]._react)
    wait_until(lambda: len(engine.links[0].session.outgoing) < 2_000)
    close_in_time(engine)


def test_close_before_the_first_handshake(exchange, engines):
    hold = asyncio.Event()

    async def wait(connection, request):
        await hold.wait()

    exchange.call(replace_handshake(exchange, wait))
    engine = engines(exchange.url)
    caught = []

    def start():
        try:
            engine.start(30)
        except Exception as error:
            caught.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    wait_until(lambda: inside(engine)._main is not None)
    close_in_time(engine)
    thread.join(5)
    assert isinstance(caught[0], FeedClosedError)


async def replace_handshake(exchange, handshake):
    exchange._server.close(close_connections=False)
    exchange._handshake = handshake
    exchange.port = await exchange._open()


def test_close_before_the_thread_has_a_loop(exchange, engines):
    engine = engines(exchange.url)
    inside(engine)._closing.set()  # as close() leaves it when it finds no loop yet
    with pytest.raises(FeedClosedError):
        engine.start(10)
    assert io_threads() == []
    assert exchange.handshakes == []


def test_close_of_an_engine_that_was_never_started(engines, exchange):
    engine = engines(exchange.url)
    engine.close()
    assert engine.state == "closed"
    with pytest.raises(FeedClosedError):
        engine.want("trade", [ALL], rows="trade", timeout=1)


def test_a_start_that_never_ends_by_itself_ends_in_time(engines, exchange, monkeypatch):
    async def forever(*args, **kwargs):
        await asyncio.sleep(60)

    monkeypatch.setattr(link_module, "dial", forever)
    with pytest.raises(UnreachableError, match=r"within 0\.1 s"):
        engines(exchange.url).start(0.1)
    assert io_threads() == []


def test_a_fault_before_the_first_handshake_is_raised_in_the_caller(engines, exchange, monkeypatch):
    async def broken(*args, **kwargs):
        raise ImportError("a proxy that needs another package")

    monkeypatch.setattr(link_module, "dial", broken)
    engine = engines(exchange.url)
    with pytest.raises(ImportError, match="another package"):
        engine.start(10)
    assert io_threads() == []
    assert "another package" in engine.status().last_error


# rows


def test_take_loses_and_doubles_no_row_while_the_io_thread_appends(exchange, engine):
    engine.want("trade", [ALL], rows="trade", timeout=10)
    total, stop = 200_000, threading.Event()
    rows = engine.links[0].session.rows("trade")
    taken = []

    def append():
        for number in range(total):
            rows.append((number,))
        stop.set()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # the threads take turns as often as they can
    try:
        inside(engine).post(append)
        while not stop.is_set():
            taken.append(engine.take("trade"))
    finally:
        sys.setswitchinterval(interval)
    taken.append(engine.take("trade"))
    assert [row[0] for row in itertools.chain(*taken)] == list(range(total))
    assert sum(bool(each) for each in taken) >= 2
    assert engine.links[0].session.rows("trade") is rows
    assert rows == []
    assert engine.take("fill") == []


def test_rows_come_from_real_frames(exchange, engine):
    engine.want("trade", [ALL], rows="trade", timeout=10)
    for seq in range(1, 51):
        msg = {"trade_id": str(seq), "market_ticker": A, "yes_price_dollars": "0.4700", "no_price_dollars": "0.5300"}
        exchange.send({"type": "trade", "sid": 1, "seq": seq, "msg": {**msg, "count_fp": "1.00"}})
    wait_until(lambda: len(engine.links[0].session.rows("trade")) == 50)
    assert [row[8] for row in engine.take("trade")] == [str(seq) for seq in range(1, 51)]
    assert engine.links[0].frames_received >= 51


def test_a_binary_frame_is_read_as_any_other(exchange, engine):
    before = engine.links[0].session.messages
    exchange.send(b'{"type":"news"}')
    exchange.send(b"\xff\xfe")
    wait_until(lambda: engine.links[0].session.messages == before + 2)
    assert engine.links[0].session.rejected == 2


def test_the_local_port_is_that_of_the_present_connection(exchange, engine):
    ports = [engine.links[0].local_port()]
    assert ports[0] == exchange.connections[0].remote_address[1]
    exchange.go_away()
    wait_until(lambda: engine.links[0].local_port() is None)
    exchange.come_back()
    wait_until(lambda: engine.links[0].local_port() is not None and len(exchange.connections) == 2)
    assert engine.links[0].local_port() == exchange.connections[-1].remote_address[1]


def test_data_begins_the_delays_anew_and_a_handshake_alone_does_not(exchange, engine):
    engine.want("trade", [ALL], rows="trade", timeout=10)
    for _ in range(3):
        before = reconnects(engine)
        exchange.kill()
        wait_until(lambda before=before: reconnects(engine) == before + 1)
    assert delays(engine)._backoff.attempts == 3
    msg = {"trade_id": "1", "market_ticker": A, "yes_price_dollars": "0.4700", "no_price_dollars": "0.5300"}
    wait_until(lambda: engine.links[0].session.subscriptions["trade"].sid == 1)
    exchange.send({"type": "trade", "sid": 1, "seq": 1, "msg": {**msg, "count_fp": "1.00"}})
    wait_until(lambda: delays(engine)._backoff.attempts == 0)


def test_a_loop_that_ends_by_a_fault_says_so_and_is_begun_anew(exchange, engine, monkeypatch):
    engine.want(BOOKS, [frozenset({A})], rows=BOOKS, timeout=10)
    delay, faults = delays(engine).delay, iter([RuntimeError("a fault in the delays")] * 2)

    def faulty(**given):
        for fault in faults:
            raise fault
        return delay(**given)

    monkeypatch.setattr(delays(engine), "delay", faulty)
    exchange.kill()
    wait_until(lambda: reconnects(engine) == 1 and status(engine, A) == "live")
    assert engine.status().faults == 1
    assert "a fault in the delays" in engine.status().last_error
    engine.want("trade", [ALL], rows="trade", timeout=10)


@pytest.mark.parametrize("end", [SystemExit, KeyboardInterrupt])
def test_what_ends_any_loop_ends_no_feed(exchange, engine, end):
    engine.want(BOOKS, [frozenset({A})], rows=BOOKS, timeout=10)

    def raises():
        raise end

    inside(engine).post(raises)
    engine.want("trade", [ALL], rows="trade", timeout=10)  # asked while there is no loop, and not lost
    wait_until(lambda: reconnects(engine) == 1 and status(engine, A) == "live")
    assert engine.state == "connected"
    assert end.__name__ in engine.status().last_error
    gaps = {(each.channel, each.reason) for each in engine.gaps.snapshot()}
    assert gaps == {(BOOKS, "connection_lost"), ("trade", "connection_lost")}


@pytest.mark.parametrize("date", [["Sat, 28 Nov 2026 08:00:00 GMT"] * 2, "Sat, 11111111111111111111 Nov 2026", "soon"])
def test_nonsense_in_a_date_header_at_a_reconnect_is_no_trouble(exchange, engine, date):
    engine.want(BOOKS, [frozenset({A})], rows=BOOKS, timeout=10)
    exchange.date = date
    exchange.kill()
    wait_until(lambda: reconnects(engine) == 1 and status(engine, A) == "live")
    assert engine.status().faults == 0
    engine.want("trade", [ALL], rows="trade", timeout=10)


def test_what_a_posted_function_raises_is_raised_where_it_was_asked_for(engine):
    def late():
        raise TimeoutError("of its own")

    with pytest.raises(TimeoutError, match="of its own"):
        inside(engine).call(late)
    assert engine.state == "connected"


def test_a_call_that_the_io_thread_is_too_busy_for_waits_and_is_answered(engine):
    inside(engine).post(lambda: time.sleep(0.6))
    assert inside(engine).call(lambda: 42) == 42


# what others answer


def test_a_redirect_is_not_followed_with_a_signature_in_hand(engines, exchange):
    exchange.refuse = [(302, {"Location": exchange.url}, "")]
    with pytest.raises(HandshakeError, match="302"):
        engines(exchange.url).start(10)
    assert len(exchange.handshakes) == 1


def test_a_redirect_to_nonsense_at_a_reconnect_is_an_outage_like_any_other(exchange, engine):
    exchange.refuse = [(302, {"Location": "ws://[::bad/"}, ""), (302, {"Location": "ws://127.0.0.1:99999"}, "")]
    exchange.kill()
    wait_until(lambda: reconnects(engine) == 1)
    assert engine.state == "connected"


def test_several_interests_are_one_command_and_end_one_by_one(exchange, engine):
    one, two = engine.want(BOOKS, [frozenset({A}), frozenset({B})], rows=None, timeout=10)
    assert [each["params"]["market_tickers"] for each in exchange.commands] == [[A, B]]
    engine.release(one)
    wait_until(lambda: exchange.commands[-1]["params"].get("action") == "delete_markets")
    assert exchange.commands[-1]["params"]["market_tickers"] == [A]
    assert engine.links[0].session.subscriptions[BOOKS].requests == [two.parts[0].request]


def test_an_interest_that_meets_the_end_of_the_feed_says_so(exchange, engine):
    exchange.silent = True
    seen = []

    def ask():
        try:
            engine.want("trade", [ALL], rows="trade", timeout=60)
        except FeedClosedError as refusal:
            seen.append(refusal)

    thread = threading.Thread(target=ask)
    thread.start()
    wait_until(lambda: exchange.commands)
    engine.close()
    thread.join(10)
    assert len(seen) == 1


# the clock, the tap


class SetClock(WallClock):
    """The computer's clock, and what somebody set it by."""

    def __init__(self):
        self.by = 0

    def now_us(self):
        return super().now_us() + self.by


def test_a_clock_that_is_set_stands_among_the_rows_and_in_the_status(exchange, credentials, transport):
    clock = SetClock()
    engine = LiveEngine(exchange.url, credentials, clock=clock, transport=transport)
    heard = []
    engine.tap(heard.append)
    try:
        engine.start(10)
        engine.want("trade", [ALL], rows="trade", timeout=10)
        msg = {"trade_id": "1", "market_ticker": A, "yes_price_dollars": "0.4700", "no_price_dollars": "0.5300"}
        exchange.send({"type": "trade", "sid": 1, "seq": 1, "msg": {**msg, "count_fp": "1.00"}})
        wait_until(lambda: engine.status().messages == 2)
        clock.by = -3_600_000_000
        exchange.send({"type": "trade", "sid": 1, "seq": 5, "msg": {**msg, "count_fp": "1.00"}})
        wait_until(lambda: engine.status().messages == 3)
        first, step, gap, second = engine.take("trade")
        assert (type(step), type(gap)) == (ClockStepRow, GapRow)
        assert abs(step.by + 3_600_000_000) < 1_000_000
        assert second[9] < first[9]
        (hole,) = engine.gaps.snapshot()
        assert hole.opened_at < first[9]
        assert hole.opened > first[9]
        assert hole.closed >= hole.opened
        (reported,) = engine.status().clock_steps
        assert reported.by == step.by
        assert [each.kind for each in heard if isinstance(each, Event)] == ["connected", "clock"]
    finally:
        engine.close()


def test_a_tap_hears_every_message_as_it_came_and_every_connection(exchange, engine):
    heard = []
    remove = engine.tap(heard.append)
    engine.want("trade", [ALL], rows="trade", timeout=10)
    nonsense = ["no JSON at all", '{"type": "of tomorrow"}']
    for each in nonsense:
        exchange.send(each)
    exchange.kill()
    wait_until(lambda: reconnects(engine) == 1)
    wait_until(lambda: sum(isinstance(each, Event) for each in heard) == 2)
    wait_until(lambda: exchange.commands[-1]["cmd"] == "subscribe" and len(exchange.commands) == 2)
    wait_until(lambda: engine.status().messages == 4)
    remove()
    exchange.send("nobody hears this")
    wait_until(lambda: engine.status().messages == 5)
    assert heard[0] == Checkpoint(heard[0].at, connected=(1,))
    texts = [text for each in heard if isinstance(each, Read) for text in each.messages]
    assert [json.loads(each)["type"] for each in (texts[0], texts[-1])] == ["subscribed", "subscribed"]
    assert [each.decode() for each in texts[1:-1]] == nonsense
    assert [each.kind for each in heard if isinstance(each, Event)] == ["lost", "connected"]
    commands = [json.loads(each.command) for each in heard if isinstance(each, Sent)]
    assert commands == exchange.commands
    for before, after in itertools.pairwise(each.at for each in heard):
        assert before <= after


@pytest.mark.parametrize("problem", [OSError, SystemExit, MemoryError])
def test_a_tap_that_fails_is_taken_off_and_reported(exchange, engine, problem):
    def broken(heard):
        if isinstance(heard, Read):
            raise problem("no space left on device")

    engine.tap(broken)
    heard = []
    engine.tap(heard.append)
    engine.want("trade", [ALL], rows="trade", timeout=10)
    exchange.send("{}")
    wait_until(lambda: engine.status().messages == 2)
    assert "no space left" in engine.status().last_error
    assert any(isinstance(each, Read) for each in heard)
    assert (engine.state, engine.status().faults) == ("connected", 0)

"""The handle: what it shows, what it keeps to itself, and how it ends."""

from __future__ import annotations

import contextlib
import copy
import gc
import pickle
import socket
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import kalshi_nb as kn
from kalshi_nb import errors, sim
from kalshi_nb.sim import Exchange, Follower, Market, _server
from tests.sim.conftest import BUSY_TICKER, poll_until, signed


def port_of(exchange):
    return int(exchange.url.split(":")[2].split("/")[0])


def sim_threads():
    return [thread for thread in threading.enumerate() if thread.name == "kalshi-sim"]


def close_in_time(exchange):
    """Close it: its thread has ended within the time that close() gives it, whatever clients do."""
    assert _server._JOIN_WITHIN <= 2.0
    exchange.close()
    assert sim_threads() == []


def run(script, *arguments):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_public_names_are_these():
    assert sorted(sim.__all__) == ["Exchange", "FaultPlan", "Faults", "Follower", "Market", "exchange"]
    assert Market.__dataclass_params__.frozen
    assert {"local_port", "frames_received", "flush"} <= set(dir(Follower))


def test_asking_again_with_the_same_options_gives_the_running_exchange():
    first = sim.exchange(seed=12, clock="manual")
    try:
        assert sim.exchange(clock="manual", seed=12) is first
        first.close()
        assert first.closed
        second = sim.exchange(seed=12, clock="manual")
        assert second is not first
        second.close()
    finally:
        first.close()
    assert sim_threads() == []


def test_options_left_out_are_those_that_are_default():
    first = sim.exchange()
    try:
        assert sim.exchange(seed=7) is first
        assert sim.exchange(clock="wall", speed=1.0) is first
    finally:
        first.close()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"seed": 99}, r"seed is 7 there and 99 here.*Exchange\(seed=99\)"),
        ({"clock": "manual", "speed": 2}, "clock is 'wall' there and 'manual' here, speed is 1.0 there and 2 here"),
    ],
)
def test_other_options_while_one_runs_are_refused_with_the_difference(asked, told):
    first = sim.exchange()
    try:
        with pytest.raises(errors.SimulationError, match=told):
            sim.exchange(**asked)
        assert len(sim_threads()) == 1
        with sim.Exchange(**asked) as beside:
            assert beside is not first
    finally:
        first.close()
    second = sim.exchange(**asked)
    assert second is not first
    second.close()


def test_a_clock_moved_by_hand_is_taken_for_no_other_option_of_connect_s_own_exchange():
    with kn.connect("sim") as feed:
        moved = sim.exchange(clock="manual")
        try:
            assert moved is not feed.exchange
            with pytest.raises(errors.SimulationError, match="seed is 7 there and 8 here"):
                sim.exchange(clock="manual", seed=8)
        finally:
            moved.close()


def test_an_option_that_there_is_not_starts_nothing():
    with pytest.raises(TypeError, match="sed"):
        sim.exchange(sed=7)
    with pytest.raises(errors.SimulationError):
        sim.exchange(seed="7")
    assert sim_threads() == []


def test_the_exchange_of_a_feed_that_runs_is_told_of_too_and_others_stay_their_own():
    with kn.connect("sim") as feed:
        with pytest.raises(errors.SimulationError, match="seed is 7 there and 99 here"):
            sim.exchange(seed=99)
        assert sim.exchange() is feed.exchange
    own = sim.exchange(seed=99)
    try:
        with kn.connect("sim") as feed, kn.connect(own) as other:
            assert feed.exchange is not own
            assert other.exchange is own
            assert sim.exchange(seed=99) is own
            assert kn.connect("sim") is feed
    finally:
        own.close()
    assert sim_threads() == []


def test_it_serves_at_once_on_loopback_only_and_says_so(exchange):
    assert exchange.url == f"ws://127.0.0.1:{port_of(exchange)}/trade-api/ws/v2"
    assert repr(exchange) == f"<Exchange {exchange.url}, clock='manual', 12 markets>"
    assert exchange._server._listener.getsockname()[0] == "127.0.0.1"
    assert len(sim_threads()) == 1
    assert sim_threads()[0].daemon


def test_the_private_key_shows_nowhere(exchange):
    secret = exchange.private_key.private_bytes(
        serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
    )
    shown = "".join((repr(exchange), str(exchange), f"{exchange}", repr(vars(exchange))))
    for form in (secret.hex(), repr(secret)[2:-1], exchange.key_id):
        assert form not in repr(exchange) + str(exchange)
    assert secret.hex() not in shown
    for copying in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(errors.SimulationError, match="running server"):
            copying(exchange)


def test_each_exchange_has_a_key_of_its_own(open_exchange):
    one, two = open_exchange(), open_exchange()
    assert one.key_id != two.key_id
    assert one.url != two.url


def test_a_port_in_use_is_an_error_that_says_what_to_do(exchange):
    with pytest.raises(errors.PortInUseError, match=r"close\(\) that one, or pass port=0") as caught:
        Exchange(port=port_of(exchange))
    assert isinstance(caught.value, errors.SimulationError | OSError)
    assert len(sim_threads()) == 1


WRONG = [
    ({"seed": "7"}, "whole number"),
    ({"seed": True}, "whole number"),
    ({"clock": "fast"}, "'wall' or 'manual'"),
    ({"era": "2025"}, "'2026-10' or 'captures'"),
    ({"unknown_markets": "maybe"}, "'empty' or 'error'"),
    ({"port": -1}, "pass 0"),
    ({"port": 70_000}, "pass 0"),
    ({"port": "0"}, "pass 0"),
    ({"start": "2026-11-22"}, "time zone"),
    ({"start": __import__("datetime").datetime(2026, 11, 22)}, "time zone"),
    (
        {"start": __import__("datetime").datetime(9999, 1, 1, tzinfo=__import__("datetime").UTC)},
        "between 1970 and 9000",
    ),
]


@pytest.mark.parametrize(("options", "words"), WRONG, ids=range(len(WRONG)))
def test_wrong_arguments_say_what_to_pass_and_start_nothing(options, words):
    before = len(sim_threads())
    with pytest.raises(errors.SimulationError, match=words):
        Exchange(**options)
    assert len(sim_threads()) == before


def test_close_ends_thread_connections_and_port_and_may_be_repeated(open_exchange, open_client):
    exchange = open_exchange()
    client = open_client(exchange)
    port = port_of(exchange)
    close_in_time(exchange)
    exchange.close()
    client.wait_until(lambda: client.closed)
    assert client.closed.rcvd.code == 1001
    assert "closed" in repr(exchange)
    with socket.create_server(("127.0.0.1", port)):
        pass
    for call in (lambda: exchange.advance(1), exchange.faults.drop_connections):
        with pytest.raises(errors.SimulationError, match="closed"):
            call()


def test_close_waits_for_no_client_that_neither_reads_nor_answers(open_exchange):
    exchange = open_exchange()
    with socket.create_connection(("127.0.0.1", port_of(exchange))) as silent:
        silent.sendall(b"GET /trade-api/ws/v2 HTTP/1.1\r\n")
        poll_until(lambda: _server._accepted, "the client")
        close_in_time(exchange)
        silent.settimeout(5)
        with contextlib.suppress(ConnectionResetError):
            assert silent.recv(1) == b""
    assert sim_threads() == []
    del exchange
    gc.collect()  # an unclosed transport would warn here


def test_close_waits_for_no_client_that_ignores_the_close_frame(open_exchange, open_client):
    exchange = open_exchange(clock="wall")
    client = open_client(exchange, read=False)
    client.subscribe("orderbook_delta", market_tickers=list(exchange.market_tickers))
    frozen = client.socket.socket.dup()
    close_in_time(exchange)
    frozen.close()


def test_it_is_a_context_manager(open_client):
    with Exchange() as exchange:
        assert open_client(exchange).answer() == []
    assert sim_threads() == []


def test_closing_again_and_again_leaks_no_file_descriptors(open_client):
    def cycle():
        with Exchange(clock="manual") as exchange:
            client = open_client(exchange)
            client.subscribe("ticker")
            exchange.advance(1)
            client.close()

    cycle()
    gc.collect()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        cycle()
    gc.collect()
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_an_exchange_left_open_ends_with_the_interpreter_without_a_word():
    done = run("""
        from kalshi_nb.sim import Exchange
        exchange = Exchange()
        print(exchange.url)
    """)
    assert (done.returncode, done.stderr) == (0, "")
    port = int(done.stdout.split(":")[2].split("/")[0])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 1)


def test_at_the_interpreter_s_end_clients_are_told_with_a_close_frame(open_client):
    script = """
        import sys
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
        from kalshi_nb.sim import Exchange
        exchange = Exchange()
        exchange.add_key("visitor", load_pem_public_key(sys.argv[1].encode()))
        print(exchange.url, flush=True)
        sys.stdin.readline()
    """
    key = Ed25519PrivateKey.generate()
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    pem = key.public_key().public_bytes(*form).decode()
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), pem],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        there = SimpleNamespace(url=process.stdout.readline().strip())
        client = open_client(there, headers=signed("visitor", key))
        process.communicate("end\n", timeout=30)
        client.wait_until(lambda: client.closed)
    assert client.closed.rcvd.code == 1001
    assert process.returncode == 0


def test_a_forked_child_s_copy_does_nothing_and_keeps_no_port():
    done = run("""
        import os, socket, sys, time
        from kalshi_nb import errors
        from kalshi_nb.sim import Exchange
        exchange = Exchange(clock="manual")
        port = int(exchange.url.split(":")[2].split("/")[0])
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            exchange.close()
            try:
                exchange.advance(1)
            except errors.SimulationError as error:
                assert "forked" in str(error)
                os.read(read, 1)
                os._exit(7)
            os._exit(1)
        exchange.advance(1)
        with socket.create_connection(("127.0.0.1", port), 1):
            pass
        exchange.close()
        try:
            socket.create_connection(("127.0.0.1", port), 1)
        except ConnectionRefusedError:
            print("free while the child lives")
        os.write(write, b"x")
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """)
    assert (done.stdout, done.stderr) == ("free while the child lives\n7\n", "")


def test_importing_it_brings_none_of_the_heavy_libraries_and_none_of_the_client():
    done = run("""
        import sys
        import kalshi_nb.sim
        heavy = {"polars", "numpy", "pandas", "pyarrow", "ipywidgets", "anywidget", "streamz", "msgspec"}
        print(sorted(heavy & set(sys.modules)))
        allowed = {"kalshi_nb", "kalshi_nb.errors", "kalshi_nb._clock"}
        print(sorted(
            name for name in sys.modules
            if name.startswith("kalshi_nb") and not name.startswith("kalshi_nb.sim") and name not in allowed
        ))
    """)
    assert done.stderr == ""
    assert done.stdout.splitlines()[0] == "[]"


def test_its_source_imports_nothing_of_the_client():
    import ast

    modules = list(Path(sim.__file__).parent.glob("*.py"))
    assert len(modules) > 10
    for path in modules:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                ours = name.startswith("kalshi_nb")
                assert not ours or name in {"kalshi_nb.errors", "kalshi_nb._clock"} or "kalshi_nb.sim" in name


def test_it_tells_the_time_as_any_clock_of_the_kit_does(open_exchange):
    from kalshi_nb._clock import Clock

    def read(clock: Clock) -> int:
        return clock.now_us()

    wall = open_exchange(clock="wall")
    first = read(wall)
    poll_until(lambda: read(wall) > first, "a later time")
    assert isinstance(read(open_exchange()), int)


def test_an_error_inside_the_market_is_not_silence(open_exchange, open_client, monkeypatch):
    from kalshi_nb.sim import _venue

    seen = []
    monkeypatch.setattr(threading, "excepthook", lambda what: seen.append(what.exc_value))
    exchange = open_exchange(clock="wall")
    client = open_client(exchange)
    monkeypatch.setattr(_venue.Venue, "publish", lambda *_, **__: 1 / 0)
    client.wait_until(lambda: client.closed)
    poll_until(lambda: seen, "the error")
    assert isinstance(seen[0], ZeroDivisionError)
    with pytest.raises(errors.SimulationError, match="closed"):
        exchange.faults.drop_connections()


def test_with_a_manual_clock_an_error_inside_the_market_is_raised_to_the_caller(exchange, monkeypatch):
    from kalshi_nb.sim import _venue

    monkeypatch.setattr(_venue.Venue, "publish", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        exchange.advance(1)


def test_it_works_beside_a_patched_event_loop():
    done = run("""
        import asyncio, nest_asyncio
        from kalshi_nb.sim import Exchange

        async def main():
            nest_asyncio.apply()
            with Exchange(clock="manual") as exchange:
                exchange.advance(2)
                print(exchange.now_us() % 60_000_000)

        asyncio.run(main())
    """)
    assert done.stdout == "2000000\n", done.stderr


def test_the_markets_are_there_before_anybody_connects(exchange, client):
    assert BUSY_TICKER in exchange.market_tickers
    exchange.advance(60)
    client.subscribe("orderbook_delta", market_ticker=BUSY_TICKER)
    assert len(client.answer()[1]["msg"]["yes_dollars_fp"]) > 2

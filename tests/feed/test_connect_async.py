"""connect_async(): the loop goes on while it is dialed, and a task that is cancelled leaves nothing behind."""

import asyncio
import random
import socket
import threading
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

import kalshi_nb as kn
from kalshi_nb import errors
from tests.feed.conftest import until

KEY = ed25519.Ed25519PrivateKey.generate()


@pytest.fixture
def deaf():
    """An address where a connection is taken up and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"ws://127.0.0.1:{server.getsockname()[1]}/trade-api/ws/v2"


class Pulse:
    """How long the loop stood still at most."""

    async def __aenter__(self):
        self.longest = 0.0
        self._task = asyncio.create_task(self._beat())
        await asyncio.sleep(0)
        return self

    async def _beat(self):
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.005)
            self.longest = max(self.longest, time.monotonic() - before)

    async def __aexit__(self, *_):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@pytest.fixture
def left(exchange):
    """Which threads of the kit there are that were not there before, but for the exchange's own."""
    before = set(threading.enumerate())
    return lambda: [each for each in set(threading.enumerate()) - before if each.name.startswith("kalshi-")]


def test_it_is_awaited_or_entered_and_gives_a_feed(exchange):
    async def main():
        feed = await kn.connect_async(exchange)
        assert feed.state == "connected"
        assert await kn.connect_async(exchange) is feed
        assert kn.connect(exchange) is feed
        async with kn.connect_async(exchange, new=True) as other:
            assert other.state == "connected"
            assert other is not feed
        assert other.state == "closed"
        assert feed.state == "connected"
        feed.close()

    asyncio.run(main())


def test_the_embedded_exchange_comes_by_it_too():
    async def main():
        async with kn.connect_async("sim") as feed:
            return await asyncio.to_thread(feed.trades().wait, 1)

    assert asyncio.run(main()).total >= 1


def test_connect_itself_can_be_awaited_and_entered(exchange):
    async def main():
        feed = await kn.connect(exchange)
        assert await feed is feed
        async with kn.connect(exchange) as same:
            assert same is feed
        assert feed.state == "closed"

    asyncio.run(main())


def test_the_loop_goes_on_while_it_is_dialed(deaf):
    async def main():
        async with Pulse() as pulse:
            with pytest.raises(errors.UnreachableError):
                await kn.connect_async(deaf, key_id="i", private_key=KEY, timeout=1)
        return pulse.longest

    assert asyncio.run(main()) < 0.5


class Slow:
    """An exchange that lets a feed go slowly."""

    def __init__(self, exchange):
        self._exchange = exchange

    def __getattr__(self, name):
        return getattr(self._exchange, name)

    def detach(self, follower):
        time.sleep(1)
        self._exchange.detach(follower)


@pytest.mark.parametrize("make", [kn.connect, kn.connect_async])
def test_the_loop_goes_on_while_a_feed_is_closed(exchange, make):
    async def main():
        async with Pulse() as pulse, make(exchange) as feed:
            feed.exchange = Slow(exchange)
            pulse.longest = 0.0
        assert feed.state == "closed"
        return pulse.longest

    assert asyncio.run(main()) < 0.5


def test_several_connect_at_once_and_those_to_one_place_get_one_feed(exchange):
    async def main():
        with kn.sim.Exchange(seed=3, clock="manual") as second:
            found = await asyncio.gather(*(kn.connect_async(each) for each in [exchange, second] * 4))
            assert len({id(each) for each in found}) == 2
            for each in found:
                each.close()

    asyncio.run(main())


def test_a_cancelled_task_leaves_nothing_behind_and_does_not_wait(deaf, left):
    async def main():
        for after in (0, 0.01, 0.1, 0.3):
            task = asyncio.create_task(wait())
            await asyncio.sleep(after)
            began = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert time.monotonic() - began < 0.2
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await wait()

    async def wait():
        await kn.connect_async(deaf, key_id="i", private_key=KEY, timeout=60)

    asyncio.run(main())
    until(lambda: not left(), "all threads end long before the time-out")


@pytest.mark.parametrize("new", [False, True])
def test_a_task_cancelled_at_any_moment_leaves_no_thread_and_no_connection(exchange, left, new):
    async def main():
        kept = 0
        began = time.monotonic()
        (await kn.connect_async(exchange)).close()
        took = time.monotonic() - began
        for _ in range(40):
            task = asyncio.create_task(connected())
            await asyncio.sleep(moments.uniform(0, took * 1.2))
            task.cancel()
            try:
                (await task).close()
                kept += 1
            except asyncio.CancelledError:
                pass
        return kept

    async def connected():
        return await kn.connect_async(exchange, new=new)

    moments = random.Random(5)
    assert asyncio.run(main()) < 40
    until(lambda: not left(), "no thread is left")
    until(lambda: not exchange._server.connections, "no connection is left")
    with kn.connect(exchange) as feed:
        assert feed.state == "connected"


def test_a_task_cancelled_while_another_dials_takes_nothing_from_that(exchange):
    async def main():
        tasks = [asyncio.create_task(connected()) for _ in range(6)]
        await asyncio.sleep(0.02)
        for each in tasks[:-1]:
            each.cancel()
        feed = await tasks[-1]
        await asyncio.sleep(0.3)
        assert feed.state == "connected"
        feed.close()

    async def connected():
        return await kn.connect_async(exchange)

    asyncio.run(main())


def test_what_cannot_work_whatever_the_exchange_says_is_raised_by_the_call_itself(exchange):
    with pytest.raises(errors.ConfigurationError, match="timeout"):
        kn.connect_async(exchange, timeout=0)
    assert "await" in repr(kn.connect_async(exchange))


def test_a_clock_that_is_off_is_told_in_the_coroutine(exchange, monkeypatch):
    monkeypatch.setattr(kn.Feed, "clock_skew", 60.0)

    async def main():
        with pytest.warns(errors.ClockWarning, match="60 s ahead") as told:
            (await kn.connect_async(exchange)).close()
        return told[0].filename

    assert asyncio.run(main()) == __file__


def test_a_warning_made_an_error_leaves_no_feed(exchange, left, monkeypatch):
    monkeypatch.setattr(kn.Feed, "clock_skew", 60.0)  # warnings are errors in tests
    with pytest.raises(errors.ClockWarning):
        kn.connect(exchange, new=True)
    until(lambda: not left(), "no thread is left")

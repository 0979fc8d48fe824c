"""``async for`` over a feed's messages, on a loop of one's own."""

# ruff: noqa: ASYNC110, ASYNC251  # what is waited for is another thread's, and a loop that is held up is the point

import asyncio
import gc
import threading
import time

import pytest

import kalshi_nb as kn
from kalshi_nb import errors
from kalshi_nb._rows.gaps import GapRow
from tests.feed.list_engine import BASE_US, ListEngine
from tests.feed.test_another_engine import opened
from tests.streams.conftest import trade, until


@pytest.fixture
def exchange():
    with kn.sim.Exchange(seed=5, clock="manual") as made:
        yield made


@pytest.fixture
def feed(exchange):
    with kn.connect(exchange, new=True) as made:
        yield made


async def collect(listener, count):
    found = []
    async for message in listener:
        found.append(message)
        if len(found) == count:
            break
    return found


def asks():
    return [each.name for each in threading.enumerate() if each.name == "kalshi-ask"]


def test_messages_are_those_that_a_callback_has_in_the_same_order(feed, exchange):
    heard = []
    feed.on("trade")(heard.append)

    async def listen():
        listener = feed.listen("trade")
        task = asyncio.create_task(collect(listener, 20))
        while listener.pipeline is None or listener.pipeline.rows < 20:
            await asyncio.to_thread(exchange.advance, 5)
        return await task

    found = asyncio.run(listen())
    assert found == heard[: len(found)]
    assert len(found) == 20


def test_it_ends_with_the_feed_after_all_that_had_come(exchange):
    feed = kn.connect(exchange, new=True)
    trades = feed.trades()

    async def listen():
        listener = feed.listen("trade")
        first = asyncio.ensure_future(anext(listener))
        while not first.done():
            await asyncio.to_thread(exchange.advance, 5)
        await asyncio.to_thread(exchange.advance, 30)
        await asyncio.to_thread(feed.close)
        return [await first] + [each async for each in listener], listener

    found, listener = asyncio.run(asyncio.wait_for(listen(), 60))
    assert [each.trade_id for each in found] == trades.df["trade_id"].to_list()[-len(found) :]
    assert len(found) > 5
    assert listener.pipeline.state == "closed"


@pytest.mark.parametrize("how", ["break", "cancel", "aclose", "with", "the loop ends", "dropped"])
def test_however_it_is_left_nothing_stays_behind(feed, exchange, how):
    async def listen():
        listener = feed.listen("trade")
        step = asyncio.ensure_future(anext(listener))
        while not step.done():
            await asyncio.to_thread(exchange.advance, 5)
        if how == "break":
            asyncio.get_running_loop().call_soon(exchange_on.set)
            async for _ in listener:
                break
        elif how == "cancel":
            waiting = asyncio.create_task(collect(listener, 10**9))
            await asyncio.sleep(0.01)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        elif how == "aclose":
            await listener.aclose()
        elif how == "with":
            async with listener:
                pass
        elif how == "the loop ends":
            kept.append(listener)
        return listener.pipeline

    kept, exchange_on = [], threading.Event()
    moving = threading.Thread(target=lambda: exchange_on.wait(5) and exchange.advance(20))
    moving.start()
    pipeline = asyncio.run(asyncio.wait_for(listen(), 60))
    exchange_on.set()
    moving.join()
    gc.collect()
    if how == "the loop ends":  # found out when the next batch comes
        exchange.advance(20)
    until(lambda: pipeline.state == "closed")
    assert feed.pipelines == []
    until(lambda: "trade" not in feed.health().markets)
    until(lambda: not asks())


def test_it_is_told_at_once_and_one_wake_up_is_a_batch():
    engine = ListEngine()
    with opened(engine) as feed:

        async def listen():
            listener = feed.listen("trade")
            found = []
            for number in range(1, 30):
                step = asyncio.ensure_future(anext(listener))
                while listener.pipeline is None or not engine.wanted:
                    await asyncio.sleep(0.001)
                engine.play("trade", trade(number))
                found.append(await asyncio.wait_for(step, 20))
            return [each.trade_id for each in found]

        assert asyncio.run(listen()) == [f"id-{number}" for number in range(1, 30)]


def test_a_gap_stands_between_the_messages_where_it_happened():
    engine = ListEngine()
    with opened(engine) as feed:

        async def listen():
            listener = feed.listen("trade", gaps=True)
            task = asyncio.create_task(collect(listener, 3))
            while not engine.wanted:
                await asyncio.sleep(0.001)
            engine.play("trade", trade(1), GapRow(None, BASE_US, "sequence"), trade(5))
            return await task

        one, gap, five = asyncio.run(listen())
        assert (one.trade_id, five.trade_id) == ("id-1", "id-5")
        assert isinstance(gap, kn.Gap)
        assert (gap.channel, gap.market_ticker, gap.reason) == ("trade", None, "sequence")


def test_what_is_never_taken_is_bounded_and_what_went_is_counted_and_told():
    engine = ListEngine()
    with opened(engine, options=kn._feed.options.Options(max_pending_rows=100)) as feed:

        async def listen():
            listener = feed.listen("trade", gaps=True)
            step = asyncio.ensure_future(anext(listener))
            while not engine.wanted:
                await asyncio.sleep(0.001)
            engine.play("trade", trade(0))
            await step
            for first in range(1, 1_001, 10):
                engine.play("trade", *[trade(first + n) for n in range(10)])
                while listener.pipeline.rows < first + 10:
                    time.sleep(0.001)  # the loop does not come to it
            assert 900 <= listener.pipeline.dropped <= 910  # known before anybody takes anything
            assert listener.pipeline.gaps["rows"].sum() == listener.pipeline.dropped
            assert any("slow" in each for each in feed.health().warnings)
            assert feed.health().dropped_rows == listener.pipeline.dropped
            feed.close()
            return [each async for each in listener], listener.pipeline

        found, pipeline = asyncio.run(listen())
    gap, kept = found[0], found[1:]
    assert isinstance(gap, kn.Gap)
    assert gap.reason == "dropped"
    assert [each.trade_id for each in kept] == [f"id-{number}" for number in range(1_001 - len(kept), 1_001)]
    assert 90 <= len(kept) <= 100
    assert pipeline.dropped == gap.rows == 1_000 - len(kept)


def test_a_slow_callback_holds_it_up_no_more_than_the_frames():
    engine, go_on = ListEngine(), threading.Event()
    with opened(engine) as feed:
        feed.on("trade")(lambda trade: go_on.wait(30))

        async def listen():
            listener = feed.listen("trade")
            task = asyncio.create_task(collect(listener, 5))
            while listener.pipeline is None or len(engine.wanted) < 2:
                await asyncio.sleep(0.001)
            for number in range(5):
                engine.play("trade", trade(number))
            return await asyncio.wait_for(task, 20)

        assert len(asyncio.run(listen())) == 5
        go_on.set()


def test_other_tasks_have_their_turn_however_many_messages_come():
    engine = ListEngine()
    with opened(engine) as feed:

        async def listen():
            listener, turns = feed.listen("trade"), []

            async def other():
                while True:
                    turns.append(len(turns))
                    await asyncio.sleep(0)

            task = asyncio.create_task(other())
            step = asyncio.ensure_future(anext(listener))
            while not engine.wanted:
                await asyncio.sleep(0.001)
            engine.play("trade", trade(0))
            await step
            before, taken = len(turns), 0
            for number in range(200):
                engine.play("trade", trade(number + 1))
                while listener.pipeline.rows < number + 2:
                    time.sleep(0.0005)
                await anext(listener)
                taken += 1
            task.cancel()
            return taken, len(turns) - before

        taken, turns = asyncio.run(listen())
        assert taken == 200
        assert turns >= 200


def test_the_loop_goes_on_while_the_exchange_is_asked():
    answer = threading.Event()

    class Slow(ListEngine):
        def want(self, *arguments, **options):
            assert answer.wait(20)
            return super().want(*arguments, **options)

    with opened(Slow()) as feed:

        async def listen():
            step = asyncio.ensure_future(anext(feed.listen("trade")))
            for _ in range(20):
                await asyncio.sleep(0.001)
            assert not step.done()
            step.cancel()
            with pytest.raises(asyncio.CancelledError):
                await step
            answer.set()

        asyncio.run(listen())
        until(lambda: not asks())
        assert feed._engine.wanted == []
        assert feed.pipelines == []


def test_what_the_exchange_refuses_is_raised_at_the_first_step(feed):
    async def listen():
        with pytest.raises(errors.MarketTickerError, match="Name the markets"):
            await anext(feed.listen("orderbook_delta"))

    asyncio.run(listen())
    assert feed.pipelines == []


def test_wrong_uses_are_refused_where_they_stand(feed):
    with pytest.raises(errors.UnknownChannelError, match="Did you mean 'trade'"):
        feed.listen("trades")
    with pytest.raises(errors.PipelineError, match="async for"):
        for _ in feed.listen("trade"):
            pass
    feed.close()
    with pytest.raises(errors.FeedClosedError, match=r"connect\(\) again"):
        feed.listen("trade")


def test_two_tasks_share_one_listener_and_nothing_is_lost_between_them():
    engine = ListEngine()
    with opened(engine) as feed:

        async def listen():
            listener, found = feed.listen("trade"), []

            async def take():
                async for message in listener:
                    found.append(message.trade_id)
                    await asyncio.sleep(0.001)

            tasks = [asyncio.create_task(take()) for _ in range(3)]
            while not engine.wanted:
                await asyncio.sleep(0.001)
            for first in range(0, 300, 5):
                engine.play("trade", *[trade(first + n) for n in range(5)])
                await asyncio.sleep(0.001)
            while len(found) < 300:
                await asyncio.sleep(0.005)
            for task in tasks:
                task.cancel()
            return found

        found = asyncio.run(asyncio.wait_for(listen(), 30))
        assert sorted(found) == sorted(f"id-{number}" for number in range(300))


def test_a_cancelled_task_that_is_kept_keeps_no_listener_going(feed, exchange):
    async def listen():
        listener = feed.listen("trade")
        task = asyncio.create_task(collect(listener, 10**9))
        while listener.pipeline is None or not feed.health().markets:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return task, listener

    kept = asyncio.run(asyncio.wait_for(listen(), 30))
    until(lambda: feed.pipelines == [])
    assert kept[1].pipeline.state == "closed"


def test_a_step_after_one_that_timed_out_says_why_there_are_no_more(feed):
    async def listen():
        listener = feed.listen("trade")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(listener), 0.3)
        with pytest.raises(errors.PipelineError, match="cancelled"):
            await anext(listener)

    asyncio.run(listen())


def test_a_listener_is_of_one_loop(feed, exchange):
    listener = feed.listen("trade")

    async def first():
        step = asyncio.ensure_future(anext(listener))
        while not step.done():
            await asyncio.to_thread(exchange.advance, 5)

    async def second():
        with pytest.raises(errors.PipelineError, match="belongs to the event loop"):
            await anext(listener)

    asyncio.run(asyncio.wait_for(first(), 30))
    asyncio.run(asyncio.wait_for(second(), 30))


def test_a_listener_of_a_name_takes_the_place_of_the_one_before(feed):
    async def listen():
        listeners = [feed.listen("trade", name="mine") for _ in range(2)]
        steps = []
        for listener in listeners:
            steps.append(asyncio.ensure_future(anext(listener)))
            while listener.pipeline is None or not feed.health().markets:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.3)
        assert [each.pipeline.state for each in listeners] == ["closed", "running"]
        with pytest.raises(StopAsyncIteration):
            await steps[0]
        steps[1].cancel()

    asyncio.run(listen())


def test_a_listener_never_begun_asks_for_nothing(feed):
    listener = feed.listen("trade")
    assert "not begun" in repr(listener)
    del listener
    assert feed.pipelines == []
    assert feed.health().markets == {}

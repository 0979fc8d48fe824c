"""One record where an outage begins and one where it ends, whatever lies between; who it is about, and why."""

import logging
import re
import time

import pytest

from kalshi_nb import _logging
from tests.engine.conftest import reconnects, wait_until

A = "KXA-1"


@pytest.fixture(autouse=True)
def _hurried(monkeypatch):
    monkeypatch.setattr("kalshi_nb._session.backoff.FIRST_CEILING", 0.02)
    monkeypatch.setattr("kalshi_nb._session.reconnecting.REFUSAL_WAIT", 0.02)


@pytest.fixture
def told():
    """What the logger was told of the connection itself, as (level, text), oldest first; gaps have records, too."""
    found = []

    class Kept(logging.Handler):
        def emit(self, record):
            found.append((record.levelname, record.getMessage()))

    def records():
        assert _logging.settle(5)
        return [each for each in found if not re.match(r"([0-9,]+ )?gaps? in ", each[1])]

    logger, handler, before = logging.getLogger("kalshi_nb"), Kept(), logging.getLogger("kalshi_nb").level
    assert _logging.settle(5)
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield records
    logger.removeHandler(handler)
    logger.setLevel(before)


@pytest.fixture
def engine(engines, exchange, told):
    found = engines(exchange.url)
    found.start(10)
    exchange.settle()
    found.want("orderbook_delta", [frozenset({A})], rows="orderbook_delta", timeout=10)
    wait_until(lambda: exchange.accepted == 1 and found.links[0].session.data_messages == 1)
    return found


def live_again(engine, count, told):
    wait_until(lambda: reconnects(engine) == count and engine.ladder(A).status == "live")
    wait_until(lambda: told()[-1][0] == "INFO")  # that it is back is told by a thread of its own
    time.sleep(0.3)  # for a moment of peace, in which nothing more is said


def test_a_lost_connection_is_a_warning_with_its_cause_and_its_return_is_news(exchange, engine, told):
    assert told() == [("INFO", f"connection 1 to {exchange.url}: connected")]
    exchange.hang_up(1012)
    live_again(engine, 1, told)
    (_, lost, back) = told()
    assert lost[0] == "WARNING"
    assert re.fullmatch(
        rf"connection 1 to {exchange.url}: connection lost: the exchange closed it with code 1012; dialed .*", lost[1]
    )
    assert back[0] == "INFO"
    assert re.fullmatch(rf"connection 1 to {exchange.url}: connected again, after [0-9.]+ s", back[1])


def test_the_attempts_of_an_outage_are_no_news(exchange, engine, told):
    exchange.refuse_always = (503, {}, "")
    exchange.kill()
    wait_until(lambda: len(exchange.handshakes) >= 8)
    exchange.refuse_always = None
    engine.reconnect()
    live_again(engine, 1, told)
    assert [level for level, _ in told()] == ["INFO", "WARNING", "INFO"]


def test_a_server_that_accepts_and_closes_is_one_outage(exchange, engine, told):
    async def close(connection):
        await connection.close()

    exchange.handler = close
    exchange.kill()
    wait_until(lambda: exchange.accepted >= 6)
    exchange.handler = exchange.answer
    wait_until(lambda: engine.reconnect() >= 0 and engine.ladder(A).status == "live")
    time.sleep(0.3)
    assert [level for level, _ in told()] == ["INFO", "WARNING", "INFO"]


def test_refused_credentials_are_an_error_once_an_outage(exchange, engine, told):
    for outage in (1, 2):
        exchange.refuse_always = (401, {}, '{"error":{"code":"authentication_error","details":"NOT_FOUND"}}')
        exchange.kill()
        wait_until(lambda outage=outage: len(exchange.handshakes) >= 7 * outage)
        exchange.refuse_always = None
        engine.reconnect()
        live_again(engine, outage, told)
    assert [level for level, _ in told()] == ["INFO", *["WARNING", "ERROR", "INFO"] * 2]
    assert "NOT_FOUND" in told()[2][1]


def test_a_first_handshake_that_fails_is_raised_and_no_record(exchange, engines, told):
    exchange.refuse_always = (503, {}, "")
    with pytest.raises(ConnectionError):
        engines(exchange.url).start(10)
    assert told() == []


def test_a_feed_that_is_closed_has_lost_nothing(engine, told):
    engine.close()
    assert [level for level, _ in told()] == ["INFO"]


def test_each_connection_of_a_feed_tells_its_own_story(exchange, engines, told):
    engine = engines(exchange.url, connections=3)
    engine.start(10)
    exchange.settle()
    hit = engine.links[1]
    (connection,) = [each for each in exchange.connections if each.remote_address[1] == hit.local_port()]
    exchange._loop.call_soon_threadsafe(connection.transport.abort)
    wait_until(lambda: hit.reconnects == 1)
    lost = [text for level, text in told() if level == "WARNING"]
    assert [each.partition(":")[0] for each in lost] == ["connection 2 to ws"]


def test_what_a_library_had_nobody_to_raise_to_goes_to_the_log_and_not_into_a_cell(engine, told, capfd):
    loop = engine._io._loop
    loop.call_soon_threadsafe(
        loop.call_exception_handler, {"message": "lost in\x1b[31m thought", "exception": KeyError(1)}
    )
    wait_until(lambda: len(told()) == 2)
    assert told()[1] == ("WARNING", "the network thread: lost in\\x1b[31m thought: KeyError(1)")
    assert capfd.readouterr().err == ""

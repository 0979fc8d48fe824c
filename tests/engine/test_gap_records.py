"""The logger hears of each gap and of each repair, in few records however many there are."""

import logging
from types import SimpleNamespace

import pytest

import kalshi_nb as kn
from kalshi_nb._engine import gap_records
from kalshi_nb._engine.gap_records import GapRecords
from kalshi_nb._logging import settle
from kalshi_nb._rows.gaps import Gap, GapLog
from tests.engine.conftest import wait_until


class Kept(logging.Handler):
    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        self.records.append((record.levelname, record.getMessage()))

    def heard(self):
        assert settle(5)
        return [each for each in self.records if "gap" in each[1]]


@pytest.fixture
def kept():
    handler, logger = Kept(), logging.getLogger("kalshi_nb")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


def gap(number=1, market_ticker=None, reason="sequence", **more):
    return Gap(
        "orderbook_delta", market_ticker, number, None, reason, more.pop("seq", None), more.pop("to", None), **more
    )


def test_a_gap_and_its_repair_are_a_record_each(kept):
    with kn.sim.Exchange(clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        books = feed.books(exchange.market_tickers).wait()
        exchange.faults.skip_frames("orderbook_delta", 1)
        exchange.advance(5)
        wait_until(lambda: feed.gaps.height and feed.health().open_gaps == 0)
        books.wait()
        (warning, told), (info, over) = kept.heard()
    assert (warning, info) == ("WARNING", "INFO")
    assert told.startswith("gap in orderbook_delta of all markets (connection 1): sequence, numbers ")
    assert over.startswith("gap in orderbook_delta of all markets (connection 1) is over after 0.")
    assert over.endswith(" s: repaired by get_snapshot (sequence)")


def test_a_lost_connection_is_told_for_each_channel_with_what_brought_it_back(kept):
    with kn.sim.Exchange(clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        feed.books(exchange.market_tickers).wait()
        feed.trades()
        exchange.faults.drop_connections()
        wait_until(lambda: feed.health().reconnects and feed.health().open_gaps <= 1)
        told = {message for level, message in kept.heard() if level == "WARNING"}
        assert {each.partition(":")[0] for each in told} == {
            "gap in orderbook_delta of all markets (connection 1)",
            "gap in trade of all markets (connection 1)",
        }
        assert any("reconnect" in message for level, message in kept.heard() if level == "INFO")
        before = len(kept.heard())
    assert len(kept.heard()) == before  # a feed that is closed has no gaps to tell of


def test_a_gap_of_each_of_ten_thousand_books_is_few_records(kept, monkeypatch):
    monkeypatch.setattr(gap_records, "PAUSE", 0.2)
    # They come at one moment, however long a machine takes to tell of them.
    monkeypatch.setattr(gap_records, "time", SimpleNamespace(monotonic=lambda: 7.0))
    log = GapLog(listener=GapRecords())
    with kn.sim.Exchange(clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        io = feed._engine._io  # a timer needs the loop

        def all_at_once():
            gaps = [log.open(gap(number, f"KX-{number}", "negative_level")) for number in range(10_000)]
            log.close(gaps, 10_001, 10_001, "get_snapshot")

        io.call(all_at_once)
        wait_until(lambda: len(kept.heard()) == 3)
    assert [(level, message.partition(" (")[0]) for level, message in kept.heard()] == [
        ("WARNING", "gap in orderbook_delta of KX-0"),
        ("INFO", "10,000 gaps in orderbook_delta of KX-0, KX-1, KX-2 and 9,997 more"),
        ("WARNING", "9,999 gaps in orderbook_delta of KX-1, KX-2, KX-3 and 9,996 more"),
    ]


def test_what_waits_is_told_where_there_is_no_loop_to_wait_on(kept):
    records = GapRecords()
    for number in range(3):
        records.opened(gap(number, seq=7, to=7 + number))
    assert [message.partition("1): ")[2] for _, message in kept.heard()] == [
        "sequence, numbers 7",
        "sequence, numbers 7 to 8",
        "sequence, numbers 7 to 9",
    ]


def test_kinds_do_not_wait_for_each_other_and_are_not_mixed(kept):
    records = GapRecords()
    records.opened(gap(1, seq=3))
    records.opened(gap(2, reason="rejected"))
    records.opened(gap(3, connection=2))
    assert [message.partition("all markets ")[2] for _, message in kept.heard()] == [
        "(connection 1): sequence, numbers from 3 on",
        "(connection 1): rejected",
        "(connection 2): sequence",
    ]


def test_a_gap_that_nothing_repaired_is_told_when_it_is_over(kept):
    log = GapLog(listener=GapRecords())
    log.close([log.open(gap(1_000_000))], 3_500_000, 3_500_000, None)
    level, message = kept.heard()[-1]
    assert (level, message.partition(" is over ")[2]) == (
        "INFO",
        "after 2.500 s: nothing brought back what is missing (sequence)",
    )


def test_what_a_frame_called_a_market_cannot_reach_a_terminal(kept):
    GapRecords().opened(gap(1, "KX\x1b[2J\n" + "x" * 1_000, "rejected"))
    ((_, message),) = kept.heard()
    assert message == f"gap in orderbook_delta of KX\\x1b[2J\\n{'x' * 53} (connection 1): rejected"


def test_a_sealed_log_tells_nothing(kept):
    log = GapLog(listener=GapRecords())
    first = log.open(gap())
    log.seal()
    log.open(gap(2))
    log.close([first], 5, 5, None)
    assert len(kept.heard()) == 1

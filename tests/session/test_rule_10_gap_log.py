"""Truth rule 10: gaps are data, and bounded."""

import pytest

from kalshi_nb._rows.gaps import Gap, GapLog
from tests.session.session_rig import Rig, trade

A = "KXA-1"


@pytest.fixture
def rig():
    return Rig()


def test_rule_10_the_gap_log_is_bounded_and_counts_what_it_drops():
    log = GapLog(most=3)
    for number in range(5):
        log.open(Gap("trade", None, number, None, "sequence", number, number))
    assert len(log) == 3
    assert log.dropped == 2
    assert [gap.opened_at for gap in log.snapshot()] == [2, 3, 4]


def test_rule_10_a_gap_on_every_frame_keeps_memory_bounded(rig):
    rig.open("trade")
    rig.receive(*(trade(2, seq, A) for seq in range(2, 24_000, 2)))
    assert len(rig.session.gaps) == 10_000
    assert rig.session.gaps.dropped == 1_999
    assert rig.session.subscriptions["trade"].repair.open_gaps == []


def test_rule_10_whoever_has_one_gap_after_the_other_pushes_out_his_own_alone():
    log = GapLog(most=4)
    log.open(Gap("trade", None, 0, None, "sequence", 1, 1))
    log.open(Gap("orderbook_delta", None, 1, None, "sequence", 1, 1, connection=2))
    for number in range(2, 9):
        log.open(Gap("orderbook_delta", None, number, None, "sequence", number, number))
    assert [(gap.channel, gap.connection, gap.opened_at) for gap in log.snapshot()] == [
        ("trade", 1, 0),
        ("orderbook_delta", 2, 1),
        ("orderbook_delta", 1, 7),
        ("orderbook_delta", 1, 8),
    ]
    assert (len(log), log.dropped) == (4, 5)
    assert log.dropped_of("orderbook_delta", {1, 2}) == {1: 5}
    assert log.dropped_of("trade", {1}) == {}
    log.clear()
    assert (log.snapshot(), log.dropped_of("orderbook_delta", {1}), log.dropped) == ([], {}, 5)


def test_rule_10_a_gap_that_goes_on_is_in_the_log_once_and_is_not_repaired_any_more():
    log = GapLog(most=2)
    gap = log.open(Gap("trade", None, 0, None, "connection_lost", None, None))
    for newer in (0, 2):
        for number in range(newer):
            log.open(Gap("trade", None, number, None, "sequence", number, number))
        log.close([gap], 5, 5, "reconnect")
        log.reopen(gap)
        assert (gap.closed_at, gap.closed, gap.repaired_by) == (None, None, None)
        assert sum(each is gap for each in log.snapshot()) == 1
    assert log.dropped == 2

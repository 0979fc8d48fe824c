"""The soak at a size that fits a test run; ``make soak`` runs it at the sizes of docs/reliability.md."""

import io
import re
from datetime import timedelta

import pytest

from tests.soak import steady as steady_module
from tests.soak.backfill import some_gaps
from tests.soak.faulty_line import one_line
from tests.soak.fuzz import fuzz
from tests.soak.history import a_history
from tests.soak.kills import CEILING, some_kills
from tests.soak.losses import some_losses
from tests.soak.night import BEGINS, one_night
from tests.soak.recorder_kills import some_recorder_kills
from tests.soak.steady import steady


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.matrix)])
def test_after_a_faulty_line_every_book_is_the_exchanges_own(seed):
    result = one_line(seed, 4_000)
    assert result.wrong_books == 0
    assert result.open_gaps == 0
    assert result.books == 12
    assert result.levels > 100
    assert min(result.dropped, result.duplicated, result.reordered, result.truncated) > 10
    assert result.gaps > 10


def test_every_kill_is_a_recovery_and_a_gap():
    result = some_kills(1, 5, longest_outage=0.5)
    assert result.recovered == result.connection_gaps == 5
    assert result.wrong_books == 0
    assert result.longest_recovery < CEILING


def test_after_outages_the_frame_of_trades_is_the_exchanges_own():
    result = some_gaps(1, 4)
    assert (result.missing, result.doubled, result.wrong) == (0, 0, 0)
    assert result.gaps == 4
    assert result.repaired > 0
    assert result.fetched > 0


def test_a_long_history_is_the_exchanges_own_row_by_row():
    result = a_history(1, 20_000)
    assert result.rows >= 20_000
    assert (result.files, result.wrong) == (1, 0)
    assert result.seconds > 0


@pytest.mark.matrix
def test_books_are_live_nearly_always_however_often_a_message_is_lost():
    result = some_losses(1, 6, every=1.0)
    assert result.losses == 6
    assert result.gaps >= 5
    assert result.repaired == {"get_snapshot": result.gaps}
    assert result.wrong_books == 0
    assert result.live_percent > 70  # 94 on an idle machine; delays that grew with losses left 20


@pytest.mark.matrix
def test_nothing_grows_while_data_flows(monkeypatch):
    monkeypatch.setattr(steady_module, "TELL_EVERY", 3.0)
    told = io.StringIO()
    result = steady(6, warm_up=6, progress=told)
    assert len(told.getvalue().splitlines()) >= 2
    assert re.match(
        r"steady: \d+ s, [\d,]+ messages/s, [\d.]+ MB, \d+ threads, \d+ descriptors, [\d,]+ objects", told.getvalue()
    )
    assert result.messages > 1_000
    assert result.threads[0] == result.threads[1]
    assert result.descriptors[0] == result.descriptors[1]
    assert result.object_growth_percent < 10  # a few seconds after the start windows may still fill
    assert result.gaps == result.rejects == 0
    assert result.slow_batches > 0


def test_a_recorder_that_is_killed_has_kept_all_that_it_acknowledged():
    result = some_recorder_kills(1, 20)
    assert result.lost == result.wrong == 0
    assert result.recorded >= result.acknowledged > 1_000
    assert result.segments > 10


@pytest.mark.parametrize(
    "faulty", [False, pytest.param(True, marks=pytest.mark.matrix)], ids=["nothing lost", "a faulty line"]
)
def test_a_recorded_night_adds_up_to_the_ledger_of_the_exchange(faulty):
    result = one_night(2, 0.1, faulty=faulty, start=BEGINS - timedelta(minutes=4))
    assert result.wrong == []
    assert result.segments == 2
    assert result.trades > 1_000
    assert result.changes > 15_000
    assert result.books_looked_at == 24
    assert (result.trades_missing > 20) is (result.changes_missing > 100) is (result.gaps > 30) is faulty


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.matrix)])
def test_frames_broken_in_every_way_neither_get_out_nor_leave_a_wrong_book(seed):
    result = fuzz(seed, 8_000)
    assert result.read + result.unknown + result.rejected == 8_000
    assert min(result.read, result.rejected) > 1_000  # neither nonsense alone nor harmless alone
    assert result.rows > 1_000
    assert result.gaps > 100
    assert result.connections > 1
    assert result.books > 10
    assert result.wrong_books == 0

"""The pacing table, cell by cell, by a clock that is moved by hand: no view floods a server, none stands still."""

import math

import pytest

from kalshi_nb._widgets.kinds import KINDS
from kalshi_nb._widgets.pacing import HEARD_SECONDS, ROUND_SECONDS, Hearing, Pace, Timetable

FAST = 0.1
RATES = {kind.hz for kind in KINDS.values()} | {10.0, 4.0, 2.0}
MINUTE, HOUR = 60.0, 3600.0
OPENED = 1_000.0
LATER = OPENED + 10 * MINUTE
"""Long after a view was opened: what it was opened for is no news any more."""


class Notebook:
    """A page and a kernel that tells of its cells, with the view ``m``."""

    def __init__(self, *, tells=True):
        self.hearing = Hearing()
        for model in ("m", "other"):
            self.hearing.opened(model)
        if tells:
            self.hearing.tell_of_cells()

    def ack(self, at, *visible, page="one", beside=False):
        self.hearing.acknowledged(page, visible, at, beside=beside)

    def busy(self, at):
        self.hearing.cell_began(at)

    def pace(self, at, model="m", opened=OPENED):
        return self.hearing.pace(model, opened, at, FAST)

    def seconds(self, at, **which):
        return self.pace(at, **which).seconds


# Heard, and a view is in sight ------------------------------------------------------------------------------------


def test_who_looks_and_is_heard_gets_the_full_rate():
    notebook = Notebook()
    for at in (LATER, LATER + 5, LATER + 10):
        notebook.ack(at, "m")
        assert notebook.pace(at + 4.9) == Pace(FAST)


@pytest.mark.parametrize(
    ("busy", "seconds"),
    [
        (1, FAST),
        (HEARD_SECONDS + 1, FAST),
        (5 * MINUTE - 1, FAST),
        (5 * MINUTE, 1.0),
        (HOUR - 1, 1.0),
        (HOUR, 10.0),
        (9 * HOUR, 10.0),
    ],
)
def test_who_looked_when_a_cell_of_a_deaf_kernel_began_gets_the_full_rate_and_after_long_less(busy, seconds):
    notebook = Notebook()
    notebook.ack(LATER, "m")
    notebook.busy(LATER + 11)
    assert notebook.seconds(LATER + 11 + busy) == seconds


def test_a_slow_kind_is_never_made_faster_by_a_long_cell():
    notebook = Notebook()
    notebook.ack(LATER, "m")
    notebook.busy(LATER)
    assert notebook.hearing.pace("m", OPENED, LATER + 10 * MINUTE, 2.0).seconds == 2.0


def test_an_acknowledgement_that_gets_through_during_a_cell_begins_the_five_minutes_anew():
    notebook = Notebook()
    notebook.ack(LATER, "m")
    notebook.busy(LATER)
    notebook.ack(LATER + 4 * MINUTE, "m")  # a cell that awaits lets it in
    assert notebook.seconds(LATER + 8 * MINUTE) == FAST
    assert notebook.seconds(LATER + 9 * MINUTE) == 1.0


# Heard, and all is out of sight -----------------------------------------------------------------------------------


def test_what_nobody_can_see_is_sent_nothing_and_goes_on_as_soon_as_it_can_be_seen():
    notebook = Notebook()
    notebook.ack(LATER, "m", "other")
    notebook.ack(LATER + 1, "other")
    assert notebook.seconds(LATER + 1) == math.inf
    assert notebook.seconds(LATER + 1, model="other") == FAST
    notebook.ack(LATER + 2, "m")
    assert notebook.seconds(LATER + 2) == FAST


@pytest.mark.parametrize("busy", [1, HOUR, 9 * HOUR])
def test_what_nobody_saw_when_a_cell_of_a_deaf_kernel_began_trickles_since_they_may_scroll_to_it(busy):
    notebook = Notebook()
    notebook.ack(LATER)
    notebook.busy(LATER + 1)
    assert notebook.seconds(LATER + 1 + busy) == 2.0


# Not heard any more -----------------------------------------------------------------------------------------------


def test_a_page_that_is_gone_is_sent_nothing_until_anybody_says_anything():
    notebook = Notebook()
    notebook.ack(LATER, "m")
    assert notebook.seconds(LATER + HEARD_SECONDS - 0.1) == FAST
    assert notebook.seconds(LATER + HEARD_SECONDS) == math.inf
    assert notebook.seconds(LATER + 9 * HOUR) == math.inf
    notebook.ack(LATER + 9 * HOUR, "m", page="another")
    assert notebook.seconds(LATER + 9 * HOUR) == FAST


def test_a_page_that_asks_for_all_of_a_view_is_there():
    notebook = Notebook()
    notebook.ack(LATER, "m")
    notebook.hearing.asked("m", LATER + HOUR)
    assert notebook.seconds(LATER + HOUR + 1) == FAST
    assert notebook.seconds(LATER + HOUR + HEARD_SECONDS) == math.inf
    assert notebook.seconds(LATER + HOUR + 1, model="other") == math.inf


@pytest.mark.parametrize(("busy", "seconds"), [(1, 2.0), (5 * MINUTE - 1, 2.0), (5 * MINUTE, 10.0), (9 * HOUR, 10.0)])
def test_a_page_that_was_gone_when_a_cell_of_a_deaf_kernel_began_may_have_come_back(busy, seconds):
    notebook = Notebook()
    notebook.ack(LATER, "m")
    notebook.busy(LATER + HEARD_SECONDS + 1)
    assert notebook.seconds(LATER + HEARD_SECONDS + 1 + busy) == seconds


# Never heard ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_busy", [False, True])
def test_where_no_page_ever_spoke_a_whole_picture_goes_every_five_seconds(is_busy):
    notebook = Notebook()
    if is_busy:
        notebook.busy(LATER - 1)
    assert notebook.pace(LATER) == Pace(5.0, whole=True)
    assert notebook.pace(LATER + 9 * HOUR) == Pace(5.0, whole=True)


def test_a_view_that_was_just_opened_is_not_yet_unseen():
    notebook = Notebook()
    assert notebook.pace(OPENED + HEARD_SECONDS - 0.1) == Pace(FAST)
    assert notebook.pace(OPENED + HEARD_SECONDS) == Pace(5.0, whole=True)


def test_a_first_view_that_a_long_cell_opens_on_a_deaf_kernel_moves_though_nobody_can_say_that_he_sees_it():
    notebook = Notebook()
    notebook.busy(OPENED - 1)
    assert notebook.seconds(OPENED + 4 * MINUTE) == FAST
    assert notebook.seconds(OPENED + 6 * MINUTE) == 1.0
    notebook.hearing.cell_ended()
    assert notebook.seconds(OPENED + 7 * MINUTE) == 5.0


# Who hears --------------------------------------------------------------------------------------------------------


def test_a_kernel_that_heard_a_page_beside_its_cell_hears_and_so_knows_what_is_out_of_sight():
    notebook = Notebook()
    notebook.busy(LATER)
    for at in (LATER + 5, LATER + 10, LATER + 15):
        notebook.ack(at, "m", beside=True)
    assert not notebook.hearing.is_deaf(LATER + 16)
    notebook.ack(LATER + 20, beside=True)
    assert notebook.seconds(LATER + 20) == math.inf
    notebook.ack(LATER + 25, "m", beside=True)
    assert notebook.seconds(LATER + 25) == FAST


def test_a_kernel_that_hears_beside_a_cell_no_more_is_not_trusted_to_and_nothing_stands_still():
    notebook = Notebook()
    notebook.busy(LATER)
    notebook.ack(LATER + 5, "m", beside=True)
    assert notebook.hearing.is_deaf(LATER + 5 + HEARD_SECONDS)
    assert notebook.seconds(LATER + MINUTE) == FAST
    assert notebook.seconds(LATER + 5 + 5 * MINUTE) == 1.0


def test_a_kernel_hears_between_cells_whatever_thread_it_heard_on():
    notebook = Notebook()
    notebook.busy(LATER)
    notebook.hearing.cell_ended()
    assert not notebook.hearing.is_deaf(LATER)
    notebook.hearing.cell_ended()  # one more than began
    notebook.busy(LATER)
    assert notebook.hearing.is_deaf(LATER)


def test_a_cell_that_runs_another_is_over_when_it_is_over_itself():
    hearing = Notebook().hearing
    hearing.cell_began(LATER)
    hearing.cell_began(LATER + 1, inside=True)
    hearing.cell_ended()
    assert hearing.is_deaf(LATER + 2)
    hearing.cell_ended()
    assert not hearing.is_deaf(LATER + 2)


def test_a_host_that_tells_of_no_cells_counts_as_deaf_for_ever():
    notebook = Notebook(tells=False)
    notebook.ack(LATER, "m")
    assert notebook.seconds(LATER + 4 * MINUTE) == FAST
    assert notebook.seconds(LATER + 6 * MINUTE) == 1.0
    assert notebook.seconds(LATER + 2 * HOUR) == 10.0
    notebook.ack(LATER + 2 * HOUR)
    assert notebook.seconds(LATER + 3 * HOUR) == 2.0
    assert Notebook(tells=False).pace(LATER) == Pace(5.0, whole=True)


def test_no_cell_of_the_table_is_ever_frozen_while_the_kernel_is_deaf():
    for tells in (True, False):
        for acks in ([], [("m",)], [()], [("other",)]):
            for gap in (0, HEARD_SECONDS + 1, HOUR):
                notebook = Notebook(tells=tells)
                for visible in acks:
                    notebook.ack(LATER, *visible)
                notebook.busy(LATER + gap)
                for busy in (0.5, 13, 10 * MINUTE, 5 * HOUR):
                    assert notebook.seconds(LATER + gap + busy) <= 10.0


# Two pages --------------------------------------------------------------------------------------------------------


def test_what_one_of_two_pages_shows_goes_on_though_the_other_does_not():
    notebook = Notebook()
    notebook.ack(LATER, "m", page="one")
    notebook.ack(LATER + 1, page="two")
    assert notebook.seconds(LATER + 2) == FAST
    notebook.ack(LATER + 3, page="one")
    assert notebook.seconds(LATER + 4) == math.inf


def test_pages_that_are_long_gone_are_forgotten():
    notebook = Notebook()
    for number in range(100):
        notebook.ack(LATER, "m", page=str(number))
    notebook.seconds(LATER + 2 * HOUR)
    assert not notebook.hearing._pages
    assert notebook.seconds(LATER + 2 * HOUR) == math.inf  # and that somebody was there once is not


# When the next one goes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", sorted({*RATES, 1.0, 0.5}))
def test_a_view_keeps_its_rate_whatever_the_rounds_it_is_asked_in(rate):
    assert max(RATES) <= 10
    table = Timetable(1 / rate)
    pace = Pace(1 / rate)
    now, sent = OPENED, 0
    for _ in range(1200):  # rounds a little longer than they should be
        if table.is_due(pace, now):
            table.sent(now)
            sent += 1
        now += ROUND_SECONDS * 1.03
    seconds = now - OPENED
    assert sent <= rate * seconds + 2
    assert sent >= 0.95 * rate * seconds - 1


def test_the_first_message_after_a_quiet_spell_goes_at_once_and_the_next_one_waits():
    table = Timetable(0.5)
    table.sent(OPENED)
    assert table.is_due(Pace(0.5), OPENED + 100)
    table.sent(OPENED + 100)
    assert not table.is_due(Pace(0.5), OPENED + 100.3)
    assert table.is_due(Pace(0.5), OPENED + 100.5)


def test_what_never_sent_anything_sends_nothing_to_nobody():
    assert not Timetable(FAST).is_due(Pace(math.inf), OPENED)


def test_a_slower_pace_counts_from_the_last_message_and_none_never_comes():
    table = Timetable(FAST)
    table.sent(OPENED)
    assert not table.is_due(Pace(2.0), OPENED + 1.9)
    assert table.is_due(Pace(2.0), OPENED + 2.0)
    assert not table.is_due(Pace(math.inf), OPENED + 9 * HOUR)

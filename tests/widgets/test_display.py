"""The display thread: bounded, fair, never stopped by a view, and never there for nothing."""

import gc
import itertools
import subprocess
import sys
import textwrap
import threading
import time
import weakref

import pytest
from ipywidgets.widgets import widget as ipywidgets_widget

from kalshi_nb import _threads
from kalshi_nb._widgets.display import ERRORS_IN_A_ROW, MESSAGES_A_ROUND, ROUND_SECONDS, Display
from kalshi_nb._widgets.ladder.view import LadderWidget
from tests.widgets.conftest import Presenter, ladder_view, wait_until


def test_the_bounds_are_ten_a_second_a_view_and_three_hundred_a_process():
    assert 1 / ROUND_SECONDS <= 10
    assert MESSAGES_A_ROUND / ROUND_SECONDS <= 300


def test_a_view_sends_at_most_ten_messages_a_second_however_fast_its_ladder_changes(messages, thread):
    view = ladder_view(Presenter(always_new=True), thread=thread)
    wait_until(lambda: len(messages.of(view.widget)) >= 12)
    sent = [message.at for message in messages.of(view.widget)]
    assert min(later - earlier for earlier, later in itertools.pairwise(sent)) >= ROUND_SECONDS


def test_sixty_busy_views_share_the_budget_of_the_process_evenly(messages, thread):
    views = [ladder_view(Presenter(f"KX-{number}", always_new=True), thread=thread) for number in range(60)]
    wait_until(lambda: thread.view_count == 60)
    first = len(messages)
    wait_until(lambda: all(len(messages.of(view.widget)) >= 6 for view in views))
    sent = messages.updates()
    # Any 31 messages in a row took a round or longer, so no second holds more than 300.
    for earlier, later in zip(sent, sent[MESSAGES_A_ROUND:], strict=False):
        assert later.at - earlier.at >= ROUND_SECONDS
    counts = [sum(message.comm_id == view.widget.model_id for message in messages[first:]) for view in views]
    assert max(counts) - min(counts) <= 1


def test_the_first_change_after_a_quiet_spell_is_shown_at_once_and_the_next_waits_its_turn(
    messages, thread, monkeypatch
):
    monkeypatch.setattr("kalshi_nb._widgets.display.ROUND_SECONDS", 60.0)
    presenter = Presenter()
    view = ladder_view(presenter, thread=thread)
    wait_until(lambda: presenter.wake is not None)  # it was asked, and had no news
    presenter.move()
    wait_until(lambda: len(messages.of(view.widget)) == 1)
    presenter.move()
    time.sleep(0.3)
    assert len(messages.of(view.widget)) == 1


def test_news_of_what_nobody_looks_at_are_asked_for_no_more_often_than_a_hundred_times_a_second(
    messages, thread, monkeypatch
):
    monkeypatch.setattr("kalshi_nb._widgets.display.ROUND_SECONDS", 60.0)
    monkeypatch.setattr("kalshi_nb._widgets.display.HURRY_SECONDS", 30.0)
    presenter = Presenter()
    view = ladder_view(presenter, thread=thread)
    wait_until(lambda: presenter.wake is not None)
    asked, presenter.wake = presenter.wake, None
    asked()
    time.sleep(0.3)
    assert presenter.wake is None  # no round since
    assert not messages.of(view.widget)


def test_a_quiet_view_costs_no_budget(messages, thread):
    quiet = [ladder_view(Presenter(f"KX-QUIET-{number}"), thread=thread) for number in range(2 * MESSAGES_A_ROUND)]
    busy = ladder_view(Presenter("KX-BUSY", always_new=True), thread=thread)
    wait_until(lambda: thread.view_count == len(quiet) + 1)
    rounds = []

    class OnceARound:
        def watch(self, wake):
            pass

        def refresh(self):
            rounds.append(len(messages.of(busy.widget)))
            return False

    last = OnceARound()
    thread.register(last)
    wait_until(lambda: len(rounds) >= 8)
    # One message in each whole round, though twice as many views as a round has messages are asked before it.
    assert rounds[7] - rounds[1] == 6


class CountedRounds:
    """Counts the rounds of a display by being asked once in each."""

    def __init__(self, thread):
        self.count = 0
        thread.register(self)

    def watch(self, wake):
        pass

    def refresh(self):
        self.count += 1
        return False


def test_every_update_and_every_close_comes_from_the_one_display_thread(messages, thread):
    presenters = [Presenter(name) for name in ("KX-A", "KX-B", "KX-C")]
    views = []
    makers = [
        threading.Thread(target=lambda each=each: views.append(ladder_view(each, thread=thread)))
        for each in presenters
    ]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    for each in presenters:
        each.move()
    wait_until(lambda: all(messages.of(view.widget) for view in views))
    models = [view.widget.model_id for view in views]
    views.clear()
    wait_until(lambda: all(messages.of(model, "comm_close") for model in models))
    senders = {message.thread for message in messages if message.kind != "comm_open"}
    assert [sender.name for sender in senders] == ["kalshi-display"]
    assert senders.pop().daemon


def test_the_display_thread_has_its_role(thread):
    seen = []

    class Curious:
        def watch(self, wake):
            pass

        def refresh(self):
            seen.append(_threads.role())
            return False

    curious = Curious()
    thread.register(curious)
    wait_until(lambda: seen)
    assert set(seen) == {"display"}
    assert _threads.role() is None


def test_a_view_that_raises_stops_nobody_else_and_is_asked_no_more_after_ten_times(messages, thread):
    broken, sound = Presenter("KX-BROKEN"), Presenter("KX-SOUND", always_new=True)
    views = [ladder_view(broken, thread=thread), ladder_view(sound, thread=thread)]
    wait_until(lambda: thread.view_count == 2)

    asked = []

    def raise_it(levels):
        asked.append(levels)
        raise LookupError("no such ladder")

    broken.picture = raise_it
    wait_until(lambda: thread.view_count == 1)
    assert len(asked) == thread.errors == ERRORS_IN_A_ROW == 10
    assert isinstance(thread.last_error, LookupError)
    before = len(messages.of(views[1].widget))
    wait_until(lambda: len(messages.of(views[1].widget)) > before + 1)
    assert len(asked) == ERRORS_IN_A_ROW


def test_errors_that_are_not_in_a_row_detach_nothing(messages, thread):
    presenter = Presenter()
    view = ladder_view(presenter, thread=thread)
    calls = []

    def raise_mostly(levels):
        calls.append(levels)
        if len(calls) % 5:
            raise LookupError("not now")
        presenter.move()
        return presenter.shown

    presenter.picture = raise_mostly
    wait_until(lambda: len(calls) >= 16)
    assert thread.view_count == 1
    assert len(messages.of(view.widget)) >= 3


def test_the_last_error_keeps_no_view_alive(messages, thread):
    presenter = Presenter()
    view = ladder_view(presenter, thread=thread)

    def raise_with_a_cause(levels):
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise LookupError("outer") from error

    presenter.picture = raise_with_a_cause
    wait_until(lambda: thread.errors)
    gone = weakref.ref(view)
    del view
    wait_until(lambda: gone() is None)
    assert thread.last_error.__traceback__ is None
    assert thread.last_error.__cause__.__traceback__ is None


def test_a_widget_that_cannot_be_closed_is_counted_and_the_thread_goes_on(thread):
    class Stuck:
        def close(self):
            raise OSError("socket gone")

    rounds = CountedRounds(thread)
    thread.retire(Stuck())
    wait_until(lambda: thread.errors == 1)
    before = rounds.count
    wait_until(lambda: rounds.count > before)


def test_dropping_a_view_closes_its_model_and_frees_it(messages, thread):
    before = set(ipywidgets_widget._instances)
    widgets = []
    for number in range(20):
        presenter = Presenter(f"KX-{number}")
        view = ladder_view(presenter, thread=thread)
        presenter.move()
        model = view.widget.model_id
        wait_until(lambda model=model: messages.of(model))
        widgets.append(weakref.ref(view.widget))
        del view
        wait_until(lambda model=model: messages.of(model, "comm_close"))
    wait_until(lambda: set(ipywidgets_widget._instances) <= before)
    wait_until(lambda: thread.view_count == 0)
    gc.collect()
    assert [reference() for reference in widgets] == [None] * 20


def test_a_dropped_view_is_asked_no_more(messages, thread):
    presenter = Presenter(always_new=True)
    view = ladder_view(presenter, thread=thread)
    model = view.widget.model_id
    wait_until(lambda: messages.of(model))
    del view
    wait_until(lambda: messages.of(model, "comm_close"))
    rounds = CountedRounds(thread)
    version = presenter.shown.version
    wait_until(lambda: rounds.count >= 3)
    assert presenter.shown.version == version


class HeldUp:
    """A view in whose refresh the display thread waits until told, so that commands pile up behind it."""

    def __init__(self, thread):
        self.entered, self.go_on = threading.Event(), threading.Event()
        thread.register(self)
        assert self.entered.wait(30)

    def watch(self, wake):
        pass

    def refresh(self):
        self.entered.set()
        assert self.go_on.wait(30)
        return False


def test_a_view_that_is_dropped_before_the_thread_has_seen_it_stops_nobody_else(messages, thread):
    held_up = HeldUp(thread)
    rounds = CountedRounds(thread)
    ladder_view(Presenter(), thread=thread)  # dropped at once
    before = rounds.count
    held_up.go_on.set()
    wait_until(lambda: not thread.is_running or rounds.count > before + 2)
    assert thread.is_running
    assert (thread.view_count, thread.errors) == (2, 0)


def test_a_view_that_is_closed_and_dropped_after_it_was_given_up_stops_nobody_else(messages, thread):
    presenter = Presenter()
    view = ladder_view(presenter, thread=thread)
    presenter.picture = None  # every refresh raises
    wait_until(lambda: thread.errors == ERRORS_IN_A_ROW and thread.view_count == 0)
    held_up = HeldUp(thread)
    view.close()
    del view
    rounds = CountedRounds(thread)
    held_up.go_on.set()
    wait_until(lambda: not thread.is_running or rounds.count > 2)
    assert thread.is_running


def test_without_a_view_there_is_no_thread_and_after_the_last_one_no_round(messages, thread):
    assert not thread.is_running
    rounds = CountedRounds(thread)
    wait_until(lambda: rounds.count)
    thread.unregister(rounds)
    wait_until(lambda: thread.view_count == 0)
    ran = []
    thread._round = lambda: ran.append(1)
    threading.Event().wait(4 * ROUND_SECONDS)
    assert thread.is_running
    assert ran == []


def test_a_stopped_display_goes_on_with_the_next_view(messages, thread):
    first = CountedRounds(thread)
    wait_until(lambda: first.count)
    thread.stop()
    assert not thread.is_running
    thread.stop()
    second = CountedRounds(thread)
    before = first.count
    wait_until(lambda: second.count and first.count > before)


def test_stop_on_the_display_thread_does_not_wait_for_itself(thread):
    class Last:
        def watch(self, wake):
            pass

        def refresh(self):
            thread.stop()
            return False

    last = Last()
    thread.register(last)
    wait_until(lambda: not thread.is_running)
    assert thread.errors == 0


def test_its_repr_says_how_it_is():
    assert repr(Display()) == "Display(not running, views=0, errors=0)"


def run_script(script):
    """Run a script in a process of its own, where the process's one display thread may be started and ended."""
    prelude = """
        import os, sys, threading, time
        from kalshi_nb._widgets.display import display
        from kalshi_nb._widgets.ladder.picture import LadderPicture, Market
        from kalshi_nb._widgets.ladder.view import LadderView
        def ladder_view(presenter):
            return LadderView(LadderView.of(presenter, {}))
        class Presenter:
            market_ticker = "KX-1"
            asked = 0
            def watch(self, wake):
                pass
            def picture(self, levels):
                self.asked += 1
                return LadderPicture(self.asked, "live", 0.0, 0.0, Market("KX-1"))
        def wait_until(condition):
            end = time.monotonic() + 30
            while not condition():
                assert time.monotonic() < end
                time.sleep(0.01)
    """
    code = textwrap.dedent(prelude) + textwrap.dedent(script)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


def test_the_interpreter_ends_cleanly_with_a_view_open():
    done = run_script("""
        import atexit
        presenter = Presenter()
        view = ladder_view(presenter)
        wait_until(lambda: presenter.asked > 3)
        # Registered after the display's own hook, so the first to run: the thread must still be there.
        atexit.register(lambda: print("running", display.is_running))
        atexit._run_exitfuncs()
        print("running", display.is_running)
    """)
    assert (done.stdout.split("\n")[:2], done.stderr, done.returncode) == (
        ["running True", "running False"],
        "",
        0,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_a_forked_child_begins_with_no_view_and_a_thread_of_its_own():
    done = run_script("""
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        presenter = Presenter()
        view = ladder_view(presenter)
        wait_until(lambda: presenter.asked > 3)
        child = os.fork()
        if child == 0:
            assert (display.view_count, display.is_running) == (0, False)
            own = Presenter()
            owned = ladder_view(own)
            wait_until(lambda: own.asked > 3)
            assert display.view_count == 1
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        before = presenter.asked
        wait_until(lambda: presenter.asked > before + 2)
        print("both")
    """)
    assert (done.stdout, done.stderr, done.returncode) == ("both\n", "", 0)


def test_a_widget_keeps_no_reference_to_its_view(messages, thread):
    view = ladder_view(Presenter(), thread=thread)
    widget = view.widget
    gone = weakref.ref(view)
    del view
    assert gone() is None
    wait_until(lambda: widget.comm is None)
    assert isinstance(widget, LadderWidget)

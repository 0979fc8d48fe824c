"""A live view: the newest picture always arrives, who opens late has all, and a closed one leaves a still table."""

import gc
import json
import math
import re
import time
import weakref
from types import MappingProxyType

import comm
import ipywidgets
import pytest
from ipywidgets import Widget
from ipywidgets.widgets import widget as ipywidgets_widget

from kalshi_nb._widgets import view as base
from kalshi_nb._widgets.host import Host
from kalshi_nb._widgets.ladder.view import LadderView, LadderWidget
from kalshi_nb._widgets.view import HEARTBEAT_SECONDS, WHOLE_SECONDS
from kalshi_nb.errors import ConfigurationError
from tests.widgets.conftest import Presenter, ladder_view, wait_until

WIDGET = "application/vnd.jupyter.widget-view+json"


def test_a_view_asks_a_box_for_its_share_of_the_room_and_can_be_told_otherwise(thread):
    view = ladder_view(Presenter(), thread=thread, around=Host())
    assert view.widget.layout.flex == base.FLEX
    view.widget.layout.flex = "0 0 300px"
    assert view.widget.layout.flex == "0 0 300px"
    view.close()


class Notebook(Host):
    """A notebook of a test's own: keeps what is published, and pages of it speak when they are told to."""

    def __init__(self):
        super().__init__()
        self.published = []
        self.now_runs = None
        self.hearing.tell_of_cells()

    def attend(self):
        pass

    def publish(self, bundle, display_id, *, update=False):
        self.published.append((display_id, update, bundle))
        return True

    def run(self):
        return self.now_runs

    def hears(self, widget, content, page="one"):
        widget._handle_msg(
            {"header": {"session": page}, "content": {"data": {"method": "custom", "content": content}}, "buffers": []}
        )


@pytest.fixture
def around():
    return Notebook()


# What travels -----------------------------------------------------------------------------------------------------


def test_a_view_opens_with_what_its_presenter_shows_and_what_it_was_asked_for(messages, thread):
    view = ladder_view(Presenter("KX-1"), 7, thread=thread, side="no", unit="dollars", theme="dark")
    opened = messages.of(view.widget, "comm_open")[0].data["state"]
    assert opened["settings"]["levels"] == 7
    assert {"side": "no", "unit": "dollars", "theme": "dark", "palette": "default"}.items() <= opened[
        "settings"
    ].items()
    assert opened["picture"]["asks"] == [[0.5, 80.0]]
    assert opened["picture"]["bids"] == [[0.47, 120.0]]
    assert opened["picture"]["status"] == "live"
    assert opened["picture"]["market"]["ticker"] == "KX-1"
    assert opened["delta"] == {}


def test_a_picture_says_whose_it_is_and_counts(messages, thread, around):
    presenter = Presenter()
    view = ladder_view(presenter, thread=thread, around=around)
    presenter.move()
    wait_until(lambda: messages.of(view.widget))
    first = messages.of(view.widget, "comm_open")[0].data["state"]["picture"]
    second = messages.of(view.widget)[0].picture
    assert (first["v"], first["kind"], first["kernel"]) == (1, "ladder", around.token)
    assert first["model"] == view.widget.model_id
    assert (first["seq"], second["seq"]) == (0, 1)
    assert abs(first["sent"] - time.time()) < 60
    assert re.fullmatch("[0-9a-f]{16}", around.token)
    assert Notebook().token != around.token


def test_the_newest_picture_always_arrives(messages, thread):
    presenter = Presenter()
    view = ladder_view(presenter, thread=thread)
    for size in range(3000):
        presenter.move(bids=((0.47, float(size)),))
    wait_until(lambda: messages.of(view.widget))
    wait_until(lambda: messages.of(view.widget)[-1].picture["version"] == presenter.shown.version)
    assert messages.of(view.widget)[-1].picture["bids"] == [[0.47, 2999.0]]


def test_every_update_is_one_message_with_the_whole_picture_and_nothing_else(messages, thread):
    presenter = Presenter()
    view = ladder_view(presenter, thread=thread)
    presenter.move(status="stale", note="gap")
    wait_until(lambda: messages.of(view.widget))
    assert set(messages.of(view.widget)[0].data["state"]) == {"picture"}
    json.dumps(messages.of(view.widget)[0].picture, allow_nan=False)
    assert messages.of(view.widget)[0].picture["note"] == "gap"


def test_an_unchanged_picture_is_sent_again_as_a_heartbeat_only(messages, thread):
    view = ladder_view(Presenter(), thread=thread)
    opened = messages.of(view.widget, "comm_open")[0]
    wait_until(lambda: messages.of(view.widget))
    beat = messages.of(view.widget)[0]
    assert HEARTBEAT_SECONDS == 2
    assert beat.at - opened.at >= HEARTBEAT_SECONDS - 0.1  # it counts from when the first picture was made
    assert beat.picture["version"] == opened.picture["version"]
    assert beat.picture["sent"] - opened.picture["sent"] >= HEARTBEAT_SECONDS - 0.1


@pytest.mark.parametrize(("status", "beats"), [("live", True), ("stale", True), ("unknown", True), ("closed", False)])
def test_a_closed_ladder_needs_no_heartbeat(messages, thread, monkeypatch, status, beats):
    presenter = Presenter()
    presenter.move(status=status)
    view = ladder_view(presenter, thread=thread)
    thread.stop()
    assert view.refresh() is False
    monkeypatch.setattr(base, "HEARTBEAT_SECONDS", 0.0)
    assert view.refresh() is beats
    presenter.move()
    assert view.refresh() is True


def test_a_picture_that_could_not_be_sent_is_sent_at_the_next_round_not_at_the_next_heartbeat(
    messages, thread, monkeypatch
):
    presenter = Presenter()
    view = ladder_view(presenter, thread=thread)
    thread.stop()
    presenter.move(note="after all")
    with monkeypatch.context() as broken:
        broken.setattr(view.widget.comm, "send", raise_socket_gone)
        with pytest.raises(OSError, match="socket gone"):
            view.refresh()
    assert view.refresh() is True
    assert messages.of(view.widget)[-1].picture["note"] == "after all"
    assert view.refresh() is False


def raise_socket_gone(*arguments, **named):
    raise OSError("socket gone")


def test_the_route_that_ipykernel_remembers_is_forgotten_after_each_message_and_missed_by_nobody(messages, thread):
    presenter = Presenter()
    view = ladder_view(presenter, thread=thread)
    thread.stop()
    view.widget.comm._reply_subshell_id = "main"
    presenter.move()
    assert view.refresh() is True
    assert "_reply_subshell_id" not in vars(view.widget.comm)


# Opened late ------------------------------------------------------------------------------------------------------


def test_whoever_asks_for_all_of_a_view_gets_a_picture_of_that_moment(messages, thread):
    presenter = Presenter()
    view = ladder_view(presenter, thread=thread)
    thread.stop()
    presenter.move(bids=((0.49, 7.0),))
    view.widget._handle_msg({"content": {"data": {"method": "request_state"}}})
    answer = messages.of(view.widget)[-1].data["state"]
    assert answer["picture"]["bids"] == [[0.49, 7.0]]
    assert answer["delta"] == {}
    assert answer["picture"]["seq"] == 0
    assert {"settings", "_esm"} <= set(answer)
    assert view.refresh() is True  # and those who were there before get it as ever
    assert messages.of(view.widget)[-1].picture["seq"] == 1


class Counting:
    """A scene of a series: one number a moment, the whole at first and then what was added."""

    kind = "chart"
    title = "KX-SERIES"
    options = MappingProxyType({"max_hz": 10.0, "renderer": "auto"})

    def __init__(self):
        self.numbers = [0]

    def watch(self, wake):
        pass

    def take(self):
        return Moment(len(self.numbers))

    def body(self, picture):
        return {"points": list(range(picture.version))}

    def delta(self, before, picture):
        return {"points": memoryview(bytes(range(before.version, picture.version)))}

    def text(self, picture):
        return "text"

    def html(self, picture, note=""):
        return f"<table><caption>{note}</caption></table>"


class Moment:
    def __init__(self, version):
        self.version = self.changes = version
        self.status = "live"


def test_a_series_is_sent_whole_at_first_and_then_what_was_added_and_the_whole_now_and_then(messages, thread, around):
    scene = Counting()
    view = base.LiveView(scene, thread=thread, around=around)
    thread.stop()
    scene.numbers += [1, 2]
    assert view.refresh() is True
    update = messages.of(view.widget)[-1]
    assert set(update.data["state"]) == {"delta"}
    assert update.data["buffer_paths"] == [["delta", "points"]]
    assert (update.data["state"]["delta"]["seq"], update.data["state"]["delta"]["status"]) == (1, "live")
    assert view.widget.get_state()["delta"] == {}
    assert view.widget.get_state()["picture"]["points"] == [0, 1, 2]
    assert view.widget.get_state()["picture"]["seq"] == 1
    view._whole_at -= WHOLE_SECONDS
    scene.numbers += [3]
    time.sleep(0.1)
    assert view.refresh() is True
    assert set(messages.of(view.widget)[-1].data["state"]) == {"picture"}
    assert messages.of(view.widget)[-1].picture["points"] == [0, 1, 2, 3]


# The page speaks --------------------------------------------------------------------------------------------------


def test_what_no_page_shows_is_sent_nothing_and_the_whole_as_soon_as_one_does(messages, thread, around):
    presenter = Presenter()
    view = ladder_view(presenter, thread=thread, around=around)
    view._opened -= 60
    around.hears(view.widget, {"ack": {view.widget.model_id: 0}, "visible": []})
    wait_until(lambda: not view._may_send())
    sent = len(messages.of(view.widget))
    for _ in range(5):
        presenter.move()
        time.sleep(0.11)
    assert len(messages.of(view.widget)) == sent
    around.hears(view.widget, {"ack": {}, "visible": [view.widget.model_id]})
    wait_until(lambda: len(messages.of(view.widget)) > sent)
    assert messages.of(view.widget)[-1].picture["version"] == presenter.shown.version


def test_a_series_that_was_out_of_sight_comes_back_whole(messages, thread, around):
    scene = Counting()
    view = base.LiveView(scene, thread=thread, around=around)
    thread.stop()
    view._opened -= 60
    around.hears(view.widget, {"ack": {}, "visible": []})
    scene.numbers += [1]
    assert view.refresh() is False
    around.hears(view.widget, {"ack": {}, "visible": [view.widget.model_id]})
    assert view.refresh() is True
    assert set(messages.of(view.widget)[-1].data["state"]) == {"picture"}


def test_a_page_that_pauses_gets_a_picture_every_two_seconds_and_goes_on_at_its_word(messages, thread, around):
    presenter = Presenter()
    view = ladder_view(presenter, thread=thread, around=around)
    thread.stop()
    presenter.move()
    assert view.refresh() is True
    around.hears(view.widget, {"paused": True})
    presenter.move()
    assert view.refresh() is False
    view._timetable._sent -= 2
    assert view.refresh() is True
    around.hears(view.widget, {"paused": False})
    presenter.move()
    time.sleep(0.1)
    assert view.refresh() is True


@pytest.mark.parametrize("content", [None, 3, "ack", [], {}, {"visible": 7}, {"ack": None, "visible": [None, 3]}])
def test_a_message_that_means_nothing_harms_nothing(messages, thread, around, content):
    view = ladder_view(Presenter(always_new=True), thread=thread, around=around)
    around.hears(view.widget, content)
    before = len(messages.of(view.widget))
    wait_until(lambda: len(messages.of(view.widget)) > before)


BROKEN = [
    {"content": None},
    {"content": {"data": None}},
    {"content": {"data": {}}},
    {"content": {"data": {"method": 5}}},
    {"content": {"data": {"method": "update", "state": {"settings": {"levels": 99}, "picture": {"kind": "forged"}}}}},
    {"content": {"data": {"method": "update", "state": None}}},
    {"content": []},
    {},
]


@pytest.mark.parametrize("message", BROKEN, ids=json.dumps)
def test_a_page_that_sends_anything_changes_nothing_and_raises_nothing(messages, thread, around, message):
    view = ladder_view(Presenter(always_new=True), thread=thread, around=around)
    settings, kind = dict(view.widget.settings), view.widget.picture["kind"]
    view.widget._handle_msg({"header": {}, "buffers": [], **message})
    assert view.widget.settings == settings
    assert view.widget.picture["kind"] == kind
    before = len(messages.of(view.widget))
    wait_until(lambda: len(messages.of(view.widget)) > before)


def test_models_and_pages_that_a_page_invents_take_no_room(thread, around):
    view = ladder_view(Presenter(), thread=thread, around=around)
    for number in range(3_000):
        invented = [f"{number}-{each}" for each in range(3)]
        around.hears(view.widget, {"ack": dict.fromkeys(invented, 1), "visible": invented}, page=f"page {number}")
    around.hears(view.widget, {"ack": {view.widget.model_id: 1}, "visible": [view.widget.model_id]})
    hearing = around.hearing
    assert hearing.has_met(view.widget.model_id)
    assert len(hearing._met) == 1  # what it holds is bounded
    assert len(hearing._pages) <= 1_000
    assert sum(len(shown) for _, shown in hearing._pages.values()) == 1


def test_sixty_mixed_views_stay_within_the_budget_and_none_waits_longer_than_a_second(messages, thread, around):
    rates = [10, 4, 2] * 20
    views = [ladder_view(Presenter(always_new=True), thread=thread, around=around, max_hz=hz) for hz in rates]
    wait_until(lambda: thread.view_count == 60)
    began = len(messages)
    end = time.monotonic() + 4
    wait_until(lambda: time.monotonic() > end)
    sent = messages[began:]
    seconds = sent[-1].at - sent[0].at
    assert len(sent) <= 300 * seconds + 30
    for view, hz in zip(views, rates, strict=True):
        at = [message.at for message in sent if message.comm_id == view.widget.model_id]
        assert len(at) <= hz * seconds + 2
        # In rounds, since a machine that stands still delays all of them alike.
        assert len(at) >= 0.6 * min(hz, 300 / 60) * len(sent) / 300


# Pause, resume, close ---------------------------------------------------------------------------------------------


def test_a_paused_view_stands_still_counts_what_it_misses_and_goes_on_from_now(messages, thread):
    presenter = Presenter()
    view = ladder_view(presenter, thread=thread)
    view.pause()
    wait_until(lambda: messages.of(view.widget) and messages.of(view.widget)[-1].picture["status"] == "paused")
    before = len(messages.of(view.widget))
    presenter.move(bids=((0.11, 1.0),))
    presenter.move(bids=((0.12, 1.0),))
    wait_until(lambda: len(messages.of(view.widget)) > before)  # the next heartbeat
    beat = messages.of(view.widget)[-1].picture
    assert (beat["status"], beat["bids"], beat["note"]) == ("paused", [[0.47, 120.0]], "2 changes since")
    assert view.widget.get_state()["picture"]["bids"] == [[0.47, 120.0]]
    view.resume()
    wait_until(lambda: messages.of(view.widget)[-1].picture["status"] == "live")
    assert messages.of(view.widget)[-1].picture["bids"] == [[0.12, 1.0]]


def test_a_closed_view_sends_a_last_picture_then_leaves_the_page_and_a_still_table(messages, thread, around):
    presenter = Presenter(always_new=True)
    view = ladder_view(presenter, thread=thread, around=around)
    view.show()
    model = view.widget.model_id
    wait_until(lambda: messages.of(model))
    view.close()
    view.close()
    assert view.is_closed
    assert view.refresh() is False
    wait_until(lambda: len(around.published) == 2 and thread.view_count == 0)
    assert messages.of(model)[-1].picture["status"] == "closed"
    assert messages.of(model)[-1].picture["version"] >= messages.of(model)[-2].picture["version"]
    assert len(messages.of(model, "comm_close")) == 1
    assert [message.kind for message in messages[-2:]] == ["comm_close", "comm_close"]  # the model's, its layout's
    (shown, update), (replaced, updates) = (each[:2] for each in around.published)
    assert (update, updates, shown) == (False, True, replaced)
    assert set(around.published[1][2]) == {"text/plain", "text/html"}
    assert repr(view).endswith("closed)")


def test_a_view_that_nobody_saw_leaves_nothing_where_it_was(messages, thread, around):
    view = ladder_view(Presenter(), thread=thread, around=around)
    model = view.widget.model_id
    view.close()
    wait_until(lambda: messages.of(model, "comm_close"))
    rounds = thread.view_count
    assert (around.published, rounds) == ([], 0)


def test_a_view_whose_widget_was_closed_by_hand_ends_too(messages, thread):
    view = ladder_view(Presenter(), thread=thread)
    wait_until(lambda: thread.view_count == 1)
    Widget.close_all()
    wait_until(lambda: view.is_closed and thread.view_count == 0)
    assert thread.errors == 0
    assert WIDGET not in view.mimebundle()


def test_a_view_whose_host_is_done_with_its_cell_ends_too(messages, thread):
    view = ladder_view(Presenter(), thread=thread)
    view.widget.comm.close()  # as marimo does before a cell runs again
    wait_until(lambda: view.is_closed and thread.view_count == 0)
    assert not view.is_live


def test_a_hundred_views_one_after_the_other_leave_no_model_and_no_layout(messages, thread):
    before = set(ipywidgets_widget._instances)
    gone = []
    for _ in range(100):
        view = ladder_view(Presenter(), thread=thread)
        gone.append(weakref.ref(view.widget))
        view.close()
    del view
    wait_until(lambda: set(ipywidgets_widget._instances) <= before and thread.view_count == 0)
    gc.collect()
    assert not [each for each in gone if each() is not None]


# What a cell shows ------------------------------------------------------------------------------------------------


def test_a_cell_is_given_the_live_widget_a_still_table_and_plain_text(messages, thread):
    view = ladder_view(Presenter("KX-1"), thread=thread)
    bundle = view.mimebundle()
    assert bundle[WIDGET]["model_id"] == view.widget.model_id
    assert "<table" in bundle["text/html"]
    assert "pip install anywidget" in bundle["text/html"]
    assert bundle["text/plain"].startswith("KX-1  live  YES bid 47¢ x 120  ask 50¢ x 80  spread 3¢  chance 49 %")
    view.close()
    assert set(view.mimebundle()) == {"text/html", "text/plain"}
    assert "pip install" not in view.mimebundle()["text/html"]


@pytest.mark.parametrize(("renderer", "kinds"), [("html", {"text/plain", "text/html"}), ("text", {"text/plain"})])
def test_a_view_for_a_report_makes_no_model_at_all(messages, thread, around, monkeypatch, renderer, kinds):
    monkeypatch.setenv("KALSHI_NB_RENDERER", renderer)
    view = ladder_view(Presenter(), thread=thread, around=around)
    assert set(view.mimebundle()) == kinds
    view.show()
    view.close()
    assert messages == []
    assert [set(bundle) for _, _, bundle in around.published] == [kinds]


def test_the_widget_of_a_view_for_a_report_is_made_when_it_is_asked_for(messages, thread):
    view = ladder_view(Presenter(), thread=thread, renderer="html")
    assert view.widget is view.widget
    assert isinstance(ipywidgets.HBox([view.widget]).children[0], LadderWidget)


def test_the_fallbacks_show_the_moment_of_the_display_not_of_the_making(messages, thread):
    presenter = Presenter()
    view = ladder_view(presenter, thread=thread)
    presenter.move(bids=((0.49, 3.0),))
    assert "bid 49¢ x 3" in view.mimebundle()["text/plain"]
    assert "bid 49¢ x 3" in repr(view.snapshot())
    assert "49¢" in view.snapshot()._repr_html_()


class ComesLater(Presenter):
    """Has its first data at the third look."""

    looks = 0

    def picture(self, levels):
        self.looks += 1
        return self.shown if self.looks > 2 else self.shown._replace(status="connecting", asks=(), bids=())


def test_what_is_shown_before_its_first_data_came_waits_for_them_and_not_for_ever(messages, thread):
    view = ladder_view(ComesLater(), thread=thread, renderer="html")
    assert "47¢" in view.mimebundle()["text/html"]
    never = Presenter()
    never.move(status="connecting", asks=(), bids=())
    assert "no asks yet" in ladder_view(never, thread=thread, renderer="html").mimebundle()["text/html"]


def test_a_view_that_show_has_shown_is_not_shown_once_more_by_the_end_of_its_cell(messages, thread, around):
    view = ladder_view(Presenter(), thread=thread, around=around)
    around.now_runs = ("cell", 1)
    view.show()
    view._ipython_display_()
    assert len(around.published) == 1
    view._ipython_display_()
    assert len(around.published) == 2
    view.show()
    around.now_runs = ("cell", 2)
    view._ipython_display_()
    assert len(around.published) == 4


def test_marimo_is_given_the_widget_itself_and_a_picture_where_there_is_none(messages, thread):
    view = ladder_view(Presenter(), thread=thread)
    assert view._display_() is view.widget
    view.close()
    assert "47¢" in view._display_()._repr_html_()


@pytest.mark.parametrize("levels", [0, -1, 101])
def test_levels_out_of_range_are_refused_before_anything_is_made(messages, thread, levels):
    with pytest.raises(ConfigurationError, match="from 1 to 100"):
        ladder_view(Presenter(), levels, thread=thread)
    assert messages == []
    assert not thread.is_running


def test_no_repr_has_a_memory_address(messages, thread):
    view = ladder_view(Presenter("KX-1"), thread=thread)
    assert repr(view) == "LadderView('KX-1')"
    assert repr(view.widget) == "LadderWidget('KX-1')"


def test_a_hidden_view_has_nothing_told_when_there_is_news(messages, thread, around):
    presenter = Presenter()
    view = ladder_view(presenter, thread=thread, around=around)
    thread.stop()
    presenter.wake = None
    view._opened -= 60
    around.hears(view.widget, {"ack": {}, "visible": []})
    view.watch(lambda: None)
    assert presenter.wake is None
    assert around.hearing.pace(view.widget.model_id, view._opened, time.monotonic(), 0.1).seconds == math.inf


# The script -------------------------------------------------------------------------------------------------------


def test_the_page_is_never_given_markup_made_of_data():
    forbidden = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(")
    assert not forbidden.search(LadderWidget._esm)
    assert not hasattr(LadderWidget, "_css")  # it would go into the page's head, for every kernel's views alike


def test_ipywidgets_asks_get_state_for_opening_and_for_requests(messages):
    """What the whole of it rests on."""
    asked = []

    class Asked(ipywidgets.DOMWidget):
        def get_state(self, key=None, drop_defaults=False):
            asked.append(key)
            return super().get_state(key, drop_defaults)

    widget = Asked()
    assert None in asked
    asked.clear()
    widget._handle_msg({"content": {"data": {"method": "request_state"}}})
    assert asked == [None]
    assert comm.create_comm is not None
    assert issubclass(LadderView, base.LiveView)

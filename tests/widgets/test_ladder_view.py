"""The ladder's view: the newest picture always arrives, and a quiet one is told from a dead one."""

import re
from pathlib import Path

import pytest
from ipywidgets import Widget

from kalshi_nb._widgets.ladder import view as ladder
from kalshi_nb._widgets.ladder.view import HEARTBEAT_SECONDS, LadderView, LadderWidget
from kalshi_nb.errors import ConfigurationError
from tests.widgets.conftest import Presenter, wait_until

WIDGET = "application/vnd.jupyter.widget-view+json"


def test_a_view_opens_with_what_its_presenter_shows(messages, thread):
    view = LadderView(Presenter("KX-1"), 7, thread=thread)
    opened = messages.of(view.widget, "comm_open")[0].data["state"]
    assert (opened["market_ticker"], opened["levels"]) == ("KX-1", 7)
    assert opened["picture"]["asks"] == ((0.5, 80.0),)
    assert opened["picture"]["bids"] == ((0.47, 120.0),)
    assert opened["picture"]["status"] == "live"


def test_the_newest_picture_always_arrives(messages, thread):
    presenter = Presenter()
    view = LadderView(presenter, thread=thread)
    for size in range(3000):
        presenter.move(bids=((0.47, float(size)),))
    wait_until(lambda: messages.of(view.widget))
    wait_until(lambda: messages.of(view.widget)[-1].picture["version"] == presenter.shown.version)
    assert messages.of(view.widget)[-1].picture["bids"] == ((0.47, 2999.0),)


def test_every_update_is_one_message_with_the_whole_picture(messages, thread):
    presenter = Presenter()
    view = LadderView(presenter, thread=thread)
    presenter.move(status="stale", note="gap")
    wait_until(lambda: messages.of(view.widget))
    assert set(messages.of(view.widget)[0].data["state"]) == {"picture"}
    assert set(messages.of(view.widget)[0].picture) == {*presenter.shown._fields, "sent", "beat"}


def test_an_unchanged_picture_is_sent_again_as_a_heartbeat_only(messages, thread):
    view = LadderView(Presenter(), thread=thread)
    opened = messages.of(view.widget, "comm_open")[0]
    wait_until(lambda: messages.of(view.widget))
    beat = messages.of(view.widget)[0]
    assert HEARTBEAT_SECONDS == 2
    assert beat.at - opened.at >= HEARTBEAT_SECONDS
    assert beat.picture["version"] == opened.picture["version"]
    assert beat.picture["beat"] != opened.picture["beat"]
    assert beat.picture["sent"] - opened.picture["sent"] >= HEARTBEAT_SECONDS - 0.1


@pytest.mark.parametrize(("status", "beats"), [("live", True), ("stale", True), ("unknown", True), ("closed", False)])
def test_a_closed_ladder_needs_no_heartbeat(messages, thread, monkeypatch, status, beats):
    presenter = Presenter()
    presenter.move(status=status)
    view = LadderView(presenter, thread=thread)
    thread.stop()
    assert view.refresh() is False
    monkeypatch.setattr(ladder, "HEARTBEAT_SECONDS", 0.0)
    assert view.refresh() is beats
    presenter.move()
    assert view.refresh() is True


def test_a_picture_that_could_not_be_sent_is_sent_at_the_next_round_not_at_the_next_heartbeat(
    messages, thread, monkeypatch
):
    presenter = Presenter()
    view = LadderView(presenter, thread=thread)
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


def test_a_closed_view_sends_nothing_and_leaves_the_page(messages, thread):
    presenter = Presenter(always_new=True)
    view = LadderView(presenter, thread=thread)
    model = view.widget.model_id
    wait_until(lambda: messages.of(model))
    view.close()
    view.close()
    assert view.is_closed
    assert view.refresh() is False
    wait_until(lambda: messages.of(model, "comm_close"))
    wait_until(lambda: thread.view_count == 0)
    assert messages[-1].kind == "comm_close"
    assert len(messages.of(model, "comm_close")) == 1
    assert repr(view).endswith("closed)")


def test_a_view_whose_widget_was_closed_by_hand_ends_too(messages, thread):
    view = LadderView(Presenter(), thread=thread)
    wait_until(lambda: thread.view_count == 1)
    Widget.close_all()
    wait_until(lambda: view.is_closed and thread.view_count == 0)
    assert thread.errors == 0
    assert WIDGET not in view.mimebundle()


def test_a_cell_is_given_the_live_widget_a_static_table_and_plain_text(messages, thread):
    view = LadderView(Presenter("KX-1"), thread=thread)
    bundle = view.mimebundle()
    assert bundle[WIDGET]["model_id"] == view.widget.model_id
    assert "<table" in bundle["text/html"]
    assert bundle["text/plain"].startswith("KX-1  live  bid 0.47 x 120  ask 0.50 x 80  spread 0.03\n")
    view.close()
    assert set(view.mimebundle()) == {"text/html", "text/plain"}


def test_the_fallbacks_show_the_moment_of_the_display_not_of_the_making(messages, thread):
    presenter = Presenter()
    view = LadderView(presenter, thread=thread)
    presenter.move(bids=((0.49, 3.0),))
    assert "bid 0.49 x 3" in view.mimebundle()["text/plain"]


@pytest.mark.parametrize("levels", [0, -1, 101])
def test_levels_out_of_range_are_refused_before_anything_is_made(messages, thread, levels):
    with pytest.raises(ConfigurationError, match="1 to 100 levels"):
        LadderView(Presenter(), levels, thread=thread)
    assert messages == []
    assert not thread.is_running


def test_no_repr_has_a_memory_address(messages, thread):
    view = LadderView(Presenter("KX-1"), thread=thread)
    assert repr(view) == "LadderView('KX-1', levels=10)"
    assert repr(view.widget) == "LadderWidget('KX-1', levels=10)"


def test_what_travels_with_every_widget_is_small():
    assert len(LadderWidget._esm.encode()) < 8000
    assert len(LadderWidget._css.encode()) < 4000


def test_the_page_is_never_given_markup_made_of_data():
    forbidden = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(")
    assert not forbidden.search(LadderWidget._esm)


def test_every_style_is_scoped_to_the_ladder():
    css = re.sub(r"@media[^{]*\{(.*)\}\s*$", r"\1", LadderWidget._css, flags=re.DOTALL)
    selectors = [rule.split("{")[0] for rule in re.sub(r"@keyframes.*?\}\s*\}", "", css).split("}") if "{" in rule]
    assert len(selectors) > 20
    assert [selector for selector in selectors if ".kalshi-ladder" not in selector] == []


def test_the_static_files_are_read_as_they_are():
    static = Path(ladder.__file__).parent.parent / "static"
    assert LadderWidget._esm == (static / "ladder.js").read_text(encoding="utf-8")
    assert LadderWidget._css == (static / "ladder.css").read_text(encoding="utf-8")

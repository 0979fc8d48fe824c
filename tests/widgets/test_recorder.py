"""A recorder as it is shown: facts in words, in a terminal, in a saved notebook, and live."""

import gc
import weakref

import pytest

import kalshi_nb as kn
from kalshi_nb._widgets.view import LiveView


@pytest.fixture
def exchange():
    with kn.sim.Exchange(seed=7, clock="manual") as exchange:
        yield exchange


@pytest.fixture
def feed(exchange):
    with kn.connect(exchange, new=True) as feed:
        yield feed


def facts(view):
    return dict(view._scene.take().facts)


def test_it_says_what_is_heard_kept_and_lost_and_goes_on(exchange, feed, tmp_path):
    recorder = feed.record(tmp_path / "night", ["trade", "ticker"])
    view = kn.show(recorder)
    assert isinstance(view, LiveView)
    assert facts(view)["on the disk"].endswith("nothing yet") or "until 20" in facts(view)["on the disk"]
    exchange.advance(60)
    recorder.flush()
    said, status = facts(view), recorder.status
    assert said["messages"].startswith(f"{status.messages:,}, ")
    assert said["on the disk"].startswith(f"{status.messages:,} messages, until 2026-11-22 15:0")
    assert said["lost"] == "0 messages"
    assert said["channels"] == "trade, ticker"
    assert view._scene.take().status == "live"
    assert recorder.close()
    assert view._scene.take().status == "closed"


@pytest.mark.filterwarnings("ignore::kalshi_nb.errors.RecordingWarning")  # at the end, too
def test_a_disk_that_takes_nothing_is_told_with_what_to_do(exchange, feed, tmp_path):
    recorder = feed.record(tmp_path / "night", "trade")
    (tmp_path / "night").rename(tmp_path / "away")
    view = kn.show(recorder)
    for _ in range(200):
        exchange.advance(10)
        recorder.flush(0.2)
        if recorder.status.trouble:
            break
    picture = view._scene.take()
    assert picture.status == "stale"
    assert "the folder is not there any more" in picture.trouble
    assert picture.trouble in view.snapshot().text
    assert "waiting: nothing is written" in view.snapshot().html


def test_the_same_options_are_the_same_view_and_others_are_refused(feed, tmp_path):
    with feed.record(tmp_path / "night", "trade") as recorder:
        assert recorder.widget() is recorder.widget()
        assert recorder.widget(theme="dark") is not recorder.widget()
        with pytest.raises(kn.errors.UsageError):
            kn.show(recorder, levels=3)
        assert str(tmp_path / "night") in recorder._repr_mimebundle_()["text/plain"]


def test_a_view_goes_with_its_recorder_and_not_by_the_collector_of_circles(feed, tmp_path):
    recorder = feed.record(tmp_path / "night", "trade")
    view = weakref.ref(recorder._live_view())
    recorder.close()
    gc.disable()
    try:
        del recorder
        assert view() is None
    finally:
        gc.enable()


def test_an_export_that_follows_it_has_a_line(exchange, feed, tmp_path):
    with feed.record(tmp_path / "night", "trade") as recorder:
        recorder.export(tmp_path / "tables", follow=True)
        assert str(tmp_path / "tables") in facts(kn.show(recorder))["export"]

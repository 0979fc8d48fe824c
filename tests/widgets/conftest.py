"""A recorder in place of the browser: every comm message of every widget, with its thread and its time."""

import threading
import time
from typing import NamedTuple

import comm
import pytest
from comm.base_comm import BaseComm

from kalshi_nb._widgets.display import Display
from kalshi_nb._widgets.host import host
from kalshi_nb._widgets.ladder.picture import LadderPicture, Market
from kalshi_nb._widgets.ladder.view import LadderView


class Message(NamedTuple):
    kind: str
    comm_id: str
    data: dict
    thread: threading.Thread
    at: float

    @property
    def picture(self):
        return self.data["state"]["picture"]


class Recorder(list):
    """The messages, in the order they were sent."""

    def of(self, widget_or_id, kind="comm_msg"):
        comm_id = getattr(widget_or_id, "model_id", widget_or_id)
        return [message for message in list(self) if message.comm_id == comm_id and message.kind == kind]

    def updates(self):
        return [message for message in list(self) if message.kind == "comm_msg"]


def wait_until(condition, timeout=30.0):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, f"not within {timeout} s"
        time.sleep(0.005)


class Presenter:
    """Stands in for the presenter of a ladder; moved by hand, or on every look at it."""

    def __init__(self, market_ticker="KXHIGHNY-26NOV22-B52.5", *, always_new=False):
        self.market_ticker = market_ticker
        self.always_new = always_new
        levels = {"asks": ((0.5, 80.0),), "bids": ((0.47, 120.0),)}
        self.shown = LadderPicture(1, "live", 0.0, 0.0, Market(market_ticker), **levels, changes=1)
        self.wake = None

    def watch(self, wake):
        self.wake = wake

    def move(self, **changes):
        version = self.shown.version + 1
        self.shown = self.shown._replace(**{"version": version, "changes": version} | changes)
        if self.wake is not None:
            self.wake()

    def picture(self, levels):
        if self.always_new:
            self.move()
        return self.shown


def ladder_view(presenter, levels=10, *, thread, around=host, **options):
    """A live ladder of a presenter, on a display thread of the test's own."""
    return LadderView(LadderView.of(presenter, {"levels": levels, **options}), thread=thread, around=around)


@pytest.fixture
def messages(monkeypatch):
    recorder = Recorder()

    class RecordingComm(BaseComm):
        def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
            recorder.append(Message(msg_type, self.comm_id, data, threading.current_thread(), time.monotonic()))

    monkeypatch.setattr(comm, "create_comm", RecordingComm)
    return recorder


@pytest.fixture
def thread():
    display = Display()
    yield display
    display.stop()
    assert not display.is_running

import logging
import subprocess
import sys
import textwrap
import threading

import pytest

from kalshi_nb import _logging
from kalshi_nb._logging import log, settle


class Kept(logging.Handler):
    def __init__(self):
        super().__init__()
        self.records, self.threads = [], []

    def emit(self, record):
        self.records.append(record)
        self.threads.append(threading.current_thread().name)


@pytest.fixture
def handler():
    kept, logger = Kept(), logging.getLogger("kalshi_nb")
    logger.addHandler(kept)
    logger.setLevel(logging.INFO)
    yield kept
    logger.removeHandler(kept)
    logger.setLevel(logging.NOTSET)


def test_a_handler_is_called_on_a_thread_of_its_own(handler):
    log(logging.WARNING, "the connection was lost")
    assert settle(5)
    assert [(each.name, each.levelname, each.getMessage()) for each in handler.records] == [
        ("kalshi_nb", "WARNING", "the connection was lost")
    ]
    assert handler.threads == ["kalshi-log"]


def test_where_no_thread_can_begin_a_record_is_handed_over_by_whoever_tells(handler, monkeypatch):
    # As at the end of the interpreter, from Python 3.12 on.
    def refuse(thread):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(_logging, "_writer", _logging._Writer())
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        log(logging.WARNING, "one")
        log(logging.WARNING, "two")
        assert settle(0)
    assert [each.getMessage() for each in handler.records] == ["one", "two"]
    assert handler.threads == [threading.current_thread().name] * 2
    log(logging.WARNING, "three")
    assert settle(5)
    assert handler.threads[2] == "kalshi-log"


def test_a_handler_that_raises_does_not_end_the_thread(handler, monkeypatch):
    emit = handler.emit
    monkeypatch.setattr(handler, "emit", lambda record: 1 / 0)
    log(logging.WARNING, "one")
    assert settle(5)
    monkeypatch.setattr(handler, "emit", emit)
    log(logging.WARNING, "two")
    assert settle(5)
    assert [each.getMessage() for each in handler.records] == ["two"]


def test_a_handler_that_waits_holds_up_nobody_and_what_is_left_out_is_counted(handler, monkeypatch):
    go_on, emit = threading.Event(), handler.emit

    def wait(record):
        go_on.wait(10)
        emit(record)

    monkeypatch.setattr(handler, "emit", wait)
    for number in range(10_005):
        log(logging.WARNING, f"record {number}")
    go_on.set()
    assert settle(10)
    log(logging.WARNING, "afterwards")
    assert settle(10)
    assert "records before this one were left out" in handler.records[-1].getMessage()


@pytest.mark.parametrize(
    ("begin", "told"), [("", True), ("import IPython; IPython.get_ipython = lambda: object()", False)]
)
def test_without_a_handler_a_script_prints_warnings_and_a_notebook_does_not(begin, told):
    code = textwrap.dedent(f"""
        import logging
        {begin or "pass"}
        from kalshi_nb._logging import log
        log(logging.INFO, "connected")
        log(logging.WARNING, "the connection was lost")
    """)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ("the connection was lost" in done.stderr) is told
    assert "connected" not in done.stderr.replace("the connection was lost", "")

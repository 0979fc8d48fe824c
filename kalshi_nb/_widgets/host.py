"""The notebook that views are in: its cells, its pages' acknowledgements, and the output of a cell that is over."""

from __future__ import annotations

import os
import secrets
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

from kalshi_nb._shell import shell
from kalshi_nb._widgets.pacing import Hearing

__all__ = ["Host", "host"]

_RUNS_CELLS: Final = str(Path("IPython", "core", "interactiveshell.py"))


class Host:
    """What this process knows of its notebook.

    Attributes
    ----------
    token : str
        Random, the process's own: the browser groups the models of a kernel by it.
    hearing : Hearing
        What pages were heard to say, in seconds of ``time.monotonic()``.
    """

    def __init__(self) -> None:
        self._attending = threading.Lock()
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget all; in a child just forked, whose notebook is the parent's."""
        self._attending = threading.Lock()
        self.token = secrets.token_hex(8)
        self.hearing = Hearing()
        self._shell: Any = None

    def attend(self) -> None:
        """Have the shell, where there is one, tell when cells begin and end; more than once does nothing more."""
        found = shell()
        events = getattr(found, "events", None)
        with self._attending:
            if events is None or found is self._shell:
                return
            self._shell = found
        events.register("pre_run_cell", self._cell_began)
        events.register("post_run_cell", self._cell_ended)
        self.hearing.tell_of_cells()
        for outer in range(_cells_running()):  # whose beginning was told of before anybody listened
            self.hearing.cell_began(time.monotonic(), inside=outer > 0)

    def heard(self, message: dict[str, Any], content: dict[str, Any]) -> None:
        """Take up what a page acknowledges. May be called on any thread, so it only puts down when.

        Parameters
        ----------
        message : dict
            As it came; its header says from which page.
        content : dict
            ``ack`` (the newest ``seq`` by model) and ``visible`` (ids of the models that can be seen).
        """
        visible = content.get("visible")
        shown = [each for each in visible if isinstance(each, str)] if isinstance(visible, list) else []
        header = message.get("header")
        page = str(header.get("session", "")) if isinstance(header, dict) else ""
        held = content.get("ack")
        if isinstance(held, dict):
            self.hearing.met(each for each in held if isinstance(each, str))
        beside = threading.current_thread() is not threading.main_thread()
        self.hearing.acknowledged(page, shown, time.monotonic(), beside=beside)

    def run(self) -> tuple[Any, ...] | None:
        """Return what tells this run of a cell from every other, its cell first; None outside of any."""
        found = shell()
        if found is None or not _cells_running():
            return None
        ask = getattr(found, "get_parent", None)
        parent = ask() if ask is not None else None
        parent = parent if isinstance(parent, dict) else {}
        cell = parent.get("metadata", {}).get("cellId")
        return cell, parent.get("header", {}).get("msg_id"), found.execution_count

    def session(self) -> object:
        """Return what tells this session from others that one process serves, as marimo does; None elsewhere."""
        ask = getattr(sys.modules.get("marimo._runtime.context"), "safe_get_context", None)
        context = ask() if ask is not None else None
        return None if context is None else id(context.stream)

    def publish(self, bundle: dict[str, Any], display_id: str, *, update: bool = False) -> bool:
        """Show a bundle in the cell that runs, or in the place of what was shown by this id; whether it could be.

        A terminal has no place for what was shown: what is printed stays, and an update would be printed below it.
        """
        publisher = getattr(shell(), "display_pub", None)
        if publisher is None or (update and _only_prints(publisher)):
            return False
        publisher.publish(bundle, metadata={}, transient={"display_id": display_id}, update=update)
        return True

    def _cell_began(self, _info: Any = None) -> None:
        self.hearing.cell_began(time.monotonic(), inside=_cells_running() > 1)

    def _cell_ended(self, _result: Any = None) -> None:
        self.hearing.cell_ended()


def _cells_running() -> int:
    """How many cells run on this thread, one inside the other."""
    count = 0
    frame = sys._getframe()  # noqa: SLF001  # the way to the stack that does not build all of it
    while frame is not None:
        code = frame.f_code
        count += code.co_name == "run_cell_async" and code.co_filename.endswith(_RUNS_CELLS)
        frame = frame.f_back  # type: ignore[assignment]  # None at the end
    return count


def _only_prints(publisher: Any) -> bool:
    """Whether it is IPython's own for terminals, which prints updates like all else."""
    module = sys.modules.get("IPython.core.displaypub")
    return module is not None and type(publisher) is getattr(module, "DisplayPublisher", None)


def request_now() -> dict[str, Any] | None:
    """Return what the kernel was asked last, which what it sends names for its parent; None where there is none."""
    ask = getattr(getattr(shell(), "kernel", None), "get_parent", None)
    return None if ask is None else ask()


def send_beside(comm: Any, data: dict[str, Any], buffers: Any, parent: dict[str, Any] | None) -> bool:
    """Send over a comm as what `parent` led to, whatever the kernel is asked meanwhile; whether it is a kernel's comm.

    By itself a comm names for the parent what the kernel deals with at that moment. Where that is a page's request for
    the state of this very model, the page takes what was sent beside for the answer to it, and has no model.
    """
    kernel = getattr(comm, "kernel", None)
    session = getattr(kernel, "session", None)
    if kernel is None or session is None:
        return False
    content = {"data": data, "comm_id": comm.comm_id}
    session.send(
        kernel.iopub_socket, "comm_msg", content, metadata={}, parent=parent, ident=comm.topic, buffers=buffers
    )
    return True


def forget_reply_route(comm: Any) -> None:
    """Let the browser's own subshell stand for what it says to a comm that was just sent over.

    ipykernel 7.4 remembers which shell last sent over a comm, and brings the answers there: with a thread that sends
    beside the cells, to the shell that is busy with one. The name is private, so whether it is there is all the same.
    """
    try:
        vars(comm).pop("_reply_subshell_id", None)
    except TypeError:
        return


host: Final = Host()
"""The process's."""

if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=host.begin_anew)

"""Which run of which cell a call belongs to, and what becomes of what that cell's earlier runs attached.

A cell is what its front end says it is: the ``cellId`` that JupyterLab, Notebook and VS Code send with a request to
run it, or marimo's own id. A terminal has no such thing, and there the same source text is the same cell. Never is it
a line, a function's name or a file: a helper that two cells call makes two pipelines.

Only what is called *in* a run belongs to it: its frame is on the stack. So calls from other threads, from tasks that
a cell left behind, and from a widget's callback belong to none, and nothing replaces what they attach.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
import warnings
import weakref
from collections.abc import Iterable
from pathlib import Path
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, Final

from kalshi_nb._shell import shell as _shell
from kalshi_nb.errors import PipelineWarning

if TYPE_CHECKING:
    from kalshi_nb._streams.pipeline import Pipeline

__all__ = ["Cells", "Run", "cells", "frames_inside", "origin"]

_PACKAGE: Final = str(Path(__file__).parent.parent) + os.sep
_FAILED: Final = frozenset({"exception", "interrupted", "cancelled", "marimo-error"})
"""What marimo calls the end of a run that did not end well."""

_LOOKS_EVERY: Final = 0.05
"""Seconds between two looks at a cell of marimo's that awaits."""


class Run:
    """One run of a cell, while it lasts.

    Parameters
    ----------
    key : tuple of str or None
        What the cell goes by; None in a terminal, where that is the source text, which is known at the end.
    execution : object, optional
        What marimo keeps of the run while it lasts.

    Attributes
    ----------
    is_over : bool
        Whether it has ended, or will end without a word, as silent runs do.
    """

    def __init__(self, key: tuple[str, str] | None, execution: Any = None) -> None:
        self.key = key
        self.is_over = False
        self._execution = None if execution is None else weakref.ref(execution)
        self._shown = getattr(sys, "last_value", None)
        # Each with how many runs of cells there were then, one inside the other: `%paste` and `%rerun` are cells that
        # run others.
        self._attached: list[tuple[int, weakref.ref[Pipeline]]] = []
        self._replaced: list[tuple[int, weakref.ref[Pipeline]]] = []

    def goes_on(self, key: tuple[str, str] | None, execution: Any = None) -> bool:
        """Tell whether a call by this key is in this run, and not in a later one."""
        same = execution is None or (self._execution is not None and self._execution() is execution)
        return same and not self.is_over and self.key == key

    @property
    def showed_traceback(self) -> bool:
        """Whether a traceback was shown since the run attached something.

        `%%time` and `%run` show what was raised and go on, so for IPython such a cell ended well.
        """
        return getattr(sys, "last_value", None) is not self._shown

    def add(self, pipeline: Pipeline) -> None:
        """Take up that the run attached a pipeline, which the exchange has acknowledged."""
        self._attached.append((_depth(), weakref.ref(pipeline)))

    def replace(self, pipeline: Pipeline) -> None:
        """Take up that a pipeline, attached elsewhere, is to be closed if the run ends well."""
        self._replaced.append((_depth(), weakref.ref(pipeline)))

    def has(self, pipeline: Pipeline) -> bool:
        """Tell whether the run attached this pipeline."""
        return any(each() is pipeline for _, each in self._attached)

    def take(self, depth: int) -> tuple[list[Pipeline], list[Pipeline], bool]:
        """Return what was attached, and what is to be closed for it, further inside than `depth`, and forget it.

        The last says whether anything was attached, though it may be gone by now.
        """
        attached = [each for each in self._attached if each[0] > depth]
        replaced = [each for each in self._replaced if each[0] > depth]
        self._attached = [each for each in self._attached if each[0] <= depth]
        self._replaced = [each for each in self._replaced if each[0] <= depth]
        return _open(each for _, each in attached), _open(each for _, each in replaced), bool(attached)


class _Here(threading.local):
    """The run that goes on on a thread; a kernel with subshells has several."""

    run: Run | None = None


class Cells:
    """The cells of this process, and what each has attached.

    The lock guards the table alone; nothing is closed under it. What is to be closed stays in the table until it is:
    Ctrl-C may come in between, and then the cell's next run closes it.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a finalizer may run in the middle of it, on the same thread
        self._here = _Here()
        self._attached: dict[tuple[str, str], list[weakref.ref[Pipeline]]] = {}

    def run(self) -> Run | None:
        """Return the run of a cell that this call belongs to; None where there is none, or nothing names the cell."""
        return self._in_marimo() or self._in_ipython()

    # IPython ------------------------------------------------------------------------------------------

    def _in_ipython(self) -> Run | None:
        shell = _shell()
        if shell is None or not _depth():
            return None
        key = None
        if not _is_terminal(shell):
            cell_id = _cell_id(shell)
            if cell_id is None:
                return None
            key = ("cellId", cell_id)
        run = self._here.run
        if run is None or not run.goes_on(key):
            # An event that was registered before makes no second entry. There is time enough: both come at the end.
            shell.events.register("post_execute", self._executed)
            shell.events.register("post_run_cell", self._ended)
            run = self._here.run = Run(key)
        return run

    def _executed(self) -> None:
        """Take up that a cell has been executed, which a silent one says alone."""
        run = self._here.run
        if run is not None and not _depth():
            run.is_over = True

    def _ended(self, result: Any) -> None:
        """Take up the end of a cell; `result` is None where it was cancelled."""
        run, depth = self._here.run, _depth()
        if run is None or (run.key is not None and depth):
            return  # a cell run by a cell of a notebook is a part of it
        if not depth:
            self._here.run = None
        text = getattr(getattr(result, "info", None), "raw_cell", None)
        key = run.key or (None if text is None else ("text", text.strip()))
        well = result is not None and bool(result.success) and not run.showed_traceback
        self._finish(run, depth, key, well=well)

    # marimo -------------------------------------------------------------------------------------------

    def _in_marimo(self) -> Run | None:
        ask = getattr(sys.modules.get("marimo._runtime.context"), "get_context", None)
        thread = getattr(sys.modules.get("marimo._runtime.threads"), "Thread", None)
        if ask is None or (thread is not None and isinstance(threading.current_thread(), thread)):
            return None  # a thread of marimo's knows the cell that it was made in
        try:
            context = ask()
            execution = context.execution_context
        except Exception:  # noqa: BLE001  # what it raises on other threads than a notebook's is no public name
            return None
        if execution is None or execution.setting_element_value:
            return None  # between two cells, or in the callback of a widget
        key = ("marimo", str(execution.cell_id))
        run = self._here.run
        if run is None or not run.goes_on(key, execution):
            run = self._here.run = Run(key, execution)
            # marimo tells nobody of the end. What it keeps of a run goes with it, as a rule; but the traceback of one
            # that raised it keeps, for its debugger, and on Python 3.13, though not on 3.11, that one keeps all of the
            # run. So it is looked at, too: between two cells its loop has a moment, on the thread that runs them.
            weakref.finalize(execution, self._left, run, context, execution.cell_id).atexit = False
            with contextlib.suppress(RuntimeError):  # no loop: the other way is left
                asyncio.get_running_loop().call_soon(self._look, run, context, weakref.ref(execution))
        return run

    def _look(self, run: Run, context: Any, reference: weakref.ref[Any]) -> None:
        """Find out whether a run is over; on marimo's own thread."""
        execution = reference()
        if execution is None:
            return
        if context.execution_context is execution:  # a cell that awaits
            asyncio.get_running_loop().call_later(_LOOKS_EVERY, self._look, run, context, reference)
        else:
            self._left(run, context, execution.cell_id)

    def _left(self, run: Run, context: Any, cell_id: Any) -> None:
        if run.is_over:
            return
        run.is_over = True
        cell = context.graph.cells.get(cell_id)
        self._finish(run, -1, run.key, well=getattr(cell, "run_result_status", None) not in _FAILED)

    # The end ------------------------------------------------------------------------------------------

    def _finish(self, run: Run, depth: int, key: tuple[str, str] | None, *, well: bool) -> None:
        """Close what earlier runs attached, if this one ended well, and otherwise what it attached itself."""
        new, replaced, attached = run.take(depth)
        if not attached:
            return
        earlier = self._keep(key, new)
        if well:
            for each in (*earlier, *replaced):
                each.close()
            return
        for each in new:
            each.close()
        if new:
            _warn(new, goes_on=bool(earlier or replaced))

    def _keep(self, key: tuple[str, str] | None, new: list[Pipeline]) -> list[Pipeline]:
        """Write down what a cell attached; return what it had attached before."""
        with self._lock:
            kept = {each: _open(there) for each, there in self._attached.items()}
            earlier = [] if key is None else kept.get(key, [])
            if key is not None:
                kept[key] = [*earlier, *new]
            self._attached = {each: [weakref.ref(one) for one in there] for each, there in kept.items() if there}
        return earlier


cells: Final = Cells()
"""Those of this process."""


def _warn(closed: list[Pipeline], *, goes_on: bool) -> None:
    """Say below the traceback of a cell that what it attached is closed."""
    names = ", ".join(repr(each.name) for each in closed)
    rest = " What its earlier run attached goes on." if goes_on else ""
    text = f"The cell did not end well, so what it attached is closed again: {names}.{rest} Mend it and run it again."
    # Not at a line of this package, which would say nothing to whoever reads it.
    warnings.warn_explicit(text, PipelineWarning, closed[0].origin or "<cell>", 1)


def _open(references: Iterable[weakref.ref[Pipeline]]) -> list[Pipeline]:
    found = (each() for each in references)
    return [each for each in found if each is not None and each.state != "closed"]


# The shell --------------------------------------------------------------------------------------------


def _is_terminal(shell: Any) -> bool:
    terminal = getattr(sys.modules.get("IPython.terminal.interactiveshell"), "TerminalInteractiveShell", None)
    return terminal is not None and isinstance(shell, terminal)


def _cell_id(shell: Any) -> str | None:
    """Return what the front end calls the cell that it asked to run; None where it did not, or this is no such run.

    Messages of widgets are requests of their own, also those that a cell lets in while it runs.
    """
    ask = getattr(shell, "get_parent", None)
    parent = ask() if ask is not None else None
    if not isinstance(parent, dict) or parent.get("header", {}).get("msg_type") != "execute_request":
        return None
    cell_id = parent.get("metadata", {}).get("cellId")
    return cell_id if isinstance(cell_id, str) and cell_id else None


# The stack --------------------------------------------------------------------------------------------


def _depth() -> int:
    """Return how many runs of IPython's cells this call is in, one inside the other; 0 outside of all."""
    module = sys.modules.get("IPython.core.interactiveshell")
    running: CodeType | None = getattr(
        getattr(getattr(module, "InteractiveShell", None), "run_cell_async", None), "__code__", None
    )
    if running is None:
        return 0
    depth, frame = 0, _caller()
    while frame is not None:
        depth += frame.f_code is running
        frame = frame.f_back
    return depth


def _caller() -> FrameType | None:
    return sys._getframe(1)  # noqa: SLF001  # the only way to know the caller, as warnings do it


def origin(run: Run | None) -> str:
    """Return where the call stands that came into this package: a cell, or a file, and the line."""
    frame = _caller()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):  # type: ignore[union-attr]
        frame = frame.f_back  # type: ignore[union-attr]
    code, shell = frame.f_code.co_filename, _shell()  # type: ignore[union-attr]
    named = getattr(getattr(shell, "compile", None), "format_code_name", lambda _: None)(code)
    place = f"{' '.join(named) if named else Path(code).name}, line {frame.f_lineno}"  # type: ignore[union-attr]
    if run is None or named or shell is None:
        return place
    return f"{place}, called in Cell In[{shell.execution_count}]"


def frames_inside() -> int:
    """Return how many calls up the caller's caller is outside this package: the ``stacklevel`` of a warning."""
    frame = sys._getframe(1)  # noqa: SLF001  # as above
    depth = 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame, depth = frame.f_back, depth + 1
    return depth

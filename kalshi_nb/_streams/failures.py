"""What was raised on one of the feed's threads, kept without anything that hangs on it."""

from __future__ import annotations

import datetime as dt
import os
import sys
import sysconfig
import time
import traceback
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kalshi_nb._moments import datetime_of
from kalshi_nb._redaction import printable

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

__all__ = ["Failed", "Failure"]

_TRACEBACK, _CAUSE, _CONTEXT = (vars(BaseException)[name] for name in ("__traceback__", "__cause__", "__context__"))
_NAME = vars(type)["__name__"]
_LONGEST_TEXT: Final = 2_000
_LONGEST_TRACEBACK: Final = 50_000


def _folder_of(package: str) -> str:
    spec = find_spec(package)
    return str(Path(spec.origin).parent) + os.sep if spec is not None and spec.origin is not None else "\0"


_OURS: Final = (_folder_of("kalshi_nb"), _folder_of("streamz"), "<frozen ")
"""Files that are no place to look for a mistake of the user's."""

_LIBRARIES: Final = tuple(sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib"))
"""Nor are these, while a file of the user's own is there to be named."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that was raised on one of the feed's threads.

    Attributes
    ----------
    pipeline : str
        The name of the pipeline it was raised in.
    channel : str
        What that pipeline listens to.
    error : BaseException
        The exception, without its traceback, which would keep the pipeline alive.
    traceback : str
        That traceback as text.
    at : datetime.datetime
        When, in UTC.
    text : str
        All of it in a sentence.
    where : str
        The line of the user's code that it was raised in, as ``file:line, in function``; empty where none was.
    noticed : float
        When, on the computer's monotonic clock, in seconds.
    """

    pipeline: str
    channel: str
    error: BaseException
    traceback: str
    at: dt.datetime
    text: str
    where: str
    noticed: float

    @classmethod
    def of(
        cls,
        error: BaseException,
        *,
        pipeline: str,
        channel: str,
        now_us: int,
        function: Callable[..., Any] | None = None,
    ) -> Failure:
        """Keep an exception, and nothing that hangs on it.

        Parameters
        ----------
        error : BaseException
            What was raised.
        pipeline, channel : str
            Where.
        now_us : int
            When, in microseconds.
        function : callable, optional
            The user's, which is where to look if nothing of it had begun to run.
        """
        # A user's class may answer whatever it likes when it is asked for anything, and raise as well: what is asked
        # of it is asked by the built-in classes' own ways, or with a net below.
        where = _asked(lambda: _place_of(_TRACEBACK.__get__(error)), "") or _beginning_of(function)
        whole = _asked(lambda: "".join(traceback.format_exception(error)), "(its traceback cannot be had)")
        said = _text_of(error)
        if _asked(lambda: _innermost(_TRACEBACK.__get__(error)), "").startswith(_LIBRARIES):
            said = said.partition("\n")[0]  # what else a library has to say is advice on how to use it
        _forget_frames(error)
        at = datetime_of(now_us)
        name = _asked(lambda: printable(_NAME.__get__(type(error))), "an error")
        text = f"{pipeline!r} on {channel} raised {name}: {said}"
        return cls(pipeline, channel, error, _shown(whole, _LONGEST_TRACEBACK), at, text, where, time.monotonic())

    def __str__(self) -> str:
        return self.text

    @property
    def placed(self) -> str:
        """The sentence, and where it was."""
        return f"{self.text} ({self.where})" if self.where else self.text

    @property
    def short(self) -> str:
        """What was raised and where, without the pipeline."""
        return self.placed.removeprefix(f"{self.pipeline!r} on {self.channel} raised ")


class Failed(NamedTuple):
    """What a pipeline raised at.

    Attributes
    ----------
    element : object
        The message, the list of messages or the frame; it is not delivered again.
    failure : Failure
        What was raised.
    """

    element: Any
    failure: Failure

    @property
    def rows(self) -> int:
        """How many rows or messages it has."""
        return len(self.element) if hasattr(self.element, "__len__") else 1


def _place_of(trace: TracebackType | None) -> str:
    """Return the innermost line of the user's, or, if there is none, of a library he uses; empty without one."""
    frames = [each for each in traceback.extract_tb(trace) if not each.filename.startswith(_OURS)]
    own = [each for each in frames if not each.filename.startswith(_LIBRARIES)]
    if not frames:
        return ""
    found = (own or frames)[-1]
    return _at(found.filename, found.lineno, found.name)


def _innermost(trace: TracebackType | None) -> str:
    """Return the file that raised."""
    frames = traceback.extract_tb(trace)
    return frames[-1].filename if frames else ""


def _beginning_of(function: Callable[..., Any] | None) -> str:
    """Return where a function is written, empty where nobody knows."""
    code = getattr(function, "__code__", None)
    return "" if code is None else _at(code.co_filename, code.co_firstlineno, code.co_name)


def _at(filename: str, line: int | None, name: str) -> str:
    return f"{_cell_of(filename) or filename}:{line}, in {name}"


def _cell_of(filename: str) -> str:
    """Return what IPython calls the cell that it compiled under this name; empty for a file."""
    ipython = sys.modules.get("IPython")
    try:
        found = None if ipython is None else ipython.get_ipython().compile.format_code_name(filename)
    except Exception:  # noqa: BLE001  # another shell, or an IPython that does it otherwise: its name is good, too
        return ""
    return "" if found is None else " ".join(found)


def _text_of(error: BaseException) -> str:
    """Return an exception's own words, which may quote a whole frame or the answer of a server, in a line's length."""
    return _asked(lambda: _shown(str(error), _LONGEST_TEXT), "(its text cannot be had)")


def _asked(ask: Callable[[], str], otherwise: str) -> str:
    try:
        return ask()
    except BaseException:  # noqa: BLE001  # whatever it is, it must not hurt anybody else
        return otherwise


def _shown(text: str, most: int) -> str:
    """Return what may stand in a report: not too long, and nothing that steers a terminal."""
    return _cut(printable(_cut(text, most)), most)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most // 2]} … {text[-most // 2 :]}"


def _forget_frames(error: BaseException) -> None:
    """Take the tracebacks from an exception and those behind it, which would keep the pipeline alive."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            # Not by an assignment, which a frozen dataclass refuses.
            BaseException.with_traceback(each, None)
            waiting += [_CAUSE.__get__(each), _CONTEXT.__get__(each)]

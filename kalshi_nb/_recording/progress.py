"""How far an export is, and who is told: a terminal, a notebook, a log, or a function of the user's.

It goes by the bytes of the recording that are read, which are known before; how many rows they make is not. Whoever
reads says so once a block of thousands of rows.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TextIO

from kalshi_nb._redaction import shown
from kalshi_nb._shell import shell
from kalshi_nb.errors import ConfigurationError

__all__ = ["SILENT", "ExportProgress", "Meter", "ProgressOption", "Watch", "check_progress", "telling"]

_LINE_EVERY: Final = 10.0
_PAINT_EVERY: Final = 0.25


@dataclass(frozen=True, slots=True)
class ExportProgress:
    """How far an export is.

    Attributes
    ----------
    segments, of_segments : int
        How many segments are done, and how many there are to do; what was exported before is not among them.
    rows : int
        Rows that were written.
    read_bytes, total_bytes : int
        Bytes of the recording that are done with, and that there are to do.
    seconds : float
        How long it has taken.
    ended : bool
        Whether it is over, done or not.
    """

    segments: int
    of_segments: int
    rows: int
    read_bytes: int
    total_bytes: int
    seconds: float
    ended: bool = False

    @property
    def share(self) -> float:
        """How much of the bytes is done, from 0 to 1."""
        return self.read_bytes / self.total_bytes if self.total_bytes else 1.0

    @property
    def rows_per_second(self) -> float:
        """Rows written a second, on the average."""
        return self.rows / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """About how long it still takes, by the bytes that are left; None before anything is read."""
        if self.read_bytes <= 0:
            return None
        return self.seconds * (self.total_bytes - self.read_bytes) / self.read_bytes

    def __str__(self) -> str:
        left = self.seconds_left
        last = _length(self.seconds) if self.ended else "…" if left is None else f"{_length(left)} left"
        return (
            f"{self.segments:,} of {self.of_segments:,} segments, {self.share:.0%}, {self.rows:,} rows, "
            f"{self.rows_per_second:,.0f}/s, {last}"
        )


def _length(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


Tell = Callable[[ExportProgress], Any]
"""Is told how far it is."""

ProgressOption = bool | None | Tell
"""What an export takes: True, False, None for whatever suits the place, or a function."""


class Watch(Protocol):
    """Is told by whoever reads a segment, from whatever thread that does it on."""

    def read(self, size: int) -> None:
        """Take note that bytes of it were read."""
        ...

    def rows(self, count: int) -> None:
        """Take note that a block of rows was written."""
        ...


class _Silent:
    """Takes no note; in a worker's process nobody looks."""

    def read(self, size: int) -> None:
        pass

    def rows(self, count: int) -> None:
        pass


SILENT: Final[Watch] = _Silent()


class Meter:
    """Adds up how far an export is, and tells of it once a block or segment.

    Rows are counted on the threads on which polars writes; what somebody's function raises there is raised in
    :meth:`check`, on the thread of whoever exports.

    Parameters
    ----------
    tell : callable or None
        Who is told.
    """

    def __init__(self, tell: Tell | None) -> None:
        self._tell = tell
        self._sizes: Mapping[str, int] = {}
        self._total = 0
        self._began = time.monotonic()
        self._segments = self._rows = self._done = 0
        self._of_segment = 0  # its bytes; 0 between segments
        self._read = 0
        self._raised: BaseException | None = None
        self._telling = threading.Lock()

    def expect(self, sizes: Mapping[str, int]) -> None:
        """Take note which segments are to be done, and of how many bytes."""
        self._sizes, self._total = sizes, sum(sizes.values())

    def begun(self, paths: Iterable[str]) -> Iterator[str]:
        """Return the segments that are to be done, and take note when each is begun."""
        for path in paths:
            self._of_segment, self._read = self._sizes[path], 0
            yield path

    def end(self, path: str, rows: int) -> None:
        """Take note that a segment is done, with so many rows that nobody has told of."""
        self._segments += 1
        self._done += self._sizes[path]
        self._rows += rows
        self._of_segment = 0
        self._say()
        self.check()

    def close(self) -> None:
        """Say for the last time how far it came, where there was anything to do."""
        if self._sizes:
            self._say(ended=True)

    def check(self) -> None:
        """Raise what the user's function raised."""
        raised, self._raised = self._raised, None
        if raised is not None:
            raise raised

    def read(self, size: int) -> None:
        """Take note that bytes of the segment were read."""
        self._read += size

    def rows(self, count: int) -> None:
        """Take note that a block of rows was written."""
        self._rows += count
        self._say()

    def _say(self, *, ended: bool = False) -> None:
        if self._tell is None or self._raised is not None:
            return
        with self._telling:
            try:
                self._tell(self._now(ended=ended))
            except BaseException as error:  # noqa: BLE001  # polars would make an error of its own of it
                self._raised = error

    def _now(self, *, ended: bool) -> ExportProgress:
        partly = min(self._of_segment, self._read)
        seconds = time.monotonic() - self._began
        return ExportProgress(
            self._segments, len(self._sizes), self._rows, self._done + partly, self._total, seconds, ended
        )


def check_progress(progress: object) -> None:
    """Refuse what nothing can be told by.

    Raises
    ------
    ConfigurationError
        When `progress` is neither True, False, None nor a function.
    """
    if not (progress is None or isinstance(progress, bool) or callable(progress)):
        raise ConfigurationError(
            f"progress={shown(progress)}: give True or False, or a function that is called with how far it is."
        )


@contextlib.contextmanager
def telling(progress: ProgressOption, title: str) -> Iterator[Tell | None]:
    """Give what is to be told how far an export is; None where nobody wants to know.

    Parameters
    ----------
    progress : bool, None or callable
        A function, which is called with an :class:`ExportProgress`; False for nothing; True for whatever suits: a
        view in a notebook, a bar in a terminal where rich is installed, else lines on standard error, one in ten
        seconds. None is True in notebooks and terminals, and False elsewhere.
    title : str
        What it is about.
    """
    if callable(progress):
        yield progress
        return
    in_notebook = getattr(shell(), "kernel", None) is not None
    in_terminal = not in_notebook and _is_terminal(sys.stderr)
    if progress is False or (progress is None and not in_notebook and not in_terminal):
        yield None
        return
    shows = _notebook(title) if in_notebook else _bar(title) if in_terminal else None
    with shows or _lines(title) as tell:
        yield tell


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


@contextlib.contextmanager
def _lines(title: str) -> Iterator[Tell]:
    last = time.monotonic()

    def tell(how_far: ExportProgress) -> None:
        nonlocal last
        if how_far.ended or time.monotonic() - last >= _LINE_EVERY:
            last = time.monotonic()
            print(f"{title}: {how_far}", file=sys.stderr)  # noqa: T201  # what it is for

    yield tell


def _bar(title: str) -> contextlib.AbstractContextManager[Tell] | None:
    """Return a bar of rich's; None where it is not installed."""
    try:
        from rich.console import Console  # noqa: PLC0415  # 40 ms, and optional
        from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415  # as above
    except ImportError:
        return None
    # Painted when it is told, and no more often than that pays: no thread of its own.
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[said]}", markup=False),
        console=Console(stderr=True),
        auto_refresh=False,
    )

    @contextlib.contextmanager
    def shown_bar() -> Iterator[Tell]:
        painted = 0.0
        task = bar.add_task(title, total=1.0, said="")

        def tell(how_far: ExportProgress) -> None:
            nonlocal painted
            now = time.monotonic()
            if how_far.ended or now - painted >= _PAINT_EVERY:
                painted = now
                bar.update(task, completed=how_far.share, said=str(how_far), refresh=True)

        with bar:
            yield tell

    return shown_bar()


def _notebook(title: str) -> contextlib.AbstractContextManager[Tell]:
    from kalshi_nb._widgets.progress import ProgressView  # noqa: PLC0415  # widgets, where there is a page

    @contextlib.contextmanager
    def shown_view() -> Iterator[Tell]:
        view = ProgressView(title)
        try:
            yield lambda how_far: view.tell(how_far.share, str(how_far))
        finally:
            view.close()

    return shown_view()

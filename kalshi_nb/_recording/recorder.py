"""A recorder: what an engine hears, handed to a journal."""

from __future__ import annotations

import logging
import os
import warnings
import weakref
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, overload

from kalshi_nb._engine.port import Engine
from kalshi_nb._foreign_names import corrected_methods
from kalshi_nb._frames.addresses import told
from kalshi_nb._logging import log
from kalshi_nb._moments import datetime_of
from kalshi_nb._recording.joining import TYPE_BEGINS
from kalshi_nb._recording.journal import Journal, JournalStatus
from kalshi_nb._recording.kept import Kept
from kalshi_nb._recording.kinds import types_of
from kalshi_nb._rows.channels import CHANNELS, traits_of
from kalshi_nb._rows.heard import Checkpoint, Event, Heard, Read
from kalshi_nb._sizes import size
from kalshi_nb._threads import role
from kalshi_nb._usage import flag, setter
from kalshi_nb.errors import ConfigurationError, ForkedError, HandleClosedError, RecordingWarning

if TYPE_CHECKING:
    from kalshi_nb._recording.export import ExportReport
    from kalshi_nb._recording.following import FollowingExport
    from kalshi_nb._recording.recording import Recording
    from kalshi_nb._widgets.showing import Views
    from kalshi_nb._widgets.view import LiveView, ViewWidget

__all__ = ["Recorder"]


@corrected_methods
class Recorder:
    """Keeps what a feed hears; made by ``feed.record(…)``.

    It writes on a thread of its own, ``kalshi-recorder``; the feed waits for it, by milliseconds, only where tens of
    megabytes wait for the disk. What it could not keep is said in the recording itself, in :attr:`status`, and in
    ``feed.health()``.
    """

    __setattr__ = setter(instead="close it, and record anew with feed.record(…)")

    def __init__(
        self,
        engine: Engine,
        folder: Path,
        kept: Kept,
        on_close: Callable[[], None],
        about: Mapping[str, Any],
    ) -> None:
        self._channels = tuple(kept.channels)
        self._folder = folder
        self._left_out = _left_out(self._channels)
        self._on_close = [on_close]
        self._engine = engine
        self._exports: list[FollowingExport] = []
        self._views: Views | None = None
        self._journal = Journal(folder, ask_checkpoint=engine.checkpoint, about=about, kept=kept)
        try:
            self._take_off = engine.tap(self._hear)
        except BaseException:
            self._journal.close()
            raise

    def __repr__(self) -> str:
        status = self.status
        state = f"{status.messages:,} messages, {size(status.written_bytes)}"
        trouble = f"; {status.trouble}" if status.trouble else ""
        return f"<Recorder {self._folder}: {status.state}, {state}{trouble}>"

    def _hear(self, heard: Heard) -> None:
        """Hand on what is to be kept; on the engine's thread."""
        if isinstance(heard, Read):
            if self._left_out:
                messages = [each for each in heard.messages if not each.startswith(self._left_out)]
                if not messages:
                    return
                heard = heard._replace(messages=messages)
        elif isinstance(heard, Checkpoint):
            heard = Checkpoint(
                heard.at,
                heard.connected,
                tuple(each for each in heard.subscriptions if each.channel in self._channels),
                heard.books,
            )
        self._journal.put(heard)

    @property
    def folder(self) -> Path:
        """Where it records."""
        return self._folder

    @property
    def channels(self) -> tuple[str, ...]:
        """What it keeps."""
        return self._channels

    @property
    def status(self) -> JournalStatus:
        """How it is doing: state, trouble, messages, rate, bytes, level, free disk."""
        return self._journal.status()

    @property
    def durable_until(self) -> Any:
        """Until when what was heard outlives a loss of power, as a datetime in UTC; None before the first second."""
        until = self.status.durable_until
        return datetime_of(until) if until else None

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait until all that was heard before is on the disk; return whether it is."""
        return self._journal.flush(timeout)

    def open(self) -> Recording:
        """Open what is on the disk so far; open it again for more."""
        from kalshi_nb._recording.recording import open_recording  # noqa: PLC0415  # it needs polars

        self._journal.flush(10.0)
        return open_recording(os.fspath(self._folder))

    @overload
    def export(
        self,
        out: str | os.PathLike[str],
        format: str = ...,
        *,
        follow: Literal[True],
        channels: str | Iterable[str] | None = ...,
        market_tickers: str | Iterable[str] | None = ...,
        storage_options: Mapping[str, Any] | None = ...,
    ) -> FollowingExport: ...

    @overload
    def export(
        self,
        out: str | os.PathLike[str],
        format: str = ...,
        *,
        follow: Literal[False] = ...,
        channels: str | Iterable[str] | None = ...,
        market_tickers: str | Iterable[str] | None = ...,
        storage_options: Mapping[str, Any] | None = ...,
    ) -> ExportReport: ...

    def export(
        self,
        out: str | os.PathLike[str],
        format: str = "parquet",  # noqa: A002  # as users of polars and pandas say it
        *,
        follow: bool = False,
        channels: str | Iterable[str] | None = None,
        market_tickers: str | Iterable[str] | None = None,
        storage_options: Mapping[str, Any] | None = None,
    ) -> ExportReport | FollowingExport:
        """Write typed files of what is recorded, once or, with ``follow=True``, as long as it goes on.

        To follow means that each segment becomes files when it is sealed, which is each hour or 64 MB, and the last
        one when the recorder is closed. What fails is warned of, stands in ``feed.health()``, and is tried again; the
        recording is not concerned. Who records and follows anew, after a kill too, goes on where that was.

        Parameters
        ----------
        out, format, channels, market_tickers, storage_options
            As for :meth:`Recording.export`.
        follow : bool
            Go on until the recorder is closed; else export what is on the disk now.

        Returns
        -------
        ExportReport or FollowingExport
            What was written; or, of an export that follows, its handle, with ``state``, ``report`` and ``close()``.

        Raises
        ------
        ConfigurationError
            When a value will not do, or an export follows to the same place already.
        MissingPackageError
            When a package is missing for that kind of address.
        RecordingError
            When the place holds another export, or one of another recording.
        HandleClosedError
            When an export is to follow a recorder that is closed.
        ForkedError
            In a process that was forked from the one that records, where nothing comes; and where polars cannot work.
        """
        from kalshi_nb._recording.asked import job_of  # noqa: PLC0415  # as above
        from kalshi_nb._recording.export import check_place_of  # noqa: PLC0415  # it needs polars
        from kalshi_nb._recording.following import FollowingExport  # noqa: PLC0415  # as above
        from kalshi_nb._recording.origin import origin_in  # noqa: PLC0415  # as above

        if not flag("follow", follow):
            return self.open().export(
                out, format, channels=channels, market_tickers=market_tickers, storage_options=storage_options
            )
        if self.status.state == "forked":
            raise ForkedError(f"export(follow=True) would wait for ever here: {self.status.trouble}")
        if not self._on_close:
            raise HandleClosedError(
                f"This recorder is closed, and nothing more comes: kn.open_recording({str(self._folder)!r}).export(…)."
            )
        job = job_of(out, format, channels, market_tickers, None, None, storage_options)
        self._check_kept(job.channels or ())
        # What cannot be reached, or holds another export, is refused in the cell.
        check_place_of(job, origin_in(self._folder))
        if any(each.job.out == job.out and each.state != "closed" for each in self._exports):
            raise ConfigurationError(f"This recording is exported to {told(job.out)} already; close that one first.")
        export = FollowingExport(self._folder, lambda: self._journal.over, job)
        self._exports = [*self._exports, export]
        self._journal.when_over(export.wake)
        export.wake()  # for what was over before that
        return export

    def _check_kept(self, channels: Iterable[str]) -> None:
        """Refuse channels that there is nothing of in the recording."""
        for each in channels:
            if (traits_of(each).source or each) not in self._channels:
                raise ConfigurationError(
                    f"{each} is not recorded here; this recorder keeps {', '.join(self._channels)}."
                )

    @property
    def exports(self) -> tuple[FollowingExport, ...]:
        """The exports that follow it."""
        return tuple(self._exports)

    def close(self, timeout: float | None = None) -> bool:
        """Seal the recording and end, with what is exported along; return whether all that was heard is in it.

        Idempotent.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most for exports that follow it; on the threads that run your callbacks they are not
            waited for. What is not exported then goes on, unless the process ends.
        """
        is_news = bool(self._on_close)
        while self._on_close:
            self._take_off()
            self._take_off = _nothing  # it knew this recorder, which goes now with whoever held it
            self._journal.put(Event(self._engine.clock.now_us(), 0, "stopped"))
            self._on_close.pop()()
        sealed = self._journal.close(10.0)
        if is_news and not sealed and self.status.state != "forked":  # there it goes on
            self._warn_unsealed()
        exports, self._exports = self._exports, []
        for each in exports:
            each.close(timeout if role() is None else 0.0)
            each.warn(stacklevel=3)
        return sealed

    def _warn_unsealed(self) -> None:
        """Say once that the end of the recording is not on the disk."""
        status = self.status
        if status.trouble is None:
            text = "it is being written still, and what is not on the disk when this process ends is lost"
        else:
            text = (
                f"it was closed with {status.dropped:,} messages that are not in it; {status.trouble.split('. ')[0]}"
            )
        log(logging.WARNING, f"recording into {self._folder}: {text}")
        warnings.warn(f"Recording into {self._folder}: {text}.", RecordingWarning, stacklevel=4)

    # Showing ------------------------------------------------------------------------------------------

    def widget(self, **options: Any) -> ViewWidget:
        """Return its view as a widget, to be put together with others; options as for :func:`kalshi_nb.show`."""
        return self._live_view(**options).widget

    def _live_view(self, **options: Any) -> LiveView:
        """Return the view with these options; the same one while it is open."""
        if self._views is None:
            from kalshi_nb._widgets.showing import Views  # noqa: PLC0415  # most recorders are never shown

            self._views = Views(("recorder",))
        return self._views.get(_Shown(self), options)

    def _ipython_display_(self) -> None:
        self._live_view()._ipython_display_()

    def _repr_mimebundle_(self, **_kinds: Any) -> dict[str, Any]:
        return self._live_view().mimebundle()

    def _display_(self) -> object:
        """Return what marimo shows."""
        return self._live_view()._display_()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


def _nothing() -> None:
    """Do nothing: it was done."""


class _Shown:
    """A recorder as its view reads it, which it must not hold: the view is the recorder's own."""

    def __init__(self, recorder: Recorder) -> None:
        self._journal = recorder._journal  # noqa: SLF001  # of this module
        self._clock = recorder._engine.clock  # noqa: SLF001  # as above
        self._recorder = weakref.ref(recorder)
        self.name = os.fspath(recorder.folder)
        self.channels = recorder.channels

    @property
    def status(self) -> JournalStatus:
        return self._journal.status()

    @property
    def now(self) -> float:
        return self._clock.now_us() / 1e6

    def exporting(self) -> list[str]:
        recorder = self._recorder()
        return [] if recorder is None else [each.line() for each in recorder.exports]


def _left_out(channels: Iterable[str]) -> tuple[bytes, ...]:
    """Return what the messages of all channels but some begin with."""
    kept = frozenset[str]().union(*(types_of(each) for each in channels))
    all_types = frozenset[str]().union(*(types_of(each) for each in CHANNELS))
    return tuple(TYPE_BEGINS + each.encode() + b'"' for each in sorted(all_types - kept))

"""The table of all series, which is searched as somebody types: asked for once a day.

The exchange has no search. It has one answer with all 12,000 series, 16 MB that take seconds; as a file it is one,
which stands in the user's cache and can be deleted at any time.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from kalshi_nb._environments import is_here
from kalshi_nb._rest.bodies import SeriesListBody
from kalshi_nb._rest.frames import series_frame

if TYPE_CHECKING:
    from kalshi_nb._rest.client import RestClient

__all__ = ["SeriesTable", "folder_for"]

_DAY: Final = 24 * 3_600


def folder_for(base: str) -> Path | None:
    """Return where the table of an exchange is kept; None for one on this computer, which is soon gone."""
    if is_here(base):
        return None
    from platformdirs import user_cache_path  # noqa: PLC0415  # nobody who does not search needs it

    return user_cache_path("kalshi_nb", appauthor=False)


class SeriesTable:
    """All series of one exchange, at most a day old.

    Parameters
    ----------
    client : RestClient
        Asks for it.
    folder : Path or None
        Where it is kept beside the memory; None for nowhere.
    """

    def __init__(self, client: RestClient, folder: Path | None) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._frame: pl.DataFrame | None = None
        self._since = 0.0
        # A version of the columns, and the address, which is no name for a file.
        name = f"series-1-{hashlib.sha256(client.base.encode()).hexdigest()[:16]}.parquet"
        self._path = None if folder is None else folder / name

    def get(self, *, cache: bool = True) -> pl.DataFrame:
        """Return it; with `cache` false it is asked for anew, and nothing is written or read."""
        if not cache:
            return self._asked()
        now = time.time()
        with self._lock:
            if self._frame is not None and now - self._since < _DAY:
                return self._frame
        # Without the lock, since an answer may take minutes: two who want it at once both ask for it.
        found = self._read(now)
        frame, since = found if found is not None else (self._asked(), now)
        if found is None:
            self._write(frame)
        with self._lock:
            self._frame, self._since = frame, since
        return frame

    def _asked(self) -> pl.DataFrame:
        return series_frame(self._client.get("/series", SeriesListBody).body.series or [])

    def _read(self, now: float) -> tuple[pl.DataFrame, float] | None:
        if self._path is None:
            return None
        try:
            since = self._path.stat().st_mtime
            # Of a clock that was set back it is from the future, and of an unknown age.
            if not 0 <= now - since < _DAY:
                return None
            found = pl.read_parquet(self._path, memory_map=False)
        except (OSError, pl.exceptions.PolarsError):
            return None
        return (found, since) if found.schema == series_frame([]).schema else None

    def _write(self, frame: pl.DataFrame) -> None:
        """Write it whole or not at all; that there is no room or no right to is no trouble of whoever searches."""
        if self._path is None or frame.is_empty():
            return
        with suppress(OSError, pl.exceptions.PolarsError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._path.parent, suffix=".part")
            try:
                with os.fdopen(handle, "wb") as file:
                    frame.write_parquet(file)
                Path(name).replace(self._path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise

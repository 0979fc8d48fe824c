"""The public handle on a rolling frame: read it, wait for it, save it, look at it."""

from __future__ import annotations

import html
import time
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from kalshi_nb._frames.files import require, whole_file
from kalshi_nb._frames.schema import RECEIVED
from kalshi_nb._threads import FEED_ROLES, refuse_on
from kalshi_nb.errors import ConfigurationError, WaitTimeoutError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

    import pandas as pd  # type: ignore[import-untyped]  # ships no types
    import pyarrow as pa  # type: ignore[import-untyped]  # ships no types

    from kalshi_nb._frames.rolling import RollingFrame

__all__ = ["FrameReading", "store_of"]

_LOOK: Final = 0.25  # seconds between two looks whether rows can still come
_SHOWN_ROWS: Final = 10
_SHOWN_COLUMNS: Final = 8


class FrameReading:
    """What can be done with a rolling frame, whoever fills it."""

    name: str | None
    _store: RollingFrame
    _kind = "Frame"

    @property
    def df(self) -> pl.DataFrame:
        """The rows of the window as they are now: a polars DataFrame of your own, from any thread.

        Prices are dollars, counts are contracts, times are UTC. What comes later does not change it.
        """
        return self._store.df

    @property
    def schema(self) -> pl.Schema | None:
        """Names and dtypes of the columns; None while they are to be taken from the first batch."""
        return self._store.schema

    @property
    def total(self) -> int:
        """How many rows ever came, those counted that have left the window."""
        return self._store.total

    @property
    def dropped_keys(self) -> int:
        """How many last rows :meth:`latest` had to let go beside the window; 0 as long as it knows of all."""
        return self._store.dropped_keys

    def __len__(self) -> int:
        return self._store.height

    def __bool__(self) -> bool:
        # A handle is there even while no row is; streamz, for one, asks a node whether it is true.
        return True

    def latest(self) -> pl.DataFrame:
        """Return the last row of each market, also of those whose rows have left the window.

        Beside the window 100,000 are kept, unless the frame was asked for with another `latest_keys`. Past that
        orders and requests that have ended go first, then whatever changed longest ago; see :attr:`dropped_keys`.

        On orders it is the last row of each order; on positions of each market and subaccount; on requests
        for quotes of each request; on order groups of each group; on reference feeds of each index or
        underlying. Rows about none of these are left out.

        Returns
        -------
        polars.DataFrame
            One row a market, the most recently changed last.

        Raises
        ------
        PipelineError
            When there is no column ``market_ticker``, or whichever takes its place.
        """
        return self._store.latest()

    def wait(self, rows: int = 1, timeout: float | None = 10.0) -> Self:
        """Block until `rows` rows have come in all, those counted that have left the window; return the frame.

        Parameters
        ----------
        rows : int
            How many rows, counted from the frame's beginning and not from this call.
        timeout : float or None
            Seconds to wait at most; None for as long as it takes.

        Raises
        ------
        WaitTimeoutError
            When they have not; it says how many have.
        WrongThreadError
            On the feed's own threads, which bring the rows.
        ConfigurationError
            When `rows` is not a whole number, or negative.
        """
        if isinstance(rows, bool) or not isinstance(rows, int) or rows < 0:
            raise ConfigurationError(f"rows={rows!r}: give a whole number of rows to wait for.")
        refuse_on(
            *FEED_ROLES,
            doing=f"wait() of {self._title()}",
            instead="Wait in a cell, or let a node of the pipeline count its rows",
        )
        until = None if timeout is None else time.monotonic() + timeout
        while not self._store.wait(rows, _LOOK if until is None else min(_LOOK, until - time.monotonic())):
            trouble = self._trouble()
            if trouble or (until is not None and time.monotonic() >= until):
                raise WaitTimeoutError(self._waited(rows, timeout, trouble))
        return self

    def _trouble(self) -> str:
        """Say why no more rows can come, in a few words; nothing while they can."""
        return ""

    def _remark(self) -> str:
        """Say what keeps rows from coming just now, in a few words; nothing while all is as it should be."""
        return ""

    def _about(self) -> str:
        """Say in a few words which markets the rows are about; nothing where that is not known."""
        return ""

    def _hint(self) -> str:
        """Say what may be wrong with what was asked for, as long as no row of it has come."""
        return ""

    def _waited(self, rows: int, timeout: float | None, trouble: str) -> str:
        arrived = f"{self._title()}: {self.total:,} of {rows:,} rows came"
        if trouble:
            return f"{arrived}, and no more will: {trouble}."
        remark = self._remark()
        if remark:
            return f"{arrived} within {timeout:g} s: {remark}."
        hint = f"{self._hint()} ".lstrip() if not self.total else ""
        return (
            f"{arrived} within {timeout:g} s. {hint}Check that the market trades now, that the feed's health() shows "
            "it connected, and that no node in front lets all rows fall; or wait with a longer timeout. A simulated "
            "exchange with a manual clock moves only by its advance()."
        )

    def __getattr__(self, name: str) -> Any:
        # Only for names that are not there: many a hand writes trades.filter(…) for trades.df.filter(…).
        if not name.startswith("_") and hasattr(pl.DataFrame, name):
            raise AttributeError(f"{self._title()} has no {name!r}; its polars DataFrame has: .df.{name}")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def to_pandas(self) -> pd.DataFrame:
        """Return the rows as a pandas DataFrame.

        Raises
        ------
        MissingPackageError
            When pandas or pyarrow is not installed; it gives the command that installs them.
        """
        require("pandas", "pyarrow", doing="to_pandas()")
        return self.df.to_pandas()

    def to_arrow(self) -> pa.Table:
        """Return the rows as a pyarrow Table.

        Raises
        ------
        MissingPackageError
            When pyarrow is not installed; it gives the command that installs it.
        """
        require("pyarrow", doing="to_arrow()")
        return self.df.to_arrow()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.df.__arrow_c_stream__(requested_schema)

    def write_parquet(self, path: str | Path) -> Path:
        """Write the rows to a Parquet file and return where it is.

        ``~`` is expanded, missing folders are made, and a file of that name is replaced whole.
        """
        with whole_file(path) as (part, final):
            self.df.write_parquet(part)
        return final

    def write_csv(self, path: str | Path) -> Path:
        """Write the rows to a CSV file with a header and return where it is; see `write_parquet`."""
        with whole_file(path) as (part, final):
            self.df.write_csv(part)
        return final

    def write_ipc(self, path: str | Path) -> Path:
        """Write the rows to an Arrow IPC (Feather 2) file and return where it is; see `write_parquet`."""
        with whole_file(path) as (part, final):
            self.df.write_ipc(part)
        return final

    def _title(self) -> str:
        return self.name or self._kind

    def _caption(self, df: pl.DataFrame) -> str:
        parts = [f"{df.height:,} row{'' if df.height == 1 else 's'}", str(self._store.window)]
        if self.dropped_keys:
            parts.append(f"latest() let {self.dropped_keys:,} keys go")
        hint = "" if self.total else self._hint().rstrip(".")
        parts += [each for each in (self._trouble(), self._remark(), hint) if each]
        if RECEIVED in df.columns and isinstance(df.schema[RECEIVED], pl.Datetime) and df.height:
            moment = df[RECEIVED][-1]
            if moment is not None:
                parts.append(f"newest {moment:%Y-%m-%d %H:%M:%S} UTC")
        return ", ".join(parts)

    def __repr__(self) -> str:
        named = ", ".join(each for each in (self.name, self._about()) if each)
        return f"<{self._kind}{named and ' '}{named}: {self._caption(self.df)}>"

    def _repr_html_(self) -> str:
        df = self.df
        shown = df.select(df.columns[:_SHOWN_COLUMNS]).tail(_SHOWN_ROWS)
        with pl.Config(tbl_rows=_SHOWN_ROWS, tbl_cols=_SHOWN_COLUMNS, tbl_hide_dataframe_shape=True):
            table = shown._repr_html_()
        about = html.escape(f", {self._about()}" if self._about() else "")
        return f"<div><b>{html.escape(self._title())}</b>{about}: {html.escape(self._caption(df))}{table}</div>"


def store_of(reading: FrameReading) -> RollingFrame:
    """Return what a frame reads from, for whoever fills it."""
    return reading._store  # noqa: SLF001  # users have frames in hand, and filling them is not for them

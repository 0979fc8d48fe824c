"""What can be done with rows that grow while they are read: handed on, saved, shown as a table."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn

import polars as pl

from kalshi_nb._foreign_names import corrected_methods
from kalshi_nb._frames.files import require, whole_file
from kalshi_nb._frames.polars_threads import refuse_without_polars
from kalshi_nb._redaction import shown
from kalshi_nb._usage import meant, not_copied
from kalshi_nb.errors import NoSuchAttributeError, UsageError

if TYPE_CHECKING:
    import os
    from pathlib import Path

    import pandas as pd  # type: ignore[import-untyped]  # ships no types
    import pyarrow as pa  # type: ignore[import-untyped]  # ships no types

__all__ = ["Growing"]

_SHOWN_ROWS: Final = 10
_SHOWN_COLUMNS: Final = 8

_OF_PANDAS: Final = frozenset(
    {
        *("agg", "apply", "astype", "at", "between_time", "fillna", "iat", "iloc", "index", "info", "isna", "loc"),
        *("merge", "nlargest", "nsmallest", "query", "reset_index", "set_index", "sort_index", "sort_values"),
        *("to_string", "value_counts", "values"),
    }
)
"""Names that hands write who know pandas, and polars has none of."""


@corrected_methods
class Growing:
    """A handle on rows that grow while they are read, and are a polars DataFrame at each moment."""

    name: str | None
    _kind: ClassVar[str]

    @property
    def df(self) -> pl.DataFrame:
        """The rows as they are now."""
        raise NotImplementedError

    def _caption(self, df: pl.DataFrame) -> str:
        """Say in a few words what there is."""
        raise NotImplementedError

    def _about(self) -> str:
        """Say in a few words which markets the rows are about; nothing where that is not known."""
        return ""

    def __getattr__(self, name: str) -> Any:
        # Only for names that are not there: many a hand writes trades.filter(…) for trades.df.filter(…).
        if not name.startswith("_") and hasattr(pl.DataFrame, name):
            raise NoSuchAttributeError(f"{self._title()} has no {name!r}; its polars DataFrame has: .df.{name}")
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        raise NoSuchAttributeError(f"{self._title()} has no {name!r}{self._instead_of(name)}")

    def _instead_of(self, name: str) -> str:
        columns = getattr(self, "schema", None) or ()
        if name in columns:
            return f"; its polars DataFrame has such a column: .df[{name!r}]"
        if name in _OF_PANDAS:
            return f"; a pandas DataFrame has, of the rows that are there now: .to_pandas().{name}"
        if near := meant(name, columns):
            return f".{near} Columns are those of its polars DataFrame: .df[…]"
        return f".{meant(name, (each for each in dir(type(self)) if not each.startswith('_')))}"

    def to_pandas(self) -> pd.DataFrame:
        """Return the rows as a pandas DataFrame.

        Raises
        ------
        MissingPackageError
            When pandas or pyarrow is not installed; it gives the command that installs them.
        """
        require("pandas", "pyarrow", doing="to_pandas()")
        refuse_without_polars("to_pandas()")
        return self.df.to_pandas()

    def to_arrow(self) -> pa.Table:
        """Return the rows as a pyarrow Table.

        Raises
        ------
        MissingPackageError
            When pyarrow is not installed; it gives the command that installs it.
        """
        require("pyarrow", doing="to_arrow()")
        refuse_without_polars("to_arrow()")
        return self.df.to_arrow()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        refuse_without_polars("reading it as Arrow")
        return self.df.__arrow_c_stream__(requested_schema)

    def write_parquet(self, path: str | os.PathLike[str], **options: Any) -> Path | str:
        """Write the rows to a Parquet file and return where it is: a path, or the address that was given.

        Parameters
        ----------
        path : str or path
            A file of this computer, also as ``file:///…``. ``~`` is expanded, missing folders are made, a link is
            followed, and a file of that name is replaced whole. Or an address that fsspec knows, such as ``s3://…``
            (``pip install 'kalshi-nb[remote]'``, or ``[s3]``).
        **options
            As for ``polars.DataFrame.write_parquet``, such as ``compression="zstd"``; but ``storage_options`` are
            what fsspec needs to get to an address, such as ``{"key": …, "secret": …}``.

        Raises
        ------
        ConfigurationError
            When `path` is no file, and no address; nothing is written.
        MissingPackageError
            When a package is missing for that kind of address.
        FileError
            When the file cannot be written; what was there before is unchanged, and nothing else is left.
        """
        refuse_without_polars("write_parquet()")
        with whole_file(path, options) as (part, final):
            self.df.write_parquet(part, **options)
        return final

    def write_csv(self, path: str | os.PathLike[str], **options: Any) -> Path | str:
        """Write the rows to a CSV file with a header and return where it is.

        Parameters and errors as for `write_parquet`; the options are those of ``polars.DataFrame.write_csv``.
        """
        refuse_without_polars("write_csv()")
        with whole_file(path, options) as (part, final):
            self.df.write_csv(part, **options)
        return final

    def write_ipc(self, path: str | os.PathLike[str], **options: Any) -> Path | str:
        """Write the rows to an Arrow IPC (Feather 2) file and return where it is.

        Parameters and errors as for `write_parquet`; the options are those of ``polars.DataFrame.write_ipc``.
        """
        refuse_without_polars("write_ipc()")
        with whole_file(path, options) as (part, final):
            self.df.write_ipc(part, **options)
        return final

    def __reduce__(self) -> NoReturn:
        raise not_copied(self, "pass on .df, a polars DataFrame of its own")

    def __getitem__(self, key: object) -> NoReturn:
        asked = shown(key) if isinstance(key, str | int) else "…"
        raise UsageError(f"{self._title()} grows while you read it; take what it has now: .df[{asked}].")

    def __iter__(self) -> NoReturn:
        raise UsageError(
            f"{self._title()} grows while you read it, so there is no going through it; take what it has now: "
            "for row in frame.df.iter_rows(named=True). To be called with each new row, use feed.on()."
        )

    def __array__(self, *_arguments: object, **_options: object) -> NoReturn:
        # What numpy.asarray() asks for, and pandas.DataFrame() before it would go through it.
        raise UsageError(
            f"{self._title()} grows while you read it, and its columns are of several kinds; take what it has now: "
            '.to_pandas() for pandas, .df["yes_price"].to_numpy() for numpy.'
        )

    def __contains__(self, value: object) -> NoReturn:
        raise UsageError(
            f"{self._title()} grows while you read it; look in what it has now, such as value in "
            'frame.df["market_ticker"].'
        )

    def _compared(self, other: object) -> NoReturn:
        raise UsageError(
            f"{self._title()} is a handle and cannot be compared with a {type(other).__name__}; compare what it has "
            'now, such as frame.df["count"] > 100.'
        )

    __lt__ = __le__ = __gt__ = __ge__ = _compared

    def _title(self) -> str:
        return self.name or self._kind

    def __repr__(self) -> str:
        named = ", ".join(each for each in (self.name, self._about()) if each)
        return f"<{self._kind}{named and ' '}{named}: {self._caption(self.df)}>"

    def _repr_html_(self) -> str:
        refuse_without_polars("showing it")
        df = self.df
        newest = df.select(df.columns[:_SHOWN_COLUMNS]).tail(_SHOWN_ROWS)
        with pl.Config(tbl_rows=_SHOWN_ROWS, tbl_cols=_SHOWN_COLUMNS, tbl_hide_dataframe_shape=True):
            table = newest._repr_html_()
        about = html.escape(f", {self._about()}" if self._about() else "")
        return f"<div><b>{html.escape(self._title())}</b>{about}: {html.escape(self._caption(df))}{table}</div>"

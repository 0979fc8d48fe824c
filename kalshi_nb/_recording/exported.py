"""What was exported to Parquet, read again: all days and segments of a channel as one frame."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import polars as pl
from polars.io.plugins import register_io_source

from kalshi_nb._foreign_names import corrected, corrected_methods
from kalshi_nb._frames.addresses import address_of, reach, told
from kalshi_nb._frames.files import local_path, reason_of
from kalshi_nb._frames.gaps import GAP_SCHEMA
from kalshi_nb._frames.polars_threads import refuse_without_polars
from kalshi_nb._recording.disk import refusals
from kalshi_nb._recording.gap_tables import joined
from kalshi_nb._recording.layout import ABOUT
from kalshi_nb._recording.places import check_options, check_path
from kalshi_nb._usage import meant
from kalshi_nb.errors import RecordingError

__all__ = ["Export", "open_export"]

_EXAMPLE: Final = "the folder that was exported to, such as 'tables'"
_PATH: Final = "kalshi_nb.path"


@corrected
def open_export(path: str | os.PathLike[str], **options: Any) -> Export:
    """Open what was exported to Parquet: all days and segments of a channel as one frame.

    Parameters
    ----------
    path : str or path
        The folder that was exported to, or its address (``s3://…``; that takes ``pip install 'kalshi-nb[s3]'``).
    **options
        What fsspec needs to get to an address, such as ``key`` and ``secret``; a path of this computer has none.

    Returns
    -------
    Export
        ``export.frame("trade")`` and ``export.channels``.

    Raises
    ------
    RecordingError
        When there is no export.
    MissingPackageError
        When a package is missing for that kind of address.
    UsageError
        When there is no such option.
    """
    check_options(open_export, check_path(path, _EXAMPLE), options)
    return Export(path, options)


@corrected_methods
class Export:
    """What was exported to one place; made by :func:`kalshi_nb.open_export`."""

    def __init__(self, path: str | os.PathLike[str], options: Mapping[str, Any]) -> None:
        path = check_path(path, _EXAMPLE)
        address = address_of(path)
        self._place = _Here(local_path(path)) if address is None else _There(address, options)
        with refusals(f"{self._place.told} cannot be read"):
            if not self.channels:
                raise RecordingError(
                    f"There is no export to Parquet at {self._place.told}: {self._place.instead()}name the folder "
                    "that was exported to."
                )

    def __repr__(self) -> str:
        return f"<Export {self._place.told}: {', '.join(self.channels)}>"

    @property
    def channels(self) -> list[str]:
        """The channels there are."""
        return self._place.channels()

    def gaps(self) -> pl.LazyFrame:
        """Return what is missing in the rows: every gap of the channels that were exported, by when it was opened.

        Returns
        -------
        polars.LazyFrame
            The columns of ``feed.gaps`` and ``recording.gaps()``; ``closed_at`` null where it is not known to have
            ended. The files are ``gaps/channel=…/date=…/….parquet``, one a segment; in them a gap that goes on beyond
            its segment is a row of each, and only the last has its end.

        Raises
        ------
        RecordingError
            When no gaps were exported.
        """
        refuse_without_polars("reading an export")
        found = self._place.gaps()
        if found is None:
            raise RecordingError(
                f"{self._place.told} was exported without its gaps, by an earlier version: export the recording into "
                "it again."
            )
        return joined(found.select(list(GAP_SCHEMA)))

    def frame(self, channel: str) -> pl.LazyFrame:
        """Return a channel's rows, in the order in which they were received, with the column ``date`` behind them.

        Files of older and newer versions of the package are read together; what a file does not have is null. Of a
        folder here polars reads what the query needs; of an address file after file.

        Parameters
        ----------
        channel : str
            The channel, by Kalshi's name, or ``"quotes"``.

        Raises
        ------
        RecordingError
            When nothing of it was exported, or one of its files is empty.
        """
        refuse_without_polars("reading an export")
        there = self.channels
        if channel not in there:
            raise RecordingError(
                f"{self._place.told} has no {channel!r}, it has {', '.join(there)}.{meant(channel, there)} Export the "
                "recording again for more."
            )
        return self._place.frame(channel)


class _Here:
    """A folder of this computer."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.told = told(str(folder))

    def channels(self) -> list[str]:
        return sorted({_value_of(f"/{each}", "channel") for each in self._files("channel=*")})

    def _files(self, below: str) -> list[str]:
        """Return the files of days below a folder of channels, in their order, by their path below the place."""
        # glob's own walk, whose root is no pattern, follows links to folders: a day may lie on another disk.
        found = glob.glob(f"{below}/**/*.parquet", root_dir=self._folder, recursive=True)  # noqa: PTH207  # as above
        return sorted(each.replace(os.sep, "/") for each in found)

    def instead(self) -> str:
        """Return what is there in place of it, for a message."""
        if (self._folder / ABOUT).is_file():
            return f"it is a recording, which kn.open_recording({self.told!r}).export('tables') makes one of; "
        other = next(self._folder.glob("channel=*/**/*.*"), None)
        if other is not None and other.is_file():
            return f"its files are {other.suffix} (open them with polars), and this reads .parquet; "
        return ""

    def frame(self, channel: str) -> pl.LazyFrame:
        return self._scan(self._files(f"channel={glob.escape(channel)}"))

    def gaps(self) -> pl.LazyFrame | None:
        files = self._files("gaps/channel=*")
        return self._scan(files) if files else None

    def _scan(self, files: list[str]) -> pl.LazyFrame:
        """Return the rows of some files, with what their path below the place says of them."""
        paths = [self._folder / each for each in files]
        empty = next((each for each in paths if not each.stat().st_size), None)
        if empty is not None:
            raise RecordingError(f"{empty} is empty: export the recording into {self.told} again to have it anew.")
        in_path = "=" not in self.told  # else polars would go by the folders above, too
        rows = pl.scan_parquet(
            paths,
            glob=False,
            hive_partitioning=in_path,
            missing_columns="insert",
            extra_columns="ignore",
            include_file_paths=None if in_path else _PATH,
        )
        return rows if in_path else rows.with_columns(channel=_said("channel"), date=_said("date")).drop(_PATH)


class _There:
    """An address."""

    def __init__(self, address: str, options: Mapping[str, Any]) -> None:
        self._system, path = reach(address.rstrip("/"), options, "Reading")
        self._root = path.rstrip("/")
        self.told = told(address)

    def instead(self) -> str:
        return ""

    def channels(self) -> list[str]:
        rows = [each for each in self._files("") if not each.startswith("/gaps/")]
        return sorted({_value_of(each, "channel") for each in rows})

    def frame(self, channel: str) -> pl.LazyFrame:
        return self._scan(self._files(f"/channel={channel}"))

    def gaps(self) -> pl.LazyFrame | None:
        files = self._files("/gaps")
        return self._scan(files) if files else None

    def _scan(self, files: list[str]) -> pl.LazyFrame:
        columns = (
            self._opened(files[0], n_rows=0)
            .with_columns(channel=pl.lit(None, pl.String), date=pl.lit(None, pl.Date))
            .schema
        )
        return register_io_source(partial(self._read, files, columns), schema=columns, is_pure=True)

    def _files(self, below: str) -> list[str]:
        """Return the files below the place, in their order; nothing where there is no such folder."""
        self._system.invalidate_cache()  # somebody may export there at this moment
        try:
            found = self._system.find(f"{self._root}{below}")
        except FileNotFoundError:
            return []
        except Exception as refusal:
            raise RecordingError(f"{self.told} cannot be read: {reason_of(refusal, of_store=True)}.") from refusal
        paths = [str(each).removeprefix(self._root) for each in found]
        return sorted(each for each in paths if each.endswith(".parquet") and "/channel=" in each)

    def _opened(self, file: str, **options: Any) -> pl.DataFrame:
        with self._system.open(f"{self._root}{file}", "rb") as opened:
            return pl.read_parquet(opened, hive_partitioning=False, **options)

    def _read(
        self,
        files: list[str],
        columns: pl.Schema,
        with_columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,
        _batch_size: int | None,
    ) -> Iterator[pl.DataFrame]:
        left = n_rows
        for file in files:
            block = _completed(self._opened(file), columns, _value_of(file, "channel"), _value_of(file, "date"))
            block = block if predicate is None else block.filter(predicate)
            block = block if with_columns is None else block.select(with_columns)
            if left is not None:
                block = block.head(left)
                left -= block.height
            yield block
            if left == 0:
                return


def _said(key: str) -> pl.Expr:
    """Return what the path of a row's file says of a key, that of the lowest folder with it."""
    value = pl.col(_PATH).str.extract(rf"^(?s:.*)[/\\]{key}=([^/\\]*)[/\\]")
    return value.str.to_date() if key == "date" else value


def _value_of(file: str, key: str) -> str:
    """Return what a path below the place says of a key: ``/…/key=value/…``."""
    return file.partition(f"/{key}=")[2].partition("/")[0]


def _completed(block: pl.DataFrame, columns: pl.Schema, channel: str, date: str) -> pl.DataFrame:
    """Return a file's rows with what its path says, and null for what it does not have."""
    known = block.with_columns(channel=pl.lit(channel), date=pl.lit(date).str.to_date())
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in columns.items() if name not in known.columns]
    return known.with_columns(missing).select(list(columns))

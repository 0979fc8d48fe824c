"""Where exported files go: a folder of this computer, or an address that fsspec knows; each whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from kalshi_nb._frames.addresses import address_of, put_whole, reach, told
from kalshi_nb._frames.files import local_path, reason_of
from kalshi_nb.errors import FileError

__all__ = ["Store", "store_at"]

_LIST: Final = ".export.json"
_STAGING: Final = ".staging"


class Store(Protocol):
    """A place for the files of one export, and for the list of them, which lies beside.

    Every method raises `FileError` where the place refuses; what was there before is unchanged then.
    """

    def aside(self, name: str) -> contextlib.AbstractContextManager[Path]:
        """Give a path of this computer to write a file to; nothing of it is left at the end."""
        ...

    def put(self, file: Path, path: str) -> None:
        """Give a finished file its path below the place, so that it is there whole or not at all."""
        ...

    def has(self, path: str) -> bool:
        """Tell whether there was a file at a path below the place when the list was read."""
        ...

    def read_list(self) -> bytes | None:
        """Return what was last written down of what was done; None where nothing was."""
        ...

    def write_list(self, text: bytes) -> None:
        """Write down what was done, in place of what was written before."""
        ...

    def tidy(self) -> None:
        """Remove what exports that broke off left aside."""
        ...


def store_at(out: str, storage_options: Mapping[str, Any] | None = None) -> Store:
    """Return the place that an export is to go to.

    Parameters
    ----------
    out : str
        A folder of this computer, which is made where it is missing, or an address.
    storage_options : mapping, optional
        What fsspec needs to get to an address.

    Raises
    ------
    ConfigurationError
        When it is neither.
    MissingPackageError
        When a package is missing for that kind of address.
    """
    address = address_of(out)
    return _Folder(out) if address is None else _Elsewhere(address, storage_options)


@contextlib.contextmanager
def _refusals(place: str, *, of_store: bool = False) -> Iterator[None]:
    """Raise what a place refuses with as one error that says what to do."""
    try:
        yield
    except Exception as refusal:
        is_refusal = of_store or isinstance(refusal, OSError) or "(os error " in str(refusal)  # as polars tells of it
        reason = reason_of(refusal, of_store=of_store) if is_refusal else None
        if reason is None:
            raise
        raise FileError(
            f"{place} cannot be written: {reason}. What was exported before is unchanged; export again to go on from "
            "there."
        ) from refusal


class _Folder:
    """A folder of this computer; where its path is a link, the folder that this leads to."""

    def __init__(self, out: str) -> None:
        self._root = Path(os.path.realpath(local_path(out)))
        self._staging = self._root.with_name(f"{self._root.name}{_STAGING}")
        self._list = self._root.with_name(f"{self._root.name}{_LIST}")

    @contextlib.contextmanager
    def aside(self, name: str) -> Iterator[Path]:
        path = self._staging / f"{os.getpid()}-{name}"
        with _refusals(str(self._root)):
            self._staging.mkdir(parents=True, exist_ok=True)
            try:
                yield path
            finally:
                path.unlink(missing_ok=True)

    def put(self, file: Path, path: str) -> None:
        final = self._root / path
        with _refusals(str(self._root)):
            final.parent.mkdir(parents=True, exist_ok=True)
            with file.open("rb+") as opened:
                os.fsync(opened.fileno())
            file.replace(final)

    def has(self, path: str) -> bool:
        return (self._root / path).exists()

    def read_list(self) -> bytes | None:
        with _refusals(str(self._root)), contextlib.suppress(FileNotFoundError):
            return self._list.read_bytes()
        return None

    def write_list(self, text: bytes) -> None:
        with _refusals(str(self._root)):
            self._root.mkdir(parents=True, exist_ok=True)
            aside = self._list.with_name(f"{self._list.name}.{os.getpid()}")
            try:
                aside.write_bytes(text)
                aside.replace(self._list)
            finally:
                aside.unlink(missing_ok=True)

    def tidy(self) -> None:
        shutil.rmtree(self._staging, ignore_errors=True)


class _Elsewhere:
    """An address: files are made here and put there."""

    def __init__(self, address: str, storage_options: Mapping[str, Any] | None) -> None:
        self._system, path = reach(address.rstrip("/"), storage_options, "Exporting to")
        self._root = path.rstrip("/")
        beside = self._root if "/" in self._root else f"{self._root}/"  # beside a bucket there are others only
        self._list, self._staging = f"{beside}{_LIST}", f"{beside}{_STAGING}"
        self._told = told(address)
        self._there: set[str] | None = None  # one listing, in place of a question a file

    @contextlib.contextmanager
    def aside(self, name: str) -> Iterator[Path]:
        with _refusals(tempfile.gettempdir()), tempfile.TemporaryDirectory(prefix="kalshi-") as folder:
            yield Path(folder, name)

    def put(self, file: Path, path: str) -> None:
        with _refusals(self._told, of_store=True):
            put_whole(self._system, file, f"{self._root}/{path}", self._staging)

    def has(self, path: str) -> bool:
        if self._there is None:
            with _refusals(self._told, of_store=True), contextlib.suppress(FileNotFoundError):
                self._there = {str(each) for each in self._system.find(self._root)}
        return f"{self._root}/{path}" in (self._there or ())

    def read_list(self) -> bytes | None:
        with _refusals(self._told, of_store=True):
            self._system.invalidate_cache()  # somebody else may have exported since
            self._there = None
            try:
                return bytes(self._system.cat_file(self._list))
            except FileNotFoundError:
                return None

    def write_list(self, text: bytes) -> None:
        with self.aside("list") as file:
            file.write_bytes(text)
            with _refusals(self._told, of_store=True):
                put_whole(self._system, file, self._list, self._staging)

    def tidy(self) -> None:
        with contextlib.suppress(Exception):  # it harms nobody, and who exports next tries again
            if self._system.exists(self._staging):
                self._system.rm(self._staging, recursive=True)

"""Where exported files go: a folder of this computer, or an address that fsspec knows; each whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from kalshi_nb._frames.addresses import address_of, put_whole, reach, told
from kalshi_nb._frames.files import local_path, reason_of
from kalshi_nb._recording.layout import LOCK
from kalshi_nb._recording.lock import FolderLock
from kalshi_nb.errors import FileError, RecordingInUseError

__all__ = ["Store", "store_at"]

_LIST: Final = ".export.json"
_STAGING: Final = ".staging"

_ASIDE: Final = re.compile(r"\d+-.+\.(rows|list|parquet|arrow|csv|ndjson)", re.DOTALL)
"""What a file that waits for its place is called: by the process that makes it."""

_BUSY: Final = "{out} is being exported into by {by}: wait until that is done, or name another place."

_NO_LOCKS: Final = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP})
"""What a file system answers that has no locks."""

_TRIES: Final = 100


class Store(Protocol):
    """A place for the files of one export, and for the list of them, which lies beside.

    Every method raises `FileError` where the place refuses; what was there before is unchanged then.

    Attributes
    ----------
    list_told : str
        Where the list lies, for a message.
    """

    list_told: str

    def held(self) -> contextlib.AbstractContextManager[None]:
        """Hold the place, so that nobody else exports into it; at the end nothing is left aside.

        Raises
        ------
        RecordingInUseError
            When somebody else holds it; of a store that is known of this process alone.
        """
        ...

    def is_untidy(self) -> bool:
        """Whether there is something aside, of an export that broke off; of a store nobody asks."""
        ...

    def aside(self, name: str) -> contextlib.AbstractContextManager[Path]:
        """Give a path of this computer to write a file to; nothing of it is left at the end."""
        ...

    def put(self, file: Path, path: str) -> None:
        """Give a finished file its path below the place, so that it is there whole or not at all."""
        ...

    def has(self, path: str, size: int) -> bool:
        """Tell whether there was a file of so many bytes at a path below the place when the list was read.

        Of which no size is known, 0, it is any that is not empty.
        """
        ...

    def read_list(self) -> bytes | None:
        """Return what was last written down of what was done; None where nothing was."""
        ...

    def write_list(self, text: bytes) -> None:
        """Write down what was done, in place of what was written before."""
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
        self.list_told = str(self._list)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        with _refusals(str(self._root)):
            lock = self._lock()
        try:
            yield
        finally:
            self._tidy(lock)

    def _lock(self) -> FolderLock | None:
        """Hold the folder in which files wait; nothing where there are no locks."""
        if self._staging.is_file():
            raise FileError(
                f"{self._staging} is a file where a folder is needed, in which files wait until they are whole: move "
                f"it, or name another place than {self._root}."
            )
        busy = _BUSY.replace("{out}", str(self._root).replace("{", "{{").replace("}", "}}"))
        for _ in range(_TRIES):
            self._staging.mkdir(parents=True, exist_ok=True)
            try:
                lock = FolderLock(self._staging, busy)
            except FileNotFoundError:  # whoever held it is done, and took it away
                continue
            except OSError as refusal:
                if refusal.errno in _NO_LOCKS:
                    return None
                raise
            if lock.in_place(self._staging):
                return lock
            lock.release()
        raise RecordingInUseError(busy.format(by="others"))

    def _tidy(self, lock: FolderLock | None) -> None:
        with contextlib.suppress(OSError):
            for each in self._staging.iterdir():
                if _ASIDE.fullmatch(each.name):
                    _remove(each)
        if sys.platform == "win32" and lock is not None:
            lock.release()  # nobody removes there what somebody has open
        _remove(self._staging / LOCK)
        with contextlib.suppress(OSError):  # somebody else has something in it
            self._staging.rmdir()
        if lock is not None:
            lock.release()

    def is_untidy(self) -> bool:
        return self._staging.is_dir()

    @contextlib.contextmanager
    def aside(self, name: str) -> Iterator[Path]:
        path = self._staging / f"{os.getpid()}-{name}"
        with _refusals(str(self._root)):
            self._staging.mkdir(parents=True, exist_ok=True)
            try:
                yield path
            finally:
                path.unlink(missing_ok=True)
                with contextlib.suppress(OSError):  # where it is held it is not empty
                    self._staging.rmdir()

    def put(self, file: Path, path: str) -> None:
        final = self._root / path
        with _refusals(str(self._root)):
            final.parent.mkdir(parents=True, exist_ok=True)
            with file.open("rb+") as opened:
                os.fsync(opened.fileno())
            file.replace(final)

    def has(self, path: str, size: int) -> bool:
        try:
            found = (self._root / path).stat().st_size
        except OSError:
            return False
        return found == size if size else found > 0

    def read_list(self) -> bytes | None:
        with _refusals(str(self._root)), contextlib.suppress(FileNotFoundError):
            return self._list.read_bytes()
        return None

    def write_list(self, text: bytes) -> None:
        with _refusals(str(self._root)):
            self._root.mkdir(parents=True, exist_ok=True)
            with self.aside("export.list") as aside, aside.open("wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
                file.close()
                aside.replace(self._list)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


_held: set[tuple[int, Any, str]] = set()
"""The stores that this process exports into."""
_holding = threading.Lock()


class _Elsewhere:
    """An address: files are made here and put there."""

    def __init__(self, address: str, storage_options: Mapping[str, Any] | None) -> None:
        self._system, path = reach(address.rstrip("/"), storage_options, "Exporting to")
        self._root = path.rstrip("/")
        beside = self._root if "/" in self._root else f"{self._root}/"  # beside a bucket there are others only
        self._list, self._staging = f"{beside}{_LIST}", f"{beside}{_STAGING}"
        self._told, self.list_told = told(address), told(f"{address.rstrip('/')}{self._list[len(self._root) :]}")
        self._there: dict[str, int | None] | None = None  # one listing, in place of a question a file

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        this = (os.getpid(), self._system, self._root)
        with _holding:
            if this in _held:
                raise RecordingInUseError(_BUSY.format(out=self._told, by="this process"))
            _held.add(this)
        try:
            yield
        finally:
            with contextlib.suppress(Exception):  # it harms nobody, and who exports next tries again
                self._tidy()
            with _holding:
                _held.discard(this)

    def _tidy(self) -> None:
        # File by file: fsspec takes what it is to remove with all that is in it for a pattern.
        for each in self._system.find(self._staging):
            self._system.rm_file(each)
        if self._system.exists(self._staging):
            self._system.rmdir(self._staging)

    def is_untidy(self) -> bool:
        return False

    @contextlib.contextmanager
    def aside(self, name: str) -> Iterator[Path]:
        with _refusals(tempfile.gettempdir()), tempfile.TemporaryDirectory(prefix="kalshi-") as folder:
            yield Path(folder, name)

    def put(self, file: Path, path: str) -> None:
        with _refusals(self._told, of_store=True):
            put_whole(self._system, file, f"{self._root}/{path}", self._staging)

    def has(self, path: str, size: int) -> bool:
        if self._there is None:
            with _refusals(self._told, of_store=True), contextlib.suppress(FileNotFoundError):
                found = self._system.find(self._root, detail=True)
                self._there = {str(each): about.get("size") for each, about in found.items()}
        there, name = self._there or {}, f"{self._root}/{path}"
        if name not in there:
            return False
        found = there[name]  # a store may not say it
        return found is None or (found == size if size else found > 0)

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

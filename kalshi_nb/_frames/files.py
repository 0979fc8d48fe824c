"""Frames to files, whole or not at all, and to the libraries that a user may or may not have."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shutil
import tempfile
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.request import url2pathname

from kalshi_nb._frames.addresses import address_of, put_whole, reach, told
from kalshi_nb._redaction import has_bytes, printable
from kalshi_nb.errors import ConfigurationError, FileError, KalshiError, MissingPackageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["local_path", "reason_of", "require", "whole_file"]

_FILE: Final = re.compile(r"file:/", re.IGNORECASE)

_SYSTEM: Final = re.compile(r"\(os error (\d+)\)")
"""How polars tells of an error of the system."""

_MOST_TOLD: Final = 200
"""Characters of a path in a message."""

_FOLDERS: Final = ("partition_by",)
"""Options of polars by which it writes a folder of files."""


def require(*packages: str, doing: str, extra: str | None = None) -> None:
    """Refuse `doing` unless all of `packages` can be imported; `extra` of the kit's is what has them, where one is.

    Raises
    ------
    MissingPackageError
        Naming the packages that are missing and the command that installs them.
    """
    missing = [each for each in packages if not _is_installed(each)]
    if missing:
        wanted = " ".join(missing) if extra is None else f"'kalshi-nb[{extra}]'"
        raise MissingPackageError(
            f"{doing} needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not "
            f"installed. Run: pip install {wanted}"
        )


def _is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ValueError:  # somebody put a stand-in without a spec, or None, among the loaded modules
        return False


@contextmanager
def whole_file(
    path: str | os.PathLike[str], options: dict[str, Any] | None = None
) -> Iterator[tuple[Path, Path | str]]:
    """Give a temporary name to write to and the final one, whose file the written one becomes at the end.

    ``~`` is expanded, missing folders are made, a link is followed and stays one, and the new file has the
    permissions of the one that it replaces. When the writing fails, what was at `path` before is still there and
    nothing else is. Where `path` is an address, ``storage_options`` are taken out of the options, and are fsspec's.

    Parameters
    ----------
    path : str or path
        Where to: a file of this computer, or an address that fsspec knows.
    options : dict, optional
        What else the writer is told, by name.

    Raises
    ------
    ConfigurationError
        When `path` is none, or the options would make a folder of it.
    MissingPackageError
        When a package is missing for that kind of address.
    FileError
        When the system, or the store, refuses.
    """
    options = {} if options is None else options
    for each in options:
        if each in _FOLDERS:
            raise ConfigurationError(f"{each}= makes a folder of files; write that with .df, a polars DataFrame.")
    address = address_of(path)
    if address is None:
        with _whole_here(local_path(path)) as found:
            yield found
    else:
        with _whole_there(address, options.pop("storage_options", None)) as part:
            yield part, address


@contextmanager
def _whole_there(address: str, storage_options: dict[str, Any] | None) -> Iterator[Path]:
    """Give a temporary file of this computer, which is put to an address at the end."""
    system, path = reach(address, storage_options, "Writing to")
    if address.endswith("/") or not path.strip("/"):
        raise ConfigurationError(f"{told(address)} is a folder: name a file in it.")
    with tempfile.TemporaryDirectory(prefix="kalshi-") as folder:
        part, is_written = Path(folder, "rows"), False
        try:
            yield part
            is_written = True
            put_whole(system, part, path)
        except Exception as refusal:
            reason = reason_of(refusal, of_store=is_written)
            if reason is None:
                raise
            raise FileError(
                f"{told(address)} cannot be written: {reason}. What was there before is unchanged."
            ) from refusal


@contextmanager
def _whole_here(final: Path) -> Iterator[tuple[Path, Path]]:
    made: list[Path] = []
    part = None
    try:
        target = Path(os.path.realpath(final)) if final.is_symlink() else final
        _check_target(target)
        _make_folders(target.parent, made)
        part = target.with_name(f".kalshi-{uuid.uuid4().hex}.part")  # no longer than the longest name there may be
        yield part, final
        if target.exists():
            shutil.copymode(target, part)
        part.replace(target)
        made.clear()  # they are needed now
    except Exception as refusal:
        reason = reason_of(refusal)
        if reason is None:
            raise
        raise FileError(
            f"{_told(final)} cannot be written: {reason}. What was there before is unchanged."
        ) from refusal
    finally:
        for remove in [*([part.unlink] if part is not None else []), *(each.rmdir for each in reversed(made))]:
            with contextlib.suppress(OSError):  # it is not there, or somebody put something into it meanwhile
                remove()


def local_path(path: str | os.PathLike[str]) -> Path:
    """Return a path of this computer.

    Raises
    ------
    ConfigurationError
        When it is none.
    """
    try:
        text = os.fspath(path)
    except TypeError:
        text = None
    if not isinstance(text, str) or "\0" in text or not has_bytes(text):
        raise ConfigurationError(
            f"A file's name is text or a path, not {_shown(path)}; to write to something else, use .df, a polars "
            "DataFrame, such as .df.write_csv(buffer)."
        )
    scheme = _FILE.match(text)
    if scheme is None:
        try:
            return Path(text).expanduser()
        except RuntimeError as refusal:  # ~somebody, whom this computer does not know
            raise ConfigurationError(f"{_told(text)}: {refusal}") from None
    address = text[scheme.end() - 1 :]
    host, name = "", address
    if address.startswith("//"):
        host, _, name = address[2:].partition("/")
        name = f"/{name}"
    if host not in ("", "localhost"):
        raise ConfigurationError(
            f"{_told(text)} names a file of the computer {_told(host)!r}; a file of this one begins with file:///."
        )
    return Path(url2pathname(name))


def reason_of(refusal: Exception, *, of_store: bool = False) -> str | None:
    """Return the words of whoever refused; None where it is no refusal but a fault, or has said all already.

    Parameters
    ----------
    refusal : Exception
        What was raised.
    of_store : bool
        Whether it may be a store's, each of which has errors of its own.
    """
    if isinstance(refusal, KalshiError):
        return None
    if isinstance(refusal, OSError):
        return refusal.strerror or str(refusal)
    found = _SYSTEM.search(str(refusal))  # polars may say so in an error of its own
    if found is not None:
        return os.strerror(int(found[1]))
    of_writer = of_store or isinstance(refusal, ValueError) or type(refusal).__module__.startswith("polars")
    text = str(refusal).partition("\n")[0][:_MOST_TOLD].rstrip(".") or type(refusal).__name__
    return printable(text) if of_writer else None


def _shown(path: object) -> str:
    if not isinstance(path, str | os.PathLike):
        return f"a {type(path).__name__}"
    return "a name with a zero byte, or half a character, in it"


def _told(path: str | os.PathLike[str]) -> str:
    """Return a path as a message has it: no control characters, and of a very long one both ends."""
    text = printable(os.fspath(path))
    return text if len(text) <= _MOST_TOLD else f"{text[: _MOST_TOLD // 2]}…{text[-_MOST_TOLD // 2 :]}"


def _check_target(target: Path) -> None:
    if target.is_dir():
        raise ConfigurationError(f"{_told(target)} is a folder: name a file in it.")
    if target.exists() and not target.is_file():
        raise ConfigurationError(
            f"{_told(target)} is no ordinary file, and would be replaced by one; to write into it, use .df, a polars "
            "DataFrame, such as .df.write_csv(…)."
        )


def _make_folders(folder: Path, made: list[Path]) -> None:
    """Make a folder and those above it that are missing; put those that were made into `made`, the highest first."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        try:
            each.mkdir()
        except FileExistsError:
            if not each.is_dir():
                raise
        else:
            made.append(each)

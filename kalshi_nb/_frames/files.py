"""Frames to files, whole or not at all, and to the libraries that a user may or may not have."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shutil
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.request import url2pathname

from kalshi_nb.errors import ConfigurationError, FileError, MissingPackageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["require", "whole_file"]

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")
"""What an address begins with, also where a `Path` made one slash of two; one letter alone is a drive of Windows."""

_SYSTEM: Final = re.compile(r"\(os error (\d+)\)")
"""How polars tells of an error of the system."""

_FOLDERS: Final = ("partition_by",)
"""Options of polars by which it writes a folder of files."""


def require(*packages: str, doing: str) -> None:
    """Refuse `doing` unless all of `packages` can be imported.

    Raises
    ------
    MissingPackageError
        Naming the packages that are missing and the command that installs them.
    """
    missing = [each for each in packages if not _is_installed(each)]
    if missing:
        raise MissingPackageError(
            f"{doing} needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not "
            f"installed. Run: pip install {' '.join(missing)}"
        )


def _is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ValueError:  # somebody put a stand-in without a spec, or None, among the loaded modules
        return False


@contextmanager
def whole_file(path: str | os.PathLike[str], options: Iterable[str] = ()) -> Iterator[tuple[Path, Path]]:
    """Give a temporary name to write to and the final one, whose file the written one becomes at the end.

    ``~`` is expanded, missing folders are made, a link is followed and stays one, and the new file has the
    permissions of the one that it replaces. When the writing fails, what was at `path` before is still there and
    nothing else is.

    Parameters
    ----------
    path : str or path
        Where to.
    options : iterable of str
        What else the writer is told, by name.

    Raises
    ------
    ConfigurationError
        When `path` is no file of this computer, or the options would make a folder of it.
    FileError
        When the system refuses.
    """
    final = _local(path)
    for each in options:
        if each in _FOLDERS:
            raise ConfigurationError(f"{each}= makes a folder of files; write that with .df, a polars DataFrame.")
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
        reason = _reason(refusal)
        if reason is None:
            raise
        raise FileError(f"{final} cannot be written: {reason}. What was there before is unchanged.") from refusal
    finally:
        for remove in [*([part.unlink] if part is not None else []), *(each.rmdir for each in reversed(made))]:
            with contextlib.suppress(OSError):  # it is not there, or somebody put something into it meanwhile
                remove()


def _local(path: str | os.PathLike[str]) -> Path:
    """Return a path of this computer."""
    try:
        text = os.fspath(path)
    except TypeError:
        text = None
    if not isinstance(text, str) or "\0" in text:
        raise ConfigurationError(
            f"A file's name is text or a path, not {_shown(path)}; to write to something else, use .df, a polars "
            "DataFrame, such as .df.write_csv(buffer)."
        )
    scheme = _SCHEME.match(text)
    if scheme is None:
        try:
            return Path(text).expanduser()
        except RuntimeError as refusal:  # ~somebody, whom this computer does not know
            raise ConfigurationError(f"{text}: {refusal}") from None
    if scheme[1].lower() != "file":
        raise ConfigurationError(
            f"{text} is not on this computer, and only such files are written so far; nothing was written. Write a "
            "file here and copy it, or use .df, a polars DataFrame."
        )
    address = text[scheme.end() - 1 :]
    host, name = "", address
    if address.startswith("//"):
        host, _, name = address[2:].partition("/")
        name = f"/{name}"
    if host not in ("", "localhost"):
        raise ConfigurationError(
            f"{text} names a file of the computer {host!r}; a file of this one begins with file:///."
        )
    return Path(url2pathname(name))


def _reason(refusal: Exception) -> str | None:
    """Return the system's own words where it was the system that refused; polars may say so in an error of its own."""
    if isinstance(refusal, OSError):
        return None if isinstance(refusal, FileError) else refusal.strerror or str(refusal)
    found = _SYSTEM.search(str(refusal))
    return None if found is None else os.strerror(int(found[1]))


def _shown(path: object) -> str:
    return "a name with a zero byte in it" if isinstance(path, str) else f"a {type(path).__name__}"


def _check_target(target: Path) -> None:
    if target.is_dir():
        raise ConfigurationError(f"{target} is a folder: name a file in it.")
    if target.exists() and not target.is_file():
        raise ConfigurationError(
            f"{target} is no ordinary file, and would be replaced by one; to write into it, use .df, a polars "
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

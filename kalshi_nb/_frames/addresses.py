"""Files elsewhere, at addresses that fsspec knows (``s3://…``, ``gs://…``, ``memory://…``): named, reached, put whole.

A store may show a half-written file, or the last half of one that broke off. So a file is made here, put there under
a name that nobody reads, and moved from that to its own.
"""

from __future__ import annotations

import contextlib
import os
import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from kalshi_nb._redaction import masked, printable
from kalshi_nb.errors import ConfigurationError, MissingPackageError

__all__ = ["address_of", "put_whole", "reach", "told"]

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/(/?)")
"""What an address begins with, also where a `Path` made one slash of two; one letter alone is a drive of Windows."""

_BUCKETS: Final = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oci", "oss", "obs", "cos", "r2"})
"""Stores without folders, where to make one above a file would make a bucket of a slip of the pen."""

_PATTERN: Final = re.compile(r"[*?\[\]]")

_READ_ONLY: Final = frozenset({"http", "https"})

_MOST_TOLD: Final = 200


def address_of(path: object) -> str | None:
    """Return the address that a path is; None where it is one of this computer, ``file:///…`` too."""
    text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else None
    found = _SCHEME.match(text) if isinstance(text, str) else None
    if found is None or not isinstance(text, str) or found[1].lower() == "file":
        return None
    return text if found[2] else f"{found[1]}://{text[found.end() :]}"


def told(address: str) -> str:
    """Return an address as a message has it: without a password, and of a very long one both ends."""
    text = printable(masked(address))
    return text if len(text) <= _MOST_TOLD else f"{text[: _MOST_TOLD // 2]}…{text[-_MOST_TOLD // 2 :]}"


def reach(address: str, options: Mapping[str, Any] | None, doing: str) -> tuple[Any, str]:
    """Return the file system of an address, and the path in it.

    Parameters
    ----------
    address : str
        Such as ``s3://bucket/night``.
    options : mapping, optional
        What fsspec needs to get there, such as ``key`` and ``secret``.
    doing : str
        What it is wanted for, as the beginning of a sentence.

    Raises
    ------
    MissingPackageError
        When fsspec, or what it needs for that kind of address, is not installed.
    ConfigurationError
        When nobody knows that kind of address, or not these options.
    """
    try:
        from fsspec.core import url_to_fs  # noqa: PLC0415  # a tenth of a second, and most files are here
    except ImportError as missing:
        raise MissingPackageError(
            f"{doing} {told(address)} needs fsspec, which is not installed. Run: pip install 'kalshi-nb[remote]'"
        ) from missing
    try:
        system, path = url_to_fs(address, **(options or {}))
    except ImportError as missing:
        hint = " Run: pip install 'kalshi-nb[s3]'" if address.lower().startswith("s3") else ""
        raise MissingPackageError(
            f"{doing} {told(address)} needs a package that is not installed: {printable(str(missing))}.{hint}"
        ) from missing
    except Exception as refusal:
        raise ConfigurationError(
            f"{told(address)} cannot be reached: {printable(str(refusal).partition(chr(10))[0])}. fsspec knows "
            "addresses such as s3://bucket/night and memory://night, and takes the options of that kind alone."
        ) from refusal
    return system, str(path)


def _kinds(system: Any) -> set[str]:
    return {system.protocol} if isinstance(system.protocol, str) else set(system.protocol)


def _move(system: Any, path: str, to: str) -> None:
    if _PATTERN.search(path) is None:
        system.mv(path, to)
    else:  # fsspec would take it for a pattern, of which nothing, or more than this, is there
        system.cp_file(path, to)
        system.rm_file(path)


def put_whole(system: Any, file: Path, path: str, aside: str | None = None) -> None:
    """Put a file of this computer into a file system, where it is whole or not there at all.

    Parameters
    ----------
    system : fsspec.AbstractFileSystem
        Where.
    file : Path
        What.
    path : str
        What it is called there.
    aside : str, optional
        The folder there in which it waits for its name; beside that where it is left out.

    Raises
    ------
    ConfigurationError
        When nothing can be written there.
    Exception
        Whatever the system says. What was at `path` is unchanged then, and nothing else is left.
    """
    folder, _, _ = path.rpartition("/")
    waiting = f"{aside if aside is not None else folder}/.kalshi-{uuid.uuid4().hex}.part"
    if _kinds(system) & _READ_ONLY:
        raise ConfigurationError("A page of the web can only be read: write to a store, such as s3://bucket/night.")
    try:
        if not _kinds(system) & _BUCKETS:
            for each in {folder, waiting.rpartition("/")[0]} - {""}:
                system.makedirs(each, exist_ok=True)
        system.put_file(str(file), waiting)
        _move(system, waiting, path)
    except BaseException:
        with contextlib.suppress(Exception):  # it never came to be, or went with the way there
            system.rm_file(waiting)
        raise

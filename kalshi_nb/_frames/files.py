"""Frames to files, whole or not at all, and to the libraries that a user may or may not have."""

from __future__ import annotations

import importlib.util
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kalshi_nb.errors import ConfigurationError, MissingPackageError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["require", "whole_file"]


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
def whole_file(path: str | Path) -> Iterator[tuple[Path, Path]]:
    """Give a temporary name to write to and the final one, which it gets at the end.

    ``~`` is expanded and missing folders are made. When the writing fails, what was at `path` before is
    still there and nothing else is.

    Raises
    ------
    ConfigurationError
        When `path` is a folder.
    """
    final = Path(path).expanduser()
    if final.is_dir():
        raise ConfigurationError(f"{final} is a folder: name a file in it.")
    final.parent.mkdir(parents=True, exist_ok=True)
    part = final.with_name(f".{final.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        yield part, final
        part.replace(final)
    finally:
        part.unlink(missing_ok=True)

"""What is set outside of any call: by the environment, and where that says nothing, by a ``.env`` file.

The file is looked for where python-dotenv looks, in the working directory and above it, but no higher than the project
it belongs to, or one's home: a file that somebody else put further up must not say whom to trust. It never goes before
the environment, and nothing of it gets into ``os.environ``, where every child process would inherit it.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kalshi_nb import _key_files
from kalshi_nb._private_keys import decoded
from kalshi_nb._redaction import Secret

__all__ = ["ENVIRONMENT_VARIABLE", "KEY_ID_VARIABLES", "KEY_PATH_VARIABLE", "KEY_VARIABLE", "Setting", "Settings"]

ENVIRONMENT_VARIABLE: Final = "KALSHI_ENV"
KEY_ID_VARIABLES: Final = ("KALSHI_API_KEY_ID", "KALSHI_KEY_ID")
KEY_PATH_VARIABLE: Final = "KALSHI_PRIVATE_KEY_PATH"
KEY_VARIABLE: Final = "KALSHI_PRIVATE_KEY"

_NAME: Final = ".env"
_PROJECT: Final = (".git", ".hg", "pyproject.toml", "setup.py", "requirements.txt")
_PATIENCE: Final = 2.0
_LONGEST_PATH: Final = 400


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that is set.

    Attributes
    ----------
    value : Secret
        Holds its text.
    origin : str
        The variable's name, and the file where it stands in one.
    """

    value: Secret
    origin: str


class Settings:
    """The environment, and a ``.env`` file that is looked for once and read afresh for every question.

    Parameters
    ----------
    environ : mapping, optional
        Alone, without any file, instead of ``os.environ``.
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ
        self._takes_file = environ is None
        self._looked = False
        self._path: Path | None = None
        self._trouble = ""

    def find(self, *names: str) -> Setting | None:
        """Return the first of some variables that has a value, None where none has.

        What the environment says of any of them goes before what the file says.
        """
        for name in names:
            if self._environ.get(name):
                return Setting(Secret(self._environ[name]), name)
        values = self._values().reveal()
        for name in names:
            if values.get(name):
                return Setting(Secret(self._at_its_folder(name, Secret(values[name]))), f"{name} in {self._path}")
        return None

    def looked_in(self) -> str:
        """Say where was looked, for whoever finds nothing there."""
        if not self._takes_file:
            return "in the environment"
        path = self._file()
        if path is None:
            return "in the environment, and for a .env file in the working directory and its project: there is none"
        return f"in the environment and in {path}{self._trouble}"

    def _file(self) -> Path | None:
        if self._takes_file and not self._looked:
            self._path = _nearest()
            self._looked = True
        return self._path

    def _values(self) -> Secret:
        path = self._file()
        if path is None:
            return Secret({})
        try:
            content = _key_files.read(path, _PATIENCE)
        except TimeoutError:
            self._trouble = f", which did not answer within {_PATIENCE:g} s"
        except OSError as refusal:
            self._trouble = f", which cannot be read ({refusal.strerror or type(refusal).__name__})"
        else:
            self._trouble = ""
            return _parsed(content)
        return Secret({})

    def _at_its_folder(self, name: str, value: Secret) -> str:
        """Return a path that is relative as one beside the file it is named in, where there is one."""
        text: str = value.reveal()
        if name == KEY_PATH_VARIABLE and self._path is not None and len(text) < _LONGEST_PATH and text.isprintable():
            beside = self._path.parent / text
            if not text.startswith("~") and beside.exists():
                return str(beside)
        return text


def _nearest() -> Path | None:
    """Return the nearest file, from the working directory up to the root of its project or one's home."""
    try:
        here, home = Path.cwd(), Path.home()
    except (OSError, RuntimeError):  # the directory was removed, or nobody is at home
        return None
    upwards = [here, *here.parents]
    roots = [at for at, each in enumerate(upwards) if each == home or any((each / name).exists() for name in _PROJECT)]
    # Where there is no project, only the working directory itself is one's own for sure.
    inside = upwards[: (roots[0] if roots else 0) + 1]
    return next((path for each in inside if (path := each / _NAME).exists() and not path.is_dir()), None)


def _parsed(content: Secret) -> Secret:
    from dotenv import dotenv_values  # noqa: PLC0415  # whoever has an environment needs none of it

    return Secret(dotenv_values(stream=io.StringIO(decoded(content.reveal()))))

"""Compiled modules, where they were built."""

from __future__ import annotations

import importlib
import os
from types import ModuleType
from typing import Final

__all__ = ["NO_EXTENSIONS", "WANTED", "found"]

NO_EXTENSIONS: Final = "KALSHI_NB_NO_EXTENSIONS"
"""The variable of the environment that has everything done in Python, if it is set to anything."""

WANTED: Final = not os.environ.get(NO_EXTENSIONS)
"""Whether they are used where nobody says otherwise."""


def found(name: str) -> ModuleType | None:
    """Return a compiled module, None where it was not built, or not for this interpreter."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None

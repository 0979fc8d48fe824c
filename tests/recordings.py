"""Recorded frames of the real exchange: test input that is no part of the project, and is where its owner says.

Tests that read them carry the marker ``recordings``; ``tests/conftest.py`` skips these where the variable is not set.
"""

import os
from pathlib import Path

VARIABLE = "KALSHI_NB_RECORDINGS"


def folder():
    """The folder that the variable names, or None where it names none; a name of nothing is an error."""
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    found = Path(named)
    if not found.is_dir():
        raise FileNotFoundError(f"{VARIABLE} names {named}, and there is no such folder; unset it, or name another")
    return found

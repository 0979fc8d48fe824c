"""Types of fields that messages of all channels share."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

__all__ = ["LARGEST_INTEGER", "BookSide", "BookSideOrNone", "Integer", "Levels", "Outcome", "OutcomeOrNone"]

LARGEST_INTEGER: Final = 2**53
"""Largest integer that is taken, either way; no real one comes near, and larger ones fit no column."""

Integer = Annotated[int, msgspec.Meta(ge=-LARGEST_INTEGER, le=LARGEST_INTEGER)]
Outcome = Literal["yes", "no"]
BookSide = Literal["bid", "ask"]
OutcomeOrNone = Literal["yes", "no", ""]
BookSideOrNone = Literal["bid", "ask", ""]
Levels = list[tuple[str, str]]

"""Types of fields that messages of all channels share."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from kalshi_nb._rows.words import LONGEST_NAME

__all__ = [
    "LARGEST_INTEGER",
    "LONGEST_TEXT",
    "BookSide",
    "BookSideOrNone",
    "Integer",
    "Levels",
    "Name",
    "Outcome",
    "OutcomeOrNone",
    "ShortText",
    "Text",
]

LONGEST_TEXT: Final = 10_000
"""Characters of the longest text for people that is taken."""

LARGEST_INTEGER: Final = 2**53
"""Largest integer that is taken, either way; no real one comes near, and larger ones fit no column."""

Integer = Annotated[int, msgspec.Meta(ge=-LARGEST_INTEGER, le=LARGEST_INTEGER)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_NAME)]
"""What something is called, by which it is known: an empty one, or one without end, is none."""

ShortText = Annotated[str, msgspec.Meta(max_length=LONGEST_NAME)]
"""The name of something beside, or a word; it may be empty, which is how one that there is not may be written."""

Text = Annotated[str, msgspec.Meta(max_length=LONGEST_TEXT)]
"""What is written for people."""

Outcome = Literal["yes", "no"]
BookSide = Literal["bid", "ask"]
OutcomeOrNone = Literal["yes", "no", ""]
BookSideOrNone = Literal["bid", "ask", ""]
Levels = list[tuple[str, str]]

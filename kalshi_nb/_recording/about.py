"""What a recording says of itself in its folder, beside the segments: ``recording.json``."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, NamedTuple

import msgspec

from kalshi_nb._frames.addresses import address_of, told
from kalshi_nb._recording.backfilled import open_here
from kalshi_nb._recording.layout import ABOUT
from kalshi_nb._recording.marks import FORMAT
from kalshi_nb.errors import NewerRecordingError

__all__ = ["About", "read_about"]


class About(NamedTuple):
    """What it says.

    Attributes
    ----------
    source : str
        The address of the exchange that was recorded; empty where it does not say.
    created : str
        When it was created; likewise.
    damage : str
        Why it cannot be read; empty where it can, and where it is not there.
    """

    source: str = ""
    created: str = ""
    damage: str = ""


class _Said(msgspec.Struct):
    kalshi_nb: int
    source: str = msgspec.field(name="from", default="")
    created: str = ""
    kit: str = ""


class _Format(msgspec.Struct):
    """All that is sure to be there in any later format."""

    kalshi_nb: int


def read_about(folder: str, open_file: Callable[[str], BinaryIO] = open_here) -> About:
    """Return what a recording says of itself; the segments can be read without.

    Parameters
    ----------
    folder : str
        The recording's, or its address.
    open_file : callable
        Opens what is at a path there.

    Raises
    ------
    NewerRecordingError
        When a newer version of the package made it: neither can it be read right, nor may it be recorded into.
    """
    try:
        with open_file(f"{folder or '.'}/{ABOUT}") as file:
            content = file.read()
    except FileNotFoundError:
        return About()  # who copies segments alone loses nothing of them
    except Exception as refusal:  # noqa: BLE001  # a store's, of whatever kind
        return About(damage=f"{ABOUT}: it cannot be opened ({type(refusal).__name__})")
    try:
        number = msgspec.json.decode(content, type=_Format).kalshi_nb
        if number > FORMAT:
            where = folder if address_of(folder) is None else told(folder)
            raise NewerRecordingError(
                f"{where} was recorded by a newer version of kalshi_nb, in format {number}; this version knows up to "
                f"{FORMAT}. Run: pip install --upgrade kalshi-nb"
            )
        said = msgspec.json.decode(content, type=_Said)
        return About(said.source, said.created)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return About(damage=f"{ABOUT}: it cannot be read; no message is in it, and the segments are read without")

"""Bytes for people: one way everywhere, in steps of a thousand, as disks are sold."""

from __future__ import annotations

from typing import Final

__all__ = ["size"]

_STEP: Final = 1_000


def size(count: float, decimals: int = 1) -> str:
    """Return a number of bytes as ``640 bytes``, ``2.6 MB``, ``81.9 GB``.

    Parameters
    ----------
    count : float
        How many bytes.
    decimals : int
        Digits behind the point, of all but bytes.
    """
    if round(count) < _STEP:
        return f"{count:.0f} bytes"
    for unit in ("KB", "MB", "GB"):
        count /= _STEP
        if round(count, decimals) < _STEP:
            return f"{count:.{decimals}f} {unit}"
    return f"{count / _STEP:,.{decimals}f} TB"

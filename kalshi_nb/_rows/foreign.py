"""Text that somebody else wrote, fit to be shown: what a server says goes into errors, warnings, logs and terminals.

A close reason or the body of a refusal may hold escape sequences that set a terminal's colours or its title, marks
that turn the direction of writing round, or a megabyte. Whatever takes such text in makes it plain first, so that
nobody behind has to think of it.
"""

from __future__ import annotations

from typing import Final

__all__ = ["plain_text"]

MOST: Final = 200


def plain_text(text: str, most: int = MOST, *, lines: bool = False) -> str:
    r"""Return `text` with all that is not to be seen as it stands escaped, and cut to `most` characters.

    Parameters
    ----------
    text : str
        What somebody else wrote.
    most : int
        Characters of it to keep.
    lines : bool
        Whether ends of lines and tabs stay as they are.

    Examples
    --------
    >>> plain_text("closed\x1b[31m by \u202ethe exchange")
    'closed\\x1b[31m by \\u202ethe exchange'
    """
    kept = text[:most]
    if not kept.isprintable():
        spared = "\n\t" if lines else ""
        kept = "".join(
            each if each.isprintable() or each in spared else each.encode("unicode_escape").decode() for each in kept
        )
    return kept if len(text) <= most else f"{kept} …"

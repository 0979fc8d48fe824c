# ruff: noqa: INP001  # mkdocstrings loads it by its path
"""Docstrings are written for help() in a terminal; this lets the site read their few marks of reStructuredText."""

from __future__ import annotations

import re
from typing import Any, Final

from griffe import Extension, Object

_ROLE: Final = re.compile(r":(?:py:)?(?:func|class|meth|mod|data|attr|exc):`~?(?:kalshi_nb\.)?([^`]+)`")
_LITERAL: Final = re.compile(r"^::\n|(?<=:):$", re.MULTILINE)
_TABLE: Final = re.compile(r"^( *)=+ +=+.*(?:\n.+)+", re.MULTILINE)
_SESSION: Final = re.compile(r"^( *)>>> .*(?:\n *\S.*)*", re.MULTILINE)
_EXAMPLES: Final = re.compile(r"^Examples\n-+\n", re.MULTILINE)


class Marks(Extension):
    """Makes code of roles, of tables and of sessions amid the text, and lets ``::`` be one colon."""

    def on_object(self, *, obj: Object, **_context: Any) -> None:
        """Look at one docstring."""
        if obj.docstring is not None:
            text = _LITERAL.sub("", _ROLE.sub(r"`\1`", obj.docstring.value))
            # What stands below "Examples" is known to be a session by itself.
            before, *examples = _EXAMPLES.split(text, maxsplit=1)
            before = _SESSION.sub(_fenced("pycon"), _TABLE.sub(_fenced("text"), before))
            obj.docstring.value = "Examples\n--------\n".join([before, *examples])


def _fenced(kind: str) -> Any:
    """Return what puts a fence around what is found, as far to the right as that stands."""
    return lambda found: f"{found[1]}```{kind}\n{found[0]}\n{found[1]}```"

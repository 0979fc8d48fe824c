# ruff: noqa: INP001  # mkdocstrings loads it by its path
"""Docstrings are written for help() in a terminal; this lets the site read their few marks of reStructuredText."""

from __future__ import annotations

import re
from typing import Any, Final

from griffe import Extension, Object

_ROLE: Final = re.compile(r":(?:py:)?(?:func|class|meth|mod|data|attr|exc):`~?(?:kalshi_nb\.)?([^`]+)`")
_LITERAL: Final = re.compile(r"::$", re.MULTILINE)


class Marks(Extension):
    """Turns ``:func:`x``` into code, and a paragraph that ends with two colons into one that ends with one."""

    def on_object(self, *, obj: Object, **_context: Any) -> None:
        """Look at one docstring."""
        if obj.docstring is not None:
            obj.docstring.value = _LITERAL.sub(":", _ROLE.sub(r"`\1`", obj.docstring.value)).lstrip(":\n")

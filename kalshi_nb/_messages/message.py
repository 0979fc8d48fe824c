"""What all typed messages have in common: who takes one for the JSON that it was made of is told what to write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

import msgspec

from kalshi_nb._foreign_names import elsewhere
from kalshi_nb._usage import meant
from kalshi_nb.errors import NoSuchAttributeError, UsageError

__all__ = ["TypedMessage"]

_SUFFIXES: Final = ("_dollars", "_fp", "_ms")
"""What the names of fields end in on the wire, where numbers are texts."""


class TypedMessage(msgspec.Struct, frozen=True):
    """A message of the exchange's: numbers, times and texts, by name."""

    if not TYPE_CHECKING:  # to a type checker no name is there but those that are

        def __getattr__(self, name: str) -> NoReturn:
            kind, fields = type(self).__name__, self.__struct_fields__
            if name.startswith("_"):
                raise AttributeError(f"{kind!r} object has no attribute {name!r}")
            raise NoSuchAttributeError(f"{_a(kind)} has no {name!r}{_instead(kind, name, fields)}")

        def __getitem__(self, name: object) -> NoReturn:
            kind, fields = type(self).__name__, self.__struct_fields__
            told = "; its fields are attributes."
            if isinstance(name, str):
                told = f": write .{name}." if name in fields else _instead(kind, name, fields)
            raise UsageError(f"{_a(kind)} is no dictionary{told}")


def _a(kind: str) -> str:
    return f"A{'n' if kind[0] in 'AEIOU' else ''} {kind}"


def _instead(kind: str, name: str, fields: tuple[str, ...]) -> str:
    """Return the end of a sentence that says what to write in place of a name."""
    bare = next((name.removesuffix(each) for each in _SUFFIXES if name.removesuffix(each) in fields), None)
    if bare is not None:
        return f": what the exchange calls so is .{bare} here, as it is in frames."
    instead = elsewhere(kind, name) or elsewhere("message", name)
    return f": {instead}." if instead else f".{meant(name, fields)}"

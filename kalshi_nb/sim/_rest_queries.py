"""What clients ask over REST: parameters, pages and cursors, and the exchange's answers to wrong ones."""

from __future__ import annotations

import base64
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from kalshi_nb.sim._authenticate import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FAR_US", "NotAnswered", "Query", "cursor_of", "key_of", "not_found"]

FAR_US: Final = 1 << 62
_SECOND: Final = 1_000_000


class NotAnswered(Exception):  # noqa: N818  # never leaves the exchange: a client gets its verdict
    """A request that is answered with an error.

    Attributes
    ----------
    verdict : Verdict
        The answer.
    """

    def __init__(self, status: HTTPStatus, found: dict[str, Any]) -> None:
        super().__init__(found)
        self.verdict = Verdict(status, json.dumps(found, separators=(",", ":")))


def not_found(code: str = "not_found") -> NotAnswered:
    """Return what is said of something that does not exist."""
    return NotAnswered(HTTPStatus.NOT_FOUND, {"error": {"code": code, "message": "not found"}})


def _refused(message: str) -> NotAnswered:
    return NotAnswered(HTTPStatus.BAD_REQUEST, {"error": {"code": "invalid_parameters", "message": message}})


class Query:
    """The parameters of one request.

    Parameters
    ----------
    operation : str
        The exchange's name of the request, which some errors repeat: ``"GetMarkets"``.
    text : str
        What stands behind the question mark.
    """

    def __init__(self, operation: str, text: str) -> None:
        self._operation = operation
        self._values = parse_qs(text, keep_blank_values=True)

    def text(self, name: str) -> str:
        """Return a parameter, empty where it is not there."""
        return self._values.get(name, [""])[-1]

    def several(self, name: str) -> list[str]:
        """Return a parameter that may be repeated."""
        return [each for each in self._values.get(name, []) if each]

    def listed(self, name: str) -> set[str] | None:
        """Return what a parameter lists, with commas between; None where it is not there."""
        return set(self.text(name).split(",")) if self.text(name) else None

    def flag(self, name: str) -> bool:
        """Return a parameter that is true or false."""
        return self._one_of(name, "", "false", "true") == "true"

    def number(self, name: str, default: int, most: int, *, least: int = 0) -> int:
        """Return a whole number, the default where none is asked for."""
        text = self.text(name)
        if not text:
            return default
        try:
            value = int(text)
        except ValueError:
            raise self._undecodable(name) from None
        if not least <= value <= most:
            raise self.invalid(name, "lte" if value > most else "gte")
        return value

    def needed(self, name: str) -> int:
        """Return a whole number that has to be there."""
        if not self.text(name):
            raise self.invalid(name, "required")
        return self.number(name, 0, FAR_US)

    def behind_us(self) -> int:
        """Return when that row was at the latest that the page is to follow; far away for the first page."""
        behind = key_of(self.text("cursor"))
        return FAR_US if behind is None else behind[0]

    def times_us(self, what: str) -> tuple[int, int] | None:
        """Return the window ``min_…_ts`` to ``max_…_ts``, both seconds included; None where neither is there."""
        prefix = f"{what}_" if what else ""
        names = (f"min_{prefix}ts", f"max_{prefix}ts")
        if not any(map(self.text, names)):
            return None
        least, most = (self.number(name, -1, FAR_US) for name in names)
        return max(least, 0) * _SECOND, FAR_US if most < 0 else (most + 1) * _SECOND - 1

    def status(self, allowed: Iterable[str]) -> str:
        """Return the one status that is asked for, empty where it is any."""
        text = self.text("status")
        if "," in text:
            raise _refused("only one status filter may be supplied")
        if text and text not in allowed:
            raise _refused("invalid status filter")
        return text

    def choice(self, name: str, *allowed: str) -> str:
        """Return a parameter that is one of some words, or empty."""
        return self._one_of(name, "", *allowed)

    def refuse(self, details: str) -> NotAnswered:
        """Return what is said of parameters that do not go together."""
        found = {"code": "bad_request", "message": "invalid parameters", "details": details}
        return NotAnswered(HTTPStatus.BAD_REQUEST, found)

    def _one_of(self, name: str, *allowed: str) -> str:
        if self.text(name) not in allowed:
            raise self.invalid(name, "oneof")
        return self.text(name)

    def _undecodable(self, name: str) -> NotAnswered:
        details = f"Invalid format for parameter {name}"
        return NotAnswered(
            HTTPStatus.BAD_REQUEST, {"code": "bad_request", "message": "bad request", "details": details}
        )

    def invalid(self, name: str, tag: str) -> NotAnswered:
        """Return what is said of a parameter that is out of bounds, or no such word."""
        field = "".join(part.capitalize() for part in name.split("_"))
        told = (
            f"Parameter validation failed for {self._operation}: Key: '{self._operation}Params.{field}' "
            f"Error:Field validation for '{field}' failed on the '{tag}' tag"
        )
        return NotAnswered(HTTPStatus.BAD_REQUEST, {"msg": told})


def cursor_of(key: tuple[int, str]) -> str:
    """Return the cursor that goes on behind a row: its key, not its number, so that nothing new shifts a walk."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def key_of(cursor: str) -> tuple[int, str] | None:
    """Return behind which row to go on; None, from the beginning, also for a cursor that is none."""
    try:
        bare = cursor.removesuffix("_")  # which no cursor ends with, but for a second name of the same place
        time_us, name = json.loads(base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4)))
    except (ValueError, TypeError):
        return None
    return (time_us, name) if isinstance(time_us, int) and isinstance(name, str) else None

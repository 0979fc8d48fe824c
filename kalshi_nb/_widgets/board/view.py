"""The live board: what it is asked for, its forms, and its widget in the browser."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kalshi_nb._redaction import shown
from kalshi_nb._widgets.assets import bundle
from kalshi_nb._widgets.board.picture import COLUMNS, NUMBERS
from kalshi_nb._widgets.board.presenter import BoardPresenter
from kalshi_nb._widgets.board.text import board_html, board_text
from kalshi_nb._widgets.kinds import KINDS
from kalshi_nb._widgets.options import PRIVATE, Choice, Number, Option, resolved
from kalshi_nb._widgets.view import LiveView, ViewWidget
from kalshi_nb.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from kalshi_nb._widgets.board.picture import BoardPicture
    from kalshi_nb._widgets.sources import FrameSource

__all__ = ["BoardScene", "BoardView", "BoardWidget"]

_MOST_ROWS: Final = 200
"""Rows that change in one message."""

_MOST_WORDS: Final = 200
_MOST_SELECTED: Final = 100


class _Words(NamedTuple):
    """Some text."""

    example: str
    default: str = ""

    def check(self, name: str, value: object) -> str:
        """Return the text."""
        if isinstance(value, str) and len(value) <= _MOST_WORDS:
            return value
        raise ConfigurationError(f"{name}={shown(value)}: give a text such as {self.example!r}.")


class _Several(NamedTuple):
    """Some of a few words, in the order in which they were given."""

    words: tuple[str, ...]
    default: tuple[str, ...]

    def check(self, name: str, value: object) -> tuple[str, ...]:
        """Return the words."""
        given = [value] if isinstance(value, str) else value
        if not isinstance(given, list | tuple) or not given:
            raise ConfigurationError(f"{name}={shown(value)}: give a list of some of {', '.join(self.words)}.")
        checked = [Choice(self.words).check(name, each) for each in given]
        return tuple(dict.fromkeys(checked))


_SORTS: Final = Choice((*COLUMNS, *(f"-{each}" for each in COLUMNS)), "-volume")

OPTIONS: Final[Mapping[str, Option]] = {
    **PRIVATE,
    "columns": _Several(COLUMNS, COLUMNS),
    "filter": _Words("temperature"),
    "limit": Number(1, 10_000, 2_000, True, "a board has so many markets, from", 2_000),
    "series": _Words("KXHIGHNY"),
    "sort": _SORTS,
}
"""What a board takes beside the options of every view."""


class BoardScene:
    """A board with the options that it is shown with.

    Parameters
    ----------
    source : FrameSource
        A frame of tickers.
    options : mapping
        Every option by name, checked.
    """

    kind = "board"

    def __init__(self, source: FrameSource, options: Mapping[str, Any]) -> None:
        self._source = source
        self._presenter = BoardPresenter(
            source, limit=options["limit"], sort=options["sort"], words=options["filter"], series=options["series"]
        )
        self._owed: dict[int, None] = {}
        self._calls: list[Callable[[list[str]], object]] = []
        self.options = options
        self.selected: tuple[str, ...] = ()
        """The markets that a person chose, oldest choice first."""

    @property
    def title(self) -> str:
        """Which markets these are: of a series, or of a frame of tickers."""
        series = self.options["series"]
        return f"Markets of {series}" if series else self._source.title.replace("tickers", "Markets", 1)

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called once when there may be news."""
        self._source.watch(wake)

    @property
    def is_private(self) -> bool:
        """Whether it is known which markets are one's own, and that is to be masked where it would be stored."""
        return not self.options["private"] and self._source.feed.own_markets() is not None

    def take(self) -> BoardPicture:
        """Return the rows of now, as anybody may see them."""
        picture = self.complete()
        return picture if self.options["private"] else self.masked(picture)

    def complete(self) -> BoardPicture:
        """Return the rows of now, with which of them are one's own, as far as that is asked for."""
        picture = self._presenter.picture()
        return self.masked(picture) if self.options["mask"] else picture

    def masked(self, picture: BoardPicture) -> BoardPicture:
        """Return a picture that does not tell which markets are one's own: no row, where all of them are."""
        if picture.is_mine:
            picture = picture._replace(names=(), values=picture.values.clear(), order=-picture.order)
        return picture._replace(mine=None)

    def on_select(self, call: Callable[[list[str]], object]) -> None:
        """Have `call` called with the tickers whenever a person chose others, by the thread that heard of it."""
        self._calls.append(call)

    def body(self, picture: BoardPicture) -> dict[str, Any]:
        """Return what the browser is sent of a picture: texts as they are, numbers as 64-bit floats."""
        minute, sparks = self._presenter.sparks(picture)
        return self._head(picture) | {
            "title": self.title,
            "tickers": [each.ticker for each in picture.names],
            "titles": [each.title for each in picture.names],
            "subtitles": [each.subtitle for each in picture.names],
            "columns": _columns(picture.values),
            "sparks": sparks,
            "minute": minute,
            "sort": picture.sort,
            "filter": picture.filter,
            "selected": list(self.selected),
            "is_mine": picture.is_mine,
            "mine": _sorted(picture.mine),
        }

    def delta(self, before: BoardPicture | None, picture: BoardPicture) -> dict[str, Any] | None:
        """Return the rows that changed, at most 200, longest waiting first; None where a row is another market."""
        if before is None or before.order != picture.order:
            self._owed.clear()
            return None
        for row in _changed(before.values, picture.values):
            self._owed.setdefault(row)
        rows = list(islice(self._owed, _MOST_ROWS))
        for row in rows:
            del self._owed[row]
        if self._owed:
            self._presenter.come_again()
        news: dict[str, Any] = {"rows": _packed(rows), "columns": _columns(picture.values[rows])} if rows else {}
        if picture.mine != before.mine:
            news["mine"] = _sorted(picture.mine)
        return self._head(picture) | news

    def heard(self, words: Mapping[str, Any]) -> None:
        """Take up which markets a person wants to see, and which of them are chosen."""
        sort, filtered, selected = words.get("sort"), words.get("filter"), words.get("select")
        if sort in _SORTS.words and isinstance(filtered, str):
            self._presenter.choose(str(sort), filtered[:_MOST_WORDS], mine=words.get("mine") is True)
        if isinstance(selected, list):
            self.selected = tuple(each for each in selected[:_MOST_SELECTED] if isinstance(each, str))
            for call in list(self._calls):
                try:
                    call(list(self.selected))
                except Exception as error:  # noqa: BLE001  # one's fault is not the others', nor the page's
                    self._source.feed.errors.note(error)

    def text(self, picture: BoardPicture) -> str:
        """Return it as plain text."""
        return board_text(picture, self.title, unit=self.options["unit"])

    def html(self, picture: BoardPicture, note: str = "") -> str:
        """Return it as a table that stands still."""
        return board_html(picture, self.title, unit=self.options["unit"], note=note)

    def _head(self, picture: BoardPicture) -> dict[str, Any]:
        # How long the link has been gone is not known here; the browser counts from when it heard of it.
        return {"clock": picture.clock, "note": picture.note, "order": picture.order, "total": picture.total}


class BoardWidget(ViewWidget):
    """A board in the browser. Made and fed by `BoardView`."""

    _esm = bundle("board").text


class BoardView(LiveView):
    """A live board of many markets."""

    widget_class = BoardWidget
    _scene: BoardScene

    @staticmethod
    def of(source: FrameSource, given: Mapping[str, Any]) -> BoardScene:
        """Return the scene of a board with the options that it was given; the errors are those of `resolved`."""
        options = resolved("A board", OPTIONS, given, KINDS[BoardScene.kind].hz)
        names = [each for each in options["columns"] if each != "market"]
        return BoardScene(source, options | {"columns": ("market", *names)})  # or nobody knew whose a row is

    @property
    def selected(self) -> list[str]:
        """Tickers of the markets that were chosen on a page, by a click or Enter; of the newest choice."""
        return list(self._scene.selected)

    def on_select(self, call: Callable[[list[str]], object]) -> None:
        """Have a function called with the tickers whenever others were chosen.

        Parameters
        ----------
        call : callable
            Given the list of tickers. Where the kernel hears its page only between cells, it is called then; what it
            raises is counted in ``feed.health().warnings``.
        """
        self._scene.on_select(call)


def _sorted(tickers: frozenset[str] | None) -> list[str] | None:
    return None if tickers is None else sorted(tickers)


def _changed(before: pl.DataFrame, after: pl.DataFrame) -> list[int]:
    """Return the rows in which anything differs."""
    if before is after:
        return []
    differs = before[NUMBERS[0]].ne_missing(after[NUMBERS[0]])
    for name in NUMBERS[1:]:
        differs |= before[name].ne_missing(after[name])
    return differs.arg_true().to_list()


def _columns(values: pl.DataFrame) -> dict[str, memoryview]:
    return {name: _packed(values[name].fill_null(float("nan")).to_list()) for name in NUMBERS}


def _packed(numbers: list[Any]) -> memoryview:
    return memoryview(array("d", numbers).tobytes())

"""The live ladder: what it is asked for, its forms, and its widget in the browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from kalshi_nb._widgets.assets import bundle
from kalshi_nb._widgets.kinds import KINDS
from kalshi_nb._widgets.ladder.groups import Group, grouped
from kalshi_nb._widgets.ladder.text import ladder_html, ladder_text
from kalshi_nb._widgets.options import PRIVATE, Choice, Flag, Number, Option, resolved
from kalshi_nb._widgets.view import LiveView, ViewWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from kalshi_nb._widgets.ladder.picture import LadderPicture
    from kalshi_nb._widgets.ladder.presenter import LadderPresenter

__all__ = ["LadderScene", "LadderView", "LadderWidget"]

GRID_ROWS: Final = 21
"""Ticks in sight where every one is shown: as many levels a side, at most, are needed for it."""

_ALL: Final = 10_000
"""More levels a side than there are prices."""

OPTIONS: Final[Mapping[str, Option]] = {
    "grid": Flag(),
    "group": Group(),
    # A market of whole cents has 99 prices, and each level costs a row in every message.
    "levels": Number(1, 100, 10, True, "a ladder has so many levels a side, from", 10),
    "side": Choice(("yes", "no"), "yes"),
    "total": Flag(),
    **PRIVATE,
}
"""What a ladder takes beside the options of every view."""


class LadderScene:
    """A ladder with the options that it is shown with.

    Parameters
    ----------
    presenter : LadderPresenter
        Makes its pictures.
    options : mapping
        Every option by name, checked.
    """

    kind = "ladder"

    def __init__(self, presenter: LadderPresenter, options: Mapping[str, Any]) -> None:
        self._presenter = presenter
        self.options = options

    @property
    def title(self) -> str:
        """The market's ticker."""
        return self._presenter.market_ticker

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called once when there may be news."""
        self._presenter.watch(wake)

    @property
    def is_private(self) -> bool:
        """Whether one's own orders and fills are to be masked where they would be stored."""
        return not self.options["private"]

    def _now(self) -> LadderPicture:
        levels, cents = self.options["levels"], self.options["group"]
        levels = max(levels, GRID_ROWS) if self.options["grid"] else levels
        if cents is None:
            return self._presenter.picture(levels)
        return grouped(self._presenter.picture(_ALL), cents, levels)

    def take(self) -> LadderPicture:
        """Return the levels of now, as anybody may see them."""
        picture = self.complete()
        return self.masked(picture) if self.is_private else picture

    def complete(self) -> LadderPicture:
        """Return the levels of now with what is one's own, as far as it is asked for."""
        picture = self._now()
        return self.masked(picture) if self.options["mask"] else picture

    def masked(self, picture: LadderPicture) -> LadderPicture:
        """Return the levels without one's own orders and fills, which are part of them as everybody sees them."""
        return picture._replace(orders=(), fills=())

    def body(self, picture: LadderPicture) -> dict[str, Any]:
        """Return what the browser is sent of a picture."""
        return picture.body()

    def delta(self, before: LadderPicture, picture: LadderPicture) -> None:
        """Return None: a ladder always travels whole."""

    def heard(self, words: Mapping[str, Any]) -> None:
        """Take up nothing: all that can be done to a ladder is done in the browser."""

    def text(self, picture: LadderPicture) -> str:
        """Return it as plain text."""
        picture = picture.best(self.options["levels"])
        return ladder_text(picture, side=self.options["side"], unit=self.options["unit"])

    def html(self, picture: LadderPicture, note: str = "") -> str:
        """Return it as a table that stands still."""
        picture = picture.best(self.options["levels"])
        return ladder_html(picture, side=self.options["side"], unit=self.options["unit"], note=note)


class LadderWidget(ViewWidget):
    """One market's ladder in the browser. Made and fed by `LadderView`."""

    # As text: given a path, anywidget would watch the file with a thread of its own where it can. The style is in it.
    _esm = bundle("ladder").text


class LadderView(LiveView):
    """A live ladder of one market."""

    widget_class = LadderWidget

    @staticmethod
    def of(presenter: LadderPresenter, given: Mapping[str, Any]) -> LadderScene:
        """Return the scene of a ladder with the options that it was given; the errors are those of `resolved`."""
        return LadderScene(presenter, resolved("A ladder", OPTIONS, given, KINDS[LadderScene.kind].hz))

"""The live tape: what it is asked for, its forms, and its widget in the browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kalshi_nb._redaction import shown
from kalshi_nb._widgets.assets import bundle
from kalshi_nb._widgets.kinds import KINDS
from kalshi_nb._widgets.lists import grown
from kalshi_nb._widgets.options import Choice, Number, Option, resolved
from kalshi_nb._widgets.tape.presenter import TapePresenter
from kalshi_nb._widgets.tape.text import tape_html, tape_text
from kalshi_nb._widgets.view import LiveView, ViewWidget
from kalshi_nb.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kalshi_nb._widgets.sources import FrameSource
    from kalshi_nb._widgets.tape.picture import TapePicture

__all__ = ["TapeScene", "TapeView", "TapeWidget"]

_SIZE: Final = Number(0.01, 1e12, 1000, False, "contracts, from")


class _Large(NamedTuple):
    """A number of contracts, or ``"auto"``."""

    default: str = "auto"

    def check(self, name: str, value: object) -> str | float:
        """Return either."""
        if value == "auto":
            return "auto"
        if isinstance(value, str):
            raise ConfigurationError(f"{name}={shown(value)}: it is 'auto' or a number of contracts; try 1000.")
        return _SIZE.check(name, value)


OPTIONS: Final[Mapping[str, Option]] = {
    "large": _Large(),
    "min_size": Number(0, 1e12, 100, False, "contracts, from", 0),
    # Each is a line in what a page is sent when it opens.
    "rows": Number(1, 1000, 200, True, "a tape keeps so many trades, from", 200),
    "side": Choice(("yes", "no"), "yes"),
}
"""What a tape takes beside the options of every view."""


class TapeScene:
    """A tape with the options that it is shown with.

    Parameters
    ----------
    source : FrameSource
        A frame of trades.
    options : mapping
        Every option by name, checked.
    """

    kind = "tape"

    def __init__(self, source: FrameSource, options: Mapping[str, Any]) -> None:
        large = options["large"]
        self._presenter = TapePresenter(
            source, rows=options["rows"], min_size=options["min_size"], large=None if large == "auto" else large
        )
        self.options = options

    @property
    def title(self) -> str:
        """What it is of."""
        return self._presenter.title

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called once when there may be news."""
        self._presenter.watch(wake)

    def take(self) -> TapePicture:
        """Return the trades of now."""
        return self._presenter.picture()

    def body(self, picture: TapePicture) -> dict[str, Any]:
        """Return what the browser is sent of a picture: all of its lines."""
        market = picture.market
        whole = {"title": picture.title} if market is None else {"market": market._asdict()}
        return picture.head() | whole | {"decimals": dict(picture.decimals), "lines": _sent(picture.lines, picture)}

    def delta(self, before: TapePicture, picture: TapePicture) -> dict[str, Any] | None:
        """Return the new lines, and how many more there are than are sent; None where lines came in between."""
        found = grown(before.lines, picture.lines, picture.changes - before.changes)
        if found is None:
            return None
        sent = picture.head() | found.sent(_sent(found.lines, picture))
        if picture.decimals != before.decimals:
            sent["decimals"] = dict(picture.decimals)
        if picture.market is not None and picture.market != before.market:
            sent["market"] = picture.market._asdict()
        return sent

    def heard(self, words: Mapping[str, Any]) -> None:
        """Take up nothing: all that can be done to a tape is done in the browser."""

    def text(self, picture: TapePicture) -> str:
        """Return it as plain text."""
        return tape_text(picture, side=self.options["side"], unit=self.options["unit"])

    def html(self, picture: TapePicture, note: str = "") -> str:
        """Return it as a table that stands still."""
        return tape_html(picture, side=self.options["side"], unit=self.options["unit"], note=note)


def _sent(lines: Sequence[tuple[Any, ...]], picture: TapePicture) -> list[list[Any]]:
    """Return lines as they travel: without the market where all are of one."""
    end = 8 if picture.market is not None else None
    return [list(line[:end]) for line in lines]


class TapeWidget(ViewWidget):
    """The newest trades in the browser. Made and fed by `TapeView`."""

    # As text: given a path, anywidget would watch the file with a thread of its own where it can. The style is in it.
    _esm = bundle("tape").text


class TapeView(LiveView):
    """A live tape of a frame of trades."""

    widget_class = TapeWidget

    @staticmethod
    def of(source: FrameSource, given: Mapping[str, Any]) -> TapeScene:
        """Return the scene of a tape with the options that it was given; the errors are those of `resolved`."""
        return TapeScene(source, resolved("A tape", OPTIONS, given, KINDS[TapeScene.kind].hz))

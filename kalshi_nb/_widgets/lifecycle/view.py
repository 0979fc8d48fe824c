"""The live list of lifecycle events: what it is asked for, its forms, and its widget in the browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from kalshi_nb._widgets.assets import bundle
from kalshi_nb._widgets.kinds import KINDS
from kalshi_nb._widgets.lifecycle.presenter import LifecyclePresenter
from kalshi_nb._widgets.lifecycle.text import lifecycle_html, lifecycle_text
from kalshi_nb._widgets.lists import grown
from kalshi_nb._widgets.options import Number, Option, resolved
from kalshi_nb._widgets.view import LiveView, ViewWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from kalshi_nb._widgets.lifecycle.picture import LifecyclePicture
    from kalshi_nb._widgets.sources import FrameSource

__all__ = ["LifecycleScene", "LifecycleView", "LifecycleWidget"]

OPTIONS: Final[Mapping[str, Option]] = {
    "rows": Number(1, 1000, 200, True, "the list keeps so many lines, from", 200),
}
"""What the list takes beside the options of every view."""


class LifecycleScene:
    """The list with the options that it is shown with.

    Parameters
    ----------
    source : FrameSource
        A frame of a lifecycle channel.
    options : mapping
        Every option by name, checked.
    """

    kind = "lifecycle"

    def __init__(self, source: FrameSource, options: Mapping[str, Any]) -> None:
        self._presenter = LifecyclePresenter(source, rows=options["rows"])
        self.options = options

    @property
    def title(self) -> str:
        """What it is of."""
        return self._presenter.title

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called once when there may be news."""
        self._presenter.watch(wake)

    def take(self) -> LifecyclePicture:
        """Return the events of now."""
        return self._presenter.picture()

    def body(self, picture: LifecyclePicture) -> dict[str, Any]:
        """Return what the browser is sent of a picture: all of its lines."""
        return picture.head() | {"title": picture.title, "lines": [list(line) for line in picture.lines]}

    def delta(self, before: LifecyclePicture, picture: LifecyclePicture) -> dict[str, Any] | None:
        """Return the lines that are new or changed, and how many more there are; None where all have to be sent."""
        found = grown(before.lines, picture.lines, picture.changes - before.changes)
        return None if found is None else picture.head() | found.sent()

    def heard(self, words: Mapping[str, Any]) -> None:
        """Take up nothing: all that can be done to the list is done in the browser."""

    def text(self, picture: LifecyclePicture) -> str:
        """Return it as plain text."""
        return lifecycle_text(picture)

    def html(self, picture: LifecyclePicture, note: str = "") -> str:
        """Return it as a table that stands still."""
        return lifecycle_html(picture, note=note)


class LifecycleWidget(ViewWidget):
    """The newest events in the browser. Made and fed by `LifecycleView`."""

    # As text: given a path, anywidget would watch the file with a thread of its own where it can. The style is in it.
    _esm = bundle("lifecycle").text


class LifecycleView(LiveView):
    """A live list of what happens to markets and events."""

    widget_class = LifecycleWidget

    @staticmethod
    def of(source: FrameSource, given: Mapping[str, Any]) -> LifecycleScene:
        """Return the scene of the list with the options that it was given; the errors are those of `resolved`."""
        return LifecycleScene(source, resolved("A lifecycle list", OPTIONS, given, KINDS[LifecycleScene.kind].hz))

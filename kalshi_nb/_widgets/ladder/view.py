"""The live ladder: a widget in the browser, and the view that keeps it up to date."""

from __future__ import annotations

import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anywidget
import traitlets

from kalshi_nb._widgets.display import display
from kalshi_nb._widgets.ladder.text import bundle
from kalshi_nb.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kalshi_nb._widgets.display import Display
    from kalshi_nb._widgets.ladder.picture import LadderPicture
    from kalshi_nb._widgets.ladder.presenter import LadderPresenter
    from kalshi_nb._widgets.view_errors import ViewErrors

__all__ = ["LadderView", "LadderWidget"]

HEARTBEAT_SECONDS: Final = 2.0
"""An unchanged ladder is sent again this often; the browser gives one up after three times that."""

MOST_LEVELS: Final = 100
"""A market of whole cents has 99 prices, and each level costs a row in every message."""

_STATIC: Final = Path(__file__).parent.parent / "static"


class LadderWidget(anywidget.AnyWidget):
    """One market's ladder in the browser. Made and fed by `LadderView`.

    Attributes
    ----------
    market_ticker : str
        The market.
    levels : int
        Rows a side, at most.
    picture : dict
        All that changes, in one trait so that it travels in one message: the fields of `LadderPicture` by
        name, ``sent`` (epoch seconds by the kernel's clock) and ``beat`` (counts the messages). Only the
        display thread assigns it once the widget is made.
    """

    # Read once, as text: given paths, anywidget would watch the files with a thread of its own where it can.
    _esm = (_STATIC / "ladder.js").read_text(encoding="utf-8")
    _css = (_STATIC / "ladder.css").read_text(encoding="utf-8")

    market_ticker = traitlets.Unicode().tag(sync=True)
    levels = traitlets.Int(10).tag(sync=True)
    picture = traitlets.Dict().tag(sync=True)

    def close(self) -> None:
        """Close the model and the layout that was made with it, which ipywidgets would keep for ever."""
        if self.comm is not None:
            layout = self.layout
            super().close()
            layout.close()

    def __repr__(self) -> str:
        return f"LadderWidget({self.market_ticker!r}, levels={self.levels})"


class LadderView:
    """A live ladder of one market: makes the widget and keeps it up to date while somebody holds the view.

    The widget is one model, however many cells show it, and costs at most ten messages a second. Dropping the
    view (or `close`) ends the updates and removes the widget from the page. The view holds its presenter, and
    the presenter the ladder; neither holds the book, so that a book that is dropped ends its view at once.

    Parameters
    ----------
    presenter : LadderPresenter
        What to show.
    levels : int
        Rows a side, 1 to 100.
    thread : Display
        The display thread, the process's one unless told.
    errors : ViewErrors, optional
        Counts what it raises.

    Raises
    ------
    ConfigurationError
        If `levels` is out of range.
    """

    def __init__(
        self,
        presenter: LadderPresenter,
        levels: int = 10,
        *,
        thread: Display = display,
        errors: ViewErrors | None = None,
    ) -> None:
        if not 1 <= levels <= MOST_LEVELS:
            raise ConfigurationError(f"A ladder has 1 to {MOST_LEVELS} levels a side, not {levels!r}; ask for 10.")
        self._presenter = presenter
        self._levels = levels
        self._thread = thread
        self._errors = errors
        picture = presenter.picture(levels)
        self.widget = LadderWidget(
            market_ticker=presenter.market_ticker,
            levels=levels,
            picture=_to_json(picture, beat=0),
        )
        self._note_sent(picture)
        self._beat = 0
        # The finalizer may run on any thread, amid anything: it only leaves the widget in a queue.
        self._finalizer = weakref.finalize(self, thread.retire, self.widget)
        self._finalizer.atexit = False
        thread.register(self)

    def __repr__(self) -> str:
        closed = ", closed" if self.is_closed else ""
        return f"LadderView({self._presenter.market_ticker!r}, levels={self._levels}{closed})"

    @property
    def is_closed(self) -> bool:
        """Whether the view was closed, here or by closing its widget."""
        return not self._finalizer.alive

    @property
    def is_live(self) -> bool:
        """Whether the browser can show it: the view is not closed, nor its widget, as ``close_all()`` does."""
        return not self.is_closed and self.widget.comm is not None

    def refresh(self) -> bool:
        """Send the newest picture or, if it is time, a heartbeat. Called on the display thread."""
        if self.is_closed:
            return False
        if self.widget.comm is None:  # ipywidgets.Widget.close_all(), for one
            self.close()
            return False
        picture = self._presenter.picture(self._levels)
        if picture.version == self._sent_version and not self._is_beat_due(picture):
            return False
        self._beat += 1
        self.widget.picture = _to_json(picture, self._beat)
        self._note_sent(picture)
        return True

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called once when there may be news."""
        self._presenter.watch(wake)

    def failed(self, error: BaseException) -> None:
        """Count what was raised. Called on the display thread."""
        if self._errors is not None:
            self._errors.note(error)

    def close(self) -> None:
        """End the updates and take the widget off the page; more than once does nothing."""
        self._thread.unregister(self)
        self._finalizer()

    def mimebundle(self) -> dict[str, Any]:
        """Return what a cell shows: the live widget and, where there is none, a static table or plain text.

        For ``_repr_mimebundle_`` of whatever owns the view.

        Returns
        -------
        dict of str to Any
            Contents by MIME type. A front end takes the first it can show; once the view is closed only the
            static ones are left.
        """
        static = bundle(self._presenter.market_ticker, self._presenter.picture(self._levels))
        if self.is_live:
            self._thread.register(self)  # it may have been stopped meanwhile, or have given this view up
            live = self.widget._repr_mimebundle_()
            if live is not None:
                return live[0] | static
        return static

    def _is_beat_due(self, picture: LadderPicture) -> bool:
        # A closed ladder stays as it is, so that there is nothing to tell a quiet market from.
        return picture.status != "closed" and time.monotonic() - self._sent_at >= HEARTBEAT_SECONDS

    def _note_sent(self, picture: LadderPicture) -> None:
        self._sent_version = picture.version
        self._sent_at = time.monotonic()


def _to_json(picture: LadderPicture, beat: int) -> dict[str, Any]:
    return {**picture._asdict(), "sent": time.time(), "beat": beat}

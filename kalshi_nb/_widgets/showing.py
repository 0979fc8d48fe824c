"""Which view shows which kind of handle, and the views that one handle has."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

from kalshi_nb._widgets.host import host
from kalshi_nb.errors import UsageError

if TYPE_CHECKING:
    from kalshi_nb._widgets.view import LiveView
    from kalshi_nb._widgets.view_errors import ViewErrors

__all__ = ["VIEWS", "Showable", "Views", "show"]

VIEWS: Final = {
    "book": ("kalshi_nb._widgets.ladder.view", "LadderView"),
}
"""The view of each kind of handle: its module, loaded when the first is shown, and its class.

Such a class has ``of(presenter, given)``, which checks the options it was given and returns the view's scene.
"""


@runtime_checkable
class Showable(Protocol):
    """A handle that has a view."""

    def _live_view(self, **options: Any) -> LiveView:
        """Return the view with these options; the same one while it is open."""
        ...


class Views:
    """The views of one handle: one for each set of options, and for each page where a process serves several.

    A cell that is run again gets the view that it had. Where its options were edited, the view that only its earlier
    runs asked for is closed: nothing on the page shows it any more.

    Parameters
    ----------
    kind : str
        The kind of the handle, a key of `VIEWS`.
    errors : ViewErrors, optional
        Counts what they raise.
    """

    def __init__(self, kind: str, *, errors: ViewErrors | None = None) -> None:
        self._kind = kind
        self._errors = errors
        self._views: dict[tuple[Any, ...], LiveView] = {}
        self._runs: dict[tuple[Any, ...], set[tuple[Any, ...] | None]] = {}

    def get(self, presenter: Any, given: dict[str, Any]) -> LiveView:
        """Return the view with these options; a new one where there is none, or it was closed.

        Parameters
        ----------
        presenter : object
            What this kind of view is made of.
        given : dict
            Options by name.

        Raises
        ------
        UsageError, ConfigurationError
            When an option is not known, or its value will not do.
        """
        module, name = VIEWS[self._kind]
        made = getattr(importlib.import_module(module), name)
        scene = made.of(presenter, given)
        key = (host.session(), *sorted(scene.options.items()))
        view = self._views.get(key)
        if view is None or not view.is_live:
            view = self._views[key] = made(scene, errors=self._errors)
        self._note_run(key)
        return view

    def close(self) -> None:
        """Close all of them."""
        self._runs.clear()
        while self._views:
            self._views.popitem()[1].close()

    def _note_run(self, key: tuple[Any, ...]) -> None:
        """Note which run asked for a view, and close those that only earlier runs of its cell did."""
        run = host.run()
        runs = self._runs.setdefault(key, set())
        if run is None or run[0] is None:
            runs.add(None)  # who asked cannot be told from others, and may ask again
            return
        for other, theirs in list(self._runs.items()):
            if other != key and all(each is not None and each[0] == run[0] and each != run for each in theirs):
                del self._runs[other]
                if (left := self._views.pop(other, None)) is not None:
                    left.close()
        runs -= {each for each in runs if each is not None and each[0] == run[0]}
        runs.add(run)


def show(handle: object, **options: Any) -> LiveView:
    """Show a handle in the cell that runs, as a view that moves, and return the view.

    Parameters
    ----------
    handle : Book
        What to show.
    **options
        How: ``levels``, ``side`` (of a ladder); ``unit``, ``theme``, ``palette``, ``timezone``, ``height``, ``hz``,
        ``renderer`` (of any view). What is not given stands as ``kn.options`` has it.

    Returns
    -------
    LiveView
        With ``pause()``, ``resume()``, ``snapshot()``, ``close()`` and ``widget``.

    Raises
    ------
    UsageError
        When there is no view of such a thing, or it has no such option; the nearest is named.
    ConfigurationError
        When a value will not do.
    """
    if isinstance(handle, type) or not isinstance(handle, Showable):
        raise UsageError(
            f"kn.show() has no view of a {type(handle).__name__}; it shows what a feed hands out, such as "
            "feed.book('KXHIGHNY-26NOV22-B52.5')."
        )
    view = handle._live_view(**options)  # noqa: SLF001  # the handles' own part of the protocol
    view.show()
    return view

"""Which view shows which kind of handle, and the views that one handle has."""

from __future__ import annotations

import importlib
import sys
import weakref
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, runtime_checkable

from kalshi_nb._widgets.host import host
from kalshi_nb._widgets.kinds import KINDS
from kalshi_nb._widgets.options import COMMON, Choice
from kalshi_nb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kalshi_nb._frames.reading import FrameReading
    from kalshi_nb._widgets.view import LiveView
    from kalshi_nb._widgets.view_errors import ViewErrors

__all__ = ["Showable", "Views", "displayed", "show", "view_of_a_pipeline"]

Kind = TypeVar("Kind")


@runtime_checkable
class Showable(Protocol):
    """A handle that has a view."""

    def _live_view(self, **options: Any) -> LiveView:
        """Return the view with these options; the same one while it is open."""
        ...


@runtime_checkable
class ShowableWithOthers(Showable, Protocol):
    """A handle that can be shown in one view with others like it."""

    def _view_with(self, others: Sequence[object], options: dict[str, Any]) -> LiveView:
        """Return the view of it and of others, in their order; the same one while it is open."""
        ...


_PIPELINE_VIEWS: Final[weakref.WeakKeyDictionary[FrameReading, Views]] = weakref.WeakKeyDictionary()
"""The views of frames of pipelines, which have none of their own; a view ends with its frame."""

_SHOWN_BY: Final[weakref.WeakKeyDictionary[FrameReading, dict[Any, tuple[Any, ...]]]] = weakref.WeakKeyDictionary()
"""Which cells show such a frame, each with the run that did so last."""


class Views:
    """The views of one handle: one for each set of options, and for each page where a process serves several.

    A cell that is run again gets the view that it had. Where its options were edited, the view that only its earlier
    runs asked for is closed: nothing on the page shows it any more.

    Parameters
    ----------
    kinds : tuple of str
        The kinds of views that can show the handle, keys of `KINDS`; the first does where no other is asked for.
    errors : ViewErrors, optional
        Counts what they raise.

    Attributes
    ----------
    errors : ViewErrors or None
        The same.
    """

    def __init__(self, kinds: tuple[str, ...], *, errors: ViewErrors | None = None) -> None:
        self._kinds = kinds
        self.errors = errors
        self._views: dict[tuple[Any, ...], LiveView] = {}
        self._runs: dict[tuple[Any, ...], set[tuple[Any, ...] | None]] = {}

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of views that there are."""
        return self._kinds

    def __bool__(self) -> bool:
        return bool(self._kinds)

    def get(self, source: Any, given: dict[str, Any]) -> LiveView:
        """Return the view with these options; a new one where there is none, or it was closed.

        Parameters
        ----------
        source : object
            What its views are made of.
        given : dict
            Options by name; ``view`` is the kind.

        Raises
        ------
        UsageError, ConfigurationError
            When an option is not known, or its value will not do.
        """
        options = dict(given)
        name = self._kind(options.pop("view", None))
        kind = KINDS[name]
        made = getattr(importlib.import_module(kind.module), kind.view)
        self._refuse_of_others(name, options)
        scene = made.of(source, options)
        key = (host.session(), name, *sorted(scene.options.items()))
        view = self._views.get(key)
        if view is None or not view.is_live:
            view = self._views[key] = made(scene, errors=self.errors)
        self._note_run(key)
        return view

    def close(self) -> None:
        """Close all of them."""
        self._runs.clear()
        while self._views:
            self._views.popitem()[1].close()

    def _kind(self, asked: object) -> str:
        if asked is None:
            return self._kinds[0]
        return Choice(self._kinds).check("view", asked)

    def _refuse_of_others(self, name: str, options: Mapping[str, Any]) -> None:
        """Say which of the handle's other views an option is one of."""
        known = {**COMMON, **_options_of(name)}
        for option in options:
            other = next((each for each in self._kinds if option in _options_of(each)), None)
            if option not in known and other is not None:
                raise UsageError(
                    f"The view {name!r} has no option {option!r}, but that of the same handle as {other!r} has: write "
                    f"view={other!r}, {option}=…"
                )

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


def displayed(kind: type[Kind]) -> type[Kind]:
    """Have a front end show a class of handles by its view, where one is the last expression of a cell."""

    def _ipython_display_(self: Showable) -> None:
        """Show a view that moves, where the front end can and there is one; else a table, else text."""
        self._live_view()._ipython_display_()

    def _repr_mimebundle_(self: Showable, **_kinds: Any) -> dict[str, Any]:
        return self._live_view().mimebundle()

    def _display_(self: Showable) -> object:
        """Return what marimo shows."""
        return self._live_view()._display_()

    for each in (_ipython_display_, _repr_mimebundle_, _display_):
        setattr(kind, each.__name__, each)
    return kind


def _options_of(kind: str) -> Mapping[str, Any]:
    """Return what a kind of view takes beside the options of every view."""
    found: Mapping[str, Any] = getattr(importlib.import_module(KINDS[kind].module), "OPTIONS", {})
    return found


def _is_frame_of_a_pipeline(handle: object) -> bool:
    """Whether a handle reads rows, and does not show itself; polars is loaded where there is such a handle."""
    reading = sys.modules.get("kalshi_nb._frames.reading")
    return reading is not None and isinstance(handle, reading.FrameReading) and not isinstance(handle, Showable)


def view_of_a_pipeline(frame: FrameReading, options: Mapping[str, Any] = MappingProxyType({})) -> LiveView:
    """Return the live table of a frame with these options; the same one while it is open and the frame is held.

    A frame that nothing fills any more has a still one.
    """
    from kalshi_nb._widgets.table.pipelines import PipelineSource  # noqa: PLC0415  # polars loads when it is needed

    views = _PIPELINE_VIEWS.get(frame)
    if views is None:
        views = _PIPELINE_VIEWS[frame] = Views(("table",))
    _note_run_of_a_pipeline(frame)
    source = PipelineSource(frame)
    if source.status == "closed":
        return Views(("table",)).get(source, {**options, "renderer": "html"})
    return views.get(source, dict(options))


def _note_run_of_a_pipeline(frame: FrameReading) -> None:
    """Note which cell shows a frame, and close what only its earlier runs showed: each run builds a frame anew."""
    run = host.run()
    if run is None or run[0] is None:
        return  # who asked cannot be told from others, and may ask again
    cell = run[0]
    for other, runs in list(_SHOWN_BY.items()):
        if other is not frame and runs.keys() == {cell} and runs[cell] != run:
            del _SHOWN_BY[other]
            if (left := _PIPELINE_VIEWS.pop(other, None)) is not None:
                left.close()  # the notebook's own list of outputs may hold the frame for good
    _SHOWN_BY.setdefault(frame, {})[cell] = run


def show(handle: object, **options: Any) -> LiveView:
    """Show a handle in the cell that runs, as a view that moves, and return the view.

    Parameters
    ----------
    handle : Book, Books, Frame or Feed, a frame of a pipeline, a list of Frames, or a view
        What to show: a view, such as ``feed.event()`` and ``feed.dashboard()`` return, as it is.
        Several books are small ladders in one view, twelve at most. A feed shows how it is doing, and
        with ``view="gaps"`` where its data is missing. Several frames of trades or quotes are one price chart, a line
        a market, six at most.
    **options
        How: ``levels``, ``side`` (of a ladder, and of several); ``grid=True`` (of a ladder: every tick in its place,
        21 of them), ``group`` (its ticks merged to so many cents, such as 1), ``total=True`` (with running totals and
        what it costs to sweep so far); ``scale`` (of a book as its depth, ``view="depth"``), ``min_size``,
        ``large``, ``rows``, ``side`` (of a tape), ``rows`` (of an account, of gaps); of a ladder, a chart, a board and
        an account, which may show what is one's own, ``private=True``, to have it also where a notebook stores it, and
        ``mask=True``, for a screen that others see: an account without amounts, a ladder without one's own orders and
        fills;
        ``unit``, ``theme``, ``palette``, ``timezone``, ``height``, ``max_hz``, ``renderer`` (of any view). What is not
        given stands as ``kn.options`` has it.

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
    if _is_frame_of_a_pipeline(handle):
        view = view_of_a_pipeline(handle, options)  # type: ignore[arg-type]  # that was asked
        view.show()
        return view
    if isinstance(handle, list | tuple) and handle and isinstance(handle[0], ShowableWithOthers):
        view = handle[0]._view_with(handle[1:], options)  # noqa: SLF001  # the handles' own part of the protocol
    elif isinstance(handle, type) or not isinstance(handle, Showable):
        raise UsageError(
            f"kn.show() has no view of a {type(handle).__name__}; it shows what a feed hands out, such as "
            "feed.book('KXHIGHNY-26NOV22-B52.5')."
        )
    else:
        view = handle._live_view(**options)  # noqa: SLF001  # as above
    view.show()
    return view

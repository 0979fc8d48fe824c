"""The kinds of views: a line each, and all that is decided by a view's kind alone."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["KINDS", "Kind"]


class Kind(NamedTuple):
    """What goes by a view's kind.

    Attributes
    ----------
    module, view : str
        Where its class is and what that is called; loaded when the first is shown. It has ``of(source, given)``, which
        checks the options it was given and returns the view's scene.
    hz : float
        Messages a second, at most.
    parts : tuple of str
        Names of its scripts in ``browser/``, in the order in which they need each other; the last is the view. A style
        of a part's name, where there is one, goes along.
    charts : bool
        Whether it draws with uPlot, which is then put in front.
    holds : tuple of str
        Kinds that it is put together of, whose scripts and styles go along; of those that there are.
    """

    module: str
    view: str
    hz: float
    parts: tuple[str, ...]
    charts: bool = False
    holds: tuple[str, ...] = ()


KINDS: Final = {
    "ladder": Kind("kalshi_nb._widgets.ladder.view", "LadderView", 10.0, ("ladder",)),
    "books": Kind("kalshi_nb._widgets.books.view", "BooksView", 4.0, ("ladder", "books")),
    "status": Kind("kalshi_nb._widgets.status.view", "StatusView", 1.0, ("feed", "strip")),
    "gaps": Kind("kalshi_nb._widgets.gaps.view", "GapsView", 2.0, ("feed", "gaps")),
    "recorder": Kind("kalshi_nb._widgets.recorder.view", "RecorderView", 1.0, ("recorder",)),
    "account": Kind("kalshi_nb._widgets.account.view", "AccountView", 2.0, ("account",)),
    "tape": Kind("kalshi_nb._widgets.tape.view", "TapeView", 10.0, ("list", "tape")),
    "lifecycle": Kind("kalshi_nb._widgets.lifecycle.view", "LifecycleView", 2.0, ("list", "lifecycle")),
    "chart": Kind("kalshi_nb._widgets.chart.view", "ChartView", 4.0, ("plot", "chart"), charts=True),
    "depth": Kind("kalshi_nb._widgets.depth.view", "DepthView", 10.0, ("plot", "depth"), charts=True),
    "event": Kind("kalshi_nb._widgets.event.view", "EventView", 4.0, ("event",)),
    "board": Kind("kalshi_nb._widgets.board.view", "BoardView", 2.0, ("grid", "board")),
    "table": Kind("kalshi_nb._widgets.table.view", "TableView", 2.0, ("grid", "table")),
    "dashboard": Kind(
        "kalshi_nb._widgets.dashboard.view",
        "DashboardView",
        10.0,
        ("dashboard",),
        holds=("ladder", "chart", "depth", "tape", "event", "gaps", "status", "account", "board"),
    ),
}
"""Every kind by its name, which is also that of its last script; but that of ``status``, a word that the card's own
script has, is ``strip``."""

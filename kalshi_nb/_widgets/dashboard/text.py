"""A dashboard without a browser: its head in a few lines, and each panel's own text or table below it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from kalshi_nb._widgets import numbers
from kalshi_nb._widgets.dashboard.panels import PANELS
from kalshi_nb._widgets.event.picture import EventPicture
from kalshi_nb._widgets.ladder.text import ladder_line

if TYPE_CHECKING:
    from kalshi_nb._widgets.dashboard.picture import DashboardPicture, Head
    from kalshi_nb._widgets.scene import Scene

__all__ = ["MOST_HTML", "dashboard_html", "dashboard_text"]

MOST_HTML: Final = 60_000
"""Bytes of markup that a notebook stores of a dashboard, at most."""


def dashboard_text(picture: DashboardPicture, scenes: Mapping[str, Scene], *, side: str, unit: str) -> str:
    """Return a dashboard as plain text.

    Parameters
    ----------
    picture : DashboardPicture
        What to show.
    scenes : mapping of str to Scene
        What writes its panels, by their names.
    side : str
        The leg to show it of, ``"yes"`` or ``"no"``.
    unit : str
        What prices are written in.

    Returns
    -------
    str
        The head, then the panels, each below its name.
    """
    blocks = ["\n".join(_head(picture.head, side, unit))]
    blocks += [f"{title}\n{words}" for title, words in _panels(picture, scenes, lambda scene, it: scene.text(it))]
    return "\n\n".join(blocks)


def dashboard_html(
    picture: DashboardPicture, scenes: Mapping[str, Scene], *, side: str, unit: str, note: str = ""
) -> str:
    """Return a dashboard as static HTML.

    Parameters
    ----------
    picture, scenes, side, unit
        As for :func:`dashboard_text`. All text is escaped.
    note : str
        What to say below it.

    Returns
    -------
    str
        Markup without script, address or id, under 60 KB: panels that find no room are named instead.
    """
    head = "<br>".join(numbers.markup(each) for each in _head(picture.head, side, unit))
    blocks = [f"<p>{head}</p>"]
    room = MOST_HTML - len(blocks[0]) - len(note) - 2_000
    for title, markup in _panels(picture, scenes, lambda scene, it: scene.html(it), numbers.markup):
        block = f"<p><b>{numbers.markup(title)}</b></p>{markup}"
        size = len(block.encode())
        if size > room:
            block = f"<p><b>{numbers.markup(title)}</b>: too long to be kept here</p>"
        else:
            room -= size
        blocks.append(block)
    blocks += [f"<p>{numbers.markup(note)}</p>"] if note else []
    return "".join(blocks)


def _head(head: Head, side: str, unit: str) -> list[str]:
    if head.book is None:
        said = ", ".join(each for each in (head.status, head.origin) if each)
        return [f"{head.title}: pick one above, or name it, feed.dashboard('…'); the feed is {said}"]
    market = head.book.market
    title = numbers.clean(" · ".join(each for each in (market.title, market.subtitle) if each))
    lines = [ladder_line(head.book, side=side, unit=unit)]
    lines += [title] if title else []
    since = None if head.minute is None else head.minute.since
    period = "last minute" if since is None else f"since {numbers.moment(since)[11:]}"
    origin = f"{head.origin}, " if head.origin else ""
    lines += [f"{period}: {_minute(head, side, unit)}   ({origin}snapshot {numbers.moment(head.clock)})"]
    return lines + ([numbers.clean(head.note)] if head.note else [])


def _minute(head: Head, side: str, unit: str) -> str:
    minute, book = head.minute, head.book
    if minute is None or book is None:
        return "nothing known"
    words = [f"{minute.trades:,} trade{'' if minute.trades == 1 else 's'}"]
    if minute.first is not None and minute.last is not None:
        prices = [minute.first, minute.last]
        if side == "no":
            prices = [round(1 - each, 4) for each in prices]
        whole = numbers.whole_sizes([minute.contracts])
        words[0] += f" of {numbers.size(minute.contracts, whole=whole)} contracts"
        words.append(" to ".join(numbers.price(each, book.decimals, unit) for each in prices))
    words.append(f"{minute.gaps} gap{'' if minute.gaps == 1 else 's'} in the data" if minute.gaps else "no gaps")
    return ", ".join(words)


def _panels(
    picture: DashboardPicture,
    scenes: Mapping[str, Scene],
    write: Callable[[Scene, object], str],
    escape: Callable[[str], str] = str,
) -> Iterator[tuple[str, str]]:
    """Yield each panel's name and what it says; one that raises says that it failed."""
    book = picture.head.book
    for name, scene in scenes.items():
        part = picture.parts[name]
        shown = part.picture
        if book is not None and isinstance(shown, EventPicture):
            shown = shown._replace(current=book.market.ticker)
        try:
            words = escape(part.note) if shown is None else write(scene, shown)
        except Exception as error:  # noqa: BLE001  # the others are to be read all the same
            words = escape(f"this panel failed: {type(error).__name__}")
        yield PANELS[name].title, words

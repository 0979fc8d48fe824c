"""The panels that a dashboard can have, a line each."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from kalshi_nb._redaction import shown
from kalshi_nb._usage import iterated
from kalshi_nb._widgets.kinds import KINDS
from kalshi_nb._widgets.options import Choice, Option
from kalshi_nb.errors import ConfigurationError

__all__ = ["DEFAULT_PANELS", "PANELS", "Panel", "PanelNames", "options_of", "view_of"]


class Panel(NamedTuple):
    """One of a dashboard's panels; its name is that of its kind of view.

    Attributes
    ----------
    title : str
        What stands above it.
    is_of_market : bool
        Whether it shows the market that was chosen, and is made anew for another.
    has_head : bool
        Whether its title stands above it, with a button that folds it.
    options : mapping
        What its view is told unless the dashboard is: it has less room than alone.
    """

    title: str
    is_of_market: bool = True
    has_head: bool = True
    options: Mapping[str, Any] = MappingProxyType({})


_ALL: Final[Mapping[str, Panel]] = {
    "status": Panel("Feed", is_of_market=False, has_head=False),
    "ladder": Panel("Order book", options={"levels": 12}),  # as high as price and trades beside it
    "chart": Panel("Price"),
    "depth": Panel("Depth"),
    "tape": Panel("Trades"),
    "event": Panel("Event"),
    "account": Panel("Your account", is_of_market=False),
    "board": Panel("Markets", is_of_market=False),
    "gaps": Panel("Gaps", is_of_market=False, options={"rows": 4}),
}

PANELS: Final[Mapping[str, Panel]] = {name: panel for name, panel in _ALL.items() if name in KINDS}
"""All of them whose kind there is, in the order in which they are read."""

DEFAULT_PANELS: Final = tuple(each for each in PANELS if each not in ("account", "board"))
"""What is shown unless told."""


def view_of(name: str) -> Any:
    """Return the class of the views that a panel is one of."""
    kind = KINDS[name]
    return getattr(importlib.import_module(kind.module), kind.view)


def options_of(name: str) -> Mapping[str, Option]:
    """Return what a panel's kind takes beside the options of every view."""
    found: Mapping[str, Option] = getattr(importlib.import_module(KINDS[name].module), "OPTIONS", {})
    return found


class PanelNames(NamedTuple):
    """Some of the panels."""

    default: tuple[str, ...] = DEFAULT_PANELS

    def check(self, name: str, value: object) -> tuple[str, ...]:
        """Return them, each once, in the order in which they are read."""
        given = iterated(value)
        if given is None:
            raise ConfigurationError(f"{name}={shown(value)}: name the panels, such as ('ladder', 'tape').")
        asked = {_named(name, each) for each in given}
        if not asked:
            raise ConfigurationError(f"{name}=(): a dashboard has at least one of {', '.join(map(repr, PANELS))}.")
        return tuple(each for each in PANELS if each in asked)


def _named(name: str, value: object) -> str:
    """Return the name of a panel; of what stands above one, or nearly, say which it is."""
    titles = {panel.title.casefold(): each for each, panel in PANELS.items() if panel.title.casefold() not in PANELS}
    words = {word: each for title, each in titles.items() for word in title.split()} | titles
    title = value.replace("_", " ").casefold() if isinstance(value, str) else ""
    if title in words and value not in PANELS:
        raise ConfigurationError(
            f"{name}={shown(value)}: Did you mean {words[title]!r}? it is one of {', '.join(map(repr, PANELS))}."
        )
    return Choice(tuple(PANELS)).check(name, value)

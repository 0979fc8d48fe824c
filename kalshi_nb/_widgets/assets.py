"""The scripts and styles of the views, joined into the one text a widget can have.

A widget's script is imported from a blob, so nothing in it can be imported from beside it: the sources in ``browser/``
are plain scripts, each ``const name = (() => { …; return { … }; })();``, and are put one after the other here, once.
A view is one script and, where it has one, one style of its own, and a line in `VIEWS`.

What a view and its kernel say to each other
--------------------------------------------
The model has three synced dicts. Python assigns, the browser reads:

``picture``
    The whole of what is shown: ``v`` (1), ``seq`` (counts messages, deltas among them), ``sent`` (epoch seconds by
    the kernel's clock), ``clock`` (the same moment by the exchange's clock; may be missing where the two are one),
    ``kernel`` (a token of the process), ``model`` (the model's id, which acknowledgements name), ``kind`` (a key of
    `VIEWS`), ``status`` (``connecting``, ``live``, ``stale``, ``unknown``, ``closed``, ``paused`` or ``error``),
    ``age`` (seconds that it had held when sent), ``note`` (a line of words, or empty), ``market``, and the body of
    its kind.
``delta``
    What came since, for kinds that have one: ``seq`` and the body's own columns.
``settings``
    ``theme`` (``auto``, ``light``, ``dark``), ``side``, ``unit`` (``cents``, ``dollars``, ``probability``),
    ``palette`` (``default``, ``classic``), ``timezone`` (``UTC``, ``local``), ``levels`` and what else a kind knows.
    Each may be missing.

``market`` has ``ticker``, ``title``, ``subtitle``, ``phase`` (``initialized``, ``active``, ``inactive``, ``closed``,
``determined``, ``disputed``, ``amended``, ``finalized``), ``open_time``, ``close_time``, ``settled_at`` (epoch
seconds), ``result`` (``yes``, ``no``, ``scalar``) and ``settlement`` (what a YES contract pays, in dollars). Each may
be None. A market whose ``close_time`` is past by the exchange's clock is shown as closed, whatever its phase says.

A ladder's body: ``decimals`` (of a price in cents), ``ticks`` (``[start, end, step]`` in hundredths of a cent, rising,
or None), ``bids`` and ``asks`` (``[price, size]``, best first, at most 100: dollars of the YES leg and contracts),
``last`` (``price``, ``size``, ``taker``, ``at``; or None), ``orders`` (``[outcome, price, remaining]``) and ``fills``
(``[outcome, price, count, at]``), where the outcome is the one that is bought, ``yes`` a bid and ``no`` an ask, at
prices of the YES leg; and ``changed`` (or None). Moments are epoch seconds by the clock that ``clock`` is of.

The browser answers by custom messages. ``{"ack": {model: seq}, "visible": [model]}`` comes at most once in five
seconds from each page for all the models of a kernel, sent by any one of them, and soon after another set of them is
in sight; ``{"paused": true}`` or ``false`` when a person pauses a view or lets it go on.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["VIEWS", "Bundle", "View", "bundle"]

_ROOM: Final = Path(__file__).parent
_COMMON: Final = ("text", "page", "theme", "store", "status", "card")
_STYLES: Final = ("tokens", "card")


class View(NamedTuple):
    """What a kind of view is made of.

    Attributes
    ----------
    parts : tuple of str
        Names of its scripts in ``browser/``, in the order in which they need each other; the last is the view.
    charts : bool
        Whether it draws with uPlot, which is then put in front.
    """

    parts: tuple[str, ...]
    charts: bool = False


VIEWS: Final = {
    "ladder": View(("ladder",)),
}
"""The kinds of views by name. A style of a part's name, where there is one, goes along."""


class Bundle(NamedTuple):
    """All that the browser needs for one kind of view.

    Attributes
    ----------
    text : str
        The module: its default export has ``initialize`` and ``render``.
    digest : str
        SHA-256 of the text, in hexadecimal digits.
    """

    text: str
    digest: str


@functools.cache
def bundle(kind: str) -> Bundle:
    """Return the script of a kind of view, joined once.

    Parameters
    ----------
    kind : str
        A key of `VIEWS`.

    Returns
    -------
    Bundle
        The text and its digest.

    Raises
    ------
    KeyError
        If there is no such kind.
    """
    view = VIEWS[kind]
    styles = [path for name in (*_STYLES, *view.parts) if (path := _ROOM / "browser" / f"{name}.css").exists()]
    css = [_bare(path) for path in styles]
    vendored = _ROOM / "vendor" / "uplot"
    lines = []
    if view.charts:
        lines.append((vendored / "uPlot.iife.min.js").read_text(encoding="utf-8"))
        css.append((vendored / "uPlot.min.css").read_text(encoding="utf-8"))
    lines += [_bare(_ROOM / "browser" / f"{name}.js") for name in (*_COMMON, *view.parts)]
    lines.append(f"const style = {json.dumps(''.join(css), ensure_ascii=False)};")
    lines.append(f"export default card.entry({{ {', '.join(view.parts)} }}, style);\n")
    text = "\n".join(lines)
    return Bundle(text, hashlib.sha256(text.encode()).hexdigest())


_WORDS: Final = re.compile(r"""("(?:[^"\\]|\\.)*")""")
_AROUND_SIGNS: Final = re.compile(r"\s*(=>|[=!]==|&&|\|\||\?\?=?|[{}()\[\],;:?=<>*])\s*")
_AROUND_MARKS: Final = re.compile(r"\s*([{};,>])\s*|(:)\s+")
_NEEDLESS_ENDS: Final = re.compile(r"(?<=[;{,(\[])\n|\n(?=[})\].])")


def _bare(path: Path) -> str:
    """Return a source without comments and needless spaces, since every model carries the text.

    It knows as much of the two languages as the sources here need: strings in double quotes, templates and comments
    that end on their line, a semicolon after each statement.
    """
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".css":
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
        return _AROUND_MARKS.sub(r"\1\2", text).replace(";}", "}").strip()
    lines = (_tight(line.strip()) for line in text.splitlines())
    return _NEEDLESS_ENDS.sub("", "\n".join(line for line in lines if line))


def _tight(line: str) -> str:
    """Return a line of a script without its comment and the spaces around its signs; a template's words stay."""
    code, mark, _ = f" {line}".partition(" // ")
    if mark and code.count('"') % 2 == 0 and code.count("`") % 2 == 0:
        line = code.strip()
    start, end = line.find("`"), line.rfind("`")
    if start >= 0:
        return _tight(line[:start]) + line[start : end + 1] + _tight(line[end + 1 :])
    pieces = _WORDS.split(line)
    return "".join(piece if i % 2 else _AROUND_SIGNS.sub(r"\1", piece) for i, piece in enumerate(pieces))

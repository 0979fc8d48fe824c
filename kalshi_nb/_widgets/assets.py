"""The scripts and styles of the views, joined into the one text a widget can have.

A widget's script is imported from a blob, so nothing in it can be imported from beside it: the sources in ``browser/``
are plain scripts, each ``const name = (() => { …; return { … }; })();``, and are put one after the other here, once.
A view is one script and, where it has one, one style of its own, and a line in `KINDS`.

What travels of a script is what ``python -m tests.pack`` made of it in ``packed/``: the same program without comments,
spaces and long names of what nobody outside sees. That is so while the digest in ``packed/packed.json`` is the
source's; a script that somebody has changed since travels as it stands, but for its comments and spaces.

What a view and its kernel say to each other
--------------------------------------------
The model has three synced dicts. Python assigns, the browser reads:

``picture``
    The whole of what is shown: ``v`` (1), ``seq`` (counts messages, deltas among them), ``sent`` (epoch seconds by
    the kernel's clock), ``clock`` (the same moment by the exchange's clock; may be missing where the two are one),
    ``kernel`` (a token of the process), ``model`` (the model's id, which acknowledgements name), ``kind`` (a key of
    `KINDS`), ``status`` (``connecting``, ``live``, ``stale``, ``unknown``, ``closed``, ``paused`` or ``error``),
    ``age`` (seconds that it had held when sent), ``note`` (a line of words, or empty), ``market``, and the body of
    its kind.
``delta``
    What came since, for kinds that have one: ``seq``, ``sent``, ``status`` and what else of the whole has changed, and
    the body's own columns.
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
prices of the YES leg; and ``changed`` (or None). Where levels were merged ``touch`` has the best bid and ask of the
book itself (``[price, size]``, or None). Moments are epoch seconds by the clock that ``clock`` is of.

The body of several books: ``books``, a list of ladders' bodies, each with its own ``status``, and ``more`` (a line of
words for those that are left out).

An account's body: ``masked`` (nothing of it is here, since no page has said yet that it holds the model), ``hidden``
(amounts are None, for a screen that others see), ``markets`` (``[title, subtitle]`` by ticker), ``sections`` (of
``positions``, ``orders`` and ``fills`` those that somebody hears of, each with ``rows`` and ``more``, the number of
those not sent) and ``total`` (``unrealized``, ``realized``, ``fees`` in dollars, ``marked`` of ``held``; or None). A
position has ``market``, ``side`` (``yes``, ``no``, ``flat``), ``size`` (contracts, NO below zero), ``average``,
``mark``, ``by`` (``bid``, ``last`` or empty), ``unrealized``, ``realized`` and ``fees``; an order ``market``,
``side``, ``price``, ``left``, ``initial``, ``status``, ``at``, ``is_over`` and ``is_doubtful``; a fill ``market``,
``side``, ``price``, ``size``, ``is_taker``, ``fee`` and ``at``. Prices are of the side that was bought.

The ``orders`` and ``fills`` of a ladder, and a chart's, too, are sent to nobody before the model is named in an
``ack``.

A tape's body: ``total`` (trades that ever came, of those that it shows), ``large`` (from how many contracts on a
trade is; or None), ``decimals`` (by ticker), and ``lines``, newest first: trades ``[key, 0, at, price, size, taker,
is_block, is_backfilled, ticker]``, the ticker left out where ``market`` says it, and gaps ``[key, 1, opened, closed,
seen, lost, why]`` where they were seen. A lifecycle list's: ``total`` and ``lines``, ``[key, at, type, glyph, words,
name, ticker, times]``. A delta of either has, beside ``total`` and what else has changed, the ``lines`` that are new
(at most 30, newest first, to be put on top) or read otherwise now (their keys are there already), ``more`` (new ones
that were left out) and ``length`` (so many lines there are then; what is further down goes).

An event panel's body: ``market``, which is the event (its ticker, title and subtitle; ``phase`` and ``close_time`` as
far as its markets agree; once one of them has won, what that stands for as ``result``); ``decimals``; ``exclusive``
(True, False or None); ``sums`` (``mid``, ``bid``, ``ask``, each as ``[dollars, markets that have one]``, and
``markets``, how many are not decided; or None); ``unnormalised`` (why no shares are told, or nothing; None where
nobody wants them); ``changed``; and ``legs``, its markets by strike and the decided ones at the end, each without what
is not known of it: ``ticker``, ``words``, ``status``, ``age`` (of one that is stale), ``phase``, ``over`` (true once
it is decided), ``result``, ``settlement``, ``bid``, ``bid_size``, ``ask``, ``ask_size``, ``last`` (dollars of the YES
leg, contracts), ``chance`` (``[dollars, "mid" | "last" | "paid"]``) and ``share`` (of the sum of all mids). Its
words are ``{"select": [ticker]}``.

A board's body: ``tickers``, ``titles`` and ``subtitles`` (texts, a row each), ``columns`` (by name ``bid``, ``ask``,
``last`` in YES dollars, ``volume``, ``open_interest`` in contracts, ``closes`` in epoch seconds and ``state``, a place
in the list of states that both sides have; each the bytes of as many 64-bit floats, little end first, NaN for none),
``sparks`` (60 prices a row, oldest minute first: 16-bit numbers of hundredths of a cent, 65535 for none) and
``minute``, the minute since 1970 that runs, whose own price is not among them; ``order`` (whose rows these are: a
delta of another number is not for them), ``total`` (open markets that there are), ``sort``, ``filter``,
``selected``, ``mine`` (one's own markets, or None) and ``is_mine`` (no others are here). Its delta has ``order``,
``total``, ``mine`` where that changed, and, where any row changed, ``rows`` (their places) and ``columns`` of these,
both as above. Its words are ``{"sort": "-volume", "filter": "…", "mine": false}`` and ``{"select": [tickers]}``.

A table's body: ``columns`` (``[name, "left" or "right"]``), ``rows`` (texts, newest last) and ``total`` (rows that
ever came). It always travels whole.

A depth chart's body is a ladder's.

A price chart's body: ``seconds`` (how much of the past, or None), ``every`` (seconds of a candle), ``trades`` (columns
of moments, YES dollars, contracts), ``candles`` (columns of when each begins, its open, high, low and close, its
contracts, and 1 where that is all), ``quotes`` (columns of moments, bids, asks), each column the bytes of 64-bit
floats, little end first, NaN for none; ``gaps`` (``[since, to]``, the latter None while it is open), ``traded``
(contracts in all of the window), ``decimals``; and of several markets, which have none of the former, ``lines``:
``[ticker, words, whether it is of mids, columns of moments and YES dollars]``; of one, ``marks`` (``[at, word]``, when
it was opened, halted, closed or decided) and ``fills`` as a ladder has them. Its delta has of ``trades``,
``candles``, ``quotes`` and ``lines`` (None for each that is as it was) what changed: ``[columns of rows that come
first, how many of the old ones go then, how many behind those stay, columns of rows that come last]``; and of all
else what is other now. Its words are ``{"window": "1m" | "5m" | "15m" | "1h" | "6h" | "all"}``.

The browser answers by custom messages. ``{"ack": {model: seq}, "visible": [model]}`` comes at most once in five
seconds from each page for all the models of a kernel, sent by any one of them, and soon after another set of them is
in sight; ``{"paused": true}`` or ``false`` when a person pauses a view or lets it go on; ``{"asked": {…}}`` when a
person did something that the kernel is to know, in words of the view's own kind, or ``{"whole": true}`` where a delta
was lost: then the next message is a picture.

A view that is of no one market has ``title`` in place of ``market``.

A dashboard's body: ``market`` (or ``title``), ``clock`` and ``note`` as any view's; ``decimals``, ``bids``, ``asks``
(the best of each) and ``last`` as a ladder's; ``minute`` (``trades``, ``contracts``, ``first`` and ``last`` price,
``gaps``, of the last minute or ``since`` a moment, or None); ``origin`` (a word on data that is not the real thing);
``chosen`` (counts the markets that were chosen: a page that was paused goes on with another); and ``panels``: by its
name each panel's ``kind``, ``status`` and body (``market`` true where it is the dashboard's), with ``of`` (the panel
is made anew where this is another number) and, in a whole, its ``heading`` and ``settings``. A panel that could not be
made has the status ``error``. Its delta has the panels that changed: whole ones, or ``{"delta": …}`` for the kinds
that have deltas. What a person does in a panel is asked as ``{"panel": name, "asked": {…}}``.

A status strip's body is words, but for moments: ``state`` (``[glyph, words, tone]``), ``pieces`` (``[name, words,
tone, at]``, the moment, or None, to be written behind the words), ``channels`` (``[name, markets, age, rate, seq,
gaps]``), ``gaps`` (``[at, channel, market, reason, lasted, missing, repaired]``, newest first; ``lasted`` is empty
while one is open), ``gap_count``, ``last_error`` and ``last_error_at`` (its moment), ``warnings`` and ``views`` (words
for what else is open).

The body of a view of gaps: ``state``, ``gaps`` and ``gap_count`` likewise, ``rows`` (how many there is room for),
``summary`` (all of it in words), ``began`` (since when the feed is there) and ``lanes`` (``[channel, [[begins, ends,
number, lasted]]]``: stretches of the last hour, of so many gaps each; ``ends`` is None while one is open).
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from pathlib import Path
from typing import Final, NamedTuple, cast

from kalshi_nb._widgets.kinds import KINDS

__all__ = ["Bundle", "bundle"]

_ROOM: Final = Path(__file__).parent
_COMMON: Final = ("text", "page", "theme", "store", "status", "card")
_STYLES: Final = ("tokens", "card")


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
        A key of `KINDS`.

    Returns
    -------
    Bundle
        The text and its digest.

    Raises
    ------
    KeyError
        If there is no such kind.
    """
    view = KINDS[kind]
    held = {name: KINDS[name] for name in view.holds if name in KINDS}
    css = [_style(name) for name in _STYLES]
    css += [_scoped(_style(part), name) for name, each in held.items() for part in each.parts]
    css += [_style(part) for part in view.parts]
    vendored = _ROOM / "vendor" / "uplot"
    lines = []
    if view.charts or any(each.charts for each in held.values()):
        lines.append((vendored / "uPlot.iife.min.js").read_text(encoding="utf-8"))
        css.append((vendored / "uPlot.min.css").read_text(encoding="utf-8"))
    # Each once, though several kinds may need it.
    parts = list(dict.fromkeys([*(part for each in held.values() for part in each.parts), *view.parts]))
    lines += [_script(name) for name in (*_COMMON, *parts)]
    lines.append(f"const style = {json.dumps(''.join(css), ensure_ascii=False)};")
    views = {name: each.parts[-1] for name, each in held.items()} | {kind: view.parts[-1]}
    named = (name if name == script else f"{name}: {script}" for name, script in views.items())
    lines.append(f"export default card.entry({{ {', '.join(named)} }}, style);")
    # The name that errors in a browser's console go by; without it they would name a blob.
    lines.append(f"//# sourceURL=kalshi_nb/{kind}.js\n")
    text = "\n".join(lines)
    return Bundle(text, hashlib.sha256(text.encode()).hexdigest())


@functools.cache
def _packed() -> dict[str, dict[str, str]]:
    """Return what was packed: by its name each script's ``source``, the digest of what it was made of."""
    manifest = json.loads((_ROOM / "packed" / "packed.json").read_text(encoding="utf-8"))
    return cast("dict[str, dict[str, str]]", manifest["files"])


def _script(name: str) -> str:
    """Return a script as it travels: packed, if it is as it was when it was packed."""
    source = _ROOM / "browser" / f"{name}.js"
    digest = hashlib.sha256(source.read_text(encoding="utf-8").encode()).hexdigest()
    if _packed().get(name, {}).get("source") != digest:
        return _bare(source)
    return (_ROOM / "packed" / f"{name}.js").read_text(encoding="utf-8").strip()


def _style(name: str) -> str:
    path = _ROOM / "browser" / f"{name}.css"
    return _bare(path) if path.exists() else ""


_RULE: Final = re.compile(r"([^{}]+)\{([^{}]*)\}|(@[^{}]+)\{((?:[^{}]*\{[^{}]*\})*)\}")
_PARTS: Final = re.compile(r",(?![^(]*\))")
_OF_VIEW: Final = re.compile(r"\[data-(?:body|status|phase)[^\]]*\]")


def _scoped(css: str, kind: str) -> str:
    """Return a kind's style as it stands among others: for its panel alone, which is its host there.

    What a style says of its own kind's card, by ``data-kind``, is not said of a panel.

    It knows as much of the language as the styles here need: rules, and rules of this kind within one pair of braces.
    """

    def scope(rule: re.Match[str]) -> str:
        if rule[3]:
            return f"{rule[3]}{{{rule[4] if rule[3].startswith('@keyframes') else _scoped(rule[4], kind)}}}"
        selectors = [_in_panel(each, kind) for each in _PARTS.split(rule[1]) if "[data-kind" not in each]
        return f"{','.join(selectors)}{{{rule[2]}}}" if selectors else ""

    return _RULE.sub(scope, css)


def _in_panel(selector: str, kind: str) -> str:
    """Return a selector for what is in the panel of a kind; what it says of the view is said of the panel."""
    panel = f":where(.of-{kind})"  # weighs nothing, so that the rules weigh against each other as they do in a card
    host, told = "", re.match(r":host\(((?:\[[^\]]*\])+)\)", selector)
    if told:
        selector = selector[told.end() :]
        panel += "".join(_OF_VIEW.findall(told[1]))
        rest = _OF_VIEW.sub("", told[1])
        host = f":host({rest}) " if rest else ""
    elif re.match(r"\.card\b(?!-)", selector):
        host, selector = ".card ", selector.removeprefix(".card")
    return f"{host}{panel} {selector.removeprefix(':host').strip()}".strip()


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

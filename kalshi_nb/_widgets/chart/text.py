"""A price chart without a browser: a line of blocks a market, and a drawing with a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kalshi_nb._widgets import numbers
from kalshi_nb._widgets.still import still_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kalshi_nb._widgets.chart.picture import ChartPicture, Point, Traded

__all__ = ["chart_html", "chart_text"]

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_CELLS: Final = 40
_WIDE, _HIGH = 480, 120


def chart_text(picture: ChartPicture, *, unit: str = "cents") -> str:
    """Return a chart as text: of each market what was first, lowest, highest and last, and how it went."""
    if picture.lines:
        return _lines_text(picture, unit)
    name = numbers.clean(picture.market.ticker)
    when = numbers.moment(picture.clock)
    if not picture.trades:
        return f"{name}  {picture.status}  no trades known{_window(picture)}  (snapshot {when})"
    prices = _ends(picture.trades, picture, unit)
    volume = numbers.size(picture.traded, whole=numbers.whole_sizes([picture.traded]))
    return (
        f"{name}  {picture.status}  {_worded(prices)}  "
        f"{volume} contracts{_window(picture)}  (snapshot {when})\n  {_blocks(picture.trades, picture)}"
    )


def _lines_text(picture: ChartPicture, unit: str) -> str:
    of, when = numbers.clean(picture.market.ticker), numbers.moment(picture.clock)
    told = [f"{of}  {picture.status}  {len(picture.lines)} markets{_window(picture)}  (snapshot {when})"]
    for line in picture.lines:
        name = numbers.clean(line.ticker)
        prices = _ends(line.points, picture, unit)
        told.append(f"  {name}  {_worded(prices)}" if prices else f"  {name}  no prices")
        if prices:
            told.append(f"    {_blocks(_known(line.points), picture)}")
    return "\n".join(told)


def chart_html(picture: ChartPicture, *, unit: str = "cents", note: str = "") -> str:
    """Return a chart as a drawing in the colour of the text and a table of numbers."""
    market, what = picture.market, "prices" if picture.lines else "trades"
    caption = [
        " · ".join(each for each in (market.ticker, market.title, market.subtitle) if each),
        f"{picture.status} · {what}{_window(picture)} · snapshot {numbers.moment(picture.clock)}",
    ]
    told = [picture.note] if picture.note else []
    told += [f"{len(picture.gaps)} gap{'' if len(picture.gaps) == 1 else 's'} in the data"] if picture.gaps else []
    told += [note] if note else []
    if picture.lines:
        table = [[each.ticker, each.words, *_ends(each.points, picture, unit).values()] for each in picture.lines]
        table = [row + ["\N{EN DASH}"] * (6 - len(row)) for row in table]
        heads = ["market", "", *_ENDS]
        return _drawing(picture) + still_table(caption, heads, table, told, right=(2, 3, 4, 5))
    if not picture.trades:
        return still_table(caption, ["price"], [["no trades known"]], told)
    rows = [[{"first": "open"}.get(word, word), each] for word, each in _ends(picture.trades, picture, unit).items()]
    rows.append(["contracts", numbers.size(picture.traded, whole=numbers.whole_sizes([picture.traded]))])
    return _drawing(picture) + still_table(caption, ["", "YES price"], rows, told, right=(1,))


_ENDS: Final = ("first", "low", "high", "last")


def _ends(points: Sequence[Point | Traded], picture: ChartPicture, unit: str) -> dict[str, str]:
    """Return the first, lowest, highest and last price as they are written; nothing where there is none."""
    prices = [each.price for each in points if each.price is not None]
    if not prices:
        return {}
    found = (prices[0], min(prices), max(prices), prices[-1])
    return {
        word: numbers.price(each, max(picture.decimals, numbers.needed(each)), unit)
        for word, each in zip(_ENDS, found, strict=True)
    }


def _worded(prices: Mapping[str, str]) -> str:
    return "  ".join(f"{word} {each}" for word, each in prices.items())


def _known(points: Sequence[Point]) -> list[Point]:
    return [each for each in points if each.price is not None]


def _window(picture: ChartPicture) -> str:
    if picture.seconds is None:
        return ""
    hours, minutes = picture.seconds / 3600, picture.seconds / 60
    return f" in {hours:g} h" if hours >= 1 else f" in {minutes:g} min"


def _blocks(points: Sequence[Any], picture: ChartPicture) -> str:
    """Return one block for each stretch of time that had a price, a point for one that had none, x for a gap."""
    since, until = points[0].at, max(picture.clock, points[-1].at)
    prices = [each.price for each in points]
    low, high = min(prices), max(prices)
    cells = ["·"] * _CELLS

    def place(at: float) -> int:
        return min(_CELLS - 1, max(0, int((at - since) / max(until - since, 1e-9) * _CELLS)))

    for gap in picture.gaps:
        end = until if gap.to is None else gap.to
        if end > since:
            for at in range(place(gap.since), place(end) + 1):
                cells[at] = "x"
    for each in points:
        share = 0.5 if high == low else (each.price - low) / (high - low)
        cells[place(each.at)] = _BLOCKS[round(share * (len(_BLOCKS) - 1))]
    return "".join(cells)


_DASHES: Final = ("", "6 3", "2 2", "8 3 2 3", "10 4", "4 2 1 2")
"""How the lines of several markets are told apart, as in the browser."""


def _drawing(picture: ChartPicture) -> str:
    series: list[Sequence[Any]] = [each.points for each in picture.lines] or [picture.trades]
    points = [each for points in series for each in points if each.price is not None]
    if not points:
        return ""
    since = min(each.at for each in points)
    until = max(picture.clock, *(each.at for each in points))
    prices = [each.price for each in points]
    low, high = min(prices) - 0.01, max(prices) + 0.01

    def x(at: float) -> str:
        return f"{min(1.0, max(0.0, (at - since) / max(until - since, 1e-9))) * _WIDE:.1f}"

    def y(price: float) -> str:
        return f"{(high - price) / (high - low) * _HIGH:.1f}"

    def band(left: float, right: float) -> str:
        width = max(2.0, float(x(right)) - float(x(left)))
        title = "<title>gap in the data</title>"
        return f'<rect x="{x(left)}" width="{width:.1f}" height="{_HIGH}" fill-opacity="0.15">{title}</rect>'

    ends = [(gap.since, until if gap.to is None else gap.to) for gap in picture.gaps]
    bands = "".join(band(left, right) for left, right in ends if right > since)
    gaps = [gap.since for gap in picture.gaps]
    names = [numbers.markup(each.words) for each in picture.lines] or [""]
    paths = "".join(
        _steps(points, gaps, x, y, f"<title>{name}</title>" if name else "", dash)
        for points, name, dash in zip(series, names, _DASHES, strict=False)
    )
    what = "Prices of several markets" if picture.lines else "Prices of trades"
    return (
        f'<svg role="img" width="{_WIDE}" height="{_HIGH}" viewBox="0 0 {_WIDE} {_HIGH}" fill="currentColor">'
        f"<title>{what}; the numbers are in the table</title>{bands}{paths}</svg>"
    )


def _steps(
    points: Sequence[Any],
    gaps: Sequence[float],
    x: Callable[[float], str],
    y: Callable[[float], str],
    title: str,
    dash: str,
) -> str:
    """Return steps from point to point, a piece of its own on each side of a gap, or of a time without a price."""
    pieces: list[list[str]] = [[]]
    before = points[0].at if points else 0.0
    for each in points:
        at = x(each.at)
        if each.price is None or _between(gaps, before, each.at):
            if each.price is None and pieces[-1]:
                pieces[-1].append(f"H{at}")
            pieces.append([])
        if each.price is not None:
            pieces[-1].append(f"H{at}V{y(each.price)}" if pieces[-1] else f"M{at} {y(each.price)}")
        before = each.at
    style = f' stroke-dasharray="{dash}"' if dash else ""
    return "".join(
        f'<path d="{"".join(each)}h1" fill="none" stroke="currentColor" stroke-width="1.5"{style}>{title}</path>'
        for each in pieces
        if each
    )


def _between(moments: Sequence[float], since: float, until: float) -> bool:
    return any(since <= each <= until and since != until for each in moments)

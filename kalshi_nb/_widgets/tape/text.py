"""A tape without a browser: the last trades as plain text, and as a table that stands still."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kalshi_nb._widgets import numbers
from kalshi_nb._widgets.still import still_table
from kalshi_nb._widgets.tape.picture import Hole, hole_words

if TYPE_CHECKING:
    from kalshi_nb._widgets.tape.picture import TapePicture, Trade

__all__ = ["tape_html", "tape_text"]

_ROWS: Final = 10
_MOST: Final = 300
"""Characters of a name."""
_TAKERS: Final = {"yes": "YES ▲", "no": "NO ▼"}


class _Row(NamedTuple):
    """One trade, as text."""

    time: str
    market: str
    taker: str
    price: str
    size: str
    marks: str


def tape_text(picture: TapePicture, *, side: str = "yes", unit: str = "cents") -> str:
    """Return the last trades as aligned plain text, newest first.

    Parameters
    ----------
    picture : TapePicture
        What to show.
    side : str
        The leg that prices are of, ``"yes"`` or ``"no"``.
    unit : str
        What prices are written in; see :func:`kalshi_nb._widgets.numbers.price`.

    Returns
    -------
    str
        Lines without trailing blanks or a final newline.
    """
    rows = _rows(picture, side, unit)
    head = _Row("time (UTC)", "market", "taker", f"{side.upper()} price", "contracts", "")
    table = [head, *(row for row in rows if isinstance(row, _Row))]
    widths = [max(len(row[column]) for row in table) for column in range(5)]
    if picture.market is not None:
        widths[1] = 0
    lines = [f"{_title(picture)}  {', '.join(_summary(picture))}   (snapshot {numbers.moment(picture.clock)})"]
    if picture.market is not None and (asked := _question(picture)):
        lines.append(f"  {asked}")
    for row in [head, *rows]:
        if isinstance(row, str):
            lines.append(f"  {row}")
            continue
        cells = [row.time.ljust(widths[0]), row.market.ljust(widths[1]), row.taker.ljust(widths[2])]
        cells += [row.price.rjust(widths[3]), row.size.rjust(widths[4]), row.marks]
        lines.append(f"  {'  '.join(cell for cell, width in zip(cells, [*widths, 1], strict=True) if width)}".rstrip())
    lines += [] if rows else [f"  {_nothing(picture)}"]
    lines += [f"({numbers.clean(picture.note)})"] if picture.note else []
    return "\n".join(lines)


def tape_html(picture: TapePicture, *, side: str = "yes", unit: str = "cents", note: str = "") -> str:
    """Return the last trades as a static HTML table, for notebooks read without a kernel.

    Parameters
    ----------
    picture, side, unit
        As for :func:`tape_text`. All text is escaped.
    note : str
        What to say below it.

    Returns
    -------
    str
        Markup without script, address or id, under 20 KB.
    """
    rows = _rows(picture, side, unit)
    several = picture.market is None
    heads = ["time (UTC)", *(["market"] if several else []), "taker", f"{side.upper()} price", "contracts", "marks"]
    caption = [_title(picture), *([_question(picture)] if _question(picture) else [])]
    caption += [" · ".join(_summary(picture)), f"snapshot {numbers.moment(picture.clock)}"]
    cells = []
    for row in rows:
        if isinstance(row, str):
            cells.append([row, *[""] * (len(heads) - 1)])
        else:
            cells.append([each for place, each in enumerate(row) if several or place != 1])
    if not rows:
        cells.append([_nothing(picture), *[""] * (len(heads) - 1)])
    foot = [each for each in (picture.note, note) if each]
    return still_table(caption, heads, cells, foot, right=(len(heads) - 3, len(heads) - 2))


def _title(picture: TapePicture) -> str:
    return numbers.clean(f"Trades of {picture.market.ticker}" if picture.market is not None else picture.title)[:_MOST]


def _question(picture: TapePicture) -> str:
    told = [] if picture.market is None else [picture.market.title, picture.market.subtitle]
    return numbers.clean(" · ".join(each for each in told if each))[:_MOST]


def _summary(picture: TapePicture) -> list[str]:
    shown = sum(not isinstance(each, Hole) for each in picture.lines[:_ROWS])
    count = f"the last {shown} of {picture.changes:,} trades" if picture.changes > shown else f"{shown} trades"
    return [picture.status, count if shown != 1 or picture.changes != 1 else "1 trade"]


def _nothing(picture: TapePicture) -> str:
    return "no trades came" if picture.status == "closed" else "no trades yet"


def _rows(picture: TapePicture, side: str, unit: str) -> list[_Row | str]:
    lines = picture.lines[:_ROWS]
    whole = numbers.whole_sizes(each.size for each in lines if not isinstance(each, Hole))
    rows: list[_Row | str] = []
    for each in lines:
        if isinstance(each, Hole):
            rows.append(hole_words(each, picture.clock))
        else:
            rows.append(_row(each, picture, side, unit, whole=whole))
    return rows


def _row(trade: Trade, picture: TapePicture, side: str, unit: str, *, whole: bool) -> _Row:
    day = numbers.moment(picture.clock)[:10]
    moment = numbers.moment(trade.at).removesuffix(" UTC")
    price = round(1 - trade.price, 4) if side == "no" else trade.price
    is_large = picture.large is not None and trade.size >= picture.large
    marks = [*(["★ large"] if is_large else []), *(["block"] if trade.is_block else [])]
    marks += ["↺ fetched later"] if trade.is_backfilled else []
    return _Row(
        moment.removeprefix(f"{day} "),
        numbers.clean(trade.market_ticker)[:60],
        _TAKERS.get(trade.taker or "", "not told"),
        numbers.price(price, picture.decimals.get(trade.market_ticker, 0), unit),
        numbers.size(trade.size, whole=whole),
        ", ".join(marks),
    )

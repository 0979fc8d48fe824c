"""An account without a browser: plain text for terminals, static HTML for notebooks that are read without a kernel.

Both leave everything of it out, and say so, unless its owner asked for it: a notebook stores them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kalshi_nb._widgets import numbers
from kalshi_nb._widgets.still import still_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kalshi_nb._widgets.account.picture import AccountPicture, Deal, Holding, Name, Total, Working

__all__ = ["account_html", "account_text", "left_out"]

_DASH: Final = "\N{EN DASH}"
_DOTS: Final = "\N{BULLET}" * 3
_LONGEST: Final = 60
_ROWS: Final = 10
"""Rows of a section in a form that stands still: what a notebook stores stays under 20 KB."""

_HEADS: Final = {
    "positions": ("market", "contracts", "average", "mark", "unrealized", "realized", "fees"),
    "orders": ("market", "side", "price", "remaining", "of", "status", "since"),
    "fills": ("market", "side", "price", "contracts", "as", "fee", "time"),
}
_RIGHT: Final = {"positions": range(1, 7), "orders": (2, 3, 4), "fills": (2, 3, 5)}


def left_out(picture: AccountPicture) -> str:
    """Say what is left out, and how it is had."""
    names = ", ".join(picture.sections)
    return f"{names}: left out of what a notebook stores; kn.show(…, private=True) or .snapshot(private=True) has them"


def account_text(picture: AccountPicture, *, unit: str = "cents") -> str:
    """Return an account as aligned plain text.

    Parameters
    ----------
    picture : AccountPicture
        What to show.
    unit : str
        What prices are written in.

    Returns
    -------
    str
        Lines without trailing blanks or a final newline.
    """
    lines = [f"{_title(picture)}   (snapshot {numbers.moment(picture.clock)})"]
    if picture.is_masked:
        return "\n".join([*lines, f"  {left_out(picture)}"])
    for name, (rows, foot) in _tables(picture, unit).items():
        lines.append(f"  {name}: {foot[0]}" if not rows else f"  {name}")
        lines += _aligned([_HEADS[name], *rows], _RIGHT[name]) if rows else []
        lines += [f"    {each}" for each in foot if rows]
    return "\n".join(lines)


def account_html(picture: AccountPicture, *, unit: str = "cents", note: str = "") -> str:
    """Return an account as static HTML tables, one a section.

    Parameters
    ----------
    picture, unit
        As for :func:`account_text`. All text is escaped.
    note : str
        What to say below.

    Returns
    -------
    str
        Markup without script, address or id, under 20 KB.
    """
    caption = [_title(picture), f"snapshot {numbers.moment(picture.clock)}"]
    last = [note] if note else []
    if picture.is_masked or not picture.sections:
        return still_table(caption, ("account",), [[left_out(picture)]], last)
    tables = _tables(picture, unit)
    made = []
    for place, (name, (rows, foot)) in enumerate(tables.items()):
        above = [*caption, name] if place == 0 else [name]
        below = [*foot, *(last if place == len(tables) - 1 else [])]
        made.append(still_table(above, _HEADS[name], rows, below, right=_RIGHT[name]))
    return "".join(made)


def _title(picture: AccountPicture) -> str:
    note = f" ({numbers.clean(picture.note)})" if picture.note else ""
    since = f" since {numbers.moment(picture.told_since or picture.status_since)}" if picture.status == "stale" else ""
    return f"{numbers.clean(picture.title)[:_LONGEST]}  {picture.status}{since}{note}"


def _tables(picture: AccountPicture, unit: str) -> dict[str, tuple[list[Sequence[str]], list[str]]]:
    """Return the rows of each section, and the lines below them."""
    blank = _DOTS if picture.is_hidden else _DASH
    write: dict[str, Callable[[Any, str, str], Sequence[str]]] = {
        "positions": _holding,
        "orders": _working,
        "fills": _deal,
    }
    found = {}
    for name, section in picture.sections.items():
        rows = [write[name](row, unit, blank) for row in section.rows[:_ROWS]]
        more = section.more + len(section.rows) - len(rows)
        foot = [f"{len(rows):,} of {len(rows) + more:,} shown, {more:,} more"] if more else []
        if name == "positions" and picture.total is not None:
            rows.append(_total(picture.total, blank))
        if name == "positions" and picture.is_hidden:
            foot.append("amounts are masked")
        found[name] = rows, foot if rows else ["none heard of yet"]
    return found


def _holding(row: Holding, unit: str, blank: str) -> Sequence[str]:
    size = blank
    if row.size is not None:
        size = numbers.size(abs(row.size), whole=numbers.whole_sizes([row.size]))
    side = "" if row.side == "flat" else f" {row.side.upper()}"
    mark = _DASH if row.mark is None else f"{_price(row.mark, unit)} {row.by}"
    average = _price(row.average, unit, blank)
    money = (_dollars(row.unrealized, blank, signed=True), _dollars(row.realized, blank, signed=True))
    return (_market(row.market), f"{size}{side}", average, mark, *money, _dollars(row.fees, blank))


def _total(total: Total, blank: str) -> Sequence[str]:
    word = "total" if total.marked == total.held else f"total, {total.marked} of {total.held} have a mark"
    money = (_dollars(total.unrealized, blank, signed=True), _dollars(total.realized, blank, signed=True))
    return (word, "", "", "", *money, _dollars(total.fees, blank))


def _working(row: Working, unit: str, blank: str) -> Sequence[str]:
    status = numbers.clean(row.status)[:20] + (" ? heard of before a gap" if row.is_doubtful else "")
    price = _price(row.price, unit)
    sizes = (_size(row.left, blank), _size(row.initial, blank))
    return (_market(row.market), _side(row.side), price, *sizes, status, numbers.moment(row.at))


def _deal(row: Deal, unit: str, blank: str) -> Sequence[str]:
    kind = "" if row.is_taker is None else "taker" if row.is_taker else "maker"
    price, size, fee = _price(row.price, unit), _size(row.size, blank), _dollars(row.fee, blank)
    return (_market(row.market), _side(row.side), price, size, kind, fee, numbers.moment(row.at))


def _market(name: Name) -> str:
    return numbers.clean(name.ticker)[:_LONGEST]


def _side(side: str | None) -> str:
    return _DASH if side is None else side.upper()


def _size(size: float | None, blank: str) -> str:
    return blank if size is None else numbers.size(size, whole=numbers.whole_sizes([size]))


def _price(dollars: float | None, unit: str, blank: str = _DASH) -> str:
    """Return a price with as many decimals as it needs, at most two of a cent."""
    if dollars is None:
        return blank
    parts = round(dollars * 10_000)
    return numbers.price(parts / 10_000, 0 if parts % 100 == 0 else 1 if parts % 10 == 0 else 2, unit)


def _dollars(dollars: float | None, blank: str, *, signed: bool = False) -> str:
    if dollars is None:
        return blank
    text = f"${abs(dollars):,.2f}"
    return _signed(round(dollars, 2), text) if signed else text


def _signed(value: float, text: str) -> str:
    return f"+{text}" if value > 0 else f"{numbers.MINUS}{text}" if value < 0 else text


def _aligned(rows: Sequence[Sequence[str]], right: Sequence[int]) -> list[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "    "
        + "  ".join(
            each.rjust(width) if place in right else each.ljust(width)
            for place, (each, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]

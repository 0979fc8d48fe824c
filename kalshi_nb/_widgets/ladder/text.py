"""A ladder without a browser: plain text for terminals, static HTML for saved notebooks and for GitHub.

Whatever is shown says in words what it is, so that it reads the same when a page takes away style and colour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kalshi_nb._widgets import numbers
from kalshi_nb._widgets.still import STYLE

if TYPE_CHECKING:
    from kalshi_nb._widgets.ladder.picture import LadderPicture, Level

__all__ = ["ladder_html", "ladder_line", "ladder_parts", "ladder_text"]

STATUS_WORDS: Final = {"unknown": "no such market"}
"""What a status is called where its own name would not do."""

_PHASES: Final = {
    "initialized": "not open yet",
    "inactive": "halted by the exchange",
    "closed": "closed, awaiting result",
    "disputed": "result disputed",
    "amended": "result amended",
}
"""What a market is called by how far it has come, where that is not simply open."""

_ROWS: Final = 40
"""Rows a side in a table that stands still: what a notebook stores stays under 20 KB."""


class _Row(NamedTuple):
    """One level, as text."""

    side: str
    price: str
    size: str
    total: str
    bar: str


def ladder_line(picture: LadderPicture, *, side: str = "yes", unit: str = "cents") -> str:
    """Return one line that says it all: market, status, best prices, spread, chance.

    Parameters
    ----------
    picture : LadderPicture
        What to show, of the YES leg.
    side : str
        The leg to show it of, ``"yes"`` or ``"no"``.
    unit : str
        What prices are written in; see :func:`kalshi_nb._widgets.numbers.price`.
    """
    picture = _leg(picture, side)
    return "  ".join([numbers.clean(picture.market.ticker), *_summary(picture, side, unit)])


def ladder_parts(picture: LadderPicture, *, side: str = "yes", unit: str = "cents") -> tuple[str, str, str, str, str]:
    """Return what a book is at in columns: status, best bid and ask with their sizes, spread, chance.

    Parameters
    ----------
    picture, side, unit
        As for :func:`ladder_line`.
    """
    leg = _leg(picture, side)
    status, bid, ask, spread, chance = _summary(leg, "", unit)
    return status, bid.strip().removeprefix("bid "), ask.removeprefix("ask "), spread.removeprefix("spread "), chance


def ladder_text(picture: LadderPicture, *, side: str = "yes", unit: str = "cents") -> str:
    """Return a ladder as aligned plain text: one line that says it all, then asks above bids.

    Parameters
    ----------
    picture, side, unit
        As for :func:`ladder_line`.

    Returns
    -------
    str
        Lines without trailing blanks or a final newline.
    """
    leg = _leg(picture, side)
    lines = [f"{ladder_line(picture, side=side, unit=unit)}   (snapshot {numbers.moment(picture.clock)})"]
    title = numbers.clean(" · ".join(each for each in (leg.market.title, leg.market.subtitle) if each))
    lines += [f"  {title}"] if title else []
    asks, bids = _rows(leg, unit)
    lines += _table([_Row("side", "price", "contracts", "total", ""), *asks, *bids], leg, asks, bids)
    lines += [f"  {each}" for each in _foot(leg, unit)]
    lines += [f"({numbers.clean(leg.note)})"] if leg.note else []
    return "\n".join(lines)


def ladder_html(picture: LadderPicture, *, side: str = "yes", unit: str = "cents", note: str = "") -> str:
    """Return a ladder as a static HTML table, for notebooks read without a kernel.

    Parameters
    ----------
    picture, side, unit
        As for :func:`ladder_line`. All text is escaped.
    note : str
        What to say below it.

    Returns
    -------
    str
        Markup without script, address or id, under 20 KB. Its style touches nothing else on the page, and nothing is
        lost without it.
    """
    leg = _leg(picture, side)
    asks, bids = _rows(leg, unit)
    title = " · ".join(each for each in (leg.market.title, leg.market.subtitle) if each)
    caption = [f"<code>{numbers.markup(leg.market.ticker)}</code>"]
    caption += [numbers.markup(title)] if title else []
    caption += [numbers.markup(" · ".join(_summary(leg, side, unit)))]
    foot = [*_foot(leg, unit), *([leg.note] if leg.note else []), *([note] if note else [])]
    heads = [
        ("side", "left"),
        (f"price ({side.upper()})", "right"),
        ("contracts", "right"),
        ("total", "right"),
        ("size as a bar", "left"),
    ]
    return "".join(
        (
            f'<style>{STYLE}</style><table class="kalshi-still">',
            f"<caption>{'<br>'.join(caption)}<br>snapshot {numbers.moment(leg.clock)}</caption><thead><tr>",
            *(f'<th scope="col" align="{align}">{head}</th>' for head, align in heads),
            "</tr></thead><tbody>",
            *(_html_row(row) for row in asks),
            "" if asks else _html_line(_missing("asks", leg)),
            *(_html_row(row) for row in bids),
            "" if bids else _html_line(_missing("bids", leg)),
            "</tbody><tfoot>",
            *(_html_line(each) for each in foot),
            "</tfoot></table>",
        )
    )


def _leg(picture: LadderPicture, side: str) -> LadderPicture:
    return picture.mirrored() if side == "no" else picture


def _rows(picture: LadderPicture, unit: str) -> tuple[list[_Row], list[_Row]]:
    """Return asks and bids as they stand below each other: the best of either in the middle."""
    sizes = [size for side in (picture.asks, picture.bids) for _, size in side]
    # The square root, and a full bar for what is far above the median: one giant level leaves the others visible.
    full = min(max(sizes), 12 * sorted(sizes)[len(sizes) // 2]) if sizes else 0.0
    whole = numbers.whole_sizes(sizes)
    sides = [_side(name, side, picture, unit, full, whole=whole) for name, side in _named(picture)]
    return sides[0][::-1], sides[1]


def _named(picture: LadderPicture) -> tuple[tuple[str, tuple[Level, ...]], ...]:
    return ("ask", picture.asks), ("bid", picture.bids)


def _side(
    name: str, levels: tuple[Level, ...], picture: LadderPicture, unit: str, full: float, *, whole: bool
) -> list[_Row]:
    """Return the rows of one side, best first."""
    mine: dict[float, float] = {}
    for _, price, left in picture.orders:
        mine[price] = mine.get(price, 0.0) + left
    rows = []
    total = 0.0
    for price, size in levels[:_ROWS]:
        total += size
        bar = numbers.bar((size / full) ** 0.5 if full else 0.0)
        if price in mine:
            bar = f"{bar} (own order: {numbers.size(mine[price], whole=whole)})".lstrip()
        written = numbers.price(price, picture.decimals, unit)
        rows.append(_Row(name, written, numbers.size(size, whole=whole), numbers.size(total, whole=whole), bar))
    if len(levels) > _ROWS:
        rows.append(_Row(name, "…", f"{len(levels) - _ROWS} more", "", ""))
    return rows


def _table(table: list[_Row], picture: LadderPicture, asks: list[_Row], bids: list[_Row]) -> list[str]:
    """Return the rows in columns, and in the place of a side that is not there, the words for it."""
    widths = [max(len(row[column]) for row in table) for column in range(4)]
    lines = [
        "  ".join(
            [
                "",
                row.side.ljust(widths[0]),
                row.price.rjust(widths[1]),
                row.size.rjust(widths[2]),
                row.total.rjust(widths[3]),
                row.bar,
            ]
        ).rstrip()
        for row in table
    ]
    if not asks:
        lines.insert(1, f"  {_missing('asks', picture)}")
    return lines if bids else [*lines, f"  {_missing('bids', picture)}"]


def _html_row(row: _Row) -> str:
    cells = "".join(f'<td align="right">{numbers.markup(each)}</td>' for each in (row.price, row.size, row.total))
    return (
        f'<tr><th scope="row" align="left">{row.side}</th>{cells}<td align="left">{numbers.markup(row.bar)}</td></tr>'
    )


def _html_line(text: str) -> str:
    return f'<tr><td colspan="5" align="left">{numbers.markup(text)}</td></tr>'


def _missing(sides: str, picture: LadderPicture) -> str:
    """Say that a side is empty, that nobody knows yet, or that nobody ever did."""
    if picture.status == "closed" and picture.changed_at is None:
        return f"no {sides} came"
    if picture.status == "connecting":
        return f"no {sides} yet"
    return f"no {sides}" if picture.asks or picture.bids else f"no {sides}: no resting orders"


def _summary(picture: LadderPicture, side: str, unit: str) -> list[str]:
    """Return what a market is at, in pieces."""
    return [
        _status(picture),
        f"{side.upper()} {_best('bid', picture, unit)}",
        _best("ask", picture, unit),
        "no spread" if picture.spread is None else f"spread {_exact(picture.spread, picture, unit)}",
        _probability(picture),
    ]


def _status(picture: LadderPicture) -> str:
    """Say where the market stands and, where that is nowhere special, how far the levels may be trusted."""
    market = picture.market
    if market.is_decided:
        return _decided(picture)
    status = STATUS_WORDS.get(picture.status, numbers.clean(picture.status))
    if picture.status == "live" and market.phase in _PHASES:
        return _PHASES[market.phase]
    since = numbers.moment(picture.told_since or picture.status_since)
    return f"{status} since {since}" if picture.status == "stale" else status


def _decided(picture: LadderPicture) -> str:
    market = picture.market
    if market.phase in ("disputed", "amended"):
        word = _PHASES[market.phase]
    else:
        word = f"{'settled' if market.phase == 'finalized' else 'determined'} {(market.result or '').upper()}".strip()
    return word if market.settlement is None else f"{word}, pays ${market.settlement:.4f}"


def _best(name: str, picture: LadderPicture, unit: str) -> str:
    best = picture.best_levels[name == "ask"]
    if best is None:
        return _missing(f"{name}s", picture).partition(":")[0]
    price, size = best
    both = [level[1] for level in picture.best_levels if level is not None]
    written = numbers.size(size, whole=numbers.whole_sizes(both))
    return f"{name} {_exact(price, picture, unit)} x {written}"


def _probability(picture: LadderPicture) -> str:
    found = picture.probability
    if found is None:
        return "chance \N{EN DASH}"
    chance, kind = found
    return f"{'last' if kind == 'last' else 'chance'} {numbers.percent(chance, of_no=picture.is_no)}"


def _exact(dollars: float, picture: LadderPicture, unit: str) -> str:
    """Return a price of the book: merged levels have fewer decimals than it may need."""
    return numbers.price(dollars, max(picture.decimals, numbers.needed(dollars)), unit)


def _foot(picture: LadderPicture, unit: str) -> list[str]:
    """Return what stands below the levels."""
    lines = []
    if picture.mid is not None and picture.imbalance is not None:
        # Half of a sum of two prices needs one decimal more than they have, and only where it is odd.
        decimals = max(
            picture.decimals, *(numbers.needed(level[0]) for level in picture.best_levels if level is not None)
        )
        halves = round(picture.mid * 2 * 10 ** (decimals + 2)) % 2
        mid = numbers.price(picture.mid, decimals + halves, unit)
        lines.append(f"mid {mid} · imbalance {numbers.signed_percent(picture.imbalance)}")
    last = picture.last
    if last is not None:
        whole = numbers.whole_sizes([last.size])
        taker = f" {last.taker.upper()} taker" if last.taker else ""
        price, size = _exact(last.price, picture, unit), numbers.size(last.size, whole=whole)
        lines.append(f"last {price} x {size}{taker} at {numbers.moment(last.at)}")
    if picture.changed_at is not None:
        lines.append(f"changed {numbers.moment(picture.changed_at)}")
    return lines

"""A book's depth without a browser: five rows of plain text, and a drawing with the same five rows as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kalshi_nb._widgets import numbers
from kalshi_nb._widgets.depth.curve import DISTANCES, reach, steps, window
from kalshi_nb._widgets.ladder.text import ladder_line
from kalshi_nb._widgets.still import STYLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kalshi_nb._widgets.ladder.picture import LadderPicture, Level

__all__ = ["depth_html", "depth_text"]

_NONE: Final = "\N{EN DASH}"
_WIDE: Final = 480
_HIGH: Final = 140
_BASE: Final = 120  # where nothing lies
_TOP: Final = 14


class _Row(NamedTuple):
    """What lies within one distance, as text."""

    within: str
    bids: str
    sold_at: str
    brings: str
    asks: str
    bought_at: str
    costs: str


def depth_text(picture: LadderPicture, *, side: str = "yes", unit: str = "cents") -> str:
    """Return what lies 1, 2, 5, 10 and 20 cents from the touch, below one line that says what a market is at.

    Parameters
    ----------
    picture : LadderPicture
        The book, of the YES leg.
    side : str
        The leg to show it of.
    unit : str
        What prices are written in.
    """
    leg = picture.mirrored() if side == "no" else picture
    lines = [f"{ladder_line(picture, side=side, unit=unit)}   (snapshot {numbers.moment(picture.clock)})"]
    title = numbers.clean(_title(leg))
    lines += [f"  {title}"] if title else []
    rows = [_Row("within", "bids", "sold at", "for", "asks", "bought at", "for"), *_rows(leg, unit)]
    widths = [max(len(row[column]) for row in rows) for column in range(7)]
    lines += ["  ".join(["", *(row[at].rjust(widths[at]) for at in range(7))]) for row in rows]
    lines += ["(sums are before fees)", *([f"({numbers.clean(leg.note)})"] if leg.note else [])]
    return "\n".join(lines)


def depth_html(picture: LadderPicture, *, side: str = "yes", unit: str = "cents", note: str = "") -> str:
    """Return the same as a drawing and a table that stand still, without script, address or id, under 20 KB.

    Parameters
    ----------
    picture, side, unit
        As for :func:`depth_text`. All text is escaped.
    note : str
        What to say below it.
    """
    leg = picture.mirrored() if side == "no" else picture
    title = _title(leg)
    line = ladder_line(picture, side=side, unit=unit)
    caption = [f"<code>{numbers.markup(line.partition('  ')[0])}</code>"]
    caption += [numbers.markup(title)] if title else []
    caption += [numbers.markup(line.partition("  ")[2].replace("  ", " · "))]
    heads = [
        "from the touch",
        "bid contracts",
        "sold at, on average",
        "for, before fees",
        "ask contracts",
        "bought at, on average",
        "for, before fees",
    ]
    foot = [each for each in (leg.note, note) if each]
    return "".join(
        (
            f'<style>{STYLE}</style><table class="kalshi-still">',
            f"<caption>{'<br>'.join(caption)}<br>snapshot {numbers.moment(leg.clock)}<br>",
            f"{_drawing(leg, unit)}</caption><thead><tr>",
            *(f'<th scope="col" align="right">{head}</th>' for head in heads),
            "</tr></thead><tbody>",
            *(_html_row(row) for row in _rows(leg, unit)),
            "</tbody><tfoot>",
            *(f'<tr><td colspan="7" align="left">{numbers.markup(each)}</td></tr>' for each in foot),
            "</tfoot></table>",
        )
    )


def _title(leg: LadderPicture) -> str:
    return " · ".join(each for each in (leg.market.title, leg.market.subtitle) if each)


def _rows(leg: LadderPicture, unit: str) -> list[_Row]:
    whole = numbers.whole_sizes(size for side in (leg.bids, leg.asks) for _, size in side)
    return [
        _Row(
            f"{distance * 100:.0f}¢",
            *_cells(leg.bids, distance, leg, unit, "no bids", whole=whole),
            *_cells(leg.asks, distance, leg, unit, "no asks", whole=whole),
        )
        for distance in DISTANCES
    ]


def _cells(
    levels: Sequence[Level], distance: float, leg: LadderPicture, unit: str, missing: str, *, whole: bool
) -> tuple[str, str, str]:
    found = reach(levels, distance)
    if found.average is None:
        return missing, _NONE, _NONE
    average = numbers.price(found.average, max(1, leg.decimals), unit)
    return numbers.size(found.contracts, whole=whole), average, f"${found.dollars:,.2f}"


def _html_row(row: _Row) -> str:
    cells = "".join(f'<td align="right">{numbers.markup(each)}</td>' for each in row[1:])
    return f'<tr><th scope="row" align="right">{row.within}</th>{cells}</tr>'


def _drawing(leg: LadderPicture, unit: str) -> str:
    """Return both sides as a drawing in the colour of the text: bids solid and on the left, asks dashed."""
    low, high = window(leg)
    curves = {
        "bids": [step for step in steps(leg.bids) if step[0] >= low],
        "asks": [step for step in steps(leg.asks) if step[0] <= high],
    }
    full = max((total for curve in curves.values() for _, total in curve), default=0.0)
    parts = []
    for name, curve in curves.items():
        if curve:
            parts.append(_path(curve, (low, high), full, is_bid=name == "bids"))
        else:
            at = _WIDE // 4 if name == "bids" else 3 * _WIDE // 4
            parts.append(f'<text x="{at}" y="{_HIGH // 2}" text-anchor="middle">no {name}</text>')
    ends = [(0, "start", low), (_WIDE, "end", high)]
    parts += [
        f'<text x="{x}" y="{_HIGH - 4}" text-anchor="{anchor}">{numbers.markup(numbers.price(price, 0, unit))}</text>'
        for x, anchor, price in ends
    ]
    if full:
        most = numbers.size(full, whole=numbers.whole_sizes([full]))
        parts.append(f'<text x="{_WIDE // 2}" y="10" text-anchor="middle">up to {most} contracts</text>')
    return (
        f'<svg role="img" width="{_WIDE}" height="{_HIGH}" viewBox="0 0 {_WIDE} {_HIGH}" fill="currentColor" '
        f'stroke="none" font-size="11"><title>Depth of the book; the numbers are in the table</title>'
        f'<path d="M0 {_BASE}.5H{_WIDE}" stroke="currentColor" stroke-opacity="0.4" fill="none"/>'
        f"{''.join(parts)}</svg>"
    )


def _path(curve: Sequence[Level], shown: tuple[float, float], full: float, *, is_bid: bool) -> str:
    """Return one side: from its best price outwards, up at each level, on to the edge."""
    low, high = shown

    def x(price: float) -> str:
        return f"{(price - low) / (high - low) * _WIDE:.1f}"

    drawn = f"M{x(curve[0][0])} {_BASE}"
    for price, total in curve:
        drawn += f"H{x(price)}V{_BASE - total / full * (_BASE - _TOP):.1f}"
    drawn += f"H{0 if is_bid else _WIDE}"
    dash = "" if is_bid else ' stroke-dasharray="6 3"'
    return (
        f'<path d="{drawn}V{_BASE}Z" fill-opacity="0.18"/>'
        f'<path d="{drawn}" fill="none" stroke="currentColor" stroke-width="2"{dash}/>'
    )

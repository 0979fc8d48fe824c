"""Several books without a browser: a line or a row each, with what a book is at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kalshi_nb._widgets import numbers
from kalshi_nb._widgets.ladder.text import ladder_line, ladder_parts
from kalshi_nb._widgets.still import STYLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kalshi_nb._widgets.ladder.picture import LadderPicture

__all__ = ["books_html", "books_text"]

_TITLE: Final = 120
"""Letters of a title: with twelve of the longest a notebook stores less than 20 KB."""


def books_text(books: Sequence[LadderPicture], more: str = "", *, side: str = "yes", unit: str = "cents") -> str:
    """Return a line for each book: market, status, best prices, spread, chance.

    Parameters
    ----------
    books : sequence of LadderPicture
        What to show, of the YES leg.
    more : str
        Words for those that are left out.
    side, unit : str
        As for :func:`kalshi_nb._widgets.ladder.text.ladder_line`.
    """
    lines = [ladder_line(each, side=side, unit=unit) for each in books] or ["no books"]
    if books:
        lines[0] += f"   (snapshot {numbers.moment(books[0].clock)})"
    return "\n".join([*lines, *([f"({numbers.clean(more)})"] if more else [])])


def books_html(
    books: Sequence[LadderPicture], more: str = "", *, side: str = "yes", unit: str = "cents", note: str = ""
) -> str:
    """Return a table that stands still, with a row for each book.

    Parameters
    ----------
    books, more, side, unit
        As for :func:`books_text`. All text is escaped.
    note : str
        What to say below it.
    """
    heads = ["market", "status", f"{side.upper()} bid", f"{side.upper()} ask", "spread", "chance"]
    when = f"snapshot {numbers.moment(books[0].clock)}" if books else "no books"
    rows = []
    for each in books:
        title = " · ".join(part for part in (each.market.title, each.market.subtitle) if part)[:_TITLE]
        name = f"<code>{numbers.markup(each.market.ticker[:_TITLE])}</code>"
        name += f"<br>{numbers.markup(title)}" if title else ""
        cells = "".join(
            f'<td align="{"left" if i == 0 else "right"}">{numbers.markup(part.removeprefix("chance "))}</td>'
            for i, part in enumerate(ladder_parts(each, side=side, unit=unit))
        )
        rows.append(f'<tr><th scope="row" align="left">{name}</th>{cells}</tr>')
    feet = "".join(
        f'<tr><td colspan="6" align="left">{numbers.markup(each)}</td></tr>' for each in (more, note) if each
    )
    return "".join(
        (
            f'<style>{STYLE}</style><table class="kalshi-still"><caption>{when}</caption><thead><tr>',
            *(f'<th scope="col" align="{"left" if i < 2 else "right"}">{head}</th>' for i, head in enumerate(heads)),
            f"</tr></thead><tbody>{''.join(rows)}</tbody><tfoot>{feet}</tfoot></table>",
        )
    )

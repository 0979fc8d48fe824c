"""Tables that stand still: for notebooks read without a kernel, and for pages that take away style and script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kalshi_nb._widgets import numbers

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

__all__ = ["STYLE", "still_table"]

STYLE: Final = (
    ".kalshi-still{border-collapse:collapse;font:13px/1.5 system-ui,sans-serif;font-variant-numeric:tabular-nums}"
    ".kalshi-still caption{min-width:44em;text-align:left;padding:4px 0}"
    ".kalshi-still th,.kalshi-still td{padding:0 8px;border:0;white-space:nowrap;font-weight:400}"
    ".kalshi-still tfoot td{max-width:0;white-space:normal}"
)
"""What makes a table that stands still easier to read where it may. What stands above need not be as narrow as it is,
and what stands below never makes it wider."""


def still_table(
    caption: Iterable[str],
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    foot: Iterable[str] = (),
    *,
    right: Collection[int] = (),
) -> str:
    """Return a table as markup without script, address or id; nothing is lost without its style.

    Parameters
    ----------
    caption : iterable of str
        The lines above it.
    heads : sequence of str
        The names of its columns; the first column names the row.
    rows : iterable of sequence of str
        Its cells. All text is escaped.
    foot : iterable of str
        The lines below.
    right : collection of int
        Which columns are numbers.
    """
    sides = ["right" if place in right else "left" for place in range(len(heads))]
    return "".join(
        (
            f'<style>{STYLE}</style><table class="kalshi-still"><caption>',
            "<br>".join(map(numbers.markup, caption)),
            "</caption><thead><tr>",
            *(f'<th scope="col" align="{side}">{head}</th>' for head, side in zip(heads, sides, strict=True)),
            "</tr></thead><tbody>",
            *(_row(row, sides) for row in rows),
            "</tbody><tfoot>",
            *(f'<tr><td colspan="{len(heads)}" align="left">{numbers.markup(each)}</td></tr>' for each in foot),
            "</tfoot></table>",
        )
    )


def _row(row: Sequence[str], sides: Sequence[str]) -> str:
    first, *others = zip(row, sides, strict=True)
    cells = "".join(f'<td align="{side}">{numbers.markup(each)}</td>' for each, side in others)
    return f'<tr><th scope="row" align="{first[1]}">{numbers.markup(first[0])}</th>{cells}</tr>'

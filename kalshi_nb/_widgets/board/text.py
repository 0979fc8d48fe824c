"""A board without a browser: plain text for terminals, a static table for saved notebooks and for GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kalshi_nb._widgets import numbers
from kalshi_nb._widgets.board.picture import STATES
from kalshi_nb._widgets.board.presenter import chance_of_open, ranked

if TYPE_CHECKING:
    from kalshi_nb._widgets.board.picture import BoardPicture

__all__ = ["board_html", "board_line", "board_text"]

_TEXT_ROWS: Final = 10
_HTML_ROWS: Final = 20
_LONGEST: Final = 80
"""Characters of a name in a table that stands still."""

_STYLE: Final = (
    ".kalshi-board{border-collapse:collapse;font:13px/1.5 system-ui,sans-serif;font-variant-numeric:tabular-nums}"
    ".kalshi-board caption{text-align:left;padding:4px 0}"
    ".kalshi-board th,.kalshi-board td{padding:0 8px;border:0;white-space:nowrap;font-weight:400}"
)
_NUMBERS: Final = ("prob", "bid", "ask", "spread", "last", "volume", "open_interest")
_HEADS: Final = {"prob": "chance", "open_interest": "open interest"}
_ORDERS: Final = {
    "market": "ticker",
    "prob": "chance",
    "open_interest": "open interest",
    "closes": "time of closing",
    "change": "volume",
    "trend": "volume",
}
_DASH: Final = "\N{EN DASH}"


def board_line(picture: BoardPicture, title: str) -> str:
    """Return one line that says which markets these are, and how far they may be trusted."""
    shown, total = len(picture.names), picture.total
    of = f"{shown:,} of {total:,} open markets" if shown < total else f"{shown:,} market{'' if shown == 1 else 's'}"
    words = [each for each in (f'with "{numbers.clean(picture.filter)}"' if picture.filter else "",) if each]
    name = picture.sort.lstrip("-")
    return ", ".join([f"{numbers.clean(title)}  {picture.status}  {of}", *words, f"by {_ORDERS.get(name, name)}"])


def board_text(picture: BoardPicture, title: str, *, unit: str = "cents") -> str:
    """Return a board as aligned plain text: one line that says what it is, then its first ten markets.

    Parameters
    ----------
    picture : BoardPicture
        What to show.
    title : str
        What it is of.
    unit : str
        What prices are written in; see :func:`kalshi_nb._widgets.numbers.price`.
    """
    rows = _rows(picture, unit, _TEXT_ROWS)
    lines = [f"{board_line(picture, title)}   (snapshot {numbers.moment(picture.clock)})"]
    if rows:
        table = [["market", *(_HEADS.get(each, each) for each in _NUMBERS), ""], *rows]
        widths = [max(len(row[place]) for row in table) for place in range(len(table[0]))]
        lines += [
            "  ".join(
                ["", row[0].ljust(widths[0]), *(row[i].rjust(widths[i]) for i in range(1, len(widths) - 1)), row[-1]]
            ).rstrip()
            for row in table
        ]
    left = len(picture.names) - len(rows)
    lines += [f"  … {left:,} more"] if left else []
    lines += [] if rows else [f"  {_nothing(picture)}"]
    lines += [f"({numbers.clean(picture.note)})"] if picture.note else []
    return "\n".join(lines)


def board_html(picture: BoardPicture, title: str, *, unit: str = "cents", note: str = "") -> str:
    """Return a board as a static table of its first twenty markets, for notebooks read without a kernel.

    Parameters
    ----------
    picture, title, unit
        As for :func:`board_text`. All text is escaped.
    note : str
        What to say below it.

    Returns
    -------
    str
        Markup without script, address or id, under 20 KB.
    """
    rows = _rows(picture, unit, _HTML_ROWS)
    heads = [("market", "left"), *((_HEADS.get(each, each), "right") for each in _NUMBERS), ("", "left")]
    left = len(picture.names) - len(rows)
    foot = [f"… {left:,} more"] if left else []
    foot += [each for each in ("" if rows else _nothing(picture), picture.note, note) if each]
    return "".join(
        (
            f'<style>{_STYLE}</style><table class="kalshi-board">',
            f"<caption>{numbers.markup(board_line(picture, title))}<br>",
            f"snapshot {numbers.moment(picture.clock)}</caption><thead><tr>",
            *(f'<th scope="col" align="{align}">{head}</th>' for head, align in heads),
            "</tr></thead><tbody>",
            *(_html_row(row) for row in rows),
            "</tbody><tfoot>",
            *(f'<tr><td colspan="{len(heads)}" align="left">{numbers.markup(each)}</td></tr>' for each in foot),
            "</tfoot></table>",
        )
    )


def _html_row(row: list[str]) -> str:
    cells = "".join(f'<td align="right">{numbers.markup(each)}</td>' for each in row[1:-1])
    head = f'<th scope="row" align="left"><code>{numbers.markup(row[0])}</code></th>'
    return f'<tr>{head}{cells}<td align="left">{numbers.markup(row[-1])}</td></tr>'


def _nothing(picture: BoardPicture) -> str:
    return "no ticker yet" if picture.status == "connecting" else "no market"


def _rows(picture: BoardPicture, unit: str, most: int) -> list[list[str]]:
    """Return the first rows as text: the ticker, the numbers, and what else is to be said of the market."""
    import polars as pl  # noqa: PLC0415  # importing the kit stays light

    names = {each.ticker: each for each in picture.names}
    rows = picture.values.with_columns(pl.Series("market", list(names), dtype=pl.String()))
    shown = ranked(rows, picture.sort).head(most).with_columns(chance_of_open().alias("prob")).to_dicts()
    prices = [row[each] for row in shown for each in ("bid", "ask", "last") if row[each] is not None]
    decimals = _decimals(prices)
    whole = numbers.whole_sizes(
        row[each] for row in shown for each in ("volume", "open_interest") if row[each] is not None
    )

    def written(row: dict[str, Any], name: str) -> str:
        if name == "spread":
            both = row["bid"] is not None and row["ask"] is not None
            return numbers.price(round(row["ask"] - row["bid"], 4), decimals, unit) if both else _DASH
        value = row[name]
        if value is None:
            return _DASH
        if name == "prob":
            return numbers.percent(value)
        return numbers.size(value, whole=whole) if name in _NUMBERS[-2:] else numbers.price(value, decimals, unit)

    return [
        [_short(row["market"]), *(written(row, each) for each in _NUMBERS), _more(row, names[row["market"]].subtitle)]
        for row in shown
    ]


def _more(row: dict[str, Any], subtitle: str) -> str:
    state = STATES[int(row["state"])]
    return "  ".join(each for each in ("" if state == "active" else state, _short(subtitle)) if each)


def _short(words: str) -> str:
    words = numbers.clean(words)
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"


def _decimals(dollars: list[float]) -> int:
    """Return how many decimals of a cent these prices need."""
    parts = [round(each * 10_000) for each in dollars]
    return 2 if any(each % 10 for each in parts) else 1 if any(each % 100 for each in parts) else 0

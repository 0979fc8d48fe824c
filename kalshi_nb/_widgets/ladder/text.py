"""A ladder without a browser: plain text for terminals, static HTML for saved notebooks."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from kalshi_nb._widgets.ladder.picture import LadderPicture, Level

__all__ = ["bundle", "contracts_text", "ladder_html", "ladder_text", "mid_text", "price_text", "spread_text"]

STATUS_WORDS: Final = {"unknown": "no such market"}
"""What a status is called where its own name would not do."""

PRICE_HEADING: Final = "price (YES, $)"
SIZE_HEADING: Final = "contracts"
TOTAL_HEADING: Final = "total"

_STYLE: Final = """
.kalshi-ladder-static{border-collapse:collapse;font:13px/1.5 system-ui,sans-serif}
.kalshi-ladder-static{font-variant-numeric:tabular-nums}
.kalshi-ladder-static caption{text-align:left;padding:4px 0}
.kalshi-ladder-static code{font-weight:600;background:none}
.kalshi-ladder-static th,.kalshi-ladder-static td{text-align:right;padding:0 10px;border:0}
.kalshi-ladder-static th{font-weight:400;opacity:.75}
.kalshi-ladder-static td.note{text-align:center;opacity:.8;padding:3px 10px}
.kalshi-ladder-static .ask{color:#c0392b;color:var(--jp-error-color0,#c0392b)}
.kalshi-ladder-static .bid{color:#1e7d45;color:var(--jp-success-color0,#1e7d45)}
""".strip()


def price_text(price: float, decimals: int) -> str:
    """Return a price in dollars with as many decimals as its market has."""
    return f"{price:.{decimals}f}"


def contracts_text(size: float) -> str:
    """Return a size with thousands separators, and two decimals only where it is not whole."""
    hundredths = round(size * 100)
    return f"{hundredths // 100:,}" if hundredths % 100 == 0 else f"{hundredths / 100:,.2f}"


def mid_text(picture: LadderPicture) -> str | None:
    """Return the middle between best bid and best ask in dollars, None where a side is missing."""
    if not picture.asks or not picture.bids:
        return None
    # Half of a sum of two prices needs one decimal more than they have, and only where it is odd.
    text = f"{(picture.asks[0][0] + picture.bids[0][0]) / 2:.{picture.price_decimals + 1}f}"
    return text.removesuffix("0")


def spread_text(picture: LadderPicture) -> str | None:
    """Return best ask less best bid in dollars, None where a side is missing."""
    if not picture.asks or not picture.bids:
        return None
    return price_text(picture.asks[0][0] - picture.bids[0][0], picture.price_decimals)


def ladder_text(market_ticker: str, picture: LadderPicture) -> str:
    """Return a ladder as aligned plain text: one line that says it all, then asks above bids.

    Parameters
    ----------
    market_ticker : str
        The market.
    picture : LadderPicture
        What to show; prices in YES dollars, sizes in contracts.

    Returns
    -------
    str
        Lines without trailing blanks or a final newline.
    """
    asks = _rows(picture.asks, picture.price_decimals)[::-1] or [_Row(_missing_side("asks", picture))]
    bids = _rows(picture.bids, picture.price_decimals) or [_Row(_missing_side("bids", picture))]
    table = [_Row(PRICE_HEADING, SIZE_HEADING, TOTAL_HEADING), *asks, *bids]
    widths = [max(len(row[column]) for row in table) for column in range(3)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in table]
    lines.insert(1 + len(asks), "-" * (sum(widths) + 4))
    foot = [f"({picture.note})"] if picture.note else []
    return "\n".join([_summary(market_ticker, picture), *(f"  {line}".rstrip() for line in lines), *foot])


def ladder_html(market_ticker: str, picture: LadderPicture) -> str:
    """Return a ladder as a static HTML table with its own style, for notebooks read without a kernel.

    Parameters
    ----------
    market_ticker : str
        The market. It, the note and the status are escaped.
    picture : LadderPicture
        What to show; prices in YES dollars, sizes in contracts.

    Returns
    -------
    str
        Markup without scripts. Its style touches nothing else on the page.
    """
    status = STATUS_WORDS.get(picture.status, picture.status)
    when = "" if picture.changed_at is None else f" as of {_moment(picture.changed_at)}"
    spread, mid = spread_text(picture), mid_text(picture)
    middle = "no spread" if spread is None else f"spread {spread} &middot; mid {mid}"
    decimals = picture.price_decimals
    note = f'<tr><td class="note" colspan="3">{escape(picture.note)}</td></tr>' if picture.note else ""
    parts = [
        f"<style>{_STYLE}</style>",
        '<table class="kalshi-ladder-static">',
        f"<caption><code>{escape(market_ticker)}</code> {escape(status)}{when}</caption><thead><tr>",
        *(f"<th>{heading}</th>" for heading in (PRICE_HEADING, SIZE_HEADING, TOTAL_HEADING)),
        "</tr></thead><tbody>",
        _html_side("ask", _rows(picture.asks, decimals)[::-1], _missing_side("asks", picture)),
        f'<tr><td class="note" colspan="3">{middle}</td></tr>',
        _html_side("bid", _rows(picture.bids, decimals), _missing_side("bids", picture)),
        note,
        "</tbody></table>",
    ]
    return "".join(parts)


def bundle(market_ticker: str, picture: LadderPicture) -> dict[str, Any]:
    """Return what a cell shows where there is no browser, or nothing moves, by MIME type."""
    return {"text/plain": ladder_text(market_ticker, picture), "text/html": ladder_html(market_ticker, picture)}


class _Row(NamedTuple):
    """Price, contracts and running total, as text."""

    price: str
    size: str = ""
    total: str = ""


def _rows(levels: tuple[Level, ...], decimals: int) -> list[_Row]:
    """Return the rows of one side, best first."""
    rows = []
    total = 0.0
    for price, size in levels:
        total += size
        rows.append(_Row(price_text(price, decimals), contracts_text(size), contracts_text(total)))
    return rows


def _missing_side(side: str, picture: LadderPicture) -> str:
    """Say that a side is empty, that nobody knows yet, or that nobody ever did."""
    if picture.status == "closed" and picture.changed_at is None:
        return f"no {side} came"
    return f"no {side} yet" if picture.status == "connecting" else f"no {side}"


def _html_side(side: str, rows: list[_Row], missing: str) -> str:
    if not rows:
        return f'<tr><td class="note {side}" colspan="3">{missing}</td></tr>'
    return "".join(
        f'<tr><td class="{side}">{price}</td><td>{size}</td><td>{total}</td></tr>' for price, size, total in rows
    )


def _summary(market_ticker: str, picture: LadderPicture) -> str:
    """Return the line that says it all."""
    status = STATUS_WORDS.get(picture.status, picture.status)
    if picture.status == "stale":
        status += f" since {_moment(picture.status_since)}"
    return "  ".join(
        (
            market_ticker,
            status,
            _best("bid", picture.bids, picture),
            _best("ask", picture.asks, picture),
            f"spread {spread_text(picture) or 'none'}",
        ),
    )


def _best(side: str, levels: tuple[Level, ...], picture: LadderPicture) -> str:
    if not levels:
        return _missing_side(f"{side}s", picture)
    price, size = levels[0]
    return f"{side} {price_text(price, picture.price_decimals)} x {contracts_text(size)}"


def _moment(epoch_seconds: float) -> str:
    """Return date and time in UTC; the date too, since a saved notebook is read on another day."""
    return datetime.fromtimestamp(epoch_seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")

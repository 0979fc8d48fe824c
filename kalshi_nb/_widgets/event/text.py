"""An event panel without a browser: plain text for terminals, static HTML for saved notebooks and for GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kalshi_nb._widgets import numbers
from kalshi_nb._widgets.still import STYLE

if TYPE_CHECKING:
    from kalshi_nb._widgets.event.picture import EventPicture, Leg, Total

__all__ = ["event_html", "event_line", "event_text"]

_STATUS: Final = {"unknown": "no such market", "connecting": "waiting for the snapshot"}
_PHASES: Final = {
    "initialized": "not open yet",
    "inactive": "halted by the exchange",
    "closed": "closed, awaiting result",
    "disputed": "result disputed",
    "amended": "result amended",
}
_ROWS: Final = 60
"""Markets in a table that stands still: what a notebook stores stays under 20 KB."""
_NONE: Final = "\N{EN DASH}"
_LONGEST: Final = 80  # characters of what a market is called


class _Row(NamedTuple):
    """One market, as text."""

    market: str
    chance: str
    bid: str
    ask: str
    share: str
    state: str


def event_line(picture: EventPicture, *, unit: str = "cents") -> str:
    """Return one line that says it all: the event, how far it may be trusted, how many markets, and their sums."""
    return "  ".join([numbers.clean(picture.event_ticker), *_summary(picture, unit)])


def event_text(picture: EventPicture, *, sort: str = "strike", unit: str = "cents", normalise: bool = False) -> str:
    """Return the markets of an event as aligned plain text below one line that says it all.

    Parameters
    ----------
    picture : EventPicture
        What to show.
    sort : str
        ``"strike"`` or ``"probability"``.
    unit : str
        What prices are written in.
    normalise : bool
        Whether to add the mids in proportion to their sum, where that can be said.
    """
    lines = [f"{event_line(picture, unit=unit)}   (snapshot {numbers.moment(picture.clock)})"]
    title = _title(picture)
    lines += [f"  {title}"] if title else []
    rows = [
        _Row("market", "chance", "bid", "ask", "mid / sum of mids" if normalise else "", ""),
        *_rows(picture, sort, unit, normalise),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    for row in rows:
        numbers_of = [row[at].rjust(widths[at]) for at in range(1, 5) if widths[at]] if row.chance else []
        lines.append("  ".join(["", row.market.ljust(widths[0]), *numbers_of, row.state]).rstrip())
    lines += [f"({numbers.clean(each)})" for each in _foot(picture, normalise)]
    return "\n".join(lines)


def event_html(
    picture: EventPicture,
    *,
    sort: str = "strike",
    unit: str = "cents",
    normalise: bool = False,
    note: str = "",
) -> str:
    """Return the same as a static HTML table, escaped, without script, address or id, under 20 KB.

    Parameters
    ----------
    picture, sort, unit, normalise
        As for :func:`event_text`.
    note : str
        What to say below it.
    """
    heads = [("market", "left"), ("chance", "right"), ("bid (YES)", "right"), ("ask (YES)", "right")]
    heads += [("normalised: mid / sum of mids", "right")] if normalise else []
    heads += [("", "left")]
    caption = [f"<code>{numbers.markup(picture.event_ticker)}</code>"]
    caption += [numbers.markup(title)] if (title := _title(picture)) else []
    caption += [numbers.markup(" · ".join(_summary(picture, unit)))]
    foot = [*_foot(picture, normalise), *([note] if note else [])]
    return "".join(
        (
            f'<style>{STYLE}</style><table class="kalshi-still">',
            f"<caption>{'<br>'.join(caption)}<br>snapshot {numbers.moment(picture.clock)}</caption><thead><tr>",
            *(f'<th scope="col" align="{align}">{head}</th>' for head, align in heads),
            "</tr></thead><tbody>",
            *(_html_row(row, normalise) for row in _rows(picture, sort, unit, normalise)),
            "</tbody><tfoot>",
            *(f'<tr><td colspan="{len(heads)}" align="left">{numbers.markup(each)}</td></tr>' for each in foot),
            "</tfoot></table>",
        )
    )


def _html_row(row: _Row, normalise: bool) -> str:
    cells = [row.chance, row.bid, row.ask, *([row.share] if normalise else [])]
    right = "".join(f'<td align="right">{numbers.markup(each)}</td>' for each in cells)
    return (
        f'<tr><th scope="row" align="left">{numbers.markup(row.market)}</th>{right}'
        f'<td align="left">{numbers.markup(row.state)}</td></tr>'
    )


def _title(picture: EventPicture) -> str:
    return numbers.clean(" · ".join(each for each in (picture.title, picture.subtitle) if each))


def _summary(picture: EventPicture, unit: str) -> list[str]:
    """Return how an event stands, in pieces."""
    status = _STATUS.get(picture.status, numbers.clean(picture.status))
    if picture.status == "stale":
        status = f"stale since {numbers.moment(picture.told_since or picture.status_since)}"
    count = len(picture.legs)
    told = [status, f"{count} market{'' if count == 1 else 's'}"]
    sums = picture.sums
    if picture.exclusive is False:
        told.append("not mutually exclusive")
    if picture.exclusive:
        told.append("mutually exclusive")
    if sums is not None:
        told += [
            f"sum of mids {_sum(sums.mid, sums.markets, picture.decimals + 1, 'probability')}",
            f"of bids {_sum(sums.bid, sums.markets, picture.decimals, unit)}",
            f"of asks {_sum(sums.ask, sums.markets, picture.decimals, unit)}",
        ]
    return told


def _sum(total: Total, count: int, decimals: int, unit: str) -> str:
    if not total.markets:
        return _NONE
    written = numbers.price(total.dollars, decimals, unit)
    return written if total.markets == count else f"{written} ({total.markets} of {count})"


def _rows(picture: EventPicture, sort: str, unit: str, normalise: bool) -> list[_Row]:
    legs = picture.ordered(sort)
    rows = [_row(picture, leg, unit) for leg in legs[:_ROWS]]
    rows = [
        row._replace(state=", ".join(["this market", *([row.state] if row.state else [])]))
        if leg.ticker == picture.current
        else row
        for row, leg in zip(rows, legs, strict=False)
    ]
    if normalise:
        told = {ticker: f"{share * 100:.1f} %" for ticker, share in picture.shares().items()}
        rows = [
            row if leg.is_decided else row._replace(share=told.get(leg.ticker, _NONE))
            for row, leg in zip(rows, legs, strict=False)
        ]
    if len(legs) > _ROWS:
        rows.append(_Row("…", "", "", "", "", f"{len(legs) - _ROWS} more"))
    return rows


def _row(picture: EventPicture, leg: Leg, unit: str) -> _Row:
    words = numbers.clean(leg.words)
    words = words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"
    if leg.is_decided:
        return _Row(words, "", "", "", "", _result(leg))
    return _Row(
        words,
        _chance(leg),
        _price(leg.bid, "bid", leg, picture, unit),
        _price(leg.ask, "ask", leg, picture, unit),
        "",
        _state(leg, picture),
    )


def _chance(leg: Leg) -> str:
    if leg.chance is None:
        return _NONE
    chance, kind = leg.chance
    return f"{'last ' if kind == 'last' else ''}{numbers.percent(chance)}"


def _price(dollars: float | None, name: str, leg: Leg, picture: EventPicture, unit: str) -> str:
    if dollars is not None:
        return numbers.price(dollars, picture.decimals, unit)
    return _NONE if leg.status in ("connecting", "unknown") else f"no {name}"


def _state(leg: Leg, picture: EventPicture) -> str:
    """Say what is to be known of one market beside its prices, where that is not what is said of all."""
    if leg.status != picture.status and leg.status in ("stale", "connecting", "unknown"):
        return _STATUS.get(leg.status, leg.status)
    return _PHASES.get(leg.phase or "", "")


def _result(leg: Leg) -> str:
    word = _PHASES.get(leg.phase or "") or ("settled" if leg.phase == "finalized" else "determined")
    result = f"{word} {numbers.clean(leg.result or '').upper()}".strip()
    return result if leg.settlement is None else f"{result}, pays ${leg.settlement:.4f}"


def _foot(picture: EventPicture, normalise: bool) -> list[str]:
    told = [picture.unnormalised] if normalise and picture.unnormalised else []
    if picture.exclusive is None:
        told.append("not known whether the markets exclude each other, so nothing is added up")
    return [*([picture.note] if picture.note else []), *told]

"""The markets of the simulated exchange: four events of one Sunday, and the quiet one of a far election."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any, Final

from kalshi_nb.sim._market import ListedEvent, Market, Temper

__all__ = ["CATALOGUE", "EVENTS", "TODAY", "weather"]

_MARKET_IDS: Final = uuid.UUID("6b1f0a6e-5d0c-4f6e-9a53-2f1c1d0e7b11")
_HOUR: Final = 3_600
_DAY: Final = 24 * _HOUR


def _market(ticker: str, title: str, grid: str, subtitle: str, **strike: Any) -> Market:
    event_ticker = ticker.rpartition("-")[0]
    series_ticker = ticker.partition("-")[0]
    market_id = str(uuid.uuid5(_MARKET_IDS, ticker))
    return Market(ticker, event_ticker, series_ticker, title, grid, market_id, subtitle, **strike)


def weather(day: date, lowest: int) -> tuple[ListedEvent, tuple[tuple[Market, Temper], ...]]:
    """Return what is asked about one day's temperature: six ranges of degrees, of which `lowest` begins the second."""
    name = f"KXHIGHNY-{day:%y}{_MONTHS[day.month - 1].upper()}{day.day:02}"
    said = f"{_MONTHS[day.month - 1]} {day.day}, {day.year}"
    event = ListedEvent(name, "KXHIGHNY", f"Highest temperature in NYC on {said}?", said, True, 2.0, _DAY)
    markets = []
    for above, temper in _WEATHER:
        floor = None if above is None else lowest + above
        cap = lowest if floor is None else None if above == _WARMEST else floor + 1
        if floor is None:
            short, words, subtitle = f"T{lowest}", f"below {lowest}°", f"{lowest - 1}° or below"
        elif cap is None:
            short, words, subtitle = f"T{floor}", f"above {floor}°", f"{floor + 1}° or above"
        else:
            short, words, subtitle = f"B{floor}.5", f"{floor}-{cap}°", f"{floor}° to {cap}°"
        market = _market(
            f"{name}-{short}",
            f"Will the high temperature in New York be {words} on {said}?",
            "linear_cent",
            subtitle,
            strike_type="less" if floor is None else "greater" if cap is None else "between",
            floor_strike=None if floor is None else float(floor),
            cap_strike=None if cap is None else float(cap),
        )
        markets.append((market, temper))
    return event, tuple(markets)


_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WARMEST: Final = 7
_WEATHER: Final[tuple[tuple[int | None, Temper], ...]] = (
    (None, Temper(400, 18, 200, 200, 14, 5_000_000)),
    (0, Temper(1_100, 20, 200, 200, 14, 3_000_000)),
    (2, Temper(2_700, 22, 200, 200, 16, 1_300_000, has_account=True)),
    (4, Temper(3_400, 25, 200, 200, 18, 900_000, has_account=True)),
    (6, Temper(1_700, 22, 200, 300, 14, 1_800_000, has_account=True)),
    (_WARMEST, Temper(700, 18, 200, 200, 12, 4_000_000)),
)
"""Where each range begins, in degrees above the lowest, and how its market behaves."""

TODAY: Final = date(2026, 11, 22)
"""The day of the weather's live event, whatever the clock says."""

_TODAYS_EVENT, _TODAYS_MARKETS = weather(TODAY, 48)


def _catalogue() -> tuple[tuple[Market, Temper], ...]:
    return (
        *_TODAYS_MARKETS,
        (
            _market("KXBTC15M-26NOV221015-15", "BTC price up in the next 15 mins?", "linear_cent", "Up"),
            Temper(5_200, 90, 300, 200, 14, 260_000, 70, 33, has_account=True),
        ),
        (
            _market(
                "KXNFLGAME-26NOV22NYJBUF-BUF",
                "New York J at Buffalo winner: Buffalo?",
                "tapered_deci_cent",
                "Buffalo",
            ),
            Temper(8_700, 60, 250, 150, 24, 550_000, has_account=True),
        ),
        (
            _market(
                "KXNFLGAME-26NOV22NYJBUF-NYJ",
                "New York J at Buffalo winner: New York J?",
                "tapered_deci_cent",
                "New York J",
            ),
            Temper(1_300, 60, 250, 150, 24, 650_000),
        ),
        (
            _market(
                "KXSENATEOH-28-D",
                "Will the Democratic Party win the Ohio Senate race?",
                "deci_cent",
                "Democratic Party",
            ),
            Temper(4_480, 8, 300, 150, 20, 6_000_000, 40, has_account=True),
        ),
        (
            _market(
                "KXSENATEOH-28-R",
                "Will the Republican Party win the Ohio Senate race?",
                "deci_cent",
                "Republican Party",
            ),
            Temper(5_460, 8, 300, 150, 20, 6_000_000, 40),
        ),
        (
            _market("KXSENATEOH-28-I", "Will an independent win the Ohio Senate race?", "deci_cent", "Independent"),
            Temper(70, 16, 60, 100, 8, 9_000_000, 0, fresh=True),
        ),
    )


CATALOGUE: Final = _catalogue()
"""Every market with its temper."""

EVENTS: Final = {
    event.ticker: event
    for event in (
        ListedEvent(
            "KXBTC15M-26NOV221015", "KXBTC15M", "BTC price up in the next 15 mins?", "Nov 22, 2026", False, 1.0, _HOUR
        ),
        ListedEvent(
            "KXNFLGAME-26NOV22NYJBUF", "KXNFLGAME", "New York J at Buffalo", "Nov 22, 2026", True, 1.5, 6 * _DAY
        ),
        _TODAYS_EVENT,
        ListedEvent("KXSENATEOH-28", "KXSENATEOH", "Ohio Senate winner?", "In 2028", True, 160.0, 200 * _DAY),
    )
}
"""Every event by its ticker, those that close first in front."""

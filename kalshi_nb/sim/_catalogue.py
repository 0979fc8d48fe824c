"""The markets of the simulated exchange: four events of one Sunday, and the quiet one of a far election."""

from __future__ import annotations

import uuid
from typing import Any, Final

from kalshi_nb.sim._market import ListedEvent, Market, Temper

__all__ = ["CATALOGUE", "EVENTS"]

_MARKET_IDS: Final = uuid.UUID("6b1f0a6e-5d0c-4f6e-9a53-2f1c1d0e7b11")
_HOUR: Final = 3_600
_DAY: Final = 24 * _HOUR


def _market(ticker: str, title: str, grid: str, subtitle: str, **strike: Any) -> Market:
    event_ticker = ticker.rpartition("-")[0]
    series_ticker = ticker.partition("-")[0]
    market_id = str(uuid.uuid5(_MARKET_IDS, ticker))
    return Market(ticker, event_ticker, series_ticker, title, grid, market_id, subtitle, **strike)


def _temperature(
    name: str, words: str, subtitle: str, temper: Temper, floor: int | None, cap: int | None
) -> tuple[Market, Temper]:
    title = f"Will the high temperature in New York be {words} on Nov 22, 2026?"
    kind = "less" if floor is None else "greater" if cap is None else "between"
    market = _market(
        f"KXHIGHNY-26NOV22-{name}",
        title,
        "linear_cent",
        subtitle,
        strike_type=kind,
        floor_strike=None if floor is None else float(floor),
        cap_strike=None if cap is None else float(cap),
    )
    return market, temper


def _catalogue() -> tuple[tuple[Market, Temper], ...]:
    return (
        _temperature("T48", "below 48°", "47° or below", Temper(400, 18, 200, 200, 14, 5_000_000), None, 48),
        _temperature("B48.5", "48-49°", "48° to 49°", Temper(1_100, 20, 200, 200, 14, 3_000_000), 48, 49),
        _temperature(
            "B50.5", "50-51°", "50° to 51°", Temper(2_700, 22, 200, 200, 16, 1_300_000, has_account=True), 50, 51
        ),
        _temperature(
            "B52.5", "52-53°", "52° to 53°", Temper(3_400, 25, 200, 200, 18, 900_000, has_account=True), 52, 53
        ),
        _temperature(
            "B54.5", "54-55°", "54° to 55°", Temper(1_700, 22, 200, 300, 14, 1_800_000, has_account=True), 54, 55
        ),
        _temperature("T55", "above 55°", "56° or above", Temper(700, 18, 200, 200, 12, 4_000_000), 55, None),
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
        ListedEvent(
            "KXHIGHNY-26NOV22",
            "KXHIGHNY",
            "Highest temperature in NYC on Nov 22, 2026?",
            "Nov 22, 2026",
            True,
            2.0,
            _DAY,
        ),
        ListedEvent("KXSENATEOH-28", "KXSENATEOH", "Ohio Senate winner?", "In 2028", True, 160.0, 200 * _DAY),
    )
}
"""Every event by its ticker, those that close first in front."""

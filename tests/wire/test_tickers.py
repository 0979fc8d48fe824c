"""What a ticker itself tells of what may be wrong with it."""

import pytest

from kalshi_nb._rows.tickers import hint


@pytest.mark.parametrize(
    ("ticker", "words"),
    [
        ("kxhighny-26nov22-b52.5", "upper case: 'KXHIGHNY-26NOV22-B52.5'"),
        ("KXHIGHNY-26NOV22-b52.5", "upper case: 'KXHIGHNY-26NOV22-B52.5'"),
        ("kxhighny", "upper case: 'KXHIGHNY'"),
        ("KXHIGHNY-26NOV22", "an event or a series"),
        ("KXHIGHNY", "an event or a series"),
    ],
)
def test_what_a_ticker_tells_of_itself_is_said(ticker, words):
    assert words in hint(ticker)


@pytest.mark.parametrize("ticker", ["KXHIGHNY-26NOV22-B52.5", "KXBTC15M-26NOV221015-15", "KXMVE-S2026A-0B1-F2"])
def test_a_ticker_like_any_other_tells_nothing(ticker):
    assert hint(ticker) == ""

"""What a ticker itself tells of what may be wrong with it."""

import pytest

from kalshi_nb._rows.tickers import hint, no_ticker
from kalshi_nb._rows.words import INDICES, LONGEST_NAME


@pytest.mark.parametrize(
    ("ticker", "words"),
    [
        ("kxhighny-26nov22-b52.5", "upper case: 'KXHIGHNY-26NOV22-B52.5'"),
        ("KXHIGHNY-26NOV22-b52.5", "upper case: 'KXHIGHNY-26NOV22-B52.5'"),
        ("kxhighny", "upper case: 'KXHIGHNY'"),
        ("KXHIGHNY-26NOV22", "an event or a series"),
        ("KXHIGHNY", "an event or a series"),
        ("KXHIGHNY\u201026NOV22\u2010B52.5", "HYPHEN (U+2010)"),
        ("KXHIGHNY-26NOV22-B52.5\u200b", "ZERO WIDTH SPACE (U+200B)"),
        ("KXHIGHNY-26NOV22-\u041252.5", "CYRILLIC CAPITAL LETTER VE (U+0412)"),
        ("KXHIGHNY-26NOV22-B52.5\ue000", "U+E000 (U+E000)"),
        ("*", "leave the argument out"),
        ("all", "leave the argument out"),
        ("ALL", "leave the argument out"),
    ],
)
def test_what_a_ticker_tells_of_itself_is_said(ticker, words):
    assert words in hint(ticker)


@pytest.mark.parametrize("ticker", ["KXHIGHNY-26NOV22-B52.5", "KXBTC15M-26NOV221015-15", "KXMVE-S2026A-0B1-F2"])
def test_a_ticker_like_any_other_tells_nothing(ticker):
    assert hint(ticker) == ""


@pytest.mark.parametrize("text", ["\ud800", "KX\ud800", "KXA-1\udfff-B", "https://kalshi.com/\ud800"], ids=ascii)
def test_what_no_json_can_hold_is_no_ticker_and_is_shown_escaped(text):
    problem = no_ticker(text)
    assert problem.isprintable()
    assert "surrogate" in problem or "address of a page" in problem


def test_a_ticker_has_an_end_and_what_is_said_of_a_long_one_has_one_too():
    assert no_ticker("K" * LONGEST_NAME) == ""
    assert "has 201 characters, and no index id more than 200." in no_ticker("K" * 201, INDICES)
    for text in ("K" * 100_000, f"{'K' * 50_000}, {'X' * 50_000}", f"'{'K' * 100_000}'"):
        assert 0 < len(no_ticker(text)) < 500

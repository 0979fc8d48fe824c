"""What the exchange's error codes mean to the kit."""

import pytest

from kalshi_nb._link.refusals import subscription_error
from kalshi_nb._session.requests import Outcome
from kalshi_nb._wire.codes import AGAIN, CODES, TERMINAL, meaning


def test_every_number_from_1_to_29_is_known_once():
    assert list(CODES) == list(range(1, 30))
    assert {number: each.code for number, each in CODES.items()} == {number: number for number in CODES}


def test_exactly_10_and_25_end_a_subscription():
    assert {10, 25} == TERMINAL


def test_what_is_not_the_requests_fault_is_asked_again_but_for_the_limit_of_markets():
    assert {each.code for each in CODES.values() if each.fault != "request"} - {26} == AGAIN


@pytest.mark.parametrize("code", CODES)
def test_every_code_says_what_to_do_next(code):
    step = CODES[code].step
    assert step.endswith(".")
    assert step in str(subscription_error("trade", Outcome(code, CODES[code].words)))


@pytest.mark.parametrize(
    ("text", "tickers", "words"),
    [
        ("Markets not found", ("A",), "Markets not found"),
        ("Markets not found", (), "Markets not found"),
        ("something", ("A",), "Markets not found"),
        ("Underlying tickers required", (), "Underlying tickers required"),
        ("", (), "Underlying tickers required"),
    ],
)
def test_of_the_two_meanings_of_28_words_and_tickers_decide(text, tickers, words):
    found = meaning(28, text, tickers)
    assert found.words == words
    assert ("upper case" in found.step) == (words == "Markets not found")


def test_too_many_markets_stay_too_many_whichever_are_named():
    assert meaning(26, "Subscription market limit exceeded", ("A",)).fault == "pace"


def test_an_unknown_number_is_a_refusal_with_somewhere_to_look():
    found = meaning(77, "Too sunny")
    assert (found.words, found.fault, found.again, found.terminal) == ("Too sunny", "request", False, False)
    assert "feed.rejects" in found.step

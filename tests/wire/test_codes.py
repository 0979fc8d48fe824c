"""What the exchange's error codes mean to the kit."""

import pytest

from kalshi_nb._engine.refusals import subscription_error
from kalshi_nb._session.requests import Outcome
from kalshi_nb._wire.codes import AGAIN, CODES, TERMINAL, meaning

# Number, the exchange's words, whose fault it is, what becomes of it: written down from the documented table, apart
# from the kit's own.
DOCUMENTED = """
 1 request  -        Unable to process message
 2 request  -        Params required
 3 request  -        Channels required
 4 request  -        Subscription IDs required
 5 request  -        Unknown command
 6 request  retired  Already subscribed
 7 request  -        Unknown subscription ID
 8 request  -        Unknown channel name
 9 request  -        Authentication required
10 exchange terminal Channel error
11 request  -        Invalid parameter
12 request  -        Exactly one subscription ID is required
13 request  -        Unsupported action
14 request  -        Market Ticker required
15 request  -        Action required
16 request  retired  Market not found
17 exchange retired  Internal error
18 exchange -        Command timeout
19 request  -        shard_factor must be > 0
20 request  -        shard_factor is required when shard_key is set
21 request  -        shard_key must be >= 0 and < shard_factor
22 request  -        shard_factor must be <= 100
23 request  -        Match IDs required
24 request  -        Index IDs required
25 pace     terminal Subscription buffer overflow
26 pace     -        Subscription market limit exceeded
27 pace     -        Too many requests
28 request  -        Underlying tickers required
29 request  -        Invalid update interval
"""

# What the next step is about, where the user can take one.
STEPS = {
    7: "feed.gaps",
    8: "does not offer",
    9: "API key",
    11: "characters",
    14: "Name at least one market",
    16: "upper case",
    19: "feed.rfqs()",
    20: "feed.rfqs()",
    21: "shard_key",
    22: "1 to 100",
    24: "feed.index_ids()",
    25: "fewer markets",
    26: "connections=",
    28: "feed.index_ids('pyth_value')",
}


@pytest.mark.parametrize("line", DOCUMENTED.strip().splitlines(), ids=lambda line: line.split()[0])
def test_every_code_is_what_the_documented_table_says(line):
    number, fault, fate, words = line.split(maxsplit=3)
    known = CODES[int(number)]
    assert (known.words, known.fault) == (words, fault)
    assert (known.terminal, known.retired) == (fate == "terminal", fate == "retired")
    assert STEPS.get(int(number), "") in known.step
    assert ("please report" in known.step) == (int(number) in {1, 2, 3, 4, 5, 6, 12, 13, 15, 29})


def test_every_number_from_1_to_29_is_known_once():
    assert list(CODES) == list(range(1, 30))
    assert {number: each.code for number, each in CODES.items()} == {number: number for number in CODES}


def test_exactly_10_and_25_end_a_subscription():
    assert {10, 25} == TERMINAL


def test_what_is_not_the_requests_fault_is_asked_again_but_for_the_limit_of_markets():
    assert {each.code for each in CODES.values() if each.fault != "request"} - {26} == AGAIN


def test_no_code_says_that_something_is_not_sent_which_is():
    for code in (19, 20, 21, 22, 24, 28):
        assert "not used" not in CODES[code].step
        assert "does not send" not in CODES[code].step


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

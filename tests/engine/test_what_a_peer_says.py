"""What a server writes is shown as what it is: no escape sequence, no turned writing, no megabyte, in any place."""

import logging

import pytest

from kalshi_nb._engine.transport import closed_by_peer, plain_address
from kalshi_nb._rows.foreign import plain_text
from kalshi_nb._rows.heard import Event
from kalshi_nb.errors import HandshakeError, SubscriptionError
from tests.engine.conftest import reconnects, wait_until
from tests.engine.hosts import ByHand, refusing

EVIL = "\x1b]0;pwned\x07\x1b[31mred\r\n\u202etxet\u2066\x00\x9b\u200b"


def harmless(text):
    return text.isprintable() and len(text) < 2_000


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a word", "a word"),
        ("", ""),
        ("\x1b[2J", "\\x1b[2J"),
        ("\u202eabc\u2066", "\\u202eabc\\u2066"),
        ("line\nline\ttab", "line\\nline\\ttab"),
        ("\ud800", "\\ud800"),
        ("\u2028", "\\u2028"),
        ("\U000e0041", "\\U000e0041"),
        ("Grüße, 世界 €", "Grüße, 世界 €"),
    ],
)
def test_what_is_not_to_be_seen_as_it_stands_is_escaped(text, plain):
    assert plain_text(text) == plain


def test_it_is_cut_before_it_is_looked_at_and_lines_stay_where_they_are_wanted():
    assert plain_text("x" * 1_000_000, 10) == "x" * 10 + " …"
    assert plain_text("x" * 10, 10) == "x" * 10
    assert plain_text("a\nb\tc\rd", lines=True) == "a\nb\tc\\rd"


def test_the_reason_of_a_close_is_made_plain_wherever_it_is_shown(exchange, engine, caplog):
    caplog.set_level(logging.INFO, "kalshi_nb")
    heard = []

    engine.tap(heard.append)
    exchange.call(exchange.connections[-1].close(4000, EVIL))
    wait_until(lambda: reconnects(engine) == 1)
    error = engine.status().last_error
    assert "code 4000" in error
    assert "pwned" in error
    assert "\\u202etxet" in error
    texts = [each.text for each in heard if isinstance(each, Event)]
    assert len(texts) >= 2
    assert all(map(harmless, [error, *texts]))


@pytest.mark.parametrize("status", [400, 401, 403, 503])
def test_the_body_of_a_refusal_is_made_plain(exchange, engines, status):
    exchange.refuse_always = (status, {}, EVIL + "x" * 50_000)
    with pytest.raises(HandshakeError) as caught:
        engines(exchange.url).start(10)
    assert harmless(str(caught.value))
    assert caught.value.body.replace("\n", "").replace("\t", "").isprintable()
    assert len(caught.value.body) < 2_200


def test_a_status_line_is_made_plain(engines):
    with (
        ByHand(refusing(b"HTTP/1.1 101\x1b[31m \x1b]0;x\x07 \xe2\x80\xae\r\n\r\n")) as server,
        pytest.raises(HandshakeError) as caught,
    ):
        engines(f"ws://127.0.0.1:{server.port}/").start(10)
    assert harmless(str(caught.value))


def test_an_error_of_the_exchange_is_made_plain(exchange, engine):
    exchange.errors["trade"] = {"code": 10, "msg": EVIL, "market_ticker": EVIL, "market_tickers": [EVIL, "KXA-1"]}
    exchange.errors["ticker"] = {"code": 9, "msg": EVIL}
    for channel in ("ticker", "trade"):
        with pytest.raises(SubscriptionError) as caught:
            engine.want(channel, [frozenset({"KXA-1"})], rows=channel, timeout=3)
        assert harmless(str(caught.value))
        assert all(map(harmless, caught.value.market_tickers))
    assert harmless(engine.status().last_error)


def test_frames_that_are_set_aside_give_reasons_that_are_plain(exchange, engine):
    texts = [
        "\x1b[31m",
        '{"type":"\\u001b[31m\\u202e"}',
        '{"type":"trade","sid":"\\u001b[31m","msg":{}}',
        "\u202e" * 5_000,
    ]
    for each in texts:
        exchange.send(each)
    wait_until(lambda: engine.status().rejected >= 4)
    assert all(harmless(each.reason) for each in engine.rejects())


def test_a_name_and_password_in_an_address_are_shown_nowhere(exchange, engines):
    engine = engines(exchange.url.replace("//", "//somebody:pass-word@"))
    engine.start(10)
    assert engine.state == "connected"
    exchange.refuse_always = (503, {}, "")
    exchange.kill()
    wait_until(lambda: "503" in (engine.status().last_error or ""))
    for text in (engine.url, repr(engine.links[0]), engine.status().last_error, repr(engine.status())):
        assert "pass-word" not in text
        assert "somebody" not in text
    assert plain_address("wss://a:b@host:1/path?token=x") == "wss://host:1/path"


# more connections than one may have


@pytest.mark.parametrize(
    "reason",
    [
        "connection limit exceeded",
        "too many connections for user",
        "Another session was opened with this key",
        "replaced by a newer connection",
    ],
)
def test_a_close_that_speaks_of_too_many_connections_says_what_is_known_and_helps(exchange, engine, reason):
    exchange.call(exchange.connections[-1].close(1008, reason))
    wait_until(lambda: reconnects(engine) == 1)
    error = engine.status().last_error
    assert reason in error
    assert "close what you no longer need" in error


def test_a_close_that_does_not_is_left_as_it_is():
    assert str(closed_by_peer(1012, "service restart")) == "the exchange closed it with code 1012 (service restart)"
    assert str(closed_by_peer(None, "")) == "the exchange closed it without a code"


def test_both_libraries_tell_of_a_close_in_the_same_words(exchange, engine):
    exchange.hang_up(1001)
    wait_until(lambda: reconnects(engine) == 1)
    assert engine.status().last_error == "connection lost: the exchange closed it with code 1001"
    exchange.kill()
    wait_until(lambda: reconnects(engine) == 2)
    assert engine.status().last_error == "connection lost: it broke off without a close frame"

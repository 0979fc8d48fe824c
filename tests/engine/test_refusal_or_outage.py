"""What a failed handshake is: credentials refused, or an outage like any other; first, and once it worked."""

import json
import time
from email.utils import formatdate

import pytest

from kalshi_nb.errors import AuthenticationError, ClockSkewError, HandshakeError
from tests.engine.conftest import reconnects, wait_until

PAGE = (
    "<!DOCTYPE html>\n<html><head><title>Attention Required! | Some &amp; CDN</title></head>"
    "<body>\x1b[31mblocked</body></html>"
)


def said(code, details=None):
    return json.dumps({"error": {"code": code, "message": code, **({"details": details} if details else {})}})


REFUSALS = {
    "401 of the exchange": (401, {}, said("authentication_error", "NOT_FOUND")),
    "401 without a word": (401, {}, ""),
    "401 in words": (401, {}, "unauthorized"),
    "403 of the exchange": (403, {}, said("authentication_error", "INVALID_PARAMETER")),
    "403 with a code at the top": (403, {}, '{"code":"permission_denied","message":"no"}'),
}

OUTAGES = {
    "401 with a page": (401, {}, PAGE),
    "403 with a page": (403, {}, PAGE),
    "403 in words": (403, {}, "Forbidden"),
    "403 without a word": (403, {}, ""),
    "403 of a firewall": (403, {}, '{"message":"Forbidden"}'),
    "403 with a list": (403, {}, "[]"),
    "403 with a number": (403, {}, "17"),
    "403 without end": (403, {}, "[" * 3_000),
    "400": (400, {}, "bad"),
    "404": (404, {}, PAGE),
    "407": (407, {}, ""),
    "429": (429, {}, '{"error":"too many requests"}'),
    "429 of a firewall": (429, {}, PAGE),
    "451": (451, {}, ""),
    "500": (500, {}, said("internal_error")),
    "502": (502, {}, PAGE),
    "503": (503, {}, ""),
    "200": (200, {}, PAGE),
    "302": (302, {"Location": "wss://elsewhere.example/x"}, ""),
}


@pytest.mark.parametrize("kind", [*REFUSALS, *OUTAGES])
def test_a_first_handshake_that_fails_says_whether_the_credentials_are_the_reason(exchange, engines, kind):
    refusal = {**REFUSALS, **OUTAGES}[kind]
    exchange.refuse_always = refusal
    with pytest.raises(HandshakeError) as caught:
        engines(exchange.url).start(10)
    assert isinstance(caught.value, AuthenticationError) is (kind in REFUSALS)
    assert caught.value.status == refusal[0]
    text = str(caught.value)
    assert str(refusal[0]) in text
    assert "<" not in text
    assert text.isprintable()
    if refusal[2] == PAGE:
        assert "a web page: 'Attention Required! | Some & CDN'" in text


@pytest.fixture
def hurried(monkeypatch):
    """Delays a tenth as long as they are, so that many attempts fit into a test."""
    monkeypatch.setattr("kalshi_nb._session.backoff.FIRST_CEILING", 0.02)
    monkeypatch.setattr("kalshi_nb._session.reconnecting.REFUSAL_WAIT", 0.02)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("kind", OUTAGES)
def test_an_outage_after_the_feed_has_worked_never_counts_as_refused(exchange, engine, kind):
    exchange.refuse_always = OUTAGES[kind]
    exchange.kill()
    wait_until(lambda: len(exchange.handshakes) >= 6)
    assert engine.state == "reconnecting"
    exchange.refuse_always = None
    engine.reconnect()
    wait_until(lambda: engine.state == "connected")


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("kind", REFUSALS)
def test_refused_credentials_after_the_feed_has_worked_are_named_and_end_nothing(exchange, engine, kind):
    exchange.refuse_always = REFUSALS[kind]
    exchange.kill()
    wait_until(lambda: engine.state == "refused" and len(exchange.handshakes) >= 6)
    exchange.refuse_always = None
    engine.reconnect()
    wait_until(lambda: engine.state == "connected")
    assert reconnects(engine) == 1


@pytest.mark.usefixtures("hurried")
def test_a_clock_that_is_off_is_an_error_at_first_and_an_outage_later(exchange, engine, engines):
    exchange.refuse_always = (401, {}, said("header_timestamp_expired"))
    with pytest.raises(ClockSkewError, match="NTP"):
        engines(exchange.url).start(10)
    exchange.kill()
    wait_until(lambda: len(exchange.handshakes) >= 7)
    assert engine.state == "reconnecting"


# Retry-After


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "2.5"}, 2.5),
        ({"Retry-After": "3600"}, 300.0),
        ({"Retry-After": "1e400"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": ""}, None),
        ({}, None),
        ({"Retry-After": "Sat, 99999999999999999999 Nov 2026 08:00:00 GMT"}, None),
        ({"Retry-After": formatdate(0, usegmt=True)}, None),
        # A date is by the server's clock, which may be a day off this computer's.
        ({"Retry-After": formatdate(86_400 * 9 + 60, usegmt=True), "Date": formatdate(86_400 * 9, usegmt=True)}, 60.0),
        ({"Retry-After": formatdate(86_400 * 9, usegmt=True), "Date": formatdate(86_400 * 8, usegmt=True)}, 300.0),
    ],
)
def test_a_server_that_asks_for_patience_is_believed_up_to_five_minutes(exchange, engines, headers, expected):
    given = {name: value for name, value in headers.items() if name != "Date"}
    exchange.refuse_always = (503, given, "")
    exchange.date = headers.get("Date")
    with pytest.raises(HandshakeError) as caught:
        engines(exchange.url).start(10)
    assert caught.value.retry_after == expected


def test_a_date_to_come_back_at_is_counted_from_now_where_the_server_says_no_time(exchange, engines):
    exchange.refuse_always = (503, {"Retry-After": formatdate(time.time() + 100, usegmt=True)}, "")
    exchange.date = []
    with pytest.raises(HandshakeError) as caught:
        engines(exchange.url).start(10)
    assert 90 < caught.value.retry_after <= 100


def test_the_next_attempt_is_named_and_can_be_hurried(exchange, engine):
    assert engine.reconnect() == 0  # connected: there is nothing to hurry, and nothing is made anew
    assert engine.status().links[0].next_attempt_at is None
    exchange.refuse = [(503, {"Retry-After": "3600"}, "")]
    exchange.kill()
    wait_until(lambda: engine.status().links[0].next_attempt_at is not None and len(exchange.handshakes) == 2)
    wait_until(lambda: engine.status().links[0].next_attempt_at > time.monotonic() + 280)
    assert engine.status().links[0].next_attempt_at <= time.monotonic() + 300
    assert engine.state == "reconnecting"
    assert engine.reconnect() == 1
    wait_until(lambda: engine.state == "connected", 5)
    assert engine.status().links[0].next_attempt_at is None
    assert (len(exchange.handshakes), reconnects(engine)) == (3, 1)

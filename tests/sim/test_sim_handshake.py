"""Who is let in, and what those who are not are told."""

from __future__ import annotations

import json
import uuid

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from kalshi_nb.errors import SimulationError
from tests.sim.conftest import PATH, RawClient, poll_until, signed

RSA_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
NOT_FOUND = {"code": "authentication_error", "message": "authentication_error", "details": "NOT_FOUND"}
BAD_SIGNATURE = {**NOT_FOUND, "details": "INCORRECT_API_KEY_SIGNATURE"}
EXPIRED = {"code": "header_timestamp_expired", "message": "header timestamp expired"}


def refusal(exchange, headers, url=None):
    url = url or exchange.url
    with pytest.raises(InvalidStatus) as caught, connect(url, additional_headers=headers, proxy=None):
        pass
    return caught.value.response


def error_of(exchange, headers):
    response = refusal(exchange, headers)
    assert response.status_code == 401
    assert response.headers["Content-Type"] == "application/json"
    return json.loads(response.body)["error"]


def without(headers, name):
    return {key: value for key, value in headers.items() if key != name}


def test_the_exchange_s_own_ed25519_key_opens_it(exchange, open_client):
    assert len(signed(exchange.key_id, exchange.private_key)["KALSHI-ACCESS-SIGNATURE"]) == 88
    assert open_client(exchange).answer() == []


@pytest.mark.parametrize("salt_length", [32, padding.PSS.MAX_LENGTH])
def test_a_registered_rsa_key_opens_it_with_pss(exchange, open_client, salt_length):
    exchange.add_key("mine", RSA_KEY.public_key())
    headers = signed("mine", RSA_KEY, salt_length=salt_length)
    assert len(headers["KALSHI-ACCESS-SIGNATURE"]) == 344
    assert open_client(exchange, headers=headers).answer() == []


def test_pkcs1_signatures_are_refused(exchange):
    from base64 import b64encode

    from cryptography.hazmat.primitives import hashes

    exchange.add_key("mine", RSA_KEY.public_key())
    headers = signed("mine", RSA_KEY)
    message = f"{headers['KALSHI-ACCESS-TIMESTAMP']}GET{PATH}".encode()
    raw = RSA_KEY.sign(message, padding.PKCS1v15(), hashes.SHA256())
    headers["KALSHI-ACCESS-SIGNATURE"] = b64encode(raw).decode()
    assert error_of(exchange, headers) == BAD_SIGNATURE


@pytest.mark.parametrize("key", [RSA_KEY, Ed25519PrivateKey.generate()], ids=["rsa", "ed25519"])
def test_a_signature_of_another_path_is_refused(exchange, key):
    exchange.add_key("mine", key.public_key())
    assert error_of(exchange, signed("mine", key, path="/trade-api/ws/v1")) == BAD_SIGNATURE


def test_a_signature_of_another_key_is_refused(exchange):
    assert error_of(exchange, signed(exchange.key_id, Ed25519PrivateKey.generate())) == BAD_SIGNATURE


@pytest.mark.parametrize("text", ["no base64!", "", "AAAA"])
def test_a_signature_that_is_none_is_refused(exchange, text):
    headers = {**signed(exchange.key_id, exchange.private_key), "KALSHI-ACCESS-SIGNATURE": text}
    expected = (
        BAD_SIGNATURE
        if text
        else {
            "code": "signature_is_missing_from_headers",
            "message": "signature is missing from headers",
        }
    )
    assert error_of(exchange, headers) == expected


def test_a_missing_signature_is_told_first_and_word_for_word(exchange):
    body = refusal(exchange, {}).body
    assert body == (
        b'{"error":{"code":"signature_is_missing_from_headers","message":"signature is missing from headers"}}'
    )


@pytest.mark.parametrize(("name", "word"), [("KALSHI-ACCESS-KEY", "key"), ("KALSHI-ACCESS-TIMESTAMP", "timestamp")])
def test_the_other_two_headers_are_needed_too(exchange, name, word):
    headers = without(signed(exchange.key_id, exchange.private_key), name)
    assert error_of(exchange, headers)["code"] == f"{word}_is_missing_from_headers"


def test_an_unknown_key_id_is_told_from_a_malformed_one(exchange):
    assert error_of(exchange, signed(str(uuid.uuid4()), exchange.private_key)) == NOT_FOUND
    malformed = error_of(exchange, signed("no-uuid", exchange.private_key))
    assert malformed == {**NOT_FOUND, "details": "INVALID_PARAMETER"}


@pytest.mark.parametrize("ahead_ms", [-16_000, 31_000, -300_000, 300_000])
def test_a_timestamp_outside_the_window_is_expired(exchange, ahead_ms):
    headers = signed(exchange.key_id, exchange.private_key, ahead_ms=ahead_ms)
    assert error_of(exchange, headers) == EXPIRED


@pytest.mark.parametrize("ahead_ms", [-12_000, 0, 27_000])
def test_a_timestamp_inside_the_window_is_fine_whatever_the_exchange_s_own_time(exchange, open_client, ahead_ms):
    exchange.advance(120)
    headers = signed(exchange.key_id, exchange.private_key, ahead_ms=ahead_ms)
    assert open_client(exchange, headers=headers).answer() == []


@pytest.mark.parametrize("text", ["soon", "-5", "0x10", "9" * 40, "1e12"])
def test_a_timestamp_that_is_no_number_of_milliseconds_is_expired(exchange, text):
    headers = {**signed(exchange.key_id, exchange.private_key), "KALSHI-ACCESS-TIMESTAMP": text}
    assert error_of(exchange, headers) == EXPIRED


def test_only_the_one_path_answers_and_a_query_is_not_signed(exchange, open_client):
    headers = signed(exchange.key_id, exchange.private_key)
    assert refusal(exchange, headers, exchange.url + "/margin").status_code == 404
    with connect(exchange.url + "?a=b", additional_headers=headers, proxy=None) as socket:
        socket.send('{"id":1,"cmd":"list_subscriptions"}')
        assert json.loads(socket.recv(10))["msg"] == []


def test_nothing_is_sent_after_the_handshake_until_asked(exchange, client):
    exchange.advance(5)
    assert client.frames == []


@pytest.mark.parametrize("offered", [True, False])
@pytest.mark.parametrize("accepted", [True, False])
def test_compression_is_used_where_both_want_it(open_exchange, open_client, offered, accepted):
    exchange = open_exchange(compression=accepted)
    client = open_client(exchange, compression="deflate" if offered else None)
    extensions = client.socket.protocol.extensions
    assert [extension.name for extension in extensions] == ["permessage-deflate"] * (offered and accepted)
    assert client.answer() == []


def test_keys_of_other_kinds_and_empty_ids_are_refused_at_once(exchange):
    with pytest.raises(SimulationError, match="RSA and Ed25519"):
        exchange.add_key("mine", ec.generate_private_key(ec.SECP256R1()).public_key())
    with pytest.raises(SimulationError, match="RSA and Ed25519"):
        exchange.add_key("mine", RSA_KEY)
    with pytest.raises(SimulationError, match="key id"):
        exchange.add_key("", RSA_KEY.public_key())


def test_a_client_that_hangs_up_in_the_middle_leaves_the_exchange_as_it_was(exchange, open_client, capfd):
    import socket

    port = int(exchange.url.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", port)) as half:
        half.sendall(b"GET /trade-api/ws/v2 HTTP/1.1\r\nHost:")
    with socket.create_connection(("127.0.0.1", port)) as wrong:
        wrong.sendall(b"\x00\x01\x02\r\n\r\n")
        wrong.settimeout(10)
        assert wrong.recv(64) == b""
    assert open_client(exchange).answer() == []
    assert capfd.readouterr() == ("", "")


def test_the_server_pings_with_heartbeat(exchange, open_client, monkeypatch):
    from kalshi_nb.sim import _connection

    monkeypatch.setattr(_connection, "_HEARTBEAT", 0.02)
    client = RawClient(exchange, read=False)
    seen = []
    original = client.socket.protocol.events_received

    def listen():
        events = original()
        seen.extend((event.opcode.name, bytes(event.data)) for event in events)
        return events

    client.socket.protocol.events_received = listen
    client._thread.start()
    poll_until(lambda: len(seen) >= 2, "a second ping")
    client.close()
    assert ("PING", b"heartbeat") in seen

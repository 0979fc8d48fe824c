"""What may be shown of what somebody passed: anything but what could be a key, however it is disguised."""

import secrets

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from kalshi_nb._redaction import Secret, could_be_key, hidden, masked, shown

ED = ed25519.Ed25519PrivateKey.generate()
PEM = ED.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
RSA = (
    rsa.generate_private_key(65_537, 2_048)
    .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    .decode()
)
LINE = PEM.splitlines()[1]

DISGUISES = {
    "itself": lambda line: line,
    "blanks round it": lambda line: f"   {line} \t",
    "quotes": lambda line: f'"{line}"',
    "single quotes and blanks": lambda line: f" '{line}' ",
    "literal breaks": lambda line: f"\\n{line}\\n",
    "literal breaks within": lambda line: "\\r\\n".join(line[at : at + 16] for at in range(0, 64, 16)),
    "twice escaped": lambda line: "\\\\n".join(line[at : at + 16] for at in range(0, 64, 16)),
    "breaks within": lambda line: "\n".join(line[at : at + 8] for at in range(0, 64, 8)),
    "blanks within": lambda line: " ".join(line[at : at + 4] for at in range(0, 64, 4)),
    "invisible": "\u200b".join,
    "an address": lambda line: f"wss://{line}/x",
    "a path": lambda line: f"/home/me/{line}",
    "a home": lambda line: f"~{line}",
    "percent-encoded": lambda line: line.replace("/", "%2F").replace("+", "%2B").replace("A", "%41"),
    "for URLs": lambda line: line.replace("/", "_").replace("+", "-"),
    "the first half": lambda line: line[16:56],
    "a word before": lambda line: f"key={line}",
    "NUL": lambda line: f"{line}\0",
}


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("kind", ["Ed25519", "RSA", "random"])
def test_a_line_of_a_key_is_never_shown(kind, disguise):
    lines = {
        "Ed25519": [LINE],
        "RSA": RSA.splitlines()[1:-2],
        "random": [secrets.token_urlsafe(48) for _ in range(200)],
    }[kind]
    for line in lines:
        given = DISGUISES[disguise](line)
        assert could_be_key(given)
        assert line[:16] not in shown(given)
        assert isinstance(hidden(given), Secret)


@pytest.mark.parametrize(
    "whole", [PEM, RSA, PEM.replace("\n", "\\n"), PEM.splitlines()[0], "PuTTY-User-Key-File-3: x"]
)
def test_a_whole_key_is_never_shown(whole):
    assert shown(whole).startswith(f"a text of {len(whole)} characters")


@pytest.mark.parametrize("value", [PEM.encode(), bytearray(PEM.encode()), [PEM], {"key": PEM}, (PEM,), ED, object()])
def test_of_any_other_thing_only_its_type_is_shown(value):
    assert shown(value) in (f"a {type(value).__name__}", f"an {type(value).__name__}")
    assert isinstance(hidden(value), Secret)
    assert shown(hidden(value)) == shown(value)


def test_a_long_number_is_not_shown():
    assert shown(2**2048) == "a number of 617 digits"
    assert isinstance(hidden(2**2048), Secret)
    assert shown(10**5000) == "a very long number"


@pytest.mark.parametrize(
    "harmless",
    [
        "production",
        "",
        "udp",
        "wss://external-api-ws.kalshi.com/trade-api/ws/v2",
        "ws://127.0.0.1:87600/trade-api/ws/v2",
        "/home/alice/Documents/kalshi/keys/production.pem",
        "/Users/alice/Library/Application Support/kalshi/private_key.pem",
        r"C:\Users\alice\keys\kalshi.pem",
        "/tmp/pytest-of-root/pytest-0/test_unusable_keys_say_why0/absent.pem",
        "~/.kalshi/key-2026-11-28.pem",
        "KXHIGHNY-26NOV28-B52.5",
        "0d7e5f6c-1a2b-4c3d-8e4f-5a6b7c8d9e0f",
        "/data/0d7e5f6c-1a2b-4c3d-8e4f-5a6b7c8d9e0f/key.pem",
        "a sentence of several words, one after another, none of them odd",
    ],
)
def test_what_can_be_no_key_is_shown(harmless):
    assert not could_be_key(harmless)
    assert shown(harmless) == repr(harmless)
    assert hidden(harmless) is harmless


@pytest.mark.parametrize("value", [None, True, 5, -1, 2.5, float("nan")])
def test_numbers_are_shown(value):
    assert shown(value) == repr(value)
    assert hidden(value) is value


def test_a_long_text_is_cut_and_control_characters_are_escaped():
    assert len(shown("word " * 200)) < 100
    assert shown("\x1b[31mred") == "'\\x1b[31mred'"


@pytest.mark.parametrize(
    ("address", "left"),
    [
        ("wss://user:word@host/x", "wss://***@host/x"),
        ("user:word@host", "***@host"),
        ("wss://us@er:wo/r@d@host/x", "wss://***@host/x"),
        ("wss:/user:word@host", "wss:/***@host"),
        ("http://user:word@proxy:3128", "http://***@proxy:3128"),
        ("wss://host/x", "wss://host/x"),
        ("demo", "demo"),
    ],
)
def test_a_login_is_masked_in_any_address(address, left):
    assert masked(address) == left

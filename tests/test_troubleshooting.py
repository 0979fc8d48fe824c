"""The page of troubles has the words that people see: each is brought about here, and looked for on the page."""

import asyncio
import pathlib
import re

import pytest
from cryptography.hazmat.primitives import serialization as how
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import kalshi_nb as kn
from kalshi_nb import _auth, _settings

PAGE = pathlib.Path(__file__).parent.parent / "docs" / "troubleshooting.md"
TEXT = re.sub(r"\s+", " ", PAGE.read_text(encoding="utf-8").replace("\n> ", " "))


@pytest.fixture(scope="module")
def exchange():
    with kn.sim.Exchange(seed=7) as running:
        yield running


def refused(exchange, **changes):
    arguments = {"key_id": exchange.key_id, "private_key": exchange.private_key, **changes}
    with pytest.raises(kn.KalshiError) as caught:
        kn.connect(exchange.url, new=True, **arguments)
    return caught.value


def stands(*parts):
    missing = [each for each in parts if each not in TEXT]
    assert missing == []


def told(error, *parts):
    """Both say these words: the error, and the page."""
    assert [each for each in parts if each not in str(error)] == []
    stands(*parts)


def test_a_wrong_private_key(exchange):
    told(
        refused(exchange, private_key=Ed25519PrivateKey.generate()),
        "refused the credentials with HTTP 401 (INCORRECT_API_KEY_SIGNATURE)",
        "The private key does not belong to this key id. Check that both come from the same API key, and from the",
        "same environment (demo or production).",
    )


def test_a_key_of_another_environment(exchange):
    told(
        refused(exchange, key_id="0d9f6c3e-1111-2222-3333-444455556666"),
        "refused the credentials with HTTP 401 (NOT_FOUND)",
        "There is no such key id there. Demo and production have separate keys: check that key id and environment "
        "belong together.",
    )


def test_a_clock_that_is_off(exchange, monkeypatch):
    class Behind:
        @staticmethod
        def time_ns():
            return exchange.now_us() * 1000 - 60 * 10**9

    monkeypatch.setattr(_auth, "time", Behind)
    error = refused(exchange)
    assert type(error) is kn.errors.ClockSkewError
    told(
        error,
        "refused the signature: its timestamp expired",
        "This computer's clock is off; switch on automatic time (NTP), then connect again.",
    )


@pytest.mark.parametrize(
    ("status", "body", "parts"),
    [
        (
            403,
            "<html>",
            [
                "refused the connection with HTTP 403 (a web page)",
                "That is not how Kalshi refuses a key: something in front of it (a firewall, a company's proxy, a",
                "content network) does not let this connection through.",
            ],
        ),
        (503, None, ["refused the connection with HTTP 503"]),
    ],
)
def test_a_refusal_by_somebody_else(exchange, status, body, parts):
    exchange.faults.refuse_handshakes(status, body=body)
    told(refused(exchange), *parts)


def test_no_key_a_missing_file_and_an_encrypted_one(exchange, tmp_path, monkeypatch):
    for name in (*_settings.KEY_ID_VARIABLES, _settings.KEY_PATH_VARIABLE, _settings.KEY_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    told(refused(exchange, key_id=None, private_key=None), "No key id and private key for Kalshi")
    told(refused(exchange, private_key="nowhere.pem"), "There is no private key file")
    key = Ed25519PrivateKey.generate()
    secret = how.BestAvailableEncryption(b"secret")
    (tmp_path / "key.pem").write_bytes(key.private_bytes(how.Encoding.PEM, how.PrivateFormat.PKCS8, secret))
    told(
        refused(exchange, private_key=str(tmp_path / "key.pem")),
        "is encrypted with a password",
        "openssl pkey -in encrypted.pem -out key.pem",
    )
    told(refused(exchange, key_id="-----BEGIN PRIVATE KEY-----"), "looks like a private key")
    told(refused(exchange, private_key="-----BEGIN X-----"), "not a PEM private key that can be read")


def test_a_proxy_that_is_not_there(exchange):
    with pytest.raises(kn.errors.UnreachableError) as caught:
        kn.connect(
            "demo",
            key_id=exchange.key_id,
            private_key=exchange.private_key,
            proxy="http://127.0.0.1:9",
            timeout=5,
            new=True,
        )
    told(
        caught.value,
        "Nobody answers at the proxy 127.0.0.1:9",
        "Check HTTPS_PROXY and connect(…, proxy=…); proxy=False goes without.",
    )


def test_what_is_asked_for_wrongly(exchange, monkeypatch):
    monkeypatch.setenv("KALSHI_ENV", "sandbox")
    with pytest.raises(kn.errors.UnknownEnvironmentError) as caught:
        kn.connect()
    told(caught.value, "There is no environment 'sandbox'")
    with kn.connect(exchange) as feed:
        with pytest.raises(kn.errors.FeedOptionsError) as caught:
            kn.connect(exchange, connections=4)
        told(caught.value, "A feed with this address and key is running with other options")
        with pytest.raises(kn.errors.MarketTickerError) as caught:
            feed.book("KXHIGHNY-26NOV22")
        told(caught.value, "'KXHIGHNY-26NOV22' is an event")
        with pytest.raises(kn.errors.UsageError) as caught:
            _ = feed.trades()["yes_price"]
        told(caught.value, "trades grows while you read it; take what it has now: .df['yes_price']")
        assert "no such market" in repr(feed.book("kxhighny-26nov22-b52.5"))
        stands("no such market")


def test_a_callback_that_raises():
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange) as feed:

        @feed.on("trade")
        def boom(_trade):
            raise ZeroDivisionError

        exchange.advance(20)
        with pytest.warns(kn.errors.PipelineWarning) as caught:
            feed.health()
    told(
        caught[-1].message,
        "your pipeline 'boom' on trade raised ZeroDivisionError",
        "after 10 errors in a row it rests for 1 s, is tried again then, and rests ever longer while that fails.",
        ".failed of the pipeline has what it raised at, .last_error.traceback the details",
    )


def test_a_loop_that_runs_already():
    async def cell():
        nothing = asyncio.sleep(0)
        try:
            asyncio.run(nothing)
        finally:
            nothing.close()

    with pytest.raises(RuntimeError) as caught:
        asyncio.run(cell())
    told(caught.value, "asyncio.run() cannot be called from a running event loop")


def test_a_folder_that_somebody_records_into(tmp_path):
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange) as feed:
        feed.record(tmp_path / "night", ["trade"])
        with kn.connect(exchange, new=True) as other, pytest.raises(kn.errors.RecordingInUseError) as caught:
            other.record(tmp_path / "night", ["trade"])
    told(caught.value, "is being recorded into by")

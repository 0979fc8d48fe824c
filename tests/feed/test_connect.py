"""connect(): one line, the same feed again, and errors that say what to do."""

import os
import socket
import sys
import threading

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

import kalshi_nb as kn
from kalshi_nb import errors
from tests.feed.conftest import following, until


def pem(key, password=None):
    protection = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def key():
    return ed25519.Ed25519PrivateKey.generate()


def test_the_embedded_exchange_needs_no_key_and_no_network():
    with kn.connect("sim") as feed:
        trades = feed.trades()
        trades.wait(rows=1, timeout=30)
        assert trades.df.height >= 1


def test_the_environment_says_which_clock_the_embedded_exchange_has(monkeypatch):
    monkeypatch.setenv("KALSHI_NB_CLOCK", "manual")
    with kn.connect("sim") as feed:
        assert feed.exchange.clock == "manual"
        assert feed.exchange is kn.sim.exchange(clock="manual")
        assert kn.connect("sim") is feed
    monkeypatch.setenv("KALSHI_NB_CLOCK", "")
    with kn.connect("sim") as feed:
        assert feed.exchange.clock == "wall"


def test_a_clock_that_there_is_not_is_refused_with_the_name_of_the_variable(monkeypatch):
    monkeypatch.setenv("KALSHI_NB_CLOCK", "sundial")
    with pytest.raises(errors.SimulationError, match=r"KALSHI_NB_CLOCK='sundial'.*'wall' or 'manual'"):
        kn.connect("sim")


def test_closing_its_last_feed_closes_the_embedded_exchange():
    one = kn.connect("sim")
    two = kn.connect("sim", new=True)
    exchange = one.exchange
    one.close()
    assert not exchange.closed
    two.close()
    assert exchange.closed


def test_connecting_again_gives_the_running_feed_back(exchange, feed):
    assert kn.connect(exchange) is feed
    assert kn.connect(exchange, timeout=3) is feed


def test_other_options_are_an_error_that_names_the_difference(exchange, feed):
    with pytest.raises(errors.FeedOptionsError, match=r"flush_interval is 0\.05 there and 0\.2 here"):
        kn.connect(exchange, flush_interval=0.2)
    with pytest.raises(errors.FeedOptionsError, match="transport is 'websockets' there and 'picows' here"):
        kn.connect(exchange, transport="picows")


def test_the_faster_transport_is_one_word_away(exchange):
    with kn.connect(exchange, transport="picows") as feed:
        trades = feed.trades()
        exchange.advance(60)
        assert trades.df.height >= 1
        assert kn.connect(exchange, transport="picows") is feed


def test_a_transport_that_is_not_installed_is_an_error_with_the_way_on(exchange, monkeypatch):
    monkeypatch.setitem(sys.modules, "picows", None)
    refused(errors.ConfigurationError, "pip install 'kalshi-nb[speed]'", where=exchange, transport="picows")


def test_new_makes_a_second_feed(exchange, feed):
    with kn.connect(exchange, new=True) as other:
        assert other is not feed
        assert kn.connect(exchange) is feed


def test_a_closed_feed_leaves_the_registry(exchange, feed):
    feed.close()
    with kn.connect(exchange) as other:
        assert other is not feed
        assert other.state == "connected"


def test_any_address_can_be_signed_with_a_key_of_ones_own(exchange, key, tmp_path):
    exchange.add_key("mine", key.public_key())
    path = tmp_path / "key.pem"
    path.write_bytes(pem(key))
    for private_key in (key, path, str(path), pem(key), pem(key).decode()):
        with kn.connect(exchange.url, key_id="mine", private_key=private_key) as feed:
            assert feed.state == "connected"


def test_rsa_keys_sign_too(exchange):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    exchange.add_key("rsa", key.public_key())
    with kn.connect(exchange.url, key_id="rsa", private_key=key) as feed:
        assert feed.state == "connected"


def test_the_environment_gives_place_and_credentials(exchange, key, tmp_path, monkeypatch):
    exchange.add_key("mine", key.public_key())
    path = tmp_path / "key.pem"
    path.write_bytes(pem(key))
    monkeypatch.setenv("KALSHI_ENV", exchange.url)
    monkeypatch.setenv("KALSHI_API_KEY_ID", "mine")
    monkeypatch.setenv("KALSHI_PRIVATE_KEY_PATH", str(path))
    with kn.connect() as feed:
        assert feed.state == "connected"
        assert kn.connect() is feed


def refused(kind, *words, where="demo", **options):
    with pytest.raises(kind) as caught:
        kn.connect(where, **options)
    for word in words:
        assert word in str(caught.value)
    assert isinstance(caught.value, errors.KalshiError)


def test_no_credentials_names_the_two_ways_on():
    refused(errors.MissingCredentialsError, "key_id", "KALSHI_API_KEY_ID", "connect('sim')")
    refused(errors.MissingCredentialsError, "private key", key_id="only-an-id")


def test_nowhere_is_not_connected_to():
    refused(errors.UnknownEnvironmentError, "connect('sim')", "KALSHI_ENV", where=None)


@pytest.mark.parametrize("where", ["production", "https://kalshi.com", "ws://kalshi.com/trade-api/ws/v2", 7])
def test_an_unknown_environment_lists_those_there_are(where):
    refused(
        errors.UnknownEnvironmentError,
        "'sim'" if where != "ws://kalshi.com/trade-api/ws/v2" else "wss://",
        where=where,
    )


def test_unusable_keys_say_why(tmp_path, key):
    locked = tmp_path / "locked.pem"
    locked.write_bytes(pem(key, b"secret"))
    curve = pem(ec.generate_private_key(ec.SECP256R1()))
    refused(errors.PrivateKeyError, "no private key file", key_id="i", private_key=tmp_path / "absent.pem")
    refused(errors.PrivateKeyError, "encrypted", "openssl", key_id="i", private_key=locked)
    refused(errors.PrivateKeyError, "RSA and Ed25519", key_id="i", private_key=curve)
    refused(errors.PrivateKeyError, "PEM", key_id="i", private_key="-----BEGIN nonsense")
    refused(errors.PrivateKeyError, "int", key_id="i", private_key=5)


def test_nobody_listening_says_so_at_once(key):
    where = f"ws://127.0.0.1:{free_port()}/trade-api/ws/v2"
    refused(errors.UnreachableError, "Nobody answers", "connect('sim')", where=where, key_id="i", private_key=key)


def test_a_wrong_key_says_which_pair_to_check(exchange, key):
    refused(errors.AuthenticationError, "key id", where=exchange.url, key_id="nobody", private_key=key)
    refused(errors.AuthenticationError, "does not belong", where=exchange.url, key_id=exchange.key_id, private_key=key)


def test_a_forbidden_handshake_keeps_status_and_body(exchange):
    exchange.faults.refuse_handshakes(403, 1)
    with pytest.raises(errors.AuthenticationError) as caught:
        kn.connect(exchange)
    assert caught.value.status == 403


def test_a_simulated_exchange_takes_no_key_of_yours(exchange, key):
    refused(errors.ConfigurationError, "brings its own key", where=exchange, private_key=key)


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 0},
        {"timeout": "soon"},
        {"flush_interval": -1},
        {"max_pending_rows": 0},
        {"max_pending_rows": 1.5},
        {"transport": "udp"},
    ],
)
def test_impossible_options_are_refused(exchange, options):
    refused(errors.ConfigurationError, next(iter(options)), where=exchange, **options)


def test_after_a_failed_connect_nothing_is_left(key):
    before = threading.active_count()
    for _ in range(3):
        with pytest.raises(errors.UnreachableError):
            kn.connect(f"ws://127.0.0.1:{free_port()}/trade-api/ws/v2", key_id="i", private_key=key)
    until(lambda: threading.active_count() <= before, "the threads of failed attempts end")


def test_connect_on_a_thread_of_the_kit_is_refused(exchange, feed):
    seen = []

    @feed.on("trade")
    def reconnects(trade):
        try:
            kn.connect(exchange)
        except errors.WrongThreadError as refusal:
            seen.append(str(refusal))

    feed.trades()
    exchange.advance(30)
    assert seen
    assert "Call it in a cell" in seen[0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_begins_with_an_empty_registry(exchange, feed):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            other = kn.connect("sim")
            other.trades().wait(rows=1, timeout=30)
            os.write(writing, b"new" if other is not feed else b"same")
            other.close()
        except BaseException as problem:
            os.write(writing, repr(problem).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        assert answer.read() == b"new"
    os.waitpid(child, 0)
    assert kn.connect(exchange) is feed


def test_two_exchanges_have_two_feeds():
    with (
        kn.sim.Exchange(seed=1, clock="manual") as one,
        kn.sim.Exchange(seed=2, clock="manual") as two,
        following(one) as first,
        following(two) as second,
    ):
        assert first is not second
        assert first.trades() is not second.trades()

"""A private key is nowhere but in the hands of its signer: not in a repr, log, traceback, widget or pickle."""

import copy
import gc
import json
import logging
import pickle
import pprint
import re
import subprocess
import sys
import textwrap
import traceback

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

import kalshi_nb as kn
from kalshi_nb import errors
from kalshi_nb._auth import Credentials, Secret

MARKET = "KXHIGHNY-26NOV22-B52.5"


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.fixture
def leaks(key, pem):
    """Return a function that finds key material in a text."""
    lines = [line for line in pem.splitlines() if not line.startswith("-----")]
    numbers = key.private_numbers()
    needles = [line[:32] for line in lines] + [str(numbers.d), f"{numbers.d:x}", str(numbers.p)]

    def find(text):
        return [needle[:12] for needle in needles if needle in text]

    return find


@pytest.fixture
def feed(key, pem):
    with kn.sim.Exchange(seed=7, clock="manual") as exchange:
        exchange.add_key("mine", key.public_key())
        with kn.connect(exchange.url, key_id="mine", private_key=pem) as made:
            yield made


def reachable(*roots, most=200_000):
    """Every object that can be reached from `roots` by attributes and containers, closures left out."""
    seen, waiting = set(), list(roots)
    while waiting and len(seen) < most:
        each = waiting.pop()
        if id(each) in seen or isinstance(each, type) or type(each).__name__ in ("module", "function", "cell"):
            continue
        seen.add(id(each))
        yield each
        waiting.extend(gc.get_referents(each))


def test_the_searching_itself_finds_a_leak(pem, leaks):
    assert leaks(pem)
    assert leaks(f"key={pem!r}".replace("\\n", "\n"))


def test_no_repr_str_or_format_shows_it(feed, pem, leaks):
    credentials = Credentials("mine", Secret(pem))
    for each in (feed, feed._engine, credentials, credentials.signer(), Secret(pem), feed.health(), feed.book(MARKET)):
        assert not leaks(
            repr(each) + str(each) + format(each) + pprint.pformat(vars(each) if hasattr(each, "__dict__") else each)
        )


def test_no_text_that_hangs_on_a_feed_holds_it(feed, leaks):
    feed.trades()
    feed.book(MARKET).wait()
    for each in reachable(feed):
        if isinstance(each, str):
            assert not leaks(each)
        elif isinstance(each, bytes | bytearray):
            assert not leaks(bytes(each).decode("latin-1"))


@pytest.mark.parametrize("method", [pickle.dumps, copy.copy, copy.deepcopy])
def test_it_can_be_neither_pickled_nor_copied(pem, method):
    credentials = Credentials("mine", Secret(pem))
    for each in (Secret(pem), credentials.signer(), credentials):
        with pytest.raises((TypeError, pickle.PicklingError)):
            method(each)


def bad_moments(pem, tmp_path):
    """Calls that fail while a key is in the game."""
    elsewhere = tmp_path / "broken.pem"
    elsewhere.write_text(pem.replace("MII", "XXX", 1)[:-200])
    closed = "ws://127.0.0.1:9/trade-api/ws/v2"
    yield lambda: kn.connect("demo", private_key=pem)
    yield lambda: kn.connect("nowhere", key_id="i", private_key=pem)
    yield lambda: kn.connect(closed, key_id="i", private_key=pem, timeout=1)
    yield lambda: kn.connect(closed, key_id="i", private_key=pem, timeout=-1)
    yield lambda: kn.connect(closed, key_id=5, private_key=pem)
    yield lambda: kn.connect(closed, key_id="i", private_key=pem.replace("BEGIN PRIVATE", "BEGIN PUBLIC"))
    yield lambda: kn.connect(closed, key_id="i", private_key=pem.replace("-----BEGIN PRIVATE KEY-----\n", ""))
    yield lambda: kn.connect(closed, key_id="i", private_key=elsewhere)
    yield lambda: kn.connect(closed, key_id="i", private_key=[pem])


def test_no_traceback_shows_it_even_with_its_local_variables(pem, leaks, tmp_path):
    frames_of_ours = re.compile(r"kalshi_nb|cryptography|websockets")
    count = 0
    for moment in bad_moments(pem, tmp_path):
        try:
            moment()
        except errors.KalshiError as problem:
            count += 1
            assert not leaks(str(problem) + repr(problem) + repr(vars(problem)))
            link = problem
            while link is not None:
                for frame in traceback.walk_tb(link.__traceback__):
                    code, variables = frame[0].f_code.co_filename, frame[0].f_locals
                    if frames_of_ours.search(code) and "tests" not in code:
                        assert not leaks(pprint.pformat(variables)), code
                link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    assert count == 9


def test_no_log_of_a_whole_session_shows_it(key, pem, leaks, caplog):
    caplog.set_level(logging.DEBUG)
    with kn.sim.Exchange(seed=7, clock="manual") as exchange:
        exchange.add_key("mine", key.public_key())
        with kn.connect(exchange.url, key_id="mine", private_key=pem) as feed:
            feed.trades()
    assert caplog.records
    assert not leaks(caplog.text)


def test_no_signature_or_key_is_in_a_widgets_state(feed, leaks):
    bundle = feed.book(MARKET).wait()._repr_mimebundle_()
    assert not leaks(json.dumps(bundle))
    assert not leaks(json.dumps(feed.book(MARKET).widget().get_state(), default=str))


def test_a_failing_cell_in_ipythons_verbose_mode_does_not_show_it(pem, leaks, tmp_path):
    path = tmp_path / "pem"
    path.write_text(pem)
    script = textwrap.dedent(
        f"""
        import pathlib
        from IPython.core.interactiveshell import InteractiveShell
        shell = InteractiveShell.instance()
        shell.run_line_magic("xmode", "Verbose")
        shell.run_cell(
            "import kalshi_nb as kn, pathlib\\n"
            "kn.connect('ws://127.0.0.1:9/trade-api/ws/v2', key_id='i', "
            "private_key=pathlib.Path({str(path)!r}).read_text())"
        )
        """
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    shown = done.stdout + done.stderr
    assert "UnreachableError" in shown
    assert not leaks(shown)


def test_a_simulated_exchange_keeps_its_own_key_to_itself():
    with kn.sim.Exchange(seed=7, clock="manual") as exchange:
        secret = exchange.private_key.private_bytes_raw()
        text = repr(exchange) + str(exchange) + pprint.pformat(vars(exchange))
        assert secret.hex() not in text
        with pytest.raises((TypeError, errors.KalshiError)):
            pickle.dumps(exchange)


def test_no_report_of_the_doctor_shows_it(key, pem, leaks, tmp_path):
    path = tmp_path / "key.pem"
    path.write_text(pem)
    broken = pem.replace("MII", "XXX", 1)
    with kn.sim.Exchange(seed=7, clock="manual") as exchange:
        exchange.add_key("mine", key.public_key())
        for given in (pem, pem.encode(), path, str(path), key, broken, pem.splitlines()[1], [pem]):
            report = kn.doctor(exchange.url, key_id="mine", private_key=given, timeout=0.2)
            text = repr(report) + report._repr_html_() + pprint.pformat(report)
            assert not leaks(text)
            assert pem.splitlines()[1][:16] not in text

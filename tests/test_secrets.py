"""A private key is nowhere but in the hands of its signer: not in a repr, log, traceback, widget or pickle."""

import asyncio
import contextlib
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
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

import kalshi_nb as kn
from kalshi_nb import errors
from kalshi_nb._auth import Credentials, Secret
from kalshi_nb._cli.main import main

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
    yield lambda: kn.connect(closed, key_id="i", private_key_path=pem)
    yield lambda: kn.connect(closed, "i", pem)


FRAMES_OF_OURS = re.compile(r"kalshi_nb|cryptography|websockets|dotenv")


def shown_by(problem):
    """Everything that a tool could show of an error: its text, and the local variables of the frames it crossed."""
    yield str(problem) + repr(problem) + repr(vars(problem))
    link = problem
    while link is not None:
        for frame in traceback.walk_tb(link.__traceback__):
            code, variables = frame[0].f_code.co_filename, frame[0].f_locals
            if FRAMES_OF_OURS.search(code) and "tests" not in code:
                yield pprint.pformat(variables)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def test_no_traceback_shows_it_even_with_its_local_variables(pem, leaks, tmp_path):
    count = 0
    for moment in bad_moments(pem, tmp_path):
        try:
            moment()
        except errors.KalshiError as problem:
            count += 1
            for text in shown_by(problem):
                assert not leaks(text)
    assert count == 11


ED = ed25519.Ed25519PrivateKey.generate()
ED_PEM = ED.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
ED_LINE = ED_PEM.splitlines()[1]

SHAPES = {
    "whole": ED_PEM,
    "escaped": ED_PEM.replace("\n", "\\n"),
    "line": ED_LINE,
    "line with blanks": f"  {ED_LINE}  ",
    "line in quotes": f'"{ED_LINE}"',
    "line with a literal break": f"{ED_LINE}\\n",
    "line with a break before": f"\\r\\n{ED_LINE}",
    "cut by blanks": " ".join(ED_LINE[at : at + 16] for at in range(0, 64, 16)),
    "in a path": f"/srv/me/{ED_LINE}",
    "in an address": f"wss://{ED_LINE}:x/",
    "bytes": ED_PEM.encode(),
    "in a list": [ED_PEM],
}
TEXTS = {shape: value for shape, value in SHAPES.items() if isinstance(value, str)}
NOWHERE = "ws://127.0.0.1:9/trade-api/ws/v2"
CALLS = {
    "where": lambda make, key: make(key),
    "key_id": lambda make, key: make(NOWHERE, key_id=key, private_key=ED),
    "private_key": lambda make, key: make(NOWHERE, key_id=7, private_key=key),
    "private_key in use": lambda make, key: make(NOWHERE, key_id="i", private_key=key, timeout=1),
    "transport": lambda make, key: make(NOWHERE, key_id="i", private_key=ED, transport=key),
    "ssl": lambda make, key: make(NOWHERE, key_id="i", private_key=ED, ssl=key),
    "proxy": lambda make, key: make(NOWHERE, key_id="i", private_key=ED, proxy=key),
    "timeout": lambda make, key: make(NOWHERE, key_id="i", private_key=ED, timeout=key),
    "flush_interval": lambda make, key: make(NOWHERE, key_id="i", private_key=ED, flush_interval=key),
    "max_pending_rows": lambda make, key: make(NOWHERE, key_id="i", private_key=ED, max_pending_rows=key),
    "connections": lambda make, key: make(NOWHERE, key_id="i", private_key=ED, connections=key),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("make", ["connect", "connect_async"])
def test_no_argument_that_could_be_a_key_is_ever_repeated(call, shape, make):
    def connect_async(*arguments, **options):
        async def main():
            await kn.connect_async(*arguments, **options)

        asyncio.run(main())

    with pytest.raises(errors.KalshiError) as caught:
        CALLS[call]({"connect": kn.connect, "connect_async": connect_async}[make], SHAPES[shape])
    for text in shown_by(caught.value):
        for part in (ED_LINE[:14], ED_LINE[20:34], ED_LINE[40:54]):
            assert part not in text


@pytest.mark.parametrize("shape", TEXTS)
@pytest.mark.parametrize("name", ["KALSHI_ENV", "KALSHI_KEY_ID", "KALSHI_PRIVATE_KEY_PATH", "KALSHI_PRIVATE_KEY"])
@pytest.mark.parametrize("by_file", [False, True])
def test_no_variable_that_holds_a_key_is_ever_repeated(name, shape, by_file, monkeypatch, tmp_path):
    value = TEXTS[shape]
    others = {"KALSHI_ENV": NOWHERE, "KALSHI_KEY_ID": "an-id", "KALSHI_PRIVATE_KEY": "/nowhere/key.pem"}
    monkeypatch.chdir(tmp_path)
    for each in ("KALSHI_API_KEY_ID", "KALSHI_PRIVATE_KEY_PATH", *others):
        monkeypatch.delenv(each, raising=False)
    if by_file:
        quote = "'" if '"' in value else '"'
        lines = [f"{each}={text}" for each, text in others.items() if each != name]
        (tmp_path / ".env").write_text("\n".join([*lines, f"{name}={quote}{value}{quote}"]))
    else:
        for each, text in {**others, name: value}.items():
            monkeypatch.setenv(each, text)
    with pytest.raises(errors.KalshiError) as caught:
        kn.connect(timeout=1)
    report = kn.doctor(timeout=1)
    for text in (*shown_by(caught.value), repr(report), report._repr_html_()):
        for part in (ED_LINE[:14], ED_LINE[20:34], ED_LINE[40:54]):
            assert part not in text


@pytest.mark.parametrize("shape", TEXTS)
@pytest.mark.parametrize(
    "option", ["where", "--key-id", "--private-key", "--timeout", "--proxy", "--ca-file", "more", ""]
)
def test_no_command_line_repeats_a_key(option, shape, capsys):
    value = TEXTS[shape]
    rest = {
        "where": [value],
        "more": [NOWHERE, value],
        "": [],
        "--private-key": [NOWHERE, "--key-id", "i", f"--private-key={value}", "--timeout=1"],
    }.get(option, [NOWHERE, f"{option}={value}", "--timeout=1"])
    with contextlib.suppress(SystemExit):
        main([value] if option == "" else ["doctor", *rest])
    captured = capsys.readouterr()
    assert captured.out or captured.err
    for part in (ED_LINE[:14], ED_LINE[20:34], ED_LINE[40:54]):
        assert part not in captured.out + captured.err


@pytest.mark.parametrize("shape", SHAPES)
def test_no_question_to_a_feed_repeats_a_key(feed, shape):
    value = SHAPES[shape]
    for ask in (
        lambda: feed.frame(value),
        lambda: feed.stream(value),
        lambda: feed.on(value),
        lambda: feed.trades([[value]]),
        lambda: feed.trades(rows=value),
        lambda: feed.trades(seconds=value),
        lambda: feed.rfqs(user_filter=value),
        lambda: feed.book(MARKET).levels(value),
        lambda: feed.books([MARKET])[value],
        lambda: feed.trades()[value],
        lambda: feed.stream("trade").map(value),
        lambda: feed.stream("trade").rolling_frame(latest_keys=value),
        lambda: feed.stream("trade", name=value),
        lambda: feed.orders(latest_keys=value),
        lambda: feed.trades().complete(value),
        lambda: feed.when(value, print),
    ):
        with pytest.raises(errors.KalshiError) as caught:
            ask()
        for part in (ED_LINE[:14], ED_LINE[20:34], ED_LINE[40:54]):
            assert part not in str(caught.value)


@pytest.mark.parametrize("shape", SHAPES)
def test_no_key_in_the_place_of_a_ticker_is_asked_for_or_repeated(feed, shape):
    value = SHAPES[shape]
    asks = (
        lambda: feed.trades(value),
        lambda: feed.trades([MARKET, value]),
        lambda: feed.book(value),
        lambda: feed.books([value]),
        lambda: feed.stream("trade", value),
        lambda: feed.messages("fill", value),
        lambda: feed.on("trade", value)(print),
        lambda: feed.listen("trade", value),
        lambda: feed.when(bool, print, value),
        lambda: feed.index_values(value),
        lambda: feed.frame("pyth_value", value),
    )
    for ask in asks:
        with pytest.raises(errors.MarketTickerError) as caught:
            ask()
        for part in (ED_LINE[:14], ED_LINE[20:34], ED_LINE[40:54]):
            assert part not in str(caught.value)
    assert feed.health().markets == {}
    assert not feed.pipelines


@pytest.mark.parametrize("shape", SHAPES)
def test_no_simulated_exchange_repeats_a_key(shape, tmp_path):
    value = SHAPES[shape]
    make = kn.sim.Exchange
    with make(seed=7, clock="manual") as exchange:
        asks = [
            *(
                lambda name=name: make(**{name: value})
                for name in ("seed", "clock", "port", "era", "start", "unknown_markets", "speed")
            ),
            lambda: kn.sim.exchange(seed=value),
            lambda: make.from_frames(tmp_path / value if isinstance(value, str) else value),
            lambda: exchange.advance(value),
            lambda: exchange.publish(value, "fill", {}),
            lambda: exchange.publish("fill", value, {}),
            lambda: exchange.publish("fill", "fill", value),
            lambda: exchange.faults.skip_frames(value),
            lambda: exchange.faults.skip_frames("trade", value),
            lambda: exchange.faults.send_error("trade", value),
            lambda: exchange.faults.send_unknown("trade", value),
            lambda: exchange.faults.refuse_handshakes(value),
            lambda: exchange.faults.close_connections(value),
            lambda: exchange.faults.set_era(value),
            lambda: exchange.faults.delay(value),
            lambda: exchange.faults.limit_markets(value),
            lambda: exchange.add_key("i", value),
        ]
        for ask in asks:
            try:
                ask()
            except Exception as problem:  # whatever it is, it tells nothing
                link = problem
                while link is not None:
                    for part in (ED_LINE[:14], ED_LINE[20:34], ED_LINE[40:54]):
                        assert part not in str(link)
                    link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
            else:
                pytest.fail("a key was taken for something else")


@pytest.mark.parametrize(
    "part",
    ["?token=hunter2", "/?hunter2", "#hunter2", ";hunter2", f"/?k={ED_LINE}"],
    ids=["token", "query", "fragment", "parameter", "key"],  # keys are made anew in each process that runs tests
)
def test_no_query_of_a_proxys_address_is_repeated(part):
    with pytest.raises(errors.ConfigurationError, match=r"proxy is 'http://127\.0\.0\.1:9") as caught:
        kn.connect(NOWHERE, key_id="i", private_key=ED, proxy=f"http://127.0.0.1:9{part}")
    assert "hunter2" not in str(caught.value)
    assert ED_LINE[:14] not in str(caught.value)


def test_no_key_in_the_place_of_a_proxys_host_is_dialed():
    with pytest.raises(errors.ConfigurationError, match="has no name for one") as caught:
        kn.connect(
            NOWHERE, key_id="i", private_key=ED, proxy=f"http://{ED_LINE[:40].replace('/', 'a')}:3128", timeout=1
        )
    assert ED_LINE[:14] not in str(caught.value)


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

"""Neither a log nor a traceback with locals shows a signature, its time stamp, the key's id or the key."""

import asyncio
import base64
import contextlib
import logging
import re
import socket
import traceback

import pytest
from cryptography.hazmat.primitives import serialization

from kalshi_nb._auth import Credentials, Secret
from kalshi_nb._engine.dialing import dial
from kalshi_nb._engine.transport import Route, hang_up
from kalshi_nb._sealed import Sealed, sealed
from tests.engine.conftest import PATH, TinyExchange, reconnects, wait_until
from tests.engine.hosts import Authority, ByHand, refusing, request_of, tunnel

KEY_ID = "6f1c-a-key-id-of-these-tests"


@pytest.fixture
def pem(private_key):
    return private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.fixture
def credentials(pem):
    return Credentials(KEY_ID, Secret(pem), environ={})


@pytest.fixture
def signed(monkeypatch):
    """All signatures and time stamps of handshakes, as they are made."""
    from kalshi_nb._auth import Signer

    found, headers = [], Signer.headers

    def noting(self, path, **given):
        made = headers(self, path, **given)
        found.extend([made["KALSHI-ACCESS-SIGNATURE"], made["KALSHI-ACCESS-TIMESTAMP"]])
        return made

    monkeypatch.setattr(Signer, "headers", noting)
    return found


def secrets(signed, pem):
    body = "".join(pem.splitlines()[1:-1])
    return {KEY_ID, body[:20], *signed}


def shown_by(text, hidden):
    """Return what of `hidden` can be seen in `text`, a long enough piece of it being as bad as the whole."""
    return [each for each in hidden if (each[:60] if len(each) > 60 else each) in text]


def everything_shown(error):
    """Yield all that a traceback with locals shows, of the error and of whatever it came from."""
    seen, waiting = set(), [error]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        waiting += [each.__cause__, each.__context__]
        yield str(each)
        yield repr(each)
        yield repr(vars(each))
        for frame, _ in traceback.walk_tb(each.__traceback__):
            if "/tests/" in frame.f_code.co_filename:
                continue
            for value in list(frame.f_locals.values()):
                with contextlib.suppress(Exception):
                    yield repr(value)
                    yield str(value) if not isinstance(value, Sealed) else ""


def hung(connection):
    connection.recv(4096)
    connection.recv(1)


def echoing(connection):
    head = request_of(connection)
    connection.sendall(b"HTTP/1.1 400 Bad\r\nContent-Length: %d\r\n\r\n" % len(head) + head)


FAILURES = {
    "time-out": hung,
    "hung up": lambda connection: None,
    "reset": lambda connection: connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"),
    "noise": refusing(b"\x00\xff" * 500),
    "refused": refusing(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}"),
    "in trouble": refusing(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"),
    "a switch to nothing": refusing(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"
    ),
    "headers twice": refusing(b"HTTP/1.1 503 No\r\nRetry-After: 1\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n"),
    "a header without end": refusing(b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000),
}


def failed(url, credentials, route, timeout=0.4):
    with pytest.raises(Exception) as caught:  # whatever it is
        asyncio.run(dial(url, credentials, timeout=timeout, route=route))
    return caught.value


@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.parametrize("kind", FAILURES)
def test_no_traceback_of_a_failed_handshake_shows_what_was_signed(
    credentials, transport, signed, pem, kind, encrypted
):
    with ByHand(FAILURES[kind]) as server:
        scheme = "wss" if encrypted else "ws"
        error = failed(f"{scheme}://localhost:{server.port}{PATH}", credentials, Route(transport))
    assert signed
    for text in everything_shown(error):
        assert shown_by(text, secrets(signed, pem)) == []


def test_no_traceback_of_a_certificate_that_is_not_trusted_shows_it(credentials, transport, signed, pem, tmp_path):
    exchange = TinyExchange(Authority(tmp_path).server())
    try:
        error = failed(exchange.url, credentials, Route(transport))
    finally:
        exchange.close()
    assert "SSL_CERT_FILE" in str(error)
    for text in everything_shown(error):
        assert shown_by(text, secrets(signed, pem)) == []


@pytest.mark.parametrize("kind", ["nobody", "a proxy", "no such host", "a proxy that is gone"])
def test_no_traceback_of_a_way_that_leads_nowhere_shows_it(credentials, transport, signed, pem, kind):
    with ByHand(lambda connection: None) as gone:
        nobody = f"127.0.0.1:{gone.port}"
    with ByHand(tunnel(b"never")) as proxy:
        url, route = {
            "nobody": (f"ws://{nobody}{PATH}", Route(transport)),
            "a proxy": (
                f"wss://x.example{PATH}",
                Route(transport, proxy=f"http://me:pass-word@127.0.0.1:{proxy.port}"),
            ),
            "no such host": (f"wss://{'x' * 64}.example{PATH}", Route(transport, proxy=False)),
            "a proxy that is gone": (
                f"wss://x.example{PATH}",
                Route(transport, proxy=f"http://me:pass-word@{nobody}"),
            ),
        }[kind]
        error = failed(url, credentials, route)
    for text in everything_shown(error):
        assert shown_by(text, {*secrets(signed, pem), "pass-word"}) == []


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_handshake_that_is_broken_off_does_not_show_it(credentials, transport, signed, pem, encrypted):
    async def broken_off(url):
        task = asyncio.create_task(dial(url, credentials, timeout=5, route=Route(transport)))
        await asyncio.sleep(0.3)
        task.cancel()
        await task

    with ByHand(hung) as server, pytest.raises(asyncio.CancelledError) as caught:
        asyncio.run(broken_off(f"{'wss' if encrypted else 'ws'}://localhost:{server.port}{PATH}"))
    assert signed
    for text in everything_shown(caught.value):
        assert shown_by(text, secrets(signed, pem)) == []


def test_a_server_that_says_back_what_it_was_told_is_not_quoted(credentials, transport, signed, pem):
    with ByHand(echoing) as server:
        error = failed(f"ws://localhost:{server.port}{PATH}", credentials, Route(transport))
    assert "HTTP 400" in str(error)
    for text in everything_shown(error):
        assert shown_by(text, secrets(signed, pem)) == []


def test_what_is_sealed_is_sent_as_it_is_and_shows_no_piece_of_itself():
    (value,) = sealed({"name": "a-signature-" * 20}).values()
    assert (f"{value}", str(value), value.encode()) == ("a-signature-" * 20, "a-signature-" * 20, b"a-signature-" * 20)
    for each in (value, value[:80], value[5:][:3], value[0], [value], {"name": value}):
        assert "sig" not in repr(each)
        assert "<secret>" in repr(each)


# logs


@pytest.fixture
def everything_logged():
    """Records of all loggers at the lowest level, as ``logging.basicConfig(level=DEBUG)`` has them."""
    texts = []

    class Kept(logging.Handler):
        def emit(self, record):
            texts.append(self.format(record))

    handler, root = Kept(logging.NOTSET), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.NOTSET)
    yield texts
    root.removeHandler(handler)
    root.setLevel(before)


def test_nothing_that_is_logged_shows_it(exchange, engines, everything_logged, signed, pem, private_key, caplog):
    logging.getLogger("websockets").setLevel(logging.DEBUG)
    engine = engines(exchange.url, Credentials(KEY_ID, Secret(pem), environ={}))
    engine.start(10)
    engine.want("trade", [frozenset({"KXA-1"})], rows="trade", timeout=10)
    exchange.refuse.append((401, {}, "{}"))
    exchange.kill()
    wait_until(lambda: reconnects(engine) == 1)
    engine.close()
    for text in list(everything_logged):
        # The server of these tests runs on the same library and logs what it hears: that is not of ours.
        if "KALSHI-ACCESS" in text and text.startswith("< "):
            continue
        assert shown_by(text, secrets(signed, pem)) == []
    assert len(signed) == 6
    for signature in signed[::2]:
        assert len(base64.b64decode(signature)) == 64
    assert re.fullmatch(r"[0-9]{13}", signed[1])


def test_a_connection_can_still_be_made_with_sealed_headers(exchange, credentials, transport):
    async def connect_once():
        await hang_up(await dial(exchange.url, credentials, timeout=5, route=Route(transport)))

    asyncio.run(connect_once())
    (_, headers, _) = exchange.handshakes[0]
    assert headers["KALSHI-ACCESS-KEY"] == KEY_ID


def test_the_simulated_exchange_logs_no_headers_either(everything_logged, transport):
    import kalshi_nb as kn

    with kn.sim.Exchange(clock="manual") as exchange, kn.connect(exchange, transport=transport):
        pass
    assert everything_logged
    for text in list(everything_logged):
        assert "KALSHI-ACCESS" not in text

"""TLS and proxies: what is taken, and what is said where it fails, with the next step; over both transports."""

import ssl

import pytest

from kalshi_nb.errors import HandshakeError, LinkError, UnreachableError
from tests.engine.conftest import PATH, TinyExchange, io_threads, reconnects, wait_until
from tests.engine.hosts import Authority, ByHand, refusing, request_of, tunnel

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "wss_proxy", "ws_proxy", "socks_proxy")


@pytest.fixture(autouse=True)
def _no_proxy_of_this_computer(monkeypatch):
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def encrypted(authority):
    """An exchange behind wss:// whose certificate an authority of its own has signed."""
    found = TinyExchange(authority.server())
    yield found
    found.close()


def refused(engines, url, kind=LinkError, **options):
    with pytest.raises(kind) as caught:
        engines(url, **options).start(10)
    assert io_threads() == []
    text = str(caught.value)
    assert text.isprintable()
    assert "<" not in text
    return text


# TLS


def test_an_authority_of_ones_own_is_trusted_where_it_is_passed(encrypted, engines, authority):
    engine = engines(encrypted.url, ssl=authority.trusting())
    engine.start(10)
    encrypted.kill()
    wait_until(lambda: reconnects(engine) == 1)


def test_an_authority_of_ones_own_is_trusted_where_the_environment_names_it(
    encrypted, engines, authority, monkeypatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    engine = engines(encrypted.url)
    engine.start(10)
    assert engine.state == "connected"


def test_an_authority_that_nobody_trusts_is_named_with_both_ways_to_trust_it(encrypted, engines):
    text = refused(engines, encrypted.url, UnreachableError)
    for part in ("Nobody whom this computer trusts", "SSL_CERT_FILE", "connect(…, ssl=", "localhost"):
        assert part in text


@pytest.mark.parametrize(
    ("certificate", "part"),
    [
        ({"begins": -30, "ends": -1}, "has expired"),
        ({"begins": 1, "ends": 30}, "not valid yet"),
        ({"host": "kalshi.example"}, "for another host"),
    ],
)
def test_a_certificate_that_does_not_fit_is_told_apart(engines, authority, certificate, part):
    exchange = TinyExchange(authority.server(**certificate))
    try:
        assert part in refused(engines, exchange.url, UnreachableError, ssl=authority.trusting())
    finally:
        exchange.close()


def test_a_number_as_host_is_checked_as_one(engines, authority):
    exchange = TinyExchange(authority.server("kalshi.example"))
    url = exchange.url.replace("localhost", "127.0.0.1")
    try:
        assert "for another host" in refused(engines, url, UnreachableError, ssl=authority.trusting())
    finally:
        exchange.close()


@pytest.mark.parametrize("alert", [70, 40, 80], ids=["its version", "its ciphers", "an error of its own"])
def test_a_server_that_has_no_tls_in_common_is_told_from_one_that_has_none(engines, alert):
    def talk(connection):
        connection.recv(4096)
        connection.sendall(b"\x15\x03\x03\x00\x02\x02" + bytes([alert]))

    with ByHand(talk) as server:
        assert "no common way to encrypt" in refused(engines, f"wss://localhost:{server.port}{PATH}", UnreachableError)


def test_wss_to_a_port_without_tls_names_ws(exchange, engines):
    text = refused(engines, exchange.url.replace("ws:", "wss:"))
    assert "ws://" in text
    assert "on this computer" in text


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n",
        b"\x00" * 300,
        b"",
    ],
    ids=["http", "ssh", "noise", "hung up"],
)
def test_wss_to_a_port_of_something_else_names_ws(engines, answer):
    def talk(connection):
        connection.recv(4096)
        connection.sendall(answer)

    with ByHand(talk) as server:
        text = refused(engines, f"wss://localhost:{server.port}{PATH}")
        assert "ws://" in text


def test_ws_to_a_port_with_tls_names_wss(encrypted, engines):
    text = refused(engines, encrypted.url.replace("wss:", "ws:"))
    assert "wss://" in text


# proxies


def test_a_proxy_that_is_passed_is_used_with_its_password_for_an_exchange_on_this_computer_too(
    encrypted, engines, authority
):
    asked = []
    with ByHand(tunnel(b"Basic c29tZWJvZHk6YSBzZWNyZXQ=", asked)) as proxy:
        engine = engines(
            encrypted.url, ssl=authority.trusting(), proxy=f"http://somebody:a%20secret@127.0.0.1:{proxy.port}"
        )
        engine.start(10)
        assert engine.state == "connected"
        assert asked[0].startswith(b"CONNECT localhost:")
        engine.close()


@pytest.mark.parametrize("url", ["wss://no-such-host.invalid", "ws://no-such-host.invalid"])
def test_a_proxy_of_the_environment_is_used_and_false_goes_without(engines, monkeypatch, url):
    asked = []

    def talk(connection):
        asked.append(request_of(connection))
        connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")

    with ByHand(talk) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:pass-word@127.0.0.1:{proxy.port}")
        text = refused(engines, url + PATH, UnreachableError)
        assert "HTTP 502" in text
        assert "proxy=False" in text
        assert f"127.0.0.1:{proxy.port}" in text
        assert "no-such-host.invalid" in text
        assert "pass-word" not in text
        assert len(asked) == 1
        assert "name of the host" in refused(engines, url + PATH, UnreachableError, proxy=False)
        assert len(asked) == 1


def test_a_proxy_of_the_environment_is_not_used_for_this_computer(exchange, engines, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    engines(exchange.url).start(10)


def test_a_proxy_that_wants_a_password_says_where_it_goes(engines):
    with ByHand(tunnel(b"Proxy-Authorization: never")) as proxy:
        text = refused(
            engines,
            "wss://kalshi.example" + PATH,
            UnreachableError,
            proxy=f"http://me:pass-word@127.0.0.1:{proxy.port}",
        )
    assert "HTTP 407" in text
    assert "user:password@host:port" in text
    assert "pass-word" not in text


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 503 No\r\nContent-Length: 5\r\n\r\n<html",
        b"HTTP/1.1 200\x1b OK\r\n\r\n",
        b"SSH-2.0\r\n\r\n",
        b"",
        b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>",
    ],
)
def test_a_proxy_that_makes_no_way_is_named(engines, answer):
    with ByHand(refusing(answer)) as proxy:
        text = refused(engines, "wss://kalshi.example" + PATH, proxy=f"http://127.0.0.1:{proxy.port}")
    assert f"proxy 127.0.0.1:{proxy.port}" in text or "broke off" in text


@pytest.mark.parametrize("kind", ["http", "https", "socks5", "socks5h", "socks4", "socks4a"])
def test_a_proxy_that_is_not_there_is_named(engines, kind):
    with ByHand(lambda connection: None) as gone:
        port = gone.port
    text = refused(
        engines, "wss://kalshi.example" + PATH, UnreachableError, proxy=f"{kind}://me:pass-word@127.0.0.1:{port}"
    )
    assert f"127.0.0.1:{port}" in text
    assert "pass-word" not in text


@pytest.mark.parametrize(
    "proxy", ["not an address", "ftp://x:1", "http://", "http://h:port", "http://[::1", "", "x\0y"]
)
def test_a_proxy_of_which_the_address_is_none_is_a_typed_error(engines, proxy):
    refused(engines, "wss://kalshi.example" + PATH, LinkError, proxy=proxy)


def test_a_context_is_no_trouble_where_nothing_is_encrypted(exchange, engines):
    engines(exchange.url, ssl=ssl.create_default_context()).start(10)


def test_the_pages_of_a_web_server_are_never_shown(exchange, engines):
    exchange.refuse_always = (404, {}, "<html><head><title>\x1b]0;gone\x07Not\n Found</title></head></html>")
    with pytest.raises(HandshakeError) as caught:
        engines(exchange.url.replace(PATH, "/wrong")).start(10)
    text = str(caught.value)
    assert "the path: it is '/wrong' here, and '/trade-api/ws/v2' at Kalshi" in text
    assert "Not Found" in text
    assert "<" not in text
    assert text.isprintable()

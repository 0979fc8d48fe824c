"""connect(ssl=…, proxy=…) and a login in the address: looked at before anything is dialed, used, and shown nowhere."""

import base64
import contextlib
import datetime as dt
import ipaddress
import logging
import socket
import ssl
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

import kalshi_nb as kn
from kalshi_nb.errors import ConfigurationError, FeedOptionsError, UnreachableError
from tests.engine.conftest import TinyExchange

pytestmark = pytest.mark.parametrize("transport", ["websockets", "picows"])
KEY = ed25519.Ed25519PrivateKey.generate()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "WSS_PROXY", "SOCKS_PROXY", "NO_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def tiny():
    made = TinyExchange()
    yield made
    made.close()


def connect(where, transport, **options):
    return kn.connect(where, key_id="i", private_key=KEY, transport=transport, timeout=5, **options)


class Proxy:
    """An HTTP proxy that connects to one address, whatever is asked for, and remembers what it was asked."""

    def __init__(self, port):
        self.asked = []
        self._to = port
        self._sockets = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                self._sockets.append(client)
                head = b""
                while b"\r\n\r\n" not in head:
                    head += client.recv(4096)
                self.asked.append(head.decode())
                there = socket.create_connection(("127.0.0.1", self._to))
                self._sockets.append(there)
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                for one, other in ((client, there), (there, client)):
                    threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    @staticmethod
    def _pass(one, other):
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        for each in (one, other):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self):
        self._server.shutdown(socket.SHUT_RDWR)
        for each in (self._server, *self._sockets):
            each.close()


class Encrypted(Proxy):
    """A front of TLS before one address, with a certificate that an authority of its own signed."""

    def __init__(self, port, context):
        self._context = context
        super().__init__(port)

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                self._sockets.append(client)
                try:
                    client = self._context.wrap_socket(client, server_side=True)
                except OSError:  # whoever came does not trust it
                    continue
                there = socket.create_connection(("127.0.0.1", self._to))
                self._sockets += [client, there]
                for one, other in ((client, there), (there, client)):
                    threading.Thread(target=self._pass, args=(one, other), daemon=True).start()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """The file of a certificate for 127.0.0.1 that nobody else trusts, and a server's context with it."""
    folder = tmp_path_factory.mktemp("authority")
    key = rsa.generate_private_key(65_537, 2_048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "an authority of ours")])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = (
        made.serial_number(7).not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=9))
    )
    addresses = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = made.add_extension(addresses, critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    certificate = folder / "ca.pem"
    certificate.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    private = folder / "key.pem"
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, private)
    return certificate, context


@pytest.mark.parametrize("form", [str, lambda path: path, lambda path: ssl.create_default_context(cafile=path)])
def test_an_authority_of_ones_own_is_trusted_by_its_file_or_a_context(exchange, authority, form, transport):
    exchange.add_key("i", KEY.public_key())
    certificate, context = authority
    front = Encrypted(int(exchange.url.split(":")[2].split("/")[0]), context)
    address = f"wss://127.0.0.1:{front.port}/trade-api/ws/v2"
    try:
        with pytest.raises(kn.errors.LinkError):
            connect(address, transport)
        trusted = form(certificate)
        with connect(address, transport, ssl=trusted) as feed:
            assert feed.state == "connected"
            assert connect(address, transport, ssl=trusted) is feed
    finally:
        front.close()


@pytest.fixture
def proxy(exchange):
    made = Proxy(int(exchange.url.split(":")[2].split("/")[0]))
    yield made
    made.close()


def test_a_proxy_is_used_and_its_password_shown_nowhere(exchange, proxy, transport, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    exchange.add_key("i", KEY.public_key())
    address = f"http://jane:s3cret-word@127.0.0.1:{proxy.port}"
    with connect(exchange.url, transport, proxy=address) as feed:
        assert feed.state == "connected"
        assert len(proxy.asked) == 1
        assert base64.b64encode(b"jane:s3cret-word").decode() in proxy.asked[0]
        assert connect(exchange.url, transport, proxy=address) is feed
        with pytest.raises(FeedOptionsError, match=r"proxy is 'http://\*\*\*@127") as caught:
            connect(exchange.url, transport)
        shown = f"{feed!r}{feed.url}{feed.options!r}{feed.health()!r}{caught.value}{caplog.text}{capsys.readouterr()}"
        assert "s3cret" not in shown
        assert "jane" not in shown


@pytest.mark.parametrize(
    ("proxy", "word"),
    [
        ("127.0.0.1:3128", "http://"),
        ("ftp://127.0.0.1:3128", "ftp"),
        ("http://127.0.0.1:87600", "port"),
        ("http://127.0.0.1:0", "port"),
        ("http://127.0.0.1:abc", "port"),
        ("http://", "hostname"),
        ("http://127.0.0.1:3128/path", "path"),
        ("http://jane:s3cret @127.0.0.1:3128", "blanks"),
        ("http://jane@127.0.0.1:3128", "password"),
        ("http://jane:s3cret@127.0.0.1:x", "port"),
        ("http://[::1", "cannot be read"),
        ("", "http://"),
        (7, "no address"),
    ],
)
def test_a_malformed_proxy_is_refused_with_the_way_to_write_it(proxy, word, transport):
    with pytest.raises(ConfigurationError, match="proxy is") as caught:
        connect("ws://127.0.0.1:9/x", transport, proxy=proxy)
    assert word in str(caught.value)
    assert "proxy=False" in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "WSS_PROXY"])
@pytest.mark.parametrize("address", ["127.0.0.1:3128", "http://jane:s3cret@127.0.0.1:87600", "http://", "nonsense"])
def test_a_malformed_proxy_of_the_environment_names_its_variable(name, address, transport, monkeypatch):
    monkeypatch.setenv(name, address)
    with pytest.raises(ConfigurationError, match=name) as caught:
        connect("wss://example.com/x", transport)
    assert "s3cret" not in str(caught.value)
    report = kn.doctor("wss://example.com/x", key_id="i", private_key=KEY, timeout=1)
    assert name in report.problem.text
    assert "s3cret" not in repr(report)


def test_this_computer_needs_no_proxy_of_the_environment(tiny, transport, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "nonsense")
    monkeypatch.setenv("HTTP_PROXY", "nonsense")
    with connect(tiny.url, transport) as feed:
        assert feed.state == "connected"


def test_no_proxy_is_a_word(transport, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "nonsense")
    with pytest.raises(UnreachableError):
        kn.connect("wss://localhost:9/x", key_id="i", private_key=KEY, transport=transport, proxy=False, timeout=2)


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (True, "certificates"),
        (False, "certificates"),
        (7, "ssl is 7"),
        ("/nowhere/ca.pem", "/nowhere/ca.pem"),
        (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), "server"),
    ],
)
def test_what_nobody_can_trust_is_refused(given, word, transport):
    with pytest.raises(ConfigurationError, match=r"ssl|certificates") as caught:
        connect("wss://127.0.0.1:9/x", transport, ssl=given)
    assert word in str(caught.value)


def test_a_file_without_certificates_is_named(transport, tmp_path):
    path = tmp_path / "ca.pem"
    path.write_text("nothing of the kind")
    with pytest.raises(ConfigurationError, match=r"ca\.pem.*certificates"):
        connect("wss://127.0.0.1:9/x", transport, ssl=path)


def test_ssl_is_a_part_of_what_a_feed_was_made_with(tiny, transport):
    context = ssl.create_default_context()
    with connect(tiny.url, transport, ssl=context) as feed:
        assert connect(tiny.url, transport, ssl=context) is feed
        with pytest.raises(FeedOptionsError, match="ssl is an SSLContext there and None here"):
            connect(tiny.url, transport)
        with pytest.raises(FeedOptionsError, match="ssl is an SSLContext there and another SSLContext here"):
            connect(tiny.url, transport, ssl=ssl.create_default_context())


def test_a_login_in_the_address_is_sent_and_shown_nowhere(tiny, transport, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    address = tiny.url.replace("ws://", "ws://jane:s3cret%2Fword@")
    with connect(address, transport) as feed:
        sent = tiny.handshakes[-1][1]["Authorization"]
        assert base64.b64decode(sent.removeprefix("Basic ")) == b"jane:s3cret/word"
        assert feed.url == tiny.url
        assert connect(address, transport) is feed
        with connect(tiny.url, transport) as other:
            assert other is not feed
        report = kn.doctor(address, key_id="i", private_key=KEY, timeout=0.2)
        shown = (
            f"{feed!r}{feed.url}{feed.health()!r}{report!r}{report._repr_html_()}{caplog.text}{capsys.readouterr()}"
        )
    tiny.refuse_always = (503, {}, "")
    with pytest.raises(kn.errors.HandshakeError) as refused:
        connect(address, transport)
    with pytest.raises(UnreachableError) as unreachable:
        connect("ws://jane:s3cret@127.0.0.1:9/x", transport)
    shown += f"{refused.value!r}{unreachable.value!r}{caplog.text}{capsys.readouterr()}"
    assert "s3cret" not in shown
    assert "jane" not in shown

"""Keys and handshake headers, with real keys; and that no key ever shows."""

import base64
import copy
import pickle
import traceback

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from kalshi_nb._auth import Credentials, Secret, Signer
from kalshi_nb.errors import CredentialsError, MissingCredentialsError, PrivateKeyError

PATH = "/trade-api/ws/v2"
PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
PKCS8, PKCS1 = serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL
PLAIN = serialization.NoEncryption()


@pytest.fixture(scope="module")
def keys():
    return {"RSA": rsa.generate_private_key(65_537, 2_048), "Ed25519": ed25519.Ed25519PrivateKey.generate()}


@pytest.fixture(scope="module")
def pems(keys):
    return {
        "RSA PKCS8": keys["RSA"].private_bytes(PEM, PKCS8, PLAIN),
        "RSA PKCS1": keys["RSA"].private_bytes(PEM, PKCS1, PLAIN),
        "Ed25519": keys["Ed25519"].private_bytes(PEM, PKCS8, PLAIN),
    }


def credentials(key, key_id="a-key-id"):
    return Credentials(key_id, Secret(key), environ={})


def verify(headers, key):
    message = f"{headers['KALSHI-ACCESS-TIMESTAMP']}GET{PATH}".encode()
    signature = base64.b64decode(headers["KALSHI-ACCESS-SIGNATURE"], validate=True)
    if isinstance(key, rsa.RSAPrivateKey):
        pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
        key.public_key().verify(signature, message, pss, hashes.SHA256())
    else:
        key.public_key().verify(signature, message)


# signatures


@pytest.mark.parametrize(("kind", "length"), [("RSA PKCS8", 344), ("RSA PKCS1", 344), ("Ed25519", 88)])
def test_a_signature_is_over_milliseconds_get_and_path(pems, keys, kind, length):
    signer = credentials(pems[kind]).signer()
    headers = signer.headers(PATH, now_ms=1_790_000_000_123)
    assert headers["KALSHI-ACCESS-KEY"] == "a-key-id"
    assert headers["KALSHI-ACCESS-TIMESTAMP"] == "1790000000123"
    assert len(headers["KALSHI-ACCESS-SIGNATURE"]) == length
    assert signer.key_type == kind.split()[0]
    verify(headers, keys[kind.split()[0]])


def test_the_time_is_now_unless_told(pems, keys):
    import time

    before = time.time_ns() // 1_000_000
    headers = credentials(pems["Ed25519"]).signer().headers(PATH)
    assert before <= int(headers["KALSHI-ACCESS-TIMESTAMP"]) <= time.time_ns() // 1_000_000
    verify(headers, keys["Ed25519"])


# ways to give a key


@pytest.mark.parametrize("kind", ["RSA PKCS8", "RSA PKCS1", "Ed25519"])
@pytest.mark.parametrize(
    "shape",
    [
        lambda pem, _: pem,
        lambda pem, _: pem.decode(),
        lambda pem, _: "\n\n  " + pem.decode() + "\n",
        lambda pem, _: pem.decode().replace("\n", "\\n"),
        lambda pem, _: pem.decode().replace("\n", "\r\n"),
        lambda pem, path: write(path, pem),
        lambda pem, path: str(write(path, pem)),
        lambda pem, path: write(path, pem) and "~/key.pem",
    ],
    ids=["bytes", "text", "padded", "escaped", "crlf", "Path", "path", "home"],
)
def test_a_key_is_taken_as_text_bytes_or_file(pems, keys, tmp_path, monkeypatch, kind, shape):
    monkeypatch.setenv("HOME", str(tmp_path))
    signer = credentials(shape(pems[kind], tmp_path / "key.pem")).signer()
    verify(signer.headers(PATH), keys[kind.split()[0]])


def write(path, content):
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("kind", ["RSA", "Ed25519"])
def test_a_key_object_is_taken_as_it_is(keys, kind):
    verify(credentials(keys[kind]).signer().headers(PATH), keys[kind])


@pytest.mark.parametrize("id_name", ["KALSHI_API_KEY_ID", "KALSHI_KEY_ID"])
@pytest.mark.parametrize("key_name", ["KALSHI_PRIVATE_KEY_PATH", "KALSHI_PRIVATE_KEY"])
def test_the_environment_is_read(pems, keys, tmp_path, id_name, key_name):
    pem = pems["Ed25519"]
    value = str(write(tmp_path / "key.pem", pem)) if key_name.endswith("PATH") else pem.decode().replace("\n", "\\n")
    signer = Credentials(environ={id_name: "an-id", key_name: value}).signer()
    assert signer.key_id == "an-id"
    verify(signer.headers(PATH), keys["Ed25519"])


def test_what_is_passed_goes_before_the_environment(keys):
    environ = {"KALSHI_API_KEY_ID": "another", "KALSHI_PRIVATE_KEY_PATH": "/nowhere"}
    signer = Credentials(" mine ", Secret(keys["Ed25519"]), environ=environ).signer()
    assert signer.key_id == "mine"


def test_the_key_is_read_afresh_at_each_signer(pems, tmp_path):
    source = credentials(write(tmp_path / "key.pem", pems["Ed25519"]))
    before = source.signer()
    rotated = ed25519.Ed25519PrivateKey.generate()
    write(tmp_path / "key.pem", rotated.private_bytes(PEM, PKCS8, PLAIN))
    after = source.signer()
    verify(after.headers(PATH), rotated)
    assert before.fingerprint() != after.fingerprint()
    (tmp_path / "key.pem").unlink()
    with pytest.raises(PrivateKeyError, match="no private key file"):
        source.signer()


def test_the_fingerprint_tells_keys_apart_and_is_public(keys, pems):
    print_of = credentials(pems["RSA PKCS8"]).signer().fingerprint()
    assert print_of == credentials(pems["RSA PKCS1"]).signer().fingerprint()
    assert print_of == keys["RSA"].public_key().public_bytes(DER, serialization.PublicFormat.SubjectPublicKeyInfo)


# what cannot work, and the next step


@pytest.mark.parametrize(
    ("key_id", "key", "missing"),
    [(None, "x", "No key id"), ("x", None, "No private key"), (None, None, "and private key")],
)
def test_missing_credentials_name_the_two_ways_on(key_id, key, missing):
    with pytest.raises(MissingCredentialsError, match=missing) as caught:
        Credentials(key_id, None if key is None else Secret(key), environ={}).signer()
    assert "KALSHI_PRIVATE_KEY_PATH" in str(caught.value)
    assert "connect('sim')" in str(caught.value)


def encrypted(keys):
    return keys["RSA"].private_bytes(PEM, PKCS8, serialization.BestAvailableEncryption(b"password"))


def public(keys):
    return keys["RSA"].public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def elliptic(keys):
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(PEM, PKCS8, PLAIN)


@pytest.mark.parametrize(
    ("make", "step"),
    [
        (encrypted, "openssl pkey"),
        (public, "the private one"),
        (elliptic, "RSA and Ed25519"),
        (lambda keys: ec.generate_private_key(ec.SECP256R1()), "RSA and Ed25519"),
        (lambda keys: b"-----BEGIN PRIVATE KEY-----\nbm9uc2Vuc2U=\n-----END PRIVATE KEY-----\n", "line breaks"),
        (lambda keys: keys["RSA"].private_bytes(PEM, PKCS8, PLAIN)[:900], "line breaks"),
        (lambda keys: keys["Ed25519"].private_bytes(DER, PKCS8, PLAIN), "neither the path"),
        (lambda keys: "nonsense\nof two lines", "neither the path"),
        (lambda keys: "x" * 1_000, "neither the path"),
        (lambda keys: "nul\x00byte", "neither the path"),
        (lambda keys: "~nobody-of-this-name/key.pem", "home directory"),
        (lambda keys: "/nowhere/key.pem", "There is no private key file '/nowhere/key.pem'"),
        (lambda keys: "/", "cannot be read"),
        (lambda keys: 42, "pass the path of a PEM file"),
    ],
)
def test_a_key_that_cannot_be_used_says_what_to_do(keys, make, step):
    with pytest.raises(PrivateKeyError) as caught:
        credentials(make(keys)).signer()
    assert step in str(caught.value)


def test_a_file_without_a_key_is_named(tmp_path):
    path = write(tmp_path / "notes.txt", b"nothing of the kind")
    with pytest.raises(PrivateKeyError, match=r"notes\.txt"):
        credentials(path).signer()


@pytest.mark.parametrize("key_id", ["with\r\nInjected: header", "kéy", "  ", "\x00"])
def test_a_key_id_that_no_header_can_carry_is_refused(keys, key_id):
    with pytest.raises(CredentialsError, match="key_id"):
        credentials(keys["Ed25519"], key_id).signer()


def test_a_key_id_that_is_no_text_is_refused(keys):
    with pytest.raises(MissingCredentialsError, match="int"):
        credentials(keys["Ed25519"], 42).signer()


# no key ever shows


def secrets_of(pem):
    """Every line of the key that a leak would show."""
    text = pem.decode() if isinstance(pem, bytes) else pem
    return [line for line in text.replace("\\n", "\n").splitlines() if line and "-----" not in line]


@pytest.mark.parametrize("kind", ["RSA PKCS8", "RSA PKCS1", "Ed25519"])
def test_no_view_of_credentials_or_signer_shows_the_key(pems, kind):
    source = credentials(pems[kind].decode(), "an-id-of-some-length")
    environ = Credentials(environ={"KALSHI_API_KEY_ID": "an-id", "KALSHI_PRIVATE_KEY": pems[kind].decode()})
    signer = source.signer()
    holder = Secret(pems[kind])
    for thing in (source, environ, signer, holder):
        views = [repr(thing), str(thing), f"{thing}", format(thing), f"{[thing]!r}", f"{thing!r:.500}"]
        for view in views:
            assert not any(line in view for line in secrets_of(pems[kind]))
        for refuse in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError):
                refuse(thing)
    assert repr(holder) == "<secret>"
    assert "an-id-of" not in repr(signer)


def broken_keys(keys):
    rsa_text = keys["RSA"].private_bytes(PEM, PKCS8, PLAIN).decode()
    ed_text = keys["Ed25519"].private_bytes(PEM, PKCS8, PLAIN).decode()
    ed_body = secrets_of(ed_text)[0]
    return {
        "cut": (rsa_text[:-200], secrets_of(rsa_text)[:-5]),
        "body alone": (ed_body, [ed_body]),
        "body of many lines": ("\n".join(secrets_of(rsa_text)), secrets_of(rsa_text)),
        "body in one line": ("".join(secrets_of(rsa_text)), secrets_of(rsa_text)),
        "bytes without a mark": (rsa_text.replace("-----", "").encode(), secrets_of(rsa_text)),
        "der": (keys["Ed25519"].private_bytes(DER, PKCS8, PLAIN), [ed_body]),
        "encrypted": (encrypted(keys).decode(), secrets_of(encrypted(keys))),
        "elliptic": (pem := elliptic(keys).decode(), secrets_of(pem)),
        "body and zero": (ed_body + "\x00", [ed_body]),
        "in a home": ("~" + ed_body, [ed_body]),
    }


@pytest.mark.parametrize(
    "kind",
    [
        "cut",
        "body alone",
        "body of many lines",
        "body in one line",
        "bytes without a mark",
        "der",
        "encrypted",
        "elliptic",
        "body and zero",
        "in a home",
    ],
)
@pytest.mark.parametrize("by_environment", [False, True])
def test_no_error_shows_the_key_not_even_in_a_traceback_with_locals(keys, kind, by_environment):
    given, lines = broken_keys(keys)[kind]
    if by_environment:
        if isinstance(given, bytes):
            given = given.decode("latin-1")
        source = Credentials(environ={"KALSHI_API_KEY_ID": "an-id", "KALSHI_PRIVATE_KEY": given})
    else:
        source = credentials(given)
    holder = [source]
    del given
    text = told(holder[0])
    assert "PrivateKeyError" in text
    for line in lines:
        assert line not in text
        assert line[:40] not in text


def told(source):
    try:
        source.signer()
    except CredentialsError as error:
        return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    raise AssertionError("nothing was raised")


def test_a_signer_made_by_hand_signs(keys):
    verify(Signer("id", Secret(keys["RSA"])).headers(PATH), keys["RSA"])

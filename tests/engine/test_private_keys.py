"""A private key is taken in any shape that does no harm; any other is named, with the command that converts it."""

import base64
import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import pkcs12

from kalshi_nb._auth import Credentials, Secret
from kalshi_nb.errors import CredentialsError, PrivateKeyError

PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
PKCS8, PKCS1 = serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL
OPENSSH = serialization.PrivateFormat.OpenSSH
PLAIN = serialization.NoEncryption()

RSA = rsa.generate_private_key(65_537, 2_048)
ED = ed25519.Ed25519PrivateKey.generate()
KINDS = {
    "RSA PKCS8": RSA.private_bytes(PEM, PKCS8, PLAIN).decode(),
    "RSA PKCS1": RSA.private_bytes(PEM, PKCS1, PLAIN).decode(),
    "RSA OpenSSH": RSA.private_bytes(PEM, OPENSSH, PLAIN).decode(),
    "Ed25519": ED.private_bytes(PEM, PKCS8, PLAIN).decode(),
    "Ed25519 OpenSSH": ED.private_bytes(PEM, OPENSSH, PLAIN).decode(),
}


def certificate():
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "somebody")])
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(RSA.public_key())
    made = made.serial_number(7).not_valid_before(now).not_valid_after(now + dt.timedelta(days=9))
    return made.sign(RSA, hashes.SHA256())


def public(form, encoding=PEM):
    return RSA.public_key().public_bytes(encoding, form).decode()


def signer(key, **more):
    return Credentials("an-id", Secret(key), environ={}, **more).signer()


def fingerprint(kind):
    return signer(RSA if kind.startswith("RSA") else ED).fingerprint()


CHANGES = {
    "literal \\n": lambda pem: pem.replace("\n", "\\n"),
    "literal \\r\\n": lambda pem: pem.replace("\n", "\\r\\n"),
    "twice escaped": lambda pem: pem.replace("\n", "\\\\n"),
    "literal and real": lambda pem: pem.replace("\n", "\\n\n"),
    "crlf": lambda pem: pem.replace("\n", "\r\n"),
    "cr": lambda pem: pem.replace("\n", "\r"),
    "leading blanks": lambda pem: "\n".join(f"    {line}" for line in pem.splitlines()),
    "trailing blanks": lambda pem: "\n".join(f"{line}  \t" for line in pem.splitlines()),
    "empty lines": lambda pem: pem.replace("\n", "\n\n"),
    "one line of blanks": lambda pem: pem.replace("\n", " "),
    "no breaks": lambda pem: pem.replace("\n", ""),
    "double quotes": lambda pem: f'"{pem}"',
    "single quotes": lambda pem: f"'{pem.strip()}'\n",
    "quotes and literal \\n": lambda pem: '"' + pem.replace("\n", "\\n") + '"',
    "curly quotes": lambda pem: f"\u201c{pem}\u201d",
    "list of literals": lambda pem: ",\n".join(f'"{line}\\n"' for line in pem.splitlines()),
    "invisible": lambda pem: "\ufeff" + pem.replace("\n", "\u200b\n"),
    "no-break spaces": lambda pem: pem.replace("\n", "\n\u00a0\u00a0"),
    "long dashes": lambda pem: pem.replace("-----", "\u2014\u2014"),
    "text around": lambda pem: f"Bag Attributes\n    localKeyID: 01\nsubject=/CN=me\n{pem}\nkept since May\n",
    "a certificate beside": lambda pem: certificate().public_bytes(PEM).decode() + pem,
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_key_is_taken_however_its_text_was_treated(kind, change):
    assert signer(CHANGES[change](KINDS[kind])).fingerprint() == fingerprint(kind)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("way", ["bytes", "file", "variable", "path variable"])
def test_a_treated_text_is_taken_by_every_way_there_is(way, change, tmp_path):
    pem = CHANGES[change](KINDS["Ed25519"])
    path = tmp_path / "key.pem"
    path.write_bytes(pem.encode())
    made = {
        "bytes": lambda: signer(pem.encode()),
        "file": lambda: signer(path),
        "variable": lambda: Credentials(environ={"KALSHI_KEY_ID": "i", "KALSHI_PRIVATE_KEY": pem}).signer(),
        "path variable": lambda: Credentials(environ={"KALSHI_KEY_ID": "i", "KALSHI_PRIVATE_KEY_PATH": pem}).signer(),
    }[way]()
    assert made.fingerprint() == fingerprint("Ed25519")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-8"])
@pytest.mark.parametrize("kind", ["RSA PKCS1", "Ed25519"])
@pytest.mark.parametrize("change", ["crlf", "literal \\n"])
def test_a_file_is_read_in_the_encoding_it_was_saved_in(kind, encoding, change, tmp_path):
    content = CHANGES[change](KINDS[kind]).encode(encoding)
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    assert signer(path).fingerprint() == fingerprint(kind) == signer(content).fingerprint()


@pytest.mark.parametrize("quoted", ['"{}"', "'{}'", "  {}  ", "{}\n"])
def test_a_path_is_taken_with_the_quotes_and_blanks_of_a_file_of_settings(quoted, tmp_path):
    path = tmp_path / "key.pem"
    path.write_text(KINDS["Ed25519"])
    assert signer(quoted.format(path)).fingerprint() == fingerprint("Ed25519")


def test_a_first_line_that_is_wrong_about_the_form_below_it_does_no_harm():
    mislabelled = KINDS["RSA PKCS1"].replace("RSA PRIVATE", "PRIVATE")
    assert signer(mislabelled).fingerprint() == fingerprint("RSA")
    mislabelled = KINDS["RSA PKCS8"].replace(" PRIVATE", " RSA PRIVATE")
    assert signer(mislabelled).fingerprint() == fingerprint("RSA")


LEGACY = serialization.BestAvailableEncryption(b"password")

UNUSABLE = {
    "encrypted PKCS8": (lambda: RSA.private_bytes(PEM, PKCS8, LEGACY), ["password", "openssl pkey -in"]),
    "encrypted PKCS1": (lambda: RSA.private_bytes(PEM, PKCS1, LEGACY), ["password", "openssl pkey -in"]),
    "encrypted Ed25519": (lambda: ED.private_bytes(PEM, PKCS8, LEGACY), ["password", "openssl pkey -in"]),
    "certificate": (lambda: certificate().public_bytes(PEM), ["certificate", "BEGIN PRIVATE KEY"]),
    "public": (lambda: public(serialization.PublicFormat.SubjectPublicKeyInfo), ["public key", "API key"]),
    "public PKCS1": (lambda: public(serialization.PublicFormat.PKCS1), ["public key"]),
    "public ssh": (
        lambda: public(serialization.PublicFormat.OpenSSH, serialization.Encoding.OpenSSH),
        ["public key"],
    ),
    "curve": (
        lambda: ec.generate_private_key(ec.SECP256R1()).private_bytes(PEM, PKCS8, PLAIN),
        ["secp256r1", "genrsa"],
    ),
    "curve SEC1": (lambda: ec.generate_private_key(ec.SECP384R1()).private_bytes(PEM, PKCS1, PLAIN), ["secp384r1"]),
    "curve OpenSSH": (lambda: ec.generate_private_key(ec.SECP256R1()).private_bytes(PEM, OPENSSH, PLAIN), ["genrsa"]),
    "Ed448": (lambda: ed448.Ed448PrivateKey.generate().private_bytes(PEM, PKCS8, PLAIN), ["Ed448", "genrsa"]),
    "X25519": (lambda: x25519.X25519PrivateKey.generate().private_bytes(PEM, PKCS8, PLAIN), ["X25519", "genrsa"]),
    "DER": (lambda: ED.private_bytes(DER, PKCS8, PLAIN), ["DER", "openssl pkey -inform DER"]),
    "DER RSA": (lambda: RSA.private_bytes(DER, PKCS1, PLAIN), ["openssl pkey -inform DER"]),
    "PKCS12": (
        lambda: pkcs12.serialize_key_and_certificates(b"me", RSA, certificate(), None, LEGACY),
        ["openssl pkcs12"],
    ),
    "PuTTY": (lambda: b"PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n", ["puttygen"]),
    "two keys": (lambda: KINDS["RSA PKCS8"] + KINDS["Ed25519"], ["several"]),
    "cut off": (lambda: KINDS["RSA PKCS8"][:700], ["missing"]),
    "a letter changed": (lambda: KINDS["RSA PKCS8"].replace("MII", "M*I", 1), ["changed"]),
    "JSON": (lambda: '{"kty": "OKP", "d": "x"}', ["JSON"]),
    "web page": (lambda: "<!DOCTYPE html><html><body>Sign in</body></html>", ["web page"]),
    "RTF": (lambda: "{\\rtf1\\ansi -----", ["RTF"]),
}


@pytest.mark.parametrize("kind", UNUSABLE)
@pytest.mark.parametrize("way", ["bytes", "file"])
def test_what_cannot_be_used_is_named_with_the_next_step(kind, way, tmp_path):
    make, words = UNUSABLE[kind]
    content = make()
    content = content if isinstance(content, bytes) else content.encode()
    path = tmp_path / "given.pem"
    path.write_bytes(content)
    with pytest.raises(PrivateKeyError) as caught:
        signer(content if way == "bytes" else path)
    for word in [*words, "given.pem"] if way == "file" else words:
        assert word in str(caught.value)


def test_an_encrypted_key_of_openssh_is_named_with_the_command_that_decrypts_it():
    # The head of such a key as ssh-keygen writes it, with the name of the cipher; writing a whole one needs bcrypt.
    head = b"openssh-key-v1\0" + b"\0\0\0\x0aaes256-ctr" + b"\0\0\0\x06bcrypt" + bytes(200)
    body = base64.encodebytes(head).decode()
    with pytest.raises(PrivateKeyError, match=r"password.*ssh-keygen -p"):
        signer(f"-----BEGIN OPENSSH PRIVATE KEY-----\n{body}-----END OPENSSH PRIVATE KEY-----\n")


def test_an_empty_file_is_named(tmp_path):
    path = tmp_path / "empty.pem"
    path.write_bytes(b" \n")
    with pytest.raises(PrivateKeyError, match=r"empty\.pem.*is empty"):
        signer(path)


def test_a_key_id_in_the_place_of_the_key_and_the_reverse_are_asked_about():
    with pytest.raises(PrivateKeyError, match="swapped"):
        signer("0d7e5f6c-0000-4000-8000-000000000000")
    with pytest.raises(CredentialsError, match="swapped") as caught:
        Credentials(KINDS["Ed25519"], Secret(ED), environ={}).signer()
    assert KINDS["Ed25519"].splitlines()[1] not in str(caught.value)


def test_the_variable_that_named_a_bad_key_is_named(tmp_path):
    environ = {"KALSHI_KEY_ID": "i", "KALSHI_PRIVATE_KEY_PATH": str(tmp_path / "none.pem")}
    with pytest.raises(PrivateKeyError, match=r"none\.pem.*KALSHI_PRIVATE_KEY_PATH"):
        Credentials(environ=environ).signer()
    with pytest.raises(CredentialsError, match="KALSHI_KEY_ID"):
        Credentials(environ={**environ, "KALSHI_KEY_ID": "é"}).signer()

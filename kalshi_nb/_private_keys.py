r"""A private key from what people have: PEM text that went through an editor, a form or an environment variable.

What the way did to the text and does no harm is undone: other line breaks, also those written as the two characters
``\n``, blanks before the lines, quotes around it, another encoding, text before and behind. Anything else is refused
by its name, with the command that makes a key of it that can be used.

No function here raises while it holds the key's text in a local variable, since tracebacks that print locals are
common in notebooks: what is wrong is returned.
"""

from __future__ import annotations

import base64
import codecs
import os
import re
import textwrap
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_pem_private_key,
    load_ssh_private_key,
)

from kalshi_nb import _key_files
from kalshi_nb._redaction import Secret, could_be_key, shown

__all__ = ["Loaded", "PrivateKey", "decoded", "load"]

PrivateKey = RSAPrivateKey | Ed25519PrivateKey


class Loaded(NamedTuple):
    """A private key, or what is wrong.

    Attributes
    ----------
    key : Secret or None
        Holds the key object.
    problem : str
        A sentence for the user, empty where there is a key.
    """

    key: Secret | None
    problem: str = ""


_NEITHER: Final = (
    "private_key is neither the path of a file nor PEM text (which begins with '-----BEGIN'); pass the file's "
    "path, or the whole text of the file that Kalshi gave you, its first and last line included."
)
_SWAPPED: Final = (
    "private_key looks like a key id; were the two swapped? Pass the path or the text of the PEM file as private_key, "
    "and the id from Kalshi's API-keys page as key_id."
)
_LONGEST_PATH: Final = 400

_QUOTES: Final = "\"'`\u2018\u2019\u201c\u201d"
_INVISIBLE: Final = re.compile("[\u200b\u200c\u200d\u2060\ufeff]")
_WRITTEN_BREAK: Final = re.compile(r"\\+r\\+n|\\+n|\\+r")
# A word processor makes long dashes of two short ones.
_BLOCK: Final = re.compile(
    r"[-\u2010-\u2015\u2212]{2,}\s*BEGIN ([A-Z0-9 ]+?)\s*[-\u2010-\u2015\u2212]{2,}"
    r"(.*?)"
    r"[-\u2010-\u2015\u2212]{2,}\s*END \1\s*[-\u2010-\u2015\u2212]{2,}",
    re.DOTALL,
)
_BEGIN: Final = re.compile(r"-{5}\s?BEGIN|BEGIN [A-Z0-9 ]*(?:KEY|CERTIFICATE)")
_FIRST_LINE: Final = re.compile(r"BEGIN ([A-Z0-9 ]+?)\s*[-\u2010-\u2015\u2212]")
_NO_BASE64: Final = re.compile(r"[\s\"'`,;\\]")  # what lists and literals put around a line
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PLAIN: Final = ("PRIVATE KEY", "RSA PRIVATE KEY", "OPENSSH PRIVATE KEY")

_ENCRYPTED: Final = (
    "is encrypted with a password. Decrypt it once, openssl pkey -in encrypted.pem -out key.pem, and pass the new "
    "file."
)
_ENCRYPTED_OPENSSH: Final = (
    "is encrypted with a password, in OpenSSH's format. Decrypt a copy of it, ssh-keygen -p -N '' -f copy.pem, and "
    "pass the copy."
)
_OPENSSH: Final = "OPENSSH PRIVATE KEY"
_NOT_ENCRYPTED: Final = base64.b64encode(b"openssh-key-v1\0\0\0\0\x04none").decode().rstrip("=")[:-1]
"""How the body of such a key begins that was saved without a password; the cipher's name stands at its head."""

_PUBLIC: Final = (
    "is a public key; the private one, shown once when you made the API key, is needed. Where it is lost, make a new "
    "API key on Kalshi's site."
)
_OTHER_BLOCKS: Final = {
    "ENCRYPTED PRIVATE KEY": _ENCRYPTED,
    "PUBLIC KEY": _PUBLIC,
    "RSA PUBLIC KEY": _PUBLIC,
    "SSH2 PUBLIC KEY": _PUBLIC,
    "CERTIFICATE": (
        "is a certificate, which holds a public key only; the private key, a file that begins with "
        "'-----BEGIN PRIVATE KEY-----' or '-----BEGIN RSA PRIVATE KEY-----', is needed."
    ),
    "CERTIFICATE REQUEST": (
        "is a request for a certificate; the private key that it was made with is needed, the file that openssl req "
        "wrote as -keyout."
    ),
}
_BEGINNINGS: Final = (
    (r"ssh-(?:rsa|ed25519|dss) |ecdsa-sha2", _PUBLIC),
    (
        r"PuTTY-User-Key-File",
        (
            "is a key of PuTTY's. Convert it, puttygen key.ppk -O private-openssh-new -o copy.pem, and pass the new "
            "file."
        ),
    ),
    (r"\{\\rtf", "is a document of a word processor (RTF); save it as plain text."),
    (r"(?i)<!doctype|<html", "is a web page; download the PEM file itself."),
    (r"\{\s*\"", "is JSON; pass the PEM text alone, with its line breaks."),
)
_DER: Final = (
    "is in binary form (DER). Convert it: openssl pkey -inform DER -in key.der -out key.pem; or, where it is a "
    "PKCS#12 file, openssl pkcs12 -in key.p12 -nocerts -nodes -out key.pem."
)
_NO_PEM: Final = (
    "is not a PEM private key. It should begin with '-----BEGIN PRIVATE KEY-----' or "
    "'-----BEGIN RSA PRIVATE KEY-----'; if it was pasted, check that its line breaks are there."
)
_BROKEN: Final = (
    "is not a PEM private key that can be read, though it begins like one: a part is missing or was changed. Copy the "
    "whole file anew; if it was pasted, check that its line breaks are there."
)


def load(source: Secret) -> Loaded:
    """Return the private key that is meant by a path, by PEM text or bytes, or by a key object."""
    given = source.reveal()
    if isinstance(given, PrivateKey):
        return Loaded(Secret(given))
    if isinstance(given, bytes | bytearray | memoryview):
        return _of_bytes(bytes(given))
    if isinstance(given, str | os.PathLike):
        return _of_text_or_path(os.fsdecode(given))
    if hasattr(given, "private_bytes"):
        return Loaded(None, _wrong_type("The private key", given))
    return Loaded(
        None,
        f"private_key is a {type(given).__name__}; pass the path of a PEM file, its text, or a key object "
        "of the cryptography package.",
    )


def decoded(content: bytes) -> str:
    """Return the text of a file in UTF-8 or, as Windows' own editors wrote it, in UTF-16, with or without its mark."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif content[1:40:2].strip(b"\0") == b"" and len(content) > 1:
        encoding = "utf-16-le"
    elif content[0:40:2].strip(b"\0") == b"" and len(content) > 1:
        encoding = "utf-16-be"
    else:
        encoding = "utf-8"
    return content.decode(encoding, "replace").lstrip("\ufeff")


def _of_bytes(content: bytes) -> Loaded:
    text = decoded(content)
    if _BEGIN.search(text) or _kind_by_beginning(text) is not None:
        return _of_text(text, "The private key")
    return Loaded(None, f"{_NEITHER} What was passed {_DER}" if _is_der(content) else _NEITHER)


def _of_text_or_path(text: str) -> Loaded:
    if _BEGIN.search(text) or _kind_by_beginning(text) is not None:
        return _of_text(text, "The private key")
    bare = text.strip().strip(_QUOTES)
    if _UUID.fullmatch(bare):
        return Loaded(None, _SWAPPED)
    try:
        path = Path(bare).expanduser()
    except RuntimeError:  # "~somebody" without a home
        return Loaded(
            None, "private_key begins with '~' and names nobody's home directory; pass the file's whole path."
        )
    if not bare or len(str(path)) > _LONGEST_PATH or not str(path).isprintable():
        return Loaded(None, _NEITHER)
    content, problem = _read(path)
    return (
        Loaded(None, problem)
        if content is None
        else _of_content(content.reveal(), f"The private key in {str(path)!r}")
    )


def _read(path: Path) -> tuple[Secret | None, str]:
    """Read a file, or say why not; its name is told only where it cannot be the key itself."""
    is_name = not could_be_key(str(path))
    name = repr(str(path)) if is_name else "(its name is not shown, since it could be the key)"
    try:
        return _key_files.read(path), ""
    except FileNotFoundError:
        nowhere = f"There is no private key file {name}; pass the path of the PEM file that Kalshi gave you."
        return None, nowhere if is_name else _NEITHER
    except TimeoutError:
        return None, (
            f"The private key file {name} did not answer within {_key_files.PATIENCE:g} s. Is its disk there, or, "
            "where it is a pipe, somebody who writes into it? A copy on this computer's own disk is the safest."
        )
    except OSError as refusal:
        reason = refusal.strerror or type(refusal).__name__
        return None, f"The private key file {name} cannot be read: {reason}."


def _of_content(content: bytes, what: str) -> Loaded:
    if not content.strip():
        return Loaded(None, f"{what} is empty; the whole text of the PEM file that Kalshi gave you belongs there.")
    if _is_der(content):
        return Loaded(None, f"{what} {_DER}")
    return _of_text(decoded(content), what)


def _is_der(content: bytes) -> bool:
    """Tell whether it begins as a sequence of ASN.1 does, with a length that fits."""
    if content[:1] != b"0" or len(content) < 4:
        return False
    size = content[1]
    if size & 0x80:
        digits = size & 0x7F
        size = int.from_bytes(content[2 : 2 + digits], "big") + digits
    return size + 2 == len(content)


def _of_text(text: str, what: str) -> Loaded:
    kind = _kind_by_beginning(text)
    text = _WRITTEN_BREAK.sub("\n", _INVISIBLE.sub("", text)).strip().strip(_QUOTES).strip()
    blocks = [(str(each[1]), str(each[2])) for each in _BLOCK.finditer(text)]
    usable = [(label, body) for label, body in blocks if label in _PLAIN]
    if len(usable) > 1:
        return Loaded(None, f"{what} has several private keys in it; leave the one that belongs to the key id.")
    for label, body in usable or blocks:
        return _of_block(label, body, what)
    first = _FIRST_LINE.search(text)
    kind = kind or (None if first is None else _OTHER_BLOCKS.get(str(first[1])))
    if kind is None:
        kind = _BROKEN if _BEGIN.search(text) else _NO_PEM
    return Loaded(None, f"{what} {kind}")


def _kind_by_beginning(text: str) -> str | None:
    bare = text.lstrip(_QUOTES + " \r\n\t\ufeff")
    return next((kind for beginning, kind in _BEGINNINGS if re.match(beginning, bare)), None)


def _of_block(label: str, body: str, what: str) -> Loaded:
    if label in _OTHER_BLOCKS:
        return Loaded(None, f"{what} {_OTHER_BLOCKS[label]}")
    if "ENCRYPTED" in body and "Proc-Type" in body:
        return Loaded(None, f"{what} {_ENCRYPTED}")
    if not label.endswith("PRIVATE KEY"):
        return Loaded(None, f"{what} {_NO_PEM}")
    bare = _NO_BASE64.sub("", body)
    if not _BASE64.fullmatch(bare):
        return Loaded(None, f"{what} {_BROKEN}")
    if label == _OPENSSH and not bare.startswith(_NOT_ENCRYPTED):
        return Loaded(None, f"{what} {_ENCRYPTED_OPENSSH}")
    return _of_base64(label, bare, what)


def _of_base64(label: str, bare: str, what: str) -> Loaded:
    """Read a block whose body has nothing in it any more but what belongs there."""
    lines = "\n".join(textwrap.wrap(bare, 64))
    load_block = load_ssh_private_key if label == _OPENSSH else load_pem_private_key
    key: object = None
    try:
        key = load_block(f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n".encode(), None)
    except TypeError:
        return Loaded(None, f"{what} {_ENCRYPTED}")
    except (ValueError, UnsupportedAlgorithm):
        # The first line may be wrong about what is below it: PKCS#1 under the name of PKCS#8, or the reverse.
        key = _of_der(bare)
    if key is None:
        return Loaded(None, f"{what} {_BROKEN}")
    return Loaded(Secret(key)) if isinstance(key, PrivateKey) else Loaded(None, _wrong_type(what, key))


def _of_der(bare: str) -> object:
    try:
        return load_der_private_key(base64.b64decode(bare, validate=True), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


def _wrong_type(what: str, key: object) -> str:
    if isinstance(key, type):
        return f"{what} is {shown(key)}, and no key: pass the path of a PEM file, its text, or a key object of it."
    curve = getattr(getattr(key, "curve", None), "name", "")
    kind = type(key).__name__.replace("PrivateKey", "").strip("_") or "unknown"
    return (
        f"{what} is of type {kind}{f' ({curve})' if curve else ''}; Kalshi takes RSA and Ed25519 keys. Make a new API "
        "key on Kalshi's site, or one of your own, openssl genrsa -out key.pem 4096, and give Kalshi its public half."
    )

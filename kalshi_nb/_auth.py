"""Keys and handshake headers.

A handshake signs ``<milliseconds>GET<path>`` with the account's private key: RSA-PSS with SHA-256 and a
32-byte salt, or Ed25519. Source: Kalshi's "API keys" and "Quick start: WebSockets" pages.

The private key lives in a :class:`Signer` and nowhere else. No function here raises while it holds the
key's text in a local variable, since tracebacks that print locals are common in notebooks.
"""

from __future__ import annotations

import base64
import os
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NoReturn, cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from kalshi_nb.errors import CredentialsError, MissingCredentialsError, PrivateKeyError

__all__ = ["Credentials", "Secret", "Signer"]

PrivateKey = RSAPrivateKey | Ed25519PrivateKey

KEY_ID_VARIABLES: Final = ("KALSHI_API_KEY_ID", "KALSHI_KEY_ID")
KEY_PATH_VARIABLE: Final = "KALSHI_PRIVATE_KEY_PATH"
KEY_VARIABLE: Final = "KALSHI_PRIVATE_KEY"
_PEM_MARK: Final = "-----BEGIN"
# The body of a PEM file without its first and last line; an Ed25519 key's is one line of 64 characters.
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9+/=]{44,}")
_NEITHER: Final = (
    "private_key is neither the path of a file nor PEM text (which begins with '-----BEGIN'); pass the file's "
    "path, or the whole text of the file that Kalshi gave you, its first and last line included."
)
_PSS: Final = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)


class Secret:
    """A value that shows itself to nobody: not in a repr, a pickle, a copy or a format string."""

    __slots__ = ("_reveal",)

    def __init__(self, value: object) -> None:
        # A closure, not an attribute: tools that print every attribute of an object find a function.
        self._reveal: Callable[[], Any] = lambda: value

    def reveal(self) -> Any:
        """Return the value."""
        return self._reveal()

    def __repr__(self) -> str:
        return "<secret>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A private key cannot be pickled or copied; pass its path and read it again there.")


class Signer:
    """One key id with its private key: makes the headers of a handshake.

    Parameters
    ----------
    key_id : str
        The API key's id.
    key : Secret
        Holds the private key object.
    """

    __slots__ = ("_key", "key_id")

    def __init__(self, key_id: str, key: Secret) -> None:
        self.key_id = key_id
        self._key = key

    @property
    def key_type(self) -> str:
        """``"RSA"`` or ``"Ed25519"``."""
        return "RSA" if isinstance(self._key.reveal(), RSAPrivateKey) else "Ed25519"

    def fingerprint(self) -> bytes:
        """Return what tells this key from others without telling the key: its public half."""
        public = cast("PrivateKey", self._key.reveal()).public_key()
        return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    def headers(self, path: str, *, now_ms: int | None = None) -> dict[str, str]:
        """Return the three headers of a handshake, signed now.

        Parameters
        ----------
        path : str
            The URL's path, such as ``/trade-api/ws/v2``; host and query are not signed.
        now_ms : int, optional
            Milliseconds since 1970; the wall clock when None.
        """
        stamp = str(time.time_ns() // 1_000_000 if now_ms is None else now_ms)
        message = f"{stamp}GET{path}".encode()
        key = cast("PrivateKey", self._key.reveal())
        signature = key.sign(message, _PSS, hashes.SHA256()) if isinstance(key, RSAPrivateKey) else key.sign(message)
        return {
            "KALSHI-ACCESS-KEY": self.key_id,
            "KALSHI-ACCESS-TIMESTAMP": stamp,
            "KALSHI-ACCESS-SIGNATURE": base64.b64encode(signature).decode(),
        }

    def __repr__(self) -> str:
        return f"<Signer {self.key_type} key_id=…{self.key_id[-4:]}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A private key cannot be pickled or copied; pass its path and read it again there.")


class Credentials:
    """Where a key id and a private key come from; read afresh for every handshake.

    Parameters
    ----------
    key_id : str, optional
        From ``KALSHI_API_KEY_ID`` (or ``KALSHI_KEY_ID``) when None.
    private_key : Secret, optional
        Holds a path, PEM text or bytes, or a key object. From ``KALSHI_PRIVATE_KEY_PATH`` or
        ``KALSHI_PRIVATE_KEY`` when None.
    environ : mapping, optional
        Instead of ``os.environ``.
    """

    def __init__(
        self,
        key_id: str | None = None,
        private_key: Secret | None = None,
        *,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._key_id = key_id
        self._private_key = private_key
        self._environ = os.environ if environ is None else environ

    def signer(self) -> Signer:
        """Return a signer with what is there at this moment, so that a rotated key is taken up.

        Raises
        ------
        MissingCredentialsError
            When the key id or the private key is not given anywhere.
        CredentialsError
            When the key id has characters that no header can carry.
        PrivateKeyError
            When the private key cannot be read or used.
        """
        key_id = self._key_id or next(
            (self._environ[name] for name in KEY_ID_VARIABLES if self._environ.get(name)), None
        )
        source = self._source()
        if not key_id or source is None:
            raise MissingCredentialsError(_what_is_missing(key_id, found_key=source is not None))
        if not isinstance(key_id, str):
            raise MissingCredentialsError(
                f"key_id is a {type(key_id).__name__}; pass the key's id as text, as Kalshi's API-keys page shows it."
            )
        key_id = key_id.strip()
        if not (key_id and key_id.isascii() and key_id.isprintable()):
            raise CredentialsError("key_id is not one that Kalshi made; copy it again from Kalshi's API-keys page.")
        key, problem = _load(source)
        if key is None:
            raise PrivateKeyError(problem)
        return Signer(key_id, key)

    def _source(self) -> Secret | None:
        if self._private_key is not None and self._private_key.reveal() is not None:
            return self._private_key
        path = self._environ.get(KEY_PATH_VARIABLE)
        if path:
            return Secret(Path(path))
        return Secret(self._environ[KEY_VARIABLE]) if self._environ.get(KEY_VARIABLE) else None

    def __repr__(self) -> str:
        return "<Credentials>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("Credentials cannot be pickled or copied; make them anew there.")


def _what_is_missing(key_id: object, *, found_key: bool) -> str:
    missing = " and ".join(name for name, there in (("key id", bool(key_id)), ("private key", found_key)) if not there)
    return (
        f"No {missing} for Kalshi. Either pass them, connect(…, key_id='…', private_key='~/.kalshi/key.pem'), "
        f"or set {KEY_ID_VARIABLES[0]} and {KEY_PATH_VARIABLE} in the environment; "
        "or, to look around without a key, use connect('sim'), a simulated exchange."
    )


def _load(source: Secret) -> tuple[Secret | None, str]:
    """Return the key object, or None and what is wrong; never raises with key text at hand."""
    given = source.reveal()
    if isinstance(given, RSAPrivateKey | Ed25519PrivateKey):
        return Secret(given), ""
    if isinstance(given, bytes):
        if _PEM_MARK.encode() not in given:
            return None, _NEITHER
        given = given.decode("ascii", "replace")
    if isinstance(given, str) and _PEM_MARK in given:
        # Environment variables often carry the line breaks as the two characters \n.
        return _parse(given.replace("\\n", "\n").strip().encode("ascii", "replace"), "The private key")
    if isinstance(given, str | os.PathLike):
        return _read(os.fspath(given))
    if hasattr(given, "private_bytes"):
        return None, _wrong_type("The private key", given)
    return None, (
        f"private_key is a {type(given).__name__}; pass the path of a PEM file, its text, or a key object "
        "of the cryptography package."
    )


def _read(place: str | bytes) -> tuple[Secret | None, str]:
    try:
        path = Path(os.fsdecode(place)).expanduser()
    except RuntimeError:  # "~somebody" without a home
        return None, "private_key begins with '~' and names nobody's home directory; pass the file's whole path."
    if len(str(path)) > 400 or not str(path).isprintable():
        return None, _NEITHER
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        if _BARE_KEY.fullmatch(os.fsdecode(place)):
            return None, _NEITHER  # most likely the key itself, which must not be shown
        return (
            None,
            f"There is no private key file {str(path)!r}; pass the path of the PEM file that Kalshi gave you.",
        )
    except OSError as refusal:
        reason = refusal.strerror or type(refusal).__name__
        return None, f"The private key file {str(path)!r} cannot be read: {reason}."
    return _parse(content, f"The private key in {str(path)!r}")


def _parse(pem: bytes, what: str) -> tuple[Secret | None, str]:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except TypeError:
        return None, (
            f"{what} is encrypted with a password. Decrypt it once, "
            "openssl pkey -in encrypted.pem -out key.pem, and pass the new file."
        )
    except (ValueError, UnsupportedAlgorithm):
        if b"PUBLIC KEY" in pem:
            return (
                None,
                f"{what} is a public key; the private one, shown once when you made the API key, is needed.",
            )
        return None, (
            f"{what} is not a PEM private key. It should begin with '-----BEGIN PRIVATE KEY-----' or "
            "'-----BEGIN RSA PRIVATE KEY-----'; if it was pasted, check that its line breaks are there."
        )
    if isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        return Secret(key), ""
    return None, _wrong_type(what, key)


def _wrong_type(what: str, key: object) -> str:
    kind = type(key).__name__.replace("PrivateKey", "").strip("_") or "unknown"
    return f"{what} is of type {kind}; Kalshi takes RSA and Ed25519 keys. Make a new API key on Kalshi's site."

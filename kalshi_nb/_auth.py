"""Keys and handshake headers.

A handshake signs ``<milliseconds>GET<path>`` with the account's private key: RSA-PSS with SHA-256 and a
32-byte salt, or Ed25519. Source: Kalshi's "API keys" and "Quick start: WebSockets" pages.

The private key lives in a :class:`Signer` and nowhere else. No function here raises while it holds the
key's text in a local variable, since tracebacks that print locals are common in notebooks.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from typing import Any, Final, NoReturn, cast

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from kalshi_nb._private_keys import PrivateKey, load
from kalshi_nb._redaction import Secret, could_be_key
from kalshi_nb._settings import KEY_ID_VARIABLES, KEY_PATH_VARIABLE, KEY_VARIABLE, Setting, Settings
from kalshi_nb.errors import CredentialsError, MissingCredentialsError, PrivateKeyError

__all__ = ["GIVEN", "Credentials", "Secret", "Signer"]

_PSS: Final = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
GIVEN: Final = "as given"
"""Where a setting comes from that was passed."""


class Signer:
    """One key id with its private key: makes the headers of a handshake.

    Parameters
    ----------
    key_id : str
        The API key's id.
    key : Secret
        Holds the private key object.
    login : Secret, optional
        Holds ``user:password`` for whoever stands before the exchange and asks for it.
    """

    __slots__ = ("_key", "_login", "key_id")

    def __init__(self, key_id: str, key: Secret, login: Secret | None = None) -> None:
        self.key_id = key_id
        self._key = key
        self._login = login

    @property
    def key_type(self) -> str:
        """``"RSA"`` or ``"Ed25519"``."""
        return "RSA" if isinstance(self._key.reveal(), RSAPrivateKey) else "Ed25519"

    def fingerprint(self) -> bytes:
        """Return what tells this key from others without telling the key: its public half, and the login's hash."""
        public = cast("PrivateKey", self._key.reveal()).public_key()
        half = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        if self._login is None:
            return half
        login = hashes.Hash(hashes.SHA256())
        login.update(self._login.reveal().encode())
        return half + login.finalize()

    def headers(self, path: str, *, now_ms: int | None = None) -> dict[str, str]:
        """Return the headers of a handshake, signed now.

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
        headers = {
            "KALSHI-ACCESS-KEY": self.key_id,
            "KALSHI-ACCESS-TIMESTAMP": stamp,
            "KALSHI-ACCESS-SIGNATURE": base64.b64encode(signature).decode(),
        }
        if self._login is not None:
            headers["Authorization"] = f"Basic {base64.b64encode(self._login.reveal().encode()).decode()}"
        return headers

    def __repr__(self) -> str:
        return f"<Signer {self.key_type} key_id=…{self.key_id[-4:]}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A private key cannot be pickled or copied; pass its path and read it again there.")


class Credentials:
    """Where a key id and a private key come from; read afresh for every handshake.

    Parameters
    ----------
    key_id : str, optional
        From ``KALSHI_API_KEY_ID`` (or ``KALSHI_KEY_ID``) when None, in the environment or else in a ``.env`` file.
    private_key : Secret, optional
        Holds a path, PEM text or bytes, or a key object. From ``KALSHI_PRIVATE_KEY_PATH`` or
        ``KALSHI_PRIVATE_KEY`` when None, likewise.
    login : Secret, optional
        Holds ``user:password`` for whoever stands before the exchange and asks for it.
    environ : mapping, optional
        Alone, instead of ``os.environ`` and a ``.env`` file.
    """

    def __init__(
        self,
        key_id: str | Secret | None = None,
        private_key: Secret | None = None,
        *,
        login: Secret | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._key_id = key_id
        self._private_key = private_key
        self._login = login
        self._settings = Settings(environ)

    def key_id(self) -> Setting | None:
        """Return the key id and where it comes from, None where there is none."""
        if not _is_missing(self._key_id):
            return Setting(Secret(_revealed(self._key_id)), GIVEN)
        return self._settings.find(*KEY_ID_VARIABLES)

    def private_key(self) -> Setting | None:
        """Return what was said of the private key, a path or the key itself, and where that comes from."""
        if self._private_key is not None and self._private_key.reveal() is not None:
            return Setting(self._private_key, GIVEN)
        return self._settings.find(KEY_PATH_VARIABLE, KEY_VARIABLE)

    def check_key_id(self) -> None:
        """Refuse a key id that cannot be one; the errors are those of :meth:`signer`."""
        key_id = self.key_id()
        if key_id is not None:
            self._checked(key_id)

    def looked_in(self) -> str:
        """Say where was looked for what was not passed."""
        return self._settings.looked_in()

    def signer(self) -> Signer:
        """Return a signer with what is there at this moment, so that a rotated key is taken up.

        May take seconds, where the files lie on a disk that does not answer; never longer than that.

        Raises
        ------
        MissingCredentialsError
            When the key id or the private key is not given anywhere.
        CredentialsError
            When the key id has characters that no header can carry.
        PrivateKeyError
            When the private key cannot be read or used.
        """
        key_id, source = self.key_id(), self.private_key()
        if key_id is None or source is None:
            raise MissingCredentialsError(self._what_is_missing(key_id, source))
        checked = self._checked(key_id)
        key, problem = load(source.value)
        if key is None:
            said = "" if source.origin == GIVEN else f" It was named by {source.origin}."
            raise PrivateKeyError(problem + said)
        return Signer(checked, key, self._login)

    def _checked(self, key_id: Setting) -> str:
        """Return the text of a key id, refused where it cannot be one, and repeated in no case."""
        said = "" if key_id.origin == GIVEN else f" (from {key_id.origin})"
        kind = type(key_id.value.reveal())
        if not issubclass(kind, str):
            raise MissingCredentialsError(
                f"key_id is a {kind.__name__}; pass the key's id as text, as Kalshi's API-keys page shows it."
            )
        if could_be_key(key_id.value.reveal()):
            raise CredentialsError(
                f"key_id{said} looks like a private key (which is not shown here); were the two swapped? The key id "
                "is short, 0d7e5f6c-…, and stands on Kalshi's API-keys page."
            )
        if not _can_be_sent(key_id.value):
            raise CredentialsError(
                f"key_id{said} is not one that Kalshi made; copy it again from Kalshi's API-keys page."
            )
        return str(key_id.value.reveal()).strip()

    def _what_is_missing(self, key_id: Setting | None, source: Setting | None) -> str:
        missing = " and ".join(name for name, found in (("key id", key_id), ("private key", source)) if found is None)
        return (
            f"No {missing} for Kalshi. Either pass them, connect(…, key_id='…', private_key='~/.kalshi/key.pem'), "
            f"or set {KEY_ID_VARIABLES[0]} and {KEY_PATH_VARIABLE} in the environment or in a .env file; "
            "or, to look around without a key, use connect('sim'), a simulated exchange. "
            f"Looked {self.looked_in()}."
        )

    def __repr__(self) -> str:
        return "<Credentials>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("Credentials cannot be pickled or copied; make them anew there.")


def _revealed(value: Any) -> Any:
    return value.reveal() if isinstance(value, Secret) else value


def _is_missing(value: Any) -> bool:
    """Tell whether nothing was given, or the empty text of a variable that is not set."""
    return _revealed(value) is None or (isinstance(_revealed(value), str) and not _revealed(value))


def _can_be_sent(key_id: Secret) -> bool:
    """Tell whether a header can carry it."""
    bare = key_id.reveal().strip()
    return bool(bare) and bare.isascii() and bare.isprintable()

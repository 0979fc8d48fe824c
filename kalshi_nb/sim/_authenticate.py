"""Who may open a connection: the three handshake headers and the exchange's answers to wrong ones.

The client signs ``<timestamp ms>GET<path>``, with the path's prefix and without a query; the exchange picks the
algorithm by the registered key: RSASSA-PSS with SHA-256, or plain Ed25519.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from kalshi_nb.errors import SimulationError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PATH", "Keyring", "PublicKey", "Verdict"]

PATH: Final = "/trade-api/ws/v2"
"""Where the WebSocket is, and what its handshake signs after timestamp and method."""

PublicKey = RSAPublicKey | Ed25519PublicKey

_KEY: Final = "KALSHI-ACCESS-KEY"
_TIMESTAMP: Final = "KALSHI-ACCESS-TIMESTAMP"
_SIGNATURE: Final = "KALSHI-ACCESS-SIGNATURE"
_OLDEST_MS: Final = -15_000
_NEWEST_MS: Final = 30_000


class Verdict(NamedTuple):
    """An HTTP answer instead of a WebSocket."""

    status: int
    body: str
    retry_after: float | None = None


def _refused(code: str, message: str, details: str | None = None) -> Verdict:
    error = {"code": code, "message": message}
    if details is not None:
        error["details"] = details
    return Verdict(HTTPStatus.UNAUTHORIZED, json.dumps({"error": error}, separators=(",", ":")))


def _missing(word: str) -> Verdict:
    return _refused(f"{word}_is_missing_from_headers", f"{word} is missing from headers")


def _wrong_key(details: str) -> Verdict:
    return _refused("authentication_error", "authentication_error", details)


def _is_uuid(value: str) -> bool:
    try:
        uuid.UUID(value)
    except ValueError:
        return False
    return True


class Keyring:
    """The public keys the exchange knows, by key id.

    Parameters
    ----------
    anyone : bool
        Whether any other key is let in, too: what it signs cannot be proven, so that only the headers are looked at.
    """

    def __init__(self, *, anyone: bool = False) -> None:
        self._anyone = anyone
        self._keys: dict[str, PublicKey] = {}

    def add(self, key_id: str, public_key: PublicKey) -> None:
        """Register a key.

        Raises
        ------
        SimulationError
            The key id is no text, or the key neither an RSA nor an Ed25519 public key.
        """
        if not isinstance(key_id, str) or not key_id:
            raise SimulationError("A key id is a text that is not empty; pass the one the client will send.")
        if not isinstance(public_key, RSAPublicKey | Ed25519PublicKey):
            raise SimulationError(
                f"The exchange knows RSA and Ed25519 keys, not {type(public_key).__name__}; "
                "pass private_key.public_key() of one of these."
            )
        self._keys[key_id] = public_key

    def verdict(self, headers: Mapping[str, str], path: str = PATH) -> Verdict | None:
        """Judge a handshake, or a GET; the timestamp is held against this computer's clock.

        Parameters
        ----------
        headers : Mapping of str to str
            The request's headers; only the three of Kalshi's are read.
        path : str
            What was signed after the method, without a query.

        Returns
        -------
        Verdict or None
            The refusal, or None where the client may come in.
        """
        for word, name in (("signature", _SIGNATURE), ("key", _KEY), ("timestamp", _TIMESTAMP)):
            if not headers.get(name):
                return _missing(word)
        signature, key_id, timestamp = headers[_SIGNATURE], headers[_KEY], headers[_TIMESTAMP]
        if not self._is_fresh(timestamp):
            return _refused("header_timestamp_expired", "header timestamp expired")
        public_key = self._keys.get(key_id)
        if public_key is None:
            if self._anyone:
                return None
            return _wrong_key("NOT_FOUND" if _is_uuid(key_id) else "INVALID_PARAMETER")
        if not self._is_signed(public_key, signature, f"{timestamp}GET{path}".encode()):
            return _wrong_key("INCORRECT_API_KEY_SIGNATURE")
        return None

    @staticmethod
    def _is_fresh(timestamp: str) -> bool:
        if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 16:
            return False
        ahead = int(timestamp) - time.time_ns() // 1_000_000
        return _OLDEST_MS <= ahead <= _NEWEST_MS

    @staticmethod
    def _is_signed(public_key: PublicKey, signature: str, message: bytes) -> bool:
        try:
            raw = base64.b64decode(signature, validate=True)
            if isinstance(public_key, Ed25519PublicKey):
                public_key.verify(raw, message)
            else:
                # The exchange takes any salt length; clients sign with 32 bytes.
                scheme = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.AUTO)
                public_key.verify(raw, message, scheme, hashes.SHA256())
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True

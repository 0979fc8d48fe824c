"""The key that a server of this computer's lets in, as a file for its clients."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["write_key"]


def write_key(path: Path, private_key: Ed25519PrivateKey) -> None:
    """Write a private key as PEM, for its owner's eyes only."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  # --help needs none of it

    pem = private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)

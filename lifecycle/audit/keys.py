"""Ed25519 keys that sign checkpoints: made, written, read, named. Verifying needs the public half only."""

import hashlib
import os
import re
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

_PUBLIC_BLOCK = re.compile(rb"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----", re.DOTALL)


class BadKeyError(ValueError):
    """The file holds no Ed25519 key of the kind that is asked for."""


def new_key() -> Ed25519PrivateKey:
    """Draw a new private key."""
    return Ed25519PrivateKey.generate()


def key_id(key: Ed25519PublicKey) -> str:
    """Return the name of a key: the SHA-256 of its 32 bytes."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()


def private_pem(key: Ed25519PrivateKey) -> bytes:
    """Return the private key as PEM (PKCS 8, not encrypted: the file's rights protect it)."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(key: Ed25519PublicKey) -> bytes:
    """Return the public key as PEM."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def write_key_pair(private: Path, public: Path) -> None:
    """Draw a key and write both halves, the private one readable by its owner only.

    Raises `FileExistsError` rather than replace a key: what it signed could no longer be verified.
    """
    if public.exists():
        raise FileExistsError(public)
    key = new_key()
    _write_new(private, private_pem(key), 0o600)
    _write_new(public, public_pem(key.public_key()), 0o644)


def read_private_key(pem: bytes) -> Ed25519PrivateKey:
    """Return the private key of a PEM file; `BadKeyError` when it holds none."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadKeyError("no private key that can be read") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BadKeyError("a private key, but not of Ed25519")
    return key


def read_public_keys(pem: bytes) -> dict[str, Ed25519PublicKey]:
    """Return every public key of a PEM file by its name; several stand there after a change of keys.

    `BadKeyError` when it holds none, or one of another kind.
    """
    keys = [_public_key(block) for block in _PUBLIC_BLOCK.findall(pem)]
    if not keys:
        raise BadKeyError("no public key that can be read")
    return {key_id(key): key for key in keys}


def _public_key(block: bytes) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(block)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadKeyError("no public key that can be read") from error
    if not isinstance(key, Ed25519PublicKey):
        raise BadKeyError("a public key, but not of Ed25519")
    return key


def _write_new(path: Path, content: bytes, rights: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, rights)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())

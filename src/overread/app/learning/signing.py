"""Signatures of certificates: Ed25519, with a key that the home makes at first use.

Source:
    Bernstein et al. 2012, J. Cryptogr. Eng. 2:77-89; RFC 8032.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overread.errors import InputError, MissingExtraError

KEY_FILE = "certificate-key.pem"
_ALGORITHM = "Ed25519"


def signed(payload: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """A document with the signature of this home.

    Args:
        folder: of the home; the key is made in it where there is none, for its owner alone.
    Raises:
        InputError: the key in the folder is none.
        MissingExtraError: without the extra "server".
    """
    key = _key(folder / KEY_FILE)
    raw = key.public_key().public_bytes_raw()
    value = key.sign(canonical(payload))
    told = {
        "algorithm": _ALGORITHM,
        "public_key": base64.b64encode(raw).decode(),
        "fingerprint": fingerprint(raw),
        "value": base64.b64encode(value).decode(),
    }
    return {"certificate": dict(payload), "signature": told}


def canonical(payload: Mapping[str, Any]) -> bytes:
    """What is signed: JSON, keys sorted, no spaces, ASCII."""
    text = json.dumps(payload, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode()


def fingerprint(public_key: bytes) -> str:
    """SHA-256 of a public key: what to compare with the server's over another way."""
    return hashlib.sha256(public_key).hexdigest()


def check_signature(document: Mapping[str, Any]) -> str:
    """The fingerprint of the key that signed a document, if the signature is right; else "".

    Raises:
        InputError: it is no signed document.
    """
    _, keys, invalid = _library()
    try:
        payload, told = document["certificate"], document["signature"]
        raw = base64.b64decode(told["public_key"], validate=True)
        value = base64.b64decode(told["value"], validate=True)
        key = _keys_of(told["algorithm"], keys).Ed25519PublicKey.from_public_bytes(raw)
        content = canonical(payload)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("certificate", "be a signed document of Overread", "another") from error
    try:
        key.verify(value, content)
    except invalid:
        return ""
    return fingerprint(raw) if told.get("fingerprint") == fingerprint(raw) else ""


def _keys_of(algorithm: str, keys: Any) -> Any:
    if algorithm != _ALGORITHM:
        raise ValueError
    return keys


def own_fingerprint(folder: Path) -> str:
    """Fingerprint of this home's key, which is made where there is none."""
    return fingerprint(_key(folder / KEY_FILE).public_key().public_bytes_raw())


def _key(path: Path) -> Any:
    forms, keys, _ = _library()
    if not path.exists():
        _make(path, forms, keys)
    try:
        found = forms.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, OSError) as error:
        remedy = "Put it back from a backup."
        raise InputError("key of certificates", "be a key", KEY_FILE, remedy=remedy) from error
    if not isinstance(found, keys.Ed25519PrivateKey):
        raise InputError("key of certificates", f"be of {_ALGORITHM}", "another kind")
    return found


def _make(path: Path, forms: Any, keys: Any) -> None:
    text = keys.Ed25519PrivateKey.generate().private_bytes(
        forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption()
    )
    part = path.with_name(f".{path.name}.{os.getpid()}")
    made = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(made, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(part, path)  # of two processes the first one's key stays
    except FileExistsError:
        pass
    finally:
        part.unlink()


def _library() -> tuple[Any, Any, type[Exception]]:
    try:
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError("Signing certificates", "server") from error
    return serialization, ed25519, InvalidSignature

"""Random tokens and what is derived from them; the store sees hashes only."""

from __future__ import annotations

import hashlib
import hmac
import secrets


def new_token() -> str:
    """256 random bits, as text that a URL and a cookie can hold."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """SHA-256 of a token: random tokens need no salt."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def same(one: str, other: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def keyed(secret: bytes, text: str) -> str:
    """Hash of something that must not be told: an address that failed to log in."""
    return hmac.new(secret, b"key:" + text.encode("utf-8", "replace"), "sha256").hexdigest()

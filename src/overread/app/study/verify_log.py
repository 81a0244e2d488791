"""The log of a store, checked against a head that was kept elsewhere."""

from __future__ import annotations

from typing import Any

from overread.errors import InputError
from overread.store import Head, Store, head, verify


def verified(store: Store, kept: str = "") -> dict[str, Any]:
    """Check the whole log.

    Args:
        store: where.
        kept: "EVENTS:HASH" of a head that was kept; "" checks the chain alone.
    Returns:
        JSON: ``sound``, ``words``, ``events``, ``head`` of now.
    Raises:
        InputError: ``kept`` is not a head.
    """
    verdict = verify(store, _head(kept) if kept else None)
    now = head(store)
    words = f"The log is sound: {verdict.events} events."
    if not kept:
        words += " Whether events were cut off its end only a head that was kept can tell."
    if not verdict.sound:
        words = f"The log is NOT sound: event {verdict.at} {verdict.problem}."
    return {"sound": verdict.sound, "words": words, "events": now.n, "head": f"{now.n}:{now.hash}"}


def _head(text: str) -> Head:
    count, _, digest = text.partition(":")
    if not count.isdecimal() or len(digest) != 64:
        raise InputError("--head", "be EVENTS:HASH with 64 hexadecimal digits", text[:80])
    return Head(int(count), digest.lower())

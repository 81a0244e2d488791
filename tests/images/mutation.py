"""Seeded damage to files; also what the benchmark of mutated files uses."""

from __future__ import annotations

import random

_SPECIAL = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80")


def mutated(whole: bytes, *, seed: int) -> bytes:
    """One of: flipped bits, bytes of extremes, cuts, repeats, swaps; much of it in the header."""
    rng = random.Random(seed)
    data = bytearray(whole)
    for _ in range(rng.randint(1, 4)):
        if len(data) < 200:
            break
        header = rng.random() < 0.4
        at = rng.randrange(132, min(len(data), 2000) if header else len(data))
        _damage(data, at, rng)
    if rng.random() < 0.1:
        del data[rng.randrange(len(data)) :]
    return bytes(data)


def _damage(data: bytearray, at: int, rng: random.Random) -> None:
    kind = rng.randrange(6)
    if kind == 0:
        data[at] ^= 1 << rng.randrange(8)
    elif kind == 1:
        data[at] = rng.randrange(256)
    elif kind == 2:
        special = rng.choice(_SPECIAL)
        data[at : at + 4] = special
    elif kind == 3:
        del data[at : at + rng.randint(1, 64)]
    elif kind == 4:
        data[at:at] = data[at : at + rng.randint(1, 256)]
    else:
        other = rng.randrange(132, len(data))
        size = rng.randint(1, 32)
        data[at : at + size] = data[other : other + size]

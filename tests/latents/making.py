"""Small images for the tests of encoders."""

from __future__ import annotations

import hashlib

import numpy as np


def stripes(n: int, *, side: int = 40, channels: int = 1, seed: int = 0):
    """Brightness of stripes, across or down, and which."""
    rng = np.random.default_rng(seed)
    across = rng.integers(2, size=n)
    wave = np.sin(np.arange(side) * 0.9)
    images = np.where(across[:, None, None], wave[:, None], wave[None, :])
    images = 120 + 50 * images + 15 * rng.normal(size=(n, side, side))
    whole = np.clip(images, 0, 255).astype(np.uint8)
    return (whole if channels == 1 else np.repeat(whole[..., None], channels, axis=3)), across


def keys_of(images) -> list[str]:
    """Content hash of each image."""
    return [hashlib.sha256(np.ascontiguousarray(one).tobytes()).hexdigest() for one in images]

"""Small pictures of images and drawings, by which duplicates are found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from overread.arrays import Floats, digest

SIDE = 16
N_FEATURES = SIDE * SIDE
_HASH_SIDE = 32


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    """What is kept of an image.

    Args:
        exact: SHA-256 of its samples and shape.
        phash: (64,) bits: signs of the low frequencies (perceptual hash).
        features: (N_FEATURES,) brightness on a grid of 16 x 16, mean 0, length 1 (0 if flat).
    """

    exact: str
    phash: NDArray[np.bool_]
    features: NDArray[np.float32]


def fingerprint(pixels: Floats) -> Fingerprint:
    """Fingerprint of an image; brightness and contrast do not change it, nor does a new size.

    Args:
        pixels: (rows, columns, channels), 1 sample or more.
    Source:
        Zauner 2010, "Implementation and benchmarking of perceptual image hash functions" (DCT).
    """
    small = _shrunk(pixels.mean(axis=2), _HASH_SIDE)
    low = fft.dctn(small, norm="ortho")[:8, :8].reshape(-1)
    bits = low > np.median(low[1:])
    return Fingerprint(digest(pixels), bits, _normal(small))


def small_picture(pixels: Floats) -> NDArray[np.float32]:
    """The features of :func:`fingerprint` alone."""
    return _normal(_shrunk(pixels.mean(axis=2), _HASH_SIDE))


def _normal(small: Floats) -> NDArray[np.float32]:
    grid = small.reshape(SIDE, 2, SIDE, 2).mean(axis=(1, 3)).reshape(-1)
    grid = grid - grid.mean()
    length = float(np.linalg.norm(grid))
    features = grid / length if length > 1e-9 else np.zeros_like(grid)
    return np.asarray(features.astype(np.float32))


def _shrunk(grey: Floats, side: int) -> Floats:
    """(side, side) means over areas, edges shared by fractions of pixels."""
    return np.asarray(_areas(grey.shape[0], side) @ grey @ _areas(grey.shape[1], side).T)


def _areas(n: int, side: int) -> Floats:
    """(side, n) share of each of n pixels in each of ``side`` equal stretches."""
    edge = np.linspace(0, n, side + 1)
    pixel = np.arange(n)
    common = np.minimum(edge[1:, None], pixel + 1) - np.maximum(edge[:-1, None], pixel)
    return np.asarray(np.maximum(common, 0) * side / n)

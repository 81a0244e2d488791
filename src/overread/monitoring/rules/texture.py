"""How coarse the texture inside a drawing is."""

from __future__ import annotations

import numpy as np
from scipy import fft

from overread.arrays import Bools, Floats, Ints

_MOST = 320  # samples a side that a texture is judged from


def texture_length(grey: Floats, inside: Bools) -> float:
    """Texture length: twice the lag at which the autocorrelation has fallen to 1 / e.

    The autocorrelation is that of the pixels inside alone (pairs with both ends inside), averaged
    over all directions, after a plane has been taken off. For texture of grains it is about a
    grain's diameter.

    Args:
        grey: (rows, columns) brightness.
        inside: (rows, columns) of the drawing.
    Returns:
        length in samples; nan for a drawing without texture or of fewer than 16 samples.
    """
    down, across = np.nonzero(inside)
    if down.size < 16:
        return float("nan")
    window = _middle(down), _middle(across)
    grey, inside = grey[window], inside[window]
    down, across = np.nonzero(inside)
    if down.size < 16:
        return float("nan")
    plain = np.stack([np.ones(down.size), down - down.mean(), across - across.mean()], axis=1)
    flat = grey[inside]
    flat = flat - plain @ np.linalg.lstsq(plain, flat, rcond=None)[0]
    if flat.std() < 1e-9 * max(1.0, float(np.abs(grey).max())):
        return float("nan")
    shape = [fft.next_fast_len(2 * side, real=True) for side in inside.shape]
    value = np.zeros(inside.shape)
    value[inside] = flat
    power = _correlation(value, shape)
    pairs = _correlation(inside.astype(float), shape)
    lags = [np.minimum(np.arange(side), side - np.arange(side)) for side in shape]
    lag = np.hypot(*np.meshgrid(*lags, indexing="ij")).astype(int)
    n = int(lag[pairs > 0.5].max()) + 1
    near = (lag < n) & (pairs > 0.5)
    total = np.bincount(lag[near], weights=power[near], minlength=n)
    count = np.bincount(lag[near], weights=pairs[near], minlength=n)
    ring = total / np.maximum(count, 1)
    curve = ring / ring[0]
    below = np.flatnonzero(curve < np.exp(-1))
    if not below.size:
        return float(2 * n)
    at = int(below[0])
    high, low = curve[at - 1], curve[at]
    return float(2 * (at - 1 + (high - np.exp(-1)) / max(high - low, 1e-9)))


def _middle(places: Ints) -> slice:
    """What the drawing spans, its middle where that is long."""
    first, last = int(places.min()), int(places.max()) + 1
    cut = max(0, last - first - _MOST) // 2
    return slice(first + cut, last - cut)


def _correlation(value: Floats, shape: list[int]) -> Floats:
    spectrum = fft.rfft2(value, shape)
    return np.asarray(fft.irfft2(np.abs(spectrum) ** 2, shape))

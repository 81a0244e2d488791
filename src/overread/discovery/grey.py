"""What stands out in grey images: rare patches, an unusual spectrum, a side unlike the other.

Source:
    Hou, Zhang (2007) Saliency detection: a spectral residual approach. CVPR.
    Coates, Ng (2012) Learning feature representations with k-means (words of patches).
    Borji, Itti (2012) Exploiting local and global patch rarities for saliency detection. CVPR.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.cluster.vq import vq
from scipy.ndimage import gaussian_filter, uniform_filter, zoom

from overread.arrays import Floats
from overread.discovery.codebook import codebook
from overread.discovery.shape import Picture, spread

PATCH = 6
SCALES = (1.0, 0.5)
WORDS = 64
_PATCHES = 20_000
_SPECTRUM = 64


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """Words of patches at one scale.

    Args:
        mean, whiten: take a patch to where it is compared.
        word: (words, dims).
        rarity: (words,) -log share of the patches of the data set.
    """

    mean: Floats
    whiten: Floats
    word: Floats
    rarity: Floats


def learn_words(pictures: Sequence[Picture], *, seed: int = 0) -> tuple[Words, ...]:
    """Learn the words of grey pictures, one set a scale of :data:`SCALES`."""
    return tuple(_learn([_scaled(one, scale) for one in pictures], seed) for scale in SCALES)


def grey_maps(picture: Picture, words: Sequence[Words]) -> list[Floats]:
    """Patch rarity, spectral residual and difference of the sides, each in 0 .. 1."""
    rare = np.zeros_like(picture)
    for scale, one in zip(SCALES, words, strict=True):
        rare += _grown(_rarity(_scaled(picture, scale), one), picture.shape)
    return [spread(rare), spectral_residual(picture), symmetry_difference(picture)]


def spectral_residual(picture: Picture) -> Floats:
    """Where the spectrum of an image differs from its own local mean, in 0 .. 1."""
    factor = _SPECTRUM / max(picture.shape)
    small = zoom(picture, factor, order=1) if factor < 1 else picture
    spectrum = np.fft.fft2(small)
    amplitude = np.abs(spectrum)
    size = np.log(amplitude + 1e-3 * amplitude.mean() + 1e-12)  # empty frequencies are no news
    residual = size - uniform_filter(size, 3, mode="wrap")
    back = np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2
    return spread(_grown(gaussian_filter(back, 2.5), picture.shape))


def symmetry_difference(picture: Picture) -> Floats:
    """How far a place is from its mirror place, left to right, in 0 .. 1.

    The axis is the column about which the image is most alike; the images are blurred first, so
    that a body that stands a little askew is not all difference.
    """
    soft = gaussian_filter(picture, 0.02 * max(picture.shape))
    width = soft.shape[1]
    reach = max(1, width // 10)
    best, axis = np.inf, width
    for middle in range(width - reach, width + reach + 1):  # twice the axis
        left, right = max(0, middle - width), min(width, middle)
        part = soft[:, left:right]
        apart = float(np.mean((part - part[:, ::-1]) ** 2))
        if apart < best:
            best, axis = apart, middle
    left, right = max(0, axis - width), min(width, axis)
    made = np.zeros_like(soft)
    part = soft[:, left:right]
    made[:, left:right] = np.abs(part - part[:, ::-1])
    return spread(made)


def _learn(pictures: Sequence[Picture], seed: int) -> Words:
    rng = np.random.default_rng(seed)
    each = max(1, _PATCHES // len(pictures))
    some: list[Floats] = []
    for one in pictures:
        patches = _patches(one)
        some.append(patches[rng.choice(len(patches), min(each, len(patches)), replace=False)])
    rows = np.concatenate(some)
    mean = rows.mean(axis=0)
    centred = rows - mean
    values, vectors = np.linalg.eigh(centred.T @ centred / len(rows))
    kept = np.argsort(-values)[:16]
    whiten = vectors[:, kept] / np.sqrt(np.maximum(values[kept], 0) + 0.05 * values.max() + 1e-9)
    white = centred @ whiten
    word = codebook(white, WORDS, decimals=6, rounds=8, seed=seed)
    code, _ = vq(white, word)
    share = (np.bincount(code, minlength=len(word)) + 1.0) / (len(code) + len(word))
    return Words(mean, whiten, word, -np.log(share))


def _patches(picture: Picture) -> Floats:
    """Every second patch; normalised for brightness, half for contrast: (patches, PATCH ** 2)."""
    if min(picture.shape) < PATCH:
        picture = np.pad(picture, [(0, max(0, PATCH - n)) for n in picture.shape], mode="edge")
    rows = sliding_window_view(picture, (PATCH, PATCH))[::2, ::2].reshape(-1, PATCH * PATCH)
    centred = rows - rows.mean(axis=1, keepdims=True)
    return np.concatenate([centred / (centred.std(axis=1, keepdims=True) + 0.05), rows], axis=1)


def _rarity(picture: Picture, words: Words) -> Floats:
    shape = [(max(n, PATCH) - PATCH) // 2 + 1 for n in picture.shape]
    code, _ = vq((_patches(picture) - words.mean) @ words.whiten, words.word)
    return gaussian_filter(words.rarity[code].reshape(shape), 2.0)


def _scaled(picture: Picture, scale: float) -> Picture:
    too_small = min(picture.shape) < 2 * PATCH
    return picture if scale == 1 or too_small else zoom(picture, scale, order=1)


def _grown(values: Floats, shape: tuple[int, ...]) -> Floats:
    made = zoom(values, [n / m for n, m in zip(shape, values.shape, strict=True)], order=1)
    return made[: shape[0], : shape[1]]

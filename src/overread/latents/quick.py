"""Latents at once, without a network: gradient histograms and k-means patches.

Array in, array out: the one who calls decodes and shrinks the images, in blocks, and no memory
holds them all.

Source:
    Dalal & Triggs 2005, CVPR (histograms of oriented gradients); Coates & Ng 2012, "Learning
    feature representations with k-means", LNCS 7700 (patches, whitening, triangle activation);
    Jolliffe 2002, Principal Component Analysis.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from overread.arrays import Floats
from overread.errors import InputError
from overread.selection.grouping import kmeans

Images = NDArray[np.floating] | NDArray[np.integer]

SIDE = 64
"""Rows and columns of the images that the encoder takes."""

_CELL, _BINS = 8, 9
_PATCH, _STEP, _GRID = 8, 2, 3
_WHITEN = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class QuickEncoder:
    """What was learned from a sample of images; :func:`encode_quick` applies it.

    Args:
        mean, whiten: (pixels,), (pixels, pixels) of patches of 8 x 8 (x channels).
        words: (words, pixels) centres of the whitened patches.
        centre, spread: (raw,) of the raw description; ``axes`` (raw, latents) of its main parts.
        channels: 1 or 3.
    """

    mean: Floats
    whiten: Floats
    words: Floats
    centre: Floats
    spread: Floats
    axes: Floats
    channels: int


def learn_quick(
    images: Images, *, size: int = 128, words: int = 400, patches: int = 60_000, seed: int = 0
) -> QuickEncoder:
    """Learn the encoder from a sample of the project's images; no label is needed.

    Args:
        images: (images, 64, 64) or (images, 64, 64, channels), at least 2; a few thousand do.
        size: latents an image gets, at most.
        words: k-means centres of the patches.
        patches: patches they are learned from.
        seed: of the sample and of the start of k-means.
    Returns:
        The encoder; a constant image is encoded like any other.
    """
    stack = _stack(images)
    rng = np.random.default_rng(seed)
    sample = _sample_patches(stack, patches, rng)
    mean = sample.mean(axis=0)
    value, vector = np.linalg.eigh(np.cov(sample - mean, rowvar=False))
    whiten = (vector / np.sqrt(np.maximum(value, 0) + _WHITEN)) @ vector.T
    centres = kmeans((sample - mean) @ whiten, words, rng, rounds=15)
    raw = _in_blocks(stack, lambda block: _describe(block, mean, whiten, centres))
    centre, spread = raw.mean(axis=0), raw.std(axis=0)
    spread[spread < 1e-9] = 1.0
    scaled = (raw - centre) / spread
    axes = _main_axes(scaled, size)
    return QuickEncoder(mean, whiten, centres, centre, spread, axes, stack.shape[-1])


def _main_axes(scaled: Floats, size: int) -> Floats:
    """(raw, latents) principal axes, from the smaller of the two products."""
    wide = scaled.shape[1] > len(scaled)
    square, vector = np.linalg.eigh(scaled @ scaled.T if wide else scaled.T @ scaled)
    kept = np.argsort(-square, kind="stable")[:size]
    kept = kept[square[kept] > 1e-10 * max(float(square[kept[0]]), 1e-30)]
    if not kept.size:  # all images alike
        return np.eye(scaled.shape[1], 1)
    axes = scaled.T @ vector[:, kept] / np.sqrt(square[kept]) if wide else vector[:, kept]
    sign = np.where(axes[np.abs(axes).argmax(axis=0), range(axes.shape[1])] < 0, -1, 1)
    return np.asarray(axes * sign)


def encode_quick(images: Images, encoder: QuickEncoder) -> Floats:
    """Encode images; block by block gives the same as all at once.

    Args:
        images: as of :func:`learn_quick`, of the same number of channels.
    Returns:
        (images, latents).
    """
    stack = _stack(images)
    if stack.shape[-1] != encoder.channels:
        raise InputError("images", f"have {encoder.channels} channels", stack.shape[-1])

    def latents(block: Floats) -> Floats:
        raw = _describe(block, encoder.mean, encoder.whiten, encoder.words)
        return np.asarray((raw - encoder.centre) / encoder.spread @ encoder.axes)

    return _in_blocks(stack, latents)


def _stack(images: Images) -> Floats:
    stack = np.asarray(images, dtype=np.float64)
    if stack.ndim == 3:
        stack = stack[..., None]
    if stack.ndim != 4 or stack.shape[1:3] != (SIDE, SIDE) or len(stack) < 1:
        raise InputError(
            "images", f"be (images, {SIDE}, {SIDE}) or with channels last", np.shape(images)
        )
    if not np.isfinite(stack).all():
        raise InputError("images", "hold finite numbers", "nan or infinity")
    return stack


def _in_blocks(stack: Floats, work: Callable[[Floats], Floats], size: int = 64) -> Floats:
    return np.vstack([work(stack[at : at + size]) for at in range(0, len(stack), size)])


def _describe(stack: Floats, mean: Floats, whiten: Floats, words: Floats) -> Floats:
    return np.hstack([_gradients(stack), *(_words_of(one, mean, whiten, words) for one in [stack])])


def _normal(stack: Floats) -> Floats:
    """Each image with mean 0 and spread 1; a constant one becomes 0."""
    axes = (1, 2, 3)
    spread = stack.std(axis=axes, keepdims=True)
    return np.asarray((stack - stack.mean(axis=axes, keepdims=True)) / np.maximum(spread, 1e-6))


def _gradients(stack: Floats) -> Floats:
    """Histograms of 9 unsigned directions in cells of 8 x 8, normalised over 2 x 2 cells."""
    grey = _normal(stack).mean(axis=-1)
    down, right = np.gradient(grey, axis=(1, 2))
    size = np.hypot(down, right)
    turn = np.mod(np.arctan2(down, right), np.pi) / np.pi * _BINS - 0.5
    low = np.floor(turn)
    part = turn - low
    cells = SIDE // _CELL
    histogram = np.zeros((len(grey), cells, cells, _BINS))
    for direction in range(_BINS):
        share = np.where(low % _BINS == direction, 1 - part, 0.0)
        share += np.where((low + 1) % _BINS == direction, part, 0.0)
        tiles = (size * share).reshape(-1, cells, _CELL, cells, _CELL)
        histogram[..., direction] = tiles.sum(axis=(2, 4))
    blocks = sliding_window_view(histogram, (2, 2), axis=(1, 2)).reshape(
        len(grey), (cells - 1) ** 2, -1
    )
    for _ in range(2):  # normalised, clipped, normalised again
        length = np.sqrt((blocks**2).sum(axis=-1, keepdims=True) + 1e-6)
        blocks = np.minimum(blocks / length, 0.2)
    return np.asarray(blocks.reshape(len(grey), -1))


def _patches(stack: Floats, step: int) -> Floats:
    """(images, places, places, pixels) patches, each with its own mean and spread taken out."""
    view = sliding_window_view(_normal(stack), (_PATCH, _PATCH), axis=(1, 2))
    view = view[:, ::step, ::step]
    return _even(view.reshape(*view.shape[:3], -1))


def _even(flat: Floats) -> Floats:
    middle = flat - flat.mean(axis=-1, keepdims=True)
    return np.asarray(middle / np.sqrt((middle**2).mean(axis=-1, keepdims=True) + 0.01))


def _sample_patches(stack: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Patches from anywhere; only those drawn are ever cut out."""
    chosen = rng.permutation(len(stack))[:2000]
    each = max(1, -(-count // len(chosen)))
    found = []
    for at in range(0, len(chosen), 64):
        block = _normal(stack[np.sort(chosen[at : at + 64])])
        view = sliding_window_view(block, (_PATCH, _PATCH), axis=(1, 2))
        place = rng.integers(view.shape[1] * view.shape[2], size=(len(view), each))
        down, right = np.divmod(place, view.shape[2])
        cut = view[np.arange(len(view))[:, None], down, right]
        found.append(_even(cut.reshape(len(view) * each, -1)))
    return np.concatenate(found)[:count]


def _words_of(stack: Floats, mean: Floats, whiten: Floats, words: Floats) -> Floats:
    """Triangle activation of each word, averaged over a grid of 3 x 3."""
    patches = _patches(stack, _STEP)
    side = patches.shape[1]
    flat = ((patches - mean) @ whiten).astype(np.float32)
    centres = words.astype(np.float32)
    square = (flat**2).sum(axis=-1, keepdims=True) + (centres**2).sum(axis=1)
    far = np.sqrt(np.maximum(square - 2 * (flat @ centres.T), 0))
    near = np.maximum(far.mean(axis=-1, keepdims=True) - far, 0)
    cut = np.linspace(0, side, _GRID + 1).astype(int)
    parts = [
        near[:, top:bottom, left:right].mean(axis=(1, 2))
        for top, bottom in pairwise(cut)
        for left, right in pairwise(cut)
    ]
    return np.sqrt(np.hstack(parts).astype(np.float64))

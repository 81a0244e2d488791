"""Unsupervised object discovery: places likely to hold objects, from unlabelled images alone.

What a data set looks like is learnt from a sample of it; then each image gets a heat map of what
stands out, and boxes around its largest hot pieces. These are hints: they know nothing of what is
asked, only of what is unusual.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Floats
from overread.discovery.colour import Colours, colour_maps, learn_colours
from overread.discovery.grey import Words, grey_maps, learn_words
from overread.discovery.shape import Region, grey_of, is_colour, picture_of, regions, smooth, spread
from overread.errors import InputError

_BLUR = 0.03  # of the longer side: chosen on a quarter of blood cells, see docs/pre-labels.md

_FLAT = 1e-9

SAMPLE = 100
"""Images that are enough to learn from."""

GREY_WEIGHTS = (1.0, 1.0, 1.0)
"""Of patch rarity, spectral residual and difference of the sides in the heat map."""


@dataclass(frozen=True, slots=True, eq=False)
class Discovery:
    """What a data set looks like. Args: colours: None where it is grey; words: () where not."""

    colours: Colours | None
    words: tuple[Words, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What stands out in an image.

    Args:
        regions: largest first.
        heat: (rows, columns) in 0 .. 1, of the small image that was looked at.
    """

    regions: tuple[Region, ...]
    heat: Floats


def learn_objects(images: Sequence[NDArray[Any]], *, seed: int = 0) -> Discovery:
    """Learn what a data set looks like, without any label.

    Args:
        images: a sample, say :data:`SAMPLE`; (rows, columns) or (rows, columns, 3), sizes may
            differ.
        seed: of what is drawn from them.
    Raises:
        InputError: no image, or one that is none.
    """
    if not len(images):
        raise InputError("images", "be at least one", "none")
    pictures = [picture_of(one) for one in images]
    if np.mean([is_colour(one) for one in pictures]) >= 0.5:
        coloured = [one for one in pictures if one.ndim == 3]
        return Discovery(learn_colours(coloured, seed=seed), ())
    return Discovery(None, learn_words([grey_of(one) for one in pictures], seed=seed))


def find_objects(image: NDArray[Any], discovery: Discovery, *, most: int = 3) -> Found:
    """Find what stands out in one image.

    Args:
        image: as of :func:`learn_objects`.
        discovery: of its data set.
        most: regions at most.
    Returns:
        The regions in pixels of the image; none where nothing stands out.
    Raises:
        InputError: an image that is none.
    """
    heat = heat_map(picture_of(image), discovery)
    size = int(image.shape[0]), int(image.shape[1])
    return Found(tuple(regions(heat, size, most=most)), heat)


def heat_map(picture: NDArray[Any], discovery: Discovery) -> Floats:
    """How much each place of a picture stands out, in 0 .. 1."""
    if np.ptp(picture) < _FLAT:
        return np.zeros(picture.shape[:2])
    if discovery.colours is not None:
        if picture.ndim == 2:
            picture = np.repeat(picture[..., None], 3, axis=2)
        rare, contrast = colour_maps(picture, discovery.colours)
        return spread(smooth(rare + contrast, _BLUR))
    maps = grey_maps(grey_of(picture), discovery.words)
    joined = sum(w * one for w, one in zip(GREY_WEIGHTS, maps, strict=True))
    return spread(smooth(np.asarray(joined), _BLUR))

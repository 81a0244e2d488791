"""What stands out by its colour: rare in the whole data set, and unlike the rest of its image.

Rarity is the information of a colour, -log p, where p is its share of the pixels of all images of
the sample. Contrast of a colour is its mean distance to the colours of its own image, over a small
codebook learnt from the sample.

Source:
    Bruce, Tsotsos (2009) Saliency, attention, and visual search: an information theoretic
    approach. J Vis 9(3):5 (rarity as self-information).
    Cheng et al. (2011) Global contrast based salient region detection. CVPR (contrast).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.cluster.vq import vq
from scipy.ndimage import gaussian_filter

from overread.arrays import Floats, Ints
from overread.discovery.codebook import codebook
from overread.discovery.shape import Picture, spread

BINS = 24
CODES = 24
_PIXELS = 40_000
_BLUR = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Colours:
    """The colours of a data set.

    Args:
        rarity: (BINS, BINS, BINS) -log share of the pixels, smoothed, of each colour.
        codebook: (codes, 3) colours in CIE L*a*b*.
    """

    rarity: Floats
    codebook: Floats


def learn_colours(pictures: Sequence[Picture], *, seed: int = 0) -> Colours:
    """Learn how frequent each colour is, and a codebook of them.

    Args:
        pictures: (rows, columns, 3) in 0 .. 1, of one size or not.
        seed: of the pixels that the codebook is learnt from.
    """
    pixels = np.concatenate([one.reshape(-1, 3) for one in pictures])
    counts = np.zeros((BINS,) * 3)
    np.add.at(counts, tuple(_bins(pixels).T), 1.0)
    share = gaussian_filter(counts, _BLUR, mode="constant") + 1.0
    rng = np.random.default_rng(seed)
    some = pixels[rng.choice(len(pixels), min(_PIXELS, len(pixels)), replace=False)]
    lab = lab_of(some)
    book = codebook(lab, CODES, decimals=3, rounds=12, seed=seed)
    return Colours(-np.log(share / share.sum()), book)


def colour_maps(picture: Picture, colours: Colours) -> list[Floats]:
    """Rarity in the data set, and contrast within the image, each (rows, columns) in 0 .. 1."""
    size = picture.shape[:2]
    pixels = picture.reshape(-1, 3)
    rare = colours.rarity[tuple(_bins(pixels).T)].reshape(size)
    code, _ = vq(lab_of(pixels), colours.codebook)
    share = np.bincount(code, minlength=len(colours.codebook)) / code.size
    apart = np.linalg.norm(colours.codebook[:, None] - colours.codebook[None], axis=2)
    contrast = (apart @ share)[code].reshape(size)
    return [spread(rare), spread(contrast)]


def lab_of(pixels: Floats) -> Floats:
    """CIE L*a*b* (D65) of (pixels, 3) sRGB in 0 .. 1.

    Source: IEC 61966-2-1 (sRGB); CIE 15:2004.
    """
    linear = np.where(pixels > 0.04045, ((pixels + 0.055) / 1.055) ** 2.4, pixels / 12.92)
    xyz = (linear @ _XYZ.T) / _WHITE
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack(
        [116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1
    )


_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
_WHITE = np.array([0.95047, 1.0, 1.08883])


def _bins(pixels: Floats) -> Ints:
    return np.clip((pixels * BINS).astype(np.intp), 0, BINS - 1)

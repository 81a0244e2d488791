"""Quick latents: gradient histograms and k-means patches."""

from __future__ import annotations

import numpy as np
import pytest

from overread.errors import InputError
from overread.latents.quick import encode_quick, learn_quick
from overread.selection.grouping import kmeans, nearest


def _stripes(n: int, channels: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    across = rng.integers(2, size=n)
    wave = np.sin(np.arange(64) * 0.9)
    images = np.where(across[:, None, None], wave[:, None], wave[None, :])
    images = images + 0.3 * rng.normal(size=(n, 64, 64))
    return (images if channels == 1 else np.repeat(images[..., None], channels, axis=3)), across


@pytest.mark.parametrize("channels", [1, 3])
def test_quick_latents_tell_stripes_apart(channels: int) -> None:
    images, across = _stripes(24, channels)
    encoder = learn_quick(images, size=8, words=12, patches=600)
    latents = encode_quick(images, encoder)
    assert latents.shape == (24, 8)
    parts = np.vstack([encode_quick(images[:5], encoder), encode_quick(images[5:], encoder)])
    np.testing.assert_allclose(parts, latents, atol=1e-5)
    group, _ = nearest(latents, kmeans(latents, 2, np.random.default_rng(0)))
    assert abs(np.corrcoef(group, across)[0, 1]) > 0.9


def test_constant_images_and_bad_ones() -> None:
    images, _ = _stripes(12)
    images[3] = 7.0
    encoder = learn_quick(images, size=4, words=6, patches=300)
    assert np.isfinite(encode_quick(images, encoder)).all()
    flat = learn_quick(np.zeros((3, 64, 64)), size=4, words=6, patches=50)
    assert np.isfinite(encode_quick(images, flat)).all()
    with pytest.raises(InputError, match="images must have 1 channels"):
        encode_quick(np.zeros((2, 64, 64, 3)), encoder)
    with pytest.raises(InputError, match="images must be"):
        learn_quick(np.zeros((2, 32, 64)))
    images[0, 0, 0] = np.nan
    with pytest.raises(InputError, match="finite"):
        encode_quick(images, encoder)

"""Images of any size to the size wanted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from overread.errors import InputError
from overread.latents.shrink import shrunk


@pytest.mark.parametrize(
    ("old", "new"), [((64, 48), (16, 16)), ((20, 30), (64, 50)), ((9, 9), (9, 9))]
)
def test_as_pillow_does_it(old, new) -> None:
    image = np.random.default_rng(0).integers(0, 256, old, dtype=np.uint8)
    wanted = np.asarray(Image.fromarray(image).resize(new[::-1], Image.Resampling.BILINEAR))
    found = shrunk(image, *new, 1)[..., 0]
    assert np.abs(found.astype(int) - wanted).max() <= 1


@settings(deadline=None, max_examples=30)
@given(rows=st.integers(1, 40), columns=st.integers(1, 40), level=st.integers(0, 255))
def test_a_constant_image_stays_constant(rows: int, columns: int, level: int) -> None:
    image = np.full((rows, columns, 3), level, dtype=np.uint8)
    assert (shrunk(image, 7, 5, 3) == level).all()
    assert np.abs(shrunk(image, 7, 5, 1).astype(int) - level).max() <= 1


def test_channels() -> None:
    colour = np.zeros((8, 8, 3), dtype=np.uint8)
    colour[..., 1] = 200
    assert shrunk(colour, 4, 4, 1).mean() == pytest.approx(117, abs=1)
    grey = shrunk(colour[..., 1], 4, 4, 3)
    assert grey.shape == (4, 4, 3)
    assert (grey == 200).all()


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4)), np.zeros((4, 4, 2), np.uint8), np.zeros((0, 4), np.uint8)]
)
def test_what_is_no_image(image) -> None:
    with pytest.raises(InputError, match="image must"):
        shrunk(image, 8, 8, 1)

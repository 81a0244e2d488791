"""What stands out is found where it was planted, in colour and in grey; bad images are named."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.discovery.colour import lab_of
from overread.discovery.grey import spectral_residual, symmetry_difference
from overread.discovery.objects import find_objects, learn_objects
from overread.discovery.shape import otsu, picture_of, regions
from overread.errors import InputError


def cells(seed: int) -> tuple[np.ndarray, tuple[int, int, int, int]]:
    """Pale noise with many pink discs and one of violet; where that lies."""
    rng = np.random.default_rng(seed)
    image = np.full((120, 160, 3), [225, 215, 220]) + rng.normal(0, 5, (120, 160, 3))
    y, x = np.mgrid[:120, :160]
    for at in rng.integers([8, 8], [112, 152], (12, 2)):
        image[(y - at[0]) ** 2 + (x - at[1]) ** 2 < 64] = [220, 150, 160]
    row, column = rng.integers([30, 30], [90, 130])
    image[(y - row) ** 2 + (x - column) ** 2 < 20**2] = [110, 60, 160]
    box = (int(column) - 20, int(row) - 20, int(column) + 21, int(row) + 21)
    return np.clip(image, 0, 255).astype(np.uint8), box


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    inner = max(width, 0) * max(height, 0)
    area = sum((b[2] - b[0]) * (b[3] - b[1]) for b in (one, other))
    return inner / (area - inner)


def test_a_planted_colour_is_found() -> None:
    made = [cells(seed) for seed in range(5)]
    discovery = learn_objects([image for image, _ in made])
    assert discovery.colours is not None
    for image, box in made:
        (first, *_) = find_objects(image, discovery).regions
        assert overlap((first.x1, first.y1, first.x2, first.y2), box) > 0.5
        assert 0 < first.score <= 1


def test_the_same_images_give_the_same_boxes() -> None:
    images = [cells(seed)[0] for seed in range(4)]
    one, other = (find_objects(images[0], learn_objects(images, seed=3)) for _ in range(2))
    assert one.regions == other.regions


def test_boxes_are_in_pixels_of_the_image() -> None:
    made = [cells(seed) for seed in range(3)]
    large = [np.kron(image, np.ones((4, 4, 1), np.uint8)) for image, _ in made]
    (first, *_) = find_objects(large[0], learn_objects(large)).regions
    wanted = tuple(4 * side for side in made[0][1])
    assert overlap((first.x1, first.y1, first.x2, first.y2), wanted) > 0.5


def test_a_rare_texture_is_found_in_grey() -> None:
    images = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        image = rng.normal(1000, 20, (120, 120))
        image[40:70, 20:50] += 200 * (np.indices((30, 30)).sum(axis=0) // 4 % 2)
        images.append(image)
    discovery = learn_objects(images)
    assert discovery.colours is None
    found = find_objects(images[0], discovery)
    at = np.unravel_index(int(found.heat.argmax()), found.heat.shape)
    assert 35 <= at[0] < 75
    assert 15 <= at[1] < 55


def test_a_side_that_differs_from_the_other_is_seen() -> None:
    y, x = np.mgrid[:100, :100]
    image = np.exp(-((x - 50) ** 2) / 800.0)
    image[(y - 50) ** 2 + (x - 25) ** 2 < 64] += 0.6
    heat = symmetry_difference(image)
    row, column = np.unravel_index(int(heat.argmax()), heat.shape)
    assert abs(int(row) - 50) < 12
    assert min(abs(int(column) - 25), abs(int(column) - 74)) < 12
    assert heat[45:55, 20:30].mean() > 5 * heat[:30, :30].mean()


def test_one_odd_place_is_in_the_residual() -> None:
    _y, x = np.mgrid[:64, :64]
    image = 0.5 + 0.2 * np.sin(x / 2.0) + np.random.default_rng(2).normal(0, 0.02, (64, 64))
    image[30:34, 40:44] = 0.0
    heat = spectral_residual(image)
    row, column = np.unravel_index(int(heat.argmax()), heat.shape)
    assert abs(int(row) - 32) < 6
    assert abs(int(column) - 42) < 6


@pytest.mark.parametrize("kind", ["flat", "flat colour", "tiny", "one pixel"])
def test_an_image_without_anything_has_no_regions_or_fair_ones(kind: str) -> None:
    image = {
        "flat": np.full((50, 60), 7.0),
        "flat colour": np.full((50, 60, 3), 90, np.uint8),
        "tiny": np.arange(6.0).reshape(2, 3),
        "one pixel": np.zeros((1, 1)),
    }[kind]
    found = find_objects(image, learn_objects([image]))
    if kind.startswith("flat"):
        assert found.regions == ()
    for one in found.regions:
        assert 0 <= one.x1 < one.x2 <= image.shape[1]
        assert 0 <= one.y1 < one.y2 <= image.shape[0]


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4, 2)), np.zeros(4), np.zeros((0, 4)), np.full((4, 4), np.nan)]
)
def test_an_image_that_is_none_is_refused(image: np.ndarray) -> None:
    with pytest.raises(InputError, match="image"):
        learn_objects([image])


def test_no_image_is_refused() -> None:
    with pytest.raises(InputError, match="images must be at least one"):
        learn_objects([])


def test_otsu_is_the_best_cut_by_brute_force() -> None:
    rng = np.random.default_rng(5)
    values = np.clip(np.r_[rng.normal(0.3, 0.05, 600), rng.normal(0.7, 0.08, 200)], 0, 1)

    def between(cut: float) -> float:
        low, high = values[values <= cut], values[values > cut]
        return len(low) * len(high) * (low.mean() - high.mean()) ** 2 if len(low) * len(high) else 0

    best = max(between(cut) for cut in np.linspace(0.01, 0.99, 500))
    assert between(otsu(values)) >= 0.995 * best


def test_lab_of_known_colours() -> None:
    """sRGB red and white, Lindbloom's calculator."""
    made = lab_of(np.array([[1.0, 0, 0], [1.0, 1, 1]]))
    assert np.allclose(made[0], [53.24, 80.09, 67.20], atol=0.15)
    assert np.allclose(made[1], [100, 0, 0], atol=0.1)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**31), st.integers(1, 4))
def test_regions_lie_within_the_image_largest_first(
    rows: int, columns: int, seed: int, most: int
) -> None:
    heat = np.random.default_rng(seed).random((rows, columns))
    found = regions(heat, (3 * rows, 2 * columns), most=most)
    assert len(found) <= most
    for one in found:
        assert 0 <= one.x1 < one.x2 <= 2 * columns
        assert 0 <= one.y1 < one.y2 <= 3 * rows


def test_a_picture_is_small_and_in_range() -> None:
    made = picture_of(np.random.default_rng(1).normal(40, 300, (900, 500)))
    assert max(made.shape) <= 161
    assert made.min() == 0
    assert made.max() == 1

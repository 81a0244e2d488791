"""The map of images, and the choice of encoders."""

from __future__ import annotations

import numpy as np
import pytest

from overread.errors import InputError
from overread.latents.choose import choose_encoders
from overread.latents.map import map_of

RNG = np.random.default_rng(0)
KIND = np.repeat([0, 1, 2], [60, 40, 20])
POINTS = 6 * np.eye(3, 8)[KIND] + RNG.normal(size=(120, 8))


def test_alike_images_lie_together_the_same_way_every_time() -> None:
    found = map_of(POINTS, clusters=3, epochs=60)
    again = map_of(POINTS, clusters=3, epochs=60)
    np.testing.assert_array_equal(found.places, again.places)
    assert found.places.min() == 0
    assert found.places.max() == 1
    far = np.linalg.norm(found.places[:, None] - found.places, axis=2)
    np.fill_diagonal(far, np.inf)
    assert (KIND[far.argmin(axis=1)] == KIND).mean() > 0.95
    np.testing.assert_array_equal(found.cluster, KIND)  # the largest first
    np.testing.assert_array_equal(KIND[found.typical], [0, 1, 2])


def test_the_rest_of_a_large_set_is_put_among_the_drawn() -> None:
    found = map_of(POINTS, clusters=3, drawn=60, epochs=60)
    assert found.places.shape == (120, 2)
    far = np.linalg.norm(found.places[:, None] - found.places, axis=2)
    np.fill_diagonal(far, np.inf)
    assert (KIND[far.argmin(axis=1)] == KIND).mean() > 0.95


@pytest.mark.parametrize("points", [np.ones((1, 3)), np.ones((9, 4)), np.arange(5.0)[:, None]])
def test_single_equal_and_flat_points(points: np.ndarray) -> None:
    found = map_of(points, epochs=20)
    assert np.isfinite(found.places).all()
    assert len(found.typical) >= 1


def test_bad_latents() -> None:
    with pytest.raises(InputError, match="not empty"):
        map_of(np.empty((0, 3)))
    with pytest.raises(InputError, match="finite"):
        map_of(np.array([[np.nan, 1.0]]))


def _labels(n: int = 60) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    rng = np.random.default_rng(1)
    truth = rng.integers(2, size=n)
    good = truth[:, None] * 4.0 + rng.normal(size=(n, 3))
    return truth, np.eye(2)[truth], {"good": good, "noise": rng.normal(size=(n, 3)), "copy": good}


def test_the_encoder_that_tells_classes_apart_is_chosen() -> None:
    _, votes, parts = _labels()
    chosen = choose_encoders(parts, [("noise",), ("good",)], votes)
    assert chosen.chain == ("good",)
    assert chosen.scores[1].accuracy > 0.9 > chosen.scores[0].accuracy
    assert choose_encoders(parts, [("copy",), ("good",)], votes).chain == ("copy",)  # as good


def test_with_few_labels_or_one_class_the_first_stays() -> None:
    _, votes, parts = _labels()
    few = {name: rows[:20] for name, rows in parts.items()}
    chains = [("noise",), ("good",)]
    assert choose_encoders(few, chains, votes[:20]).chain == ("noise",)
    same = np.tile([1.0, 0.0], (60, 1))
    chosen = choose_encoders(parts, chains, same)
    assert (chosen.chain, chosen.scores) == (("noise",), ())
    assert "cannot tell" in chosen.reason
    one = choose_encoders(parts, chains, votes, groups=np.zeros(60, dtype=int))
    assert one.chain == ("noise",)
    with pytest.raises(InputError, match="chains must"):
        choose_encoders(parts, [("other",)], votes)

"""Latents of several encoders as one."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from overread.errors import InputError
from overread.latents import joining
from overread.latents.joining import join, reduced, reduction_of


def test_as_scikit_learn_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "_BLOCK", 64)  # several blocks
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 12)) @ rng.normal(size=(12, 12)) + 1e4
    found = reduced(rows, reduction_of(rows, size=5))
    wanted = PCA(5, svd_solver="full").fit_transform(rows)
    wanted /= np.sqrt((wanted**2).sum(axis=1).mean())
    sign = np.sign((found * wanted).sum(axis=0))
    np.testing.assert_allclose(found * sign, wanted, atol=1e-5)


@pytest.mark.parametrize("count", [9, 20, 21])  # up to 20 their own plane is solved
def test_of_few_images_with_many_values_too(count: int) -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(count, 41)) * np.linspace(3, 1, 41) + 1e4
    found = reduction_of(rows, size=6)
    wanted = PCA(6, svd_solver="full").fit(rows)
    say = np.sqrt(wanted.explained_variance_.sum() * (count - 1) / count)
    np.testing.assert_allclose(found.centre, wanted.mean_)
    sign = np.sign((found.axes * wanted.components_.T).sum(axis=0))
    np.testing.assert_allclose(found.axes * sign * say, wanted.components_.T, atol=1e-6)
    assert reduction_of(rows).axes.shape == (41, count - 1)  # no axis without spread


def test_each_part_has_the_same_say() -> None:
    rng = np.random.default_rng(0)
    both = join([rng.normal(size=(50, 3)) * 100, rng.normal(size=(50, 9)) + 5])
    assert both.shape == (50, 12)
    spread = (both**2).sum(axis=0)
    assert spread[:3].sum() == pytest.approx(50, rel=1e-4)
    assert spread[3:].sum() == pytest.approx(50, rel=1e-4)


def test_constant_values_and_single_images() -> None:
    assert np.isfinite(join([np.ones((5, 3)), np.eye(5)])).all()
    assert join([np.ones((1, 3))]).shape == (1, 1)
    found = join([np.column_stack([np.arange(4.0), np.full(4, 1e-30)])])
    assert found.shape == (4, 1)


def test_bad_parts() -> None:
    with pytest.raises(InputError, match="parts must"):
        join([np.ones((2, 1)), np.ones((3, 1))])
    with pytest.raises(InputError, match="parts must"):
        join([])
    with pytest.raises(InputError, match="vanished"):
        join([np.array([[1.0], [np.nan]])])
    with pytest.raises(InputError, match="3 values an image"):
        reduced(np.ones((2, 2)), reduction_of(np.eye(3)))

"""Words of a sample: few rows, and a group that loses all of its own."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster.vq import kmeans2

from overread.discovery.codebook import codebook


def test_fewer_different_rows_are_the_words() -> None:
    rows = np.array([[0.0, 1.0], [2.0, 3.0], [0.0, 1.0004]])
    found = codebook(rows, 4, decimals=3, rounds=3, seed=0)
    np.testing.assert_allclose(found, [[0.0, 1.0], [2.0, 3.0]], atol=1e-3)


def test_a_group_that_loses_its_rows_is_no_trouble() -> None:
    seed = 1703  # one of the few starts of which SciPy warns
    rows = np.random.default_rng(seed).normal(size=(40, 2)).round(1)
    with pytest.warns(UserWarning, match="clusters is empty"):
        kmeans2(rows, 20, iter=8, minit="++", seed=seed)
    found = codebook(rows, 20, decimals=3, rounds=8, seed=seed)
    assert found.shape == (20, 2)
    assert np.isfinite(found).all()

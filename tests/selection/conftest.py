"""Pools that the tests of this room share."""

from __future__ import annotations

import numpy as np
import pytest

from overread.selection.pool import Pool, label_many, open_pool
from overread.selection.process import one_hot


def clusters(n: int = 240, classes: int = 3, latents: int = 6, seed: int = 0):
    """Latents in clusters, and their classes."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(classes, size=n)
    middle = rng.normal(size=(classes, latents)) * 2
    return rng.normal(size=(n, latents)) + middle[truth], truth


@pytest.fixture
def labelled_pool() -> Pool:
    latents, truth = clusters()
    rows = np.arange(0, 60, 2)
    pool = open_pool(latents, 3, landmarks=40)
    return label_many(pool, rows, one_hot(truth[rows], 3))

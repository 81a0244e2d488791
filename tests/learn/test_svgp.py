"""The sparse variational process: learns, doubts far away, serves the acquisition functions."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from overread.errors import InputError, MissingExtraError
from overread.learn.svgp import fit_svgp, svgp_samples
from overread.selection.acquisition.scores import bald
from overread.selection.belief import belief_of_samples
from overread.selection.process import one_hot


def test_it_learns_and_doubts_far_away() -> None:
    rng = np.random.default_rng(0)
    truth = np.arange(40) % 2
    latents = rng.normal(size=(40, 2)) + 4 * truth[:, None]
    fitted = fit_svgp(latents, one_hot(truth, 2), inducing=15, steps=60, rate=0.1)
    mean = svgp_samples(fitted, latents).mean(axis=1)
    np.testing.assert_allclose(mean.sum(axis=1), 1, atol=1e-5)
    assert (mean.argmax(axis=1) == truth).mean() > 0.9
    far = svgp_samples(fitted, np.array([[60.0, -60.0], latents[0]]))
    told = bald(belief_of_samples(far))
    assert told[0] > told[1]
    again = svgp_samples(fitted, np.array([[60.0, -60.0], latents[0]]))
    np.testing.assert_array_equal(far, again)


def test_bad_input_and_a_missing_package(monkeypatch) -> None:
    with pytest.raises(InputError, match="votes must"):
        fit_svgp(np.ones((3, 2)), np.ones((2, 2)))
    monkeypatch.setitem(sys.modules, "gpytorch", None)
    with pytest.raises(MissingExtraError, match=r"overread\[learn\]"):
        fit_svgp(np.ones((3, 2)), np.ones((3, 2)))

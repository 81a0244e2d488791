"""A sparse variational Gaussian process on latents, for comparison with the product's own.

It is the choice of the method's article. On the same latents it is a thousand times slower to
take one label more than the process of :mod:`overread.selection.process`, and no better.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import torch

from overread.arrays import Floats
from overread.errors import MissingExtraError
from overread.selection.basis import Latents, blocks, check_latents, median_distance
from overread.selection.process import checked_votes

_BLOCK = 2048


@dataclass(frozen=True, slots=True, eq=False)
class Svgp:
    """A fitted process.

    Args:
        model, likelihood: modules of GPyTorch.
        n_classes: of the labels. loss: negative lower bound a label, of the last step.
    """

    model: Any
    likelihood: Any
    n_classes: int
    loss: float


def fit_svgp(
    latents: Latents, votes: Floats, *, inducing: int = 256, steps: int = 200, rate: float = 0.05,
    seed: int = 0,
) -> Svgp:  # fmt: skip
    """Fit with a softmax over one function a class, all labels in each step.

    Args:
        latents: (labels, latents). votes: (labels, classes); the class with most votes is the
            label, weighted by their sum.
        inducing: points, at most; chosen among the labels.
        steps: of Adam at ``rate``.
        seed: of the points and the samples.
    Raises:
        InputError: latents or votes that do not fit.
        MissingExtraError: gpytorch is not installed.
    Source:
        Hensman, Matthews & Ghahramani 2015, AISTATS, "Scalable variational Gaussian process
        classification".
    """
    check_latents(latents)
    votes = checked_votes(votes, len(latents))
    gpytorch = _gpytorch()
    torch.manual_seed(seed)
    chosen = np.random.default_rng(seed).permutation(len(latents))[:inducing]
    x = torch.tensor(np.asarray(latents, dtype=np.float32))
    y = torch.tensor(votes.argmax(axis=1))
    weight = torch.tensor(votes.sum(axis=1), dtype=torch.float32)
    classes = votes.shape[1]
    length = 0.7 * median_distance(np.asarray(latents[chosen], dtype=np.float64))
    model = _model(gpytorch, x[torch.tensor(chosen)], classes, length)
    likelihood = gpytorch.likelihoods.SoftmaxLikelihood(
        num_features=classes, num_classes=classes, mixing_weights=False
    )
    optimiser = torch.optim.Adam(model.parameters(), lr=rate)
    model.train()
    loss = float("nan")
    for _ in range(steps):
        optimiser.zero_grad()
        fitted = likelihood.expected_log_prob(y, model(x))
        bound = (fitted * weight).sum() - model.variational_strategy.kl_divergence().sum()
        lost = -bound / len(x)
        lost.backward()
        optimiser.step()
        loss = float(lost.detach())
    model.eval()
    return Svgp(model, likelihood, classes, loss)


def svgp_samples(fitted: Svgp, latents: Latents, *, samples: int = 32, seed: int = 0) -> Floats:
    """Class probabilities sampled case by case: (cases, samples, classes).

    :func:`overread.selection.belief.belief_of_samples` makes of them what every acquisition
    function of single cases takes; their mean over the samples is the prediction.
    """
    check_latents(latents)
    torch.manual_seed(seed)
    found = np.empty((len(latents), samples, fitted.n_classes))
    with torch.no_grad():
        for block in blocks(len(latents), _BLOCK):
            part = torch.tensor(np.asarray(latents[block], dtype=np.float32))
            drawn = fitted.model(part)
            eps = torch.randn(samples, *drawn.mean.shape)
            function = drawn.mean + drawn.stddev * eps
            found[block] = function.softmax(dim=-1).permute(1, 0, 2).numpy()
    return found


def svgp_sampler(latents: Floats, votes: Floats, cases: Floats, seed: int) -> Floats:
    """Fit on labels and sample the probabilities of cases, for :mod:`overread.selection.replay`."""
    return svgp_samples(fit_svgp(latents, votes, seed=seed), cases, seed=seed)


def _gpytorch() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of torch, on being imported
            return import_module("gpytorch")
    except ImportError as error:
        raise MissingExtraError("A sparse variational Gaussian process", "learn") from error


def _model(gpytorch: Any, points: Any, classes: int, length: float) -> Any:
    """One process a class, a lengthscale and a scale each."""
    batch = torch.Size([classes])

    class Model(gpytorch.models.ApproximateGP):  # type: ignore[misc]  # its own way
        def __init__(self) -> None:
            every = points.repeat(classes, 1, 1)
            q = gpytorch.variational.CholeskyVariationalDistribution(every.size(-2), batch)
            inner = gpytorch.variational.VariationalStrategy(self, every, q)
            outer = gpytorch.variational.IndependentMultitaskVariationalStrategy(inner, classes)
            super().__init__(outer)
            self.mean_module = gpytorch.means.ConstantMean(batch_shape=batch)
            kernel = gpytorch.kernels.RBFKernel(batch_shape=batch)
            kernel.lengthscale = length
            self.covar_module = gpytorch.kernels.ScaleKernel(kernel, batch_shape=batch)

        def forward(self, x: Any) -> Any:
            normal = gpytorch.distributions.MultivariateNormal
            return normal(self.mean_module(x), self.covar_module(x))

    return Model()

"""STAPLE, for two classes and for more: EM over vote patterns, equal to ITK's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numba
import numpy as np
from numpy.typing import NDArray

from overread.arrays import Floats, Ints
from overread.consensus.mask_patterns import Patterns, vote_patterns, vote_shares
from overread.errors import InputError

Region = Literal["image", "disagreement"]

MOST_ITERATIONS = 100_000
TOLERANCE = 1e-14
"""ITK's: squared change of every sensitivity and specificity."""


@dataclass(frozen=True, slots=True, eq=False)
class Votes:
    """Vote patterns as a model sees them; those of several cases may stand below each other.

    Args:
        said: (patterns, columns) class that the read in a column gives; -1 where it gives none.
        weight: (patterns, columns) of each vote; repeats of one reader share 1.
        reader: (columns,) reader of each column.
        count: (patterns,) pixels.
        prior: (patterns, classes) share of each class before the votes.
        known: (patterns,) true class where it is given, -1 elsewhere.
    """

    said: NDArray[np.int16]
    weight: Floats
    reader: Ints
    count: Floats
    prior: Floats
    known: Ints

    @property
    def n_readers(self) -> int:
        """Number of readers."""
        return int(self.reader.max(initial=-1)) + 1


@dataclass(frozen=True, slots=True, eq=False)
class StapleFit:
    """A fitted model.

    Args:
        posterior: (patterns, classes).
        confusion: (readers, classes, classes) [reader, truth, said]; nan in the row of a class
            that the data hold nothing of.
        pixels: (readers, classes) expected pixels of each true class that a reader judged.
        iterations: as ITK counts them, from 0.
        converged: false where ``max_iterations`` ended it.
        log_likelihood: (iterations,) before each M-step but the first; with ``pseudo``, plus the
            log prior up to a constant. Never falls.
    """

    posterior: Floats
    confusion: Floats
    pixels: Floats
    iterations: int
    converged: bool
    log_likelihood: Floats


@dataclass(frozen=True, slots=True, eq=False)
class StapleResult:
    """STAPLE of two classes.

    Args:
        probability: of the foreground, in the shape of the masks.
        sensitivity, specificity: (reads,); nan where there is no foreground (background).
        iterations: as ITK's ``GetElapsedIterations``.
        converged: false where ``max_iterations`` ended it.
        log_likelihood: (steps,) natural log; never falls.
    """

    probability: NDArray[np.floating[Any]]
    sensitivity: Floats
    specificity: Floats
    iterations: int
    converged: bool
    log_likelihood: Floats


@dataclass(frozen=True, slots=True, eq=False)
class MultiLabelResult:
    """STAPLE of any number of classes.

    Args:
        probability: (classes, *shape).
        confusion: (reads, classes, classes) [read, truth, said]; nan for classes never true.
        iterations, converged, log_likelihood: as in :class:`StapleResult`.
    """

    probability: NDArray[np.floating[Any]]
    confusion: Floats
    iterations: int
    converged: bool
    log_likelihood: Floats


def staple_arrays(
    masks: Sequence[NDArray[Any]],
    *,
    prior: float | None = None,
    region: Region = "image",
    max_iterations: int = MOST_ITERATIONS,
    tolerance: float = TOLERANCE,
    dtype: type[np.floating[Any]] = np.float64,
) -> StapleResult:
    """STAPLE of masks held as arrays: the probability of foreground, and each reader's quality.

    The same numbers as ITK's ``STAPLEImageFilter`` (confidence weight 1), with two differences:
    where ITK gives nan for the whole image (no read marks anything, or all mark everything), the
    probability is 0 (1) and only the undefined sensitivity (specificity) is nan.

    Args:
        masks: (reads,) arrays of one shape, any number of axes; what is not 0 is foreground.
        prior: share of foreground in (0, 1); by default the mean vote. It stays fixed.
        region: "image" as published; "disagreement" fits only the pixels on which reads differ,
            so that the amount of background plays no part; the other pixels are as voted.
        max_iterations: at most so many M-steps, 1 or more.
        tolerance: stop when no sensitivity or specificity changes by more, squared.
        dtype: of the probability; float32 halves the memory.
    Raises:
        InputError: no mask, masks that differ in shape, a setting out of range.
    Source:
        Warfield, Zou & Wells 2004, IEEE TMI 23(7):903-921, equations 15-19. Start: mean vote.
    Example:
        >>> reads = [np.array([[1, 1, 0, 0]]), np.array([[1, 1, 0, 0]]), np.array([[1, 0, 0, 0]])]
        >>> found = staple_arrays(reads)
        >>> found.probability.round(2).tolist(), found.sensitivity.round(2).tolist()
        ([[1.0, 1.0, 0.0, 0.0]], [1.0, 1.0, 0.5])
    """
    check_settings(max_iterations, tolerance, region)
    if prior is not None and not 0 < prior < 1:
        raise InputError("prior", "be in (0, 1)", prior)
    arrays = [np.asarray(mask) for mask in masks]
    patterns = vote_patterns(arrays)
    shares = None if prior is None else np.array([1 - prior, prior])
    fit = _fit_patterns(
        patterns, 2, shares, region, max_iterations=max_iterations, tolerance=tolerance
    )
    probability = patterns.spread(fit.posterior[:, 1].astype(dtype)).reshape(arrays[0].shape)
    quality = fit.confusion[:, 1, 1], fit.confusion[:, 0, 0]
    return StapleResult(probability, *quality, fit.iterations, fit.converged, fit.log_likelihood)


def multi_label_staple_arrays(
    masks: Sequence[NDArray[Any]],
    n_classes: int,
    *,
    prior: Floats | None = None,
    region: Region = "image",
    pseudo: float = 0.0,
    max_iterations: int = MOST_ITERATIONS,
    tolerance: float = TOLERANCE,
    dtype: type[np.floating[Any]] = np.float64,
) -> MultiLabelResult:
    """STAPLE of masks of several classes: a confusion matrix for each read.

    It starts from the shares of the votes, so that a tie starts even; ITK's
    ``MultiLabelSTAPLEImageFilter`` gives ties to a label of their own, which then takes part.

    Args:
        masks: (reads,) arrays of class codes in ``0 .. n_classes-1``, of one shape.
        n_classes: 2 or more.
        prior: (classes,) shares, sum to 1; by default those of the votes. They stay fixed.
        pseudo: pixels added to every cell of every confusion (a Dirichlet prior; the result is
            then the most probable a posteriori). 0 is maximum likelihood.
        region, max_iterations, tolerance, dtype: as in :func:`staple_arrays`.
    Raises:
        InputError: as :func:`staple_arrays`, and codes or priors that do not fit ``n_classes``.
    Source:
        Warfield et al. 2004, section II-E (multi-category); Rohlfing, Russakoff & Maurer 2004,
        IEEE TMI 23(8):983-994 (EM of confusion matrices, ties).
    """
    check_settings(max_iterations, tolerance, region)
    if n_classes < 2:
        raise InputError("n_classes", "be 2 or more", n_classes)
    if not pseudo >= 0:
        raise InputError("pseudo", "be 0 or more", pseudo)
    if prior is not None:
        prior = np.asarray(prior, dtype=float)
        good = prior.shape == (n_classes,) and (prior >= 0).all() and abs(prior.sum() - 1) < 1e-9
        if not good:
            raise InputError("prior", f"be {n_classes} shares that sum to 1", prior.tolist())
    arrays = [np.asarray(mask) for mask in masks]
    patterns = vote_patterns(arrays, n_classes)
    fit = _fit_patterns(
        patterns,
        n_classes,
        prior,
        region,
        max_iterations=max_iterations,
        tolerance=tolerance,
        pseudo=pseudo,
    )
    probability = np.empty((n_classes, *arrays[0].shape), dtype=dtype)
    for k in range(n_classes):
        column = patterns.spread(fit.posterior[:, k].astype(dtype))
        probability[k] = column.reshape(arrays[0].shape)
    return MultiLabelResult(
        probability, fit.confusion, fit.iterations, fit.converged, fit.log_likelihood
    )


def check_settings(max_iterations: int, tolerance: float, region: str) -> None:
    """Refuse settings out of range."""
    if max_iterations < 1:
        raise InputError("max_iterations", "be 1 or more", max_iterations)
    if not tolerance >= 0:
        raise InputError("tolerance", "be 0 or more", tolerance)
    if region not in ("image", "disagreement"):
        raise InputError("region", 'be "image" or "disagreement"', f"{region!r}")


def _fit_patterns(
    patterns: Patterns,
    n_classes: int,
    prior: Floats | None,
    region: Region,
    *,
    max_iterations: int,
    tolerance: float,
    pseudo: float = 0.0,
) -> StapleFit:
    """Fit one case, each read a reader of its own."""
    votes = votes_of(patterns, n_classes, region=region, prior=prior)
    added = None
    if pseudo > 0:
        added = np.full((votes.n_readers, n_classes, n_classes), float(pseudo))
    return fit_staple(votes, pseudo=added, max_iterations=max_iterations, tolerance=tolerance)


def votes_of(
    patterns: Patterns,
    n_classes: int,
    *,
    region: Region = "image",
    weight: Floats | None = None,
    prior: Floats | None = None,
    reader: Ints | None = None,
    known: Ints | None = None,
) -> Votes:
    """Vote patterns of one case, ready for the model.

    Args:
        region: with "disagreement", patterns without dispute count 0 pixels and are as voted.
        weight: (reads,) of each read; 1 by default.
        prior: (classes,) shares; by default those of the votes in the region.
        reader: (reads,) reader of each read; by default each its own.
        known: (patterns,) true class or -1.
    """
    said = patterns.said
    weight = np.ones(said.shape[1]) if weight is None else weight
    share = vote_shares(said, weight, n_classes)
    count = patterns.count.astype(np.float64)
    agreed = share.max(axis=1) >= 1.0 - 1e-12
    if region == "disagreement":
        count = np.where(agreed, 0.0, count)
    pixels = count.sum()
    if prior is None:
        even = np.full(n_classes, 1.0 / n_classes)
        prior = count @ share / pixels if pixels else even
    rows = np.tile(prior, (len(said), 1))
    if region == "disagreement":
        rows[agreed] = share[agreed]
    return Votes(
        said,
        np.tile(weight, (len(said), 1)),
        np.arange(said.shape[1]) if reader is None else reader,
        count,
        rows,
        np.full(len(said), -1) if known is None else known,
    )


def fit_staple(
    votes: Votes,
    *,
    n_readers: int | None = None,
    pseudo: Floats | None = None,
    max_iterations: int = MOST_ITERATIONS,
    tolerance: float = TOLERANCE,
) -> StapleFit:
    """EM from the shares of the votes: confusions, then truth, until the confusions rest.

    Args:
        n_readers: by default those that have a column.
        pseudo: (readers, classes, classes) pixels added to the confusions' counts.
    """
    n_classes = votes.prior.shape[1]
    n_readers = votes.n_readers if n_readers is None else n_readers
    shape = (n_readers, n_classes, n_classes)
    added = np.zeros(shape) if pseudo is None else pseudo
    posterior = vote_shares(votes.said, votes.weight, n_classes)
    posterior[votes.known >= 0] = np.eye(n_classes)[votes.known[votes.known >= 0]]
    certain = (votes.prior.max(axis=1) == 1.0) & (votes.known < 0)
    posterior[certain] = votes.prior[certain]
    counts = np.zeros(shape)
    _count(votes.said, votes.weight, votes.reader, votes.count, posterior, counts)
    history: list[float] = []
    before: Floats | None = None
    iteration, converged = 0, False
    for iteration in range(max_iterations):  # noqa: B007 (the count is a result)
        total = (counts + added).sum(axis=2, keepdims=True)
        confusion = np.divide(counts + added, total, out=np.full(shape, np.nan), where=total > 0)
        table = np.where(np.isnan(confusion), 1.0 / n_classes, confusion)
        likelihood = _expect(
            votes.said, votes.weight, votes.reader, votes.count, votes.prior, votes.known,
            table, posterior,
        )  # fmt: skip
        history.append(likelihood + _log_prior(added, table))
        if before is not None and np.all((table - before) ** 2 <= tolerance):
            converged = True
            break
        before = table
        counts[:] = 0.0
        _count(votes.said, votes.weight, votes.reader, votes.count, posterior, counts)
    else:
        iteration += 1
    pixels = (counts.sum(axis=2)) if converged else total[:, :, 0]
    return StapleFit(posterior, confusion, pixels, iteration, converged, np.array(history))


def _log_prior(added: Floats, table: Floats) -> float:
    there = added > 0
    return float((added[there] * np.log(np.maximum(table[there], 1e-300))).sum())


@numba.njit(nogil=True, cache=True)
def _count(  # noqa: PLR0917 (numba kernels take plain arrays, by position)
    said: Any, weight: Any, reader: Any, count: Any, posterior: Any, counts: Any
) -> None:
    """Add the expected pixels by reader, truth and said to ``counts``."""
    for i in range(said.shape[0]):
        if count[i] > 0:
            for c in range(said.shape[1]):
                s = said[i, c]
                if s >= 0:
                    for k in range(posterior.shape[1]):
                        counts[reader[c], k, s] += weight[i, c] * count[i] * posterior[i, k]


@numba.njit(nogil=True, cache=True)
def _expect(  # noqa: C901, PLR0917 (a kernel is one function)
    said: Any,
    weight: Any,
    reader: Any,
    count: Any,
    prior: Any,
    known: Any,
    table: Any,
    posterior: Any,
) -> float:
    """Write the posterior of each pattern; returns the log likelihood of all pixels."""
    n_classes = prior.shape[1]
    p = np.empty(n_classes)
    likelihood = 0.0
    for i in range(said.shape[0]):
        p[:] = prior[i]
        scale = 0.0
        for c in range(said.shape[1]):
            s = said[i, c]
            if s < 0:
                continue
            if c % 16 == 15:  # many readers: keep the product in range
                total = p.sum()
                if total > 0.0:
                    p /= total
                    scale += np.log(total)
            for k in range(n_classes):
                chance = table[reader[c], k, s]
                p[k] *= chance if weight[i, c] == 1.0 else chance ** weight[i, c]
        if known[i] >= 0:
            kept = p[known[i]]
            p[:] = 0.0
            p[known[i]] = kept
        total = p.sum()
        if total > 0.0:  # else two readers without error contradict each other: as before
            for k in range(n_classes):
                posterior[i, k] = p[k] / total
            if count[i] > 0.0:
                likelihood += count[i] * (scale + np.log(total))
    return likelihood

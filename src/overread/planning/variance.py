"""How much an agreement figure scatters from sample to sample, before a single case is read.

A figure is 1 - D / E: the disagreement seen over the one expected by chance (E = 1 for percent
agreement). Its variance for one case follows from a model of what readers say, by its influence
function; N cases divide it by N. For two readers it is the variance of Fleiss, Cohen and Everitt.

Source:
    Fleiss, Cohen & Everitt 1969, Psychol. Bull. 72:323-327; Bloch & Kraemer 1989, Biometrics
    45:269-287 (binary, intraclass); Flack et al. 1988, Psychometrika 53:321-325 (the largest
    variance that margins and kappa allow).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, linprog
from scipy.special import ndtr, ndtri

from overread.arrays import Floats
from overread.errors import InputError

MEASURES = ("percent", "kappa", "alpha")
WEIGHTS = ("nominal", "linear", "quadratic")
MODELS = ("latent_class", "latent_normal", "worst")
_NODES = 801  # of the latent normal: equal shares of the population
_MOST_CORRELATION = 0.99995


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What readers say: kinds of cases, and in each kind independent readers of one distribution.

    Args:
        share: (kinds,) sums to 1.
        said: (kinds, classes), rows sum to 1.
    """

    share: Floats
    said: Floats

    @property
    def margin(self) -> Floats:
        """(classes,) share of each class among all answers."""
        return np.asarray(self.share @ self.said)


def disagreement(n_classes: int, weights: str) -> Floats:
    """(classes, classes) how far two answers are apart, in 0 .. 1.

    Args:
        weights: "nominal" (any two different classes are equally far), "linear", "quadratic".
    Example:
        >>> disagreement(3, "quadratic").tolist()
        [[0.0, 0.25, 1.0], [0.25, 0.0, 0.25], [1.0, 0.25, 0.0]]
    """
    if weights not in WEIGHTS:
        raise InputError("weights", f"be one of {', '.join(WEIGHTS)}", f"{weights!r}")
    step = np.abs(np.subtract.outer(np.arange(n_classes), np.arange(n_classes)))
    far = step / max(n_classes - 1, 1)
    powers = {"nominal": (step > 0).astype(np.float64), "linear": far, "quadratic": far**2}
    return np.asarray(powers[weights], dtype=np.float64)


def latent_class(prevalence: Floats, kappa: float) -> Answers:
    """Each reader knows the class with chance sqrt(kappa), and else draws one by prevalence.

    Every pair of readers then has this kappa, whatever the weights.
    """
    known = np.sqrt(kappa)
    return Answers(prevalence, known * np.eye(prevalence.size) + (1 - known) * prevalence)


def latent_normal(prevalence: Floats, kappa: float, apart: Floats) -> Answers:
    """Readers see a normal severity with noise and cut it into grades: errors are near misses.

    The noise is chosen so that the (weighted) kappa of a pair is ``kappa``.
    """
    cuts = np.asarray(ndtri(np.cumsum(prevalence)[:-1]))
    severity = np.asarray(ndtri((np.arange(_NODES) + 0.5) / _NODES))

    def answers(correlation: float) -> Answers:
        mean = np.sqrt(correlation) * severity
        below = ndtr((cuts - mean[:, None]) / np.sqrt(1 - correlation))
        said = np.diff(below, axis=1, prepend=0.0, append=1.0)
        return Answers(np.full(_NODES, 1 / _NODES), np.maximum(said, 0.0))

    def over(correlation: float) -> float:
        found = answers(correlation)
        return kappa_of(found, apart) - kappa

    if over(_MOST_CORRELATION) < 0:
        raise InputError("expected kappa", "be below 0.99 for graded answers", f"{kappa:g}")
    return answers(float(brentq(over, 0.0, _MOST_CORRELATION)) if kappa > 0 else 0.0)


def kappa_of(answers: Answers, apart: Floats) -> float:
    """The (weighted) kappa of a pair of readers."""
    seen = float(answers.share @ ((answers.said @ apart) * answers.said).sum(axis=1))
    return 1 - seen / float(answers.margin @ apart @ answers.margin)


def case_variance(answers: Answers, apart: Floats, readers: int, *, corrected: bool) -> float:
    """Variance that one case adds to an agreement figure of so many readers.

    The figure is a mean over pairs of readers (a U-statistic within the case) against chance from
    the pooled answers; both parts and their covariance are taken within kinds of cases and
    between them.

    Args:
        apart: (classes, classes) see :func:`disagreement`.
        readers: of each case, 2 or more.
        corrected: for chance (kappa, alpha); False is percent agreement.
    Returns:
        Variance of the figure times the number of cases, to first order.
    """
    margin = answers.margin
    chance = float(margin @ apart @ margin) if corrected else 1.0
    one = answers.said @ apart  # (kinds, classes): distance of each answer to another reader's
    pair = (one * answers.said).sum(axis=1)
    far = apart @ margin
    toward = answers.said @ far
    spread_one = (answers.said * one**2).sum(axis=1) - pair**2
    spread_pair = ((answers.said @ apart**2) * answers.said).sum(axis=1) - pair**2
    pairs = readers * (readers - 1)
    of_pair = 4 * (readers - 2) / pairs * spread_one + 2 / pairs * spread_pair
    of_far = ((answers.said * far**2).sum(axis=1) - toward**2) / readers
    both = 2 / readers * ((answers.said * one * far).sum(axis=1) - pair * toward)
    seen = float(answers.share @ pair)
    slope = 2 * seen / chance**2 if corrected else 0.0
    within = of_pair / chance**2 + slope**2 * of_far - 2 * slope / chance * both
    level = -pair / chance + slope * toward
    between = float(answers.share @ level**2 - (answers.share @ level) ** 2)
    return float(answers.share @ within) + between


def worst_variance(prevalence: Floats, apart: Floats, kappa: float) -> float:
    """Largest variance of two readers' kappa that these margins allow, a linear programme.

    Source:
        Flack et al. 1988, Psychometrika 53:321-325, eq. 5 (there for equal weights).
    """
    k = prevalence.size
    near = 1 - apart
    chance = float(prevalence @ near @ prevalence)
    row, column = near @ prevalence, prevalence @ near
    gain = (near - (1 - kappa) * (row[:, None] + column[None, :])) ** 2
    rows = np.kron(np.eye(k), np.ones(k))
    columns = np.kron(np.ones(k), np.eye(k))
    fixed = np.vstack([rows, columns[:-1], near.reshape(1, -1)])
    target = np.r_[prevalence, prevalence[:-1], kappa * (1 - chance) + chance]
    found = linprog(-gain.reshape(-1), A_eq=fixed, b_eq=target, bounds=(0, 1), method="highs")
    if not found.success:
        raise InputError("expected kappa", "be possible with these prevalences", f"{kappa:g}")
    level = kappa - chance * (1 - kappa)
    return float(-(found.fun or 0.0) - level**2) / (1 - chance) ** 2


def variance_of(
    measure: str,
    expected: float,
    prevalence: Floats,
    *,
    readers: int = 2,
    weights: str = "nominal",
    model: str = "latent_class",
) -> float:
    """Variance of an agreement figure times the number of cases.

    Args:
        measure: "percent", "kappa" (of pairs, also Fleiss') or "alpha" (Krippendorff's).
        expected: value of the figure, from chance level (0 for kappa) to below 1.
        prevalence: (classes,) shares, sum to 1.
        weights: see :func:`disagreement`.
        model: "latent_class" (errors go anywhere), "latent_normal" (near misses of grades), or
            "worst" (the largest variance that margins and kappa allow; two readers).
    Raises:
        InputError: a word or a number out of range.
    """
    if measure not in MEASURES:
        raise InputError("measure", f"be one of {', '.join(MEASURES)}", f"{measure!r}")
    if model not in MODELS:
        raise InputError("model", f"be one of {', '.join(MODELS)}", f"{model!r}")
    if readers < 2:
        raise InputError("readers", "be 2 or more for agreement", readers)
    shares = checked_prevalence(prevalence)
    apart = disagreement(shares.size, weights)
    corrected = measure != "percent"
    chance = float(shares @ apart @ shares)
    lowest = 0.0 if corrected else 1 - chance
    if not lowest <= expected < 1:
        rule = f"be at least {lowest:.3g} (chance) and below 1"
        raise InputError(f"expected {measure}", rule, f"{expected:g}")
    kappa = expected if corrected else 1 - (1 - expected) / chance
    if model == "worst":
        if readers != 2 or not corrected:
            got = f"{measure} of {readers}"
            raise InputError("model", "be another one but for kappa of 2 readers", got)
        return worst_variance(shares, apart, kappa)
    answers = (
        latent_class(shares, kappa)
        if model == "latent_class"
        else latent_normal(shares, kappa, apart)
    )
    return case_variance(answers, apart, readers, corrected=corrected)


def checked_prevalence(prevalence: Floats) -> Floats:
    """The shares as numbers, two or more, each above 0, that sum to 1."""
    shares = np.asarray(prevalence, dtype=np.float64)
    if shares.ndim != 1 or shares.size < 2 or not np.all(shares > 0):
        raise InputError("prevalence", "be two or more shares above 0", shares.tolist())
    if abs(float(shares.sum()) - 1) > 1e-6:
        raise InputError("prevalence", "sum to 1", f"{shares.sum():g}")
    return np.asarray(shares / shares.sum())

"""Exact upper bounds on a share of errors, from an audit whose size was fixed beforehand."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import betaincinv, gammaln

from overread.errors import InputError


def upper_errors(
    errors: int, audited: int, *, population: int | None = None, confidence: float = 0.95
) -> float:
    """Largest share of errors that the audit does not rule out, one-sided.

    Args:
        errors: found among the ``audited`` cases, a uniform sample without replacement.
        population: labels from which it was drawn (the audited ones are among them); None for a
            population without end, or one far larger than the audit.
        confidence: in (0.5, 1).
    Returns:
        Share in [0, 1]: of a finite population always a whole number of its cases.
    Source:
        Clopper & Pearson 1934, Biometrika 26:404-413; Wright 1991, Exact Confidence Bounds when
        Sampling from Small Finite Universes (Springer).
    Example:
        >>> round(upper_errors(0, 299), 4), upper_errors(0, 196, population=500)
        (0.01, 0.01)
    """
    check_counts(errors, audited, population)
    alpha = 1 - check_confidence(confidence)
    if audited == 0:
        return 1.0
    if population is None:
        if errors == audited:
            return 1.0
        return float(betaincinv(errors + 1, audited - errors, 1 - alpha))
    low, high = errors, population - (audited - errors)  # what the audit itself allows
    while low < high:  # the chance to see so few errors falls as there are more
        middle = (low + high + 1) // 2
        if chance_of_at_most(errors, audited, middle, population) > alpha:
            low = middle
        else:
            high = middle - 1
    return low / population


def chance_of_at_most(errors: int, audited: int, wrong: int, population: int) -> float:
    """Chance to find so few errors when ``wrong`` of the population are (hypergeometric)."""
    least = max(0, audited - (population - wrong))
    if errors < least:
        return 0.0
    k = np.arange(least, min(errors, wrong, audited) + 1)
    each = (
        _log_ways(wrong, k) + _log_ways(population - wrong, audited - k)
        - _log_ways(population, np.array([audited]))
    )  # fmt: skip
    return min(float(np.exp(each).sum()), 1.0)


def audit_size(
    most_errors: float, *, allowed: int = 0, population: int | None = None,
    confidence: float = 0.95,
) -> int | None:  # fmt: skip
    """Cases to audit so that ``allowed`` errors still prove a share of at most ``most_errors``.

    Returns:
        The smallest such size; None where even auditing all cannot (more allowed than claimed).
    Example:
        >>> [audit_size(0.02, allowed=k) for k in (0, 1, 2)], audit_size(0.05, population=500)
        ([149, 236, 313], 54)
    """
    if not 0 < most_errors < 1:
        raise InputError("share of errors", "be in (0, 1)", most_errors)
    if allowed < 0:
        raise InputError("errors allowed", "be at least 0", allowed)

    alpha = 1 - check_confidence(confidence)
    # the fewest errors that would break the claim: they are to be ruled out
    false = None if population is None else math.floor(most_errors * population + 1e-9) + 1

    def proves(n: int) -> bool:
        if population is None or false is None:
            return n > allowed and upper_errors(allowed, n, confidence=confidence) <= most_errors
        return allowed < false and chance_of_at_most(allowed, n, false, population) <= alpha

    high = population if population is not None else allowed + 1
    if population is None:
        while not proves(high):
            high *= 2
    elif allowed > high or not proves(high):
        return None
    low = allowed
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if proves(middle) else (middle + 1, high)
    return low


def check_counts(errors: int, audited: int, population: int | None) -> None:
    """Refuse counts that do not fit each other."""
    if not 0 <= errors <= audited:
        raise InputError("errors", f"be in 0 .. {audited}, the cases audited", errors)
    if population is not None and audited > population:
        raise InputError("audited cases", f"be at most {population}, the population", audited)


def check_confidence(confidence: float) -> float:
    """The confidence, if it is one."""
    if not 0.5 < confidence < 1:
        raise InputError("confidence", "be in (0.5, 1)", confidence)
    return confidence


def _log_ways(n: int, k: np.ndarray) -> np.ndarray:
    return np.asarray(math.lgamma(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))

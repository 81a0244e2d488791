"""Posterior variances of the truths of a score consensus, case by case."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True)
def variances(start, reader, weight, covariance, total, known):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, PLR0917
    """Posterior variance of each truth, and of each row's value - bias - truth.

    truth = constant + c'effects + own noise, with c = (mean) - sum_r w_r (reader r + mean) / total.
    """
    n_cases = start.size - 1
    mean = covariance.shape[0] - 1
    spread = np.zeros(n_cases)
    uncertainty = np.zeros(reader.size)
    for case in range(n_cases):
        first, last = start[case], start[case + 1]
        if known[case]:
            for row in range(first, last):
                uncertainty[row] = covariance[reader[row], reader[row]]
            continue
        share = 1.0
        for row in range(first, last):
            share -= weight[row] / total[case]
        c_mean = share * covariance[mean, mean]  # c' covariance, at the mean
        for row in range(first, last):
            c_mean -= weight[row] / total[case] * covariance[reader[row], mean]
        both = share * c_mean
        along = np.empty(last - first)
        for row in range(first, last):
            at = share * covariance[mean, reader[row]]
            for other in range(first, last):
                at -= weight[other] / total[case] * covariance[reader[other], reader[row]]
            along[row - first] = at
            both -= weight[row] / total[case] * at
        spread[case] = 1 / total[case] + both
        for row in range(first, last):
            own = covariance[reader[row], reader[row]]
            uncertainty[row] = spread[case] + own + 2 * along[row - first]
    return spread, uncertainty


@numba.njit(cache=True)
def off_mean(start, reader, weight, covariance, total):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Posterior variance of each truth's distance from the mean truth."""
    n_cases = start.size - 1
    mean = covariance.shape[0] - 1
    spread = np.empty(n_cases)
    for case in range(n_cases):
        both = 0.0
        for row in range(start[case], start[case + 1]):
            for other in range(start[case], start[case + 1]):
                a, b = reader[row], reader[other]
                pair = covariance[a, b] + covariance[a, mean] + covariance[b, mean]
                both += weight[row] * weight[other] * (pair + covariance[mean, mean])
        spread[case] = 1 / total[case] + both / total[case] ** 2
    return spread

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


@numba.njit(cache=True)
def information(start, reader, weight, covariance, total, known):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, C901, PLR0917
    """Expected information of the readers' log noise variances, then of the truths' variance.

    Half the trace of P V_a P V_b, where P is the restricted likelihood's projection and V the
    derivative of the covariance of the reads. P is taken within cases, where it is not small: the
    noise of a read is left uncertain by the other reads of its case.

    Returns:
        (readers + 1, readers + 1); the last is of the truths' variance itself.
    """
    mean = covariance.shape[0] - 1
    table = np.zeros((mean + 1, mean + 1))
    for case in range(start.size - 1):
        first, n = start[case], start[case + 1] - start[case]
        share = 1.0
        for i in range(n):
            share -= weight[first + i] / total[case]
        along = np.zeros(n)  # covariance of the truth and each reader's bias
        both = share * share * covariance[mean, mean]
        for i in range(n):
            one = reader[first + i]
            at = share * covariance[mean, one]
            for j in range(n):
                at -= weight[first + j] / total[case] * covariance[reader[first + j], one]
            along[i] = at
            both -= weight[first + i] / total[case] * (at + share * covariance[mean, one])
        spread = 1 / total[case] + both
        if known[case]:
            along[:] = 0.0
            spread = 0.0
        whole = 0.0
        for i in range(n):
            one = reader[first + i]
            row = 0.0
            for j in range(n):
                other = reader[first + j]
                doubt = spread + covariance[one, other] + along[i] + along[j]
                p = -weight[first + i] * weight[first + j] * doubt
                if i == j:
                    p += weight[first + i]
                row += p
                table[one, other] += 0.5 * p * p / (weight[first + i] * weight[first + j])
            whole += row
            if not known[case]:
                table[one, mean] += 0.5 * row * row / weight[first + i]
                table[mean, one] += 0.5 * row * row / weight[first + i]
        if not known[case]:
            table[mean, mean] += 0.5 * whole * whole
    return table

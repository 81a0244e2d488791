"""Compiled loops: moments of class probabilities under Gaussian latents, without samples kept."""

from __future__ import annotations

import math

import numpy as np

from overread.arrays import compiled


@compiled(nogil=True, error_model="numpy", fastmath={"contract", "nsz", "reassoc", "arcp"})
def _two(centre, spread, eps):
    """Of two classes: what one is, the other is not, so that one exponential does for both."""
    n, s = centre.shape[0], eps.shape[0]
    mean = np.empty((n, 2))
    variance = np.empty((n, 2))
    entropy = np.empty(n)
    for i in range(n):
        lead = centre[i, 0] - centre[i, 1]
        first = total = square = inner = 0.0
        for j in range(s):
            x = lead + spread[i, 0] * eps[j, 0] - spread[i, 1] * eps[j, 1]
            small = math.exp(-abs(x))
            p = 1 / (1 + small)  # of the likelier
            inner += math.log1p(small) + abs(x) * small * p
            if x < 0:
                p = small * p
            if j == 0:
                first = p  # shifted sums: no cancellation
            total += p - first
            square += (p - first) ** 2
        mean[i, 0] = first + total / s
        mean[i, 1] = 1 - mean[i, 0]
        variance[i, 0] = variance[i, 1] = max((square - total * total / s) / (s - 1), 0.0)
        entropy[i] = inner / s
    return mean, variance, entropy


@compiled(nogil=True, error_model="numpy", fastmath={"contract", "nsz", "reassoc", "arcp"})
def moments(centre, spread, eps):
    """Mean, variance (ddof 1) and expected entropy of softmax(centre + spread * eps).

    Shapes:
        centre, spread (cases, classes); eps (samples, classes). Returns (cases, classes) twice and
        (cases,). The entropy is log(sum) - sum p x, so that no second logarithm is needed.
    """
    n, k = centre.shape
    if k == 2:
        return _two(centre, spread, eps)
    s = eps.shape[0]
    mean = np.zeros((n, k))
    variance = np.zeros((n, k))
    entropy = np.zeros(n)
    x = np.empty(k)
    e = np.empty(k)
    first = np.empty(k)
    for i in range(n):
        for j in range(s):
            top = -np.inf
            for c in range(k):
                x[c] = centre[i, c] + spread[i, c] * eps[j, c]
                top = max(top, x[c])
            total = 0.0
            for c in range(k):
                x[c] -= top
                e[c] = math.exp(x[c])
                total += e[c]
            inner = 0.0
            for c in range(k):
                p = e[c] / total
                inner += p * x[c]
                if j == 0:
                    first[c] = p  # shifted sums: no cancellation
                mean[i, c] += p - first[c]
                variance[i, c] += (p - first[c]) ** 2
            entropy[i] += math.log(total) - inner
        for c in range(k):
            shift = mean[i, c]
            variance[i, c] = max((variance[i, c] - shift * shift / s) / (s - 1), 0.0)
            mean[i, c] = first[c] + shift / s
        entropy[i] /= s
    return mean, variance, entropy


@compiled(nogil=True, error_model="numpy", fastmath={"contract", "nsz", "reassoc", "arcp"})
def grade_moments(centre, spread, eps, cuts, noise, lapse):
    """Mean, variance (ddof 1) and expected entropy of the chances of grades.

    Shapes:
        centre, spread (cases,); eps (samples,); cuts (grades - 1,) ascending. Returns
        (cases, grades) twice and (cases,).
    """
    n, s, k = centre.size, eps.size, cuts.size + 1
    mean = np.zeros((n, k))
    variance = np.zeros((n, k))
    entropy = np.zeros(n)
    first = np.empty(k)
    scale = 1 / (noise * math.sqrt(2.0))
    for i in range(n):
        for j in range(s):
            f = centre[i] + spread[i] * eps[j]
            below = 0.0
            for c in range(k):
                up = 1.0
                if c < k - 1:
                    up = 0.5 * math.erfc((f - cuts[c]) * scale)
                p = (1 - lapse) * max(up - below, 0.0) + lapse / k
                below = up
                if j == 0:
                    first[c] = p
                mean[i, c] += p - first[c]
                variance[i, c] += (p - first[c]) ** 2
                if p > 0:
                    entropy[i] -= p * math.log(p)
        for c in range(k):
            shift = mean[i, c]
            variance[i, c] = max((variance[i, c] - shift * shift / s) / (s - 1), 0.0)
            mean[i, c] = first[c] + shift / s
        entropy[i] /= s
    return mean, variance, entropy

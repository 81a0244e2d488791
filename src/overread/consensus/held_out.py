"""Held-out reads for the temperature: what is left of a case without each, and which tau fits."""

from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np

from overread.arrays import Floats
from overread.consensus.problem import in_threads, slices

LOWEST = 0.02
"""Smallest temperature tried: a posterior of .98 becomes .52 there."""

_THIRDS = 18  # of octaves, from just below LOWEST to 1


def most_predictive(others: Floats, said: Floats) -> float:
    """Temperature of the highest likelihood of the held-out reads, in .02 .. 1.

    First a grid of three an octave, for the score may have two humps: the powers of the next
    octave are squares of those of the one before. Then even grids around the best, twice.

    Args:
        others: (reads, classes) log posterior without the read, up to a constant.
        said: (reads, classes) chance of what the read said, by true class.
    """
    parts = slices(len(others), others.size)

    def summed(kernel: Callable[..., Floats], *grid: float) -> Floats:
        scores = np.zeros((len(parts), _THIRDS))

        def one(part: slice) -> None:
            scores[parts.index(part)] = kernel(others[part], said[part], *grid)

        in_threads(one, parts)
        return np.asarray(scores.sum(axis=0))

    octaves = 2.0 ** (-np.arange(_THIRDS)[::-1] / 3)
    best = int(np.argmax(summed(_by_octaves)))
    low, high = octaves[max(best - 1, 0)], octaves[min(best + 1, _THIRDS - 1)]
    for _ in range(2):
        grid = np.linspace(low, high, _THIRDS)
        best = int(np.argmax(summed(_by_steps, low, grid[1] - low)))
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, _THIRDS - 1)]
    return max(float(grid[best]), LOWEST)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def left_out(start, reader, label, prior, log_confusion, confusion, borrowed, share):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, C901, PLR0912, PLR0917
    """Log posterior (up to a constant) without each read, its chance by truth, and counts.

    The case itself is taken out of the expected counts behind the confusions; one read at the
    pooled confusion of all readers takes its place, so that no chance is 0. ``borrowed`` (readers,
    classes): reads that a confusion row owes to others than its reader.
    """
    n_cases, n_classes = prior.shape
    posterior = np.empty_like(prior)
    count = np.zeros((confusion.shape[0], n_classes))  # expected reads by reader and truth
    for case in range(n_cases):
        joint = posterior[case]
        for k in range(n_classes):
            joint[k] = prior[case, k]
            for row in range(start[case], start[case + 1]):
                joint[k] += log_confusion[reader[row], k, label[row]]
        top, total = joint.max(), 0.0
        for k in range(n_classes):
            joint[k] = np.exp(joint[k] - top)
            total += joint[k]
        for k in range(n_classes):
            joint[k] /= total
            for row in range(start[case], start[case + 1]):
                count[reader[row], k] += joint[k] / share
    pooled = np.full((n_classes, n_classes), 1e-6)
    for j in range(confusion.shape[0]):
        for k in range(n_classes):
            count[j, k] += borrowed[j, k]
            for x in range(n_classes):  # array expressions take seconds to compile
                pooled[k, x] += count[j, k] * confusion[j, k, x]
    for k in range(n_classes):
        total = 0.0
        for x in range(n_classes):
            total += pooled[k, x]
        for x in range(n_classes):
            pooled[k, x] /= total

    others = np.empty((label.size, n_classes))
    said = np.empty((label.size, n_classes))
    most = 0
    for case in range(n_cases):
        most = max(most, start[case + 1] - start[case])
    chance, log_chance = np.empty((most, n_classes)), np.empty((most, n_classes))
    used = 0
    cases_used = 0
    for case in range(n_cases):
        first, n = start[case], start[case + 1] - start[case]
        for i in range(n):
            j, x = reader[first + i], label[first + i]
            for k in range(n_classes):
                seen = max(confusion[j, k, x] * count[j, k] - posterior[case, k], 0.0)
                rest = max(count[j, k] - posterior[case, k], 0.0)
                chance[i, k] = (seen + pooled[k, x]) / (rest + 1.0)
                log_chance[i, k] = np.log(max(chance[i, k], 1e-12))
        any_used = False
        for i in range(n):
            for k in range(n_classes):
                others[used, k] = prior[case, k]
            heard = 0
            for o in range(n):
                if reader[first + o] != reader[first + i]:
                    for k in range(n_classes):
                        others[used, k] += log_chance[o, k]
                    heard += 1
            if heard:
                for k in range(n_classes):
                    said[used, k] = chance[i, k]
                used += 1
                any_used = True
        cases_used += any_used
    return others[:used], said[:used], cases_used, count, pooled


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _by_octaves(others, said):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """(18,) summed log chance of the held-out reads at tau 2^(-17/3), 2^(-16/3) .. 1."""
    n = _THIRDS
    score, chance, total, hit = np.zeros(n), np.ones(n), np.empty(n), np.empty(n)
    for read in range(others.shape[0]):
        top = others[read].max()
        total[:] = 0.0
        hit[:] = 0.0
        for k in range(others.shape[1]):
            below, chances = others[read, k] - top, said[read, k]
            for third in range(3):
                weight = np.exp(below * 2.0 ** ((third + 1 - n) / 3)) if below < 0.0 else 1.0
                for t in range(third, n, 3):
                    total[t] += weight
                    hit[t] += weight * chances
                    weight *= weight
        _multiply(chance, hit, total, score, read)
    for t in range(n):
        score[t] += np.log(chance[t])
    return score


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _by_steps(others, said, low, step):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """(18,) the same at tau low, low + step, low + 2 step, ..."""
    n = _THIRDS
    score, chance, total, hit = np.zeros(n), np.ones(n), np.empty(n), np.empty(n)
    for read in range(others.shape[0]):
        top = others[read].max()
        total[:] = 0.0
        hit[:] = 0.0
        for k in range(others.shape[1]):
            below, chances = others[read, k] - top, said[read, k]
            weight = np.exp(low * below) if below < 0.0 else 1.0
            factor = np.exp(step * below) if below < 0.0 else 1.0
            for t in range(n):
                total[t] += weight
                hit[t] += weight * chances
                weight *= factor
        _multiply(chance, hit, total, score, read)
    for t in range(n):
        score[t] += np.log(chance[t])
    return score


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _multiply(chance, hit, total, score, read):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Take one read's chances into the products; the logarithm of ten reads costs one."""
    for t in range(chance.size):
        chance[t] *= max(hit[t] / total[t], 1e-30)
    if read % 10 == 9:
        for t in range(chance.size):
            score[t] += np.log(chance[t])
            chance[t] = 1.0

"""Which case and which reader: a new case, or another read of one that is read already."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy

from overread.arrays import Bools, Floats, Ints
from overread.errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """Reads to ask for; columns of one length, the best first.

    Args:
        case, reader: indices.
        information: of the read about the model, nats.
        rate: information a second.
    """

    case: Ints
    reader: Ints
    information: Floats
    rate: Floats


def read_information(
    sampled: Floats, confusion: Floats, *, likelihood: Floats | None = None
) -> Floats:
    """What one more read by each reader would tell about the model, nats.

    With p_s the class probabilities of a case under sample s of the model, and the reads it has
    already weighing the samples, a read by reader j tells H(mean p_s Pi_j) - mean H(p_s Pi_j).
    A case without reads is a new one; the same formula serves both.

    Args:
        sampled: (cases, samples, classes) from the model *without* the case's own reads
            (:func:`overread.selection.tune.left_out_field`).
        confusion: (readers, classes, classes) [truth, said], rows sum to 1.
        likelihood: (cases, classes) of the reads so far for each truth; None where there are none.
    Returns:
        (cases, readers), at least 0.
    Source:
        Houlsby et al. 2011, arXiv:1112.5745 with an unreliable reader; Yan et al. 2011, ICML
        (which reader); cf. Goh & Mueller 2023, "ActiveLab".
    """
    k = sampled.shape[2]
    fits = confusion.ndim == 3 and confusion.shape[1:] == (k, k)
    if not fits or (confusion < 0).any() or not np.allclose(confusion.sum(axis=2), 1):
        raise InputError("confusion", f"be (readers, {k}, {k}), rows that sum to 1", "others")
    chance = np.ones((len(sampled), 1, k)) if likelihood is None else likelihood[:, None, :]
    weighed = sampled * chance
    total = weighed.sum(axis=2, keepdims=True)
    known = weighed / np.maximum(total, 1e-300)  # (cases, samples, classes) given the reads
    weight = (total / np.maximum(total.sum(axis=1, keepdims=True), 1e-300))[:, :, 0]
    found = np.empty((len(sampled), len(confusion)))
    for j, table in enumerate(confusion):
        said = known @ table
        mean = np.einsum("ns,nsk->nk", weight, said)
        inner = -xlogy(said, said).sum(axis=2)
        found[:, j] = -xlogy(mean, mean).sum(axis=1) - (weight * inner).sum(axis=1)
    return np.maximum(found, 0)


def choose_reads(
    information: Floats, seconds: Floats, count: int, *, allowed: Bools | None = None
) -> Ask:
    """The reads that tell most a second; no case twice in one choice.

    Args:
        information: (cases, readers) of :func:`read_information`.
        seconds: (readers,) of a read, above 0.
        count: reads wanted; fewer come where fewer are allowed.
        allowed: (cases, readers) False where this reader may not have, or has read, this case.
    """
    if (np.asarray(seconds) <= 0).any() or len(seconds) != information.shape[1]:
        raise InputError("seconds", "be above 0, one a reader", seconds)
    rate = information / np.asarray(seconds)
    if allowed is not None:
        rate = np.where(allowed, rate, -np.inf)
    reader = rate.argmax(axis=1)
    best = rate[np.arange(len(rate)), reader]
    order = np.argsort(-best, kind="stable")[:count]
    case = order[np.isfinite(best[order])]
    who = reader[case]
    return Ask(case, who, information[case, who], best[case])

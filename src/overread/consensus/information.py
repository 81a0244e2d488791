"""How sure the readers' reliabilities are when the truth itself is only estimated.

Counting the expected reads as if the truth were known makes intervals too short, the more the
fewer readers there are: the reads have to tell the truth and the readers apart.

Source:
    Louis 1982, J. R. Stat. Soc. B 44(2):226-233 (information lost to what is not observed);
    McLachlan & Krishnan 2008, The EM Algorithm and Extensions, 2nd ed., eq. 4.45 (the observed
    information as the sum of the squared scores of the cases).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Floats
from overread.consensus.em import Climb
from overread.consensus.problem import Problem

_MOST_PARAMETERS = 128  # up to which all parameters are taken together
_MOST_ROWS = 10_000
_LEAST_SHARE = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Information:
    """What is left of the information in the reads when the truth is not known.

    Args:
        recall: (readers, classes) share in (0, 1] of the information on the chance that a reader
            says the true class.
        accuracy: (readers,) variance of the accuracy, prevalence uncertain too; nan where it was
            not worked out.
    """

    recall: Floats
    accuracy: Floats


def information(problem: Problem, run: Climb, prior: Floats) -> Information:
    """Share of the information on each reader's recall that the unknown truth leaves.

    Scores are those of the logit of each recall, and of the prevalence. With up to 128 of them
    their full information matrix is inverted. Beyond (many readers, each case read by few) only
    what each case's own uncertainty costs is taken off, pooled over readers.

    Args:
        problem: sorted reads; run: the fitted model.
        prior: pseudo-reads [truth, said], or by reader.
    """
    rows, scale = _sample(problem)
    recall = np.einsum("jkk->jk", run.parameters.confusion)
    n_readers, k = recall.shape
    reads = run.sums.counts.sum(axis=1)
    pseudo = np.broadcast_to(prior.sum(axis=-1), recall.shape)
    spread = recall * (1 - recall)
    complete = np.maximum((reads + pseudo) * spread, 1e-12)
    read_row, reader, score = _scores(problem, run, rows, recall)
    weight = (problem.weight[rows] if problem.weight.size else np.ones(rows.size)) * scale
    if n_readers * k + k - 1 > _MOST_PARAMETERS:
        seen = (weight[read_row, None] * score**2).sum(axis=0)
        least = np.maximum((reads * spread).sum(axis=0), 1e-12)
        share = np.broadcast_to(np.clip(seen / least, _LEAST_SHARE, 1.0), recall.shape)
        return Information(np.asarray(share), np.full(n_readers, np.nan))
    wide = np.zeros((rows.size, n_readers, k))
    np.add.at(wide, (read_row, reader), score)
    cases = run.posterior[rows] - run.parameters.prevalence
    scores = np.hstack([wide.reshape(rows.size, -1), cases[:, : k - 1]])
    matrix = (scores * weight[:, None]).T @ scores
    held = np.r_[(pseudo * spread).reshape(-1), np.zeros(k - 1)]
    matrix[np.diag_indices_from(matrix)] += held + 1e-9 * max(problem.n_reads, 1)
    covariance = np.linalg.pinv(matrix, hermitian=True)
    share = 1 / np.maximum(complete * np.diag(covariance)[: n_readers * k].reshape(-1, k), 1.0)
    return Information(
        np.maximum(share, _LEAST_SHARE),
        _accuracy_variance(covariance, recall, run.parameters.prevalence),
    )


def _accuracy_variance(covariance: Floats, recall: Floats, prevalence: Floats) -> Floats:
    """(readers,) variance of sum_k prevalence_k recall_jk, by its gradient."""
    n_readers, k = recall.shape
    accuracy = recall @ prevalence
    gradient = np.zeros((n_readers, n_readers * k + k - 1))
    for j in range(n_readers):
        gradient[j, j * k : (j + 1) * k] = prevalence * recall[j] * (1 - recall[j])
    gradient[:, n_readers * k :] = (prevalence * (recall - accuracy[:, None]))[:, : k - 1]
    return np.asarray(np.einsum("ja,ab,jb->j", gradient, covariance, gradient))


def _sample(problem: Problem) -> tuple[NDArray[np.int64], float]:
    """Rows to use, evenly spread, and how many rows each stands for."""
    step = 1 + problem.n_rows // _MOST_ROWS
    rows = np.arange(0, problem.n_rows, step)
    return rows, problem.n_rows / max(rows.size, 1)


def _scores(
    problem: Problem, run: Climb, rows: NDArray[np.int64], recall: Floats
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Row (its place in ``rows``) and reader of each read, and its (reads, classes) scores."""
    many = np.diff(problem.start)[rows]
    read_row = np.repeat(np.arange(rows.size), many)
    first = np.repeat(problem.start[rows] - np.r_[0, np.cumsum(many)[:-1]], many)
    cell = problem.cell[np.arange(read_row.size) + first].astype(np.int64)
    reader, said = np.divmod(cell, problem.n_classes)
    score = -recall[reader]
    score[np.arange(said.size), said] += 1
    return read_row, reader, score * run.posterior[rows][read_row]

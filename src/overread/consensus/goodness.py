"""Goodness of fit of a class model where every reader read every case once.

Source:
    Agresti 2013, Categorical Data Analysis, 3rd ed., section 14.1 (latent class models).
"""

from __future__ import annotations

import numpy as np
from scipy.special import chdtrc

from overread.arrays import Floats
from overread.consensus.em import Climb
from overread.consensus.problem import Problem
from overread.consensus.result import Fit
from overread.labels import ClassReads

_MOST_PATTERNS = 1e6


def goodness_of_fit(reads: ClassReads, problem: Problem, run: Climb) -> Fit | None:
    """Likelihood-ratio test against the saturated model; None where it cannot be made.

    Args:
        problem: whose rows are vote patterns or single cases.
        run: fitted without gold and soft votes.
    Returns:
        G2 = 2 sum n ln(n / (N p)) over the patterns seen, on K^R - 1 - [(K - 1) + R K (K - 1)]
        degrees of freedom; None where the design is incomplete, gold or votes take part, there are
        too few readers, or a million patterns or more.
    """
    n_cases, r, k = reads.index.n_cases, reads.index.n_readers, reads.n_classes
    if not 1 < k <= k**r <= _MOST_PATTERNS or problem.gold.size or run.sums.votes.size:
        return None
    if not _complete(problem, n_cases, r, k):
        return None
    df = k**r - 1 - ((k - 1) + r * k * (k - 1))
    if df <= 0:
        return None
    n = problem.weight if problem.weight.size else _pattern_counts(problem, r, k)
    # The saturated model gives each pattern its own share of the cases.
    n = n[n > 0]
    g2 = float(2 * ((n * np.log(n / n_cases)).sum() - run.log_likelihood))
    p = float(chdtrc(df, g2))
    return Fit(g2, df, p, _words(g2, df, p, n_cases / k**r))


def _complete(problem: Problem, n_cases: int, r: int, k: int) -> bool:
    """Whether each row holds one read of every reader; cells rise within a row."""
    if problem.n_readers != r or problem.n_reads != n_cases * r:
        return False
    if problem.cell.size != problem.n_rows * r or (np.diff(problem.start) != r).any():
        return False
    return bool((problem.cell.reshape(-1, r) // k == np.arange(r)).all())


def _pattern_counts(problem: Problem, r: int, k: int) -> Floats:
    """(patterns,) cases of each pattern of answers seen."""
    said = (problem.cell.reshape(-1, r) % k).astype(np.int64)
    return np.bincount(said @ k ** np.arange(r)).astype(np.float64)


def _words(g2: float, df: int, p: float, cases_a_pattern: float) -> str:
    sparse = (
        " (few cases for each pattern of answers: the test is rough)" if cases_a_pattern < 5 else ""
    )
    if p < 0.01:
        return (
            f"The reads do not look as if readers erred independently (G2 {g2:.1f} on {df} degrees "
            f"of freedom, p {p:.2g}){sparse}: some cases are hard for all. Probabilities of the "
            "model are too sure; calibrate, collect gold, or compare with ebcc."
        )
    return (
        f"The reads agree with independent errors given the truth (G2 {g2:.1f} on {df} degrees of "
        f"freedom, p {p:.2g}){sparse}."
    )

"""Rule 3: look out for class imbalance: effective numbers, ratio with interval, advice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from overread.arrays import Floats
from overread.labels import ClassReads, InstanceReads, MaskReads, MultiLabelReads, Reads
from overread.labels.findings import BoxReads
from overread.monitoring.rules.hint import Hint, RuleContext, Severity

BETA = 0.999
TARGET = 3.0
"""Effective numbers of two classes may stand so far apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Balance:
    """How often each class occurs.

    Args:
        names: classes.
        count: (classes,) mean number over the readers of a case, summed over cases: drawings,
            or cases that hold the class.
        effective: (classes,) effective number of samples.
        ratio: (classes,) effective number of the largest class over this one's; inf if none.
        low, high: (classes,) interval of the ratio of the counts, cases being a sample.
        more: (classes,) samples to add for a ratio within the target; 0 where it is.
        keep: (classes,) samples of the largest class that would do beside this one instead.
    """

    names: tuple[str, ...]
    count: Floats
    effective: Floats
    ratio: Floats
    low: Floats
    high: Floats
    more: NDArray[np.int64]
    keep: NDArray[np.int64]


def class_balance(
    reads: Reads, *, beta: float = BETA, target: float = TARGET, level: float = 0.95
) -> Balance | None:
    """Count the classes of a set and say what would balance it.

    Args:
        reads: of any kind; None is returned for scores, which have no classes.
        beta: overlap of samples; E = (1 - beta^n) / (1 - beta), so 1 / (1 - beta) at most.
        target: ratio of effective numbers that is balanced enough.
        level: coverage of the intervals, by linearisation over cases.
    Source:
        Cui et al. 2019, "Class-balanced loss based on effective number of samples", CVPR.
    """
    table = _per_case(reads)
    if table is None:
        return None
    names, by_case = table
    count = by_case.sum(axis=0)
    effective = (1 - beta**count) / (1 - beta)
    top = int(count.argmax())
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = effective[top] / effective
        plain = count[top] / count
        spread = np.sqrt(((by_case[:, [top]] / count[top] - by_case / count) ** 2).sum(axis=0))
    z = float(stats.norm.isf((1 - level) / 2))
    wanted = _samples(np.full(count.size, effective[top] / target), beta)
    keep = np.minimum(_samples(effective * target, beta), count[top])
    return Balance(
        names, count, effective, ratio, plain * np.exp(-z * spread), plain * np.exp(z * spread),
        np.maximum(np.ceil(wanted - count), 0).astype(np.int64),
        np.floor(keep).astype(np.int64),
    )  # fmt: skip


def imbalance(context: RuleContext) -> tuple[Hint, ...]:
    """Name the classes that are too rare beside the most frequent one, and what to read more."""
    balance = None if context.sample else class_balance(context.reads)
    if balance is None or not balance.count.any():
        return ()
    top = int(balance.count.argmax())
    hints = []
    for code in np.argsort(-balance.ratio, kind="stable").tolist():
        if not balance.ratio[code] > TARGET:
            continue
        hints.append(_hint(balance, code, top))
    return tuple(hints)


def _hint(balance: Balance, code: int, top: int) -> Hint:
    count, most = float(balance.count[code]), float(balance.count[top])
    names, more = balance.names, int(balance.more[code])
    numbers = {"count": count, "effective": float(balance.effective[code]), "more": float(more)}
    words = f"{count:.0f} against {most:.0f} of {names[top]!r}"
    advice = f"read about {more} more of it"
    if count > 0:
        low, high = float(balance.low[code]), float(balance.high[code])
        ratio, keep = float(balance.ratio[code]), int(balance.keep[code])
        numbers |= {"ratio": ratio, "count_ratio": most / count, "keep_of_largest": float(keep)}
        numbers |= {"count_ratio_low": low, "count_ratio_high": high}
        words += f" (1 to {most / count:.1f}, 95 % {low:.1f} to {high:.1f}; effective 1 to "
        words += f"{ratio:.1f})"
        advice += f", or train on {keep} of {names[top]!r}"
    return Hint(
        "imbalance", Severity.NOTE, f"{words}: {advice}.", label=names[code], numbers=numbers
    )


def _samples(effective: Floats, beta: float) -> Floats:
    """Samples of an effective number, the inverse; inf beyond its limit."""
    with np.errstate(divide="ignore", invalid="ignore"):
        n = np.log1p(-effective * (1 - beta)) / np.log(beta)
    return np.where(np.isnan(n), np.inf, n)


def _per_case(reads: Reads) -> tuple[tuple[str, ...], Floats] | None:
    """Class names, and (cases, classes) mean count over the reads of each case."""
    if not isinstance(reads, (ClassReads, MultiLabelReads, BoxReads, InstanceReads, MaskReads)):
        return None
    index, names = reads.index, reads.schema.names
    said = np.zeros((index.n_reads, len(names)))
    if isinstance(reads, ClassReads):
        there = np.flatnonzero(reads.label >= 0)
        said[there, reads.label[there]] = 1
    elif isinstance(reads, MultiLabelReads):
        said = (reads.present == 1).astype(float)
    elif isinstance(reads, MaskReads):
        for row in range(index.n_reads):
            said[row, np.unique(reads.value[reads.first[row] : reads.first[row + 1]])] = 1
        names, said = names[1:], said[:, 1:]
    else:
        np.add.at(said, (reads.read, reads.label), 1)
    by_case = np.zeros((index.n_cases, len(names)))
    np.add.at(by_case, index.case, said)
    return names, by_case / np.maximum(index.reads_per_case(), 1)[:, None]

"""Readers whose level differs from that of the others on the same cases."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import stats

from overread.arrays import Floats, Ints
from overread.labels import BoxReads, ClassReads, InstanceReads, MultiLabelReads, Reads, ScoreReads
from overread.monitoring.rules.hint import Hint, RuleContext, Severity

_LEAST_CASES = 10


@dataclass(frozen=True, slots=True, eq=False)
class Deviations:
    """How each reader differs from the others, for one thing that they say.

    Args:
        name: what is compared ("density", a class, "drawings").
        kind: "level" (signed, who says more), or "spread" (how far from the others, unsigned).
        cases: (readers,) cases read together with somebody else.
        level, others: (readers,) mean over these cases of the reader and of the others.
        difference, se: (readers,) their difference and its standard error over cases.
        p: (readers,) two-sided; one-sided for the spread, where only worse counts; nan if unknown.
        readers_sd: how far ordinary readers differ from each other, beyond chance.
    """

    name: str
    kind: str
    cases: Ints
    level: Floats
    others: Floats
    difference: Floats
    se: Floats
    p: Floats
    readers_sd: float


def deviations(reads: Reads) -> tuple[Deviations, ...]:
    """Compare every reader with the others on the cases that they share.

    Args:
        reads: classes (each class its share; grades their mean too), sets of classes, scores, or
            drawings (each class its number a case). Masks have no table of levels yet: none.
    """
    found: list[Deviations] = []
    for name, value in _values(reads):
        found.append(_deviation(reads, name, "level", value))
        if not name.startswith("class "):
            found.append(_deviation(reads, name, "spread", value))
    return tuple(found)


def deviating_readers(context: RuleContext) -> tuple[Hint, ...]:
    """List readers who differ from the others, more than chance and more than readers do.

    Chance: Holm's correction over all readers and things compared, at ``false_alarm``. A *warning*
    is a reader who also stands out of the spread that ordinary readers have (a funnel with
    over-dispersion, Spiegelhalter 2005), a *note* one who does not.
    """
    if context.sample:
        return ()
    every = deviations(context.reads)
    if not every:
        return ()
    listed = _holm(np.concatenate([one.p for one in every]), context.false_alarm)
    hints: list[tuple[float, Hint]] = []
    at = 0
    for one in every:
        mine = np.flatnonzero(listed[at : at + one.p.size])
        hints += [_hint(context, one, reader) for reader in mine.tolist()]
        at += one.p.size
    return tuple(hint for _, hint in sorted(hints, key=lambda pair: -pair[0]))


def _values(reads: Reads) -> list[tuple[str, Floats]]:
    """Things compared: name and (reads,) value, nan where the reader could not answer."""
    names = reads.schema.names
    if isinstance(reads, ScoreReads):
        return [("score", reads.value)]
    if isinstance(reads, ClassReads):
        seen = reads.label >= 0
        each = [
            (f"class {name}", np.where(seen, reads.label == code, np.nan))
            for code, name in enumerate(names)
        ]
        if reads.schema.kind == "ordinal":
            return [("grade", np.where(seen, reads.label, np.nan).astype(float)), *each]
        return each
    if isinstance(reads, MultiLabelReads):
        said = reads.present.astype(float)
        said[reads.present < 0] = np.nan
        return [(f"class {name}", said[:, code]) for code, name in enumerate(names)]
    if isinstance(reads, (BoxReads, InstanceReads)):
        count = np.zeros((reads.index.n_reads, len(names)))
        np.add.at(count, (reads.read, reads.label), 1)
        if reads.unreadable is not None:
            count[reads.unreadable] = np.nan
        return [(f"class {name}", count[:, code]) for code, name in enumerate(names)]
    return []


def _deviation(reads: Reads, name: str, kind: str, value: Floats) -> Deviations:
    index = reads.index
    known = ~np.isnan(value)
    case, reader, value = index.case[known], index.reader[known], value[known]
    n = index.n_readers
    # a reader's repeats of a case count as one
    pair, at = np.unique(case.astype(np.int64) * n + reader, return_inverse=True)
    mean = np.bincount(at, weights=value) / np.bincount(at)
    case, reader = pair // n, pair % n
    own, rest = (_levels if kind == "level" else _spreads)(case, mean, index.n_cases)
    together = ~np.isnan(rest)
    reader, own, rest = reader[together], own[together], rest[together]
    gap = own - rest
    cases = np.bincount(reader, minlength=n)
    some = np.maximum(cases, 1)

    def mean_of(column: Floats) -> Floats:
        total = np.bincount(reader, weights=column, minlength=n) / some
        return np.where(cases > 0, total, np.nan)

    difference = mean_of(gap)
    square = np.bincount(reader, weights=(gap - difference[reader]) ** 2, minlength=n)
    with np.errstate(divide="ignore", invalid="ignore"):
        se = np.sqrt(square / (cases - 1) / cases)
        t = difference / se
    p = stats.t.sf(t, cases - 1) if kind == "spread" else 2 * stats.t.sf(np.abs(t), cases - 1)
    judged = (cases >= _LEAST_CASES) & (se > 0)
    p = np.where(judged, p, np.nan)
    sd = _readers_sd(difference[judged], se[judged])
    return Deviations(name, kind, cases, mean_of(own), mean_of(rest), difference, se, p, sd)


def _levels(case: Ints, value: Floats, n_cases: int) -> tuple[Floats, Floats]:
    """(rows,) own value, and the mean of the others' on the same case; nan where nobody else."""
    count = np.bincount(case, minlength=n_cases)[case]
    total = np.bincount(case, weights=value, minlength=n_cases)[case]
    rest = np.where(count > 1, (total - value) / np.maximum(count - 1, 1), np.nan)
    return value, rest


def _spreads(case: Ints, value: Floats, n_cases: int) -> tuple[Floats, Floats]:
    """(rows,) mean distance from the others, and mean distance of the others from each other."""
    order = np.lexsort((value, case))
    own, rest = np.full(case.size, np.nan), np.full(case.size, np.nan)
    start = np.searchsorted(case[order], np.arange(n_cases + 1))
    for first, last in pairwise(start.tolist()):
        k = last - first
        if k < 3:
            continue
        rows = order[first:last]
        apart = np.abs(value[rows][:, None] - value[rows][None, :]).sum(axis=1)
        own[rows] = apart / (k - 1)
        rest[rows] = (apart.sum() - 2 * apart) / ((k - 1) * (k - 2))
    return own, rest


def _readers_sd(difference: Floats, se: Floats) -> float:
    """Spread between readers beyond chance (DerSimonian-Laird on winsorised differences)."""
    if difference.size < 4:
        return float("nan")
    low, high = np.quantile(difference, [0.1, 0.9])
    kept = np.clip(difference, low, high)
    w = 1 / se**2
    middle = (w * kept).sum() / w.sum()
    q = (w * (kept - middle) ** 2).sum()
    tau2 = (q - (kept.size - 1)) / (w.sum() - (w**2).sum() / w.sum())
    return float(np.sqrt(max(tau2, 0.0)))


def _holm(p: Floats, rate: float) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which of all p values stand after Holm's correction; nan never does."""
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    passed = p[order] <= rate / np.arange(order.size, 0, -1)
    out = np.zeros(p.size, dtype=np.bool_)
    out[order[np.logical_and.accumulate(passed)]] = True
    return out


def _hint(context: RuleContext, one: Deviations, reader: int) -> tuple[float, Hint]:
    gap, se = float(one.difference[reader]), float(one.se[reader])
    half = float(stats.t.isf(0.025, max(int(one.cases[reader]) - 1, 1))) * se
    spread = 0.0 if np.isnan(one.readers_sd) else one.readers_sd
    z = abs(gap) / float(np.hypot(se, spread))
    out = z > stats.norm.isf(context.false_alarm / 2)
    own, rest = float(one.level[reader]), float(one.others[reader])
    share = one.name.startswith("class ") and not isinstance(
        context.reads, (BoxReads, InstanceReads)
    )
    scale, unit = (100.0, " %") if share else (1.0, "")
    what = one.name.removeprefix("class ")
    if one.kind == "spread":
        head = f"is further from the others on {what} ({own:.3g}) than they are from each other"
        head += f" ({rest:.3g})"
    else:
        word = "more" if gap > 0 else "less"
        head = f"says {word} {what}: {own * scale:.3g}{unit} against the others' "
        head += f"{rest * scale:.3g}{unit}"
    words = (
        f"{head} on the same {one.cases[reader]} cases (difference {gap * scale:+.3g}, 95 % "
        f"{(gap - half) * scale:+.3g} to {(gap + half) * scale:+.3g}); "
    )
    words += (
        f"{z:.1f} times the spread that readers have."
        if out
        else "no more than readers differ from each other."
    )
    numbers = {
        "cases": float(one.cases[reader]), "level": own, "others": rest, "difference": gap,
        "low": gap - half, "high": gap + half, "p": float(one.p[reader]), "z_readers": z,
    }  # fmt: skip
    severity = Severity.WARNING if out else Severity.NOTE
    name = context.reads.index.readers[reader]
    label = what if share else ""
    return z, Hint("deviating-reader", severity, words, "", name, None, label, numbers)

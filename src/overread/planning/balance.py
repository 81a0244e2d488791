"""How even a plan is, in numbers and words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from overread.arrays import Bools, Floats, Ints
from overread.planning.batching import codes
from overread.planning.plan import Balance, PlanCases

_ROUNDS = 100


def balance_of(cases: PlanCases, case: Ints, reader: Ints, overlap: Bools, may: Bools) -> Balance:
    """Measure the first reads of a plan.

    Args:
        case, reader: (reads,) places.
        overlap: (reads,) is of an overlap case.
        may: (cases, readers) qualified.
    """
    n_readers = may.shape[1]
    load = np.bincount(reader, minlength=n_readers)
    off = {
        tag: _off(codes(column)[case], reader, codes(column), may, load)
        for tag, column in cases.tags.items()
    }
    pairs = _pairs(case[overlap], reader[overlap], n_readers)
    span = (int(load.min(initial=0 if not load.size else load.max())), int(load.max(initial=0)))
    return Balance(span, off, pairs, _words(span, off, pairs))


def _off(value: Ints, reader: Ints, of_case: Ints, may: Bools, load: Ints) -> float:
    """Largest distance of the table (reader, value) from an even one with its margins."""
    width = int(of_case.max(initial=0)) + 1
    table = np.zeros((load.size, width))
    np.add.at(table, (reader, value), 1.0)
    able = np.zeros((load.size, width))
    np.add.at(able, (np.arange(load.size)[:, None], of_case[None, :]), may.T.astype(np.float64))
    even = _fitted(able, load.astype(np.float64), table.sum(axis=0))
    return float(np.abs(table - even).max(initial=0.0))


def _fitted(start: Floats, rows: Floats, columns: Floats) -> Floats:
    """Iterative proportional fitting (Deming & Stephan 1940, Ann. Math. Stat. 11:427-444)."""
    table = start.copy()
    for _ in range(_ROUNDS):
        table *= _ratio(rows, table.sum(axis=1))[:, None]
        table *= _ratio(columns, table.sum(axis=0))[None, :]
    return table


def _ratio(wanted: Floats, found: Floats) -> Floats:
    return np.asarray(np.divide(wanted, found, out=np.zeros_like(wanted), where=found > 0))


def _pairs(case: Ints, reader: Ints, n_readers: int) -> tuple[int, int]:
    if not case.size or n_readers < 2:
        return 0, 0
    _, row = np.unique(case, return_inverse=True)
    there = np.zeros((int(row.max()) + 1, n_readers), dtype=np.int64)
    there[row.reshape(-1), reader] = 1
    met = (there.T @ there)[np.triu_indices(n_readers, 1)]
    return int(met.min()), int(met.max())


def _words(span: Sequence[int], off: dict[str, float], pairs: tuple[int, int]) -> str:
    low, high = span
    text = (
        f"Each reader has {low:,} first reads"
        if low == high
        else (f"Readers have {low:,} to {high:,} first reads")
    )
    for tag, most in off.items():
        text += f"; by {tag}, nobody is more than {most:.1f} reads from an even share"
    if pairs[1]:
        often = f"{pairs[0]:,}" if pairs[0] == pairs[1] else f"{pairs[0]:,} to {pairs[1]:,}"
        text += f"; two readers meet on {often} overlap cases"
    return text + "."

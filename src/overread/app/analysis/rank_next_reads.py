"""Which cases need another read, and from whom."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from overread.app.analysis.reach_consensus import reach_consensus
from overread.arrays import Floats
from overread.consensus import next_reads
from overread.errors import InputError
from overread.labels import ClassReads, MultiLabelReads, Reads

AVERAGE = "an average reader"


def rank_next_reads(
    reads: Reads,
    *,
    method: str | None = None,
    readers: str = "",
    top: int = 20,
    progress: Callable[[int, int], None] | None = None,
) -> pl.DataFrame:
    """Rank cases by the expected information of one more read.

    Args:
        reads: classes or grades; multi-label tables are taken class by class and ranked together.
        method: consensus method.
        readers: "" for an average reader, "any" for the best of all who have not read the case,
            or names, comma-separated.
        top: so many cases.
    Returns:
        ``case`` (, ``class``), ``reader, gain, per_second, change, entropy``, best first.
    Raises:
        InputError: another label kind, or an unknown reader.
    """
    if not isinstance(reads, (ClassReads, MultiLabelReads)):
        raise InputError("kind", "be nominal, ordinal or multi-label", reads.schema.kind)
    reached = reach_consensus(reads, method=method, progress=progress)
    asked = _asked(readers)
    seconds = median_seconds(reads) if asked is not None else None
    names = reads.index.cases.tolist()
    tables = []
    for code, (finding, part) in enumerate(reached.parts.items()):
        one = reads if isinstance(reads, ClassReads) else reads.of_class(code)
        found = next_reads(part, reads=one, readers=asked, seconds=seconds, top=top)
        who = [AVERAGE if r < 0 else part.reliability.readers[r] for r in found.reader.tolist()]
        columns = {"case": [names[case] for case in found.case.tolist()]}
        if finding:
            columns["class"] = [finding] * len(who)
        rows = pl.DataFrame(columns | {"reader": who}).with_columns(
            pl.Series("gain", found.gain),
            pl.Series(
                "per_second", found.rate if seconds is not None else [None] * len(who), pl.Float64
            ),
            pl.Series("change", found.change),
            pl.Series("entropy", found.entropy),
        )
        tables.append(rows.with_columns(pl.Series("_rank", found.rate)))
    return (
        pl.concat(tables, how="vertical_relaxed")
        .sort("_rank", descending=True, maintain_order=True)
        .drop("_rank")
        .head(top)
    )


def _asked(readers: str) -> str | tuple[str, ...] | None:
    if not readers or readers == "any":
        return readers or None
    return tuple(name.strip() for name in readers.split(","))


def median_seconds(reads: Reads) -> Floats | None:
    """(readers,) median reading seconds; the median of all for a reader without any."""
    index = reads.index
    if index.seconds is None or not np.isfinite(index.seconds).any():
        return None
    known = np.isfinite(index.seconds) & (index.seconds > 0)
    whole = float(np.median(index.seconds[known])) if known.any() else 1.0
    found = np.full(index.n_readers, whole)
    for reader in range(index.n_readers):
        mine = index.seconds[known & (index.reader == reader)]
        if mine.size:
            found[reader] = float(np.median(mine))
    return found

"""Tables out: the consensus of each case or finding, and the reliability of the readers.

Names are written as they came in. A spreadsheet takes a cell that begins with ``=``, ``+``, ``-``
or ``@`` for a formula; these files are made for programs, and a changed name would no longer fit
the other tables, so nothing is changed unless the caller says ``for_spreadsheets``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from overread.arrays import Floats, grouped
from overread.consensus.result import (
    ClassConsensus,
    Consensus,
    FindingConsensus,
    Reliability,
    ScoreConsensus,
)
from overread.errors import InputError
from overread.exchange.atomic import written

_Z95 = 1.959963984540054
_FORMULA_STARTS = "^[=+\\-@\t\r]"
TABLE_OUT = (".csv", ".tsv", ".parquet", ".pq")
"""Suffixes that a table can be written with."""


def consensus_table(consensus: Consensus[Any], *, probabilities: bool = False) -> pl.DataFrame:
    """The consensus as a table, one row a case; for findings one row a finding.

    Columns: classes ``case, consensus, probability, entropy, reads``; scores ``case, consensus,
    sd, low, high, entropy, reads`` (low and high hold 95 %); findings ``case, label, probability,
    class_probability, x1, y1, x2, y2, reads_for, reads_against``; masks ``case, pixels, entropy,
    reads`` and the share of each class. Nothing known is an empty cell.

    Args:
        probabilities: add a column ``p_<class>`` for each class.
    """
    value = consensus.value
    if isinstance(value, FindingConsensus):
        return _finding_table(consensus, value, probabilities=probabilities)
    columns: dict[str, Any] = {"case": pl.Series(consensus.cases.tolist(), dtype=pl.String)}
    if isinstance(value, ClassConsensus):
        columns["consensus"] = _class_names(value.code, value.classes)
        columns["probability"] = np.where(value.code < 0, np.nan, consensus.probability)
    elif isinstance(value, ScoreConsensus):
        columns |= {"consensus": value.mean, "sd": value.sd}
        columns |= {"low": value.mean - _Z95 * value.sd, "high": value.mean + _Z95 * value.sd}
    else:
        columns["pixels"] = [int(mask.size) for mask in value.mask]
    columns |= {"entropy": consensus.entropy, "reads": consensus.reads}
    if isinstance(value, ClassConsensus) and probabilities:
        columns |= _class_columns(consensus.posterior, value.classes)
    elif not isinstance(value, (ClassConsensus, ScoreConsensus)):
        shares = [_shares(mask, len(value.classes)) for mask in value.mask]
        table = np.array(shares, dtype=float).reshape(-1, len(value.classes))
        columns |= {f"share_{n}": table[:, c] for c, n in enumerate(value.classes)}
    return pl.DataFrame(columns).fill_nan(None)


def reliability_table(reliability: Reliability) -> pl.DataFrame:
    """Readers as a table: ``reader, reads`` and, for each measure, its value, low and high end."""
    columns: dict[str, Any] = {
        "reader": pl.Series(list(reliability.readers), dtype=pl.String),
        "reads": reliability.reads,
    }
    for place, name in enumerate(reliability.measures):
        columns[name] = reliability.value[:, place]
        columns[f"{name}_low"] = reliability.low[:, place]
        columns[f"{name}_high"] = reliability.high[:, place]
    return pl.DataFrame(columns).fill_nan(None)


def write_table(table: pl.DataFrame, path: Path | str, *, for_spreadsheets: bool = False) -> None:
    """Write a table as CSV, TSV or Parquet, by the suffix; all of it or nothing.

    Args:
        for_spreadsheets: put a ' before texts that a spreadsheet would take for a formula.
    Raises:
        InputError: another suffix, or a folder that cannot be written to.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in TABLE_OUT:
        raise InputError("output", f"end in {', '.join(TABLE_OUT)}", suffix or "no suffix")
    if for_spreadsheets:
        texts = pl.col(pl.String)
        formula = texts.str.contains(_FORMULA_STARTS)
        quoted = pl.when(formula).then(pl.lit("'") + texts).otherwise(texts)
        table = table.with_columns(quoted.name.keep())
    with written(path) as part:
        if suffix in (".parquet", ".pq"):
            table.write_parquet(part)
        else:
            table.write_csv(part, separator="\t" if suffix == ".tsv" else ",")


def _class_names(code: Any, classes: tuple[str, ...]) -> pl.Series:
    names = [*classes, None]  # -1 is the last: nothing known
    return pl.Series([names[place] for place in code.tolist()], dtype=pl.String)


def _class_columns(posterior: Floats, classes: tuple[str, ...]) -> dict[str, Floats]:
    return {f"p_{name}": posterior[:, code] for code, name in enumerate(classes)}


def _finding_table(
    consensus: Consensus[Any], value: FindingConsensus, *, probabilities: bool
) -> pl.DataFrame:
    names = consensus.cases.tolist()
    reads_for = np.diff(value.first)
    chosen = consensus.posterior[np.arange(value.code.size), value.code]
    columns: dict[str, Any] = {
        "case": pl.Series([names[case] for case in value.case.tolist()], dtype=pl.String),
        "label": _class_names(value.code, value.classes),
        "probability": value.existence,
        "class_probability": pl.Series(chosen, dtype=pl.Float64),
    }
    columns |= {n: value.box[:, place] for place, n in enumerate(("x1", "y1", "x2", "y2"))}
    columns |= {"reads_for": reads_for, "reads_against": consensus.reads[value.case] - reads_for}
    if probabilities:
        columns |= _class_columns(consensus.posterior, value.classes)
    return pl.DataFrame(columns).fill_nan(None)


def _shares(mask: Any, n_classes: int) -> Floats:
    if not mask.size:
        return np.full(n_classes, np.nan)
    counts: Floats = np.bincount(mask.reshape(-1), minlength=n_classes) / mask.size
    return counts


def findings_by_case(value: FindingConsensus, n_cases: int) -> list[list[int]]:
    """Findings of each case, most probable first."""
    order, start = grouped(value.case, n_cases)
    return [order[start[case] : start[case + 1]].tolist() for case in range(n_cases)]

"""Write a consensus to a table, a COCO file or a folder of masks; all of it or nothing."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from overread.app.analysis.outputs import refuse_suffix
from overread.app.analysis.reach_consensus import Reached
from overread.errors import InputError
from overread.exchange import consensus_table, write_coco, write_masks, write_table
from overread.exchange.consensus_table import TABLE_OUT
from overread.labels import BoxReads, InstanceReads, MaskReads, Reads


def consensus_rows(reached: Reached, *, probabilities: bool = False) -> pl.DataFrame:
    """The consensus as one table; multi-label results have a column ``class`` after the case."""
    if not reached.by_class:
        return consensus_table(reached.result, probabilities=probabilities)
    tables = []
    for name, part in reached.parts.items():
        table = consensus_table(part, probabilities=probabilities)
        case, *rest = table.columns
        tables.append(table.select(pl.col(case), pl.lit(name).alias("class"), *rest))
    return pl.concat(tables)


def refuse_form(reads: Reads, path: Path) -> None:
    """Refuse a form that the consensus of this kind of reads has not; nothing is written.

    Raises:
        InputError: another suffix than :func:`save_consensus` takes, or a file for a folder.
    """
    if isinstance(reads, MaskReads) and not path.suffix:
        if path.exists() and not path.is_dir():
            raise InputError("--out", "be a folder (for masks)", "a file of that name")
        return
    found = isinstance(reads, (BoxReads, InstanceReads))
    refuse_suffix("--out", path, (*TABLE_OUT, ".json") if found else TABLE_OUT)
    if path.is_dir():
        raise InputError("--out", "be a file", "a folder of that name")


def save_consensus(
    reached: Reached, reads: Reads, path: Path, *, probabilities: bool = False
) -> None:
    """Write the consensus; the form goes by the suffix and the label kind.

    Args:
        reads: what it was reached from.
        path: .csv, .tsv or .parquet; .json for boxes and outlines (COCO, raw reads beside the
            consensus); a folder for masks.
        probabilities: add the probability of each class.
    Raises:
        InputError: a form that this kind has not.
    """
    refuse_form(reads, path)
    if isinstance(reads, (BoxReads, InstanceReads)) and path.suffix.lower() == ".json":
        write_coco(path, reads, reached.result)
    elif isinstance(reads, MaskReads) and not path.suffix:
        write_masks(reached.result, path, spacing_mm=reads.spacing_mm)
    else:
        write_table(consensus_rows(reached, probabilities=probabilities), path)

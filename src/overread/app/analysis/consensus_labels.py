"""A consensus as labels: a read table of one reader, with how sure it is and where it comes from.

So the file is read by everything that reads labels (``overread compare --truth``, ``--gold``), by
the defaults.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import polars as pl

from overread.app.analysis.project_reads import FRAME
from overread.app.analysis.reach_consensus import Reached
from overread.consensus.result import Consensus
from overread.errors import InputError
from overread.exchange import as_document, reads_table
from overread.exchange.coco_out import CONSENSUS_READER
from overread.exchange.stated import CLASSES, KIND
from overread.labels import (
    UNREADABLE,
    BoxReads,
    ClassReads,
    InstanceReads,
    Kind,
    MaskReads,
    ReadIndex,
    Reads,
    ScoreReads,
    mask_reads,
    read_index,
)

THERE = 0.5
"""Least probability of a finding that is one of the labels; COCO holds the others too."""

_Z95 = 1.959963984540054


def consensus_labels(reached: Reached, reads: Reads) -> pl.DataFrame:
    """The consensus in the default columns of a read table, by the reader "overread consensus".

    Beside them: classes ``probability, entropy, n_reads`` and ``p_<class>``; sets of classes one
    column a class (1 there, 0 not) and ``p_<class>``; scores ``sd, low, high`` (95 %); findings
    that are there with 0.5 or more ``probability, class_probability, reads_for``; masks
    ``entropy, n_reads``. A case that nobody could read "cannot be read".

    Args:
        reached: made from ``reads``.
    Raises:
        InputError: a class is called as one of the columns.
    """
    if reached.by_class:
        return _sets(reached)
    result = reached.result
    index = _index(result)
    if isinstance(reads, ClassReads):
        return _classes(result, index, reads)
    if isinstance(reads, ScoreReads):
        value = result.value
        table = reads_table(ScoreReads(index, value.mean, reads.schema))
        ends = {"low": value.mean - _Z95 * value.sd, "high": value.mean + _Z95 * value.sd}
        return _with(table, {"sd": value.sd, **ends, "n_reads": result.reads})
    if isinstance(reads, MaskReads):
        masks = [mask if mask.size else None for mask in result.value.mask]
        table = reads_table(mask_reads(index, masks, reads.schema))
        of_case = pl.DataFrame(
            {"case": index.cases.tolist(), "entropy": result.entropy, "n_reads": result.reads}
        )
        return table.join(of_case, on="case", how="left", maintain_order="left").fill_nan(None)
    if isinstance(reads, BoxReads | InstanceReads):
        return _findings(result, index, reads)
    raise InputError("reads", "be of one question", reads.schema.kind)


def about_consensus(reached: Reached, *, protocol: int, references: int = 0) -> dict[str, Any]:
    """How it was reached: method, settings, warnings, provenance, version of the protocol.

    Args:
        references: cases whose answer a senior decided; it led as gold.
    """
    parts = {
        name: {
            "settings": part.settings,
            "provenance": part.provenance,
            "temperature": part.temperature,
            "warnings": part.warnings,
        }
        for name, part in reached.parts.items()
    }
    inner: Any = parts if reached.by_class else parts[""]
    told: dict[str, Any] = as_document(
        {"method": reached.method.name, "protocol": protocol, "references": references}
    )
    return told | ({"classes": as_document(inner)} if reached.by_class else as_document(inner))


def with_references(table: pl.DataFrame, references: Collection[str]) -> pl.DataFrame:
    """Add the column ``reference``: a senior decided on the case (or on the case of the frame)."""
    known = pl.col("case").str.split(FRAME).list.first().is_in(sorted(references))
    return table.with_columns(known.alias("reference"))


def with_provenance(table: pl.DataFrame, about: Mapping[str, Any]) -> pl.DataFrame:
    """Add the columns ``method, protocol`` and ``consensus`` (all of ``about``, as JSON)."""
    whole = json.dumps(about, ensure_ascii=False, separators=(",", ":"))
    return table.with_columns(
        pl.lit(about["method"]).alias("method"),
        pl.lit(str(about["protocol"])).alias("protocol"),
        pl.lit(whole).alias("consensus"),
    )


def _index(result: Consensus[Any]) -> ReadIndex:
    names = result.cases.tolist()
    return read_index(names, [CONSENSUS_READER] * len(names))


def _with(table: pl.DataFrame, columns: Mapping[str, Any]) -> pl.DataFrame:
    return table.with_columns(pl.Series(name, one) for name, one in columns.items()).fill_nan(None)


def _classes(result: Consensus[Any], index: ReadIndex, reads: ClassReads) -> pl.DataFrame:
    code = result.value.code
    table = reads_table(ClassReads(index, np.where(code < 0, UNREADABLE, code), reads.schema))
    sure = np.where(code < 0, np.nan, result.probability)
    columns = {"probability": sure, "entropy": result.entropy, "n_reads": result.reads}
    each = {f"p_{name}": result.posterior[:, at] for at, name in enumerate(reads.schema.names)}
    return _with(table, columns | each)


def _sets(reached: Reached) -> pl.DataFrame:
    names = list(reached.parts)
    fixed = {"case", "reader", KIND, CLASSES, *(f"p_{name}" for name in names)}
    fixed |= {"time", "seconds", "protocol", "group", "method", "consensus", "label"}
    fixed |= {"reference", "source", "auto_label", "certificate"}
    clash = sorted(fixed & set(names))
    if clash:
        remedy = "Export the reads and run overread consensus on them."
        rule = "not be called as a column of the table"
        raise InputError("a class", rule, repr(clash[0]), remedy=remedy)
    index = _index(reached.result)
    columns: dict[str, Any] = {
        "case": index.cases.tolist(),
        "reader": [CONSENSUS_READER] * index.n_reads,
    }
    for name, part in reached.parts.items():
        said = [None if one < 0 else one for one in part.value.code.tolist()]
        columns[name] = pl.Series(said, dtype=pl.Int8)
    for name, part in reached.parts.items():
        present = part.posterior[:, 1] if part.posterior.shape[1] > 1 else np.zeros(index.n_reads)
        columns[f"p_{name}"] = np.where(part.value.code < 0, np.nan, present)
    stated = {KIND: Kind.MULTILABEL.value, CLASSES: json.dumps(names, ensure_ascii=False)}
    table = pl.DataFrame(columns).fill_nan(None)
    return table.with_columns(pl.lit(v).alias(k) for k, v in stated.items())


def _findings(
    result: Consensus[Any], index: ReadIndex, reads: BoxReads | InstanceReads
) -> pl.DataFrame:
    value = result.value
    kept = np.flatnonzero(value.existence >= THERE)
    kept = kept[np.argsort(value.case[kept], kind="stable")]
    unread = result.reads == 0
    size = reads.image_size
    case, label = value.case[kept].astype(np.int64), value.code[kept].astype(np.int64)
    made: BoxReads | InstanceReads
    if isinstance(reads, BoxReads):
        box = value.box[kept]
        box = box if size is None else np.clip(box, 0, np.tile(_ends(size[case]), 2))
        made = BoxReads(index, case, label, box, reads.schema, unread, size)
    else:
        rings = [value.outline[at] for at in kept.tolist()]
        if size is not None:
            ends = _ends(size[case])
            rings = [np.clip(ring, 0, end) for ring, end in zip(rings, ends, strict=True)]
        point = np.concatenate([np.empty((0, 2)), *rings])
        first = np.cumsum([0, *map(len, rings)])
        made = InstanceReads(index, case, label, point, first, reads.schema, unread, size)
    table = reads_table(made)
    drawn = table["x1" if isinstance(reads, BoxReads) else "outline"].is_not_null().to_numpy()
    chosen = result.posterior[kept, value.code[kept]]
    figures = (("probability", value.existence[kept]), ("class_probability", chosen),
               ("reads_for", np.diff(value.first)[kept].astype(float)))  # fmt: skip
    columns = {}
    for name, figure in figures:
        columns[name] = np.full(table.height, np.nan)
        columns[name][drawn] = figure
    return _with(table, columns)


def _ends(size: Any) -> Any:
    """Sides, without an end where they are not known."""
    return np.where(size > 0, size, np.inf)

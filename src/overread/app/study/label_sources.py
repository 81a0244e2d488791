"""Where each label of an export comes from, and the auto-labels that somebody stands for.

A read of a person goes before an auto-label, always. An auto-label is exported where a certificate
is about it, or where somebody looked at it; the others are no labels yet.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from overread.app.analysis.project_reads import FRAME
from overread.app.analysis.set_labels import names_in
from overread.exchange.coco_out import CONSENSUS_READER
from overread.exchange.stated import CLASSES, KIND
from overread.labels import Reads
from overread.store import Store, head
from overread.store.learning.audits import list_label_certificates
from overread.store.learning.auto_labels import (
    CERTIFIED,
    REVIEWED,
    RunRow,
    labels_unread_at,
    read_cases,
    standing_run,
    tier_of,
)

READ, CONSENSUS, ADJUDICATED = "read", "consensus", "adjudicated"
AUTO_REVIEWED, AUTO_CERTIFIED = "auto-label reviewed", "auto-label certified"


@dataclass(frozen=True, slots=True)
class Auto:
    """An auto-label that somebody, or a certificate, stands for.

    Args:
        certificate: id; "" where none is about it.
        read: a person read the case since: their label goes before this one.
    """

    case: str
    label: str
    probability: float
    certificate: str
    read: bool


def with_sources(
    table: pl.DataFrame, reads: Reads, references: frozenset[str], autos: Mapping[str, Auto]
) -> pl.DataFrame:
    """Add the column ``source``, and rows and columns of auto-labels where there are any.

    ``source`` is "read" (of one person), "consensus" (of several), "adjudicated", "auto-label
    certified" or "auto-label reviewed". With auto-labels ``auto_label`` tells what the model said,
    also of cases that were read since, and ``certificate`` which certificate is about it.

    Args:
        table: of ``consensus_labels``, or a part of it; reads: that it was made from.
        references: cases with a reference standard.
        autos: of :func:`standing_autos`; {} where the question has none.
    """
    index = reads.index
    pairs = np.unique(np.stack([index.case, index.reader]), axis=1)
    count = np.bincount(pairs[0], minlength=index.n_cases)
    several = {str(index.cases[at]) for at in np.flatnonzero(count > 1)}
    case = pl.col("case")
    source = (
        pl.when(case.str.split(FRAME).list.first().is_in(sorted(references)))
        .then(pl.lit(ADJUDICATED))
        .when(case.is_in(sorted(several)))
        .then(pl.lit(CONSENSUS))
        .otherwise(pl.lit(READ))
    )
    made = table.with_columns(source.alias("source"))
    return _with_autos(made, autos) if autos else made


def _with_autos(table: pl.DataFrame, autos: Mapping[str, Auto]) -> pl.DataFrame:
    there = set(table["case"].to_list())
    more = [one for case, one in autos.items() if case not in there and not one.read]
    rows = _rows_of(more, table)
    stated = {name: table[name][0] for name in (KIND, CLASSES) if name in table.columns}
    rows = rows.with_columns(pl.lit(value).alias(name) for name, value in stated.items())
    zeros = [name for name in ("n_reads",) if name in table.columns]
    rows = rows.with_columns(pl.lit(0).cast(table[name].dtype).alias(name) for name in zeros)
    whole = pl.concat([table, rows.select(*_fitting(rows, table))], how="diagonal")
    labels = {case: one.label for case, one in autos.items()}
    papers = {case: one.certificate for case, one in autos.items() if one.certificate}
    return whole.with_columns(
        pl.col("case").replace_strict(labels, default=None, return_dtype=pl.String).alias(
            "auto_label"
        ),
        pl.col("case").replace_strict(papers, default=None, return_dtype=pl.String).alias(
            "certificate"
        ),
    )  # fmt: skip


def _rows_of(more: list[Auto], table: pl.DataFrame) -> pl.DataFrame:
    """Rows of auto-labels: one column of labels, or of sets a column for each class."""
    fixed = {
        "case": [one.case for one in more],
        "reader": [CONSENSUS_READER] * len(more),
        "source": [AUTO_CERTIFIED if one.certificate else AUTO_REVIEWED for one in more],
    }
    rows = pl.DataFrame(fixed, dict.fromkeys(fixed, pl.String))
    if "label" in table.columns:
        return rows.with_columns(
            pl.Series("label", [one.label for one in more], pl.String),
            pl.Series("probability", [one.probability for one in more], pl.Float64),
        )
    names: list[str] = json.loads(table[CLASSES][0])
    sets = [names_in(one.label) for one in more]
    return rows.with_columns(
        pl.Series(name, [int(name in one) for one in sets], pl.Int8) for name in names
    )


def _fitting(rows: pl.DataFrame, table: pl.DataFrame) -> list[pl.Expr]:
    return [
        pl.col(name).cast(table[name].dtype) if name in table.columns else pl.col(name)
        for name in rows.columns
    ]


def standing_autos(store: Store, project: str, question: str) -> dict[str, Auto]:
    """Case -> the auto-label that stands for it; {} where there is none."""
    run = standing_run(store, project, question)
    if run is None:
        return {}
    document = _document(store, project, run)
    paper = "" if document is None else str(document["id"])
    tier = -1 if document is None else int(document["tier"])
    as_of = _as_of(store, document)
    read = read_cases(store, project)
    made = {}
    for one in labels_unread_at(store, run.id, as_of):
        certified = paper if 0 <= tier_of(one) <= tier else ""
        if certified or one.state in REVIEWED:
            made[one.case] = Auto(one.case, one.label, one.probability, certified, one.case in read)
    return made


def _document(store: Store, project: str, run: RunRow) -> dict[str, Any] | None:
    if run.state != CERTIFIED:
        return None
    for one in list_label_certificates(store, project):
        if one.run == run.id:
            document: dict[str, Any] = json.loads(one.document)["certificate"]
            return document
    return None


def _as_of(store: Store, document: Mapping[str, Any] | None) -> int:
    return head(store).n if document is None else int(document["audit_record"]["as_of"])


def certificates_of(store: Store, project: str) -> list[dict[str, Any]]:
    """The signed certificates that are about labels of now, as documents; for a manifest."""
    made = []
    runs = {one.run: one for one in list_label_certificates(store, project)}
    for one in runs.values():
        document: dict[str, Any] = json.loads(one.document)
        question = str(document["certificate"]["question"]["id"])
        now = standing_run(store, project, question)
        if now is not None and now.id == one.run:
            made.append(document)
    return made

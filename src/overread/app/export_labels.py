"""Raw reads and consensus of a project as files."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import polars as pl

from overread.app.project_protocol import protocol_of
from overread.app.project_reads import Said, read_table
from overread.app.reach_consensus import reach_consensus
from overread.app.save_consensus import consensus_rows
from overread.errors import InputError
from overread.exchange import write_coco, write_table
from overread.labels import BoxReads, InstanceReads, Reads
from overread.protocol import Question
from overread.store import Store, get_cases, reads_of_project

_PAGE = 500


def export_labels(
    store: Store,
    project: str,
    path: Path,
    *,
    what: Literal["reads", "consensus"],
    form: Literal["csv", "parquet", "coco"],
) -> Path:
    """Write raw reads or the consensus.

    Args:
        path: of the file; where several questions need a file each, a .zip beside it.
        form: COCO is for boxes and outlines.
    Returns:
        The file that was written.
    Raises:
        InputError: nothing was read yet, or no question that COCO can hold.
        NotFoundError: no such project.
    """
    questions = protocol_of(store, project).protocol.questions
    if form != "coco" and what == "reads":
        write_table(_read_rows(store, project, questions), path, for_spreadsheets=form == "csv")
        return path
    made: dict[str, Path] = {}
    for question in questions:
        reads = project_table(store, project, question)
        if reads is None or (form == "coco" and not isinstance(reads, BoxReads | InstanceReads)):
            continue
        part = path.with_name(f"{path.stem}-{question.id}{path.suffix}")
        _write(reads, part, what=what, form=form)
        made[question.id] = part
    if not made:
        rule = "have reads of boxes or outlines" if form == "coco" else "have reads"
        raise InputError("project", rule, "none yet")
    return _together(path, made)


def project_table(store: Store, project: str, question: Question) -> Reads | None:
    """Latest first reads of a question, as a read table; None where there are none."""
    columns = reads_of_project(store, project, question.id)
    latest: dict[tuple[str, str], Said] = {}
    for at in range(len(columns)):
        answered = columns.value[at] is not None or columns.cannot_be_read[at]
        if columns.round[at] == 0 and answered:
            value = None if columns.cannot_be_read[at] else columns.value[at]
            case, reader = columns.case[at], columns.reader[at]
            latest[case, reader] = Said(case, reader, value, columns.group[at])
    keys = sorted({case for case, _ in latest})
    images: dict[str, Mapping[str, Any]] = {}
    for start in range(0, len(keys), _PAGE):
        found = get_cases(store, keys[start : start + _PAGE])
        images |= {key: row.image for key, row in found.items()}
    return read_table(question, list(latest.values()), images)


def _read_rows(store: Store, project: str, questions: tuple[Question, ...]) -> pl.DataFrame:
    names = (
        "read", "case", "case_name", "group", "reader", "task", "cannot_be_read", "ask_a_senior",
        "surplus", "comment", "round", "revision", "seconds", "submitted", "protocol_version",
    )  # fmt: skip
    tables: list[pl.DataFrame] = []
    for question in questions:
        columns = reads_of_project(store, project, question.id, latest=False)
        said: dict[str, Any] = {name: getattr(columns, name) for name in names}
        value = [None if one is None else _text(one) for one in columns.value]
        table = pl.DataFrame(
            said | {"question": [question.id] * len(columns), "value": value}, _TYPES
        )
        tables.append(table)
    return pl.concat(tables).sort("submitted", "question", maintain_order=True)


_TYPES: dict[str, Any] = {
    "read": pl.String, "case": pl.String, "case_name": pl.String, "group": pl.String,
    "reader": pl.String, "task": pl.String, "cannot_be_read": pl.Boolean,
    "ask_a_senior": pl.Boolean, "surplus": pl.Boolean, "comment": pl.String, "round": pl.Int64,
    "revision": pl.Int64, "seconds": pl.Float64, "submitted": pl.String,
    "protocol_version": pl.Int64, "question": pl.String, "value": pl.String,
}  # fmt: skip


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _write(reads: Reads, path: Path, *, what: str, form: str) -> None:
    if what == "reads" and isinstance(reads, BoxReads | InstanceReads):
        write_coco(path, reads)
        return
    reached = reach_consensus(reads)
    if form == "coco" and isinstance(reads, BoxReads | InstanceReads):
        write_coco(path, reads, reached.result)
    else:
        write_table(consensus_rows(reached), path)


def _together(path: Path, made: Mapping[str, Path]) -> Path:
    if len(made) == 1:
        return next(iter(made.values()))
    whole = path.with_suffix(".zip")
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as kept:
        for part in made.values():
            kept.write(part, part.name)
    return whole

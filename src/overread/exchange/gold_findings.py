"""Gold boxes and outlines: a table, a COCO file or VOC files, put beside the reads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from overread.arrays import Ints
from overread.errors import InputError
from overread.exchange.coco import read_coco
from overread.exchange.columns import Columns, match
from overread.exchange.findings import BoxForm, read_boxes
from overread.exchange.gather import NO_FINDING
from overread.exchange.gold import refuse_strangers
from overread.exchange.json_file import read_json
from overread.exchange.outline_table import read_outlines
from overread.exchange.outlines import Parts
from overread.exchange.tables import read_table
from overread.exchange.voc import read_voc
from overread.labels import BoxReads, InstanceReads, Kind, LabelSchema, ReadIndex

GOLD_READER = "gold"
"""Name of the reader that gold findings are given."""

_PLURAL = {"box": "boxes", "instance": "outlines"}


def read_gold_boxes(
    source: Any,
    reads: BoxReads | InstanceReads,
    *,
    columns: Columns | None = None,
    form: BoxForm = "corners",
    inclusive: bool = False,
    no_finding: Sequence[str] = (NO_FINDING,),
) -> BoxReads:
    """Read gold boxes as the reads of one reader, "gold".

    Cases are those of the reads, in their order (gold of other cases is left out), and so are the
    classes. A case with gold and no finding has a row that says so.

    Args:
        source: a table ``case, label, x1, y1, x2, y2``; a COCO .json, whose images are all gold,
            with findings or without; or a folder of VOC .xml.
        columns, form, inclusive, no_finding: of tables, as in
            :func:`overread.exchange.findings.read_boxes`.
    Raises:
        InputError: what the reader of that form raises, a class that the reads have not, two
            readers, or no case in common.
    """
    return _boxes(source, reads, columns or Columns(), form, no_finding, inclusive=inclusive)


def read_gold_instances(
    source: Any,
    reads: InstanceReads,
    *,
    columns: Columns | None = None,
    no_finding: Sequence[str] = (NO_FINDING,),
    parts: Parts = "error",
) -> InstanceReads:
    """Read gold outlines as the reads of one reader, "gold"; see :func:`read_gold_boxes`.

    Args:
        source: a table ``case, label, outline``
            (:func:`overread.exchange.outline_table.read_outlines`), or a COCO .json.
        reads: that the gold belongs to.
        columns, no_finding: of tables.
        parts: of COCO files, as in :func:`overread.exchange.coco.read_coco`.
    Raises:
        InputError: as :func:`read_gold_boxes`.
    """
    path = _path(source)
    columns = columns or Columns()
    if path is not None and path.is_dir():
        raise InputError("gold outlines", "be a table or a COCO file", "a folder")
    if path is not None and path.suffix.lower() == ".json":
        gold = _of_coco(path, "instance", parts)
    else:
        schema = LabelSchema(Kind.INSTANCE, reads.schema.classes)
        table = of_gold(source, columns)
        gold = read_outlines(table, columns=columns, schema=schema, no_finding=no_finding)
    kept, index, label = _beside(gold, reads)
    if not isinstance(kept, InstanceReads):  # the kind says so
        raise TypeError(type(kept))
    return replace(
        kept,
        index=index,
        label=label,
        schema=LabelSchema(Kind.INSTANCE, reads.schema.classes),
        image_size=reads.image_size,
        spacing_mm=reads.spacing_mm,
    )


def _path(source: Any) -> Path | None:
    return Path(source) if isinstance(source, (str, os.PathLike)) else None


def of_gold(source: Any, columns: Columns) -> dict[str, Any]:
    """A table with its readers, if it names any, replaced by :data:`GOLD_READER`.

    Raises:
        InputError: a table without rows.
    """
    frame = read_table(source)
    if not frame.height:
        raise InputError("gold table", "hold at least one row", "the header only")
    named = match(frame.columns, columns.reader)
    table: dict[str, Any] = {name: frame[name] for name in frame.columns if name != named}
    table[columns.reader] = [GOLD_READER] * frame.height
    return table


def _boxes(
    source: Any,
    reads: BoxReads | InstanceReads,
    columns: Columns,
    form: BoxForm,
    no_finding: Sequence[str],
    *,
    inclusive: bool,
) -> BoxReads:
    path = _path(source)
    gold: BoxReads | InstanceReads
    if path is not None and path.is_dir():
        gold = _one_reader(read_voc(path, reader=GOLD_READER))
    elif path is not None and path.suffix.lower() == ".json":
        gold = _of_coco(path, "box")
    else:
        gold = read_boxes(
            of_gold(source, columns),
            columns=columns,
            schema=LabelSchema(Kind.BOX, reads.schema.classes),
            form=form,
            inclusive=inclusive,
            no_finding=no_finding,
        )
    kept, index, label = _beside(gold, reads)
    if not isinstance(kept, BoxReads):  # the kind says so
        raise TypeError(type(kept))
    return replace(
        kept,
        index=index,
        label=label,
        schema=LabelSchema(Kind.BOX, reads.schema.classes),
        image_size=reads.image_size,
        spacing_mm=reads.spacing_mm,
    )


def _of_coco(
    path: Path, kind: Literal["box", "instance"], parts: Parts = "error"
) -> BoxReads | InstanceReads:
    """All images are gold, whether they have annotations or not."""
    document = dict(read_json(path, "COCO file"))
    notes = document.get("annotations")
    if isinstance(notes, list):
        named = {str(n["reader"]) for n in notes if isinstance(n, dict) and "reader" in n}
        if len(named) > 1:
            raise InputError(f"gold {_PLURAL[kind]}", "be of one reader", f"{len(named)} readers")
        document["annotations"] = [
            {**n, "reader": GOLD_READER} if isinstance(n, dict) else n for n in notes
        ]
    images = document.get("images")
    if isinstance(images, list):
        document["reads"] = [
            {"image_id": one.get("id"), "reader": GOLD_READER}
            for one in images
            if isinstance(one, dict)
        ]
    return read_coco(document, kind=kind, parts=parts)


def _one_reader(gold: BoxReads) -> BoxReads:
    if gold.index.n_readers > 1:
        raise InputError("gold boxes", "be of one reader", f"{gold.index.n_readers} readers")
    return gold


def _beside(
    gold: BoxReads | InstanceReads, reads: BoxReads | InstanceReads
) -> tuple[BoxReads | InstanceReads, ReadIndex, Ints]:
    """Gold of cases of the reads; who read what and the labels, in the cases and classes of those.

    The gold itself still has its own schema and cases.
    """
    place = {name: code for code, name in enumerate(reads.index.cases.tolist())}
    case = np.array([place.get(name, -1) for name in gold.index.cases.tolist()], dtype=np.int32)
    kept = gold.select(np.flatnonzero(case[gold.index.case] >= 0))
    if not kept.index.n_reads:
        refuse_strangers()
    index = ReadIndex(
        case[kept.index.case].astype(np.int32),
        kept.index.reader,
        reads.index.cases,
        kept.index.readers,
    )
    return kept, index, _labels(kept, reads.schema)


def _labels(gold: BoxReads | InstanceReads, schema: LabelSchema) -> Ints:
    known = {name: code for code, name in enumerate(schema.names)}
    code = np.array([known.get(name, -1) for name in gold.schema.names], dtype=np.int64)
    label = code[gold.label]
    bad = np.flatnonzero(label < 0)
    if bad.size:
        got = repr(gold.schema.names[gold.label[bad[0]]])
        raise InputError("gold label", f"be one of {', '.join(schema.names)}", got)
    return label.astype(gold.label.dtype)

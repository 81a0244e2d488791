"""Gold boxes: a table, a COCO file or a folder of VOC files, put beside the reads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from overread.arrays import Ints
from overread.errors import InputError
from overread.exchange.coco import read_coco
from overread.exchange.columns import Columns, match
from overread.exchange.findings import BoxForm, read_boxes
from overread.exchange.gather import NO_FINDING
from overread.exchange.gold import refuse_strangers
from overread.exchange.json_file import read_json
from overread.exchange.tables import read_table
from overread.exchange.voc import read_voc
from overread.labels import BoxReads, InstanceReads, Kind, LabelSchema, ReadIndex

GOLD_READER = "gold"
"""Name of the reader that gold boxes are given."""


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
    path = Path(source) if isinstance(source, (str, os.PathLike)) else None
    if path is not None and path.is_dir():
        return _beside(_one_reader(read_voc(path, reader=GOLD_READER)), reads)
    if path is not None and path.suffix.lower() == ".json":
        return _beside(_of_coco(path), reads)
    columns = columns or Columns()
    frame = read_table(source)
    if not frame.height:
        raise InputError("gold table", "hold at least one row", "the header only")
    who = columns.reader
    table: dict[str, Any] = {
        name: frame[name] for name in frame.columns if name != match(frame.columns, who)
    }
    table[who] = [GOLD_READER] * frame.height
    gold = read_boxes(
        table,
        columns=columns,
        schema=LabelSchema(Kind.BOX, reads.schema.classes),
        form=form,
        inclusive=inclusive,
        no_finding=no_finding,
    )
    return _beside(gold, reads)


def _of_coco(path: Path) -> BoxReads:
    """All images are gold, whether they have annotations or not."""
    document = dict(read_json(path, "COCO file"))
    notes = document.get("annotations")
    if isinstance(notes, list):
        named = {str(n["reader"]) for n in notes if isinstance(n, dict) and "reader" in n}
        if len(named) > 1:
            raise InputError("gold boxes", "be of one reader", f"{len(named)} readers")
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
    found = read_coco(document, kind="box")
    if not isinstance(found, BoxReads):  # the kind says so
        raise TypeError(type(found))
    return found


def _one_reader(gold: BoxReads) -> BoxReads:
    if gold.index.n_readers > 1:
        raise InputError("gold boxes", "be of one reader", f"{gold.index.n_readers} readers")
    return gold


def _beside(gold: BoxReads, reads: BoxReads | InstanceReads) -> BoxReads:
    """Over the cases and the classes of the reads."""
    place = {name: code for code, name in enumerate(reads.index.cases.tolist())}
    case = np.array([place.get(name, -1) for name in gold.index.cases.tolist()], dtype=np.int32)
    kept = gold.select(np.flatnonzero(case[gold.index.case] >= 0))
    if not kept.index.n_reads:
        refuse_strangers()
    return BoxReads(
        ReadIndex(
            case[kept.index.case].astype(np.int32),
            kept.index.reader,
            reads.index.cases,
            kept.index.readers,
        ),
        kept.read,
        _labels(kept, reads.schema),
        kept.box,
        LabelSchema(Kind.BOX, reads.schema.classes),
        kept.unreadable,
        reads.image_size,
        reads.spacing_mm,
    )


def _labels(gold: BoxReads, schema: LabelSchema) -> Ints:
    known = {name: code for code, name in enumerate(schema.names)}
    code = np.array([known.get(name, -1) for name in gold.schema.names], dtype=np.int64)
    label = code[gold.label]
    bad = np.flatnonzero(label < 0)
    if bad.size:
        got = repr(gold.schema.names[gold.label[bad[0]]])
        raise InputError("gold label", f"be one of {', '.join(schema.names)}", got)
    return label.astype(gold.label.dtype)

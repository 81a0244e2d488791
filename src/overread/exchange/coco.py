"""COCO files with a reader field: boxes, outlines and run-length masks of instances.

COCO knows no readers and cannot say "read, and nothing found". So: each annotation names its
reader (``reader``, or ``attributes.reader``), and a list ``reads`` of
``{"image_id": ..., "reader": ..., "unreadable": false}`` names the reads, those without findings
too. Without that list, ``every_reader_read_all=True`` says that each reader read each image; else
only reads with findings are known.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from overread.arrays import Floats, smallest_int
from overread.errors import InputError
from overread.exchange.coco_parts import (
    COCO_FILE,
    Annotation,
    Content,
    coco_content,
    stated_kind,
)
from overread.exchange.gather import with_cases
from overread.exchange.json_file import read_json
from overread.exchange.outlines import Parts, outline_of
from overread.labels import (
    BoxReads,
    InstanceReads,
    Kind,
    LabelSchema,
    read_index,
)


def read_coco(
    source: Path | str | Mapping[str, Any],
    *,
    kind: Literal["auto", "box", "instance"] = "auto",
    reader: str = "reader",
    every_reader_read_all: bool = False,
    parts: Parts = "error",
    case: Literal["file_name", "id"] = "file_name",
) -> BoxReads | InstanceReads:
    """Read the findings of a COCO file.

    Args:
        source: path of the file, or its content.
        kind: "box" or "instance"; "auto" takes instances when every annotation has an outline.
        reader: field of an annotation (or of its ``attributes``) that names the reader.
        every_reader_read_all: readers without findings in an image read it and found nothing.
        parts: an outline of several parts or with holes: "error", or "largest" keeps the outside
            of the largest part.
        case: what cases are called: the image's file name or its id.
    Raises:
        InputError: another form of JSON, an annotation of an unknown image or class, one without
            a reader, a box inside out or outside its image. Rows count the annotations from 1.
    """
    document = dict(source) if isinstance(source, Mapping) else read_json(Path(source), COCO_FILE)
    content = coco_content(
        document, reader=reader, every_reader_read_all=every_reader_read_all, case=case
    )
    if kind == "auto" and stated_kind(document) == Kind.INSTANCE.value:
        kind = "instance"
    return _table(content, kind, parts)


def _table(content: Content, kind: str, parts: Parts) -> BoxReads | InstanceReads:
    names, keys = content.names, list(content.reads)
    index = read_index([names[image] for image, _ in keys], [who for _, who in keys])
    order = {key: row for row, key in enumerate(keys)}
    notes = sorted(content.notes, key=lambda note: order[note.image, note.reader])
    read = np.array([order[note.image, note.reader] for note in notes], dtype=np.int64)
    label = np.array([note.label for note in notes], dtype=smallest_int(len(content.classes)))
    # All images are cases, those that nobody has read too.
    index = with_cases(index, names)
    size = np.array(content.sizes)
    shared = {
        "unreadable": np.array(list(content.reads.values()))
        if any(content.reads.values())
        else None,
        "image_size": size if size.any() else None,
    }
    outlined = bool(notes) and all(note.fields.get("segmentation") for note in notes)
    if kind == "instance" or (kind == "auto" and outlined):
        rings = [
            outline_of(note.fields, tuple(size[note.image]), note.row, parts) for note in notes
        ]
        point = np.concatenate(rings) if rings else np.empty((0, 2))
        first = np.cumsum([0, *(len(ring) for ring in rings)])
        _refuse_outside(_around(rings), size, notes)
        schema = LabelSchema(Kind.INSTANCE, content.classes)
        return InstanceReads(index, read, label, point, first, schema, **shared)
    box = np.array([_box(note) for note in notes], dtype=float).reshape(-1, 4)
    _refuse_outside(box, size, notes)
    return BoxReads(index, read, label, box, LabelSchema(Kind.BOX, content.classes), **shared)


def _box(note: Annotation) -> tuple[float, float, float, float]:
    try:
        x, y, wide, high = (float(v) for v in note.fields["bbox"])
    except (KeyError, TypeError, ValueError) as error:
        rule = "be four numbers: x, y, width, height"
        raise InputError("bbox", rule, "another form", rows=(note.row,)) from error
    if not np.isfinite([x, y, wide, high]).all():
        raise InputError("bbox", "be four finite numbers", "nan or infinite", rows=(note.row,))
    if wide <= 0 or high <= 0:
        got = f"width {wide:g}, height {high:g}"
        raise InputError("bbox", "have a width and height above 0", got, rows=(note.row,))
    return x, y, x + wide, y + high


def _around(rings: list[Floats]) -> Floats:
    edges = [np.r_[ring.min(axis=0), ring.max(axis=0)] for ring in rings]
    return np.array(edges, dtype=float).reshape(-1, 4)


def _refuse_outside(box: Floats, size: Any, notes: list[Annotation]) -> None:
    for corners, note in zip(box, notes, strict=True):
        wide, high = (int(v) for v in size[note.image])
        if wide and high and (corners.min() < 0 or corners[2] > wide or corners[3] > high):
            got = ", ".join(f"{v:g}" for v in corners)
            rule = f"lie inside its image of {wide} x {high} pixels"
            raise InputError("finding", rule, got, rows=(note.row,))

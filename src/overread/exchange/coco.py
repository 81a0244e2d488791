"""COCO files with a reader field: boxes, outlines and run-length masks of instances.

COCO knows no readers and cannot say "read, and nothing found". So: each annotation names its
reader (``reader``, or ``attributes.reader``), and a list ``reads`` of
``{"image_id": ..., "reader": ..., "unreadable": false}`` names the reads, those without findings
too. Without that list, ``every_reader_read_all=True`` says that each reader read each image; else
only reads with findings are known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from overread.arrays import Floats, smallest_int
from overread.errors import InputError
from overread.exchange.gather import with_cases
from overread.exchange.json_file import listed, read_json
from overread.exchange.outlines import Parts, outline_of
from overread.labels import (
    BoxReads,
    InstanceReads,
    Kind,
    LabelClass,
    LabelSchema,
    read_index,
)

_FILE = "COCO file"
_Key = tuple[int, str]  # image (place), reader


@dataclass(frozen=True, slots=True)
class _Annotation:
    row: int  # from 1
    image: int
    reader: str
    label: int
    fields: Mapping[str, Any]


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
    document = dict(source) if isinstance(source, Mapping) else read_json(Path(source), _FILE)
    if "images" not in document or "annotations" not in document:
        rule = 'have the lists "images", "annotations" and "categories"'
        raise InputError(_FILE, rule, ", ".join(map(str, document)) or "nothing")
    images = listed(document, "images", _FILE)
    place = _places(images)
    schema_classes, code = _classes(listed(document, "categories", _FILE))
    notes = [
        _annotation(row, entry, place, code, reader)
        for row, entry in enumerate(listed(document, "annotations", _FILE), start=1)
    ]
    reads = _reads(document, notes, place, reader, every_reader_read_all=every_reader_read_all)
    if not reads:
        remedy = 'List the reads under "reads", or say every_reader_read_all with annotations.'
        raise InputError(_FILE, "hold at least one read", "none", remedy=remedy)
    return _table(_Content(images, notes, reads, schema_classes, case), kind, parts)


@dataclass(frozen=True, slots=True)
class _Content:
    images: list[dict[str, Any]]
    notes: list[_Annotation]
    reads: dict[_Key, bool]  # -> cannot be read
    classes: tuple[LabelClass, ...]
    case: str


def _table(content: _Content, kind: str, parts: Parts) -> BoxReads | InstanceReads:
    names = _case_names(content.images, content.case)
    keys = list(content.reads)
    index = read_index([names[image] for image, _ in keys], [who for _, who in keys])
    order = {key: row for row, key in enumerate(keys)}
    notes = sorted(content.notes, key=lambda note: order[note.image, note.reader])
    read = np.array([order[note.image, note.reader] for note in notes], dtype=np.int64)
    label = np.array([note.label for note in notes], dtype=smallest_int(len(content.classes)))
    # All images are cases, those that nobody has read too.
    index = with_cases(index, names)
    size = np.array([_size(image, row) for row, image in enumerate(content.images, start=1)])
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


def _places(images: list[dict[str, Any]]) -> dict[Any, int]:
    place: dict[Any, int] = {}
    for row, image in enumerate(images, start=1):
        name = image.get("id")
        if not isinstance(name, (int, str)):
            raise InputError("image id", "be a number or a text", type(name).__name__, rows=(row,))
        if name in place:
            raise InputError("image id", "differ from each other", "two alike", rows=(row,))
        place[name] = row - 1
    return place


def _case_names(images: list[dict[str, Any]], case: str) -> list[str]:
    names = [str(one.get(case) or one["id"]).strip() for one in images]
    first: dict[str, int] = {}
    twice = [row for row, name in enumerate(names, 1) if first.setdefault(name, row) != row]
    if twice:
        raise InputError("image names", "differ from each other", "two alike", rows=twice,
                         remedy='Say case="id" to call cases by their id.')  # fmt: skip
    return names


def _classes(
    categories: list[dict[str, Any]],
) -> tuple[tuple[LabelClass, ...], dict[Any, int]]:
    if not categories:
        raise InputError(_FILE, "list its categories", "none")
    names: list[LabelClass] = []
    code: dict[Any, int] = {}
    for row, one in enumerate(categories, start=1):
        name, number = one.get("name"), one.get("id")
        if not isinstance(name, str) or not name.strip() or not isinstance(number, (int, str)):
            raise InputError("category", 'have an "id" and a "name"', "another form", rows=(row,))
        if number in code:
            raise InputError("category id", "differ from each other", number, rows=(row,))
        code[number] = len(names)
        names.append(LabelClass(name.strip(), one.get("ontology_code")))
    return tuple(names), code


def _annotation(
    row: int, entry: dict[str, Any], place: dict[Any, int], code: dict[Any, int], reader: str
) -> _Annotation:
    attributes = entry.get("attributes")
    who = entry.get(reader)
    if who is None and isinstance(attributes, dict):
        who = attributes.get(reader)
    if isinstance(who, bool) or not isinstance(who, (str, int)) or not str(who).strip():
        raise InputError(
            "annotation",
            f'name its reader in "{reader}" or "attributes.{reader}"',
            "nothing",
            rows=(row,),
            remedy="Name another field by the option reader=...",
        )
    image, label = entry.get("image_id"), entry.get("category_id")
    if not isinstance(image, (int, str)) or image not in place:
        raise InputError("image_id", "be the id of a listed image", "another", rows=(row,))
    if not isinstance(label, (int, str)) or label not in code:
        got = repr(label)[:40]
        raise InputError("category_id", "be the id of a listed category", got, rows=(row,))
    return _Annotation(row, place[image], str(who).strip(), code[label], entry)


def _reads(
    document: dict[str, Any],
    notes: list[_Annotation],
    place: dict[Any, int],
    reader: str,
    *,
    every_reader_read_all: bool,
) -> dict[_Key, bool]:
    info = document.get("info")
    holder = info if "reads" not in document and isinstance(info, dict) else document
    found = {(note.image, note.reader): False for note in notes}
    reads: dict[_Key, bool] = {}
    for row, entry in enumerate(listed(holder, "reads", _FILE), start=1):
        image, who = entry.get("image_id"), entry.get(reader, entry.get("reader"))
        if not isinstance(image, (int, str)) or image not in place:
            raise InputError("image_id of a read", "be the id of a listed image", "another",
                             rows=(row,))  # fmt: skip
        if not isinstance(who, (str, int)) or not str(who).strip():
            raise InputError("a read", f'name its "{reader}"', "nothing", rows=(row,))
        key = (place[image], str(who).strip())
        cannot = bool(entry.get("unreadable", False))
        if key in reads:
            raise InputError("reads", "name each image and reader once", "twice", rows=(row,))
        if cannot and key in found:
            got = "findings in a read that cannot be read"
            raise InputError("a read", "say one thing", got, rows=(row,))
        reads[key] = cannot
    reads = reads | {key: False for key in found if key not in reads}
    if every_reader_read_all:
        everyone = sorted({who for _, who in reads})
        reads |= {
            (i, who): False for i in place.values() for who in everyone if (i, who) not in reads
        }
    return reads


def _size(image: dict[str, Any], row: int) -> tuple[int, int]:
    sides = []
    for name in ("width", "height"):
        side = image.get(name) or 0
        if (
            isinstance(side, bool)
            or not isinstance(side, (int, float))
            or side < 0
            or side != int(side)
        ):
            raise InputError(name, "be a whole number of pixels", repr(side)[:40], rows=(row,))
        sides.append(int(side))
    return sides[0], sides[1]


def _box(note: _Annotation) -> tuple[float, float, float, float]:
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


def _refuse_outside(box: Floats, size: Any, notes: list[_Annotation]) -> None:
    for corners, note in zip(box, notes, strict=True):
        wide, high = (int(v) for v in size[note.image])
        if wide and high and (corners.min() < 0 or corners[2] > wide or corners[3] > high):
            got = ", ".join(f"{v:g}" for v in corners)
            rule = f"lie inside its image of {wide} x {high} pixels"
            raise InputError("finding", rule, got, rows=(note.row,))

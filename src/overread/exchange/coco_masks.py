"""COCO files of masks: a run-length mask for each class that a read paints, in and out.

COCO has no word for "every pixel a class"; here each annotation is one class of one read, so that
pycocotools shows them, and ``info.label_kind`` says that together they are masks. Classes are the
categories; the background is none of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Bools
from overread.consensus.result import Consensus, MaskConsensus
from overread.errors import InputError
from overread.exchange.atomic import written
from overread.exchange.coco_out import CONSENSUS_READER
from overread.exchange.coco_parts import (
    Annotation,
    coco_content,
)
from overread.exchange.gather import with_cases
from overread.exchange.outlines import MOST_PIXELS
from overread.exchange.run_length import (
    coco_counts,
    compress_counts,
    expand_counts,
    mask_of_counts,
)
from overread.labels import Kind, LabelClass, LabelSchema, MaskReads, mask_reads, read_index

Part = tuple[MaskReads, Consensus[MaskConsensus] | None]


def write_coco_masks(
    path: Path | str, parts: Iterable[Part], *, about: Mapping[str, Any] | None = None
) -> None:
    """Write masks, and their consensus as a further reader; all of it or nothing.

    Annotations go to the disk as they are made, so that memory holds one part at a time.

    Args:
        path: of the file.
        parts: 2-D masks with the consensus made from them, or None; no case in two parts.
        about: what else to say under ``info``.
    Raises:
        InputError: volumes, which COCO cannot hold; nothing at all; a folder that cannot be
            written to.
    """
    with written(path) as part, part.open("w", encoding="utf-8") as file:
        _write(file, parts, about or {})


@dataclass(slots=True)
class _Rest:
    """What follows the annotations."""

    images: list[dict[str, Any]] = field(default_factory=list)
    reads: list[dict[str, Any]] = field(default_factory=list)
    schema: LabelSchema | None = None
    notes: int = 0


def _write(file: TextIO, parts: Iterable[Part], about: Mapping[str, Any]) -> None:
    rest = _Rest()
    info = {"description": "Reads by reader; made by overread", "label_kind": Kind.MASK.value}
    file.write(f'{{"info":{_json(info | dict(about))},"annotations":[')
    for reads, consensus in parts:
        if reads.shape.shape[1] != 2:
            remedy = "Write volumes as NIfTI."
            raise InputError("masks", "be 2-D to be written as COCO", "volumes", remedy=remedy)
        before = len(rest.images)
        rest.schema = reads.schema
        for case, (rows, columns) in enumerate(reads.shape.tolist()):
            image = {"id": before + case + 1, "file_name": str(reads.index.cases[case])}
            rest.images.append(image | {"width": columns, "height": rows})
        for note in _notes(reads, consensus, before):
            rest.notes += 1
            file.write(("," if rest.notes > 1 else "") + _json({"id": rest.notes} | note))
        rest.reads += _listed(reads, consensus, before)
    if rest.schema is None:
        raise InputError("masks", "be there to be written", "none")
    classes = [
        {"id": code, "name": one.name} | ({} if one.code is None else {"ontology_code": one.code})
        for code, one in enumerate(rest.schema.classes)
        if code
    ]
    end = {"images": rest.images, "categories": classes, "reads": rest.reads}
    file.write("]," + _json(end)[1:])


def _json(value: Any) -> str:
    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))


def _notes(
    reads: MaskReads, consensus: Consensus[MaskConsensus] | None, before: int
) -> Iterator[dict[str, Any]]:
    index = reads.index
    for read in range(index.n_reads):
        if reads.unreadable is None or not reads.unreadable[read]:
            who = index.readers[int(index.reader[read])]
            for note in _painted(reads.mask(read)):
                yield {"image_id": before + int(index.case[read]) + 1, "reader": who} | note
    for case, mask in enumerate(() if consensus is None else consensus.value.mask):
        for note in _painted(mask):
            code = note["category_id"]
            share = consensus.value.probability[case][code][mask == code].mean()  # type: ignore[union-attr]
            whose = {"image_id": before + case + 1, "reader": CONSENSUS_READER}
            yield whose | note | {"score": round(float(share), 6)}


def _painted(mask: NDArray[Any]) -> Iterator[dict[str, Any]]:
    for code in np.unique(mask).tolist():
        if code:
            yield {"category_id": code} | _encoded(mask == code)


def _encoded(mask: Bools) -> dict[str, Any]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    x, y = int(columns[0]), int(rows[0])
    return {
        "bbox": [x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y],
        "area": int(mask.sum()),
        "iscrowd": 1,  # COCO's word for "drawn as a run-length mask"
        "segmentation": {"size": list(mask.shape), "counts": compress_counts(coco_counts(mask))},
    }


def _listed(
    reads: MaskReads, consensus: Consensus[MaskConsensus] | None, before: int
) -> list[dict[str, Any]]:
    index, cannot = reads.index, reads.unreadable
    made = [
        {
            "image_id": before + int(index.case[row]) + 1,
            "reader": index.readers[int(index.reader[row])],
            "unreadable": bool(cannot is not None and cannot[row]),
        }
        for row in range(index.n_reads)
    ]
    if consensus is not None:
        made += [
            {"image_id": before + case + 1, "reader": CONSENSUS_READER, "unreadable": False}
            for case, mask in enumerate(consensus.value.mask)
            if mask.size
        ]
    return made


def read_coco_masks(
    document: Mapping[str, Any],
    *,
    reader: str = "reader",
    every_reader_read_all: bool = False,
    case: str = "file_name",
) -> MaskReads:
    """Read the masks of a COCO object: the annotations of one read together are its mask.

    Args:
        document: the content of the file.
        reader, every_reader_read_all, case: as in :func:`overread.exchange.coco.read_coco`.
    Raises:
        InputError: no size of an image, an annotation that is no run-length mask or of another
            size, two classes on one pixel, and what ``read_coco`` raises.
    """
    content = coco_content(
        document, reader=reader, every_reader_read_all=every_reader_read_all, case=case
    )
    names, sizes, keys = content.names, content.sizes, content.reads
    of_read: dict[tuple[int, str], list[Annotation]] = {key: [] for key in keys}
    for note in content.notes:
        of_read[note.image, note.reader].append(note)
    masks = [
        None if cannot else _assembled(of_read[key], sizes[key[0]], key[0] + 1)
        for key, cannot in keys.items()
    ]
    index = read_index([names[image] for image, _ in keys], [who for _, who in keys])
    schema = LabelSchema(Kind.MASK, (LabelClass("background"), *content.classes))
    reads = mask_reads(index, masks, schema)
    whole = with_cases(index, names)
    shape = np.array([size[::-1] for size in sizes], dtype=np.int64).reshape(-1, 2)
    return MaskReads(
        whole, shape, reads.value, reads.length, reads.first, schema, None, reads.unreadable
    )


def _assembled(notes: list[Annotation], size: tuple[int, int], row: int) -> NDArray[np.int16]:
    if not all(size):
        raise InputError("image of masks", 'have "width" and "height"', "none", rows=(row,))
    if size[0] * size[1] > MOST_PIXELS:
        raise InputError("image", f"have at most {MOST_PIXELS} pixels", size[0] * size[1])
    made = np.zeros((size[1], size[0]), dtype=np.int16)
    for note in notes:
        mask = _decoded(note, made.shape)
        if np.any(mask & (made > 0) & (made != note.label + 1)):
            raise InputError("a pixel", "be of one class", "two", rows=(note.row,))
        made[mask] = note.label + 1
    return made


def _decoded(note: Annotation, shape: tuple[int, ...]) -> Bools:
    runs = note.fields.get("segmentation")
    if not isinstance(runs, Mapping) or not isinstance(runs.get("counts"), (str, list)):
        rule = "be a run-length mask with size and counts"
        raise InputError("segmentation", rule, "another form", rows=(note.row,))
    if runs.get("size") != list(shape):
        rule = f"have the {shape[0]} rows x {shape[1]} columns of its image"
        raise InputError("mask", rule, "another size", rows=(note.row,))
    try:
        counts = runs["counts"]
        return mask_of_counts(
            expand_counts(counts) if isinstance(counts, str) else counts, (shape[0], shape[1])
        )
    except InputError as error:
        raise InputError(error.name, error.rule, error.got, rows=(note.row,)) from error

"""COCO files out: the reads as they are and the consensus beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from overread.arrays import Floats
from overread.consensus.result import Consensus, FindingConsensus
from overread.exchange.atomic import written
from overread.exchange.documents import as_document
from overread.labels import BoxReads, InstanceReads

CONSENSUS_READER = "overread consensus"
"""The reader that consensus findings are written under."""


def coco_document(
    reads: BoxReads | InstanceReads,
    consensus: Consensus[FindingConsensus] | None = None,
    *,
    about: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Reads, and the consensus as a further reader, as one COCO object.

    ``reads`` lists who read what, findings or not, so that
    :func:`overread.exchange.coco.read_coco` gives the same reads again. Consensus annotations have
    ``score`` (probability that the finding is there), ``class_score`` and ``from_annotations``.

    Args:
        reads: boxes or instances.
        consensus: made from these reads.
        about: what else to say under ``info``.
    """
    index = reads.index
    notes = [_note(reads, finding) for finding in range(reads.read.size)]
    listed = [
        {
            "image_id": int(case) + 1,
            "reader": index.readers[int(who)],
            "unreadable": bool(reads.unreadable[row]) if reads.unreadable is not None else False,
        }
        for row, (case, who) in enumerate(zip(index.case, index.reader, strict=True))
    ]
    if consensus is not None:
        notes += _consensus_notes(consensus, len(notes))
        read_cases = np.flatnonzero(consensus.reads > 0).tolist()
        listed += [
            {"image_id": case + 1, "reader": CONSENSUS_READER, "unreadable": False}
            for case in read_cases
        ]
    document: dict[str, Any] = as_document(
        {
            "info": {
                "description": "Reads by reader; made by overread",
                "label_kind": reads.schema.kind,
                **(about or {}),
            },
            "images": [_image(reads, case) for case in range(index.n_cases)],
            "categories": [
                {"id": code + 1, "name": one.name}
                | ({} if one.code is None else {"ontology_code": one.code})
                for code, one in enumerate(reads.schema.classes)
            ],
            "annotations": notes,
            "reads": listed,
        }
    )
    return document


def write_coco(
    path: Path | str,
    reads: BoxReads | InstanceReads,
    consensus: Consensus[FindingConsensus] | None = None,
    *,
    about: Mapping[str, Any] | None = None,
) -> None:
    """Write :func:`coco_document` to a file; all of it or nothing."""
    document = coco_document(reads, consensus, about=about)
    text = json.dumps(document, allow_nan=False, ensure_ascii=False)
    with written(path) as part:
        part.write_text(text, encoding="utf-8")


def _image(reads: BoxReads | InstanceReads, case: int) -> dict[str, Any]:
    image: dict[str, Any] = {"id": case + 1, "file_name": reads.index.cases[case]}
    if reads.image_size is not None and reads.image_size[case].all():
        image |= {"width": reads.image_size[case, 0], "height": reads.image_size[case, 1]}
    return image


def _note(reads: BoxReads | InstanceReads, finding: int) -> dict[str, Any]:
    read = int(reads.read[finding])
    note: dict[str, Any] = {
        "id": finding + 1,
        "image_id": int(reads.index.case[read]) + 1,
        "category_id": int(reads.label[finding]) + 1,
        "reader": reads.index.readers[int(reads.index.reader[read])],
    }
    if isinstance(reads, BoxReads):
        return note | _boxed(reads.box[finding])
    return note | _outlined(reads.outline(finding))


def _boxed(box: Floats) -> dict[str, Any]:
    wide, high = box[2] - box[0], box[3] - box[1]
    return {"bbox": [box[0], box[1], wide, high], "area": wide * high, "iscrowd": 0}


def _outlined(ring: Floats) -> dict[str, Any]:
    box = _boxed(np.r_[ring.min(axis=0), ring.max(axis=0)])
    return box | {
        "area": float(shapely.Polygon(ring).area),
        "segmentation": [ring.reshape(-1)],
    }


def _consensus_notes(consensus: Consensus[FindingConsensus], before: int) -> list[dict[str, Any]]:
    value = consensus.value
    notes = []
    for finding in range(value.case.size):
        members = value.members[value.first[finding] : value.first[finding + 1]]
        outline = None if value.outline is None else value.outline[finding]
        shape = _boxed(value.box[finding]) if outline is None else _outlined(outline)
        note = {
            "id": before + finding + 1,
            "image_id": int(value.case[finding]) + 1,
            "category_id": int(value.code[finding]) + 1,
            "reader": CONSENSUS_READER,
            "score": value.existence[finding],
            "class_score": consensus.posterior[finding, value.code[finding]],
            "from_annotations": [int(member) + 1 for member in members],
        }
        notes.append(note | shape)
    return notes

"""What every COCO file has: images, categories, annotations with readers, and the list of reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from overread.errors import InputError
from overread.exchange.json_file import listed
from overread.labels import LabelClass

COCO_FILE = "COCO file"
Key: TypeAlias = tuple[int, str]
"""Image (place) and reader."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """One annotation. Args: row: from 1; image, label: places in their lists; fields: all of it."""

    row: int
    image: int
    reader: str
    label: int
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds, checked.

    Args:
        names: what the cases are called, in the order of the images.
        sizes: columns and rows of each image, 0 where unknown.
        notes: the annotations.
        reads: who read what; true where it cannot be read.
        classes: of the categories.
    """

    names: list[str]
    sizes: list[tuple[int, int]]
    notes: list[Annotation]
    reads: dict[Key, bool]
    classes: tuple[LabelClass, ...]


def coco_content(
    document: Mapping[str, Any], *, reader: str, every_reader_read_all: bool, case: str
) -> Content:
    """Check what both kinds of COCO files have; see :func:`overread.exchange.coco.read_coco`."""
    document = dict(document)
    if "images" not in document or "annotations" not in document:
        rule = 'have the lists "images", "annotations" and "categories"'
        raise InputError(COCO_FILE, rule, ", ".join(map(str, document)) or "nothing")
    images = listed(document, "images", COCO_FILE)
    place = _places(images)
    classes, code = _categories(listed(document, "categories", COCO_FILE))
    notes = [
        _annotation(row, entry, place, code, reader)
        for row, entry in enumerate(listed(document, "annotations", COCO_FILE), start=1)
    ]
    reads = _reads(document, notes, place, reader, every_reader_read_all=every_reader_read_all)
    if not reads:
        remedy = 'List the reads under "reads", or say every_reader_read_all with annotations.'
        raise InputError(COCO_FILE, "hold at least one read", "none", remedy=remedy)
    sizes = [_size(image, row) for row, image in enumerate(images, start=1)]
    return Content(_case_names(images, case), sizes, notes, reads, classes)


def stated_kind(document: Mapping[str, Any]) -> str:
    """The label kind that a file of Overread says it holds; "" where it says nothing."""
    info = document.get("info")
    return str(info.get("label_kind", "")) if isinstance(info, Mapping) else ""


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


def _categories(
    categories: list[dict[str, Any]],
) -> tuple[tuple[LabelClass, ...], dict[Any, int]]:
    if not categories:
        raise InputError(COCO_FILE, "list its categories", "none")
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
) -> Annotation:
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
    return Annotation(row, place[image], str(who).strip(), code[label], entry)


def _reads(
    document: dict[str, Any],
    notes: list[Annotation],
    place: dict[Any, int],
    reader: str,
    *,
    every_reader_read_all: bool,
) -> dict[Key, bool]:
    info = document.get("info")
    holder = info if "reads" not in document and isinstance(info, dict) else document
    found = {(note.image, note.reader): False for note in notes}
    reads: dict[Key, bool] = {}
    for row, entry in enumerate(listed(holder, "reads", COCO_FILE), start=1):
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

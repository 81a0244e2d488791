"""Pascal VOC: one XML file an image and reader, boxes with a class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError, fromstring

from overread.errors import InputError
from overread.exchange.columns import Columns
from overread.exchange.findings import Flat, read_boxes
from overread.exchange.tables import checked_file
from overread.labels import BoxReads, LabelSchema

_CORNERS = ("xmin", "ymin", "xmax", "ymax")
_MOST_BYTES = 1 << 26


def read_voc(
    folder: Path | str,
    *,
    reader: str | None = None,
    one_based: bool = False,
    flat: Flat = "error",
    schema: LabelSchema | Sequence[str] | None = None,
) -> BoxReads:
    """Read a folder of VOC files; a file without objects is an explicit "no finding".

    Args:
        folder: ``folder/reader/*.xml``, or ``folder/*.xml`` of one reader.
        reader: who read ``folder/*.xml``; by default the name of the folder. Not for folders with
            a folder a reader.
        one_based: pixels count from 1 and the last one belongs to the box, as in the original
            PASCAL VOC data: one is taken off xmin and ymin. By default the numbers are taken as
            they are, as most programs write them today.
        flat: boxes without area: "error", or "drop" them; the read stays.
        schema: the classes allowed; by default those that occur.
    Raises:
        InputError: no XML, an object without a box, a box inside out or outside its image. Rows
            count the objects (or empty files) in the order of reader and file name.
    """
    rows = list(_rows(Path(folder), reader, 1.0 if one_based else 0.0))
    columns = {name: [row[place] for row in rows] for place, name in enumerate(_ROW)}
    sizes = ("width", "height")
    if not any(columns["width"]):
        columns = {name: column for name, column in columns.items() if name not in sizes}
    names = Columns(time="", seconds="", protocol="", group="")
    return read_boxes(columns, columns=names, schema=schema, flat=flat)


_ROW = ("case", "reader", "label", "x1", "y1", "x2", "y2", "width", "height")


def _rows(folder: Path, reader: str | None, shift: float) -> Iterator[tuple[Any, ...]]:
    row = 0
    for who, path in _files(folder, reader):
        for found in _rows_of(path, who, shift, row):
            row += 1
            yield found


def _files(folder: Path, reader: str | None) -> list[tuple[str, Path]]:
    if not folder.is_dir():
        raise InputError("VOC folder", "be a directory", "none of that name")
    own = sorted(path for path in folder.glob("*.xml") if path.is_file())
    below = sorted(path for path in folder.glob("*/*.xml") if path.is_file())
    if own and below:
        rule = "have its files in one folder a reader, or all in one folder"
        raise InputError("VOC folder", rule, "both")
    if not own and not below:
        raise InputError("VOC folder", "hold .xml files", "none")
    if below and reader is not None:
        rule = "be left out where each reader has a folder"
        raise InputError("reader", rule, "a name")
    who = folder.resolve().name if reader is None else reader
    return [(who, path) for path in own] or [(path.parent.name, path) for path in below]


def _rows_of(path: Path, who: str, shift: float, before: int) -> Iterator[tuple[Any, ...]]:
    root = _parsed(path, before + 1)
    size = root.find("size")
    sides = [
        None if size is None else _side(size, name, before + 1) for name in ("width", "height")
    ]
    objects = root.findall("object")
    if not objects:
        yield (path.stem, who, None, None, None, None, None, *sides)
    for place, one in enumerate(objects, start=before + 1):
        label = (one.findtext("name") or "").strip()
        box = one.find("bndbox")
        if box is None or not label:
            rule = 'have a "name" and a "bndbox"'
            raise InputError("VOC object", rule, "one of them missing", rows=(place,))
        x1, y1, x2, y2 = (_number(box, name, place) for name in _CORNERS)
        yield (path.stem, who, label, x1 - shift, y1 - shift, x2, y2, *sides)


def _parsed(path: Path, row: int) -> Element:
    checked_file(path, "VOC file")
    raw = path.read_bytes()
    if len(raw) > _MOST_BYTES:
        raise InputError("VOC file", f"have at most {_MOST_BYTES} bytes", len(raw), rows=(row,))
    if b"<!DOCTYPE" in raw or b"<!ENTITY" in raw:  # entities can blow up or read other files
        raise InputError("VOC file", "declare no document type", "a DOCTYPE", rows=(row,))
    try:
        root = fromstring(raw)  # noqa: S314 - nothing with a DOCTYPE comes this far
    except (ParseError, ValueError, LookupError) as error:
        raise InputError("VOC file", "be sound XML", "a mistake", rows=(row,)) from error
    if root.tag != "annotation":
        rule = 'have the root element "annotation"'
        raise InputError("VOC file", rule, f"{root.tag[:40]!r}", rows=(row,))
    return root


def _number(element: Element, name: str, row: int) -> float:
    text = (element.findtext(name) or "").strip()
    try:
        return float(text)
    except ValueError as error:
        raise InputError(name, "be a number", repr(text[:40]), rows=(row,)) from error


def _side(size: Element, name: str, row: int) -> float | None:
    return _number(size, name, row) or None  # some programs write 0 for "not known"

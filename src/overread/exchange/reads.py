"""The one door for reads: any source, any label kind."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from overread.errors import InputError
from overread.exchange.classes import Blank, read_classes, read_scores
from overread.exchange.coco import read_coco
from overread.exchange.coco_masks import read_coco_masks
from overread.exchange.coco_parts import COCO_FILE, stated_kind
from overread.exchange.columns import Columns, detect_kind, match
from overread.exchange.findings import BoxForm, Flat, read_boxes
from overread.exchange.gather import NO_FINDING
from overread.exchange.json_file import read_json
from overread.exchange.label_sets import ABSENT, PRESENT, read_label_rows, read_label_sets
from overread.exchange.mask_table import RunCode, read_mask_table
from overread.exchange.masks import read_mask_folder
from overread.exchange.outline_table import read_outlines
from overread.exchange.outlines import Parts
from overread.exchange.stated import stated
from overread.exchange.tables import open_table
from overread.exchange.voc import read_voc
from overread.labels import CANNOT_BE_READ, Kind, Reads, Repeats


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a source of reads is to be understood; each has a meaning for some kinds alone.

    Args:
        kind: the label kind; ``None`` goes by the form of the source (see :func:`read_reads`).
        columns: names of the columns.
        classes: the classes in order (for masks the background first); by default those found.
        repeats, blank, unreadable: see :func:`overread.exchange.classes.read_classes`.
        low, high: range of scores.
        present, absent, skip: see :func:`overread.exchange.label_sets.read_label_sets`.
        form, inclusive, flat, no_finding: see :func:`overread.exchange.findings.read_boxes`.
        run_code: see :func:`overread.exchange.mask_table.read_mask_table`.
        every_reader_read_all, parts: see :func:`overread.exchange.coco.read_coco`.
        one_based: see :func:`overread.exchange.voc.read_voc`.
        reader: name of the one reader of a VOC folder.
        pattern, readers, values, spacing_mm: see
            :func:`overread.exchange.masks.read_mask_folder` (values is its ``classes``).
    """

    kind: Kind | None = None
    columns: Columns = field(default_factory=Columns)
    classes: Sequence[str] | None = None
    repeats: Repeats = "error"
    blank: Blank = "error"
    unreadable: str = CANNOT_BE_READ
    low: float | None = None
    high: float | None = None
    present: Sequence[str] = PRESENT
    absent: Sequence[str] = ABSENT
    skip: Sequence[str] = ()
    form: BoxForm = "corners"
    inclusive: bool = False
    flat: Flat = "error"
    no_finding: Sequence[str] = (NO_FINDING,)
    run_code: RunCode = "kaggle"
    every_reader_read_all: bool = False
    parts: Parts = "error"
    one_based: bool = False
    reader: str | None = None
    pattern: str = "{reader}/{case}"
    readers: Sequence[str] | None = None
    values: Mapping[int | str, str] | None = None
    spacing_mm: Sequence[float] | None = None


def read_reads(source: Any, options: ReadOptions | None = None) -> Reads:
    """Read reads of any kind from any source.

    A folder with .xml files is VOC, another folder masks; a .json file is COCO; all else is a
    table, whose kind is what it says itself (:mod:`overread.exchange.stated`) or that of its
    columns (:func:`overread.exchange.columns.detect_kind`), unless the options say which.

    Raises:
        InputError: what the reader of that kind raises, or a kind that the source cannot hold.
    Example:
        >>> read_reads({"case": [1, 1], "reader": ["a", "b"], "label": [0, 2]}).label.tolist()
        [0, 1]
    """
    options = options or ReadOptions()
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        if path.is_dir():
            return _read_folder(path, options)
        if path.suffix.lower() == ".json":
            return _read_coco(path, options)
    return _read_table(source, options)


def _read_folder(path: Path, options: ReadOptions) -> Reads:
    has_xml = any(path.glob("*.xml")) or any(path.glob("*/*.xml"))
    if options.kind not in (None, Kind.BOX if has_xml else Kind.MASK):
        form = "VOC files, which hold boxes" if has_xml else "masks, or be a table"
        raise InputError("a folder", f"hold {form}", f"kind {options.kind}")
    if has_xml:
        return read_voc(
            path,
            reader=options.reader,
            one_based=options.one_based,
            flat=options.flat,
            schema=options.classes,
        )
    return read_mask_folder(
        path,
        pattern=options.pattern,
        readers=options.readers,
        classes=options.values,
        spacing_mm=options.spacing_mm,
    )


def _read_coco(path: Path, options: ReadOptions) -> Reads:
    if options.kind not in (None, Kind.BOX, Kind.INSTANCE, Kind.MASK):
        raise InputError("a COCO file", "hold boxes, instances or masks", f"kind {options.kind}")
    document = read_json(path, COCO_FILE)
    if (options.kind or stated_kind(document)) == Kind.MASK.value:
        return read_coco_masks(
            document,
            reader=options.columns.reader,
            every_reader_read_all=options.every_reader_read_all,
        )
    return read_coco(
        document,
        kind="auto" if options.kind is None else "box" if options.kind is Kind.BOX else "instance",
        reader=options.columns.reader,
        every_reader_read_all=options.every_reader_read_all,
        parts=options.parts,
    )


def _read_table(source: Any, options: ReadOptions) -> Reads:
    columns, unreadable = options.columns, options.unreadable
    table = open_table(source)
    names = table.names
    says = stated(table)
    kind = options.kind or says.kind or detect_kind(names, columns)
    if options.classes is None and says.classes and kind is says.kind:
        options = replace(options, classes=says.classes)
    if kind is Kind.BOX:
        return read_boxes(
            source,
            columns=columns,
            schema=options.classes,
            form=options.form,
            inclusive=options.inclusive,
            flat=options.flat,
            no_finding=options.no_finding,
            unreadable=unreadable,
        )
    if kind is Kind.MASK:
        return read_mask_table(
            source,
            columns=columns,
            code=options.run_code,
            schema=options.classes,
            unreadable=unreadable,
        )
    if kind is Kind.MULTILABEL:
        return _read_sets(source, options, wide=match(names, columns.label) is None)
    if kind is Kind.SCORE:
        return read_scores(
            source,
            columns=columns,
            low=options.low,
            high=options.high,
            repeats=options.repeats,
            unreadable=unreadable,
            blank=options.blank,
        )
    if kind is Kind.INSTANCE:
        return read_outlines(
            source,
            columns=columns,
            schema=options.classes,
            no_finding=options.no_finding,
            unreadable=unreadable,
        )
    return read_classes(
        source,
        columns=columns,
        schema=options.classes,
        ordinal=kind is Kind.ORDINAL,
        repeats=options.repeats,
        unreadable=unreadable,
        blank=options.blank,
    )


def _read_sets(source: Any, options: ReadOptions, *, wide: bool) -> Reads:
    if wide:
        return read_label_sets(
            source,
            columns=options.columns,
            classes=options.classes,
            skip=options.skip,
            present=options.present,
            absent=options.absent,
            repeats=options.repeats,
            unreadable=options.unreadable,
        )
    return read_label_rows(
        source,
        columns=options.columns,
        schema=options.classes,
        no_finding=options.no_finding,
        unreadable=options.unreadable,
    )

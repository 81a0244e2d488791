"""Files of a model's output, or of an earlier project, as proposals: every form we read."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from overread.app.analysis.case_values import mask_value
from overread.app.learning.pre_label_import import Named
from overread.errors import InputError
from overread.exchange import (
    Columns,
    ReadOptions,
    read_coco,
    read_coco_masks,
    read_mask_folder,
    read_reads,
    read_table,
)
from overread.exchange.columns import match
from overread.exchange.json_file import read_json
from overread.exchange.masks import read_mask_files
from overread.exchange.pictures import MASK_SUFFIXES
from overread.labels import (
    UNREADABLE,
    BoxReads,
    ClassReads,
    InstanceReads,
    Kind,
    MaskReads,
    MultiLabelReads,
    Reads,
    ScoreReads,
)
from overread.protocol import Question

MODEL = "model"
"""Name of the one reader of a file that names none."""
CONFIDENCE = ("confidence", "probability")
"""Columns of a table that tell how sure the model is; the least sure row speaks for its case."""

_MODELS = {".onnx", ".pt", ".pth", ".ckpt", ".h5", ".keras", ".pkl", ".safetensors", ".tflite"}
_SIDES = ("x1", "y1", "x2", "y2")


def read_proposals(path: Path, question: Question, *, reader: str = "") -> list[Named]:
    """Read what a file proposes to one question.

    Args:
        path: CSV, TSV or Parquet (a column ``reader`` is not needed), COCO .json, a folder of VOC
            .xml or of masks, or JSON lines ``{"case", "answer", "confidence"}``.
        question: that it answers.
        reader: whose reads are taken, where the file has several.
    Raises:
        InputError: what the reader of its form raises; several readers and none chosen; a file
            that holds a model, not what it said.
    """
    if path.suffix.lower() in _MODELS:
        remedy = "Run it on the images, and bring its answers: a table, COCO, or masks."
        if path.suffix.lower() == ".onnx":
            remedy = "Bring it as a model, not as a file of answers: it runs here."
        raise InputError("pre-labels", "be what a model said", "a model", remedy=remedy)
    if path.suffix.lower() in {".jsonl", ".ndjson"}:
        return _lines(path)
    reads, sure = _reads(path, question)
    rows = _rows_of(reads, reader)
    cases = reads.index.cases[reads.index.case]
    made = [
        Named(str(cases[row]), {question.id: value}, sure.get(str(cases[row])))
        for row in rows
        if (value := value_of(question, reads, row)) is not None
    ]
    if len({one.case for one in made}) < len(made):
        raise InputError("pre-labels", "have one read of each case", "two of a case")
    return made


def value_of(question: Question, reads: Reads, row: int) -> Any:
    """What a read says, in the shape of an answer; None where it says nothing."""
    names = reads.schema.names
    if isinstance(reads, ClassReads):
        return None if reads.label[row] == UNREADABLE else names[int(reads.label[row])]
    if isinstance(reads, ScoreReads):
        return None if not np.isfinite(reads.value[row]) else float(reads.value[row])
    if isinstance(reads, MultiLabelReads):
        said = reads.present[row]
        return None if (said < 0).all() else [names[at] for at in np.flatnonzero(said == 1)]
    if reads.unreadable is not None and reads.unreadable[row]:
        return None
    if isinstance(reads, MaskReads):
        return _mask(question, reads, row)
    return _findings(question, reads, row)


def _findings(
    question: Question, reads: BoxReads | InstanceReads, row: int
) -> list[dict[str, Any]]:
    """Ids that no other question of the case has."""
    made: list[dict[str, Any]] = []
    for number, at in enumerate(np.flatnonzero(reads.read == row).tolist(), start=1):
        name = reads.schema.names[int(reads.label[at])]
        one: dict[str, Any] = {"id": f"{question.id}-{number}", "class": name, "frame": 0}
        if isinstance(reads, BoxReads):
            one |= dict(zip(_SIDES, (float(v) for v in reads.box[at]), strict=True))
        else:
            one["points"] = [[float(x), float(y)] for x, y in reads.outline(at)]
        made.append(one)
    return made


def _mask(question: Question, reads: MaskReads, row: int) -> list[dict[str, Any]]:
    """Codes of the file become those of the question, by the names of the classes."""
    mask = reads.mask(row)
    code = [0, *(_code(question, name, reads) for name in reads.schema.names[1:])]
    frames = np.asarray(code)[mask]
    frames = frames[None] if frames.ndim == 2 else frames
    return mask_value(frames, {"rows": frames.shape[1], "columns": frames.shape[2]})


def _code(question: Question, name: str, reads: MaskReads) -> int:
    """By its name, by its number, or the only thing that it can be."""
    if name in question.names:
        return question.names.index(name) + 1
    if name.isdecimal() and 1 <= int(name) <= len(question.names):
        return int(name)
    if len(reads.schema.names) == 2 and len(question.names) == 1:
        return 1
    raise InputError("class of a mask", f"be one of {', '.join(question.names)}", name)


def _rows_of(reads: Reads, reader: str) -> list[int]:
    readers = reads.index.readers
    if reader:
        if reader not in readers:
            raise InputError("reader", f"be one of {len(readers)} in the file", "another")
        return np.flatnonzero(reads.index.reader == readers.index(reader)).tolist()
    if len(set(reads.index.reader.tolist())) > 1:
        remedy = "Choose whose reads are taken: the reader on the page, --reader of the command."
        raise InputError("pre-labels", "come from one reader", "several", remedy=remedy)
    return list(range(reads.index.n_reads))


def _reads(path: Path, question: Question) -> tuple[Reads, Mapping[str, float]]:
    """What the file says, and how sure it is of each case."""
    if path.is_dir():
        return _folder(path, question), {}
    if path.suffix.lower() == ".json":
        return _coco(path, question), {}
    table = read_table(path)
    case = match(table.columns, Columns().case)
    if match(table.columns, Columns().reader) is None:
        table = table.with_columns(pl.lit(MODEL).alias(Columns().reader))
    column = next((found for one in CONFIDENCE if (found := match(table.columns, one))), None)
    sure: dict[str, float] = {}
    if column is not None and case is not None:
        numbers = table[column].cast(pl.Float64, strict=False).to_list()
        for name, number in zip(table[case].cast(pl.Utf8).to_list(), numbers, strict=True):
            if name is not None and number is not None:
                sure[name.strip()] = min(sure.get(name.strip(), math.inf), float(number))
        table = table.drop(column)
    names = None if question.kind in {Kind.SCORE, Kind.MASK} else question.names
    options = ReadOptions(kind=question.kind, classes=names)
    if question.kind is Kind.SCORE:
        options = replace(options, low=question.low, high=question.high)
    return read_reads(table, options), sure


def _folder(path: Path, question: Question) -> Reads:
    """VOC files, masks in a folder for each reader, or masks of one model."""
    if question.kind is not Kind.MASK:
        return read_reads(path, ReadOptions(kind=question.kind, reader=MODEL))
    files = sorted(one for one in path.iterdir() if one.is_file())
    if any(one.is_dir() for one in path.iterdir()):
        return read_mask_folder(path)
    masks = [one for one in files if one.name.lower().endswith(MASK_SUFFIXES)]
    if not masks:
        raise InputError("mask folder", "hold mask files", "none")
    return read_mask_files([(one.name.split(".")[0], MODEL, one) for one in masks])


def _coco(path: Path, question: Question) -> Reads:
    """Annotations that name no reader are the model's, and so is every image without any."""
    document = read_json(path, "COCO file")
    if not isinstance(document, Mapping) or not isinstance(document.get("annotations"), list):
        raise InputError("COCO file", "have a list of annotations", "another form")
    every = [one for one in document["annotations"] if isinstance(one, Mapping)]
    named = any("reader" in one or "reader" in (one.get("attributes") or {}) for one in every)
    if not named and not document.get("reads"):
        images = [one.get("id") for one in document.get("images") or () if isinstance(one, Mapping)]
        document = dict(document) | {
            "annotations": [{**one, "reader": MODEL} for one in every],
            "reads": [{"image_id": image, "reader": MODEL} for image in images],
        }
    if question.kind is Kind.MASK:
        return read_coco_masks(document)
    if question.kind not in {Kind.BOX, Kind.INSTANCE}:
        raise InputError("a COCO file", "answer boxes, outlines or masks", str(question.kind))
    return read_coco(document, kind="box" if question.kind is Kind.BOX else "instance")


def _lines(path: Path) -> list[Named]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("pre-labels", "be a text file that can be read", path.suffix) from error
    made: list[Named] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
            made.append(Named(str(value["case"]), dict(value["answer"]), value.get("confidence")))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            rule = 'be {"case": ..., "answer": {...}}'
            raise InputError("line", rule, "something else", rows=[number]) from error
    if not made:
        raise InputError("pre-labels", "have lines", "none")
    return made

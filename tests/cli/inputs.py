"""Small files of reads of every label kind, as users have them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from PIL import Image

CASES = tuple(f"case {number}" for number in range(1, 13))
READERS = ("Ada", "Ben", "Cy")


def write_csv(path: Path, columns: Mapping[str, Sequence[Any]], separator: str = ",") -> Path:
    """Columns as a text table; None is an empty cell."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


def class_columns(classes: Sequence[str], seed: int = 1) -> dict[str, list[str]]:
    """Three readers who mostly agree on twelve cases."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, len(classes), len(CASES))
    columns: dict[str, list[str]] = {"case": [], "reader": [], "label": []}
    for case, right in zip(CASES, truth, strict=True):
        for reader in READERS:
            said = right if rng.random() < 0.75 else rng.integers(0, len(classes))
            columns["case"].append(case)
            columns["reader"].append(reader)
            columns["label"].append(classes[said])
    return columns


def nominal(folder: Path) -> Path:
    return write_csv(folder / "nominal.csv", class_columns(["benign", "malignant", "normal"]))


def parquet(folder: Path) -> Path:
    path = folder / "nominal.parquet"
    pl.DataFrame(class_columns(["no", "yes"])).write_parquet(path)
    return path


def ordinal(folder: Path) -> Path:
    return write_csv(folder / "grades.csv", class_columns(["0", "1", "2", "3"]))


def wide(folder: Path) -> Path:
    rng = np.random.default_rng(2)
    columns = class_columns(["x", "y"])
    truth = rng.random((len(CASES), 2)) < 0.4
    of_row = np.repeat(truth, len(READERS), axis=0) ^ (rng.random((36, 2)) < 0.15)
    del columns["label"]
    sets = {"mass": of_row[:, 0].astype(int), "node": of_row[:, 1].astype(int)}
    return write_csv(folder / "wide.csv", columns | {k: v.tolist() for k, v in sets.items()})


def long(folder: Path) -> Path:
    rng = np.random.default_rng(3)
    rows: dict[str, list[str]] = {"case": [], "reader": [], "label": []}
    for case in CASES:
        there = [name for name in ("mass", "node") if rng.random() < 0.5]
        for reader in READERS:
            said = [name for name in there if rng.random() < 0.85] or ["no finding"]
            for name in said:
                rows["case"].append(case)
                rows["reader"].append(reader)
                rows["label"].append(name)
    return write_csv(folder / "long.csv", rows)


def score(folder: Path) -> Path:
    rng = np.random.default_rng(4)
    columns = class_columns(["x", "y"])
    truth = np.repeat(rng.normal(50, 10, len(CASES)), len(READERS))
    noise = np.tile([0.0, 2.0, -1.0], len(CASES)) + rng.normal(0, 2, truth.size)
    del columns["label"]
    return write_csv(
        folder / "scores.csv", columns | {"value": np.round(truth + noise, 3).tolist()}
    )


def boxes(folder: Path) -> Path:
    rng = np.random.default_rng(5)
    names = ("case", "reader", "label", "x1", "y1", "x2", "y2", "width", "height")
    rows: dict[str, list[Any]] = {name: [] for name in names}
    for place, case in enumerate(CASES):
        at = rng.uniform(10, 50, 2)
        for reader in READERS:
            row: tuple[Any, ...] = (case, reader, "no finding", None, None, None, None, 100, 100)
            if place % 4 and rng.random() < 0.85:
                x, y = (at + rng.normal(0, 1, 2)).round(2)
                kind = "nodule" if place % 3 else "mass"
                row = (case, reader, kind, x, y, x + 20, y + 15, 100, 100)
            for name, cell in zip(names, row, strict=True):
                rows[name].append(cell)
    return write_csv(folder / "boxes.csv", rows)


def coco(folder: Path) -> Path:
    rng = np.random.default_rng(6)
    images, notes, reads = [], [], []
    for number, case in enumerate(CASES, start=1):
        images.append({"id": number, "file_name": case, "width": 100, "height": 100})
        at = rng.uniform(10, 50, 2)
        for reader in READERS:
            reads.append({"image_id": number, "reader": reader})
            if number % 4 and rng.random() < 0.85:
                x, y = (at + rng.normal(0, 1, 2)).round(2).tolist()
                outline = [x, y, x + 20, y, x + 22, y + 12, x + 4, y + 16]
                notes.append(
                    {"id": len(notes) + 1, "image_id": number, "category_id": 1, "reader": reader,
                     "bbox": [x, y, 22, 16], "segmentation": [outline]}
                )  # fmt: skip
    document = {
        "images": images,
        "annotations": notes,
        "categories": [{"id": 1, "name": "nodule"}],
        "reads": reads,
    }
    path = folder / "instances.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def masks(folder: Path) -> Path:
    rng = np.random.default_rng(7)
    root = folder / "masks"
    for place, case in enumerate(CASES[:5]):
        at = rng.integers(4, 12, 2)
        for reader in READERS:
            drawn = np.zeros((32, 32), dtype=np.uint8)
            row, column = at + rng.integers(-1, 2, 2)
            drawn[row : row + 12, column : column + 14] = place > 0
            save_mask(root / reader / f"{case}.png", drawn)
    return root


def save_mask(path: Path, mask: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask).save(path)


@dataclass(frozen=True)
class Input:
    """A way in. Args: write: makes the file; options: that it needs; kind: label kind found."""

    write: Callable[[Path], Path]
    options: tuple[str, ...]
    kind: str


INPUTS = {
    "nominal": Input(nominal, (), "nominal"),
    "parquet": Input(parquet, (), "nominal"),
    "ordinal": Input(ordinal, ("--ordinal",), "ordinal"),
    "wide": Input(wide, ("--kind", "multi-label"), "multi-label"),
    "long": Input(long, ("--kind", "multi-label"), "multi-label"),
    "score": Input(score, (), "score"),
    "boxes": Input(boxes, (), "box"),
    "instances": Input(coco, (), "instance"),
    "masks": Input(masks, (), "mask"),
}

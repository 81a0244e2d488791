"""Unsupervised object discovery on blood cells: CorLoc at IoU .5 beside simple baselines.

CorLoc: share of images in which the one box proposed (the largest hot piece) overlaps a box of the
readers' with an IoU of at least .5. What a data set looks like is learnt from a sample of images
without labels; every image is scored. "centre" is a box of half the sides in the middle, of the
same mean area as ours beside it; "patch rarity" is the grey method's first map alone.
The blur of the heat map was chosen on every fourth image; the figure of the other three quarters
stands beside that of all. For chest X-rays there are no boxes: what can be measured is whether what
stands out tells pneumonia from normal (area under the curve of the score of the best region, and
of the mean heat; .5 is chance, below it the normal ones stand out more), and whether the box at
least lies in the chest. It does not say that a box holds a finding.
"""

from __future__ import annotations

import csv
import os
import time
import xml.etree.ElementTree as ET
from pathlib import Path

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

import numpy as np
from PIL import Image

from _common import arguments, finish
from overread.discovery.grey import grey_maps, learn_words
from overread.discovery.objects import find_objects, learn_objects
from overread.discovery.shape import grey_of, picture_of, regions, smooth, spread

DATA = Path(os.environ.get("OVERREAD_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))


def truth_of(path: Path) -> np.ndarray:
    """(boxes, 4) of a VOC file."""
    root = ET.parse(path).getroot()  # noqa: S314 - our own data
    sides = ("xmin", "ymin", "xmax", "ymax")
    found = [[float(one.findtext(side)) for side in sides] for one in root.iter("bndbox")]
    return np.array(found).reshape(-1, 4)


def iou(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    inner = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) + np.prod(box[2:] - box[:2])
    return inner / (areas - inner)


def hit(box: np.ndarray, truth: np.ndarray) -> bool:
    return bool(len(truth) and iou(box, truth).max() >= 0.5)


def auc(score: np.ndarray, positive: np.ndarray) -> float:
    order = np.argsort(np.argsort(score)) + 1.0
    p, n = positive.sum(), (~positive).sum()
    return float((order[positive].sum() - p * (p + 1) / 2) / (p * n))


def sides(one) -> np.ndarray:
    return np.array([one.x1, one.y1, one.x2, one.y2])


def blood(small: bool) -> dict:
    paths = sorted((DATA / "blood-cells/JPEGImages").glob("*.jpg"))
    paths = paths[:: 30 if small else 1]
    images = [np.asarray(Image.open(path)) for path in paths]
    notes = DATA / "blood-cells/Annotations"
    truth = [truth_of(notes / f"{path.stem}.xml") for path in paths]
    sample = images[:: max(1, len(images) // 100)]
    discovery = learn_objects(sample)
    words = learn_words([grey_of(picture_of(one)) for one in sample])
    right = dict.fromkeys(
        ("ours", "any of three", "centre", "centre of our area", "patch rarity"), 0
    )
    spent, areas, found, hits = 0.0, [], [], []
    for image in images:
        start = time.process_time()
        found.append(find_objects(image, discovery).regions)
        spent += time.process_time() - start
        areas += [np.prod(sides(one)[2:] - sides(one)[:2]) for one in found[-1][:1]]
    share = np.sqrt(np.mean(areas) / np.prod(images[0].shape[:2]))
    for image, boxes, mine in zip(images, truth, found, strict=True):
        rows, columns = image.shape[:2]
        hits.append(any(hit(sides(one), boxes) for one in mine[:1]))
        right["ours"] += hits[-1]
        right["any of three"] += any(hit(sides(one), boxes) for one in mine)
        for name, part in (("centre", 0.5), ("centre of our area", share)):
            half = np.array([columns, rows]) * part / 2
            middle = np.array([columns, rows]) / 2
            right[name] += hit(np.concatenate([middle - half, middle + half]), boxes)
        rare = spread(smooth(grey_maps(grey_of(picture_of(image)), words)[0], 0.02))
        (one,) = regions(rare, (rows, columns), most=1) or [None]
        right["patch rarity"] += one is not None and hit(sides(one), boxes)
    other = [one for at, one in enumerate(hits) if small or at % 4]
    right["ours, images not used to choose"] = sum(other) * len(images) / len(other)
    figures = {
        f"blood cells, CorLoc, {name}": round(n / len(images), 3) for name, n in right.items()
    }
    return figures | {
        "blood cells, images": len(images),
        "blood cells, CPU ms an image": round(1000 * spent / len(images), 1),
    }


def chest(small: bool) -> dict:
    with (DATA / "chest-xray/labels.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))[:: 300 if small else 10]
    images = [
        np.asarray(Image.open(DATA / "chest-xray/images" / row["file"]).convert("L"))
        for row in rows
    ]
    ill = np.array(["normal" not in row["subtype"].lower() for row in rows])
    discovery = learn_objects(images[:: max(1, len(images) // 100)])
    start = time.process_time()
    found = [find_objects(one, discovery) for one in images]
    spent = time.process_time() - start
    score = np.array([max((one.score for one in each.regions), default=0.0) for each in found])
    hot = np.array([np.mean(each.heat) for each in found])
    middle = []
    for image, each in zip(images, found, strict=True):
        for one in each.regions[:1]:
            x = (one.x1 + one.x2) / 2 / image.shape[1]
            y = (one.y1 + one.y2) / 2 / image.shape[0]
            middle.append(0.1 < x < 0.9 and 0.15 < y < 0.8)
    return {
        "chest X-ray, images": len(images),
        "chest X-ray, AUC of the best region's score": round(auc(score, ill), 3),
        "chest X-ray, AUC of the mean heat": round(auc(hot, ill), 3),
        "chest X-ray, share of boxes with their middle in the chest": round(
            float(np.mean(middle)), 3
        ),
        "chest X-ray, CPU ms an image": round(1000 * spent / len(images), 1),
    }


def main() -> None:
    small = arguments(__doc__).small
    figures = blood(small) | chest(small)
    for name, value in figures.items():
        print(f"{name:60} {value}")
    finish(figures)


if __name__ == "__main__":
    main()

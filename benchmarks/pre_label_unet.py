"""A small U-Net trained on few labelled images, on the CPU: vessels of the retina, blood cells.

Vessels: the first observer's masks teach; Dice of the held-out images against the same observer,
beside the Dice of the second observer on them (what another person reaches). Cells: boxes teach as
ellipses; AP at IoU .5 (all points) of each class on held-out images. Training and prediction times
are of one thread. The images are ordinary photographs: what holds here need not hold for X-rays.
"""

from __future__ import annotations

import os
import tempfile
import time
import xml.etree.ElementTree as ET
from pathlib import Path

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

import numpy as np
from PIL import Image

from _common import arguments, finish
from object_discovery import DATA, iou
from overread.learn.unet import UnetRecipe, train_unet
from overread.learn.unet_answers import answer_of, scored_boxes, target_of
from overread.learn.unet_shape import UnetAbout, open_unet, seen


def trained(images, targets, about, steps):
    start = time.process_time()
    made = train_unet(
        [seen(one, about) for one in images], targets, about, recipe=UnetRecipe(steps=steps)
    )
    spent = time.process_time() - start
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        file.write(made)
        file.flush()
        return open_unet(Path(file.name)), spent


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


def vessels(teach: int, steps: int, test: int) -> dict:
    folder = DATA / "retina-vessels"
    names = [f"{at:02d}" for at in range(1, 21)]
    images = [np.asarray(Image.open(folder / f"images/{one}_test.jpg")) for one in names]
    first, second = (
        [
            np.asarray(Image.open(folder / f"{word}_manual/{one}_manual{which}.png").convert("L"))
            > 0
            for one in names
        ]
        for word, which in (("1st", 1), ("2nd", 2))
    )
    about = UnetAbout("vessels", "mask", ("vessel",), channels=3, longest=600)
    targets = [one.astype(np.int64) for one in first[:teach]]
    unet, spent = trained(images[:teach], targets, about, steps)
    scores, person, each = [], [], 0.0
    for at in range(20 - test, 20):
        start = time.process_time()
        value, _ = answer_of(unet, images[at])
        each += time.process_time() - start
        runs = np.array(value[0]["runs"]) if value else np.array([[0, first[at].size]])
        mine = np.repeat(runs[:, 0], runs[:, 1]).reshape(first[at].shape) == 1
        scores.append(dice(mine, first[at]))
        person.append(dice(second[at], first[at]))
    name = f"vessels, {teach} images"
    return {
        f"{name}, Dice": round(float(np.mean(scores)), 3),
        "vessels, Dice of the second observer": round(float(np.mean(person)), 3),
        f"{name}, CPU s of training ({steps} steps)": round(spent, 1),
        "vessels, CPU s an image": round(each / test, 2),
    }


def boxes_of(path: Path) -> list[dict]:
    root = ET.parse(path).getroot()  # noqa: S314 - our own data
    sides = {"x1": "xmin", "y1": "ymin", "x2": "xmax", "y2": "ymax"}
    return [
        {"class": one.findtext("name"), "frame": 0}
        | {key: float(one.findtext(f"bndbox/{side}")) for key, side in sides.items()}
        for one in root.iter("object")
    ]


def average_precision(found, truth, name) -> float:
    """AP at IoU .5 over all points (Everingham et al. 2010, as of VOC 2010)."""
    rows = sorted(
        (
            (score, at, one)
            for at, of in enumerate(found)
            for one, score in of
            if one["class"] == name
        ),
        key=lambda row: -row[0],
    )
    there = [[one for one in of if one["class"] == name] for of in truth]
    used = [set() for _ in truth]
    right = []
    for _, at, one in rows:
        corners = np.array([[b["x1"], b["y1"], b["x2"], b["y2"]] for b in there[at]]).reshape(-1, 4)
        box = np.array([one["x1"], one["y1"], one["x2"], one["y2"]])
        over = iou(box, corners) if len(corners) else np.zeros(0)
        best = int(over.argmax()) if len(over) else -1
        hit = best >= 0 and over[best] >= 0.5 and best not in used[at]
        if hit:
            used[at].add(best)
        right.append(hit)
    total = sum(map(len, there))
    right = np.cumsum(right)
    precision = right / (np.arange(len(right)) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    recall = right / total
    return float(np.sum(np.diff(np.r_[0, recall]) * precision)) if len(right) else 0.0


def cells(teach: int, steps: int, test: int) -> dict:
    paths = sorted((DATA / "blood-cells/JPEGImages").glob("*.jpg"))
    order = np.random.default_rng(0).permutation(len(paths))
    images = {at: np.asarray(Image.open(paths[at])) for at in (*order[:teach], *order[-test:])}
    notes = DATA / "blood-cells/Annotations"
    truth = {at: boxes_of(notes / f"{paths[at].stem}.xml") for at in images}
    about = UnetAbout("cells", "box", ("RBC", "WBC", "Platelets"), channels=3, longest=320)
    mine = order[:teach]
    targets = [target_of(truth[at], images[at].shape[:2], 0, about) for at in mine]
    unet, spent = trained([images[at] for at in mine], targets, about, steps)
    held = order[-test:]
    found = [
        scored_boxes(unet.probabilities(images[at]), images[at].shape[:2], about) for at in held
    ]
    figures = {
        f"cells, {teach} images, AP50 {name}": round(
            average_precision(found, [truth[at] for at in held], name), 3
        )
        for name in about.classes
    }
    return figures | {f"cells, {teach} images, CPU s of training ({steps} steps)": round(spent, 1)}


def main() -> None:
    small = arguments(__doc__).small
    if small:
        figures = vessels(1, 2, 1) | cells(2, 3, 2)
    else:
        figures = vessels(4, 300, 10) | cells(20, 400, 60)
    for name, value in figures.items():
        print(f"{name:60} {value}")
    finish(figures)


if __name__ == "__main__":
    main()

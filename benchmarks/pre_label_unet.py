"""A small U-Net trained on few labelled images, on the CPU: vessels of the retina, blood cells.

Vessels: the first observer's masks teach; Dice of the held-out images against the same observer,
beside the Dice of the second observer on them (what another person reaches). Cells: boxes teach; AP
at IoU .5 (all points) of each class on held-out images. Nobody drew outlines of these cells: the
ellipses in their boxes teach as outlines, and those of the held-out images are the truth; what is
told is how many touching cells are parted, not how well a border is drawn. Training and prediction
times are of one thread. The images are ordinary photographs: what holds here need not hold for
X-rays.
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
from scipy.optimize import linear_sum_assignment

from _common import arguments, finish
from object_discovery import DATA, iou
from overread.geometry.polygons import polygon, polygon_iou_matrix
from overread.learn.unet import UnetRecipe, train_unet
from overread.learn.unet_answers import answer_of
from overread.learn.unet_boxes import scored_boxes
from overread.learn.unet_file import UnetAbout, open_unet, seen
from overread.learn.unet_outlines import scored_outlines
from overread.learn.unet_targets import target_of

CELLS = ("RBC", "WBC", "Platelets")


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


def vessel_images():
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
    return images, first, second


def vessels(teach: int, steps: int, test: int) -> dict:
    images, first, second = vessel_images()
    about = UnetAbout("vessels", "mask", ("vessel",), channels=3, longest=600)
    targets = [one[None].astype(np.float32) for one in first[:teach]]
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


def cell_images(teach: int, test: int):
    paths = sorted((DATA / "blood-cells/JPEGImages").glob("*.jpg"))
    order = np.random.default_rng(0).permutation(len(paths))
    mine, held = order[:teach], order[-test:]
    images = {at: np.asarray(Image.open(paths[at])) for at in (*mine, *held)}
    notes = DATA / "blood-cells/Annotations"
    truth = {at: boxes_of(notes / f"{paths[at].stem}.xml") for at in images}
    return images, truth, mine, held


def cells(teach: int, steps: int, test: int) -> dict:
    images, truth, mine, held = cell_images(teach, test)
    about = UnetAbout("cells", "box", CELLS, channels=3, longest=320, middles=True)
    targets = [target_of(truth[at], images[at].shape[:2], 0, about) for at in mine]
    unet, spent = trained([images[at] for at in mine], targets, about, steps)
    found = [scored_boxes(unet.maps(images[at]), images[at].shape[:2], about) for at in held]
    figures = {
        f"cells, {teach} images, AP50 {name}": round(
            average_precision(found, [truth[at] for at in held], name), 3
        )
        for name in about.classes
    }
    return figures | {f"cells, {teach} images, CPU s of training ({steps} steps)": round(spent, 1)}


def ellipse(box: dict) -> dict:
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    middle = (box["x1"] + box["x2"]) / 2, (box["y1"] + box["y2"]) / 2
    half = (box["x2"] - box["x1"]) / 2, (box["y2"] - box["y1"]) / 2
    points = np.stack([np.cos(angle), np.sin(angle)], axis=1) * half + middle
    return {"class": box["class"], "frame": 0, "points": points.tolist()}


def outlines(teach: int, steps: int, test: int) -> dict:
    images, boxes, mine, held = cell_images(teach, test)
    truth = {at: [ellipse(one) for one in boxes[at]] for at in images}
    about = UnetAbout("cells", "instance", CELLS, channels=3, longest=320, middles=True)
    targets = [target_of(truth[at], images[at].shape[:2], 0, about) for at in mine]
    unet, spent = trained([images[at] for at in mine], targets, about, steps)
    maps = {at: unet.maps(images[at]) for at in held}
    figures = {}
    for word, middles in (("", True), (", merged where they touch", False)):
        told = {at: one if middles else one._replace(middle=None) for at, one in maps.items()}
        found = {
            at: [one for one, _ in scored_outlines(told[at], images[at].shape[:2], about)]
            for at in held
        }
        for name in about.classes:
            score = f1([found[at] for at in held], [truth[at] for at in held], name)
            figures[f"outlines, {teach} images, F1 {name}{word}"] = round(score, 3)
    return figures | {
        f"outlines, {teach} images, CPU s of training ({steps} steps)": round(spent, 1)
    }


def f1(found, truth, name) -> float:
    """F1 at IoU .5 of the outlines of a class; each is matched once, the best first."""
    right = count = 0
    for mine, theirs in zip(found, truth, strict=True):
        one, other = (
            np.array([polygon(np.array(each["points"])) for each in of if each["class"] == name])
            for of in (mine, theirs)
        )
        count += len(one) + len(other)
        if len(one) and len(other):
            over = polygon_iou_matrix(one, other)
            right += int((over[linear_sum_assignment(-over)] >= 0.5).sum())
    return 2 * right / count if count else 1.0


def main() -> None:
    small = arguments(__doc__).small
    if small:
        figures = vessels(1, 2, 1) | cells(2, 3, 2) | outlines(2, 3, 2)
    else:
        figures = vessels(4, 600, 10) | cells(20, 1200, 60) | outlines(20, 1200, 60)
    for name, value in figures.items():
        print(f"{name:60} {value}")
    finish(figures)


if __name__ == "__main__":
    main()

"""The studies that the screenshots show, on public sample files of ``pydicom-data``.

Answers are drawn here by hand on those files and moved a little for each reader.
"""

from __future__ import annotations

import importlib.metadata
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from PIL import Image

from overread.errors import InputError
from overread.protocol import template

NODULES = """title: Lung nodules, a box round each
reads_per_case: 3
questions:
  - id: nodules
    prompt: Draw a box round each nodule
    kind: box
    classes:
      - {name: Nodule, key: "1", ontology: "RADLEX:RID3875", colour: "#e69f00"}
      - {name: Calcified nodule, key: "2", colour: "#56b4e9"}
  - id: certainty
    prompt: How sure are you of the whole image?
    kind: ordinal
    required: false
    classes: [Unsure, Fairly sure, Sure]
objectives:
  - {question: nodules, class: Nodule, metric: f1, at_least: 0.8}
guideline: |
  # How to draw

  - The box touches the **edge of the nodule** on all four sides and no more.
  - One box for each nodule, also where two lie side by side.
  - A nipple, seen on both sides at the same height, is no nodule.
  - No nodule: submit without a box. That says *no finding*.
atlas:
  - id: tight
    question: nodules
    class: Nodule
    do: true
    why: The box ends where the shadow ends.
    rows: 200
    columns: 300
    drawing: {nodules: [{id: a, class: Nodule, frame: 0, x1: 110, y1: 60, x2: 190, y2: 140}]}
  - id: loose
    question: nodules
    class: Nodule
    do: false
    why: Half of the lung is in the box, so it says little of where the nodule is.
    rows: 200
    columns: 300
    drawing: {nodules: [{id: a, class: Nodule, frame: 0, x1: 20, y1: 15, x2: 280, y2: 185}]}
"""
KIDNEYS = """title: Kidneys, outlined
reads_per_case: 2
questions:
  - id: kidneys
    prompt: Outline each kidney
    kind: instance
    classes:
      - {name: Kidney, key: "1", colour: "#00a67c"}
      - {name: Cyst, key: "2", colour: "#d68bb5"}
guideline: |
  # How to outline

  Follow the outer edge of the cortex. Leave the fat of the sinus inside, the vessels of the
  hilum outside.
"""
BONE = """title: Bone and canal, painted
reads_per_case: 2
questions:
  - id: bone
    prompt: Paint the vertebra and its canal
    kind: mask
    classes: [{name: Bone, key: "1", colour: "#56b4e9"}, {name: Canal, key: "2", colour: "#dd5f0a"}]
guideline: |
  # How to paint

  Paint from edge to edge; the cortex belongs to the bone. Erase what spilled over.
"""
QUALITY = """title: Image quality
reads_per_case: 3
questions:
  - id: quality
    prompt: How good is the image?
    kind: ordinal
    classes:
      - {name: Useless, key: "0"}
      - {name: Poor, key: "1"}
      - {name: Fair, key: "2"}
      - {name: Good, key: "3"}
guideline: |
  # How to grade

  Ask whether you would report from this image. Noise counts only where it hides something.
"""
GATE = (
    NODULES[: NODULES.index("  - id: certainty")].replace("reads_per_case: 3", "reads_per_case: 1")
    + """qualification:
  professions: [radiologist]
  least_years: 2
  pass_mark: 0.7
  least_cases: 2
"""
    + NODULES[NODULES.index("guideline:") :]
)
SENIOR = """title: Nodules, two readers and a senior
reads_per_case: 2
questions:
  - id: nodules
    prompt: Draw a box round each nodule
    kind: box
    required: false
    classes: [{name: Nodule, weight: 4}, Calcified nodule]
"""
GRADES = """title: Congestion, graded
reads_per_case: 2
questions:
  - id: grade
    prompt: How congested are the lungs?
    kind: nominal
    classes: [None, Mild, Severe]
guideline: |
  # How to grade

  Look at the vessels of the upper lobes first, then at the fissures.
"""
PATCHES = """title: Lung or not
reads_per_case: 1
questions:
  - {id: finding, prompt: "Is it lung?", kind: nominal, classes: [lung, elsewhere]}
learning: {question: finding, held_back: 0.25, review_seconds: 2}
"""
HEART = """title: Left ventricle in motion
reads_per_case: 2
questions:
  - id: function
    prompt: How does the left ventricle work?
    kind: nominal
    classes: [Normal, Reduced, Cannot tell]
guideline: |
  # How to judge

  Let the clip run twice before you answer.
"""


@dataclass(frozen=True)
class Shown:
    """One project: its protocol and the stems of its files."""

    name: str
    protocol: str
    files: tuple[str, ...]


STUDIES = (
    Shown("Lung nodules", NODULES, ("RG1_UNCR",)),
    Shown("Chest X-ray findings", template("chest-findings"), ("RG1_J2KI",)),
    Shown("Kidneys on MR and CT", KIDNEYS, ("MR-SIEMENS-DICOM-WithOverlays", "explicit_VR-UN")),
    Shown("Spine, painted", BONE, ("bad_sequence",)),
    Shown(
        "Image quality",
        QUALITY,
        ("RG3_UNCR", "RG1_J2KR", "MR2_UNCR", "693_UNCR", "bad_sequence", "explicit_VR-UN",
         "MR-SIEMENS-DICOM-WithOverlays", "JPEG-LL", "RG3_J2KI", "RG1_UNCI", "MR2_J2KI"),
    ),
    Shown("Heart, ultrasound clips", HEART, ("color3d_jpeg_baseline",)),
)  # fmt: skip

NODULE_BOXES = (
    (190, 1240, 370, 1400), (1350, 1080, 1560, 1280), (1380, 790, 1580, 960),
    (400, 1070, 570, 1250), (410, 640, 570, 800), (1060, 530, 1180, 640),
)  # fmt: skip
SCALE = 0.5
"""Of the chest X-rays that are drawn from the sample file."""
_LUNG = ((300, 600, 360, 1200), (1140, 1480, 320, 1040))
_ELSEWHERE = ((820, 980, 240, 1800), (240, 1520, 1600, 1860))
"""x and y, from and to, of the middles of patches."""
KIDNEY_RINGS = ((150, 320, 32, 30), (318, 324, 29, 27))
"""Middle and half axes."""


def sample_files(folder: Path | None, stem: str) -> Path:
    """A file by its stem, in a folder or in the installed ``pydicom-data``.

    Raises:
        InputError: it is not there.
    """
    if folder is not None:
        found = sorted(folder.rglob(f"{stem}.dcm"))
    else:
        files = importlib.metadata.files("pydicom-data") or []
        found = [Path(str(one.locate())) for one in files if one.name == f"{stem}.dcm"]
    if not found:
        raise InputError("sample image", "be there", f"no {stem}.dcm", remedy="--images FOLDER")
    return found[0]


def chest(images: Path | None) -> Callable[..., None]:
    """What draws the chest X-ray of the sample files at half its size, with noise of its own."""
    whole = _chest(images).resize((920, 977))

    def draw(path: Path, *, seed: int) -> None:
        noise = np.random.default_rng(seed).normal(0, 2, (977, 920))
        grey = np.clip(np.asarray(whole, dtype=float) + noise, 0, 255)
        Image.fromarray(grey.astype(np.uint8)).save(path)

    return draw


def patches(images: Path | None, count: int) -> list[tuple[Callable[..., None], str]]:
    """What cuts small squares out of the same X-ray, each with what it shows; in turn."""
    whole, hand, half = _chest(images), random.Random(5), 100  # noqa: S311 - a hand, not a secret

    def cut(x: float, y: float) -> Callable[..., None]:
        def draw(path: Path, *, seed: int) -> None:  # noqa: ARG001 - all draw so
            whole.crop((int(x) - half, int(y) - half, int(x) + half, int(y) + half)).save(path)

        return draw

    made: list[tuple[Callable[..., None], str]] = []
    for at in range(count):
        name, places = (("lung", _LUNG), ("elsewhere", _ELSEWHERE))[at % 2]
        x1, x2, y1, y2 = places[hand.random() < 0.5]
        made.append((cut(hand.uniform(x1, x2), hand.uniform(y1, y2)), name))
    return made


def _chest(images: Path | None) -> Image.Image:
    """The chest X-ray of the sample files, bones bright."""
    import pydicom  # noqa: PLC0415 - of an extra

    values = pydicom.dcmread(sample_files(images, "RG1_UNCR")).pixel_array.astype(float)
    low, high = np.quantile(values, [0.01, 0.99])
    return Image.fromarray((255 * np.clip((high - values) / (high - low), 0, 1)).astype(np.uint8))


def nodule_answer(seed: int) -> dict[str, Any]:
    """Boxes of one reader: most nodules, each edge some pixels off."""
    hand = random.Random(seed)  # noqa: S311 - a hand, not a secret
    boxes = [
        {"id": str(uuid4()), "class": "Nodule", "frame": 0}
        | {k: v + hand.gauss(0, 7) for k, v in zip(("x1", "y1", "x2", "y2"), box, strict=True)}
        for at, box in enumerate(NODULE_BOXES)
        if at < 3 or hand.random() < 0.6
    ]
    return {"nodules": boxes, "certainty": hand.choice(["Fairly sure", "Sure"])}


def kidney_ring(at: int, seed: int = 0) -> list[tuple[float, float]]:
    """Corners round one kidney of the MR, as one reader sets them."""
    hand = random.Random(seed)  # noqa: S311 - a hand, not a secret
    x, y, a, b = KIDNEY_RINGS[at]
    turns = [2 * math.pi * k / 14 for k in range(14)]
    return [
        (x + a * math.cos(t) + hand.gauss(0, 1.5), y + b * math.sin(t) + hand.gauss(0, 1.5))
        for t in turns
    ]

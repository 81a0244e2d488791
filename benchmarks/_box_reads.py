"""Simulated boxes of unequal readers, with their truth; every number of it stands here."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from overread.arrays import names_array
from overread.geometry.boxes import aligned_iou
from overread.labels import BoxReads, Kind, LabelClass, LabelSchema, ReadIndex


@dataclass(frozen=True)
class Scenario:
    """A world of cases and readers. Lists have one entry a reader.

    Args:
        cases, image: number of images, and their side in pixels.
        empty: share of images without findings.
        findings: Poisson mean of the findings of the others.
        close: chance that a finding is put beside or over an earlier one (centres 0.5 to 1.1
            sizes apart, IoU at most 0.4).
        classes: share of each class.
        size, size_spread, aspect_spread: median side in pixels, sd of log size, of log aspect.
        sensitivity, false_alarms, class_accuracy: chance to mark a finding; mean false boxes a
            case (uniform place, size and class as findings); chance to name the class rightly.
        edge_sd: normal error of each edge, relative to the side.
        scale: size drawn by the true size.
        sloppy: chance that a box is drawn with four times the usual error.
    """

    cases: int = 1500
    image: float = 1024.0
    empty: float = 0.2
    findings: float = 2.5
    close: float = 0.2
    classes: tuple[float, ...] = (0.4, 0.3, 0.2, 0.1)
    size: float = 110.0
    size_spread: float = 0.5
    aspect_spread: float = 0.25
    sensitivity: tuple[float, ...] = (0.96, 0.93, 0.90, 0.85, 0.78)
    false_alarms: tuple[float, ...] = (0.05, 0.10, 0.15, 0.25, 0.50)
    class_accuracy: tuple[float, ...] = (0.98, 0.96, 0.94, 0.90, 0.85)
    edge_sd: tuple[float, ...] = (0.04, 0.06, 0.08, 0.12, 0.16)
    scale: tuple[float, ...] = (1.0, 1.03, 0.97, 1.1, 0.75)
    sloppy: float = 0.03


def ten_readers() -> Scenario:
    return Scenario(
        sensitivity=(0.95, 0.92, 0.9, 0.88, 0.85, 0.82, 0.8, 0.75, 0.7, 0.6),
        false_alarms=(0.05, 0.05, 0.1, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 1.0),
        class_accuracy=(0.98, 0.97, 0.96, 0.95, 0.94, 0.92, 0.9, 0.88, 0.85, 0.8),
        edge_sd=(0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1, 0.12, 0.15, 0.2),
        scale=(1.0, 1.0, 1.03, 0.97, 1.05, 0.95, 1.0, 1.1, 0.85, 0.7),
    )


def three_readers() -> Scenario:
    base = Scenario()
    take = (0, 2, 4)
    return replace(base, **{
        name: tuple(getattr(base, name)[i] for i in take)
        for name in ("sensitivity", "false_alarms", "class_accuracy", "edge_sd", "scale")
    })  # fmt: skip


def crowded() -> Scenario:
    return replace(Scenario(), cases=500, findings=12.0, close=0.4, size=60.0)


SCENARIOS = {"five": Scenario, "three": three_readers, "ten": ten_readers, "crowded": crowded}


@dataclass(frozen=True)
class Truth:
    case: np.ndarray
    label: np.ndarray
    box: np.ndarray


def simulate(world: Scenario, seed: int) -> tuple[BoxReads, Truth]:
    """Draw the truth of every case, then every reader's read of it."""
    rng = np.random.default_rng(seed)
    truth = _truth(world, rng)
    n_readers = len(world.sensitivity)
    per_case = np.searchsorted(truth.case, np.arange(world.cases + 1))
    read, label, box = [], [], []
    for case in range(world.cases):
        mine = slice(per_case[case], per_case[case + 1])
        for reader in range(n_readers):
            labels, boxes = _one_read(world, reader, truth.label[mine], truth.box[mine], rng)
            read.append(np.full(labels.size, case * n_readers + reader))
            label.append(labels)
            box.append(boxes)
    index = ReadIndex(
        case=np.repeat(np.arange(world.cases), n_readers),
        reader=np.tile(np.arange(n_readers), world.cases),
        cases=names_array(f"case {i}" for i in range(world.cases)),
        readers=tuple(f"R{i + 1}" for i in range(n_readers)),
    )
    schema = LabelSchema(
        Kind.BOX, tuple(LabelClass(f"class {k}") for k in range(len(world.classes)))
    )
    size = np.full((world.cases, 2), int(world.image))
    reads = BoxReads(
        index, np.concatenate(read), np.concatenate(label), np.vstack(box), schema, image_size=size
    )
    return reads, truth


def _sides(world: Scenario, n: int, rng: np.random.Generator) -> np.ndarray:
    size = world.size * np.exp(world.size_spread * rng.normal(size=n))
    aspect = np.exp(world.aspect_spread * rng.normal(size=n))
    return np.clip(np.column_stack([size * aspect, size / aspect]), 16, world.image / 2.5)


def _truth(world: Scenario, rng: np.random.Generator) -> Truth:
    case, label, box = [], [], []
    for i in range(world.cases):
        n = 0 if rng.random() < world.empty else rng.poisson(world.findings)
        placed: list[np.ndarray] = []
        for side in _sides(world, n, rng):
            for _ in range(20):
                near = bool(placed) and rng.random() < world.close
                if near:
                    other = placed[rng.integers(len(placed))]
                    angle = rng.uniform(0, 2 * np.pi)
                    away = rng.uniform(0.5, 1.1) * (other[2:] - other[:2] + side) / 2
                    centre = (other[:2] + other[2:]) / 2 + away * [np.cos(angle), np.sin(angle)]
                    centre = np.clip(centre, side / 2, world.image - side / 2)
                else:
                    centre = rng.uniform(side / 2, world.image - side / 2)
                one = np.r_[centre - side / 2, centre + side / 2]
                if all(aligned_iou(one, other) <= 0.4 for other in placed):
                    placed.append(one)
                    break
        case.append(np.full(len(placed), i))
        label.append(rng.choice(len(world.classes), len(placed), p=world.classes))
        box.append(np.array(placed).reshape(-1, 4))
    return Truth(np.concatenate(case), np.concatenate(label), np.vstack(box))


def _one_read(
    world: Scenario, reader: int, label: np.ndarray, box: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    n_classes = len(world.classes)
    seen = rng.random(label.size) < world.sensitivity[reader]
    label, box = label[seen], box[seen]
    side, centre = box[:, 2:] - box[:, :2], (box[:, :2] + box[:, 2:]) / 2
    half = world.scale[reader] * side / 2
    error = world.edge_sd[reader] * np.where(rng.random(label.size) < world.sloppy, 4.0, 1.0)
    noise = rng.normal(size=box.shape) * error[:, None] * np.hstack([side, side])
    drawn = np.hstack([centre - half, centre + half]) + noise
    wrong = rng.random(label.size) > world.class_accuracy[reader]
    label = np.where(wrong, (label + rng.integers(1, n_classes, label.size)) % n_classes, label)
    n = rng.poisson(world.false_alarms[reader])
    side = _sides(world, n, rng)
    centre = rng.uniform(side / 2, world.image - side / 2)
    drawn = np.vstack([drawn, np.hstack([centre - side / 2, centre + side / 2])])
    label = np.r_[label, rng.choice(n_classes, n, p=world.classes)]
    drawn = np.clip(drawn, 0, world.image)
    kept = (drawn[:, 2:] - drawn[:, :2] >= 2).all(axis=1)
    order = rng.permutation(np.flatnonzero(kept))
    return label[order], drawn[order]

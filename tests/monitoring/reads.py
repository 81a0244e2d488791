"""Simulated reads of every label kind, with a reader who drifts from some read on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from overread.labels import (
    BoxReads,
    InstanceReads,
    Kind,
    LabelClass,
    LabelSchema,
    MultiLabelReads,
    mask_reads,
    read_index,
    score_reads,
)
from overread.labels.classes import class_reads

NAMES = ("Ada", "Ben", "Cy")
Change = Callable[[np.random.Generator, np.ndarray], np.ndarray]


def schema(kind: Kind, *names: str) -> LabelSchema:
    return LabelSchema(kind, tuple(LabelClass(name) for name in names))


def who(n_cases: int) -> tuple[np.ndarray, np.ndarray]:
    """Every reader reads every case, in turn."""
    return np.repeat(np.arange(n_cases), 3), np.tile(np.arange(3), n_cases)


def truth_grades(rng, n):
    return rng.choice(5, n, p=(0.35, 0.25, 0.2, 0.1, 0.1))


def grades(n_cases=300, *, seed=0, change=None, since=0, ordinal=True):
    rng = np.random.default_rng(seed)
    case, reader = who(n_cases)
    said = truth_grades(rng, n_cases)[case] + np.rint(rng.normal(0, 0.45, case.size))
    said = np.clip(said, 0, 4).astype(int)
    if change is not None:
        rows = (reader == 0) & (case >= since)
        said[rows] = np.clip(change(rng, said[rows]), 0, 4)
    names = [NAMES[r] for r in reader]
    return class_reads([f"c{c}" for c in case], names, said, schema=[*"01234"], ordinal=ordinal)


def scores(n_cases=300, *, seed=0, change=None, since=0):
    rng = np.random.default_rng(seed)
    case, reader = who(n_cases)
    hard = np.exp(rng.normal(0, 0.4, n_cases))
    said = rng.uniform(20, 80, n_cases)[case] + rng.standard_t(5, case.size) * 3 * hard[case]
    if change is not None:
        rows = (reader == 0) & (case >= since)
        said[rows] = change(rng, said[rows])
    return score_reads([f"c{c}" for c in case], [NAMES[r] for r in reader], said)


def sets(n_cases=300, *, seed=0, change=None, since=0):
    rng = np.random.default_rng(seed)
    case, reader = who(n_cases)
    truth = rng.random((n_cases, 4)) < (0.4, 0.3, 0.2, 0.1)
    said = (truth[case] ^ (rng.random((case.size, 4)) < 0.08)).astype(np.int8)
    if change is not None:
        rows = (reader == 0) & (case >= since)
        said[rows] = change(rng, said[rows])
    index = read_index(case, [NAMES[r] for r in reader])
    return MultiLabelReads(index, said, schema(Kind.MULTILABEL, "a", "b", "c", "d"))


def corners(n_cases=300, *, seed=0, change=None, since=0, noise=(0.05, 0.07, 0.06)):
    """(reads,) index, (findings,) read, (findings, 4) boxes."""
    rng = np.random.default_rng(seed)
    case, reader = who(n_cases)
    count = rng.poisson(1.3, n_cases)
    low = rng.uniform(100, 700, (count.sum(), 2))
    true = np.hstack([low, low + np.exp(rng.normal(4.5, 0.4, (count.sum(), 2)))])
    first = np.r_[0, np.cumsum(count)]
    hard = np.exp(rng.normal(0, 0.3, n_cases))
    read, box = [], []
    for row, (c, r) in enumerate(zip(case, reader, strict=True)):
        own = true[first[c] : first[c + 1]]
        own = own[rng.random(len(own)) > 0.08]
        side = np.tile(own[:, 2:] - own[:, :2], 2)
        own = own + rng.normal(size=own.shape) * noise[r] * hard[c] * side
        if change is not None and r == 0 and c >= since:
            own = change(rng, own)
        own[:, 2:] = np.maximum(own[:, 2:], own[:, :2] + 2)
        read += [row] * len(own)
        box.append(own)
    index = read_index([f"c{c}" for c in case], [NAMES[r] for r in reader])
    return index, np.array(read), np.concatenate(box)


def boxes(n_cases=300, **how):
    index, read, box = corners(n_cases, **how)
    return BoxReads(index, read, np.zeros(read.size, int), box, schema(Kind.BOX, "mass"))


def instances(n_cases=300, **how):
    index, read, box = corners(n_cases, **how)
    point = box[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 2)
    first = np.arange(read.size + 1) * 4
    label = np.zeros(read.size, int)
    return InstanceReads(index, read, label, point, first, schema(Kind.INSTANCE, "mass"))


def masks(n_cases=80, *, seed=0, change=None, since=0, spacing=(0.5, 0.5)):
    """Discs; the change is one of the radius."""
    rng = np.random.default_rng(seed)
    case, reader = who(n_cases)
    radius = rng.uniform(7, 12, n_cases)[case] + rng.normal(0, 0.4, case.size)
    centre = rng.uniform(15, 25, (n_cases, 2))[case] + rng.normal(0, 0.4, (case.size, 2))
    if change is not None:
        rows = (reader == 0) & (case >= since)
        radius[rows] = change(rng, radius[rows])
    y, x = np.mgrid[:40, :40]
    drawn = [
        ((y - cy) ** 2 + (x - cx) ** 2 <= r * abs(r)).astype(np.int8)
        for (cy, cx), r in zip(centre, radius, strict=True)
    ]
    index = read_index([f"c{c}" for c in case], [NAMES[r] for r in reader])
    there = schema(Kind.MASK, "background", "organ")
    return mask_reads(index, drawn, there, spacing_mm=np.array(spacing) if spacing else None)


def shrink(by: float) -> Change:
    """Boxes lose this share of their area, on all sides."""

    def change(_, box):
        side = np.tile(box[:, 2:] - box[:, :2], 2)
        return box + side * (1 - np.sqrt(1 - by)) / 2 * np.array([1, 1, -1, -1])

    return change


def lower_edge(by: float) -> Change:
    def change(_, box):
        return box - (box[:, 3:] - box[:, 1:2]) * by * np.array([0, 0, 0, 1])

    return change


def shift(by: float) -> Change:
    def change(_, box):
        return box + (box[:, 2:3] - box[:, :1]) * by * np.array([1, 0, 1, 0])

    return change


def anywhere(rng, box):
    low = rng.uniform(0, 900, (len(box), 2))
    return np.hstack([low, low + 80])

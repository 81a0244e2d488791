"""Reads that several tests of consensus share, real and simulated."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from overread.labels import ClassReads, class_reads


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def anaesthesia(folder: Path) -> ClassReads:
    rows = rows_of(folder / "anesthesia.csv")
    return class_reads(
        [r["item"] for r in rows],
        [r["rater"] for r in rows],
        [str(int(float(r["rating"]))) for r in rows],
        repeats="keep",
    )


def caries(folder: Path) -> ClassReads:
    case, reader, label = [], [], []
    n = 0
    for row in rows_of(folder / "caries.csv"):
        for _ in range(int(float(row["n"]))):
            for j in range(1, 6):
                case.append(n)
                reader.append(j)
                label.append(int(float(row[f"rater_{j}"])))
            n += 1
    return class_reads(np.array(case), np.array(reader), np.array(label))


def product(folder: Path) -> tuple[ClassReads, NDArray[np.int64]]:
    rows = rows_of(folder / "product-answers.csv")
    reads = class_reads(
        [r["question"] for r in rows],
        [r["worker"] for r in rows],
        [r["answer"] for r in rows],
        repeats="keep",
    )
    truth = {r["question"]: int(r["truth"]) for r in rows_of(folder / "product-truth.csv")}
    return reads, np.array([truth[case] for case in reads.index.cases.tolist()])


def simulated(
    seed: int,
    *,
    cases: int = 200,
    readers: int = 6,
    classes: int = 3,
    per_case: int = 4,
    accuracy: tuple[float, float] = (0.5, 0.95),
) -> tuple[ClassReads, NDArray[np.int64]]:
    """Unequal readers, each case read by ``per_case`` of them, classes of unequal prevalence."""
    rng = np.random.default_rng(seed)
    prevalence = rng.dirichlet(np.full(classes, 5.0))
    truth = rng.choice(classes, size=cases, p=prevalence)
    skill = rng.uniform(*accuracy, size=readers)
    who = np.argsort(rng.random((cases, readers)), axis=1)[:, :per_case]
    case = np.repeat(np.arange(cases), per_case)
    reader = who.reshape(-1)
    right = rng.random(case.size) < skill[reader]
    other = (truth[case] + rng.integers(1, classes, case.size)) % classes
    said = np.where(right, truth[case], other)
    return class_reads(case, reader, said, schema=[str(k) for k in range(classes)]), truth

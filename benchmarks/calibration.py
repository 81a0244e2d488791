"""Claim: calibrated Dawid-Skene has 30 % lower NLL than plain Dawid-Skene, at no loss of accuracy.

Real reads with known truth (the folder shared/data/reads beside the checkout, or
OVERREAD_SHARED_DATA), and simulated reads in which cases differ in difficulty and readers share
wrong answers. A second group of simulated reads obeys the model (readers independent given the
truth): there plain Dawid-Skene is right, and what calibration costs shows.

NLL is the mean of -log p(truth) in nats, p at least 1e-12; ECE has 15 bins of equal mass. "Plain"
is crowd-kit's Dawid-Skene (100 iterations); "uncalibrated" is ours with calibrate=False, which is
maximum a posteriori and so smoother than plain; no method sees the truth, but for "20 gold".
"""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from crowdkit.aggregation import DawidSkene

from _common import arguments, finish
from overread.consensus.dawid_skene import dawid_skene
from overread.consensus.ebcc import ebcc
from overread.consensus.scoring import score
from overread.labels import ClassReads, class_reads

FOLDER = Path(os.environ.get("OVERREAD_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
GOLD = 20


@dataclass(frozen=True)
class Task:
    """Args: group ("nih", ...); name; reads; truth (cases,) codes, -1 unknown."""

    group: str
    name: str
    reads: ClassReads
    truth: np.ndarray[Any, Any]


def rows(name: str) -> list[dict[str, str]]:
    path = FOLDER / "reads" / name
    if not path.is_file():
        sys.exit(f"the real reads are missing: {path} (set OVERREAD_SHARED_DATA to their folder)")
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def task(group: str, name: str, said: list[tuple[str, str, str]], truth: dict[str, str]) -> Task:
    said = list(dict.fromkeys(row for row in said if row[0] in truth))
    schema = sorted({row[2] for row in said} | set(truth.values()))
    case, reader, label = zip(*said, strict=True)
    reads = class_reads(case, reader, label, schema=schema, repeats="keep")
    codes = [schema.index(truth[str(one)]) for one in reads.index.cases]
    return Task(group, name, reads, np.array(codes))


def real(small: bool) -> Iterator[Task]:
    said, truth = rows("nih-four-findings-readers.csv"), rows("nih-four-findings-adjudicated.csv")
    named = ("Fracture", "Pneumothorax", "Airspace opacity", "Nodule/mass")
    for column in named[:1] if small else named:
        key = column.replace("/", " or ")
        answers = [(r["Image ID"], r["Reader ID"], r[column]) for r in said]
        yield task("nih", f"nih {column}", answers, {r["Image Index"]: r[key] for r in truth})
    said, truth = rows("chexpert-eight-radiologists.csv"), rows("chexpert-majority-of-five.csv")
    said = [r for r in said if r["reader"] in ("bc4", "bc6", "bc8")]
    columns = [key for key in truth[0] if key != "Study"]
    for column in columns[:1] if small else columns:
        answers = [(r["Study"], r["reader"], r[column]) for r in said]
        yield task(
            "chexpert", f"chexpert {column}", answers, {r["Study"]: r[column] for r in truth}
        )
    answers = [(r["question"], r["worker"], r["answer"]) for r in rows("product-answers.csv")]
    known = {r["question"]: r["truth"] for r in rows("product-truth.csv")[: 400 if small else None]}
    yield task("product", "product", answers, known)


def simulated(small: bool) -> Iterator[Task]:
    shapes: list[dict[str, Any]] = [
        {"cases": 1000, "readers": 20, "reads": 3, "classes": 2},
        {"cases": 2000, "readers": 150, "reads": 5, "classes": 5, "low": 0.35},
        {"cases": 800, "readers": 8, "reads": 8, "classes": 3},
        {"cases": 500, "readers": 50, "reads": 10, "classes": 4, "low": 0.4, "shared": 0.8},
        {"cases": 400, "readers": 6, "reads": 3, "classes": 2, "rare": 0.1},
    ]
    for seed in range(1 if small else 3):
        for shape in shapes[4:] if small else shapes:
            yield simulate(seed, difficulty=1.0, **shape)
            yield simulate(seed, difficulty=0.0, **shape | {"shared": 0.0})


def simulate(
    seed: int,
    *,
    cases: int,
    readers: int,
    reads: int,
    classes: int,
    difficulty: float,
    low: float = 0.6,
    high: float = 0.95,
    shared: float = 0.5,
    rare: float = 0.0,
) -> Task:
    """GLAD-like reads: logit accuracy = skill x ease of the case; half the errors are shared."""
    rng = np.random.default_rng(seed)
    share = np.full(classes, 1 / classes) if not rare else np.array([1 - rare, rare])
    truth = rng.choice(classes, cases, p=share)
    skill = rng.uniform(low, high, readers)
    ease = np.exp(difficulty * rng.normal(size=cases))
    lure = (truth + rng.integers(1, classes, cases)) % classes
    case = np.repeat(np.arange(cases), reads)
    reader = np.concatenate([rng.choice(readers, reads, replace=False) for _ in range(cases)])
    logit = np.log(skill / (1 - skill))[reader] * ease[case]
    logit += rng.normal(0, 0.5, (readers, classes))[reader, truth[case]]
    right = rng.random(case.size) < np.maximum(1 / (1 + np.exp(-logit)), 1 / classes)
    other = (truth[case] + rng.integers(1, classes, case.size)) % classes
    wrong = np.where(rng.random(case.size) < shared, lure[case], other)
    said = np.where(right, truth[case], wrong)
    schema = [str(k) for k in range(classes)]
    group = "simulated, hard cases" if difficulty else "simulated, independent"
    name = f"{group[11:]} {cases} x {reads} of {readers}, K={classes}, seed {seed}"
    return Task(group, name, class_reads(case, reader, said, schema=schema), truth)


def crowd_kit(reads: ClassReads) -> np.ndarray[Any, Any]:
    table = pd.DataFrame({
        "task": reads.index.case, "worker": reads.index.reader, "label": reads.label.astype(int)
    })  # fmt: skip
    proba = DawidSkene(n_iter=100).fit_predict_proba(table)
    wide = proba.reindex(index=range(reads.index.n_cases), columns=range(reads.n_classes))
    return wide.fillna(0.0).to_numpy()


def shares(reads: ClassReads) -> np.ndarray[Any, Any]:
    counts = reads.counts()
    return counts / counts.sum(axis=1, keepdims=True)


METHODS: dict[str, Callable[[ClassReads], Any]] = {
    "vote shares": shares,
    "plain": crowd_kit,
    "uncalibrated": lambda reads: dawid_skene(reads, calibrate=False),
    "calibrated": dawid_skene,
    "ebcc": ebcc,
}


def with_gold(one: Task) -> tuple[Any, np.ndarray[Any, Any]]:
    """Default with 20 gold cases, and the truth of the others."""
    known = np.flatnonzero(one.truth >= 0)
    chosen = np.random.default_rng(0).choice(known, GOLD, replace=False)
    gold = np.full(one.truth.size, -1)
    gold[chosen] = one.truth[chosen]
    rest = one.truth.copy()
    rest[chosen] = -1
    return dawid_skene(one.reads, gold=gold), rest


def measure(one: Task) -> dict[str, tuple[float, float, float]]:
    """Method -> NLL, ECE, accuracy."""
    results = {name: (method(one.reads), one.truth) for name, method in METHODS.items()}
    results["20 gold"] = with_gold(one)
    found = {}
    for name, (result, truth) in results.items():
        s = score(result, truth, draws=0)
        found[name] = (s.nll, s.ece, s.accuracy)
    return found


def summary(tasks: list[tuple[Task, dict[str, tuple[float, float, float]]]]) -> dict[str, Any]:
    """Means over tasks; the ratio is the mean of the tasks' ratios to plain Dawid-Skene."""
    names = list(tasks[0][1])
    table = np.array([[found[name] for name in names] for _, found in tasks])
    ratio = table[:, :, 0] / table[:, [names.index("plain")], 0]
    return {
        name: {
            "nll": round(float(table[:, i, 0].mean()), 4),
            "ece": round(float(table[:, i, 1].mean()), 4),
            "accuracy": round(float(table[:, i, 2].mean()), 4),
            "nll_ratio": round(float(ratio[:, i].mean()), 3),
        }
        for i, name in enumerate(names)
    }


def main() -> None:
    small = arguments(__doc__).small
    if small:
        METHODS["ebcc"] = lambda reads: ebcc(reads, starts=1)
    done = []
    for one in [*real(small), *simulated(small)]:
        done.append((one, measure(one)))
        shown = "  ".join(
            f"{name} {nll:.3f}/{ece:.3f}/{accuracy:.3f}"
            for name, (nll, ece, accuracy) in done[-1][1].items()
        )
        print(f"{one.name:42s} {shown}", flush=True)
    groups = {group: [row for row in done if row[0].group == group] for group in
              dict.fromkeys(one.group for one, _ in done)}  # fmt: skip
    figures = {group: summary(part) for group, part in groups.items()}
    print(
        f"\n{'group':24s} {'method':14s} {'NLL':>7s} {'ECE':>7s} {'acc.':>7s} {'NLL / plain':>12s}"
    )
    for group, part in figures.items():
        for name, f in part.items():
            print(f"{group:24s} {name:14s} {f['nll']:7.3f} {f['ece']:7.3f} {f['accuracy']:7.3f} "
                  f"{f['nll_ratio']:12.2f}")  # fmt: skip
    hard = [group for group in figures if group != "simulated, independent"]
    ratios = {group: figures[group]["calibrated"]["nll_ratio"] for group in figures}
    finish({
        "claim": "calibrated / plain (crowd-kit) Dawid-Skene: mean NLL ratio <= 0.70",
        "nll_ratio_by_group": ratios,
        "nll_ratio_mean": round(float(np.mean([ratios[group] for group in hard])), 3),
        "nll_ratio_real_mean": round(float(np.mean([ratios[group] for group in hard[:3]])), 3),
        "accuracy_change_by_group": {
            group: round(part["calibrated"]["accuracy"] - part["plain"]["accuracy"], 4)
            for group, part in figures.items()
        },
        "groups": figures,
    })  # fmt: skip


if __name__ == "__main__":
    main()

"""Claim: reading on demand saves a third of the reads at about the accuracy of all of them.

Tables that hold every read are replayed: after each round of reads the calibrated posterior of
Dawid-Skene is asked whether the case is sure (0.95), or whether all the reads left would help by
less than 0.005; if neither, one more read is asked of the reader of that case who tells most.
Nobody sees the truth; which 10 % of the cases everybody reads (so that readers become known,
counted as reads) is drawn by a seed.

Peers, in the same run: (a) all k reads; (b) a fixed number of reads below k, in random order, by
the same consensus (accuracy between whole numbers of reads is interpolated); (c) majority, in
random order, until no further read can change it; (d) majority until the first two agree, else
all. The threshold is set beforehand (0.95); "best threshold" is the most that one of 0.9, 0.95 and
0.98 would have saved at half a point of accuracy below all reads or better.

Read this with care: with three readers of about the same skill (NIH), (d) is as good, and simpler.
A model pays where readers differ, where their time differs, or where there are more than three.

The truth is independent of the readers on the NIH findings (adjudicated) and where simulated; on
CheXpert it is the majority of five others; on the mitoses it is the majority of the same five, so
there (c) is right by definition and what counts is how often the few say what the five say.
"""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from _common import arguments, finish
from overread.app.analysis.demand_model import Wishes, asks_by_models, fit_models
from overread.app.analysis.reach_consensus import reach_consensus
from overread.app.analysis.reads_on_demand import replay
from overread.labels import ClassReads, class_reads
from overread.planning.demand import ASK

FOLDER = Path(os.environ.get("OVERREAD_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
SURE = (0.9, 0.95, 0.98)
PRESET = 0.95
EQUAL = 0.005
CHEXPERT = ("No Finding", "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Opacity")
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Task:
    """Args: group; name; reads; truth (cases,) codes, -1 unknown."""

    group: str
    name: str
    reads: ClassReads
    truth: Array


def rows(name: str) -> list[dict[str, str]]:
    path = FOLDER / name
    if not path.is_file():
        sys.exit(f"the real reads are missing: {path} (set OVERREAD_SHARED_DATA to their folder)")
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def task(group: str, name: str, said: list[tuple[str, str, str]], truth: dict[str, str]) -> Task:
    said = list({row[:2]: row for row in said if row[0] in truth}.values())
    schema = sorted({row[2] for row in said} | set(truth.values()))
    case, reader, label = zip(*said, strict=True)
    reads = class_reads(case, reader, label, schema=schema)
    codes = [schema.index(truth[str(one)]) for one in reads.index.cases]
    return Task(group, name, reads, np.array(codes))


def real() -> Iterator[Task]:
    said = rows("reads/nih-four-findings-readers.csv")
    truth = rows("reads/nih-four-findings-adjudicated.csv")
    for column in ("Fracture", "Pneumothorax", "Airspace opacity", "Nodule/mass"):
        key = column.replace("/", " or ")
        answers = [(r["Image ID"], r["Reader ID"], r[column]) for r in said]
        yield task("nih", f"nih {column}", answers, {r["Image Index"]: r[key] for r in truth})
    said = rows("mitosis-votes/votes.csv")
    answers = [(r["Filename"], f"{k}", r[f"Expert_{k}"]) for r in said for k in range(1, 6)]
    yield task("mitosis", "mitosis", answers, {r["Filename"]: r["Majority"] for r in said})
    said = rows("reads/chexpert-eight-radiologists.csv")
    truth = rows("reads/chexpert-majority-of-five.csv")
    said = [r for r in said if r["reader"] in ("bc4", "bc6", "bc8")]
    for column in CHEXPERT:
        answers = [(r["Study"], r["reader"], r[column]) for r in said]
        known = {r["Study"]: r[column] for r in truth}
        yield task("chexpert", f"chexpert {column}", answers, known)


def simulated(small: bool) -> Iterator[Task]:
    shapes: list[dict[str, Any]] = [
        {"cases": 400, "readers": 6, "reads": 5, "share": (0.7, 0.3)},
        {"cases": 1500, "readers": 12, "reads": 5, "share": (0.85, 0.15)},
        {"cases": 1500, "readers": 10, "reads": 5, "share": (0.5, 0.3, 0.2)},
    ]
    if small:
        shapes = [shapes[0] | {"cases": 150, "reads": 3}]
    for shape in shapes:
        for difficulty in (1.0,) if small else (0.0, 1.0):
            yield simulate(difficulty=difficulty, **shape)


def simulate(
    *, cases: int, readers: int, reads: int, share: tuple[float, ...], difficulty: float
) -> Task:
    """Readers of accuracy 0.7 to 0.97; with difficulty, cases on which all of them err more."""
    rng = np.random.default_rng(cases + readers)
    k = len(share)
    truth = rng.choice(k, cases, p=share)
    skill = rng.uniform(0.7, 0.97, readers)
    ease = np.exp(difficulty * rng.normal(size=cases))
    case = np.repeat(np.arange(cases), reads)
    reader = np.concatenate([rng.choice(readers, reads, replace=False) for _ in range(cases)])
    right = 1 / (1 + ((1 - skill[reader]) / skill[reader]) ** ease[case])
    right = np.maximum(right, 1 / k)
    other = (truth[case] + rng.integers(1, k, case.size)) % k
    said = np.where(rng.random(case.size) < right, truth[case], other)
    name = f"simulated {'hard cases' if difficulty else 'independent'} {cases} x {reads}, K={k}"
    table = class_reads(
        [f"{c:05}" for c in case], reader, said, schema=[str(one) for one in range(k)]
    )
    return Task("simulated", name, table, truth)


def in_random_order(reads: ClassReads, seed: int) -> Array:
    """(cases, most reads) rows of each case in random order; -1 behind the last."""
    lot = np.random.default_rng([seed, 9]).random(reads.index.n_reads)
    order = np.lexsort((lot, reads.index.case))
    case = reads.index.case[order].astype(np.int64)
    start = np.searchsorted(case, np.arange(reads.index.n_cases))
    place = np.arange(case.size) - start[case]
    wide = np.full((reads.index.n_cases, int(place.max()) + 1), -1)
    wide[case, place] = order
    return wide


def consensus(reads: ClassReads, used: Array) -> Array:
    return np.asarray(reach_consensus(reads.select(used)).result.value.code)


def majority_until(
    reads: ClassReads, wide: Array, stop: Callable[[Array, int, int], Array]
) -> tuple[float, Array]:
    """Reads a case and the majority, each case read until ``stop(counts, read, k)``."""
    counts = np.zeros((len(wide), reads.n_classes), dtype=int)
    going = np.ones(len(wide), dtype=bool)
    used = 0
    for place in range(wide.shape[1]):
        here = np.flatnonzero(going & (wide[:, place] >= 0))
        used += here.size
        counts[here, reads.label[wide[here, place]]] += 1
        going &= ~stop(counts, place + 1, wide.shape[1])
    return used / len(wide), counts.argmax(axis=1)


def in_a_project(reads: ClassReads, wide: Array) -> tuple[float, Array]:
    """As the server does it: two reads of each case, then judged by models learned now and then."""
    label, reader = reads.label, reads.index.reader
    names = [str(one) for one in reads.index.readers]
    k = wide.shape[1]
    wishes = Wishes(PRESET, min(2, k), k)
    used = np.zeros(reads.index.n_reads, dtype=bool)
    used[wide[:, : wishes.least][wide[:, : wishes.least] >= 0]] = True
    while True:
        said = [
            [(names[reader[row]], int(label[row])) for row in rows_[rows_ >= 0] if used[row]]
            for rows_ in wide
        ]
        open_ = np.zeros((len(wide), len(names)), dtype=bool)
        free = wide[(wide >= 0) & ~used[wide]]
        open_[reads.index.case[free], reader[free]] = True
        asks, _ = asks_by_models(
            fit_models(reads.select(used)), [said], readers=names, available=open_,
            reads=np.array([len(of) for of in said]), seconds={}, wishes=wishes,
        )  # fmt: skip
        ask = np.flatnonzero(asks.state == ASK)
        if not ask.size:
            return float(used.sum() / len(wide)), consensus(reads, used)
        at = {
            (case, who): row
            for row, (case, who) in enumerate(
                zip(reads.index.case.tolist(), reader.tolist(), strict=True)
            )
        }
        used[[at[case, asks.reader[case]] for case in ask.tolist()]] = True


def settled(counts: Array, read: int, k: int) -> Array:
    best = np.sort(counts, axis=1)
    return best[:, -1] > best[:, -2] + (k - read)


def two_agree(counts: Array, read: int, _: int) -> Array:
    return (counts.max(axis=1) == 2) & (read == 2)


def measure(
    one: Task, seed: int, thresholds: Sequence[float] = SURE
) -> dict[str, list[tuple[float, float]]]:
    """Policy -> points of (share of reads saved, accuracy)."""
    known = one.truth >= 0
    reads = one.reads

    def point(used: float, code: Array) -> tuple[float, float]:
        return 1 - used / per_case, float((code[known] == one.truth[known]).mean())

    wide = in_random_order(reads, seed)
    per_case = reads.index.n_reads / reads.index.n_cases
    every = np.ones(reads.index.n_reads, dtype=bool)
    found = {"all": [point(per_case, consensus(reads, every))]}
    found["fixed"] = []
    for k in range(1, wide.shape[1]):
        used = np.zeros(reads.index.n_reads, dtype=bool)
        used[wide[:, :k][wide[:, :k] >= 0]] = True
        found["fixed"].append(point(used.sum() / len(wide), consensus(reads, used)))
    found["fixed"].append(found["all"][0])
    found["settled"] = [point(*majority_until(reads, wide, settled))]
    found["two agree"] = [point(*majority_until(reads, wide, two_agree))]
    found["majority of all"] = [point(per_case, reads.counts().argmax(axis=1))]
    found["project"] = [point(*in_a_project(reads, wide))]
    found["on demand"] = []
    for sure in thresholds:
        done = replay(reads, sure=sure, seed=seed)
        found["on demand"].append(point(done.used.sum() / len(wide), done.consensus.value.code))
    return found


def saved_at_equal(points: list[tuple[float, float]], least: float) -> float:
    """Most reads saved by a point that is accurate enough; 0 where none is."""
    return max([saved for saved, accuracy in points if accuracy >= least], default=0.0)


def between(points: list[tuple[float, float]], least: float) -> float:
    """As above on the line through the points of fixed numbers of reads."""
    order = sorted(points)
    saved = np.linspace(order[0][0], order[-1][0], 400)
    accuracy = np.interp(saved, [p[0] for p in order], [p[1] for p in order])
    good = saved[accuracy >= least]
    return float(good.max()) if good.size else 0.0


def summary(points: dict[str, list[tuple[float, float]]]) -> dict[str, float]:
    accuracy = points["all"][0][1]
    least = accuracy - EQUAL
    preset = points["on demand"][len(points["on demand"]) // 2]  # PRESET stands in the middle
    order = sorted(points["fixed"])
    same_reads = float(np.interp(preset[0], [p[0] for p in order], [p[1] for p in order]))
    return {
        "accuracy_of_all": accuracy,
        "saved": preset[0],
        "accuracy_change": preset[1] - accuracy,
        "fixed_at_the_same_reads": same_reads - accuracy,
        "project_saved": points["project"][0][0],
        "project_change": points["project"][0][1] - accuracy,
        "fixed_at_the_project's_reads": float(
            np.interp(points["project"][0][0], [p[0] for p in order], [p[1] for p in order])
        )
        - accuracy,
        "best_threshold_saved": saved_at_equal(points["on demand"], least),
        "fixed_saved": between(points["fixed"], least),
        "settled_saved": points["settled"][0][0],
        "settled_change": points["settled"][0][1] - accuracy,
        "two_agree_saved": points["two agree"][0][0],
        "two_agree_change": points["two agree"][0][1] - accuracy,
    }


def part_of(one: Task, cases: int, seed: int) -> Task:
    """So many of a table's cases, drawn at random."""
    size = one.reads.index.n_cases
    chosen = np.random.default_rng([seed, cases]).permutation(size)[:cases]
    kept = one.reads.select(np.flatnonzero(np.isin(one.reads.index.case, chosen)))
    table = class_reads(
        [str(kept.index.cases[c]) for c in kept.index.case],
        [str(kept.index.readers[r]) for r in kept.index.reader],
        [one.reads.schema.names[int(c)] for c in kept.label],
        schema=one.reads.schema.names,
    )
    truth = dict(zip((str(c) for c in one.reads.index.cases), one.truth, strict=True))
    return Task(one.group, one.name, table, np.array([truth[str(c)] for c in table.index.cases]))


def in_parts(sizes: Sequence[int]) -> None:
    """Small projects: parts of the real tables, the mean over findings and draws."""
    figures: dict[str, Any] = {"claim": "reads on demand in small projects"}
    for cases in sizes:
        by_group: dict[str, list[dict[str, float]]] = {}
        for one in real():
            if one.group in {"nih", "mitosis"}:
                draws = 2 if one.group == "nih" else 6
                done = [
                    summary(measure(part_of(one, cases, seed), seed, (PRESET,)))
                    for seed in range(draws)
                ]
                by_group.setdefault(one.group, []).extend(done)
        for group, done in by_group.items():
            mean = {key: round(float(np.mean([row[key] for row in done])), 4) for key in done[0]}
            for key in ("accuracy_change", "project_change"):
                spread = np.std([row[key] for row in done], ddof=1) / np.sqrt(len(done))
                mean[f"{key}_se"] = round(float(spread), 4)
            figures[f"{group}, {cases} cases"] = mean
            print(group, cases, mean, flush=True)
    finish(figures)


def main() -> None:
    asked = arguments(__doc__, names=True)
    small, parts = asked.small, [int(one) for one in asked.names]
    seeds = 1 if small else 2
    if parts:
        in_parts(parts)
        return
    done: list[tuple[Task, dict[str, float]]] = []
    for one in [*([] if small else real()), *simulated(small)]:
        each = [summary(measure(one, seed)) for seed in range(seeds)]
        mean = {key: float(np.mean([row[key] for row in each])) for key in each[0]}
        done.append((one, mean))
        print(f"{one.name:44s} " + "  ".join(f"{k} {v:.3f}" for k, v in mean.items()), flush=True)
    groups = {}
    for group in dict.fromkeys(one.group for one, _ in done):
        part = [row for one, row in done if one.group == group]
        groups[group] = {
            key: round(float(np.mean([row[key] for row in part])), 4) for key in part[0]
        }
    finish({
        "claim": "share of reads saved at a posterior of 0.95, and what that costs in accuracy",
        "tasks": len(done),
        "groups": groups,
    })  # fmt: skip


if __name__ == "__main__":
    main()

"""Accuracy by share of images labelled: ours, random order and standard active learning.

Real images of `shared/data`, described by the product's quick encoder (no pretrained network, no
label). A fifth of the cases, whole patients where the file names tell them, is held back; accuracy
is measured there. "ours" starts with typical cases and goes on by margin + cluster, the default;
further acquisitions have the same start and model. "random" has the same model. "standard" is
the usual recipe: a random start, logistic regression, the highest entropy, in batches.
`labels_of_random` is how many labels random order needs for the accuracy that ours has at 5 %, over
the labels that ours has. Knee grades are ordinal; mitosis labels are the majority of five readers.
ECE: 15 bins of equal width.
"""

from __future__ import annotations

import csv
import os
import re
import sys
import time
from pathlib import Path

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

import numpy as np
from PIL import Image

from _common import arguments, finish
from overread.latents.quick import SIDE, encode_quick, learn_quick
from overread.selection.acquisition.scores import entropy
from overread.selection.basis import features_of
from overread.selection.belief import Belief, mean_of
from overread.selection.likelihood import grades
from overread.selection.logistic import fit_logistic, predict_logistic
from overread.selection.pool import label_many, next_cases, open_pool, tune
from overread.selection.process import field_of, one_hot
from overread.selection.splits import split_by_group

DATA = Path(os.environ.get("OVERREAD_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
SHARES = (0.01, 0.02, 0.05, 0.10, 0.16)
FURTHER = (0.30, 0.50, 0.80)  # random order goes on


def rows_of(name: str) -> list[dict]:
    with (DATA / name).open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def chest(classes: int) -> tuple:
    rows = rows_of("chest-xray/labels.csv")
    names = ["normal", "bacterial", "viral"]
    kinds = [next((i for i, n in enumerate(names) if n[:5] in row["subtype"]), 0) for row in rows]
    truth = np.minimum(kinds, classes - 1)
    patients = [re.search(r"(person\d+|IM-\d+)", row["file"]) for row in rows]
    groups = [
        found.group() if found else row["file"] for found, row in zip(patients, rows, strict=True)
    ]
    return "chest-xray", [row["file"] for row in rows], truth, groups, "L"


def knee() -> tuple:
    rows = rows_of("knee-grades/labels.csv")
    patients = [re.search(r"\d{5,}", row["file"]) for row in rows]
    groups = [
        found.group() if found else row["file"] for found, row in zip(patients, rows, strict=True)
    ]
    truth = np.array([int(row["grade"]) for row in rows])
    return "knee-grades", [row["file"] for row in rows], truth, groups, "L"


def mitosis() -> tuple:
    rows = rows_of("mitosis-votes/votes.csv")
    truth = np.array([row["Majority"] != "Normal" for row in rows]).astype(int)
    files = [Path(row["Filename"]).with_suffix(".jpg").name for row in rows]
    return "mitosis-votes", files, truth, files, "RGB"


def latents_of(folder: str, files: list, mode: str, *, small: bool) -> np.ndarray:
    size = (SIDE, SIDE)
    images = np.stack(
        [
            np.asarray(Image.open(DATA / folder / "images" / file).convert(mode).resize(size))
            for file in files
        ]
    )
    sample = np.random.default_rng(0).permutation(len(images))[:2000]
    settings = {"words": 24, "patches": 2000, "size": 24} if small else {}
    return encode_quick(images, learn_quick(images[sample], **settings))


def measured(p: np.ndarray, y: np.ndarray) -> dict:
    said, k = p.argmax(axis=1), p.shape[1]
    recall = [float((said[y == c] == c).mean()) for c in range(k) if (y == c).any()]
    sure, right = p.max(axis=1), said == y
    bin_ = np.minimum((sure * 15).astype(int), 14)
    apart = [abs((sure - right)[bin_ == b].sum()) for b in range(15)]
    found = {
        "accuracy": float(right.mean()), "balanced": float(np.mean(recall)),
        "ece": float(sum(apart) / len(y)),
        "nll": float(-np.log(np.maximum(p[np.arange(len(y)), y], 1e-12)).mean()),
        "rarest_recall": recall[int(np.bincount(y).argmin())],
    }  # fmt: skip
    if k > 3:  # grades
        step = np.subtract.outer(np.arange(k), np.arange(k)) ** 2
        median = (np.cumsum(p, axis=1) < 0.5).sum(axis=1)
        table = np.zeros((k, k))
        np.add.at(table, (median, y), 1)
        chance = np.outer(table.sum(axis=1), table.sum(axis=0)) / len(y)
        found["quadratic_kappa"] = float(1 - (step * table).sum() / (step * chance).sum())
        found["mae"] = float(np.abs(median - y).mean())
    return found


def ours(x, y, test, marks, *, name, start, seed, ordinal) -> list[dict]:
    k = int(y.max()) + 1
    train = np.setdiff1d(np.arange(len(y)), test)
    pool = open_pool(x[train], k, seed=seed, settings=grades(k) if ordinal else None)
    batch = max(len(train) // 200, 4)
    found = []
    for mark in marks:
        while len(pool.votes) < mark:
            count = min(batch, mark - len(pool.votes))
            how = name if pool.votes else start
            rows = next_cases(pool, count, name=how, seed=seed).rows
            pool = label_many(pool, rows, one_hot(y[train[rows]], k))
            if pool.stale:
                pool = tune(pool)
        field = field_of(pool.process, features_of(x[test], pool.basis))
        found.append(measured(mean_of(field, pool.settings), y[test]))
    return found


def standard(x, y, test, marks, *, seed) -> list[dict]:
    k = int(y.max()) + 1
    train = np.setdiff1d(np.arange(len(y)), test)
    scaled = (x - x[train].mean(axis=0)) / x[train].std(axis=0).mean()
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(train))
    have = list(order[: marks[0]])
    batch, found = max(len(train) // 200, 4), []
    for mark in marks:
        while True:
            weights = fit_logistic(scaled[train[have]], one_hot(y[train[have]], k))
            if len(have) >= mark:
                break
            score = entropy(Belief(predict_logistic(weights, scaled[train]), x[:0], x[:0]))
            score[have] = -np.inf
            have += np.argsort(-score, kind="stable")[: min(batch, mark - len(have))].tolist()
        found.append(measured(predict_logistic(weights, scaled[test]), y[test]))
    return found


def times_fewer(ours_at: float, labels: int, random: list[float], marks: list[int]) -> float:
    """Labels that random order needs for an accuracy, over ``labels``; a floor if never."""
    line = np.maximum.accumulate(random)
    if ours_at > line[-1]:
        return marks[-1] / labels
    need = np.exp(np.interp(ours_at, line, np.log(marks)))
    return float(need / labels)


def one_set(name: str, made: tuple, x: np.ndarray, seeds: int, names: tuple, *, ordinal) -> dict:
    _, _, y, groups, _ = made
    _, code = np.unique(groups, return_inverse=True)
    curves: dict[str, list] = {}
    for seed in range(seeds):
        part = split_by_group(code, (0.8, 0.2), strata=y, seed=seed)
        test = np.flatnonzero(part == 1)
        n = len(y) - len(test)
        marks = [max(round(n * share), 4) for share in SHARES]
        long = [*marks, *(round(n * share) for share in FURTHER)]
        told = {"ordinal": ordinal, "seed": seed}
        runs = {"random": ours(x, y, test, long, name="random", start="random", **told)}
        for how in names:
            runs[how] = ours(x, y, test, marks, name=how, start="typical", **told)
        runs["standard"] = standard(x, y, test, marks, seed=seed)
        for how, run in runs.items():
            curves.setdefault(how, []).append(run)
        print(name, "seed", seed, {h: [round(r["accuracy"], 3) for r in runs[h]] for h in runs},
              flush=True)  # fmt: skip
    mean = {
        how: [
            {key: round(float(np.mean([run[i][key] for run in runs])), 4) for key in runs[0][i]}
            for i in range(len(runs[0]))
        ]
        for how, runs in curves.items()
    }
    random = [one["accuracy"] for one in mean["random"]]
    rows = [
        {"set": name, "order": how, "share": share} | one
        for how, run in mean.items()
        for share, one in zip((*SHARES, *FURTHER), run, strict=False)
    ]
    spread = np.std([run[2]["accuracy"] for run in curves[names[0]]]) / np.sqrt(seeds)
    fewer = times_fewer(mean[names[0]][2]["accuracy"], marks[2], random, long)
    usual = times_fewer(
        mean[names[0]][2]["accuracy"], marks[2], [r["accuracy"] for r in mean["standard"]], marks
    )
    return {
        "rows": rows,
        "summary": {
            "cases": len(y), "held_back": len(test), "seeds": seeds,
            "ours_at_5_percent": mean[names[0]][2]["accuracy"], "se": round(float(spread), 4),
            "labels_of_random": round(fewer, 2), "labels_of_standard": round(usual, 2),
            "worst_ece": max(one["ece"] for one in mean[names[0]]),
        },
    }  # fmt: skip


def main() -> None:
    args = arguments(__doc__, names=True)
    start = time.time()
    sets = {
        "chest-2": (lambda: chest(2), False),
        "chest-3": (lambda: chest(3), False),
        "knee": (knee, True),
        "mitosis": (mitosis, False),
    }
    names = ("margin-cluster", "baba", "bald", "entropy", "class-quota", "badge")
    figures: dict = {"benchmark": "label_efficiency", "small": args.small, "summary": {}}
    figures["curves"] = []
    encoded: dict[str, np.ndarray] = {}
    for name in ["mitosis"] if args.small else args.names or list(sets):
        load, ordinal = sets[name]
        made = load()
        if args.small:
            keep = np.sort(np.random.default_rng(0).permutation(len(made[1]))[:160])
            files, groups = ([part[i] for i in keep] for part in (made[1], made[3]))
            made = made[0], files, made[2][keep], groups, made[4]
        if made[0] not in encoded:
            encoded[made[0]] = latents_of(made[0], made[1], made[4], small=args.small)
        found = one_set(
            name, made, encoded[made[0]], 1 if args.small else 5,
            names[:1] if args.small else names, ordinal=ordinal,
        )  # fmt: skip
        figures["summary"][name] = found["summary"]
        figures["curves"] += found["rows"]
    figures["seconds"] = round(time.time() - start, 1)
    finish(figures)


if __name__ == "__main__":
    sys.exit(main())

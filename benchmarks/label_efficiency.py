"""Accuracy by share of images labelled: ours, random order and standard active learning.

Real images of `shared/data`, described by the product's default chain of encoders. A fifth of the
cases, whole patients where the file names tell them, is held back; accuracy is measured there;
"whole_set" is the share of all other labels that are right, those read counted as right.
"adaptive" is the default and starts with typical cases; further acquisitions have the same start
and model. "random" has the same model. "standard" is the usual recipe: a random start, logistic
regression, the highest entropy, in batches.
`labels_of_random` is how many labels random order needs for the accuracy that ours has at each
share, over the labels that ours has; `labels_of_standard` is the same at 5 %. Knee grades are
ordinal; mitosis labels are the majority of five readers. ECE: 15 bins of equal width.
"""

from __future__ import annotations

import csv
import os
import re
import sys
import tempfile
import time
from pathlib import Path

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

import numpy as np
from PIL import Image

from _common import arguments, finish
from overread.latents.joining import join
from overread.latents.quick_encoder import fit_quick
from overread.latents.stream import latents_of_all
from overread.latents.table import Project, default_chain, open_encoder
from overread.selection.replay import STANDARD, Replay, Strategy, replay
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
    """Latents of the default chain of encoders, kept in OVERREAD_BENCH_LATENTS if that is set."""

    def load(place: int) -> np.ndarray:
        return np.asarray(Image.open(DATA / folder / "images" / files[place]).convert(mode))

    keys = [f"{folder}/{file}" for file in files]
    if small:
        encoders = [fit_quick(keys, load, words=24, patches=2000, size=24)]
    with tempfile.TemporaryDirectory() as made:
        place = Path(os.environ.get("OVERREAD_BENCH_LATENTS", made)) / folder
        place.mkdir(parents=True, exist_ok=True)
        if not small:
            project = Project(place, keys, load)
            encoders = [open_encoder(name, project) for name in default_chain()]
        parts = latents_of_all(keys, load, encoders, place)
        return join([np.asarray(one.rows) for one in parts])


def measured(one: Replay, y: np.ndarray, classes: int) -> list[dict]:
    rarest = int(np.bincount(y, minlength=classes).argmin())
    found = []
    for q, pool in zip(one.held_back, one.pool, strict=True):
        row = {
            "accuracy": q.accuracy, "balanced": q.balanced, "ece": q.ece, "nll": q.nll,
            "rarest_recall": q.recall[rarest], "whole_set": float(pool),
        }  # fmt: skip
        found.append(row | ({"kappa": q.kappa, "mae": q.mae} if q.mae == q.mae else {}))
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
    classes = int(y.max()) + 1
    curves: dict[str, list] = {}
    for seed in range(seeds):
        part = split_by_group(code, (0.8, 0.2), strata=y, seed=seed)
        test = np.flatnonzero(part == 1)
        n = len(y) - len(test)
        marks = [max(round(n * share), 4) for share in SHARES]
        long = [*marks, *(round(n * share) for share in FURTHER if seeds > 1)]

        def play(how: str, start: str, at: list, seed: int = seed, test=test) -> list[dict]:
            told = {"n_classes": classes, "ordinal": ordinal, "seed": seed}
            strategy = Strategy(how, start)
            found = replay(x, y, test, marks=np.array(at), strategy=strategy, **told)
            return measured(found, y[test], classes)

        runs = {"random": play("random", "random", long)}
        for how in names:
            runs[how] = play(how, "typical", marks)
        runs[STANDARD] = play(STANDARD, "random", marks)
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
    fewer = {
        str(share): round(times_fewer(one["accuracy"], mark, random, long), 2)
        for share, mark, one in zip(SHARES, marks, mean[names[0]], strict=True)
    }
    usual = times_fewer(
        mean[names[0]][2]["accuracy"], marks[2], [r["accuracy"] for r in mean["standard"]], marks
    )
    return {
        "rows": rows,
        "summary": {
            "cases": len(y), "held_back": len(test), "seeds": seeds,
            "ours_at_5_percent": mean[names[0]][2]["accuracy"], "se": round(float(spread), 4),
            "labels_of_random": fewer, "labels_of_standard": round(usual, 2),
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
    names = ("adaptive", "margin-cluster", "epig", "bald", "baba", "entropy", "class-quota")
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

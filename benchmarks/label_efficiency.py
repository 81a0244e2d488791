"""Accuracy by share of images labelled: ours, random order and standard active learning.

Real images of `shared/data`, described by the product's default chain of encoders. A fifth of the
cases, whole patients where the file names tell them, is held back; accuracy is measured there;
"whole_set" is the share of all other labels that are right, those read counted as right: what a
team gets. "bald-first" is the default and starts with typical cases, 5 % of the others come by
lot, as in the product. Further acquisitions have the same start and model, and fewer seeds.
"random" has the same model. "standard" is the usual recipe: a random start, logistic regression,
the highest entropy, in batches; modAL and scikit-activeml have logistic regression and margins.
`labels_of_random` is how many labels random order needs for the accuracy that ours has at each
share, over the labels that ours has; `labels_of_random_whole_set` is the same for the whole set;
`labels_of_standard` compares at 5 %. A ">" says that random order never got there. Knee grades are
ordinal; mitosis labels are the majority of five readers, and there the loop also learns from one
read of a reader by lot, and from all five as votes, measured on the majority all the same. ECE:
15 bins of equal width. Figures so far are printed after each set.
"""

from __future__ import annotations

import csv
import json
import os
import re
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

import numpy as np
from PIL import Image

from _common import arguments, finish
from _label_peers import PEERS, played
from overread.latents.joining import join
from overread.latents.quick_encoder import fit_quick
from overread.latents.stream import latents_of_all
from overread.latents.table import Project, default_chain, open_encoder
from overread.selection.acquisition.table import DEFAULT
from overread.selection.quality import Quality, quality_of
from overread.selection.replay import STANDARD, Strategy, replay
from overread.selection.splits import split_by_group

DATA = Path(os.environ.get("OVERREAD_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
SHARES = (0.01, 0.02, 0.05, 0.10, 0.16)
FURTHER = (0.30, 0.50, 0.80)  # random order goes on
SEEDS, FEWER_SEEDS = 5, 3  # of ours, random and standard; of all else
OURS = DEFAULT
OTHERS = ("margin-cluster", "adaptive", "epig", "bald", "baba", "entropy", "class-quota")
BY_LOT = 0.05


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


def mitosis_reads() -> dict[str, np.ndarray]:
    """What readers say of each case, in votes of the two classes: one of five by lot, and all."""
    rows = rows_of("mitosis-votes/votes.csv")
    said = np.array([[row[f"Expert_{i}"] != "Normal" for i in range(1, 6)] for row in rows])
    said = said.astype(int)
    by_lot = np.random.default_rng(0).integers(5, size=len(said))
    one = said[np.arange(len(said)), by_lot]
    return {
        "one read": np.eye(2)[one],
        "five reads": np.column_stack([5 - said.sum(axis=1), said.sum(axis=1)]).astype(float),
    }


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


def row_of(q: Quality, pool: float, rarest: int) -> dict:
    row = {
        "accuracy": q.accuracy, "balanced": q.balanced, "ece": q.ece, "nll": q.nll,
        "rarest_recall": q.recall[rarest], "whole_set": pool,
    }  # fmt: skip
    return row | ({"kappa": q.kappa, "mae": q.mae} if q.mae == q.mae else {})


def one_seed(
    x, y, code, seed: int, *, ordinal: bool, small: bool, reads: dict[str, np.ndarray]
) -> dict[str, list | str]:
    """Every strategy on one split: its figures at each mark."""
    part = split_by_group(code, (0.8, 0.2), strata=y, seed=seed)
    test, train = np.flatnonzero(part == 1), np.flatnonzero(part == 0)
    marks = [max(round(len(train) * share), 4) for share in SHARES]
    further = [] if small else [round(len(train) * share) for share in FURTHER]
    rarest, k = int(np.bincount(y).argmin()), int(y.max()) + 1

    def play(strategy: Strategy, at: list[int], votes: np.ndarray | None = None) -> list[dict]:
        told = {"n_classes": k, "ordinal": ordinal, "seed": seed, "votes": votes}
        found = replay(x, y, test, marks=np.array(at), strategy=strategy, **told)
        pairs = zip(found.held_back, found.pool, strict=True)
        return [row_of(q, float(pool), rarest) for q, pool in pairs]

    def measure(held, pool, known) -> dict:
        right = pool.argmax(axis=1) == y[train]
        right[known] = True
        return row_of(quality_of(held, y[test], ordinal=ordinal), float(right.mean()), rarest)

    steps = max(len(train) // 50, 4)  # random order is the same in larger steps
    runs: dict[str, list | str] = {
        OURS: play(Strategy(OURS, random_share=BY_LOT), marks),
        "random": play(Strategy("random", "random", batch=steps), [*marks, *further]),
        STANDARD: play(Strategy(STANDARD, "random"), marks),
    }
    for words, votes in reads.items():
        runs[f"{OURS}, {words}"] = play(Strategy(OURS, random_share=BY_LOT), marks, votes)
        runs[f"random, {words}"] = play(Strategy("random", "random", batch=steps), marks, votes)
    if seed < FEWER_SEEDS and not small:
        for how in OTHERS:
            runs[how] = play(Strategy(how, random_share=BY_LOT), marks)
    if seed < FEWER_SEEDS:
        for name in PEERS:
            runs[name] = played(name, x, y, test, marks, seed=seed, measure=measure)
    return runs


def times_fewer(ours_at: float, labels: int, other: list[float], marks: list[int]) -> str:
    """Labels that another order needs for an accuracy, over ``labels``; a floor if never."""
    line = np.maximum.accumulate(other)
    if ours_at > line[-1]:
        return f">{marks[len(line) - 1] / labels:.2f}"
    need = np.exp(np.interp(ours_at, line, np.log(marks[: len(line)])))
    return f"{need / labels:.2f}"


def summary_of(seeds: list[dict], cases: int) -> dict:
    """Means over the seeds, and how many times fewer labels ours needs."""
    mean: dict[str, list[dict]] = {}
    for how in seeds[0]:
        runs = [one[how] for one in seeds if how in one and not isinstance(one[how], str)]
        if runs:
            mean[how] = [
                {key: round(float(np.mean([run[i][key] for run in runs])), 4) for key in row}
                | {"seeds": len(runs)}
                for i, row in enumerate(runs[0])
            ]
    marks = [cases * share for share in (*SHARES, *FURTHER)]

    def over(other: str, key: str, at: int) -> str:
        theirs = [row[key] for row in mean[other]]
        return times_fewer(mean[OURS][at][key], marks[at], theirs, marks)

    at_5 = np.array([one[OURS][2]["accuracy"] for one in seeds])
    return {
        "curves": mean,
        "summary": {
            "cases_to_label": cases, "seeds": len(seeds),
            "at_5_percent": mean[OURS][2]["accuracy"],
            "se": round(float(at_5.std(ddof=min(1, len(at_5) - 1)) / np.sqrt(len(at_5))), 4),
            "whole_set": [row["whole_set"] for row in mean[OURS]],
            "ece": [row["ece"] for row in mean[OURS]],
            "labels_of_random": [over("random", "accuracy", i) for i in range(len(SHARES))],
            "labels_of_random_whole_set": [
                over("random", "whole_set", i) for i in range(len(SHARES))
            ],
            "labels_of_standard": over(STANDARD, "accuracy", 2),
            "best_balanced_at_5_percent": max(mean, key=lambda how: mean[how][2]["balanced"]),
            "best_accuracy_at_5_percent": max(mean, key=lambda how: mean[how][2]["accuracy"]),
            "not_run": {how: one for how, one in seeds[0].items() if isinstance(one, str)},
        },
    }  # fmt: skip


def one_set(name: str, made: tuple, x: np.ndarray, workers: ProcessPoolExecutor | None, *,
            ordinal: bool, reads: dict[str, np.ndarray]) -> dict:  # fmt: skip
    y = made[2]
    _, code = np.unique(made[3], return_inverse=True)
    small = workers is None
    told = {"ordinal": ordinal, "small": small, "reads": reads}
    if workers is None:
        seeds = [one_seed(x, y, code, 0, **told)]
    else:
        jobs = [workers.submit(one_seed, x, y, code, seed, **told) for seed in range(SEEDS)]
        seeds = [job.result() for job in jobs]
    cases = int((split_by_group(code, (0.8, 0.2), strata=y, seed=0) == 0).sum())
    found = summary_of(seeds, cases)
    print(name, json.dumps(found["summary"]), flush=True)
    for how, run in found["curves"].items():
        print(
            f"  {how:16s}", *(f"{r['accuracy']:.3f}/{r['balanced']:.3f}" for r in run), flush=True
        )
    return found


def main() -> None:
    args = arguments(__doc__, names=True)
    start = time.time()
    sets = {
        "chest-2": (lambda: chest(2), False),
        "chest-3": (lambda: chest(3), False),
        "knee": (knee, True),
        "mitosis": (mitosis, False),
    }
    figures: dict = {"benchmark": "label_efficiency", "small": args.small, "summary": {}}
    figures["curves"] = []
    encoded: dict[str, np.ndarray] = {}
    # two processes: results do not hang on how many
    count = min(2, os.cpu_count() or 1)
    workers = None if args.small else ProcessPoolExecutor(count, get_context("spawn"))
    for name in ["mitosis"] if args.small else args.names or list(sets):
        load, ordinal = sets[name]
        made = load()
        reads = mitosis_reads() if name == "mitosis" else {}
        if args.small:
            keep = np.sort(np.random.default_rng(0).permutation(len(made[1]))[:160])
            files, groups = ([part[i] for i in keep] for part in (made[1], made[3]))
            made = made[0], files, made[2][keep], groups, made[4]
            reads = {words: votes[keep] for words, votes in reads.items()}
        if made[0] not in encoded:
            encoded[made[0]] = latents_of(made[0], made[1], made[4], small=args.small)
        found = one_set(name, made, encoded[made[0]], workers, ordinal=ordinal, reads=reads)
        figures["summary"][name] = found["summary"]
        figures["curves"] += [
            {"set": name, "order": how, "share": share} | row
            for how, run in found["curves"].items()
            for share, row in zip((*SHARES, *FURTHER), run, strict=False)
        ]
        print(f"{time.time() - start:.0f} s", flush=True)
    if workers is not None:
        workers.shutdown()
    figures["seconds"] = round(time.time() - start, 1)
    finish(figures)


if __name__ == "__main__":
    sys.exit(main())

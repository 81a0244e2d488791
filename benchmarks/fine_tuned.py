"""What training further on labels adds: the same labels, on frozen latents and on both.

Knee grades and chest radiographs of three classes of `shared/data`; a fifth is held back, whole
patients. The loop asks for cases in the default order on frozen latents (the product's default
chain) until a share is labelled. EfficientNet-Lite0 is then trained further, by the product's
recipe, on three quarters of these labels; the process learns from all of them, once on the frozen
latents, once on these and the new ones (how sure it may be then follows from the quarter that the
network did not see), and is measured on the fifth held back. `taken` tells
whether the quarter that the network did not see would have taken the new latents over: more than
one standard error better in log loss. `ms_an_image` is the time of a
lesson over the looks at an image, in one thread. Each seed is printed as it ends.
"""

from __future__ import annotations

import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

import numpy as np
import torch
from PIL import Image

from _common import arguments, finish
from label_efficiency import BY_LOT, DATA, OURS, chest, knee, latents_of, mitosis, row_of
from overread.latents.efficientnet import lite0, lite0_weights
from overread.latents.joining import join
from overread.latents.onnx_encoder import open_onnx
from overread.latents.onnx_graph import onnx_bytes
from overread.latents.stream import latents_of as encoded
from overread.learn.finetune import Lesson, finetune
from overread.learn.modules import weights_of
from overread.selection.likelihood import grades
from overread.selection.pool import label_many, open_pool, tune
from overread.selection.process import one_hot
from overread.selection.quality import quality_of
from overread.selection.replay import Strategy, predicted, replay
from overread.selection.splits import split_by_group

SETS = {
    "knee": (knee, True),
    "chest-3": (lambda: chest(3), False),
    "mitosis": (mitosis, False),
}
SHARES = (0.05, 0.16)
SEEDS = 5
SMALL_STEPS = 2


def main() -> None:
    args = arguments(__doc__, names=True)
    names = ["mitosis"] if args.small else args.names or ["knee", "chest-3"]
    figures: dict = {"benchmark": "fine_tuned", "small": args.small, "rows": []}
    jobs = [(n, s, share) for n in names for s in range(SEEDS) for share in SHARES]
    if args.small:
        figures["rows"] = one("mitosis", 0, 0.5, small=True)
    else:
        count = min(2, os.cpu_count() or 1)
        with ProcessPoolExecutor(count, get_context("spawn")) as workers:
            for job in as_completed([workers.submit(one, *told) for told in jobs]):
                figures["rows"] += job.result()
                print(job.result(), flush=True)
    figures["means"] = means(figures["rows"])
    finish(figures)


def one(name: str, seed: int, share: float, *, small: bool = False) -> list[dict]:
    """Both models of one split at one share."""
    torch.set_num_threads(1)
    load, ordinal = SETS[name]
    folder, files, y, groups, mode = load()
    if small:
        keep = np.sort(np.random.default_rng(0).permutation(len(files))[:160])
        files, groups, y = [files[i] for i in keep], [groups[i] for i in keep], y[keep]
    frozen = latents_of(folder, files, mode, small=small)
    code = np.unique(groups, return_inverse=True)[1]
    k, votes = int(y.max()) + 1, one_hot(y.astype(float), int(y.max()) + 1)
    part = split_by_group(code, (0.8, 0.2), strata=y, seed=seed)
    test, train = np.flatnonzero(part == 1), np.flatnonzero(part == 0)
    asked = replay(
        frozen, y, test, n_classes=k, ordinal=ordinal, seed=seed,
        marks=np.array([round(len(train) * share)]), strategy=Strategy(OURS, random_share=BY_LOT),
    ).order  # fmt: skip
    rows = train[asked]

    def picture(at: int) -> np.ndarray:
        return np.asarray(Image.open(DATA / folder / "images" / files[at]).convert(mode))

    side = lite0().side
    images = np.stack([
        np.asarray(Image.fromarray(picture(at)).convert("RGB").resize((side, side)))
        for at in rows
    ])  # fmt: skip
    lesson = Lesson(steps=SMALL_STEPS, seed=seed) if small else Lesson(seed=seed)
    begin = time.perf_counter()
    found = finetune(
        images, votes[rows], code[rows], network=lite0(), weights=lite0_weights(),
        latents=frozen[rows], ordinal=ordinal, lesson=lesson,
    )  # fmt: skip
    looks = lesson.steps_of(int((~found.held).sum())) * lesson.batch
    spent = (time.perf_counter() - begin) / looks * 1000
    with tempfile.TemporaryDirectory() as made:
        path = Path(made) / "trained.onnx"
        path.write_bytes(onnx_bytes(lite0(), weights_of(found.module), about="trained"))
        keys = [f"{folder}/{file}" for file in files]
        new = np.array(encoded(keys, picture, open_onnx(path), Path(made)).rows)
    both = np.hstack([frozen, join([new])])
    rarest = int(np.bincount(y).argmin())
    shown = []
    judges = np.ones(len(train), dtype=bool)
    judges[asked[~found.held]] = False
    for latents, words in ((frozen, "frozen"), (both, "with fine-tuned")):
        pool = open_pool(
            latents[train], k, settings=grades(k) if ordinal else None, seed=seed,
            judges=None if latents is frozen else judges,
        )  # fmt: skip
        pool = tune(label_many(pool, asked, votes[rows]), thorough=True)
        told = predicted(pool, latents)
        right = told[train].argmax(axis=1) == y[train]
        right[asked] = True
        quality = quality_of(told[test], y[test], ordinal=ordinal)
        shown.append(
            {"set": name, "seed": seed, "share": share, "latents": words}
            | row_of(quality, float(right.mean()), rarest)
            | {"taken": float(found.wins), "ms_an_image": spent}
        )
    return shown


def means(rows: list[dict]) -> list[dict]:
    """Means over the seeds, and the standard error of the paired gain."""
    keys = ("set", "share", "latents")
    table = []
    for kind in dict.fromkeys(tuple(row[key] for key in keys) for row in rows):
        mine = [row for row in rows if tuple(row[key] for key in keys) == kind]
        base = {
            row["seed"]: row["accuracy"]
            for row in rows
            if tuple(row[key] for key in keys) == (*kind[:2], "frozen")
        }
        gain = np.array([row["accuracy"] - base[row["seed"]] for row in mine])
        told = [key for key in mine[0] if key not in {*keys, "seed"}]
        table.append(
            dict(zip(keys, kind, strict=True))
            | {"seeds": len(mine)}
            | {key: round(float(np.mean([row[key] for row in mine])), 4) for key in told}
            | {"gain_se": round(float(gain.std(ddof=min(1, len(gain) - 1)) / len(gain) ** 0.5), 4)}
        )
    return table


if __name__ == "__main__":
    main()

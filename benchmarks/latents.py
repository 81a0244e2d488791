"""What each encoder sees: the same labels by lot, described by one encoder or by several.

Chest radiographs of `shared/data`, two classes and three; a fifth is held back, whole patients.
Labels come by lot (no choice of cases can favour an encoder), the model is the product's. SimCLR
is trained by the command, without labels, on all images: `overread train-encoder`, killed once
(kill -9) after a checkpoint and begun again. `gain` is the accuracy over that of `quick` with the
same labels, with the standard error over seeds of their paired difference. `ms_an_image` is the
time to decode and describe one image, in one process.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

import numpy as np
from PIL import Image

from _common import arguments, finish
from label_efficiency import DATA, chest
from overread.latents.efficientnet import NAME as LITE0
from overread.latents.encoder import Encoder
from overread.latents.joining import join
from overread.latents.onnx_encoder import open_onnx
from overread.latents.quick_encoder import fit_quick
from overread.latents.stream import latents_of
from overread.latents.table import Project, open_encoder
from overread.selection.replay import Strategy, replay
from overread.selection.splits import split_by_group

SHARES = (0.01, 0.02, 0.05, 0.10)
EPOCHS = 40
CHAINS = (
    ("quick",),
    ("simclr",),
    (LITE0,),
    ("quick", "simclr"),
    ("quick", LITE0),
    ("quick", LITE0, "simclr"),
)


def main() -> None:
    small = arguments(__doc__).small
    folder, files, _, _, mode = chest(2)
    keep = np.arange(len(files))
    if small:
        keep = np.sort(np.random.default_rng(0).permutation(len(files))[:120])
    files = [files[i] for i in keep]
    figures: dict = {"small": small, "images": len(files)}
    with tempfile.TemporaryDirectory() as made:
        place = Path(os.environ.get("OVERREAD_BENCH_LATENTS", made)) / f"{folder}-{len(files)}"
        place.mkdir(parents=True, exist_ok=True)
        chains = CHAINS[:4:3] if small else CHAINS
        rows, figures["encoders"] = described(folder, files, mode, place, chains, small=small)
        figures["simclr"] = json.loads((place / "simclr.json").read_text())
        print(figures, flush=True)
        figures["accuracy"] = []
        for classes in (2,) if small else (2, 3):
            _, _, y, groups, _ = chest(classes)
            groups = [groups[i] for i in keep]
            figures["accuracy"] += compared(rows, y[keep], groups, chains, seeds=1 if small else 5)
    finish(figures)


def described(
    folder: str, files: list, mode: str, place: Path, chains: tuple, *, small: bool
) -> tuple[dict, list]:
    """Latents by encoder, and what an image costs."""

    def load(at: int) -> np.ndarray:
        return np.asarray(Image.open(DATA / folder / "images" / files[at]).convert(mode))

    keys = [f"{folder}/{file}" for file in files]
    rows, told = {}, []
    for name in dict.fromkeys(name for chain in chains for name in chain):
        encoder: Encoder
        if name == "simclr":
            encoder = open_onnx(trained(folder, files, place, small=small))
        elif small:
            encoder = fit_quick(keys, load, words=24, patches=2000, size=24)
        else:
            encoder = open_encoder(name, Project(place, keys, load))
        begin = time.perf_counter()
        with tempfile.TemporaryDirectory() as empty:
            rows[name] = np.array(latents_of(keys, load, encoder, Path(empty)).rows)
        each = (time.perf_counter() - begin) / len(files) * 1000
        told.append({"encoder": name, "values": rows[name].shape[1], "ms_an_image": round(each, 2)})
    return rows, told


def trained(folder: str, files: list, place: Path, *, small: bool) -> Path:
    """SimCLR by the command; killed once, and begun again."""
    out = place / "simclr.onnx"
    if out.exists():
        return out
    images = DATA / folder / "images"
    if small:
        images = place / "images"
        images.mkdir()
        for file in files:
            shutil.copy(DATA / folder / "images" / file, images)
    epochs, side, every = (2, 16, 0.0) if small else (EPOCHS, 64, 30.0)
    command = [
        sys.executable, "-c", "from overread.cli.main import main; main()", "train-encoder",
        str(images), "--epochs", str(epochs), "--side", str(side), "--every", str(every),
        "--threads", "1", "--out", str(out), "--json",
    ]  # fmt: skip
    checkpoint, begin = out.with_name(out.name + ".checkpoint"), time.time()
    killed = checkpoint.exists()
    first = subprocess.Popen(command, stdout=subprocess.PIPE)
    while not killed and first.poll() is None:
        time.sleep(0.05)
        if checkpoint.exists():
            first.send_signal(signal.SIGKILL)
            killed = True
    said = first.communicate()[0]
    if first.returncode:
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        said = done.stdout
    told = json.loads(said) | {
        "killed_and_resumed": killed, "wall_seconds": round(time.time() - begin, 1),
    }  # fmt: skip
    told["losses"] = [told["losses"][0], told["losses"][-1]]
    (place / "simclr.json").write_text(json.dumps(told))
    return out


def compared(rows: dict, y: np.ndarray, groups: list, chains: tuple, *, seeds: int) -> list[dict]:
    """Accuracy of each chain with the same labels."""
    code = np.unique(groups, return_inverse=True)[1]
    classes = int(y.max()) + 1
    strategy = Strategy("random", "random")
    shares = (0.5,) if seeds == 1 else SHARES
    found: dict[tuple, list] = {chain: [] for chain in chains}
    for seed in range(seeds):
        test = np.flatnonzero(split_by_group(code, (0.8, 0.2), strata=y, seed=seed) == 1)
        marks = np.array([round((len(y) - len(test)) * share) for share in shares])
        for chain in chains:
            x = join([rows[name] for name in chain])
            run = replay(x, y, test, n_classes=classes, marks=marks, strategy=strategy, seed=seed)
            found[chain].append([one.accuracy for one in run.held_back])
        print(classes, seed, {" + ".join(c): np.round(found[c][-1], 3) for c in chains}, flush=True)
    table = []
    base = np.array(found[chains[0]])
    for chain, runs in found.items():
        gain = np.array(runs) - base
        for at, share in enumerate(shares):
            table.append({
                "classes": classes, "encoders": " + ".join(chain), "share": share,
                "accuracy": round(float(np.mean(runs, axis=0)[at]), 4),
                "gain": round(float(gain[:, at].mean()), 4),
                "se": round(float(gain[:, at].std(ddof=min(1, seeds - 1)) / np.sqrt(seeds)), 4),
            })  # fmt: skip
    return table


if __name__ == "__main__":
    main()

"""Label rules: errors planted in real and synthetic drawings, found by rules and simple peers.

*Loose*: a tenth of the drawings (of the 40 vessel masks a fifth) are drawn 20 to 60 % too wide
(sides of boxes; as much of the reach of a mask). *Tiny*: a tenth of the boxes at 25 to 45 % of
their sides. The rules are asked at a stated false-alarm rate of 1 %; ``false_alarms`` is the share
of unplanted drawings listed, of which some are really loose (blood cells). Peers on the same
drawings, for loose ones at the same number of drawings listed (and once more, of both, as many as
were planted): ``area``, the class's robust z score
of the log area; ``edge``, the mean brightness gradient along the contour (lower is looser).
``unperturbed`` lists what is found where nothing was planted; ``loose_without_class`` is the rule
where no class is known. *Duplicates*: images shown again (other
brightness, contrast, noise, size) under another class. *Imbalance*: a class thinned to a stated
number. Readers: who is listed on two real tables.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage, stats

from _common import arguments, finish
from _label_plants import loosened, scene, tiny
from overread.exchange import Columns, read_classes, read_scores, read_voc
from overread.labels import class_reads
from overread.monitoring.rules import (
    RuleContext,
    Severity,
    class_balance,
    drawings_of,
    fingerprint,
    gathered,
    gathered_probes,
    measure_with_probes,
    plane,
    populations,
)
from overread.monitoring.rules.annotation import Annotation
from overread.monitoring.rules.duplicates import duplicates
from overread.monitoring.rules.loose import loose_rows
from overread.monitoring.rules.readers import deviating_readers
from overread.monitoring.rules.size import size_rows

SHARED = Path(os.environ.get("OVERREAD_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
SYNTHETIC = ("grey", "texture", "shading", "colour")
SEEDS = (11, 12, 13)


def main() -> None:
    small = arguments(__doc__).small
    figures: dict[str, object] = {}
    sets = {
        kind: synthetic(kind, 2 if small else 8) for kind in (SYNTHETIC[:2] if small else SYNTHETIC)
    }
    if not small:
        sets |= {"blood_cells": blood_cells(), "retina_vessels": vessels()}
    seeds = (1,) if small else (1, 2)
    for name, images in sets.items():
        figures[f"loose_{name}"] = pooled([loose(images, s) for s in ((1,) if small else SEEDS)])
        figures[f"unperturbed_{name}"] = untouched(images)
        if name != "retina_vessels" and (not small or name == "grey"):
            figures[f"tiny_{name}"] = averaged([tiny_ones(images, s) for s in seeds])
        print(name, figures[f"loose_{name}"], figures[f"unperturbed_{name}"], flush=True)
    figures["duplicates"] = doubled(small=small)
    figures["imbalance"] = thinned()
    figures["readers"] = readers()
    print({k: figures[k] for k in ("duplicates", "imbalance", "readers")})
    finish(figures)


def synthetic(kind, n):
    return lambda: (scene(kind, seed) for seed in range(n))


def blood_cells(start=3, step=6):
    folder = SHARED / "blood-cells"
    reads = read_voc(folder / "Annotations", flat="drop")

    def images():
        for row in range(start, reads.index.n_reads, step):
            name = str(reads.index.cases[reads.index.case[row]])
            with Image.open(folder / "JPEGImages" / f"{Path(name).stem}.jpg") as file:
                yield np.asarray(file), list(drawings_of(reads, row))

    return images


def vessels():
    """Both observers' masks as single drawings of one class."""
    folder = SHARED / "retina-vessels"

    def images():
        for number in range(1, 21):
            with Image.open(folder / "images" / f"{number:02}_test.jpg") as file:
                pixels = np.asarray(file)
            for observer in ("1st", "2nd"):
                name = f"{number:02}_manual{observer[0]}.png"
                with Image.open(folder / f"{observer}_manual" / name) as file:
                    mask = np.asarray(file.convert("L")) > 127
                down, across = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
                box = np.array([across[0], down[0], across[-1] + 1, down[-1] + 1], float)
                yield pixels, [Annotation(number, 1, 0, "mask", box, mask=mask)]

    return images


def measured(images, plant):
    """Figures, what is usual, what was planted, and the peers' edge score of every drawing."""
    drawn, probes, planted, edge = [], [], [], []
    probed: dict[int, int] = {}
    for raw, those in images():
        pixels = plane(raw)
        made, what = plant(those, pixels.shape[:2])
        chosen = []
        for at, one in enumerate(made):
            if probed.get(one.label, 0) < 60 and one.label not in {made[c].label for c in chosen}:
                probed[one.label] = probed.get(one.label, 0) + 1
                chosen.append(at)
        figures, probe = measure_with_probes(pixels, made, chosen)
        drawn.append(figures)
        probes.append(probe)
        planted.append(what)
        slope = np.hypot(*np.gradient(pixels.mean(axis=2)))
        edge.append([edge_strength(slope / slope.mean(), one) for one in made])
    whole = gathered(drawn)
    usual = populations(whole, gathered_probes(probes))
    return whole, usual, np.concatenate(planted), np.concatenate(edge)


def edge_strength(slope, one):
    """Mean gradient of the brightness on the contour."""
    if one.mask is not None:
        on = one.mask & ~ndimage.binary_erosion(one.mask)
        return slope[on].mean()
    rows, columns = slope.shape
    x1, y1, x2, y2 = (int(v) for v in one.box)
    x2, y2 = min(x2, columns - 1), min(y2, rows - 1)
    ring = np.concatenate([slope[y1, x1:x2], slope[y2, x1:x2], slope[y1:y2, x1], slope[y1:y2, x2]])
    return ring.mean() if ring.size else 0.0


def loose(images, seed, share=0.1):
    rng = np.random.default_rng(seed)
    start = time.perf_counter()
    figures, usual, by, edge = measured(images, lambda d, size: loosened(d, rng, share, size))
    took = time.perf_counter() - start
    truth = by > 0
    listed, score = loose_rows(figures, usual, 0.01)
    n, planted = int(listed.sum()), int(truth.sum())
    sizes, _ = size_rows(figures, usual, 0.01)
    limits = [float(np.nanmean(p.probed > p.limit(0.01))) for p in usual.values() if p.probed.size]
    bands = {
        f"{low:.0%}_to_{high:.0%}": (int((listed & band).sum()), int(band.sum()))
        for low, high in ((0.2, 0.4), (0.4, 0.6))
        for band in [(by >= low) & (by < high)]
    }
    return {
        "n": figures.n,
        "planted": planted,
        "rule": found(listed, truth),
        "area": found(most(area_z(figures), n), truth),
        "edge": found(most(-z_by_class(edge, figures.label), n), truth),
        "with_size_rule": found(listed | sizes, truth),
        "as_many_as_planted": found(most(score, planted), truth),
        "as_many_as_planted_area": found(most(area_z(figures), planted), truth),
        "bands": bands,
        "power_foretold": float(np.mean(limits)) if limits else None,
        "ms_a_drawing": 1000 * took / figures.n,
    }


def found(listed, truth):
    """How many were listed, how many of them were planted."""
    return int(listed.sum()), int((listed & truth).sum())


def pooled(rows):
    """Precision and recall over all seeds, with 95 % intervals (Wilson)."""
    n, planted = (sum(row[key] for row in rows) for key in ("n", "planted"))
    out = {"drawings": rows[0]["n"], "seeds": len(rows), "planted": planted}
    for key in ("rule", "area", "edge", "with_size_rule", "as_many_as_planted",
                "as_many_as_planted_area"):  # fmt: skip
        listed, right = (sum(row[key][at] for row in rows) for at in (0, 1))
        head = "" if key == "rule" else f"{key}_"
        out |= share(f"{head}precision", right, listed) | share(f"{head}recall", right, planted)
        out |= {f"{head}false_alarms": (listed - right) / (n - planted)}
    for band in rows[0]["bands"]:
        right, count = (sum(row["bands"][band][at] for row in rows) for at in (0, 1))
        out |= share(f"recall_{band}", right, count)
    known = [row["power_foretold"] for row in rows if row["power_foretold"] is not None]
    out["power_foretold"] = float(np.mean(known)) if known else None
    out["ms_a_drawing"] = float(np.mean([row["ms_a_drawing"] for row in rows]))
    return out


def share(name, right, count):
    """A share with its interval; nothing where nothing was counted."""
    if not count:
        return {name: None}
    low, high = stats.binomtest(right, count).proportion_ci(method="wilson")
    return {name: right / count, f"{name}_low": float(low), f"{name}_high": float(high)}


def untouched(images):
    figures, usual, _, _ = measured(images, lambda d, _size: (d, np.zeros(len(d))))
    listed, _ = loose_rows(figures, usual, 0.01)
    sizes, _ = size_rows(figures, usual, 0.01)
    return {
        "n": figures.n,
        "loose": float(listed.mean()),
        "size": float(sizes.mean()),
        "loose_without_class": float(loose_rows(figures, {}, 0.01)[0].mean()),
    }


def tiny_ones(images, seed):
    rng = np.random.default_rng(seed)
    figures, usual, which, _ = measured(images, lambda d, _size: tiny(d, rng, 0.1))
    listed, z = size_rows(figures, usual, 0.01)
    return {"n": figures.n, "planted": int(which.sum()), **hits(listed & (z < 0), which)}


def hits(listed, truth):
    found = int((listed & truth).sum())
    return {
        "precision": found / max(int(listed.sum()), 1),
        "recall": found / max(int(truth.sum()), 1),
        "false_alarms": float(listed[~truth].mean()),
    }


def most(score, n):
    out = np.zeros(score.size, dtype=bool)
    out[np.argsort(-np.nan_to_num(score, nan=-9))[:n]] = True
    return out


def area_z(figures):
    return z_by_class(np.log(figures.area), figures.label)


def z_by_class(value, label):
    out = np.zeros(value.size)
    for code in np.unique(label):
        mine = label == code
        middle = np.nanmedian(value[mine])
        out[mine] = (value[mine] - middle) / (
            1.4826 * np.nanmedian(np.abs(value[mine] - middle)) + 1e-9
        )
    return out


def doubled(*, small):
    """Images of four textures shown again under another class, among many of one kind."""
    rng = np.random.default_rng(3)
    n, copies = (60, 12) if small else (400, 60)
    if small:
        pictures = [ground(rng) for _ in range(n)]
    else:
        files = sorted((SHARED / "chest-xray" / "images").iterdir())[:: 5840 // n][:n]
        pictures = [plane(np.asarray(Image.open(file))) for file in files]
    said = rng.integers(0, 2, n)
    prints = [fingerprint(one) for one in pictures]
    for at in range(copies):
        one = pictures[at]
        seen = one * rng.uniform(0.8, 1.2) + rng.uniform(-15, 15) + rng.normal(0, 4, one.shape)
        side = int(one.shape[0] * rng.uniform(0.7, 1.3))
        seen = np.asarray(Image.fromarray(seen[..., 0].astype(np.float32)).resize((side, side)))
        prints.append(fingerprint(plane(seen)))
    label = np.concatenate([said, 1 - said[:copies]])
    reads = class_reads(list(range(n + copies)), ["R"] * (n + copies), label.tolist())
    hints = duplicates(RuleContext(reads, prints=dict(enumerate(prints))))
    pairs = {tuple(sorted((int(h.case), int(h.numbers["twin"]) - 1))) for h in hints}
    true = {(at, n + at) for at in range(copies)}
    right = len(pairs & true)
    return {
        "images": n + copies, "planted": copies, "precision": right / max(len(pairs), 1),
        "recall": right / copies,
    }  # fmt: skip


def ground(rng):
    return plane(120 + 400 * ndimage.gaussian_filter(rng.normal(0, 1, (96, 96)), rng.uniform(2, 6)))


def thinned():
    """A class of 1,000 thinned to 40: ratio, interval, and the advice."""
    reads = class_reads(list(range(1040)), ["R"] * 1040, ["a"] * 1000 + ["b"] * 40)
    found = class_balance(reads)
    return {
        "count_ratio": 25.0, "low": float(found.low[1]), "high": float(found.high[1]),
        "effective_ratio": float(found.ratio[1]), "more": int(found.more[1]),
        "keep_of_largest": int(found.keep[1]),
    }  # fmt: skip


def readers():
    folder = SHARED / "reads"
    til = read_scores(
        folder / "til-density-37-readers.csv",
        columns=Columns(case="caseID", reader="readerID", value="densityTILs"),
        low=0, high=100, blank="skip", unreadable="NA", repeats="first",
    )  # fmt: skip
    out = {"til": listed_readers(til)}
    for name in ("Fracture", "Pneumothorax", "Airspace opacity", "Nodule/mass"):
        columns = Columns(case="Image ID", reader="Reader ID", label=name)
        reads = read_classes(
            folder / "nih-four-findings-readers.csv", columns=columns, repeats="first"
        )
        out[name] = listed_readers(reads)
    return out


def listed_readers(reads):
    hints = deviating_readers(RuleContext(reads))
    out = list(dict.fromkeys(h.reader for h in hints if h.severity is Severity.WARNING))
    note = {h.reader for h in hints} - set(out)
    return {"readers": reads.index.n_readers, "out": ", ".join(out), "within_the_spread": len(note)}


def averaged(rows):
    keys = rows[0]
    return {
        key: float(np.mean([row[key] for row in rows])) if rows[0][key] is not None else None
        for key in keys
    }


if __name__ == "__main__":
    main()

"""Consensus of boxes: simulated unequal readers against two peers, then VinDr-CXR's real reads.

Figures of each scenario: F1 and mean IoU of the consensus findings (existence above .5) against the
truth, matched one to one at IoU 0.5, with the class (``f1``, ``iou``) and without (``f1_any``);
calibration of existence over all clusters (``ece``, ``nll``). Peers, given the same boxes:
weighted box fusion (ensemble-boxes), more than half of the readers, at the best of three IoU
thresholds for it (chosen by the truth, in its favour); median of matched boxes, more than half of
the readers. On real reads, where no one knows the truth, the consensus of two readers predicts the
third: likelihood of what the third marked and said, and F1 against the third's boxes.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from ensemble_boxes import weighted_boxes_fusion

from _box_reads import SCENARIOS, Truth, simulate
from _common import arguments, finish, seconds
from overread.arrays import grouped
from overread.consensus import fuse_boxes, median_boxes
from overread.consensus.result import FindingConsensus
from overread.geometry.boxes import aligned_iou
from overread.geometry.pairing import match_edges
from overread.labels import BoxReads, Kind, read_index, schema_of

SHARED = Path(os.environ.get("OVERREAD_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
WBF_IOU = (0.3, 0.4, 0.55)


def main() -> None:
    small = arguments(__doc__).small
    figures: dict[str, object] = {}
    for name, make in SCENARIOS.items():
        world = make()
        if small:
            world = replace(world, cases=world.cases // 24)
        for seed in (1,) if small else (1, 2, 3):
            row = scenario(world, seed)
            figures[f"{name}_{seed}"] = row
            print(f"{name}, seed {seed}")
            for method, values in row.items():
                print(f"  {method:9}", "  ".join(f"{k} {v:.4f}" for k, v in values.items()))
    figures["vindr"] = vindr(small=small)
    finish(figures)


def scenario(world, seed):
    reads, truth = simulate(world, seed)
    ours = fuse_boxes(reads)
    row = {"ours": found_figures(ours.value, truth), "median": {}, "wbf": {}}
    row["ours"] |= existence_figures(ours.value, truth) | edge_figures(ours.value, truth)
    row["ours"] |= {
        "tau": ours.temperature,
        "seconds": seconds(lambda: fuse_boxes(reads), repeats=1),
    }
    plain = median_boxes(reads)
    row["median"] = found_figures(plain.value, truth) | existence_figures(plain.value, truth)
    row["wbf"] = max(
        (wbf_figures(reads, world, truth, iou) for iou in WBF_IOU), key=lambda r: r["f1"]
    )
    return row


def match(case, label, box, truth: Truth, *, classes: bool):
    """Matched (finding, truth) pairs and their IoU."""
    n = int(max(case.max(initial=0), truth.case.max(initial=0))) + 1
    order, start = grouped(case, n)
    other, other_start = grouped(truth.case, n)
    pairs = [
        np.array(
            np.meshgrid(order[start[i] : start[i + 1]], other[other_start[i] : other_start[i + 1]])
        ).reshape(2, -1)
        for i in range(n)
    ]
    a, b = np.concatenate(pairs, axis=1)
    iou = aligned_iou(box[a], truth.box[b])
    keep = iou >= 0.5
    if classes:
        keep &= label[a] == truth.label[b]
    a, b, iou = a[keep], b[keep], iou[keep]
    chosen = match_edges(a, b, iou, most_pairs=True)
    return a[chosen], b[chosen], iou[chosen]


def found_figures(found: FindingConsensus, truth: Truth) -> dict[str, float]:
    there = found.existence > 0.5
    return f1_figures(found.case[there], found.code[there], found.box[there], truth)


def f1_figures(case, label, box, truth: Truth) -> dict[str, float]:
    total = max(case.size + truth.case.size, 1)
    hit, _, iou = match(case, label, box, truth, classes=True)
    any_hit, _, any_iou = match(case, label, box, truth, classes=False)
    return {
        "f1": 2 * hit.size / total,
        "iou": float(iou.mean()) if iou.size else 0.0,
        "f1_any": 2 * any_hit.size / total,
        "iou_any": float(any_iou.mean()) if any_iou.size else 0.0,
    }


def existence_figures(found: FindingConsensus, truth: Truth) -> dict[str, float]:
    """Is a cluster with existence p there p of the time? Ten bins of equal width."""
    hit, _, _ = match(found.case, found.code, found.box, truth, classes=False)
    real = np.zeros(found.existence.size)
    real[hit] = 1
    p = np.clip(found.existence, 1e-6, 1 - 1e-6)
    bins = np.minimum((found.existence * 10).astype(int), 9)
    gap = np.bincount(bins, weights=real - found.existence, minlength=10)
    nll = -(real * np.log(p) + (1 - real) * np.log(1 - p)).mean()
    unsure = (found.existence > 0.1) & (found.existence < 0.9)
    return {
        "ece": float(np.abs(gap).sum() / p.size),
        "nll": float(nll),
        "unsure": float(unsure.mean()),
        "unsure_gap": float((real - found.existence)[unsure].mean()) if unsure.any() else 0.0,
    }


def edge_figures(found: FindingConsensus, truth: Truth) -> dict[str, float]:
    """Share of true edges within 1.96 standard errors of the consensus's."""
    there = np.flatnonzero((found.existence > 0.5) & (np.diff(found.first) > 1))
    hit, of, _ = match(found.case[there], found.code[there], found.box[there], truth, classes=False)
    off = np.abs(found.box[there[hit]] - truth.box[of]) / found.box_sd[there[hit]]
    return {"edge_cover_95": float((off < 1.96).mean())}


def wbf_figures(reads: BoxReads, world, truth: Truth, iou: float) -> dict[str, float]:
    """With classes apart, as it is meant; and boxes of all classes together for ``f1_any``."""
    apart = wbf_at(reads, world, truth, iou, classes=True)
    together = wbf_at(reads, world, truth, iou, classes=False)
    return apart | {
        "f1_any": together["f1_any"],
        "iou_any": together["iou_any"],
        "iou_threshold": iou,
    }


def wbf_at(reads: BoxReads, world, truth: Truth, iou: float, *, classes: bool) -> dict[str, float]:
    start, n_readers = reads.start(), reads.index.n_readers
    case, label, box = [], [], []
    for i in range(world.cases):
        mine = [slice(start[r], start[r + 1]) for r in range(i * n_readers, (i + 1) * n_readers)]
        boxes = [(reads.box[s] / world.image).tolist() for s in mine]
        if not any(boxes):
            continue
        labels = [(reads.label[s] * classes).tolist() for s in mine]
        scores = [[1.0] * len(one) for one in boxes]
        fused, share, said = weighted_boxes_fusion(boxes, scores, labels, iou_thr=iou)
        kept = share > 0.5
        case.append(np.full(kept.sum(), i))
        label.append(said[kept].astype(int))
        box.append(fused[kept] * world.image)
    return f1_figures(np.concatenate(case), np.concatenate(label), np.vstack(box), truth)


def vindr_reads() -> BoxReads:
    """The table as published; rows without a box are explicit empty reads."""
    table = pl.read_csv(SHARED / "reads" / "vindr-cxr-boxes.csv.gz")
    pairs = table.select("image_id", "rad_id").unique(maintain_order=True).with_row_index("read")
    rows = table.filter(pl.col("x_min").is_not_null()).join(pairs, on=["image_id", "rad_id"])
    rows = rows.sort("read", maintain_order=True)
    schema = schema_of(Kind.BOX, rows["class_name"].unique().to_list())
    return BoxReads(
        read_index(pairs["image_id"].to_list(), pairs["rad_id"].to_list()),
        rows["read"].to_numpy().astype(np.int64),
        np.array([schema.code(name) for name in rows["class_name"]]),
        rows.select("x_min", "y_min", "x_max", "y_max").to_numpy().astype(float),
        schema,
    )


def vindr(*, small: bool) -> dict[str, object]:
    reads = vindr_reads()
    if small:
        reads = reads.select(reads.index.case < 300)
    result = fuse_boxes(reads)
    time = seconds(lambda: fuse_boxes(reads), repeats=1 if small else 3)
    found = result.value
    size = np.diff(found.first)
    figures: dict[str, object] = {
        "cases": int(np.unique(reads.index.case).size),
        "boxes": int(reads.box.shape[0]),
        "clusters": int(size.size),
        "findings": int((found.existence > 0.5).sum()),
        "seconds": time,
        "tau": result.temperature,
        "existence_by_marks": {
            str(k): float(found.existence[size == k].mean()) for k in np.unique(size).tolist()
        },
    }
    figures |= held_out(reads)
    print("VinDr-CXR:", figures)
    return figures


def held_out(reads: BoxReads) -> dict[str, object]:
    """The consensus of two reads of a case against the third, only where someone marked something.

    One read of every case is held out at random; a finding counts when the third boxed it with
    the same class at IoU 0.5.
    """
    rng = np.random.default_rng(0)
    draw = rng.random(reads.index.n_reads)
    order = np.lexsort((draw, reads.index.case))
    last = np.r_[reads.index.case[order][1:] != reads.index.case[order][:-1], True]
    held = np.zeros(reads.index.n_reads, dtype=bool)
    held[order[last]] = True
    rest, third = reads.select(~held), reads.select(held)
    truth = Truth(third.index.case[third.read].astype(int), third.label, third.box)
    by_case = np.argsort(truth.case, kind="stable")
    truth = Truth(truth.case[by_case], truth.label[by_case], truth.box[by_case])
    out: dict[str, object] = {}
    ours = fuse_boxes(rest)
    methods = {
        "ours": ours.value,
        "ours_uncalibrated": fuse_boxes(rest, calibrate=False).value,
        "median": median_boxes(rest).value,
    }
    for name, found in methods.items():
        hit, _, _ = match(found.case, found.code, found.box, truth, classes=True)
        marked = np.zeros(found.case.size)
        marked[hit] = 1
        best = max(
            (
                f1_at(found, truth, cut)
                for cut in (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
            ),
            key=lambda r: r["f1"],
        )
        out[f"third_{name}"] = {
            "f1_at_half": f1_at(found, truth, 0.5)["f1"],
            "f1_best_cut": best["f1"],
            "iou": best["iou"],
            "rank_auc": auc(found.existence, marked),
            "nll": two_level_nll(found.existence, marked),
        }
    return out


def f1_at(found: FindingConsensus, truth: Truth, cut: float) -> dict[str, float]:
    keep = found.existence > cut
    return f1_figures(found.case[keep], found.code[keep], found.box[keep], truth)


def auc(score, hit) -> float:
    order = np.argsort(score, kind="stable")
    _, rank = np.unique(score[order], return_inverse=True)
    middle = np.cumsum(np.bincount(rank)) - (np.bincount(rank) - 1) / 2
    ranks = np.empty(score.size)
    ranks[order] = middle[rank]
    n = hit.sum()
    return float((ranks[hit == 1].sum() - n * (n + 1) / 2) / (n * (hit.size - n)))


def two_level_nll(existence, marked) -> float:
    """Likelihood of the third's marks with p = a e + b (1 - e), where a and b are fitted.

    Only the order and the spread of existence count, not the third reader's own sensitivity.
    """
    a, b = 0.6, 0.1
    for _ in range(200):
        p = a * existence + b * (1 - existence)
        real = np.where(marked == 1, a * existence / p, (1 - a) * existence / (1 - p))
        a = (marked * real).sum() / max(real.sum(), 1e-9)
        b = (marked * (1 - real)).sum() / max((1 - real).sum(), 1e-9)
        a, b = np.clip([a, b], 1e-4, 1 - 1e-4)
    p = a * existence + b * (1 - existence)
    return float(-(marked * np.log(p) + (1 - marked) * np.log(1 - p)).mean())


if __name__ == "__main__":
    main()

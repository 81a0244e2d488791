"""Human time for a whole chest X-ray set: label a few percent, certify or review the rest.

Real images and labels of `shared/data`; the product's default chain of encoders and its default
choice of cases. Of the labels 15 % are set apart by lot, whole patients, and never teach the model:
they choose thresholds and size of the audit. Then the labels are frozen, the audit is read by the
truth, and the certificate accepts what it bears; everything else is reviewed. Two prices of a read
and of a review, as methods in use have them: 600 / 20 s (a report) and 10 / 1.5 s (a grade). An
audited case costs a whole read. `human_time` is the share of labelling every case once;
`review_all` the same without a certificate. `errors_left` is the share of wrong labels in the whole
set at the end, reviewers finding every error; `refused` how many of the seeds gave no certificate.
"""

from __future__ import annotations

import os
import time

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

import numpy as np

from _common import arguments, finish
from label_efficiency import chest, latents_of
from overread.selection.certificate.certify import audit_order, certify
from overread.selection.certificate.plan import plan_audit
from overread.selection.effort import Effort, Work
from overread.selection.pool import label_many, open_pool, tune
from overread.selection.replay import Strategy, predicted, replay
from overread.selection.splits import split_by_group

SHARES = (0.01, 0.02, 0.03, 0.05)
TARGETS = (0.02, 0.05)
PRICES = ((600.0, 20.0), (10.0, 1.5))
HELD_BACK = 0.15
NAMES = ("normal", "pneumonia")


def main() -> None:
    args = arguments(__doc__)
    start = time.time()
    folder, files, truth, groups, mode = chest(2)
    keep = np.arange(len(files))
    if args.small:
        keep = np.sort(np.random.default_rng(0).permutation(len(files))[:240])
    files, groups = ([part[i] for i in keep] for part in (files, groups))
    x, y = latents_of(folder, files, mode, small=args.small), truth[keep]
    code = np.unique(groups, return_inverse=True)[1]
    rows: list[dict] = []
    for share in (0.1,) if args.small else SHARES:
        runs = [
            one for seed in range(1 if args.small else 5) for one in played(x, y, code, share, seed)
        ]
        for key in dict.fromkeys((one["target"], one["label_s"]) for one in runs):
            rows.append(mean_of([o for o in runs if (o["target"], o["label_s"]) == key]))
            print(rows[-1], flush=True)
    finish(
        {
            "small": args.small,
            "cases": len(y),
            "rows": rows,
            "seconds": round(time.time() - start, 1),
        }
    )


def played(x: np.ndarray, y: np.ndarray, code: np.ndarray, share: float, seed: int) -> list[dict]:
    """One project with so many labels: each target at each price."""
    part = split_by_group(code, (1 - HELD_BACK, HELD_BACK), strata=y, seed=seed)
    apart = np.random.default_rng(seed).permutation(np.flatnonzero(part == 1))
    teach = np.flatnonzero(part == 0)
    labels = round(share * len(y))
    tests = apart[: round(labels * HELD_BACK)]
    marks = np.array([labels - len(tests)])
    found = replay(x, y, apart, n_classes=2, marks=marks, strategy=Strategy(), seed=seed)
    pool = open_pool(x[teach], 2, seed=seed)
    pool = tune(label_many(pool, found.order, np.eye(2)[y[teach[found.order]]]), thorough=True)
    known = predicted(pool, x[tests])
    rest = np.setdiff1d(np.arange(len(y)), np.r_[teach[found.order], tests])
    said = predicted(pool, x[rest])
    return [
        {"share_labelled": share, "target": target, "label_s": price[0], "review_s": price[1]}
        | certified(rest, said, y, known, y[tests], labels, target, price, seed)
        for target in TARGETS
        for price in PRICES
    ]  # fmt: skip


def certified(rest, said, y, known, known_y, labels, target, price, seed) -> dict:  # noqa: PLR0917
    plan = plan_audit(
        rest, said, target=target, known_confidence=known.max(axis=1),
        known_right=known.argmax(axis=1) == known_y, known_label=known.argmax(axis=1),
        reviews_an_audit=price[0] / price[1], seed=seed,
    )  # fmt: skip
    frozen, order = plan.frozen, audit_order(plan.frozen, seed=seed)
    audit = {int(place): int(y[rest[place]]) for place in order[: plan.audited]}
    told = certify(frozen, audit, order, target=target, class_names=NAMES) if audit else None
    accepted = np.zeros(len(rest), dtype=bool)
    if told is not None and told.granted:
        accepted = (frozen.tier >= 0) & (frozen.tier <= told.tier)
        accepted[list(audit)] = False
    review = len(rest) - int(accepted.sum()) - len(audit)
    wrong = int((frozen.label[accepted] != y[rest[accepted]]).sum())
    spent = Effort(
        Work(labels, 1, price[0]), Work(review, 1, price[1]), Work(len(audit), 1, price[0]),
        Work(len(y), 1, price[0]),
    )  # fmt: skip
    every = (labels * price[0] + len(rest) * price[1]) / (len(y) * price[0])
    return {
        "model_right": float((said.argmax(axis=1) == y[rest]).mean()),
        "audited": len(audit), "accepted": int(accepted.sum()) / len(rest),
        "human_time": 1 - spent.saved, "review_all": every, "errors_left": wrong / len(y),
        "refused": float(told is None or not told.granted),
    }  # fmt: skip


def mean_of(runs: list[dict]) -> dict:
    return {key: round(float(np.mean([one[key] for one in runs])), 4) for key in runs[0]}


if __name__ == "__main__":
    main()

"""Does the certificate keep its word? Simulated projects with known truth.

A project has auto-labels with confidences that are too high, by an amount that differs from one to
the next; 500 known labels choose thresholds and size of the audit (at most 1,000 or 300 cases, or
the plain rule: half the target, three errors allowed); labels are frozen and audited. "violated"
is the share of projects whose stated upper bound was too low (all projects, and those certified);
it may be 5 % at most. "peeking" looks after every 10 audited cases, and stops at the first look
that certifies: with the fixed-size bound (the mistake), and with the anytime bound. "at the edge"
has exactly one wrong label more than the target allows: every certificate there is false. The rule
"pass if the observed errors are at most the target" stands beside it, as quality checks
without a bound do. "rare class" are projects with a class of 6 in 100 that the model says of others
too, as surely as of its own; there the same stands once without what the known labels tell of the
classes. The oracle knows every error, and has one threshold for all classes.
"""

from __future__ import annotations

import time

import numpy as np

from _common import arguments, finish
from overread.selection.certificate.betting import anytime_upper_now, peak_wealth
from overread.selection.certificate.bounds import audit_size, upper_errors
from overread.selection.certificate.certify import audit_order, certify, planned_audit
from overread.selection.certificate.freeze import freeze
from overread.selection.certificate.plan import plan_audit
from overread.selection.effort import effort_of

NAMES = ("a", "b", "c")


def project(rng: np.random.Generator, n: int) -> tuple:
    """Auto-labels, truth and known labels; the model is over-confident to a random degree."""
    hard = rng.beta(0.5, rng.uniform(4, 20), size=n + 500)
    truth = rng.integers(3, size=n + 500)
    wrong = rng.random(n + 500) < hard
    said = np.where(wrong, (truth + rng.integers(1, 3, size=n + 500)) % 3, truth)
    confidence = 1 - hard ** rng.uniform(1.0, 1.6) * rng.uniform(0.3, 0.6)
    return parts_of(said, truth, confidence, n)


def rare_project(rng: np.random.Generator, n: int) -> tuple:
    """A class of 6 in 100 that the model says of others too, as surely as of its own."""
    truth = rng.choice(3, p=[0.6, 0.34, 0.06], size=n + 500)
    hard = rng.beta(0.5, rng.uniform(6, 20), size=n + 500)
    wrong = rng.random(n + 500) < hard
    said = np.where(wrong, (truth + rng.integers(1, 3, size=n + 500)) % 3, truth)
    said[rng.random(n + 500) < 0.02] = 2
    confidence = 1 - hard ** rng.uniform(1.0, 1.6) * rng.uniform(0.3, 0.6)
    return parts_of(said, truth, confidence, n)


def parts_of(said: np.ndarray, truth: np.ndarray, confidence: np.ndarray, n: int) -> tuple:
    """Auto-labels of n cases, their truth, and what is known of the others."""
    table = np.repeat((1 - confidence[:, None]) / 2, 3, axis=1)
    table[np.arange(len(said)), said] = confidence
    told = {
        "known_confidence": confidence[n:], "known_right": said[n:] == truth[n:],
        "known_label": said[n:],
    }  # fmt: skip
    return table[:n], truth[:n], told


def certified_projects(
    count: int, target: float, budget: int, *, rare: bool = False, classes: bool = True
) -> dict:
    """Plans of at most so many audits; 0 is the plain rule: half the target, 3 errors allowed."""
    rng = np.random.default_rng(1)
    granted = violated = false = 0
    joint, share, oracle, audits = 0, [], [], []
    for i in range(count):
        n = int(rng.choice([1000, 4000, 16_000]))
        table, truth, told = rare_project(rng, n) if rare else project(rng, n)
        told |= {"target": target} | ({} if classes else {"known_label": None})
        if budget:
            plan = plan_audit(np.arange(n), table, most_audited=budget, **told)
            frozen, need = plan.frozen, plan.audited
        else:
            frozen = freeze(np.arange(n), table, **told)
            planned = planned_audit(frozen, target=target, allowed=3)
            need = int((frozen.tier >= 0).sum()) if planned is None else planned
        audits.append(need)
        order = audit_order(frozen, seed=i)
        audit = {int(p): int(truth[p]) for p in order[:need]}
        found = certify(frozen, audit, order, target=target, class_names=NAMES)
        inside = (frozen.tier >= 0) & (frozen.tier <= max(found.tier, 0))
        wrong = frozen.label != truth
        if inside.any() and wrong[inside].mean() > found.most_errors + 1e-12:
            violated += 1
            false += found.granted
        by_class = {one.name: one.most_errors for one in found.classes}
        joint += any(
            wrong[inside & (frozen.label == c)].mean() > by_class[name] + 1e-12
            for c, name in enumerate(NAMES)
            if name in by_class
        )
        granted += found.granted
        share.append(found.labels / n if found.granted else 0.0)
        sure = np.argsort(-table.max(axis=1), kind="stable")
        most = np.cumsum(wrong[sure]) <= target * np.arange(1, n + 1)
        oracle.append((np.flatnonzero(most).max(initial=-1) + 1) / n)
    return {
        "projects": count,
        "rare_class": rare,
        "thresholds_by_class": classes,
        "target": target,
        "most_audited": budget or "plain rule",
        "audited": round(float(np.mean(audits))),
        "violated": round(violated / count, 4),
        "violated_by_class_jointly": round(joint / count, 4),
        "certified": round(granted / count, 4),
        "false_certificates": round(false / count, 4),
        "accepted_share_of_pool": round(float(np.mean(share)), 4),
        "oracle_share_of_pool": round(float(np.mean(oracle)), 4),
    }


def at_the_edge(count: int, target: float, population: int, most: int) -> dict:
    """False certificates when one label more is wrong than the target allows."""
    rng = np.random.default_rng(2)
    bad = int(np.floor(target * population)) + 1
    sizes = [audit_size(target, allowed=k, population=population) for k in range(40)]
    looks = np.arange(10, most + 1, 10)
    known = [size for size in sizes if size is not None]
    allowed = np.array([sum(size <= n for size in known) - 1 for n in looks])
    once = peeked = anytime = naive = late = 0
    bounds: dict[int, float] = {}
    for _ in range(count):
        wrong = rng.permutation(np.arange(population) < bad)[:most]
        seen = np.cumsum(wrong)[looks - 1]
        once += seen[-1] <= allowed[-1]
        peeked += bool((seen <= allowed).any())
        anytime += peak_wealth(wrong, bad, population) >= 20
        naive += seen[-1] <= target * most
        errors = int(seen[-1])
        if errors not in bounds:
            bounds[errors] = upper_errors(errors, most, population=population)
        late += bounds[errors] < bad / population
    return {
        "target": target,
        "labels": population,
        "audit": most,
        "fixed_size": round(once / count, 4),
        "bound_too_low": round(late / count, 4),
        "anytime_with_peeking": round(anytime / count, 4),
        "fixed_size_with_peeking": round(peeked / count, 4),
        "observed_share_alone": round(naive / count, 4),
    }


def price_of_looking(target: float, population: int) -> dict:
    """Audited cases, none wrong, until the target is shown."""
    zeros = np.zeros(population, dtype=bool)
    low, high = 1, population
    while low < high:
        middle = (low + high) // 2
        shown = anytime_upper_now(zeros[:middle], population) <= target
        low, high = (low, middle) if shown else (middle + 1, high)
    return {
        "target": target,
        "labels": population,
        "fixed_size": audit_size(target, population=population),
        "anytime": low,
    }


def main() -> None:
    args = arguments(__doc__)
    start = time.time()
    count, edge = (20, 200) if args.small else (2500, 4000)
    figures: dict = {"benchmark": "certificate", "small": args.small}
    figures["projects"] = []
    for target in (0.01, 0.02, 0.05):
        for most in (1000, 300, 0):
            figures["projects"].append(certified_projects(count, target, most))
            print(figures["projects"][-1], flush=True)
    for target in (0.02, 0.05):
        for classes in (True, False):
            told = certified_projects(count, target, 1000, rare=True, classes=classes)
            figures["projects"].append(told)
            print(told, flush=True)
    cells = [(0.01, 5000, 600), (0.02, 2000, 400), (0.05, 1000, 200)]
    figures["at_the_edge"] = [at_the_edge(edge, *cell) for cell in cells]
    figures["price_of_looking"] = [price_of_looking(t, n) for t, n, _ in cells]
    rows = []
    for label, review in ((600, 20), (10, 1.5)):
        for spared, audited in ((0.0, 0), (0.85, 300)):
            told = effort_of(
                5840, share_labelled=0.05, readers=1, label_seconds=label, review_seconds=review,
                audited=audited, share_accepted=spared,
            )  # fmt: skip
            row = {"label_s": label, "review_s": review, "auto_accepted": spared}
            rows.append(row | {"share_of_full_effort": round(1 - told.saved, 4)})
    figures["effort_if_85_percent_are_accepted"] = rows
    figures["worst_violated"] = max(row["violated"] for row in figures["projects"])
    figures["seconds"] = round(time.time() - start, 1)
    finish(figures)


if __name__ == "__main__":
    main()

"""Do 95 % intervals cover 95 %? A grid of simulated reads, peers beside it.

Every cell is one generating model (reads of n cases by 2, 3 or 5 readers), one prevalence and one
true agreement; the figure is the share of samples whose interval holds the coefficient of the
model itself. Samples with one class only are counted like all others. A peer that has no interval
for a sample misses it.

Models: "common correlation" (beta-binomial: exchangeable readers) and "latent class" (a hidden
truth and readers of unequal error rates). Peers: the analytic intervals of the textbooks (the
formulas of irrCAC for AC1, Fleiss and Conger, of statsmodels for Cohen) and the percentile
bootstrap. "ours" inverts the p-value of the product's interval at the true value; a subset checks
that the ends which the product prints agree, and gives the widths.
"""

from __future__ import annotations

import itertools
import math
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri, stdtrit
from scipy.stats import betabinom

from _common import arguments, finish
from overread.agreement.coefficients import linearised
from overread.agreement.intervals import cell_interval, cell_p_value
from overread.agreement.measures import MEASURES
from overread.agreement.patterns import cells_of
from overread.agreement.resampling import coefficients
from overread.agreement.votes import Votes

# Fleiss = alpha and percent = Brennan-Prediger (a change of scale) on complete binary reads: one
# interval serves both, so each pair is simulated once.
FORMS = {
    "percent": "percent, Brennan-Prediger",
    "fleiss": "Fleiss, Krippendorff",
    "ac1": "AC1",
    "conger": "Conger",
    "cohen": "Cohen (mean over pairs)",
}


def every_pattern(readers: int) -> np.ndarray:
    return np.array(list(itertools.product((0, 1), repeat=readers)))


def shares(model: str, readers: int, prevalence: float, kappa: float) -> np.ndarray:
    """(2^readers,) probability of each pattern; positive answers have this prevalence."""
    said = every_pattern(readers)
    if model == "common correlation":
        total = 1 / kappa - 1
        count = betabinom.pmf(
            np.arange(readers + 1), readers, prevalence * total, (1 - prevalence) * total
        )
        ways = np.array([math.comb(readers, k) for k in range(readers + 1)])
        return (count / ways)[said.sum(axis=1)]
    spread = np.linspace(-0.5, 0.5, readers)  # the best reader errs a third as often as the worst

    def of(error: float) -> np.ndarray:
        hit = 1 - np.clip(error * (1 - prevalence) * (1 + spread), 0, 0.95)
        alarm = np.clip(error * prevalence * (1 - spread), 0, 0.95)
        ill = np.where(said, hit, 1 - hit).prod(axis=1)
        well = np.where(said, alarm, 1 - alarm).prod(axis=1)
        return prevalence * ill + (1 - prevalence) * well

    return of(brentq(lambda error: truth("fleiss", readers, of(error)) - kappa, 1e-6, 0.99))


def cells_for(key: str, readers: int, weight: np.ndarray):
    measure = MEASURES[key]
    named = measure.chance == "readers"
    patterns: Counter = Counter()
    for said, mass in zip(every_pattern(readers).tolist(), weight.tolist(), strict=True):
        answers = said if named else sorted(said)
        patterns[tuple((g, k, 1.0) for g, k in enumerate(answers))] += mass
    by_pair = key == "cohen" and readers > 2
    return cells_of(patterns, np.eye(2), measure.chance, by_pair=by_pair)


class Template:
    """The cells of one coefficient, made once; the counts of each sample are put in."""

    def __init__(self, key: str, readers: int, probability: np.ndarray) -> None:
        named = MEASURES[key].chance == "readers"
        said = [s if named else sorted(s) for s in every_pattern(readers).tolist()]
        keys = [tuple((g, k, 1.0) for g, k in enumerate(s)) for s in said]
        mass: Counter = Counter()
        for one, share in zip(keys, probability.tolist(), strict=True):
            mass[one] += share
        rank = {one: i + 1 for i, (one, _) in enumerate(reversed(mass.most_common()))}
        by_pair = key == "cohen" and readers > 2
        self.cells = cells_of(Counter(rank), np.eye(2), MEASURES[key].chance, by_pair=by_pair)
        self.place = np.array([rank[one] - 1 for one in keys])

    def of(self, weight: np.ndarray):
        """The cells of one sample: ``weight`` counts its cases of each pattern."""
        m = np.bincount(self.place, weight, minlength=self.cells.m.size)
        return replace(self.cells, m=m)


def truth(key: str, readers: int, probability: np.ndarray) -> float:
    cells = cells_for(key, readers, probability)
    return float(coefficients(cells.m[None, :], cells)[0])


def pattern_votes(readers: int) -> Votes:
    said = every_pattern(readers)
    case = np.repeat(np.arange(len(said)), readers)
    reader = np.tile(np.arange(readers), len(said))
    ones = np.ones(case.size)
    return Votes(case, reader, said.ravel(), ones, len(said), readers, 2, case.size, 0)


def analytic_covers(key: str, votes: Votes, weight: np.ndarray, true: float) -> bool:
    point = linearised(votes, np.eye(2), MEASURES[key].chance, case_weight=weight)
    n = weight.sum()
    spread = float(weight @ np.nan_to_num(point.influence) ** 2)
    cohen = key == "cohen"
    half = (
        ndtri(0.975) * math.sqrt(spread) / n
        if cohen
        else stdtrit(n - 1, 0.975) * math.sqrt(spread / n / (n - 1))
    )
    return abs(point.value - true) <= half


def percentile_covers(cells, true, rng) -> bool:
    drawn = rng.multinomial(round(cells.m.sum()), cells.m / cells.m.sum(), size=300)
    found = coefficients(drawn.astype(float), cells)
    found = found[~np.isnan(found)]
    if not found.size:
        return False
    low, high = np.quantile(found, (0.025, 0.975))
    return bool(low <= true <= high)


def one_cell(job: tuple) -> dict:
    n, prevalence, readers, model, kappa, samples, peers, checked, seed = job
    rng = np.random.default_rng(seed)
    probability = shares(model, readers, prevalence, kappa)
    data = rng.multinomial(n, probability / probability.sum(), size=samples)
    votes = pattern_votes(readers)
    found: dict = {"n": n, "prevalence": prevalence, "readers": readers, "model": model}
    found |= {"kappa": kappa, "ours": {}, "width": {}, "ends_agree": [0, 0]}
    found |= {"analytic": {}, "percentile": {}}
    for key in FORMS:
        if key == "conger" and readers == 2:
            continue  # it is Cohen's kappa then
        true = truth(key, readers, probability)
        template = Template(key, readers, probability)
        known: dict[bytes, float] = {}
        held, widths = 0.0, []
        for i, weight in enumerate(data):
            cells = template.of(weight)
            name = cells.m.tobytes()
            if name not in known:
                known[name] = cell_p_value(cells, true, draws=500, seed=seed, alpha=0.05)
            held += known[name] >= 0.05
            if i < (checked if len(cells.d) == 1 else 1):
                span = cell_interval(cells, MEASURES[key], 0.95, 500, seed)
                widths.append(span.high - span.low)
                found["ends_agree"][0] += (span.low <= true <= span.high) == (known[name] >= 0.05)
                found["ends_agree"][1] += 1
        found["ours"][key] = held / samples
        found["width"][key] = float(np.mean(widths)) if widths else None
        few = data[:peers].astype(float)
        if key != "cohen" or readers == 2:
            found["analytic"][key] = np.mean([analytic_covers(key, votes, w, true) for w in few])
        found["percentile"][key] = np.mean(
            [percentile_covers(template.of(w), true, rng) for w in few[: peers // 2]]
        )
    return found


def summary(cells: list[dict], method: str) -> dict:
    figures = np.array([value for cell in cells for value in cell[method].values()])
    return {
        "cells": int(figures.size),
        "inside_93_97": int(((figures >= 0.93) & (figures <= 0.97)).sum()),
        "below_93": int((figures < 0.93).sum()),
        "above_97": int((figures > 0.97).sum()),
        "lowest": round(float(figures.min()), 4),
        "highest": round(float(figures.max()), 4),
        "mean": round(float(figures.mean()), 4),
    }


def show(cell: dict) -> None:
    head = (
        f"n={cell['n']:<4} p={cell['prevalence']:<5} readers={cell['readers']} "
        f"{cell['model']:<18} kappa={cell['kappa']}"
    )
    parts = []
    for key, value in cell["ours"].items():
        peer = cell["analytic"].get(key)
        shown = f"{peer:.3f}" if peer is not None else "  -  "
        width = cell["width"][key]
        parts.append(
            f"{key} {value:.3f} ({shown} {cell['percentile'][key]:.3f}"
            + (f" w {width:.2f})" if width is not None else ")")
        )
    print(head, "|", "; ".join(parts), flush=True)


def main() -> None:
    args = arguments(__doc__)
    start = time.time()
    sizes = (30,) if args.small else (30, 100)
    team = (2, 3) if args.small else (2, 3, 5)
    kappas = (0.5,) if args.small else (0.2, 0.4, 0.6, 0.8)
    samples, peers, checked = (60, 20, 2) if args.small else (1000, 200, 6)
    models = ("common correlation", "latent class")
    grid = itertools.product(sizes, (0.05, 0.2, 0.5), team, models, kappas)
    jobs = [(*cell, samples, peers, checked, 1000 + i) for i, cell in enumerate(grid)]
    # The slow cells first, so that both cores end together.
    order = sorted(range(len(jobs)), key=lambda i: -jobs[i][2] * jobs[i][0])
    print("coverage of ours (analytic peer, percentile bootstrap, w: our mean width)")
    cells = []
    with ProcessPoolExecutor(2) as pool:
        for cell in pool.map(one_cell, [jobs[i] for i in order]):
            cells.append(cell)
            show(cell)
    agree, asked = (sum(cell["ends_agree"][i] for cell in cells) for i in (0, 1))
    rare = [cell for cell in cells if cell["n"] == 30 and cell["prevalence"] == 0.05]
    noise = math.sqrt(0.95 * 0.05 / samples)
    finish(
        {
            "benchmark": "interval_coverage",
            "small": args.small,
            "samples_per_cell": samples,
            "noise_of_a_cell": round(noise, 4),
            "ours": summary(cells, "ours"),
            "analytic": summary(cells, "analytic"),
            "percentile_bootstrap": summary(cells, "percentile"),
            "ours_n30_p5": summary(rare, "ours"),
            "analytic_n30_p5": summary(rare, "analytic"),
            "percentile_n30_p5": summary(rare, "percentile"),
            "printed_ends_agree_with_test": round(agree / asked, 4),
            "outside": [
                [cell["n"], cell["prevalence"], cell["readers"], cell["model"], cell["kappa"], key,
                 round(value, 4)]
                for cell in cells
                for key, value in cell["ours"].items()
                if not 0.93 <= value <= 0.97
            ][:80],
            "seconds": round(time.time() - start, 1),
        }
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())

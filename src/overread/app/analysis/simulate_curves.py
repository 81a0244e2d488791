"""Curves of replayed strategies over seeds, and the labels and hours that they need."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import t as student

from overread.arrays import Floats, Ints
from overread.selection.effort import effort_of
from overread.selection.quality import Quality
from overread.selection.replay import PROCESS, STANDARD, Replay, Strategy
from overread.words import percent

_DRAWS = 400
_OPEN = ("nll", "mae")  # have no upper bound


@dataclass(frozen=True, slots=True)
class Labour:
    """What a person's time is spent on.

    Args:
        readers: of each labelled case. label: seconds of a read. review: seconds to look at one
            auto-label.
    """

    readers: int = 1
    label: float = 60.0
    review: float = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One strategy, over all seeds.

    Args:
        strategy: how cases were chosen. labels: (steps,).
        mean, low, high: measure -> (steps,) mean over the seeds and its 95 % interval (nan with
            one seed). Measures: accuracy, balanced, ece, nll, pool, "recall CLASS", and of grades
            kappa and mae.
    """

    strategy: Strategy
    labels: Ints
    mean: dict[str, Floats]
    low: dict[str, Floats]
    high: dict[str, Floats]

    @property
    def name(self) -> str:
        """The acquisition, and the start where it is not the usual one."""
        return name_of(self.strategy)


@dataclass(frozen=True, slots=True)
class Reached:
    """Labels that a strategy needs for a share of the accuracy that all labels give.

    Args:
        name: of the strategy. labels: needed; None if not reached. low, high: 95 % interval over
            resampled seeds, None where some draw did not reach it.
        hours: of people to label so many and review the rest; saved: share of labelling all.
        times: labels of random order over these; nan where either was not reached.
    """

    name: str
    labels: int | None
    low: int | None
    high: int | None
    hours: float
    saved: float
    times: float


def name_of(strategy: Strategy) -> str:
    """The acquisition, the start and the model where they are not the usual, the share by lot."""
    usual = "random" if strategy.acquisition in {"random", STANDARD} else "typical"
    start = "" if strategy.start == usual else f", {strategy.start} start"
    lot = f", {percent(strategy.random_share)} by lot" if strategy.random_share else ""
    spread = ", labels spread" if strategy.spread else ""
    model = "" if strategy.model == PROCESS else f", by {strategy.model}"
    return f"{strategy.acquisition}{start}{lot}{spread}{model}"


def measures_of(quality: Quality, pool: float, classes: Sequence[str]) -> dict[str, float]:
    """The figures of one measurement by name; of grades with kappa and mae."""
    found = {
        "accuracy": quality.accuracy, "balanced": quality.balanced, "ece": quality.ece,
        "nll": quality.nll, "pool": pool,
    }  # fmt: skip
    if not math.isnan(quality.kappa):
        found |= {"kappa": quality.kappa, "mae": quality.mae}
    return found | {f"recall {n}": r for n, r in zip(classes, quality.recall, strict=True)}


def curve_of(strategy: Strategy, runs: Sequence[Replay], classes: Sequence[str]) -> Curve:
    """Means and intervals over the seeds of one strategy."""
    tables = [
        [measures_of(q, p, classes) for q, p in zip(run.held_back, run.pool.tolist(), strict=True)]
        for run in runs
    ]
    mean: dict[str, Floats] = {}
    low: dict[str, Floats] = {}
    high: dict[str, Floats] = {}
    for name in tables[0][0]:
        every = np.array([[step[name] for step in table] for table in tables])
        mean[name], low[name], high[name] = _interval(every, 1.0 if name not in _OPEN else np.inf)
    return Curve(strategy, runs[0].labels, mean, low, high)


def _interval(every: Floats, most: float) -> tuple[Floats, Floats, Floats]:
    """Mean over (seeds, steps) and its 95 % interval by Student's t, within what is possible."""
    mean = every.mean(axis=0)
    if len(every) < 2:
        nothing = np.full_like(mean, np.nan)
        return mean, nothing, nothing
    half = student.ppf(0.975, len(every) - 1) * every.std(axis=0, ddof=1) / np.sqrt(len(every))
    return mean, np.maximum(mean - half, 0), np.minimum(mean + half, most)


def labels_needed(labels: Ints, accuracy: Floats, wanted: float) -> float:
    """Labels at which a curve first reaches an accuracy, between steps on a log scale; nan if not.

    The curve is taken as never falling; before its first step it is not known, and the first step
    is the answer.
    """
    risen = np.maximum.accumulate(accuracy)
    at = int(np.searchsorted(risen, wanted - 1e-12))
    if at == len(risen):
        return float("nan")
    if at == 0:
        return float(labels[0])
    part = (wanted - risen[at - 1]) / (risen[at] - risen[at - 1])
    return float(np.exp(np.log(labels[at - 1]) * (1 - part) + np.log(labels[at]) * part))


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """What is to be reached, and at what price.

    Args:
        full: (seeds,) accuracy with all labels. share: of it that is wanted.
        cases: of the whole set. labour: seconds and readers.
    """

    full: Floats
    share: float
    cases: int
    labour: Labour


def reached_of(curve: Curve, runs: Sequence[Replay], wanted: Wanted) -> Reached:
    """Labels and hours that a strategy needs; ``times`` is for :func:`against_random`."""
    accuracy = np.array([[q.accuracy for q in run.held_back] for run in runs])
    need = labels_needed(curve.labels, accuracy.mean(axis=0), wanted.share * wanted.full.mean())
    low, high = _resampled(curve.labels, accuracy, wanted)
    nothing = float("nan")
    if math.isnan(need):
        return Reached(curve.name, None, low, None, nothing, nothing, nothing)
    effort = effort_of(
        wanted.cases, share_labelled=min(need / wanted.cases, 1.0),
        readers=wanted.labour.readers, label_seconds=wanted.labour.label,
        review_seconds=wanted.labour.review, reviewers=1,
    )  # fmt: skip
    return Reached(curve.name, math.ceil(need), low, high, effort.hours, effort.saved, nothing)


def against_random(reached: Sequence[Reached], curves: Sequence[Curve]) -> tuple[Reached, ...]:
    """The same with the labels of random order over those of each strategy, if it was played.

    Random order is that of the product's own model; of the first other that was played if not.
    """
    played = [
        (curve.strategy.model != PROCESS, one.labels)
        for curve, one in zip(curves, reached, strict=True)
        if curve.strategy.acquisition == "random"
    ]
    random = min(played, key=lambda one: one[0])[1] if played else None
    return tuple(
        replace(one, times=random / one.labels) if random and one.labels else one for one in reached
    )


def _resampled(labels: Ints, accuracy: Floats, wanted: Wanted) -> tuple[int | None, int | None]:
    """Interval of the labels needed had other seeds been drawn."""
    full = wanted.full
    if len(full) < 2:
        return None, None
    rng = np.random.default_rng(0)
    needs = []
    for _ in range(_DRAWS):
        drawn = rng.integers(len(full), size=len(full))
        aim = wanted.share * full[drawn].mean()
        needs.append(labels_needed(labels, accuracy[drawn].mean(axis=0), aim))
    low, high = np.quantile(
        np.where(np.isnan(needs), np.inf, needs), (0.025, 0.975), method="lower"
    )
    return (
        None if np.isinf(low) else math.floor(low),
        None if np.isinf(high) else math.ceil(high),
    )

"""Play the labelling loop again on a labelled set: labels, hours and quality before a project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from overread.app.analysis.simulate_curves import (
    Curve,
    Labour,
    Reached,
    Wanted,
    against_random,
    curve_of,
    name_of,
    reached_of,
)
from overread.app.analysis.simulate_play import Ground, Job, Progress, played, sampler_of
from overread.arrays import Ints
from overread.errors import InputError
from overread.selection.basis import Latents, check_latents
from overread.selection.replay import STANDARD, Replay, Strategy
from overread.selection.splits import split_by_group

SHARES = (0.01, 0.02, 0.05, 0.10, 0.16, 0.30)
STRATEGIES = (Strategy(), Strategy("random", "random"), Strategy(STANDARD, "random"))


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """What became of all strategies.

    Args:
        classes: names. cases, held_back: numbers (held_back of the first seed). seeds: played.
        full: accuracy on the held-back cases with all other cases labelled, mean over the seeds.
        share: of ``full`` that was to be reached.
        curves, reached: one a strategy, in the order asked for.
        runs: (strategy, seed) -> its replay.
        labour: seconds and readers.
    """

    classes: tuple[str, ...]
    cases: int
    held_back: int
    seeds: int
    full: float
    share: float
    curves: tuple[Curve, ...]
    reached: tuple[Reached, ...]
    runs: dict[tuple[int, int], Replay]
    labour: Labour


def simulate(
    latents: Latents, labels: Ints, classes: Sequence[str], *,
    strategies: Sequence[Strategy] = STRATEGIES, seeds: int = 5,
    shares: Sequence[float] = SHARES, groups: Ints | None = None, ordinal: bool = False,
    held_back: float = 0.2, share: float = 0.99, labour: Labour | None = None,
    workers: int = 1, progress: Progress | None = None,
) -> Simulation:  # fmt: skip
    """Replay strategies on a labelled set with several seeds.

    Every seed holds back other cases (whole groups), starts anew and draws anew; all strategies
    of a seed share its held-back cases.

    Args:
        latents: (cases, latents). labels: (cases,) classes from 0; classes: their names.
        strategies: to compare; :data:`STRATEGIES` by default.
        seeds: how many. shares: of the pool at which to measure, in (0, 1].
        groups: (cases,) patient, video; such cases stay together.
        ordinal: the classes are grades, from least to most.
        held_back: share of the cases to measure on.
        share: of the accuracy with all labels for which the labels needed are told.
        labour: seconds and readers, for the hours.
        workers: processes. progress: called with (done, in all).
    Raises:
        InputError: fewer than two classes occur, or a setting is out of bounds.
        MissingExtraError: a strategy names a model whose packages are not installed.
    """
    labels = np.asarray(labels, dtype=np.int64)
    _check_set(latents, labels, classes)
    _check_settings(strategies, seeds, shares)
    if not 0 < held_back < 1 or not 0 < share <= 1:
        got = f"{held_back} and {share}"
        raise InputError("share held back and share to reach", "be in (0, 1) and (0, 1]", got)
    tests = [_held_back(labels, groups, held_back, seed) for seed in range(seeds)]
    smallest = len(labels) - max(map(len, tests))
    marks = np.unique([max(round(smallest * part), min(4, smallest)) for part in shares])
    jobs = [
        Job(place, seed, tests[seed], marks, one)
        for seed in range(seeds)
        for place, one in enumerate(strategies)
    ]
    jobs += [_job_of_all(len(labels), tests[seed], seed) for seed in range(seeds)]
    ground = Ground(np.asarray(latents), labels, len(classes), ordinal, groups)
    done = dict(played(ground, jobs, min(workers, len(jobs)), progress))
    full = np.array([done.pop((-1, seed)).held_back[0].accuracy for seed in range(seeds)])
    every = [[done[place, seed] for seed in range(seeds)] for place in range(len(strategies))]
    curves = tuple(
        curve_of(one, runs, classes) for one, runs in zip(strategies, every, strict=True)
    )
    labour = labour or Labour()
    wanted = Wanted(full, share, len(labels), labour)
    reached = tuple(reached_of(one, runs, wanted) for one, runs in zip(curves, every, strict=True))
    reached = against_random(reached, curves)
    return Simulation(
        tuple(classes), len(labels), len(tests[0]), seeds, float(full.mean()), share, curves,
        reached, done, labour,
    )  # fmt: skip


def _job_of_all(cases: int, test: Ints, seed: int) -> Job:
    """All cases that are not held back are labelled at once."""
    most = cases - len(test)
    return Job(-1, seed, test, np.array([most]), Strategy("random", "random", batch=most))


def _check_set(latents: Latents, labels: Ints, classes: Sequence[str]) -> None:
    check_latents(latents)
    if len(labels) != len(latents):
        raise InputError("labels", f"be one for each of {len(latents)} cases", len(labels))
    there = np.unique(labels)
    if len(there) < 2 or there[0] < 0 or there[-1] >= len(classes):
        got = f"{len(there)} in {len(labels)} labels"
        raise InputError("labels", f"be of at least two of {len(classes)} classes", got)


def _check_settings(strategies: Sequence[Strategy], seeds: int, shares: Sequence[float]) -> None:
    if not strategies or seeds < 1:
        raise InputError("strategies and seeds", "be at least one", f"{len(strategies)}, {seeds}")
    for one in strategies:
        sampler_of(one.model)  # what is missing is told before the first replay
    names = [name_of(one) for one in strategies]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError("strategies", "differ", f"{twice[0]} twice")
    if not shares or not all(0 < part <= 1 for part in shares):
        raise InputError("shares", "be in (0, 1], one at least", list(shares))


def _held_back(labels: Ints, groups: Ints | None, part: float, seed: int) -> Ints:
    code = np.arange(len(labels)) if groups is None else np.asarray(groups)
    dealt = split_by_group(code, (1 - part, part), strata=labels, seed=seed)
    test = np.flatnonzero(dealt == 1)
    if not len(test) or len(test) == len(labels):
        remedy = "Give more cases or groups, or hold back another share."
        got = f"{len(np.unique(code))} groups"
        raise InputError("cases", "be enough to hold some back", got, remedy=remedy)
    return test

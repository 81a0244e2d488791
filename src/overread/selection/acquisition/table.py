"""The one table of acquisition functions, and the choice by any of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from overread.arrays import Bools, Floats, Ints
from overread.errors import InputError
from overread.selection.acquisition import scores, spread
from overread.selection.acquisition.adaptive import adaptive, bald_first
from overread.selection.acquisition.epig import epig
from overread.selection.acquisition.view import View
from overread.selection.belief import Belief

Score = Callable[[Belief], Floats]
Choose = Callable[[View, int, np.random.Generator], Ints]


@dataclass(frozen=True, slots=True)
class Acquisition:
    """One way to choose what is read next.

    Args:
        words: what it asks for, for people.
        choose: (view, count, rng) to rows that are open, all different, ``count`` of them or all
            that are open; the most wanted first.
        score: of single cases where there is one: larger is asked first.
        rank: how single cases compare: the score, or what the choice among several begins with;
            None where a case cannot be judged alone.
        stage: of a function that changes: the name of the one to ask now.
        needs_labels: without any label it is no better than by lot.
        random: its answers depend on the generator.
    """

    words: str
    choose: Choose
    score: Score | None = None
    rank: Score | None = None
    stage: Callable[[View], str] | None = None
    needs_labels: bool = True
    random: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Cases to read next.

    Args:
        rows: most wanted first.
        by_lot: (rows,) taken at random whatever the model says: these are a fair sample.
    """

    rows: Ints
    by_lot: Bools


def _by_score(score: Score, view: View, count: int, rng: np.random.Generator) -> Ints:
    del rng  # an order has no luck
    return scores.best(score(view.belief), view, count)


def _scored(words: str, score: Score) -> Acquisition:
    return Acquisition(words, partial(_by_score, score), score, score)


def _spread(
    words: str, choose: Choose, *, rank: Score | None = None, needs_labels: bool = True
) -> Acquisition:
    return Acquisition(words, choose, rank=rank, needs_labels=needs_labels, random=True)


def _by_stage(
    stage: Callable[[View], str], view: View, count: int, rng: np.random.Generator
) -> Ints:
    return ACQUISITIONS[stage(view)].choose(view, count, rng)


def _staged(words: str, stage: Callable[[View], str]) -> Acquisition:
    return Acquisition(words, partial(_by_stage, stage), stage=stage, random=True)


DEFAULT = "bald-first"
ACQUISITIONS: dict[str, Acquisition] = {
    "bald-first": _staged("what the model does not know yet, then what is unsure", bald_first),
    "adaptive": _staged("the other cases where labels are noisy, doubt where not", adaptive),
    "random": _spread("by lot", spread.at_random, needs_labels=False),
    "least-confidence": _scored("the least sure answer", scores.least_confidence),
    "entropy": _scored("the most open answer", scores.entropy),
    "margin": _scored("two classes nearly equal", scores.margin),
    "bald": _scored("the label tells most about the model", scores.bald),
    "baba": _scored("the best balance of gain and noise", scores.baba),
    "epig": _spread("the label tells most about the other cases", epig),
    "badge": _spread("large and different steps of learning", spread.badge),
    "margin-cluster": _spread(
        "unsure, and not all alike", spread.margin_cluster, rank=scores.margin
    ),
    "class-quota": _spread("unsure, as many of each class", spread.class_quota),
    "typical": _spread("typical of a group without labels", spread.typical, needs_labels=False),
    "k-means": _spread("the middle of each group", spread.central, needs_labels=False),
}


def acquisition(name: str) -> Acquisition:
    """The acquisition function of this name.

    Raises:
        InputError: there is none.
    """
    if name not in ACQUISITIONS:
        raise InputError("acquisition", f"be one of {', '.join(ACQUISITIONS)}", name)
    return ACQUISITIONS[name]


def asked_now(name: str, view: View) -> Acquisition:
    """The acquisition function of this name, or the one that it asks at this stage.

    Raises:
        InputError: there is none.
    """
    how = acquisition(name)
    return how if how.stage is None else ACQUISITIONS[how.stage(view)]


def choose(
    view: View, count: int, rng: np.random.Generator, *,
    name: str = DEFAULT, random_share: float = 0.0, parallel: bool = False,
) -> Choice:  # fmt: skip
    """Choose the cases to read next.

    Args:
        view: the candidates; count: cases wanted, fewer come where fewer are open.
        name: of the acquisition function.
        random_share: chance of each place to go to a case by lot; about .05 keeps a fair sample
            for the learning curve.
        parallel: several readers ask at once: scores get soft-rank noise, so that two who ask
            one after the other, with no label in between, do not get near copies.
    Returns:
        The rows, most wanted first, and which of them were drawn by lot.
    """
    if count < 0 or not 0 <= random_share <= 1:
        got = f"{count} and {random_share}"
        raise InputError("count and random share", "be at least 0, and in [0, 1]", got)
    how = asked_now(name, view)
    count = min(count, int(view.open.sum()))
    lots = int(rng.binomial(count, random_share))
    by_lot = spread.at_random(view, lots, rng)
    if parallel and how.score is not None:
        wanted = scores.best(scores.soft_ranked(how.score(view.belief), rng), view, count)
    else:
        wanted = how.choose(view, count, rng)
    wanted = wanted[~np.isin(wanted, by_lot)][: count - lots]
    rows = np.concatenate([wanted, by_lot]).astype(np.int64)
    drawn = np.arange(len(rows)) >= len(wanted)
    order = rng.permutation(len(rows)) if lots else np.arange(len(rows))  # the lot shows nowhere
    order = np.sort(order) if lots == len(rows) else order
    return Choice(rows[order], drawn[order])

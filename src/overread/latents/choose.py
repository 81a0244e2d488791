"""Which encoders to use: measured on labels held back, whole groups at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Floats, Ints
from overread.errors import InputError
from overread.latents.joining import join
from overread.selection.likelihood import grades
from overread.selection.pool import label_many, open_pool, probabilities, tune
from overread.selection.process import checked_votes
from overread.selection.splits import split_by_group

LEAST_LABELS = 40
"""Below it nothing can be told, and the first chain stays."""

LEAST_HELD = 10
"""Labels that are held back at once, at least."""


@dataclass(frozen=True, slots=True, eq=False)
class ChainScore:
    """A chain on labels held back.

    Args:
        chain: names of its encoders.
        loss: (labels held back,) negative log probability of each, when it was held back.
        mean: of these, each counted by its weight.
        accuracy: share of them whose class had the highest probability, counted the same.
    """

    chain: tuple[str, ...]
    loss: Floats
    mean: float
    accuracy: float


@dataclass(frozen=True, slots=True, eq=False)
class ChosenChain:
    """The chain to use.

    Args:
        chain: names of its encoders.
        scores: of every chain; empty where there were too few labels.
        reason: in a sentence.
    """

    chain: tuple[str, ...]
    scores: tuple[ChainScore, ...]
    reason: str


def choose_encoders(
    parts: Mapping[str, NDArray[Any]], chains: Sequence[tuple[str, ...]], votes: Floats, *,
    groups: Ints | None = None, ordinal: bool = False, folds: int = 3, weight: Floats | None = None,
    only: NDArray[np.bool_] | None = None, learned: Collection[str] = (), wins_by: float = 1.0,
    seed: int = 0,
) -> ChosenChain:  # fmt: skip
    """Choose a chain of encoders by the labels so far.

    Args:
        parts: encoder's name to (labels, latents) of the labelled cases.
        chains: to choose from, those preferred when it makes no difference first.
        votes: (labels, classes) one-hot, or several readers' votes; (findings, labels, classes)
            of sets of findings, whose losses are averaged.
        groups: (labels,) patient, video or near-duplicates; never on both sides of a fold.
        ordinal: the classes are grades.
        folds: each held back once.
        weight: (labels,) how much each counts: labels that a model chose do not stand for all.
        only: (labels,) the only ones that are held back: where an encoder has learned from the
            labels of the others.
        learned: names of the encoders that have. A process on their latents is as sure as the
            labels that they have not seen allow.
        wins_by: standard errors of their paired difference, by which another chain must be better
            than the first to take its place.
        seed: of the folds.
    Returns:
        The first chain, if none wins; else the first other from which none differs for the better
        by more than one standard error of their paired difference.
    Source:
        Nadeau & Bengio 2003, Machine Learning 52:239-281 (the error of held-back folds that share
        what they were taught by).
    """
    if not chains or any(not chain or set(chain) - set(parts) for chain in chains):
        raise InputError("chains", "be of the encoders given", [list(chain) for chain in chains])
    tables = votes[None] if votes.ndim == 2 else votes
    tables = np.array([checked_votes(table, table.shape[0]) for table in tables])
    count = tables.shape[1]
    groups = np.arange(count) if groups is None else np.unique(groups, return_inverse=True)[1]
    told = tables[[len(np.unique(table.argmax(axis=1))) > 1 for table in tables]]
    few = count < LEAST_LABELS or len(np.unique(groups)) < 2 * folds or not len(told)
    if few or len(chains) == 1:
        why = f"{count} labels, or one class or patient alone, cannot tell encoders apart"
        return ChosenChain(chains[0], (), "only one to choose" if len(chains) == 1 else why)
    if only is None:
        out = np.ones(count, dtype=np.bool_)
    else:
        out = np.asarray(only, dtype=np.bool_)
        _check_only(out, told)
    fold = np.full(count, -1)
    strata = told[0, out].argmax(axis=1)
    fold[out] = split_by_group(groups[out], (1 / folds,) * folds, strata=strata, seed=seed)
    rounds = [fold == one for one in np.unique(fold[out])]
    counts = np.where(out, 1.0 if weight is None else weight, 0.0)
    share = counts / counts.sum()
    scores = []
    for chain in chains:
        joined = join([parts[name] for name in chain])
        judges = out if set(learned) & set(chain) else None
        loss, right = _lost(joined, told, rounds, ordinal=ordinal, seed=seed, judges=judges)
        scores.append(ChainScore(chain, loss[out], float(share @ loss), float(share @ right)))
    # folds share what they were taught by: what was luck in one is so in all
    tested = out.sum() / len(rounds)
    wider = float(np.sqrt(1 + len(rounds) * tested / (count - tested)))
    return _first_as_good(tuple(scores), share[out], groups[out], wider, wins_by)


def _check_only(only: NDArray[np.bool_], votes: Floats) -> None:
    taught = votes[:, ~only].argmax(axis=2)
    if only.sum() < LEAST_HELD or not any(len(np.unique(one)) > 1 for one in taught):
        rule = f"be {LEAST_HELD} labels or more, and leave two classes to learn from"
        raise InputError("labels held back", rule, int(only.sum()))


def _first_as_good(
    scores: tuple[ChainScore, ...], share: Floats, groups: Ints, wider: float, wins_by: float
) -> ChosenChain:
    """The first that none beats by more than its error; groups are what is drawn.

    Args:
        wider: how much wider the error is than that of cases drawn one by one.
    """
    best = min(scores, key=lambda one: one.mean)
    score = best
    for score in scores:
        apart = score.loss - best.loss
        by = float(share @ apart)
        drawn = np.bincount(groups, weights=share * (apart - by))
        error = wider * np.sqrt((drawn**2).sum())
        if by <= error * (wins_by if score is scores[0] else 1.0):
            break
    said = f"log loss {score.mean:.3f} on {len(share)} labels held back in turn"
    if score is not best:
        said += f", no worse than {' + '.join(best.chain)} ({best.mean:.3f}) within its error"
    return ChosenChain(score.chain, scores, said)


def _lost(
    joined: NDArray[Any], tables: Floats, rounds: list[NDArray[np.bool_]], *,
    ordinal: bool, seed: int, judges: NDArray[np.bool_] | None,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Loss of each label and whether it was told, mean over findings with a process each."""
    loss, right = np.zeros(len(joined)), np.zeros(len(joined))
    for votes in tables:
        share = votes / votes.sum(axis=1, keepdims=True)
        for out in rounds:
            found = _held_back(joined, votes, out, ordinal=ordinal, seed=seed, judges=judges)
            lost = -(share[out] * np.log(np.maximum(found, 1e-9))).sum(axis=1)
            loss[out] += lost / len(tables)
            right[out] += (found.argmax(axis=1) == votes[out].argmax(axis=1)) / len(tables)
    return loss, right


def _held_back(
    latents: NDArray[Any], votes: Floats, out: NDArray[np.bool_], *, ordinal: bool, seed: int = 0,
    judges: NDArray[np.bool_] | None = None,
) -> Floats:  # fmt: skip
    """Probabilities of some labelled cases by a process that saw the labels of the others.

    Args:
        latents, votes: of labelled cases; out: (labels,) those held back.
        ordinal: the classes are grades.
        seed: of the landmarks.
        judges: (labels,) as of :func:`overread.selection.pool.open_pool`.
    """
    k = votes.shape[1]
    start = grades(k) if ordinal else None
    pool = open_pool(latents, k, settings=start, seed=seed, judges=judges)
    pool = tune(label_many(pool, np.flatnonzero(~out), votes[~out]))
    return probabilities(pool, np.flatnonzero(out))

"""Which encoders to use: measured on labels held back, whole groups at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


@dataclass(frozen=True, slots=True, eq=False)
class ChainScore:
    """A chain on labels held back.

    Args:
        chain: names of its encoders.
        loss: (labels,) negative log probability of each label, when it was held back.
        accuracy: share of labels whose class had the highest probability.
    """

    chain: tuple[str, ...]
    loss: Floats
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
    groups: Ints | None = None, ordinal: bool = False, folds: int = 3, seed: int = 0,
) -> ChosenChain:  # fmt: skip
    """Choose a chain of encoders by the labels so far.

    Args:
        parts: encoder's name to (labels, latents) of the labelled cases.
        chains: to choose from, those preferred when it makes no difference first.
        votes: (labels, classes) one-hot, or several readers' votes.
        groups: (labels,) patient, video or near-duplicates; never on both sides of a fold.
        ordinal: the classes are grades.
        folds: each held back once.
        seed: of the folds.
    Returns:
        The first chain from which none differs for the better by more than one standard error
        of their paired difference.
    """
    if not chains or any(not chain or set(chain) - set(parts) for chain in chains):
        raise InputError("chains", "be of the encoders given", [list(chain) for chain in chains])
    votes = checked_votes(votes, len(votes))
    groups = np.arange(len(votes)) if groups is None else np.unique(groups, return_inverse=True)[1]
    sure = votes.argmax(axis=1)
    few = len(votes) < LEAST_LABELS or len(np.unique(groups)) < 2 * folds
    if few or len(np.unique(sure)) < 2 or len(chains) == 1:
        why = f"{len(votes)} labels, or one class or patient alone, cannot tell encoders apart"
        return ChosenChain(chains[0], (), "only one to choose" if len(chains) == 1 else why)
    fold = split_by_group(groups, (1 / folds,) * folds, strata=sure, seed=seed)
    scores = tuple(
        _scored(chain, [parts[name] for name in chain], votes, fold, ordinal=ordinal, seed=seed)
        for chain in chains
    )
    best = min(scores, key=lambda one: one.loss.mean())
    for score in scores:
        apart = score.loss - best.loss
        if apart.mean() <= apart.std() / np.sqrt(len(apart)):
            break
    said = f"log loss {score.loss.mean():.3f} on {len(votes)} labels held back in turn"
    if score is not best:
        said += (
            f", no worse than {' + '.join(best.chain)} ({best.loss.mean():.3f}) within its error"
        )
    return ChosenChain(score.chain, scores, said)


def _scored(
    chain: tuple[str, ...], rows: list[NDArray[Any]], votes: Floats, fold: Ints, *,
    ordinal: bool, seed: int,
) -> ChainScore:  # fmt: skip
    loss, right = np.zeros(len(votes)), np.zeros(len(votes), dtype=bool)
    joined = join(rows)
    share = votes / votes.sum(axis=1, keepdims=True)
    for held in np.unique(fold):
        out = fold == held
        found = held_back(joined, votes, out, ordinal=ordinal, seed=seed)
        loss[out] = -(share[out] * np.log(np.maximum(found, 1e-9))).sum(axis=1)
        right[out] = found.argmax(axis=1) == votes[out].argmax(axis=1)
    return ChainScore(chain, loss, float(right.mean()))


def held_back(
    latents: NDArray[Any], votes: Floats, out: NDArray[np.bool_], *, ordinal: bool, seed: int = 0
) -> Floats:
    """Probabilities of some labelled cases by a process that saw the labels of the others.

    Args:
        latents, votes: of labelled cases; out: (labels,) those held back.
        ordinal: the classes are grades.
        seed: of the landmarks.
    """
    k = votes.shape[1]
    pool = open_pool(latents, k, settings=grades(k) if ordinal else None, seed=seed)
    pool = tune(label_many(pool, np.flatnonzero(~out), votes[~out]))
    return probabilities(pool, np.flatnonzero(out))

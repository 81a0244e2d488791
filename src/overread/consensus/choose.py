"""Which consensus method to use: how well each predicts reads that it has not seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from overread.arrays import Bools, Floats, Ints
from overread.consensus.result import ClassConsensus, Consensus, Fit
from overread.errors import InputError, MethodError
from overread.labels import ClassReads
from overread.words import percent

_MIX = 1e-3  # share of an even guess in each prediction: no prediction costs endlessly
_FEW = 10  # reads a confusion row below which pooling readers is likely to pay

Method = Callable[[ClassReads], Consensus[ClassConsensus]]


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One method's part in a comparison.

    Args:
        name: as the caller calls it.
        held_out: mean log chance of the held-out reads, nats a read; higher is better.
        behind: how far ``held_out`` is below the best method's, nats a read; 0 for the best.
        behind_se: standard error of ``behind``, by case; 0 for the best.
        agreement: share of cases with the same consensus class as the best method's.
        fit: goodness of fit on all reads, where the method reports it.
        warnings: the method's, on all reads.
    """

    name: str
    held_out: float
    behind: float
    behind_se: float
    agreement: float
    fit: Fit | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Methods side by side, in the caller's order.

    Args:
        candidates: one a method.
        guess: mean log chance of the held-out reads by class shares alone, nats a read.
        guess_se: standard error of the best method's lead over ``guess``, by case.
        n_held_out: reads predicted.
        folds: into which the reads were split.
        seed: of the split.
        n_reads, n_active, n_classes: reads that answer, readers with reads, classes.
    """

    candidates: tuple[Candidate, ...]
    guess: float
    guess_se: float
    n_held_out: int
    folds: int
    seed: int
    n_reads: int
    n_active: int
    n_classes: int


@dataclass(frozen=True, slots=True)
class Recommendation:
    """Args: method; reason, in plain words; cautions, what the user should know besides."""

    method: str
    reason: str
    cautions: tuple[str, ...]


def compare_methods(
    reads: ClassReads, methods: Mapping[str, Method], *, folds: int = 5, seed: int = 0
) -> Comparison:
    """Predict held-out reads from the others by each method.

    The (case, reader) pairs are split into folds. Each method sees the other folds and predicts a
    hidden read by sum_k posterior[case, k] confusion[reader, k, said]. A reader without other
    reads has the pooled confusion. Reads whose case keeps no other read are not predicted.

    Args:
        reads: "cannot be read" is left out.
        methods: name -> function of the reads; the simplest first (:func:`recommend` keeps the
            earlier of two that predict alike).
        folds: 2 or more.
        seed: of the split.
    Raises:
        InputError: no method, or fewer than 2 folds.
        MethodError: no case has reads of two readers.
    """
    held = _hold_out(reads, methods, folds, seed)
    return _comparison([held], folds, seed)


def compare_by_class(
    tables: Mapping[str, ClassReads],
    methods: Mapping[str, Method],
    *,
    folds: int = 5,
    seed: int = 0,
) -> tuple[Comparison, dict[str, Comparison]]:
    """Predict held-out answers to several questions about the same cases.

    Args:
        tables: question -> reads, over the same cases (the classes of a multi-label table).
        methods, folds, seed: as in :func:`compare_methods`.
    Returns:
        all questions as one, their answers to a case counted together in the standard errors;
        and each question in which a read can be held out.
    Raises:
        InputError: as :func:`compare_methods`.
        MethodError: no read of any question can be held out.
    """
    held: dict[str, _Held] = {}
    for name, reads in tables.items():
        try:
            held[name] = _hold_out(reads, methods, folds, seed)
        except MethodError:
            if len(tables) == 1:
                raise
    if not held:
        raise MethodError("no case has reads of two readers, so no read can be held out")
    parts = {name: _comparison([one], folds, seed) for name, one in held.items()}
    return _comparison(list(held.values()), folds, seed), parts


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """Held-out reads of one table: log chance by method and by guess, their case; all reads."""

    chance: dict[str, Floats]
    guess: Floats
    case: Ints
    whole: dict[str, Consensus[ClassConsensus]]
    used: ClassReads


def _hold_out(reads: ClassReads, methods: Mapping[str, Method], folds: int, seed: int) -> _Held:
    if not methods:
        raise InputError("methods", "name at least one method", "none")
    if folds < 2:
        raise InputError("folds", "be 2 or more", folds)
    used = reads.answered()
    fold = _split(used, folds, np.random.default_rng(seed))
    tested = _predictable(used, fold)
    if not tested.any():
        raise MethodError("no case has reads of two readers, so no read can be held out")
    chances: dict[str, Floats] = {name: np.empty(used.label.size) for name in methods}
    guess = np.empty(used.label.size)
    for part in range(folds):
        hidden = np.flatnonzero((fold == part) & tested)
        if not hidden.size:
            continue
        seen = used.select(fold != part)
        shares = np.bincount(seen.label, minlength=used.n_classes) + 1.0
        guess[hidden] = np.log(shares / shares.sum())[used.label[hidden]]
        for name, method in methods.items():
            chances[name][hidden] = _predict(method(seen), seen, used, hidden)
    whole = {name: method(used) for name, method in methods.items()}
    held = {name: chance[tested] for name, chance in chances.items()}
    return _Held(held, guess[tested], used.index.case[tested], whole, used)


def _comparison(parts: Sequence[_Held], folds: int, seed: int) -> Comparison:
    names = list(parts[0].chance)
    held = {name: np.concatenate([one.chance[name] for one in parts]) for name in names}
    guess, case = (np.concatenate(c) for c in zip(*((p.guess, p.case) for p in parts), strict=True))
    best = max(held.values(), key=lambda chance: float(chance.mean()))
    readers = np.unique(np.concatenate([np.unique(one.used.index.reader) for one in parts]))
    return Comparison(
        candidates=_candidates([one.whole for one in parts], held, case),
        guess=float(guess.mean()),
        guess_se=_error_by_case(best - guess, case),
        n_held_out=int(guess.size),
        folds=folds,
        seed=seed,
        n_reads=sum(int(one.used.label.size) for one in parts),
        n_active=int(readers.size),
        n_classes=sum(one.used.n_classes for one in parts),
    )


def recommend(comparison: Comparison, *, sigmas: float = 2.0) -> Recommendation:
    """Recommend the simplest method that predicts held-out reads as well as the best.

    Args:
        comparison: of :func:`compare_methods`, its methods from simple to rich.
        sigmas: a method counts as "as well" when it is behind by at most so many standard errors.
    """
    best = max(comparison.candidates, key=lambda one: one.held_out)
    chosen = next(one for one in comparison.candidates if one.behind <= sigmas * one.behind_se)
    if chosen.name == best.name:
        reason = (
            f"{best.name} predicts held-out reads best: {best.held_out:.3f} nats a read "
            f"({percent(np.exp(best.held_out))} typical chance; class shares alone "
            f"{comparison.guess:.3f})."
        )
        others = [one for one in comparison.candidates if one.name != best.name]
        if others:
            second = min(others, key=lambda one: one.behind)
            reason += (
                f" Next comes {second.name}, {second.behind:.3f} behind "
                f"(standard error {second.behind_se:.3f})."
            )
    else:
        reason = (
            f"{best.name} predicts held-out reads best, but {chosen.name} is only "
            f"{chosen.behind:.3f} nats a read behind, within noise (standard error "
            f"{chosen.behind_se:.3f}), and is simpler: keep it. Their consensus is the same in "
            f"{percent(chosen.agreement, 1)} of the cases."
        )
    return Recommendation(chosen.name, reason, _cautions(comparison, chosen, best))


def _cautions(comparison: Comparison, chosen: Candidate, best: Candidate) -> tuple[str, ...]:
    words = []
    a_row = comparison.n_reads / max(comparison.n_active * comparison.n_classes, 1)
    if a_row < _FEW:
        words.append(
            f"There are about {a_row:.1f} reads for each reader and class: a confusion of its own "
            "for each reader rests on little. Prefer a method that pools readers (hierarchical, "
            "one-coin), or collect more reads."
        )
    if chosen.fit is not None and chosen.fit.p < 0.01:
        words.append(
            f"The model of {chosen.name} is rejected by its goodness of fit (G2 "
            f"{chosen.fit.g2:.1f} on {chosen.fit.df} degrees of freedom): readers depend on each "
            "other beyond the truth. Trust its ranking more than its probabilities, and check "
            "them on gold cases."
        )
    if best.held_out <= comparison.guess + 2 * comparison.guess_se:
        words.append(
            "No method predicts held-out reads clearly better than class shares alone: the "
            "readers share little. Look at the agreement and at the guideline first."
        )
    words.extend(chosen.warnings)
    return tuple(words)


def _split(reads: ClassReads, folds: int, rng: np.random.Generator) -> Ints:
    """(reads,) fold of each read; repeats of one reader on one case stay together.

    The reads of a case go to different folds as far as they can, so that others remain.
    """
    index = reads.index
    key = index.case.astype(np.int64) * index.n_readers + index.reader
    distinct, place = np.unique(key, return_inverse=True)
    case = distinct // index.n_readers
    shuffled = np.lexsort((rng.random(distinct.size), case))  # random order within each case
    start = np.r_[0, np.cumsum(np.bincount(case, minlength=index.n_cases))][:-1]
    rank = np.empty(distinct.size, dtype=np.int64)
    rank[shuffled] = np.arange(distinct.size) - start[case[shuffled]]
    first = rng.integers(0, folds, index.n_cases)
    return np.asarray(((first[case] + rank) % folds)[place])


def _predictable(reads: ClassReads, fold: Ints) -> Bools:
    """(reads,) true where the case has a read in another fold."""
    case, n_folds = reads.index.case.astype(np.int64), int(fold.max(initial=0)) + 1
    together = np.bincount(case * n_folds + fold, minlength=reads.index.n_cases * n_folds)
    others = reads.index.reads_per_case()[case] > together[case * n_folds + fold]
    return np.asarray(others, dtype=np.bool_)


def _predict(
    consensus: Consensus[ClassConsensus], seen: ClassReads, used: ClassReads, hidden: Ints
) -> Floats:
    """(hidden,) log chance of each hidden read."""
    confusion = consensus.reliability.confusion
    pooled, own = _confusion_of_votes(consensus.posterior, seen)
    idle = np.bincount(seen.index.reader, minlength=seen.index.n_readers) == 0
    confusion = np.where(idle[:, None, None], pooled, own if confusion is None else confusion)
    case, reader = used.index.case[hidden], used.index.reader[hidden]
    said = confusion[reader, :, used.label[hidden]]
    chance = (consensus.posterior[case] * said).sum(axis=1)
    return np.asarray(np.log((1 - _MIX) * chance + _MIX / used.n_classes))


def _confusion_of_votes(posterior: Floats, seen: ClassReads) -> tuple[Floats, Floats]:
    """Pooled confusion (classes, classes), and each reader's, drawn to it by 2 reads a class."""
    n_readers, n_classes = seen.index.n_readers, seen.n_classes
    counts = np.zeros((n_readers, n_classes, n_classes))
    of_read = (seen.index.reader, seen.label)
    np.add.at(counts.transpose(0, 2, 1), of_read, posterior[seen.index.case])
    pooled = counts.sum(axis=0) + 1.0 / n_classes
    pooled /= pooled.sum(axis=1, keepdims=True)
    own = counts + 2.0 * pooled
    return pooled, own / own.sum(axis=2, keepdims=True)


def _candidates(
    whole: Sequence[Mapping[str, Consensus[ClassConsensus]]], held: Mapping[str, Floats], case: Ints
) -> tuple[Candidate, ...]:
    """Args: whole: method -> consensus on all reads, one mapping a table."""
    best = max(held, key=lambda name: float(held[name].mean()))
    rows = []
    for name, chance in held.items():
        lost = held[best] - chance
        same = [(one[name].value.code == one[best].value.code).mean() for one in whole]
        warnings = dict.fromkeys(words for one in whole for words in one[name].warnings)
        rows.append(
            Candidate(
                name=name,
                held_out=float(chance.mean()),
                behind=float(lost.mean()),
                behind_se=_error_by_case(lost, case),
                agreement=float(np.mean(same)),
                fit=whole[0][name].fit if len(whole) == 1 else None,
                warnings=tuple(warnings),
            )
        )
    return tuple(rows)


def _error_by_case(value: Floats, case: Ints) -> float:
    """Standard error of the mean; the reads of one case share its luck and count together."""
    _, of_case = np.unique(case, return_inverse=True)
    per_case = np.bincount(of_case, value - value.mean())
    return float(np.sqrt((per_case**2).sum()) / value.size)

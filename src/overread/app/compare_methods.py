"""Methods side by side: against the truth where it is known, by held-out reads everywhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from overread.app.methods import METHODS, Method, method_called, methods_for
from overread.app.truth import AnyScore, against, truth_of
from overread.consensus import compare_methods as compare_by_held_out_reads
from overread.consensus import recommend
from overread.consensus.choose import Candidate, Recommendation
from overread.consensus.result import Consensus
from overread.errors import InputError, MethodError
from overread.labels import BoxReads, ClassReads, Kind, MaskReads, Reads, ScoreReads

_SIMPLE_FIRST = ("majority", "one_coin", "hierarchical", "dawid_skene", "ordinal", "ebcc")
_MOST_FOLDED = 2_000_000  # reads; beyond, five fits of every method take minutes


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One method of a comparison.

    Args:
        method: name. seconds: of one fit on all reads.
        score: against the truth, None where there is none.
        held_out: by held-out reads, None where it cannot be had.
        note: why the method could not be run; "" when it could.
        result: the consensus itself; None for masks, whose volumes would fill the memory.
    """

    method: str
    seconds: float
    score: AnyScore | None
    held_out: Candidate | None
    note: str
    result: Consensus[Any] | None


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Methods side by side. Args: entries; recommendation: None where reads cannot be held out."""

    entries: tuple[Entry, ...]
    recommendation: Recommendation | None


def compare(
    reads: Reads,
    *,
    truth: Any = None,
    methods: Sequence[str] | None = None,
    seed: int = 0,
    clock: Callable[[], float] = time.perf_counter,
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Run every method that fits and say how good each is.

    Args:
        reads: classes, grades, scores, boxes or masks.
        truth: right answers, see :func:`overread.app.truth.truth_of`; the methods do not see
            them. Boxes and masks need them.
        methods: names; all that fit by default.
        seed: of the methods and the folds.
        clock: seconds, for the time of a fit.
        progress: called with methods done and in all.
    Raises:
        InputError: a label kind without comparison, an unknown method, a truth that does not fit.
    """
    _refuse(reads, truth)
    right = None if truth is None else truth_of(reads, truth)
    chosen = _chosen(reads, methods)
    entries = []
    for done, method in enumerate(chosen, start=1):
        entries.append(_entry(reads, method, right, seed, clock))
        if progress is not None:
            progress(done, len(chosen) + 1)
    held, recommendation = _held_out(reads, [e for e in entries if not e.note], seed)
    if progress is not None:
        progress(len(chosen) + 1, len(chosen) + 1)
    return Comparison(
        tuple(
            Entry(e.method, e.seconds, e.score, held.get(e.method), e.note, e.result)
            for e in entries
        ),
        recommendation,
    )


def _refuse(reads: Reads, truth: Any) -> None:
    if not isinstance(reads, (ClassReads, ScoreReads, BoxReads, MaskReads)):
        several = "Ask one question at a time: one table a class."
        raise InputError(
            "kind", "be nominal, ordinal, score, box or mask", reads.schema.kind,
            remedy="Compare their boxes: --kind box." if reads.schema.kind is Kind.INSTANCE
            else several,
        )  # fmt: skip
    if truth is None and isinstance(reads, (BoxReads, MaskReads)):
        raise InputError(
            "truth", f"be given for {reads.schema.kind} reads", "none",
            remedy="Only classes and grades can be compared by reads held out.",
        )  # fmt: skip


def _chosen(reads: Reads, names: Sequence[str] | None) -> list[Method]:
    kind = reads.schema.kind
    if names is not None:
        return [method_called(name, kind) for name in names]
    order = {name: place for place, name in enumerate(_SIMPLE_FIRST)}
    return sorted(methods_for(kind), key=lambda method: order.get(method.name, len(order)))


def _entry(
    reads: Reads,
    method: Method,
    right: Any,
    seed: int,
    clock: Callable[[], float],
) -> Entry:
    settings = {"seed": seed} if "seed" in method.takes else {}
    before = clock()
    try:
        result = method.reach(reads, **settings)
        seconds = clock() - before
        scored = None if right is None else against(reads, result, right, seed=seed)
    except MethodError as error:
        return Entry(method.name, clock() - before, None, None, str(error), None)
    kept = None if isinstance(reads, MaskReads) else result
    return Entry(method.name, seconds, scored, None, "", kept)


def _held_out(
    reads: Reads, entries: Sequence[Entry], seed: int
) -> tuple[Mapping[str, Candidate], Recommendation | None]:
    if not isinstance(reads, ClassReads) or reads.index.n_reads > _MOST_FOLDED or not entries:
        return {}, None
    fits = {entry.method: METHODS[entry.method].reach for entry in entries}
    try:
        found = compare_by_held_out_reads(reads, fits, seed=seed)
    except MethodError:
        return {}, None
    return {one.name: one for one in found.candidates}, recommend(found)

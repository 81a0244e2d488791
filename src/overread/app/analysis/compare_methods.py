"""Methods side by side: against the truth where it is known, by held-out reads everywhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from overread.app.analysis.methods import METHODS, Method, method_called, methods_for
from overread.app.analysis.truth import AnyScore, against, sets_against, truth_of
from overread.consensus import compare_methods as compare_by_held_out_reads
from overread.consensus import recommend
from overread.consensus.choose import Candidate, Recommendation, compare_by_class
from overread.consensus.choose import Comparison as Held
from overread.consensus.result import Consensus
from overread.errors import InputError, MethodError
from overread.labels import (
    BoxReads,
    ClassReads,
    InstanceReads,
    MaskReads,
    MultiLabelReads,
    Reads,
)

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
        result: the consensus itself; None for masks, whose volumes would fill the memory, and for
            sets of classes, which have one a class.
    """

    method: str
    seconds: float
    score: AnyScore | None
    held_out: Candidate | None
    note: str
    result: Consensus[Any] | None


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Methods side by side.

    Args:
        entries: one a method.
        recommendation: None where reads cannot be held out.
        by_class: sets of classes alone: class -> the same for this class; ``entries`` hold the
            means over classes.
    """

    entries: tuple[Entry, ...]
    recommendation: Recommendation | None
    by_class: Mapping[str, Comparison] = field(default_factory=dict)


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
        reads: of any kind; sets of classes are compared class by class, and as a whole.
        truth: right answers, see :func:`overread.app.analysis.truth.truth_of`; the methods do not
            see them. Boxes, outlines and masks need them.
        methods: names; all that fit by default.
        seed: of the methods and the folds.
        clock: seconds, for the time of a fit.
        progress: called with methods done and in all.
    Raises:
        InputError: an unknown method, a truth that is missing or does not fit.
    """
    if truth is None and isinstance(reads, (BoxReads, InstanceReads, MaskReads)):
        raise InputError(
            "truth", f"be given for {reads.schema.kind} reads", "none",
            remedy="Only classes and grades can be compared by reads held out.",
        )  # fmt: skip
    right = None if truth is None else truth_of(reads, truth)
    chosen = _chosen(reads, methods)
    steps = len(chosen) + 1
    entries = []
    for done, method in enumerate(chosen, start=1):
        entries.append(_entry(reads, method, right, seed, clock))
        if progress is not None:
            progress(done, steps)
    found = _with_held_out(reads, entries, seed)
    if progress is not None:
        progress(steps, steps)
    return found


def _chosen(reads: Reads, names: Sequence[str] | None) -> list[Method]:
    kind = reads.schema.kind
    if names is not None:
        return [method_called(name, kind) for name in names]
    order = {name: place for place, name in enumerate(_SIMPLE_FIRST)}
    return sorted(methods_for(kind), key=lambda method: order.get(method.name, len(order)))


@dataclass(frozen=True, slots=True, eq=False)
class _Tried:
    """What a method gave. Args: whole; by_class: class -> the same, of sets of classes."""

    whole: Entry
    by_class: Mapping[str, Entry] = field(default_factory=dict)


def _entry(
    reads: Reads, method: Method, right: Any, seed: int, clock: Callable[[], float]
) -> _Tried:
    settings = {"seed": seed} if "seed" in method.takes else {}
    before = clock()
    try:
        if isinstance(reads, MultiLabelReads):
            return _of_sets(reads, method, right, seed, clock)
        result = method.reach(reads, **settings)
        seconds = clock() - before
        scored = None if right is None else against(reads, result, right, seed=seed)
    except MethodError as error:
        return _Tried(Entry(method.name, clock() - before, None, None, str(error), None))
    kept = None if isinstance(reads, MaskReads) else result
    return _Tried(Entry(method.name, seconds, scored, None, "", kept))


def _of_sets(
    reads: MultiLabelReads, method: Method, right: Any, seed: int, clock: Callable[[], float]
) -> _Tried:
    settings = {"seed": seed} if "seed" in method.takes else {}
    parts, seconds = {}, {}
    for code, name in enumerate(reads.schema.names):
        before = clock()
        try:
            parts[name] = method.reach(reads.of_class(code), **settings)
        except MethodError as error:
            raise MethodError(f"{name}: {error}") from error
        seconds[name] = clock() - before
    scored = None if right is None else sets_against(parts, right, seed=seed)
    of_class = {} if scored is None else scored.by_class
    return _Tried(
        Entry(method.name, sum(seconds.values()), scored, None, "", None),
        {
            name: Entry(method.name, seconds[name], of_class.get(name), None, "", result)
            for name, result in parts.items()
        },
    )


def _with_held_out(reads: Reads, tried: Sequence[_Tried], seed: int) -> Comparison:
    entries = [one.whole for one in tried]
    held, by_class = _held_out(reads, [one for one in entries if not one.note], seed)
    if not isinstance(reads, MultiLabelReads):
        return _joined(entries, held)
    parts = {
        name: _joined([one.by_class.get(name, one.whole) for one in tried], by_class.get(name))
        for name in reads.schema.names
    }
    return replace(_joined(entries, held), by_class=parts)


def _joined(entries: Sequence[Entry], held: Held | None) -> Comparison:
    """Entries with their part in the comparison by held-out reads."""
    found = {} if held is None else {one.name: one for one in held.candidates}
    return Comparison(
        tuple(replace(entry, held_out=found.get(entry.method)) for entry in entries),
        None if held is None else recommend(held),
    )


def _held_out(
    reads: Reads, entries: Sequence[Entry], seed: int
) -> tuple[Held | None, Mapping[str, Held]]:
    """All reads together, and by class where they are sets of classes."""
    if not isinstance(reads, (ClassReads, MultiLabelReads)) or not entries:
        return None, {}
    sets = isinstance(reads, MultiLabelReads)
    answers = reads.index.n_reads * (len(reads.schema.classes) if sets else 1)
    if answers > _MOST_FOLDED:
        return None, {}
    fits = {entry.method: METHODS[entry.method].reach for entry in entries}
    try:
        if isinstance(reads, ClassReads):
            return compare_by_held_out_reads(reads, fits, seed=seed), {}
        tables = {name: reads.of_class(code) for code, name in enumerate(reads.schema.names)}
        return compare_by_class(tables, fits, seed=seed)
    except MethodError:
        return None, {}

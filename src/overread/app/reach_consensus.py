"""Reach a consensus by a named method; a multi-label table is taken class by class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from overread.app.methods import Method, method_called
from overread.consensus.result import Consensus
from overread.errors import InputError
from overread.exchange import read_gold, read_gold_scores
from overread.labels import ClassReads, MultiLabelReads, Reads, ScoreReads

Progress = Callable[[int, int], None]

_AMBIENT = frozenset({"level", "seed"})  # set for a whole run, not for one method


@dataclass(frozen=True, slots=True, eq=False)
class Reached:
    """A consensus. Args: method; parts: one result, or for multi-label tables one a class."""

    method: Method
    parts: Mapping[str, Consensus[Any]]

    @property
    def result(self) -> Consensus[Any]:
        """The only part, or the first."""
        return next(iter(self.parts.values()))

    @property
    def by_class(self) -> bool:
        """Whether there is one part a class."""
        return list(self.parts) != [""]


def reach_consensus(
    reads: Reads,
    *,
    method: str | None = None,
    gold: Any = None,
    progress: Progress | None = None,
    **settings: Any,
) -> Reached:
    """Estimate the truth of each case.

    Args:
        reads: any label kind.
        method: name in :data:`overread.app.methods.METHODS`; the default of the kind if None.
        gold: a table of known answers ``case, label`` (scores: ``case, value``), or None.
        progress: called with work done and in all.
        settings: of the method; those that are None are left out. ``level`` and ``seed`` are left
            out too where a method has no intervals or nothing random; any other that it does not
            know is an error.
    Raises:
        InputError: an unknown method or setting, gold that does not fit.
    """
    chosen = method_called(method, reads.schema.kind)
    given = {name: value for name, value in settings.items() if value is not None}
    given = {name: v for name, v in given.items() if name in chosen.takes or name not in _AMBIENT}
    strange = sorted(set(given) - chosen.takes)
    if strange:
        takes = ", ".join(sorted(chosen.takes - {"progress"})) or "no settings"
        raise InputError(f"setting of {chosen.name}", f"be one of {takes}", strange[0])
    if isinstance(reads, MultiLabelReads):
        return Reached(chosen, _class_by_class(reads, chosen, gold, given, progress))
    if gold is not None:
        given["gold"] = gold_of(reads, gold)
    if progress is not None and "progress" in chosen.takes:
        given["progress"] = progress
    return Reached(chosen, {"": chosen.reach(reads, **given)})


def gold_of(reads: Reads, gold: Any) -> Any:
    """Gold answers in the form that the methods of this kind take.

    Raises:
        InputError: this kind takes none, or the table does not fit the reads.
    """
    if isinstance(reads, ClassReads):
        return read_gold(gold, reads).code
    if isinstance(reads, ScoreReads):
        return read_gold_scores(gold, reads)
    raise InputError("gold", "be given for classes, grades and scores alone", reads.schema.kind)


def _class_by_class(
    reads: MultiLabelReads,
    method: Method,
    gold: Any,
    given: dict[str, Any],
    progress: Progress | None,
) -> dict[str, Consensus[Any]]:
    if gold is not None:
        raise InputError("gold", "be given for one question at a time", "a multi-label table")
    parts = {}
    for code, name in enumerate(reads.schema.names):
        parts[name] = method.reach(reads.of_class(code), **given)
        if progress is not None:
            progress(code + 1, len(reads.schema.names))
    return parts

"""Reach a consensus by a named method; a multi-label table is taken class by class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from overread.app.analysis.methods import Method, method_called, methods_for
from overread.consensus.result import Consensus
from overread.errors import InputError
from overread.exchange import (
    read_gold,
    read_gold_boxes,
    read_gold_instances,
    read_gold_masks,
    read_gold_scores,
    read_gold_sets,
)
from overread.labels import (
    BoxReads,
    ClassReads,
    InstanceReads,
    MultiLabelReads,
    Reads,
    ScoreReads,
)

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
        method: name in :data:`overread.app.analysis.methods.METHODS`; None: the default.
        gold: known answers of some cases, see :func:`gold_of`, or None.
        progress: called with work done and in all.
        settings: of the method; those that are None are left out. ``level`` and ``seed`` are left
            out too where a method has no intervals or nothing random; any other that it does not
            know is an error.
    Raises:
        InputError: an unknown method or setting, gold that does not fit or is of no use to it.
    """
    chosen = method_called(method, reads.schema.kind)
    given = {name: value for name, value in settings.items() if value is not None}
    given = {name: v for name, v in given.items() if name in chosen.takes or name not in _AMBIENT}
    strange = sorted(set(given) - chosen.takes)
    if strange:
        takes = ", ".join(sorted(chosen.takes - {"progress"})) or "no settings"
        raise InputError(f"setting of {chosen.name}", f"be one of {takes}", strange[0])
    if gold is not None and "gold" not in chosen.takes:
        able = [one.name for one in methods_for(reads.schema.kind) if "gold" in one.takes]
        raise InputError("method", f"be one that learns from gold: {', '.join(able)}", chosen.name)
    if isinstance(reads, MultiLabelReads):
        return Reached(chosen, _class_by_class(reads, chosen, gold, given, progress))
    if gold is not None:
        given["gold"] = gold_of(reads, gold)
    if progress is not None and "progress" in chosen.takes:
        given["progress"] = progress
    return Reached(chosen, {"": chosen.reach(reads, **given)})


def gold_of(reads: Reads, gold: Any) -> Any:
    """Gold answers in the form that the methods of this kind take.

    Args:
        gold: a table ``case, label`` (scores ``case, value``; boxes add ``x1, y1, x2, y2``,
            outlines ``outline``; sets of classes a column a class, or rows); for boxes also a
            COCO file or a folder of VOC files, for outlines a COCO file; for masks a folder or a
            table of run lengths.
    Raises:
        InputError: it does not fit the reads.
    """
    if isinstance(reads, ClassReads):
        return read_gold(gold, reads).code
    if isinstance(reads, ScoreReads):
        return read_gold_scores(gold, reads)
    if isinstance(reads, MultiLabelReads):
        return read_gold_sets(gold, reads)
    if isinstance(reads, BoxReads):
        return read_gold_boxes(gold, reads)
    if isinstance(reads, InstanceReads):
        return read_gold_instances(gold, reads)
    return read_gold_masks(gold, reads)


def _class_by_class(
    reads: MultiLabelReads,
    method: Method,
    gold: Any,
    given: dict[str, Any],
    progress: Progress | None,
) -> dict[str, Consensus[Any]]:
    known = None if gold is None else gold_of(reads, gold)
    parts = {}
    for code, name in enumerate(reads.schema.names):
        own = given if known is None else given | {"gold": known[:, code]}
        parts[name] = method.reach(reads.of_class(code), **own)
        if progress is not None:
            progress(code + 1, len(reads.schema.names))
    return parts

"""Findings that are known (gold): a further reader of some cases, who is right in all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from overread.arrays import Bools, Floats, Ints
from overread.consensus.finding_match import FindingTable, Matched, finding_table
from overread.consensus.finding_result import Answer
from overread.errors import InputError
from overread.labels import BoxReads, InstanceReads


def check_gold_findings(
    gold: BoxReads | InstanceReads, reads: BoxReads | InstanceReads, *, name: str = "gold"
) -> None:
    """Refuse gold that does not belong to the reads.

    Raises:
        InputError: another label kind, other cases or classes, two gold reads of a case.
    """
    if type(gold) is not type(reads):
        raise InputError(name, f"be {reads.schema.kind} reads", gold.schema.kind)
    check_one_a_case(gold, reads.index.n_cases, reads.schema.names, name=name)


def check_one_a_case(
    gold: BoxReads | InstanceReads, n_cases: int, classes: tuple[str, ...], *, name: str
) -> None:
    """Refuse other cases or classes, and two reads of a case."""
    if gold.index.n_cases != n_cases:
        raise InputError(name, f"have the {n_cases} cases of the reads", gold.index.n_cases)
    if gold.schema.names != classes:
        rule = f"have the classes {', '.join(classes)}"
        raise InputError(name, rule, ", ".join(gold.schema.names))
    case = gold.index.case
    again = np.flatnonzero(np.bincount(case, minlength=1)[case] > 1)
    if again.size:
        raise InputError(name, "be one read a case", "two", rows=again + 1)


def with_gold(
    table: FindingTable, reads: BoxReads | InstanceReads, gold: BoxReads | InstanceReads
) -> FindingTable:
    """The table with gold as its last reader; its findings are numbered after those of the reads.

    Args:
        table: of the reads. gold: checked; cases that cannot be read are not known.
    """
    own = finding_table(gold)
    n, n_reads = reads.read.size, reads.index.n_reads
    reader = table.n_readers

    def join(one: Ints, other: Ints) -> Ints:
        return np.concatenate([one, other])

    size = None
    if table.size is not None:
        unknown = np.zeros((own.row.size, 2), dtype=np.int64)
        size = join(table.size, unknown if own.size is None else own.size)
    return replace(
        table,
        row=join(table.row, own.row + n),
        read=join(table.read, own.read + table.read_row.size),
        case=join(table.case, own.case),
        reader=join(table.reader, np.full(own.row.size, reader)),
        label=join(table.label, own.label),
        share=np.concatenate([table.share, own.share]),
        box=np.concatenate([table.box, own.box]),
        size=size,
        read_row=join(table.read_row, own.read_row + n_reads),
        read_case=join(table.read_case, own.read_case),
        read_reader=join(table.read_reader, np.full(own.read_row.size, reader)),
        read_share=np.concatenate([table.read_share, own.read_share]),
        n_readers=reader + 1,
        known=np.append(table.known, True),
    )


def as_given(answer: Answer, table: FindingTable, matched: Matched) -> Answer:
    """What gold says, in its cases: its findings are there as they are, and nothing else is."""
    clusters = matched.clusters
    told = np.zeros(table.n_cases, dtype=np.bool_)
    told[table.read_case[table.known[table.read_reader]]] = True
    existence = np.where(told[matched.case], 0.0, answer.existence)
    posterior, box, se = answer.posterior.copy(), answer.box.copy(), answer.se.copy()
    gold = np.flatnonzero(table.known[table.reader])
    of = clusters.of[gold]
    existence[of], se[of], box[of] = 1.0, 0.0, table.box[gold]
    posterior[of] = np.eye(table.n_classes)[table.label[gold]]
    return replace(answer, existence=existence, posterior=posterior, box=box, se=se)


def gold_cases(gold: BoxReads | InstanceReads | None) -> int:
    """Number of cases whose findings are known."""
    if gold is None:
        return 0
    unreadable = gold.unreadable
    return gold.index.n_reads - (0 if unreadable is None else int(unreadable.sum()))


def gold_parts(gold: BoxReads | InstanceReads | None) -> tuple[Floats | Ints | Bools, ...]:
    """What a provenance must hold of the gold."""
    if gold is None:
        return ()
    shape = (gold.box,) if isinstance(gold, BoxReads) else (gold.point, gold.first)
    unreadable = () if gold.unreadable is None else (gold.unreadable,)
    return (gold.index.case, gold.read, gold.label, *shape, *unreadable)

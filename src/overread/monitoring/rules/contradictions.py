"""Rule 4: staying wrong is not OK. Labels that contradict themselves or the final protocol."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from overread.geometry.boxes import aligned_iou
from overread.labels import (
    BoxReads,
    ClassReads,
    InstanceReads,
    MaskReads,
    MultiLabelReads,
    Reads,
)
from overread.monitoring.rules.hint import Hint, RuleContext, Severity

_SAME_PLACE = 0.8  # overlap from which two drawings of one read are of one thing


def contradictions(context: RuleContext) -> tuple[Hint, ...]:
    """List answers that cannot be right together, or not under the final protocol.

    "No finding" beside a finding; two of a set of exclusive classes; a class that the protocol
    lost; a grade or score out of its range; one thing drawn twice, in two classes or in one; a
    read under an older version whose classes have changed.
    """
    hints: list[Hint] = []
    for row in range(context.reads.index.n_reads):
        said = classes_of(context.reads, row)
        hints += _sets(context, row, said)
        hints += _lost(context, row, said)
        hints += _twice(context, row)
        hints += _stale(context, row, said)
    return tuple(hints)


def classes_of(reads: Reads, row: int) -> tuple[str, ...]:
    """Classes that a read says, in the order of their codes; none of scores and empty reads."""
    names = reads.schema.names
    if isinstance(reads, ClassReads):
        codes = reads.label[row : row + 1]
    elif isinstance(reads, MultiLabelReads):
        codes = np.flatnonzero(reads.present[row] == 1)
    elif isinstance(reads, MaskReads):
        codes = reads.value[reads.first[row] : reads.first[row + 1]]
        codes = codes[codes > 0]
    elif isinstance(reads, (BoxReads, InstanceReads)):
        start, stop = np.searchsorted(reads.read, [row, row + 1])
        codes = reads.label[start:stop]
    else:
        return ()
    return tuple(names[code] for code in np.unique(codes).tolist() if code >= 0)


def _sets(context: RuleContext, row: int, said: tuple[str, ...]) -> list[Hint]:
    rules = context.constraints
    hints = []
    none = [name for name in said if name in rules.no_finding]
    if none and len(said) > len(none):
        others = ", ".join(repr(name) for name in said if name not in rules.no_finding)
        words = f"says {none[0]!r} and also {others}."
        hints.append(context.hint("no-finding", Severity.ERROR, words, row, label=none[0]))
    for group in rules.exclusive:
        both = [name for name in said if name in group]
        if len(both) > 1:
            words = f"says {' and '.join(map(repr, both))}, of which a read may say one."
            hints.append(context.hint("exclusive", Severity.ERROR, words, row, label=both[0]))
    return hints


def _lost(context: RuleContext, row: int, said: tuple[str, ...]) -> list[Hint]:
    known = context.constraints.classes
    if known is None:
        return []
    return [
        context.hint(
            "lost-class",
            Severity.ERROR,
            f"says {name!r}, which the final protocol has not.",
            row,
            label=name,
        )
        for name in said
        if name not in known
    ]


def _stale(context: RuleContext, row: int, said: tuple[str, ...]) -> list[Hint]:
    rules, index = context.constraints, context.reads.index
    if rules.version is None or index.protocol is None:
        return []
    version = index.protocols[int(index.protocol[row])]
    if version == rules.version:
        return []
    touched = rules.changed is None or not said or bool(rules.changed & set(said))
    if not touched:
        return []
    words = f"was read under protocol version {version}; the final one is {rules.version}."
    return [context.hint("stale", Severity.WARNING, words, row)]


def _twice(context: RuleContext, row: int) -> list[Hint]:
    reads = context.reads
    if not isinstance(reads, (BoxReads, InstanceReads)):
        return []
    start, stop = np.searchsorted(reads.read, [row, row + 1])
    if stop - start < 2:
        return []
    box = (reads.box if isinstance(reads, BoxReads) else reads.boxes())[start:stop]
    names = reads.schema.names
    hints = []
    pair = np.array(list(combinations(range(len(box)), 2)))
    iou = aligned_iou(box[pair[:, 0]], box[pair[:, 1]])
    for (a, b), overlap in zip(
        pair[iou >= _SAME_PLACE].tolist(), iou[iou >= _SAME_PLACE], strict=True
    ):
        one, other = (names[int(reads.label[start + at])] for at in (a, b))
        same = one == other
        what = f"twice as {one!r}" if same else f"as {one!r} and as {other!r}"
        hints.append(
            context.hint(
                "drawn-twice",
                Severity.WARNING,
                f"one place is drawn {what} (drawings {a + 1} and {b + 1}).",
                row,
                finding=b + 1,
                label=other,
                overlap=float(overlap),
            )
        )
    return hints

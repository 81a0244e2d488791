"""From boxes to the question "is this finding there?", one answer a class and read."""

from __future__ import annotations

import numpy as np

from overread.labels import BoxReads, InstanceReads, Kind, LabelSchema, MultiLabelReads


def label_sets_of(reads: BoxReads | InstanceReads) -> MultiLabelReads:
    """Which classes each read found; a read without findings found none."""
    n_classes = len(reads.schema.classes)
    present = np.zeros((reads.index.n_reads, n_classes), dtype=np.int8)
    present[reads.read, reads.label] = 1
    if reads.unreadable is not None:
        present[reads.unreadable] = -1
    return MultiLabelReads(reads.index, present, LabelSchema(Kind.MULTILABEL, reads.schema.classes))

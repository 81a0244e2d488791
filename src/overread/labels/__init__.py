"""What a reader can say: schemas and columnar read tables for every label kind."""

from typing import TypeAlias

from overread.labels.classes import (
    CANNOT_BE_READ,
    UNREADABLE,
    ClassReads,
    MultiLabelReads,
    Repeats,
    ScoreReads,
    class_reads,
    score_reads,
)
from overread.labels.findings import BoxReads, InstanceReads
from overread.labels.index import ReadIndex, read_index
from overread.labels.masks import MaskReads, mask_reads
from overread.labels.schema import Kind, LabelClass, LabelSchema, schema_of

Reads: TypeAlias = ClassReads | MultiLabelReads | ScoreReads | BoxReads | InstanceReads | MaskReads

__all__ = [
    "CANNOT_BE_READ",
    "UNREADABLE",
    "BoxReads",
    "ClassReads",
    "InstanceReads",
    "Kind",
    "LabelClass",
    "LabelSchema",
    "MaskReads",
    "MultiLabelReads",
    "ReadIndex",
    "Reads",
    "Repeats",
    "ScoreReads",
    "class_reads",
    "mask_reads",
    "read_index",
    "schema_of",
    "score_reads",
]

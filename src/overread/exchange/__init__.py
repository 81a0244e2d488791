"""Labels in and out of files and tables."""

from overread.exchange.classes import class_matrix, read_classes, read_scores
from overread.exchange.coco import read_coco
from overread.exchange.coco_masks import read_coco_masks, write_coco_masks
from overread.exchange.coco_out import coco_document, write_coco
from overread.exchange.columns import Columns, detect_kind
from overread.exchange.consensus_table import consensus_table, reliability_table, write_table
from overread.exchange.documents import (
    as_document,
    consensus_document,
    estimate_document,
    reliability_document,
)
from overread.exchange.findings import read_boxes
from overread.exchange.gold import Gold, read_gold, read_gold_scores
from overread.exchange.gold_findings import read_gold_boxes, read_gold_instances
from overread.exchange.gold_masks import read_gold_masks
from overread.exchange.gold_sets import read_gold_sets
from overread.exchange.label_sets import read_label_rows, read_label_sets
from overread.exchange.mask_files import write_masks
from overread.exchange.mask_table import read_mask_table
from overread.exchange.masks import mask_arrays, read_mask_folder
from overread.exchange.outline_table import read_outlines
from overread.exchange.reads import ReadOptions, read_reads
from overread.exchange.reads_out import reads_table, write_reads
from overread.exchange.tables import read_table
from overread.exchange.voc import read_voc

__all__ = [
    "Columns",
    "Gold",
    "ReadOptions",
    "as_document",
    "class_matrix",
    "coco_document",
    "consensus_document",
    "consensus_table",
    "detect_kind",
    "estimate_document",
    "mask_arrays",
    "read_boxes",
    "read_classes",
    "read_coco",
    "read_coco_masks",
    "read_gold",
    "read_gold_boxes",
    "read_gold_instances",
    "read_gold_masks",
    "read_gold_scores",
    "read_gold_sets",
    "read_label_rows",
    "read_label_sets",
    "read_mask_folder",
    "read_mask_table",
    "read_outlines",
    "read_reads",
    "read_scores",
    "read_table",
    "read_voc",
    "reads_table",
    "reliability_document",
    "reliability_table",
    "write_coco",
    "write_coco_masks",
    "write_masks",
    "write_reads",
    "write_table",
]

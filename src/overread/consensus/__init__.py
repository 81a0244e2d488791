"""What the truth most likely is, and how reliable each reader."""

from overread.consensus.boxes import fuse_boxes, median_boxes
from overread.consensus.choose import compare_methods, recommend
from overread.consensus.dawid_skene import dawid_skene
from overread.consensus.ebcc import ebcc
from overread.consensus.finding_score import score_findings
from overread.consensus.hierarchical import hierarchical
from overread.consensus.instances import fuse_instances
from overread.consensus.majority import majority
from overread.consensus.mask_score import score_masks
from overread.consensus.masks import consensus_masks, majority_masks, staple
from overread.consensus.next_read import next_reads
from overread.consensus.one_coin import one_coin
from overread.consensus.ordinal import ordinal
from overread.consensus.outline_masks import signed_distance
from overread.consensus.result import Consensus
from overread.consensus.scores import scores
from overread.consensus.scoring import reliability_curve, score
from overread.consensus.votes import SoftVotes

__all__ = [
    "Consensus",
    "SoftVotes",
    "compare_methods",
    "consensus_masks",
    "dawid_skene",
    "ebcc",
    "fuse_boxes",
    "fuse_instances",
    "hierarchical",
    "majority",
    "majority_masks",
    "median_boxes",
    "next_reads",
    "one_coin",
    "ordinal",
    "recommend",
    "reliability_curve",
    "score",
    "score_findings",
    "score_masks",
    "scores",
    "signed_distance",
    "staple",
]

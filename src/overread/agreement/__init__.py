"""How far readers agree, with intervals that hold."""

from overread.agreement.breakdown import Breakdown, PairMatrix
from overread.agreement.classes import agreement, by_subgroup, per_class
from overread.agreement.detection import detection_agreement
from overread.agreement.estimate import Estimate
from overread.agreement.intra import intra_reader
from overread.agreement.masks import majority_agreement, mask_agreement
from overread.agreement.matrix import against_rest, pair_matrix
from overread.agreement.measures import MEASURES
from overread.agreement.scores import score_agreement

__all__ = [
    "MEASURES",
    "Breakdown",
    "Estimate",
    "PairMatrix",
    "against_rest",
    "agreement",
    "by_subgroup",
    "detection_agreement",
    "intra_reader",
    "majority_agreement",
    "mask_agreement",
    "pair_matrix",
    "per_class",
    "score_agreement",
]

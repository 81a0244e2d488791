"""What a protocol wants of a project that learns while readers read: its ``learning:`` block."""

from __future__ import annotations

from dataclasses import dataclass

from overread.labels import Kind

KINDS = (Kind.NOMINAL, Kind.ORDINAL, Kind.MULTILABEL)
"""Questions that a model learns to answer."""

DRAWN = (Kind.BOX, Kind.INSTANCE, Kind.MASK)
"""Questions whose cases are put in order: by how unsure pre-labels are, else typical ones first."""

STARTS = ("typical", "k-means", "random")
"""Orders that need no labels: which cases are read before there is a model."""

STOP_RULES = ("target", "cost", "elbow", "stable")
"""Rules of which one decides when it is enough."""

ACQUISITION = "bald-first"
"""How the next case is chosen where a protocol does not say: the table's default."""


@dataclass(frozen=True, slots=True)
class Learning:
    """Which case is read next, and when it is enough.

    Args:
        question: id of the question that is learned; of boxes, outlines and masks only the order
            of the cases is.
        acquisition: how the next case is chosen, of the table of acquisition functions.
        start: how it is chosen before two classes have labels.
        random_share: chance of each case to be one by lot.
        held_back: share of the cases that are set apart, patient by patient, and of the reads:
            they test the model and never teach it.
        mode: "continuous" asks anew after every read, "batch" after so many cases.
        batch: cases of a batch.
        target: accuracy wanted of the model; None: none is named.
        rule: that decides when it is enough, of :data:`STOP_RULES`; None is the target where one
            is named, else the cost: where a label takes longer than it saves.
        read_seconds: of a read, until enough are timed; None takes what readers need.
        review_seconds: to look at one label of the model and accept it, until enough are timed.
        most_labels: cases that are labelled at most; None: all, if need be.
    """

    question: str
    acquisition: str = ACQUISITION
    start: str = "typical"
    random_share: float = 0.05
    held_back: float = 0.15
    mode: str = "continuous"
    batch: int = 50
    target: float | None = None
    rule: str | None = None
    read_seconds: float | None = None
    review_seconds: float = 4.0
    most_labels: int | None = None

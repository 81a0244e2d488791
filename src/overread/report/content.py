"""What a report holds: plain values, filled by the caller, drawn by the page and the document.

A part that is ``None`` or empty is left out or replaced by a line that says how to get it.
Readers are always given by their index into ``Content.readers``, which fixes their colour.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from overread.agreement.estimate import Estimate
from overread.arrays import Floats, Ints
from overread.consensus.result import ClassConsensus, Consensus, Setting
from overread.errors import InputError
from overread.labels import Kind


@dataclass(frozen=True, slots=True)
class Head:
    """What was read, by whom, and how this report was made.

    Args:
        title: of the report.
        kind: label kind.
        date: as it shall be printed; the report has no clock of its own.
        n_cases, n_reads: cases in the table, reads in the table.
        n_repeats: reads that are a reader's second, third ... of a case.
        n_unreadable: reads that say "cannot be read".
        n_single: cases that rest on one reader only.
        source: name of the file or table read.
        provenance: SHA-256 of the reads, the method and the settings; by default the consensus's.
        version: of the software.
        settings: further settings that the report depends on (seed, tie rule, interval, ...).
        anonymous: the table does not say who read what, so that "reader 1" of one case is not
            "reader 1" of the next: the report then says nothing about single readers.
        summary: the sentences at the top; by default the report writes them itself.
    """

    title: str
    kind: Kind
    date: str
    n_cases: int
    n_reads: int
    n_repeats: int = 0
    n_unreadable: int = 0
    n_single: int = 0
    source: str = ""
    provenance: str = ""
    version: str = ""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    anonymous: bool = False
    summary: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class PairMatrix:
    """One measure for each pair of readers.

    Args:
        name: the measure, in words ("Cohen's kappa", "Dice").
        value: (readers, readers), symmetric; nan where undefined; the diagonal is not shown.
        n_cases: (readers, readers) cases that both read.
    """

    name: str
    value: Floats
    n_cases: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """How far readers say the same. The summary quotes alpha, ICC or kappa, if there.

    Args:
        overall: one estimate a measure.
        per_class: ``scope`` names the class; here and below a scope may have several measures.
        pairs: one matrix a measure; the first is drawn, all are in the table.
        against_rest: one estimate a reader; ``scope`` is the reader's name, or begins with it
            ("R1 against the rest").
        subgroups, intra: ``scope`` names the subgroup, the reader.
    """

    overall: tuple[Estimate, ...] = ()
    per_class: tuple[Estimate, ...] = ()
    pairs: tuple[PairMatrix, ...] = ()
    against_rest: tuple[Estimate, ...] = ()
    subgroups: tuple[Estimate, ...] = ()
    intra: tuple[Estimate, ...] = ()


@dataclass(frozen=True, slots=True)
class MethodScore:
    """One row of a comparison of methods; nan is "not known".

    Args:
        method: registered name.
        held_out: mean log likelihood of held-out reads, in nats a read; more is better.
        held_out_se: its standard error.
        accuracy, nll, ece: against the truth, where there is one.
        seconds: time to fit.
        note: why a method could not be run, or anything worth a remark.
    """

    method: str
    held_out: float = math.nan
    held_out_se: float = math.nan
    accuracy: float = math.nan
    nll: float = math.nan
    ece: float = math.nan
    seconds: float = math.nan
    note: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Methods side by side. Args: recommended: a method's name; reason: a full sentence."""

    scores: tuple[MethodScore, ...]
    recommended: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Vote:
    """One read of a case. Args: reader: index; said: in words; code: class, -1 cannot be read."""

    reader: int
    said: str
    code: int = -1


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """One drawn finding.

    Args:
        point: (points, 2) x, y in pixels, closed; two points are the corners of a box.
        reader: index, or -1 for the consensus.
        label: class name.
        probability: of existence (consensus only).
    """

    point: Floats
    reader: int = -1
    label: str = ""
    probability: float = math.nan


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """The drawing of one case on an empty canvas.

    Args:
        width, height: of the image in pixels.
        shapes: of all readers and of the consensus.
        share: (rows, columns) share of the readers who marked each pixel, any resolution, or
            (slices, rows, columns) of some slices, drawn side by side; or None.
        slices: numbers (from 1) of these slices. of_slices: how many the volume has.
    """

    width: float
    height: float
    shapes: tuple[Shape, ...] = ()
    share: Floats | None = None
    slices: tuple[int, ...] = ()
    of_slices: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class CaseView:
    """One case worth a look.

    Args:
        name: of the case.
        consensus: in words ("effusion", "2 findings", "3.4").
        probability: of the consensus, nan where the kind has none.
        entropy: in nats, nan where the kind has none.
        votes: the reads.
        note: one line ("a tie", "R2 alone sees it").
        panel: drawing, for boxes, outlines and masks.
    """

    name: str
    consensus: str
    probability: float = math.nan
    entropy: float = math.nan
    votes: tuple[Vote, ...] = ()
    note: str = ""
    panel: Panel | None = None


@dataclass(frozen=True, slots=True)
class NextRead:
    """A case that another read would help most. Args: gain: expected, in nats; reason: words."""

    case: str
    gain: float
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Cases:
    """The cases behind the numbers.

    Args:
        disputed: most disputed first; a few dozen are enough.
        n_disputed: all cases in which two reads differ.
        next_reads: cases that need another read, most needed first.
        n_next: all such cases.
        entropy: (cases,) of all cases, for the histogram.
    """

    disputed: tuple[CaseView, ...] = ()
    n_disputed: int = 0
    next_reads: tuple[NextRead, ...] = ()
    n_next: int = 0
    entropy: Floats | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A reliability curve.

    Args:
        name: "calibrated", "before temperature", ...
        said: (bins,) mean probability that the consensus states.
        right: (bins,) share that is right.
        low, high: (bins,) 95 % interval of ``right``.
        count: (bins,) cases.
        ece, nll: expected calibration error, mean negative log likelihood in nats.
    """

    name: str
    said: Floats
    right: Floats
    low: Floats
    high: Floats
    count: Ints
    ece: float = math.nan
    nll: float = math.nan


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Do stated probabilities mean what they say?

    Args:
        against: "truth", "gold", or "" when there is none.
        curves: the first is the one of the consensus; empty when there is no truth.
        n: cases with truth or gold.
        accuracy: share of these that the consensus gets right.
        words: one sentence on how the temperature was found and what it did.
    """

    against: str = ""
    curves: tuple[Curve, ...] = ()
    n: int = 0
    accuracy: float = math.nan
    words: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """Boxes and instances.

    Args:
        counts: (readers, classes) findings drawn.
        reads: (readers,) cases each read.
        empty: (readers,) reads that say "no finding".
        matched_iou: (matches,) IoU of matched pairs of readers' findings.
        existence: (findings,) probability of each consensus finding.
        size_ratio: (readers,) geometric mean of area over the consensus's area, nan unknown;
            size_low, size_high its 95 % interval.
    """

    counts: Ints
    reads: Ints
    empty: Ints
    matched_iou: Floats
    existence: Floats
    size_ratio: Floats | None = None
    size_low: Floats | None = None
    size_high: Floats | None = None


@dataclass(frozen=True, slots=True, eq=False)
class BlandAltman:
    """Differences of two readers (or of a reader and the consensus) against their mean.

    Args:
        name: "R1 and R2".
        mean, difference: (cases,).
        bias, lower, upper: mean difference and limits of agreement.
    """

    name: str
    mean: Floats
    difference: Floats
    bias: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Scores. Args: icc: one estimate a form; plots: a few pairs; unit: "mm", "%", ..."""

    icc: tuple[Estimate, ...] = ()
    plots: tuple[BlandAltman, ...] = ()
    unit: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """Everything a report shows.

    Args:
        head: what was read.
        readers: names; the order fixes the colours.
        classes: names, in the order of the codes.
        agreement: estimates.
        consensus: the result of a consensus method of any kind.
        comparison: methods side by side.
        cases: the cases behind the numbers.
        calibration: of the consensus.
        findings: for boxes and instances.
        scores: for scores.
        reads_per_reader: (readers,), where there is no consensus to take it from.
        notes: anything else the reader of the report should know, a sentence each.
    """

    head: Head
    readers: tuple[str, ...]
    classes: tuple[str, ...] = ()
    agreement: Agreement = field(default_factory=Agreement)
    consensus: Consensus[Any] | None = None
    comparison: Comparison | None = None
    cases: Cases = field(default_factory=Cases)
    calibration: Calibration | None = None
    findings: Findings | None = None
    scores: Scores | None = None
    reads_per_reader: Ints | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n_readers, n_classes = len(self.readers), len(self.classes)
        square = (n_readers, n_readers)
        for matrix in self.agreement.pairs:
            if matrix.value.shape != square or matrix.n_cases.shape != square:
                raise InputError("a pair matrix", f"have shape {square}", matrix.value.shape)
        if self.findings is not None and self.findings.counts.shape != (n_readers, n_classes):
            shape = self.findings.counts.shape
            raise InputError("counts", f"have shape {(n_readers, n_classes)}", shape)
        if self.consensus is not None and isinstance(self.consensus.value, ClassConsensus):
            wanted = len(self.consensus.value.classes)
            if n_classes != wanted:
                raise InputError("classes", f"have {wanted} names, as the consensus", n_classes)

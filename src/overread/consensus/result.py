"""The one shape of every consensus, whatever the label kind and the method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Floats, Ints, Names
from overread.labels import Kind

Setting: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True, eq=False)
class ClassConsensus:
    """Consensus class (or grade) of each case. Args: code (cases,), -1 where nothing is known."""

    code: Ints
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ScoreConsensus:
    """Consensus number of each case. Args: mean, sd (cases,) of the posterior; nan if no reads."""

    mean: Floats
    sd: Floats


@dataclass(frozen=True, slots=True, eq=False)
class FindingConsensus:
    """Consensus findings (boxes or instances), most probable first within a case.

    Args:
        case: (findings,) index of the case of each finding, not falling.
        code: (findings,) most probable class.
        classes: class names.
        box: (findings, 4) x1, y1, x2, y2 in pixels; for instances, around the outline.
        box_sd: (findings, 4) standard error of each edge in pixels.
        existence: (findings,) probability that the finding is there.
        members: (members,) rows of the read table's findings; finding f rests on
            ``members[first[f]:first[f + 1]]``, one per reader at most.
        first: (findings + 1,).
        outline: instances only: one (points, 2) x, y outline in pixels a finding.
    """

    case: Ints
    code: Ints
    classes: tuple[str, ...]
    box: Floats
    box_sd: Floats
    existence: Floats
    members: Ints
    first: Ints
    outline: tuple[Floats, ...] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class MaskConsensus:
    """Consensus mask of each case.

    Args:
        mask: (cases,) arrays of class codes; empty array where nothing is known.
        probability: (cases,) arrays (classes, *shape) float32, rows over classes sum to 1; an
            empty array where nothing is known.
        classes: class names, the background first.
    """

    mask: tuple[NDArray[np.integer], ...]
    probability: tuple[NDArray[np.float32], ...]
    classes: tuple[str, ...]


Value = TypeVar("Value", ClassConsensus, ScoreConsensus, FindingConsensus, MaskConsensus)


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """How reliable each reader is, with intervals.

    Args:
        readers: names.
        measures: names of the columns of ``value`` ("accuracy", "sensitivity", "bias", ...).
        value, low, high: (readers, measures) estimate and interval; nan for a reader without reads.
        level: nominal coverage.
        reads: (readers,) number of reads each rests on.
        confusion: (readers, classes, classes) ``confusion[reader, truth, said]``, rows sum to 1;
            or None where the kind has none.
    """

    readers: tuple[str, ...]
    measures: tuple[str, ...]
    value: Floats
    low: Floats
    high: Floats
    level: float
    reads: Ints
    confusion: Floats | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Iteration:
    """One step of an iterative method, as the article on EM consensus prints it.

    Args:
        log_likelihood: of the reads, natural log.
        objective: log posterior (log likelihood + log prior); never falls.
        code: (cases,) most probable class before this step's update; None when not kept.
        confusion: (readers, classes, classes); None when not kept.
    """

    log_likelihood: float
    objective: float
    code: Ints | None = None
    confusion: Floats | None = None


@dataclass(frozen=True, slots=True)
class Fit:
    """Goodness of fit of a model of complete designs.

    Args:
        g2: likelihood-ratio statistic against the saturated model.
        df: degrees of freedom.
        p: chance of a larger g2 if the model were true.
        words: what it says, in plain words.
    """

    g2: float
    df: int
    p: float
    words: str


@dataclass(frozen=True, slots=True, eq=False)
class Consensus(Generic[Value]):
    """Estimated truth of every case, and all that one needs to trust it.

    Args:
        kind: label kind.
        method: registered name ("dawid_skene").
        settings: every setting that the result depends on, the tie rule included.
        cases: (cases,) names.
        value: the consensus itself, by kind.
        posterior: (cases, classes) calibrated probabilities, rows sum to 1; for findings
            (findings, classes) of the class given existence; for scores and masks (cases, 0).
        entropy: (cases,) of the posterior, in nats; for findings the summed entropy of existence
            and class; for scores the differential entropy; for masks the mean over the pixels
            that any reader marks, so that the background shown plays no part.
        difficulty: (cases,) in 0 .. 1: expected share of reads that differ from the consensus.
        reliability: readers, with intervals.
        reads: (cases,) number of reads that each case rests on ("cannot be read" left out).
        read_rows: (used,) rows of the read table used, in row order.
        history: by iteration; empty for methods that do not iterate.
        warnings: in plain words (label switch, local optimum, few reads, ...).
        fit: goodness of fit, where the design is complete.
        temperature: <= 1, applied to the posterior; 1 when not calibrated.
        provenance: SHA-256 over reads, method and settings.
        prevalence: (classes,) estimated share of each class; None where the kind has none.
    """

    kind: Kind
    method: str
    settings: Mapping[str, Setting]
    cases: Names
    value: Value
    posterior: Floats
    entropy: Floats
    difficulty: Floats
    reliability: Reliability
    reads: Ints
    read_rows: Ints
    history: tuple[Iteration, ...] = ()
    warnings: tuple[str, ...] = ()
    fit: Fit | None = None
    temperature: float = 1.0
    provenance: str = ""
    prevalence: Floats | None = field(default=None)

    @property
    def probability(self) -> Floats:
        """(rows of ``posterior``,) probability of the most probable class."""
        return np.asarray(self.posterior.max(axis=1, initial=0.0))

"""The one shape of every agreement figure: a number, its interval, and what it means."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """One agreement figure with its interval.

    Args:
        name: the measure, in words ("Krippendorff's alpha, ordinal").
        key: the measure as options and JSON write it ("alpha_ordinal").
        value: the figure; nan exactly when ``undefined`` says why there is none.
        low, high: ends of the interval at ``level``; nan when there is none.
        level: nominal coverage of the interval, in (0, 1).
        interval: how the interval was made ("bootstrap over cases, 2000 draws").
        unit: "" for a pure number, else "mm", "px", "%", ...
        n_cases, n_readers, n_reads: what the figure rests on.
        scope: what it is about: "overall", "class effusion", "R1 | R2", "R1 against the rest",
            "site A", ...
        undefined: why there is no value; "" when there is one.
        words: what the figure means, in plain words, with what to do next.
        warning: when the figure misleads (prevalence, few cases), in words; "" otherwise.
    """

    name: str
    key: str
    value: float
    low: float = math.nan
    high: float = math.nan
    level: float = 0.95
    interval: str = ""
    unit: str = ""
    n_cases: int = 0
    n_readers: int = 0
    n_reads: int = 0
    scope: str = "overall"
    undefined: str = ""
    words: str = ""
    warning: str = ""

    def __post_init__(self) -> None:
        if math.isnan(self.value) != bool(self.undefined):
            msg = f"{self.key}: a figure is nan if and only if `undefined` says why"
            raise ValueError(msg)

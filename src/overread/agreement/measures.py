"""The table of all agreement measures of classes and grades: formula, paper, when to use."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from overread.agreement.coefficients import Chance, Linearised, Weighting, linearised, weight_matrix
from overread.agreement.pairs import mean_pairwise
from overread.agreement.votes import Votes
from overread.arrays import Floats
from overread.errors import InputError


@dataclass(frozen=True, slots=True)
class Measure:
    """One agreement measure.

    Args:
        key: as options and JSON write it. name: in words.
        weighting: how two answers are weighed. chance: what agreement by chance means.
        formula: in LaTeX; D is disagreement. paper: where it comes from. use: when to use it.
        ordered: the measure needs grades (ordinal classes).
    """

    key: str
    name: str
    weighting: Weighting
    chance: Chance
    formula: str
    paper: str
    use: str
    ordered: bool = False

    @property
    def pairwise(self) -> bool:
        """Whether it is a mean over pairs of readers (Cohen)."""
        return self.key.startswith("cohen")

    @property
    def suffers_from_prevalence(self) -> bool:
        """Whether a rare class drives it down although the readers agree (the kappa paradox)."""
        return self.chance in ("pooled", "readers", "pairable")

    def weights(self, votes: Votes, values: Floats | None = None) -> Floats:
        """(K, K) agreement weights; Krippendorff's ordinal ones depend on the answers."""
        said = None
        if self.weighting == "rank":
            counts = votes.counts()
            said = counts[counts.sum(axis=1) > 1 + 1e-9].sum(axis=0)
        return weight_matrix(self.weighting, votes.n_classes, values=values, said=said)

    def of(self, votes: Votes, values: Floats | None = None) -> Linearised:
        """The measure over these voices, with each case's influence.

        Args:
            values: (K,) numbers that the classes stand for (alpha interval and ratio).
        """
        weights = self.weights(votes, values)
        if self.pairwise:
            active = np.unique(votes.reader)
            if active.size > 2:
                return mean_pairwise(votes, weights)
            votes = both_read(votes)
        small = self.chance == "pairable"
        return linearised(votes, weights, self.chance, small_sample=small)


def both_read(votes: Votes) -> Votes:
    """Only the cases that two or more readers read."""
    readers = np.bincount(votes.case, votes.weight, minlength=votes.n_cases)
    return votes.of_cases(readers > 1.5)


_RANKED: tuple[tuple[str, str, Weighting], ...] = (
    ("", "", "nominal"),
    ("_linear", ", linear weights", "linear"),
    ("_quadratic", ", quadratic weights", "quadratic"),
)
_COHEN = ("Cohen 1960, Educ. Psychol. Meas. 20:37", "Cohen 1968, Psychol. Bull. 70:213")
_ALPHAS: tuple[tuple[str, Weighting, str], ...] = (
    ("nominal", "nominal", "Any number of readers and missing reads; classes."),
    ("ordinal", "rank", "Any number of readers and missing reads; grades."),
    ("interval", "interval", "Grades whose steps are equal amounts."),
    ("ratio", "ratio", "Grades that are amounts with a true zero."),
)
_GWET: tuple[Weighting, ...] = ("linear", "quadratic", "ordinal")
_KAPPA = r"1 - D_{observed} / D_{expected}"
_TABLE = (
    Measure(
        "percent", "Percent agreement", "nominal", "none", r"1 - D_{observed}",
        "-", "Always, beside a chance-corrected figure: everybody understands it.",
    ),
    *(
        Measure(
            "cohen" + suffix, "Cohen's kappa" + words, weighting, "readers",
            _KAPPA + r",\ D_{expected} = \sum_{kl} d_{kl} p_{gk} p_{hl}",
            _COHEN[bool(suffix)], "Two fixed readers; with more, the mean over all pairs.",
            bool(suffix),
        )
        for suffix, words, weighting in _RANKED
    ),
    Measure(
        "fleiss", "Fleiss' kappa", "nominal", "pooled",
        _KAPPA + r",\ D_{expected} = 1 - \sum_k \bar p_k^2",
        "Fleiss 1971, Psychol. Bull. 76:378", "Readers drawn from a pool, not always the same.",
    ),
    Measure(
        "conger", "Conger's kappa", "nominal", "readers",
        _KAPPA + r",\ D_{expected} = \mathrm{mean}_{g \ne h} \sum_{k \ne l} p_{gk} p_{hl}",
        "Conger 1980, Psychol. Bull. 88:322", "A fixed team of readers with habits of their own.",
    ),
    *(
        Measure(
            "alpha_" + kind, f"Krippendorff's alpha, {kind}", weighting, "pairable",
            _KAPPA + r",\ D_{expected} = \sum_{kl} n_k n_l \delta_{kl}^2 / (n (n - 1))",
            "Krippendorff 2011, Computing alpha-reliability", use, kind != "nominal",
        )
        for kind, weighting, use in _ALPHAS
    ),
    Measure(
        "ac1", "Gwet's AC1", "nominal", "gwet",
        _KAPPA + r",\ D_{expected} = 1 - \frac{1}{K - 1} \sum_k \bar p_k (1 - \bar p_k)",
        "Gwet 2008, Br. J. Math. Stat. Psychol. 61:29", "A class is rare or nearly universal.",
    ),
    *(
        Measure(
            "ac2_" + kind, f"Gwet's AC2, {kind} weights", kind, "gwet",
            _KAPPA + r",\ D_{expected} = 1 - \frac{\sum w_{kl}}{K (K - 1)} "
            r"\sum_k \bar p_k (1 - \bar p_k)",
            "Gwet 2014, Handbook of Inter-Rater Reliability",
            "Grades of which some are rare.", True,
        )
        for kind in _GWET
    ),
    *(
        Measure(
            "brennan_prediger" + suffix, "Brennan-Prediger" + words, weighting, "uniform",
            _KAPPA + r",\ D_{expected} = 1 - \sum w_{kl} / K^2",
            "Brennan & Prediger 1981, Educ. Psychol. Meas. 41:687",
            "Chance means an even guess over the classes; prevalence plays no part.", bool(suffix),
        )
        for suffix, words, weighting in _RANKED
    ),
)  # fmt: skip

MEASURES = MappingProxyType({measure.key: measure for measure in _TABLE})

NOMINAL_DEFAULT = (
    "percent", "cohen", "fleiss", "conger", "alpha_nominal", "ac1", "brennan_prediger",
)  # fmt: skip
ORDINAL_DEFAULT = (
    "percent", "cohen_linear", "cohen_quadratic", "alpha_ordinal", "ac2_quadratic",
    "fleiss", "ac1", "brennan_prediger_quadratic",
)  # fmt: skip


def measure_of(key: str) -> Measure:
    """The measure called ``key``; ``InputError`` lists the known ones."""
    try:
        return MEASURES[key]
    except KeyError:
        raise InputError("measure", f"be one of {', '.join(MEASURES)}", f"{key!r}") from None

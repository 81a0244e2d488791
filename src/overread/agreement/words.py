"""Plain words for agreement figures: what a figure means, when it misleads, what to do next."""

from __future__ import annotations

import math

from overread.agreement.measures import Measure
from overread.words import percent

_SCALE = ((0.8, "almost perfect"), (0.6, "substantial"), (0.4, "moderate"), (0.2, "fair"))
_PARADOX_SHARE = 0.85
_PARADOX_GAP = 0.2
_FEW = 20


def scale_word(value: float) -> str:
    """Landis & Koch's word for a chance-corrected figure (1977, Biometrics 33:159).

    The cut points are a convention, not a standard of quality.
    """
    for least, word in _SCALE:
        if value >= least:
            return word
    return "slight" if value >= 0 else "worse than chance"


def meaning(measure: Measure, value: float, low: float, high: float, level: float) -> str:
    """One or two sentences on a figure and its interval, with what to do next."""
    if math.isnan(value):
        return ""
    if measure.chance == "none":
        head = f"Two readers of one case say the same in {percent(value, 1)} of comparisons."
        return head + _reach(low, high, level, shares=True)
    kind = "grades, near misses counted in part" if measure.weighting != "nominal" else "classes"
    head = (
        f"Of the disagreement ({kind}) that chance alone would bring, {percent(value)} is gone: "
        f'"{scale_word(value)}" on the Landis-Koch scale (a convention).'
        if value >= 0
        else "Readers disagree more than chance alone would have it."
    )
    return head + _reach(low, high, level, shares=False) + " " + _next(value, low)


def _reach(low: float, high: float, level: float, *, shares: bool) -> str:
    if math.isnan(low):
        return ""
    ends = f"{percent(low, 1)} to {percent(high, 1)}" if shares else f"{low:.2f} to {high:.2f}"
    return f" With {percent(level)} confidence it lies in {ends}."


def _next(value: float, low: float) -> str:
    if value < 0.4:
        return "Look at the disputed cases and sharpen the guideline before more is read."
    if value >= 0.6 and not math.isnan(low) and low < 0.4:
        return "Too few cases to be sure: let the readers share more cases before you rely on it."
    if value < 0.8:
        return "Look at the most disputed cases; a consensus of several reads is advisable."
    return "Good; keep an overlap to notice drift."


def prevalence_warning(
    measure: Measure, value: float, agreed: float, ac1: float, top_share: float
) -> str:
    """Say when a rare class drives a kappa down although the readers agree.

    Source:
        Feinstein & Cicchetti 1990, J. Clin. Epidemiol. 43:543 (the paradox); Gwet 2008 (AC1).
    """
    if not measure.suffers_from_prevalence or top_share < _PARADOX_SHARE:
        return ""
    shown = f"AC1 is {ac1:.2f}" if not math.isnan(ac1) else "look at the agreement per class"
    if math.isnan(value) or agreed - value < _PARADOX_GAP:
        return (
            f"One class makes up {percent(top_share, 1)} of all answers: few cases decide this "
            f"figure, and it cannot be compared with sets of another prevalence ({shown})."
        )
    return (
        f"Prevalence misleads here: one class makes up {percent(top_share, 1)} of all answers, "
        f"readers say the same in {percent(agreed, 1)} of comparisons, and still {measure.name} is "
        f"{value:.2f}, because chance alone would already agree that often; {shown}. Show both: "
        "AC1 says how often readers agree, kappa how well they agree on the rare class. To measure "
        "the latter, add cases that have it."
    )


def few_warning(n_disputed: int, n_minority: float, n_cases: int) -> str:
    """Say when the figure rests on a handful of cases."""
    if n_cases < _FEW:
        return f"Only {n_cases} cases: read the interval, not the figure."
    if min(n_disputed, n_minority) < 5:
        return (
            f"The figure rests on few informative cases ({n_disputed} disputed, about "
            f"{n_minority:.0f} answers for other classes than the commonest): read the interval."
        )
    return ""

"""How many cases, read by how many, for an interval of a wanted width: one question, one answer."""

from __future__ import annotations

from dataclasses import dataclass

from overread.errors import InputError
from overread.planning.size import Clustering, Size, agreement_cases, proportion_cases

SHARES = ("sensitivity", "specificity", "accuracy")
AGREEMENT = ("kappa", "percent", "alpha")
MEASURES = (*AGREEMENT, *SHARES)
_MOST = 3  # readers of a case that are compared


@dataclass(frozen=True, slots=True)
class Sizes:
    """Answers for some numbers of readers. Args: least: the one with the fewest reads."""

    sizes: tuple[Size, ...]
    least: Size


def sizes_for(
    measure: str, expected: float, half_width: float, *, prevalence: float, readers: int = 2
) -> Sizes:
    """Cases and reads that a figure needs.

    Args:
        measure: one of :data:`MEASURES`.
        expected: its value, 0 to 1.
        half_width: half of the 95 % interval that is wanted.
        prevalence: share of the cases that are positive.
        readers: of each case; the answers go up to two readers more.
    Raises:
        InputError: no such measure, or a number out of range.
    Example:
        >>> found = sizes_for("kappa", 0.6, 0.1, prevalence=0.3)
        >>> found.sizes[0].cases, found.least.readers
        (304, 4)
    """
    if measure not in MEASURES:
        raise InputError("measure", f"be one of {', '.join(MEASURES)}", measure)
    if not 0 < prevalence < 1:
        raise InputError("prevalence", "be above 0 and below 1", prevalence)
    if readers < (2 if measure in AGREEMENT else 1):
        raise InputError("readers of each case", "be 2 or more for agreement", readers)
    found = tuple(
        _size(measure, expected, half_width, prevalence, readers + more) for more in range(_MOST)
    )
    return Sizes(found, min(found, key=lambda one: (one.cases * one.readers, one.readers)))


def _size(
    measure: str, expected: float, half_width: float, prevalence: float, readers: int
) -> Size:
    if measure in AGREEMENT:
        shares = [prevalence, 1 - prevalence]
        return agreement_cases(measure, expected, half_width, prevalence=shares, readers=readers)
    share = {"sensitivity": prevalence, "specificity": 1 - prevalence}.get(measure, 1.0)
    # two readers of a case err together to some degree: a third of their errors is usual
    how = Clustering(readers, 0.3 if readers > 1 else 0.0)
    return proportion_cases(expected, half_width, what=measure, share=share, clustering=how)

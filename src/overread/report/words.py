"""Numbers as people read them, and what they mean."""

from __future__ import annotations

import math
from collections.abc import Sequence

from overread.agreement.estimate import Estimate
from overread.words import NOTHING

_CHANCE_CORRECTED = ("kappa", "alpha", "cohen", "fleiss", "conger", "ac1", "ac2", "gwet", "brennan")
_KAPPA = (
    (0.0, "slight"),
    (0.21, "fair"),
    (0.41, "moderate"),
    (0.61, "substantial"),
    (0.81, "almost perfect"),
)
_ICC = ((0.0, "poor"), (0.5, "moderate"), (0.75, "good"), (0.9, "excellent"))
_ADVERBS = {"almost perfect": "almost perfectly", "good": "well"}
MINUS = "\N{MINUS SIGN}"
_LOWER_IS_BETTER = ("sd", "error", "false", "spread", "noise", "hd", "assd", "distance")


def number(value: float, unit: str = "") -> str:
    """Write a figure: two digits, more where two would round to 0 or 1; a dash for nan.

    Example:
        >>> number(0.7431), number(0.998), number(12.345, "mm"), number(0.0004)
        ('0.74', '0.998', '12.3 mm', '<0.001')
    """
    if math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    size = abs(value)
    near_end = 0 < size < 0.005 or 0.995 <= size < 1
    digits = 3 if near_end else 2 if size < 10 else 1 if size < 100 else 0
    text = f"{value:,.{digits}f}".replace("-", MINUS)
    if near_end and float(f"{size:.3f}") in (0.0, 1.0):
        text = "<0.001" if size < 0.5 else ">0.999"
    return f"{text} {unit}".rstrip()


def count(n: int, one: str, many: str = "") -> str:
    """Write a number of things: "1 case", "15,000 cases"."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def interval(low: float, high: float, unit: str = "") -> str:
    """Write an interval; "" when there is none."""
    if math.isnan(low) or math.isnan(high):
        return ""
    return f"{number(low)} to {number(high, unit)}"


def listed(names: Sequence[str], most: int = 3) -> str:
    """Write names: "R1, R2 and R3"; "R1, R2, R3 and 4 more"."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def bands(estimate: Estimate) -> tuple[tuple[float, str], ...]:
    """The habitual words for a chance-corrected figure or ICC: (from, word), rising; else ().

    Source:
        Landis and Koch 1977, Biometrics 33:159; Koo and Li 2016, J. Chiropr. Med. 15:155 (ICC).
    """
    key = f"{estimate.key} {estimate.name}".casefold()
    if "icc" in key:
        return _ICC
    return _KAPPA if any(name in key for name in _CHANCE_CORRECTED) else ()


def band(estimate: Estimate) -> str:
    """How far readers agree, as an adverb; "" where there are no words for the measure."""
    known = bands(estimate)
    if math.isnan(estimate.value) or not known:
        return ""
    if estimate.value < 0:
        return "less than chance would have them"
    word = [word for least, word in known if estimate.value >= least][-1]
    return _ADVERBS.get(word, f"{word}ly")


def headline(estimates: Sequence[Estimate]) -> Estimate | None:
    """The estimate that speaks for the others; None when none has a value.

    Alpha, which takes missing reads and every scale; else ICC; else another chance-corrected
    figure; else the first.
    """
    known = [e for e in estimates if math.isfinite(e.value)]
    for words in (("alpha",), ("icc",), ("fleiss", "conger", "kappa"), ("ac1", "ac2")):
        for one in known:
            if any(word in one.key.casefold() for word in words):
                return one
    return known[0] if known else None


def average(value: float) -> str:
    """Write a mean count: "3", "5.1"."""
    return f"{value:,.1f}".removesuffix(".0")


def against_pool(measure: str, value: float, low: float, high: float, middle: float) -> str:
    """Is a reader's figure good, next to the median reader? One or two words.

    Args:
        measure: its name; a bias is judged against 0.
        middle: the median over readers.
    """
    if math.isnan(value):
        return "no reads"
    if math.isnan(low) or math.isnan(high):
        return ""
    name = measure.casefold()
    if "bias" in name:
        return "reads high" if low > 0 else "reads low" if high < 0 else "no bias seen"
    if low <= middle <= high:
        return "like the others"
    above = low > middle
    if any(word in name for word in _LOWER_IS_BETTER):
        above = not above
    return "better than most" if above else "worse than most"

"""How many cases, read by how many, give an interval of a wanted width; and the other way round.

Widths are those of the interval at the expected result. For agreement it is the interval that
:mod:`overread.agreement` reports for large samples (first order, on the log scale).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import betaincinv, ndtri, stdtrit
from scipy.stats import binom

from overread.arrays import Floats
from overread.errors import InputError
from overread.planning.variance import checked_prevalence, variance_of
from overread.words import percent

METHODS = ("wilson", "exact", "normal")
_MOST_CASES = 10**9
_FEW = 10


@dataclass(frozen=True, slots=True)
class Size:
    """So many cases, and the interval they give.

    Args:
        cases: to be read, those of other classes counted.
        readers: of each case.
        counted: cases that the figure rests on (the positive ones for a sensitivity).
        expected: value of the figure.
        low, high: the interval at the expected value.
        level: its coverage.
        words: the same in plain words, with what to beware of.
    """

    cases: int
    readers: int
    counted: int
    expected: float
    low: float
    high: float
    level: float
    words: str

    @property
    def half_width(self) -> float:
        """Half of the interval's width."""
        return (self.high - self.low) / 2

    @property
    def reads(self) -> int:
        """Cases times readers."""
        return self.cases * self.readers


@dataclass(frozen=True, slots=True)
class Clustering:
    """Reads that are not independent: of one case, and of one reader.

    The variance of a share p from n cases, each read by the same k readers, is
    p (1 - p) (reader / k + case / n + (1 - reader - case) / (n k)).

    Args:
        readers: k.
        case: correlation of two readers' results on one case, 0 .. 1; 1 means that a second
            reader tells nothing new.
        reader: correlation of one reader's results on two cases, 0 .. 1: how far readers differ.
            0 makes a statement about these readers, above 0 about readers like them.
    """

    readers: int = 1
    case: float = 0.0
    reader: float = 0.0

    def __post_init__(self) -> None:
        if self.readers < 1:
            raise InputError("readers", "be 1 or more", self.readers)
        if min(self.case, self.reader) < 0 or self.case + self.reader > 1:
            got = f"{self.case:g} and {self.reader:g}"
            raise InputError("correlations of case and reader", "be in 0 .. 1 together", got)

    def effective(self, cases: float) -> float:
        """Independent reads that tell as much as these."""
        rest = 1 - self.reader - self.case
        share = self.reader / self.readers + self.case / cases + rest / (cases * self.readers)
        return 1 / share if share else math.inf

    @property
    def most(self) -> float:
        """Independent reads that no number of cases exceeds."""
        return self.readers / self.reader if self.reader else math.inf


ALONE = Clustering()


def proportion_interval(
    expected: float, n: float, *, method: str = "wilson", level: float = 0.95
) -> tuple[float, float]:
    """The interval of a share when ``n`` independent reads show exactly the expected one.

    Args:
        n: may be a fraction (an effective number).
        method: "wilson", "exact" (Clopper-Pearson) or "normal" (the textbook's, only to compare).
    Source:
        Wilson 1927, JASA 22:209-212; Clopper & Pearson 1934, Biometrika 26:404-413; effective
        numbers in them: Korn & Graubard 1998, Survey Methodology 24:193-201.

    Example:
        >>> low, high = proportion_interval(0.9, 100)
        >>> round(low, 3), round(high, 3)
        (0.826, 0.945)
    """
    _check(level, method)
    if method == "exact":
        x, tail = expected * n, (1 - level) / 2
        low = betaincinv(x, n - x + 1, tail) if x > 0 else 0.0
        high = betaincinv(x + 1, n - x, 1 - tail) if x < n else 1.0
        return float(low), float(high)
    z = float(ndtri((1 + level) / 2))
    if method == "normal":
        reach = z * math.sqrt(expected * (1 - expected) / n)
        return expected - reach, expected + reach
    centre = (expected + z * z / (2 * n)) / (1 + z * z / n)
    root = math.sqrt(expected * (1 - expected) / n + z * z / (4 * n * n))
    reach = z / (1 + z * z / n) * root
    return centre - reach, centre + reach


def proportion_width(
    expected: float,
    cases: int,
    *,
    what: str = "share",
    share: float = 1.0,
    clustering: Clustering = ALONE,
    method: str = "wilson",
    level: float = 0.95,
) -> Size:
    """The interval that so many cases give for a share (a sensitivity, an accuracy).

    Args:
        expected: the share, in 0 .. 1.
        cases: all of them, also those of other classes.
        what: name of the share, for the words.
        share: of the cases that count for it: the prevalence for a sensitivity, 1 - prevalence
            for a specificity.
        clustering: several readers of each case.
    """
    check_share("expected", expected, closed=True)
    check_share("prevalence", share, closed=True)
    counted = math.floor(cases * share + 1e-9)
    if counted < 1:
        raise InputError("cases", f"hold at least one case that counts for a {what}", cases)
    low, high = proportion_interval(
        expected, clustering.effective(counted), method=method, level=level
    )
    readers = clustering.readers
    found = Size(cases, readers, counted, expected, low, high, level, "")
    return replace(found, words=_proportion_words(what, found))


def proportion_cases(
    expected: float,
    half_width: float,
    *,
    what: str = "share",
    share: float = 1.0,
    assurance: float = 0.0,
    clustering: Clustering = ALONE,
    method: str = "wilson",
    level: float = 0.95,
) -> Size:
    """Fewest cases whose interval of a share is at most ``2 * half_width`` wide.

    Args:
        half_width: in 0 .. 0.5.
        assurance: chance (0.5 .. 1) that so many cases hold enough that count, where ``share`` is
            below 1 and cases come as they come; 0 takes the expected number.
        expected, what, share, clustering, method, level: as in :func:`proportion_width`.
    Raises:
        InputError: no number of cases will do with so few readers.
    Source:
        Buderer 1996, Acad. Emerg. Med. 3:895-900 (cases by prevalence; method "normal").
    Example:
        >>> proportion_cases(0.9, 0.1, share=0.2, method="normal").cases  # 35 positive ones
        175
    """
    check_share("expected", expected, closed=True)
    check_share("prevalence", share, closed=True)
    _check_half(half_width)

    def half(n: float) -> float:
        low, high = proportion_interval(
            expected, clustering.effective(n), method=method, level=level
        )
        return (high - low) / 2

    if not math.isinf(clustering.most) and half(_MOST_CASES) > half_width:
        raise InputError(
            "half width",
            f"be at least {half(_MOST_CASES):.3g} with {clustering.readers} readers, "
            "however many cases they read",
            f"{half_width:g}",
            remedy="Take more readers: it is they who differ.",
        )
    counted = _least(half, half_width)
    cases = _cases_holding(counted, share, assurance)
    return proportion_width(
        expected, cases, what=what, share=share, clustering=clustering, method=method, level=level
    )


def accuracy_cases(
    sensitivity: float,
    specificity: float,
    prevalence: float,
    half_width: float,
    *,
    assurance: float = 0.0,
    clustering: Clustering = ALONE,
    method: str = "wilson",
    level: float = 0.95,
) -> tuple[Size, Size]:
    """Cases for a sensitivity and for a specificity; the larger of the two is needed.

    Returns:
        For the sensitivity, for the specificity.
    Source:
        Buderer 1996, Acad. Emerg. Med. 3:895-900.
    """
    check_share("prevalence", prevalence)
    both = []
    for what, expected, share in (
        ("sensitivity", sensitivity, prevalence),
        ("specificity", specificity, 1 - prevalence),
    ):
        found = proportion_cases(
            expected, half_width, what=what, share=share, assurance=assurance,
            clustering=clustering, method=method, level=level,
        )  # fmt: skip
        both.append(found)
    return both[0], both[1]


def agreement_width(
    measure: str,
    expected: float,
    cases: int,
    *,
    prevalence: Sequence[float] | Floats,
    readers: int = 2,
    weights: str = "nominal",
    model: str = "latent_class",
    level: float = 0.95,
) -> Size:
    """The interval that so many cases, each read by so many, give for an agreement figure.

    Args:
        measure: "percent", "kappa" or "alpha".
        expected: its value.
        prevalence: (classes,) share of each class; for the kappa of one grade against all others
            its share and the rest.
        readers: of each case, 2 or more.
        weights: "nominal", "linear" or "quadratic" (grades).
        model: how readers err, see :func:`overread.planning.variance.variance_of`.
    Example:
        >>> found = agreement_width("kappa", 0.6, 200, prevalence=[0.3, 0.7])
        >>> round(found.low, 2), round(found.high, 2)
        (0.46, 0.71)
    """
    _check(level, "wilson")
    if cases < 2:
        raise InputError("cases", "be 2 or more", cases)
    shares = checked_prevalence(np.asarray(prevalence, dtype=np.float64))
    variance = variance_of(measure, expected, shares, readers=readers, weights=weights, model=model)
    low, high = _log_interval(expected, variance, cases, level)
    found = Size(cases, readers, cases, expected, low, high, level, "")
    name = measure if weights == "nominal" else f"{measure} ({weights} weights)"
    return replace(found, words=_agreement_words(name, found, float(shares.min())))


def agreement_cases(
    measure: str,
    expected: float,
    half_width: float,
    *,
    prevalence: Sequence[float] | Floats,
    readers: int = 2,
    weights: str = "nominal",
    model: str = "latent_class",
    level: float = 0.95,
) -> Size:
    """Fewest cases whose interval of an agreement figure is at most ``2 * half_width`` wide.

    Args: as in :func:`agreement_width`.

    Example:
        >>> agreement_cases("kappa", 0.6, 0.1, prevalence=[0.3, 0.7]).cases
        304
    """
    _check(level, "wilson")
    _check_half(half_width)
    shares = checked_prevalence(np.asarray(prevalence, dtype=np.float64))
    variance = variance_of(measure, expected, shares, readers=readers, weights=weights, model=model)

    def half(n: float) -> float:
        low, high = _log_interval(expected, variance, max(int(n), 2), level)
        return (high - low) / 2

    return agreement_width(
        measure, expected, max(_least(half, half_width), 2), prevalence=shares, readers=readers,
        weights=weights, model=model, level=level,
    )  # fmt: skip


def _log_interval(value: float, variance: float, cases: int, level: float) -> tuple[float, float]:
    """The interval of :mod:`overread.agreement`: symmetric in log(1 - value)."""
    rest = 1 - value
    reach = float(stdtrit(cases - 1, (1 + level) / 2)) * math.sqrt(variance / cases) / rest
    spread = math.exp(min(reach, 50.0))
    return max(1 - rest * spread, -1.0), 1 - rest / spread


def _least(half: Callable[[float], float], wanted: float) -> int:
    """Smallest whole number whose half width, which falls, is at most the wanted one."""
    high = 2
    while half(high) > wanted:
        high *= 2
        if high > _MOST_CASES:
            raise InputError("half width", "be reached by a thousand million cases", f"{wanted:g}")
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if half(middle) <= wanted else (middle, high)
    return high if high > 2 or half(1) > wanted else 1


def _cases_holding(counted: int, share: float, assurance: float) -> int:
    expected = math.ceil(counted / share - 1e-9)
    if not assurance or share == 1:
        return expected
    check_share("assurance", assurance)
    cases = expected
    while binom.sf(counted - 1, cases, share) < assurance:
        cases += max(1, (expected - counted) // 1000)
    return cases


def _proportion_words(what: str, size: Size) -> str:
    of = f" among {size.cases:,} cases" if size.cases != size.counted else ""
    by = f", each read by the same {size.readers} readers" if size.readers > 1 else ""
    text = (
        f"{size.counted:,} cases that count{of}{by}: a {what} of {percent(size.expected, 1)} will "
        f"be known to lie between {percent(size.low, 1)} and {percent(size.high, 1)} (interval of "
        f"{percent(size.level)})."
    )
    errors = size.counted * min(size.expected, 1 - size.expected)
    if errors < _FEW:
        text += f" It rests on about {errors:.0f} errors only; one more moves it visibly."
    return text


def _agreement_words(name: str, size: Size, rarest: float) -> str:
    text = (
        f"{size.cases:,} cases, each read by {size.readers} readers ({size.reads:,} reads): {name} "
        f"of {size.expected:.2f} will be known to lie between {size.low:.2f} and {size.high:.2f} "
        f"(interval of {percent(size.level)})."
    )
    if rarest * size.cases < _FEW:
        text += (
            f" Only about {rarest * size.cases:.0f} of the cases are of the rarest class: expect "
            "a wider interval than this, or choose cases so that it is less rare."
        )
    return text


def _check(level: float, method: str) -> None:
    if not 0 < level < 1:
        raise InputError("level", "be between 0 and 1", level)
    if method not in METHODS:
        raise InputError("method", f"be one of {', '.join(METHODS)}", f"{method!r}")


def _check_half(half_width: float) -> None:
    if not 0 < half_width < 0.5:
        raise InputError("half width", "be between 0 and 0.5", f"{half_width:g}")


def check_share(name: str, value: float, *, closed: bool = False) -> None:
    """Refuse what is no share; ``closed`` allows 0 and 1, but no prevalence of 0."""
    good = 0 < value < 1 or (
        closed and value in (0, 1) and not (name == "prevalence" and not value)
    )
    if not good:
        raise InputError(name, "be between 0 and 1", f"{value:g}")

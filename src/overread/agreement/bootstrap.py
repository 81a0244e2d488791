"""Bootstrap intervals for ratios of sums over cases: F1, mean IoU, biases, shares.

A figure is sum(top) / sum(bottom) over the comparisons of two reads. Its parts are summed by case
first, so that 2000 draws of cases are one matrix product for all figures at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numba as nb
import numpy as np
from numpy.typing import NDArray
from scipy import special

from overread.arrays import Bools, Floats, Ints
from overread.errors import InputError

_CELLS = 4_000_000  # of a block of draws: 32 MB


@dataclass(frozen=True, slots=True, eq=False)
class Ratios:
    """Ratios of sums with their intervals.

    Args:
        value, low, high: (figures,) nan where nothing is summed below.
        units: (figures,) cases (or groups) that count below.
        flat: (figures,) true where all cases show one value: resampling them says nothing about
            the spread, and the ends come from a bound instead (``share``), or are nan.
    """

    value: Floats
    low: Floats
    high: Floats
    units: Ints
    flat: Bools


def ratio_intervals(
    top: Floats,
    bottom: Floats,
    unit: Ints,
    *,
    readers: tuple[Ints, Ints] | None = None,
    share: Bools | None = None,
    draws: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Ratios:
    """Bias-corrected, accelerated bootstrap of ratios of sums.

    Args:
        top, bottom: (rows, figures) summands of each comparison; bottom not below 0.
        unit: (rows,) what is drawn: the case, or the group (patient), of each row.
        readers: (rows,) each: the two readers that a row compares, to draw the readers as well as
            the cases; None holds the readers fixed.
        share: (figures,) true for figures that lie in 0 .. 1 by definition.
        draws: bootstrap samples.
        level: nominal coverage.
    Returns:
        One entry a figure. Few units widen the interval as the t distribution does.
    Raises:
        InputError: a level outside (0, 1) or too few draws.
    Source:
        Efron 1987, JASA 82:171-185 (BCa); Hesterberg 2015, Am. Stat. 69(4):371-386, section 5.3
        (small samples). A share that is 1 in each of n units has the exact lower end
        ((1 - level) / 2)^(1 / n), for P(all 1) is at most its mean to the power n.
    """
    if not 0 < level < 1:
        raise InputError("level", "lie between 0 and 1", level)
    if draws < 100:
        raise InputError("draws", "be 100 or more", draws)
    figures = top.shape[1]
    distinct, code = np.unique(unit, return_inverse=True)
    both = np.zeros((distinct.size, 2 * figures))
    np.add.at(both, code, np.hstack([top, bottom]))
    value = _ratio(both.sum(axis=0))
    counted = both[:, figures:] > 0
    units = counted.sum(axis=0)
    each = _ratio(both)
    spread = np.where(counted, np.abs(each - value), 0.0).max(axis=0, initial=0.0)
    flat = (spread <= 1e-12 * (1 + np.abs(value))) | (units < 2)
    blocks = (
        _case_draws(both, draws, seed)
        if readers is None
        else _reader_draws(np.hstack([top, bottom]), code, readers, draws, seed)
    )
    drawn = np.concatenate([_ratio(block) for block in blocks])
    low, high = bca_ends(value, drawn, _acceleration(both), units, level)
    low, high = np.where(flat, np.nan, low), np.where(flat, np.nan, high)
    for k in np.flatnonzero(flat & (units > 0) & (False if share is None else share)):
        low[k], high[k] = share_bounds(float(value[k]), int(units[k]), level)
    return Ratios(value, low, high, units, flat)


def share_bounds(value: float, units: int, level: float) -> tuple[float, float]:
    """Ends of the interval of a share that is ``value`` in every one of ``units`` units.

    Returns:
        the exact bounds for 0 and 1; nan between, where nothing bounds the spread.
    """
    far = ((1 - level) / 2) ** (1 / units)
    if value >= 1 - 1e-12:
        return far, 1.0
    return (0.0, 1 - far) if value <= 1e-12 else (float("nan"), float("nan"))


def _ratio(sums: Floats) -> Floats:
    """(..., figures) top / bottom of (..., 2 figures) sums."""
    half = sums.shape[-1] // 2
    top, bottom = sums[..., :half], sums[..., half:]
    out = np.full(top.shape, np.nan)
    np.divide(top, bottom, out=out, where=bottom > 1e-12)
    return out


def _case_draws(sums: Floats, draws: int, seed: int) -> Iterator[Floats]:
    """Blocks of (draws, 2 figures) sums over units drawn with replacement."""
    rng = np.random.default_rng(seed)
    n = len(sums)
    block = max(1, _CELLS // max(n, 1))
    # Many figures share a denominator: multiply each distinct column once.
    place: dict[bytes, int] = {}
    back = [place.setdefault(column.tobytes(), len(place)) for column in sums.T]
    sums = sums[:, np.unique(back, return_index=True)[1]]
    for begin in range(0, draws, block):
        yield (draw_units(rng, min(block, draws - begin), n) @ sums)[:, back]


def _reader_draws(
    sums: Floats, unit: Ints, readers: tuple[Ints, Ints], draws: int, seed: int
) -> Iterator[Floats]:
    """As :func:`_case_draws` with readers drawn too: a row counts by its units and both readers.

    Copies of one reader are not compared with each other: they would agree by construction. Rows
    within one reader count by that reader's copies.
    """
    rng = np.random.default_rng(seed)
    present, code = np.unique(np.concatenate(readers), return_inverse=True)
    first, second = code[: unit.size], code[unit.size :]
    n = int(unit.max(initial=-1)) + 1
    block = max(1, _CELLS // max(unit.size, n, 1))
    for begin in range(0, draws, block):
        size = min(block, draws - begin)
        of_unit = draw_units(rng, size, n)[:, unit]
        of_reader = draw_units(rng, size, present.size)
        other = np.where(first == second, 1.0, of_reader[:, second])
        yield (of_unit * of_reader[:, first] * other) @ sums


def draw_units(rng: np.random.Generator, draws: int, n: int) -> Floats:
    """(draws, n) how often each of n units is drawn, n with replacement a draw."""
    times = np.zeros((draws, n))
    if n:
        _count(rng.integers(0, 2**32, size=(draws, n), dtype=np.uint32), times)
    return times


@nb.njit(cache=True)  # type: ignore[misc, unused-ignore]
def _count(bits: NDArray[np.uint32], times: Floats) -> None:
    draws, n = times.shape
    for d in range(draws):
        for k in range(n):
            # Multiply and shift: uniform on 0 .. n-1 up to n / 2^32.
            times[d, (np.uint64(bits[d, k]) * np.uint64(n)) >> np.uint64(32)] += 1.0


def _acceleration(sums: Floats) -> Floats:
    without = _ratio(sums.sum(axis=0) - sums)
    return acceleration_of(np.where(sums[:, sums.shape[1] // 2 :] > 0, without, np.nan))


def acceleration_of(without: Floats) -> Floats:
    """Skewness of the jackknife over six: how fast the spread changes with the figure.

    Args:
        without: (units, figures) the figure with each unit left out; nan does not count.
    """
    used = np.isfinite(without)
    count = np.maximum(used.sum(axis=0), 1)
    mean = np.where(used, without, 0.0).sum(axis=0) / count
    gap = np.where(used, mean - without, 0.0)
    square, skew = (gap**2).sum(axis=0), (gap**3).sum(axis=0)
    out = np.zeros(skew.shape)
    np.divide(skew, 6 * square**1.5, out=out, where=square > 0)
    return out


def bca_ends(
    value: Floats, drawn: Floats, acceleration: Floats, units: Ints, level: float
) -> tuple[Floats, Floats]:
    """Ends of bias-corrected, accelerated intervals, widened for few units.

    Args:
        value: (figures,) estimates.
        drawn: (draws, figures) bootstrap values; nan where a draw has none.
        acceleration: (figures,) see :func:`acceleration_of`.
        units: (figures,) units drawn; below 2 there is no interval.
    Returns:
        (figures,) low and high ends; nan where there is no interval.
    """
    low, high = np.full(value.shape, np.nan), np.full(value.shape, np.nan)
    tol = 1e-12 * (1 + np.abs(value))
    for k in np.flatnonzero((units > 1) & np.isfinite(value)):
        column = np.sort(drawn[:, k])
        column = column[: np.searchsorted(column, np.inf)]  # without the nan at the end
        if not column.size:
            continue
        under, upto = np.searchsorted(column, [value[k] - tol[k], value[k] + tol[k]])
        least = 1 / (2 * column.size)
        shift = special.ndtri(np.clip((under + upto) / 2 / column.size, least, 1 - least))
        n = units[k]
        wide = min(np.sqrt(n / (n - 1)) * special.stdtrit(n - 1, (1 + level) / 2), 6.0)
        point = shift + np.array([-wide, wide])
        at = special.ndtr(shift + point / np.maximum(1 - acceleration[k] * point, 0.05))
        low[k], high[k] = np.interp(at * (column.size - 1), np.arange(column.size), column)
    return low, high

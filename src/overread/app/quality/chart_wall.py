"""Charts of readers as small pictures: the same scale for a metric whoever's it is."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtrit

from overread.app.analysis.project_reads import FRAME
from overread.monitoring import Chart, Design, Limits, Metric, ReaderState, sums_of

SHOWN = 60  # last overlap reads of a small chart
_LAST = 10  # reads of the running mean
_KEY = 3  # charts that a card shows at first
CLOSE = 0.7
"""Share of a limit from which a chart is worth a look."""


@dataclass(frozen=True, slots=True)
class Block:
    """Reads in a row, or of one sub-batch. Args: words: which; mean, low, high: with 95 %."""

    words: str
    first: int
    count: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ChartLine:
    """One chart of a reader.

    Args:
        key, name: of the metric.
        points: the last values in the metric's own unit, oldest first.
        share: evidence as a share of the limit; 1 is an alarm.
        now: level of the last ten reads, in words.
        reach: value at the edge of the picture, the same for all readers of a project.
        ends: that value in words, above and below.
        blocks: of the points.
    """

    key: str
    name: str
    points: tuple[float, ...]
    share: float
    now: str
    reach: float = 0.0
    ends: tuple[str, str] = ("", "")
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart drawn: paths of an SVG. Args: dots: one a read; line: the mean of the last ten."""

    dots: str
    line: str


def charts_of(
    design: Design,
    state: ReaderState,
    *,
    most: int = SHOWN,
    parts: Mapping[str, str] | None = None,
) -> Iterator[ChartLine]:
    """The charts of a reader, in the order of the design.

    Args:
        design: of the question.
        state: of the reader.
        most: points at the end.
        parts: case -> the sub-batch it is of, to make blocks by; None for no blocks, {} for
            blocks of equal length.
    """
    for place, (limits, chart) in enumerate(zip(design.limits, state.charts, strict=True)):
        if limits is None or chart is None:
            continue
        metric = design.metrics[place]
        seen = [one for one in state.recent if one.away[place] is not None][-most:]
        if not seen:
            continue
        points = tuple(one.away[place] or 0.0 for one in seen)
        last = points[-_LAST:]
        blocks: tuple[Block, ...] = ()
        if parts is not None:
            cases = [one.case.split(FRAME, maxsplit=1)[0] for one in seen]
            blocks = tuple(_blocks(list(zip(cases, points, strict=True)), parts))
        share = _share(limits, chart)
        now = in_words(metric.scale, metric.unit, sum(last) / len(last))
        reach = max(*map(abs, points), least_reach(metric))
        line = ChartLine(metric.key, metric.name, points, share, now, blocks=blocks)
        yield scaled(line, metric, reach)


def scaled(line: ChartLine, metric: Metric, reach: float) -> ChartLine:
    """The same chart on another scale."""
    ends = (
        in_words(metric.scale, metric.unit, reach),
        in_words(metric.scale, metric.unit, -reach),
    )
    return replace(line, reach=reach, ends=ends)


def common_reach(metric: Metric, points: Sequence[Sequence[float]]) -> float:
    """A scale that fits all readers: nearly all values of each lie within."""
    edges = [float(np.quantile(np.abs(one), 0.95)) for one in points if len(one)]
    return max([1.1 * one for one in edges] + [least_reach(metric)])


def least_reach(metric: Metric) -> float:
    """Smaller differences are drawn as none: two in a hundred, or that much of a unit."""
    return 0.02 if metric.scale in {"log", "share"} else 0.05


def key_charts(charts: Sequence[ChartLine], keys: Sequence[str]) -> list[ChartLine]:
    """What a card shows at first: the same metrics on every card, and what is near an alarm."""
    return [one for one in charts if one.key in keys or one.share >= CLOSE]


def key_metrics(shares: Mapping[str, float], order: Sequence[str]) -> list[str]:
    """Metrics that stand on every card: those nearest to an alarm over all readers.

    Args:
        shares: metric -> largest share of its limit over all readers.
        order: of the design, in which they stand.
    """
    near = sorted(shares, key=lambda key: (-round(shares[key], 1), order.index(key)))[:_KEY]
    return [key for key in order if key in near]


@functools.lru_cache(maxsize=4_096)  # a page that comes up to date draws what is new
def picture(line: ChartLine, width: float, height: float) -> Picture:
    """Draw a chart; values beyond the scale lie on its edge."""
    points = np.array(line.points)
    total = np.concatenate([[0.0], np.cumsum(points)])
    number = np.arange(1, points.size + 1)
    first = np.maximum(number - _LAST, 0)
    means = (total[number] - total[first]) / (number - first)
    middle = height / 2
    x = 3 + (width - 6) * (number - 1) / max(points.size - 1, 1)
    y, mean = (
        middle - (middle - 3) * np.clip(each / (line.reach or 1.0), -1.0, 1.0)
        for each in (points, means)
    )
    dots = "".join([f"M{a:.1f} {b:.1f}h0" for a, b in zip(x.tolist(), y.tolist(), strict=True)])
    path = "L".join([f"{a:.1f} {b:.1f}" for a, b in zip(x.tolist(), mean.tolist(), strict=True)])
    return Picture(dots, f"M{path}")


def in_words(scale: str, unit: str, value: float) -> str:
    """A difference in a metric's own unit, for a label."""
    if scale in {"log", "share"}:
        share = 100 * (math.expm1(value) if scale == "log" else value)
        return "0 %" if abs(share) < 0.5 else f"{share:+.0f} %"
    return f"{value:+.2f} {unit}".rstrip()


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean with its 95 % interval (Student's t); of one value no interval (nan)."""
    mean = sum(values) / len(values)
    if len(values) < 2:
        return mean, math.nan, math.nan
    spread = math.sqrt(sum((one - mean) ** 2 for one in values) / (len(values) - 1))
    reach = float(stdtrit(len(values) - 1, 0.975)) * spread / math.sqrt(len(values))
    return mean, mean - reach, mean + reach


def _share(limits: Limits, chart: Chart) -> float:
    """How near the nearest of a metric's charts is to its limit."""
    sums = sums_of(limits, chart)
    return max((value / limit for value, limit, _, _ in sums if limit), default=0.0)


_BLOCK = 20  # reads of a block where there is no plan


def _blocks(known: Sequence[tuple[str, float]], parts: Mapping[str, str]) -> Iterator[Block]:
    """Reads by sub-batch where a plan has them all, else so many in a row."""
    planned = bool(parts) and all(case in parts for case, _ in known)
    start = 0
    while start < len(known):
        stop = start + 1
        if planned:
            while stop < len(known) and parts[known[stop][0]] == parts[known[start][0]]:
                stop += 1
        else:
            # what is left over belongs to the last
            left = len(known) - start
            stop = len(known) if left < 2 * _BLOCK else start + _BLOCK
        words = parts[known[start][0]] if planned else f"reads {start + 1} to {stop}"
        values = [value for _, value in known[start:stop]]
        yield Block(words, start, stop - start, *interval(values))
        start = stop

"""How large a change is, metric by metric, and what it is likely to be, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

from overread.arrays import Floats
from overread.monitoring.observations import Metric
from overread.monitoring.observe_findings import EDGES
from overread.monitoring.seen import Seen
from overread.words import percent

if TYPE_CHECKING:
    from overread.monitoring.design import Design

_PRIOR = 4.0  # reads before the change that a missing past counts for, at the pool's level
_CLEAR = 3.0  # standard errors from which a metric is worth naming
_SIDE = 1.6  # an edge stands out when it moved so many times as far as the others do on average
_UNSIGNED = ("disagreement", "distance", "gold_error", "gold_distance")
_SIGNED = ("grade", "score", "findings")  # tell the side, which the others do not
_FEWEST = 12  # reads to judge whether answers are related at all


@dataclass(frozen=True, slots=True)
class Effect:
    """The change of one metric.

    Args:
        metric: key; name: in words; unit.
        value: in the metric's own unit (log ratios as such), with low, high: 95 % interval. It
            is measured where it looked largest, so that it flatters a little.
        score: value in standard errors.
        reads: overlap reads behind it.
        mean: level since the change; usual: what was expected of these cases and this reader.
        words: the change in words.
    """

    metric: str
    name: str
    unit: str
    value: float
    low: float
    high: float
    score: float
    reads: int
    mean: float
    usual: float
    words: str


def effects_of(
    design: Design, segment: Sequence[Seen], earlier: Sequence[Seen]
) -> tuple[Effect, ...]:
    """Size of the change in every metric, clearest first.

    Args:
        segment: the reads since the change.
        earlier: the reads before it, whose level is what counts as usual; none: the pool's.
    """
    found = [
        effect
        for place, metric in enumerate(design.metrics)
        if (effect := _effect(design, metric, place, segment, earlier)) is not None
    ]
    return tuple(sorted(found, key=lambda one: -abs(one.score)))


def cause_words(main: Effect, effects: Sequence[Effect]) -> str:
    """The likely cause: the clearest change of place and size if one is clear, else the metric's.

    Example: "boxes 31 % smaller, mostly at the lower edge".
    """
    by_key = {one.metric: one for one in effects}
    sides = [one for one in effects if one.metric in _SIGNED or one.metric.startswith("said:")]
    if main.metric in _UNSIGNED and sides and abs(sides[0].score) >= _CLEAR:
        return f"{sides[0].words}; {main.words}"
    size = by_key.get("log_area")
    if size is None or main.metric in ("log_seconds", "count"):
        return main.words
    if "edge_left" not in by_key:
        border = by_key.get("border")
        place = f", {border.words}" if border is not None and abs(border.score) >= _CLEAR else ""
        return size.words + place if abs(size.score) >= _CLEAR else main.words
    shift = max((by_key[f"shift_{axis}"] for axis in "xy"), key=lambda one: abs(one.score))
    if abs(size.score) >= max(_CLEAR, abs(shift.score)) or _one_edge(by_key, size):
        return size.words + _where(by_key, size)
    if abs(shift.score) >= _CLEAR:
        return shift.words
    return main.words


def relation_words(
    kind: str, segment: Sequence[Seen], earlier: Sequence[Seen], effects: Sequence[Effect]
) -> str:
    """Say it if the answers have nothing to do with the reference any more; else ""."""
    if kind in ("box", "instance"):
        return _loose_words(segment, effects)
    if kind not in ("nominal", "ordinal", "score"):
        return ""
    now, top, n = _relation(kind, segment)
    was, _, n_before = _relation(kind, earlier)
    if n < _FEWEST or now > 0.3 or top > 0.6:
        return ""
    if n_before >= _FEWEST and (was < 0.4 or was - now < 2.5 / math.sqrt(n)):
        return ""
    measure = "kappa" if kind == "nominal" else "correlation"
    past = f", {was:.2f} before" if n_before >= _FEWEST else ""
    return f"answers no longer related to the images ({measure} with the others' {now:.2f}{past})"


def _loose_words(segment: Sequence[Seen], effects: Sequence[Effect]) -> str:
    found = next((one for one in effects if one.metric == "unmatched"), None)
    if found is None or len(segment) < 8 or found.mean < 0.55 or found.score < _CLEAR:
        return ""
    if found.usual > 0.6 * found.mean:
        return ""
    return (
        f"marks no longer related to the images ({percent(found.mean)} meet none of the others', "
        f"usually {percent(found.usual)})"
    )


def _effect(
    design: Design, metric: Metric, place: int, segment: Sequence[Seen], earlier: Sequence[Seen]
) -> Effect | None:
    after, before = _figures(segment, place), _figures(earlier, place)
    known = design.case_mix.usual[place]
    if not after.size or known is None:
        return None
    usual = float(before.sum() / (before.size + _PRIOR)) if before.size else 0.0
    value = float(after.mean()) - usual
    whole = np.concatenate([after - after.mean(), before - (before.mean() if before.size else 0)])
    free = max(whole.size - (2 if before.size else 1), 1)
    floor = known.spread / 4 or 0.05  # a handful of equal answers is no proof of certainty
    sd = max(math.sqrt(float((whole**2).sum()) / free), floor)
    past = 1.0 / (before.size + _PRIOR) if before.size else 0.0
    error = sd * math.sqrt(1.0 / after.size + past)
    reach = float(stdtrit(free, 0.975)) * error
    expected = float(np.mean([one.usual[place] or 0.0 for one in segment if _has(one, place)]))
    mean = float(after.mean()) + expected
    words = size_words(metric, value, mean, expected + usual)
    return Effect(
        metric.key, metric.name, metric.unit, value, value - reach, value + reach,
        value / error, int(after.size), mean, expected + usual, words,
    )  # fmt: skip


def size_words(metric: Metric, value: float, mean: float, usual: float) -> str:
    """The change of a metric in words."""
    if metric.scale == "share" and metric.key in ("disagreement", "gold_error", "unmatched"):
        return f"{metric.name}: {percent(max(mean, 0))} instead of {percent(max(usual, 0))}"
    if metric.scale == "log":
        size = percent(abs(math.expm1(value)))
    elif metric.scale == "share":
        size = percent(abs(value))
    else:
        size = f"{abs(value):.2g}" + (f" {metric.unit}" if metric.unit else "")
    return (metric.higher if value > 0 else metric.lower).format(size)


def _one_edge(by_key: dict[str, Effect], size: Effect) -> bool:
    return abs(size.score) >= _CLEAR and bool(_where(by_key, size).startswith(", mostly"))


def _where(by_key: dict[str, Effect], size: Effect) -> str:
    """Which edge moved in the sense of the size, if one stands out."""
    sign = 1.0 if size.value > 0 else -1.0
    moved = {name: sign * by_key[f"edge_{name}"].value for name in EDGES}
    name = max(moved, key=lambda one: moved[one])
    rest = sum(max(moved[other], 0.0) for other in EDGES if other != name) / 3
    most = by_key[f"edge_{name}"]
    error = abs(most.value / most.score) if most.score else float("inf")
    if moved[name] > _SIDE * rest and moved[name] - rest > _CLEAR * error:
        return f", mostly at the {name} edge"
    return ", on all sides" if min(moved.values()) > 0 else ""


def _relation(kind: str, reads: Sequence[Seen]) -> tuple[float, float, int]:
    """Correlation (or kappa) with the reference, its upper 95 % bound, and the reads behind it."""
    pairs = np.array(
        [
            (one.answer, one.reference)
            for one in reads
            if one.answer is not None and one.reference is not None
        ]
    ).reshape(-1, 2)
    n = len(pairs)
    if n < _FEWEST or np.ptp(pairs[:, 1]) == 0:
        return 1.0, 1.0, 0  # nothing varies: no relation can be seen or missed
    if kind == "nominal":
        same = float((pairs[:, 0] == pairs[:, 1]).mean())
        chance = sum(
            float((pairs[:, 0] == c).mean() * (pairs[:, 1] == c).mean()) for c in np.unique(pairs)
        )
        kappa = (same - chance) / max(1 - chance, 1e-9)
        return kappa, kappa + 1.96 * math.sqrt(same * (1 - same) / n) / max(1 - chance, 1e-9), n
    if np.ptp(pairs[:, 0]) == 0:
        return 0.0, 0.0, n
    r = float(np.corrcoef(pairs.T)[0, 1])
    top = math.tanh(math.atanh(min(max(r, -0.999), 0.999)) + 1.96 / math.sqrt(n - 3))
    return r, top, n


def _figures(reads: Sequence[Seen], place: int) -> Floats:
    return np.array([one.away[place] for one in reads if _has(one, place)], dtype=float)


def _has(one: Seen, place: int) -> bool:
    return one.away[place] is not None

"""The learning curve as a picture: points, the fit with its interval, and where it leads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from overread.app.learning.progress import LearnedSoFar
from overread.arrays import Floats
from overread.words import percent

WIDTH, HEIGHT = 640, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 12, 28


@dataclass(frozen=True, slots=True)
class Dot:
    """A measured point. Args: words: for whoever points at it."""

    x: float
    y: float
    words: str


@dataclass(frozen=True, slots=True)
class CurvePicture:
    """Places on a sheet of :data:`WIDTH` x :data:`HEIGHT`.

    Args:
        accuracy, balanced: measured, in the order of labels.
        fit, ahead: paths "x,y x,y" of the curve up to now, and beyond; band: of its interval.
        now: x of the labels so far; target: y of the accuracy wanted, None where none is.
        across, up: ticks as (place, words).
    """

    accuracy: tuple[Dot, ...]
    balanced: tuple[Dot, ...]
    fit: str
    ahead: str
    band: str
    now: float
    target: float | None
    across: tuple[tuple[float, str], ...]
    up: tuple[tuple[float, str], ...]


def curve_picture(found: LearnedSoFar, target: float | None) -> CurvePicture:
    """Draw the points, and the curve where there is one.

    Args:
        found: with one point at least.
        target: accuracy wanted.
    """
    labels = [one.labels for one in found.points]
    last = labels[-1]
    more = found.advice.more if found.advice and found.advice.more else 0
    right = max(last + more, round(1.25 * last), 2)
    every = [one.accuracy for one in found.points] + [one.balanced for one in found.points]
    low = min([one for one in every if np.isfinite(one)] + [target or 1.0])
    step = 0.2 if low < 0.55 else 0.1 if low < 0.85 else 0.05
    low = max(0.0, step * np.floor((low - 0.02) / step))
    sheet = _Sheet(right, float(low))
    fit = ahead = band = ""
    if found.curve is not None:
        at = np.linspace(labels[0], right, 80)
        value = 1 - found.curve.error(at)
        fit = sheet.path(at[at <= last], value[at <= last])
        ahead = sheet.path(at[at >= last], value[at >= last])
        wrong_low, wrong_high = found.curve.between(at)
        top, bottom = 1 - wrong_low, 1 - wrong_high
        band = f"{sheet.path(at, top)} {sheet.path(at[::-1], bottom[::-1])}"
    return CurvePicture(
        tuple(_dots(found, sheet, "accuracy")),
        tuple(_dots(found, sheet, "balanced")),
        fit,
        ahead,
        band,
        sheet.x(last),
        None if target is None else sheet.y(target),
        tuple((sheet.x(one), f"{one:,.0f}") for one in _round_ticks(right)),
        tuple((sheet.y(one), percent(one, 0)) for one in np.arange(low, 1 + step / 2, step)),
    )


@dataclass(frozen=True, slots=True)
class _Sheet:
    right: int
    low: float

    def x(self, labels: float) -> float:
        return round(_LEFT + (WIDTH - _LEFT - _RIGHT) * float(labels) / self.right, 1)

    def y(self, share: float) -> float:
        part = (min(max(float(share), self.low), 1.0) - self.low) / (1 - self.low)
        return round(HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * part, 1)

    def path(self, labels: Floats, share: Floats) -> str:
        pairs = zip(labels, share, strict=True)
        return " ".join(f"{self.x(one)},{self.y(other)}" for one, other in pairs)


def _dots(found: LearnedSoFar, sheet: _Sheet, name: str) -> list[Dot]:
    made = []
    for one in found.points:
        value = float(getattr(one, name))
        if np.isfinite(value):
            words = f"{one.labels:,} labels: {name} {percent(value, 1)}, {one.tested} tested"
            made.append(Dot(sheet.x(one.labels), sheet.y(value), words))
    return made


def _round_ticks(right: int) -> list[int]:
    step = 10 ** int(np.floor(np.log10(max(right, 1))))
    step = next(step * part // 10 for part in (2, 5, 10, 20) if right / (step * part / 10) <= 6)
    return list(range(0, right + 1, max(step, 1)))

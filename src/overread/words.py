"""Shares in words, the same in every layer and on every page."""

from __future__ import annotations

import math

NOTHING = "\N{EN DASH}"


def percent(share: float, digits: int | None = None) -> str:
    """Write a share in percent; a dash for nan.

    Args:
        share: 1 is all.
        digits: after the point; None: none, one where a share is near to nothing or all, and never
            nothing or all where it is not.

    Example:
        >>> percent(0.43), percent(0.004), percent(0.9999), percent(0.5, 1)
        ('43 %', '0.4 %', '>99.9 %', '50.0 %')
    """
    if math.isnan(share):
        return NOTHING
    if digits is None and (0 < share < 0.001 or 0.999 < share < 1):
        return "<0.1 %" if share < 0.5 else ">99.9 %"
    value = share * 100
    if digits is None:
        digits = 1 if 0 < value < 1 or 99 < value < 100 else 0
    return f"{value:.{digits}f} %"

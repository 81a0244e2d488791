"""A scale of words: where a figure and its interval lie among "slight" and "almost perfect"."""

from __future__ import annotations

import math
from collections.abc import Sequence

from overread.report.theme import colour

_WIDTH, _HEIGHT, _TOP = 860, 78, 26
_PAD = 1.5  # percent of the width left free at both ends


def word_scale(
    value: float, low: float, high: float, bands: Sequence[tuple[float, str]], *, label: str
) -> str:
    """Draw a figure on a banded axis from 0 to 1; what lies below 0 is drawn at 0.

    Places are in percent of the width, so that the scale fits any screen with letters of one size.

    Args:
        value, low, high: the figure and its interval, nan where unknown.
        bands: (from, word), rising, the first from 0.
        label: the figure as written, above the dot.
    """
    parts = [_band(bands, i, value) for i in range(len(bands))]
    middle, x = _TOP + 7, _place(value)
    if math.isfinite(low) and math.isfinite(high):
        parts.append(
            f'<line x1="{_place(low):.2f}%" x2="{_place(high):.2f}%" y1="{middle}" y2="{middle}" '
            f'stroke="{colour("muted")}" stroke-width="5" stroke-linecap="round"/>'
        )
    parts.append(
        f'<circle cx="{x:.2f}%" cy="{middle}" r="7.5" fill="{colour("ink")}" '
        f'stroke="{colour("panel")}" stroke-width="2.5"/>'
        f'<text x="{x:.2f}%" y="{_TOP - 10}" font-size="15" font-weight="600" '
        f'text-anchor="middle" fill="{colour("ink")}">{label}</text>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        f'font-family="Helvetica, Arial, DejaVu Sans, sans-serif">{"".join(parts)}</svg>'
    )


def _band(bands: Sequence[tuple[float, str]], i: int, value: float) -> str:
    start, word = bands[i]
    end = bands[i + 1][0] if i + 1 < len(bands) else 1.0
    inside = start <= min(max(value, 0.0), 0.999) < end
    ink, fill = ("ink", "line") if inside else ("faint", "raised")
    x1, x2 = _place(start) + 0.1, _place(end) - 0.1
    return (
        f'<rect x="{x1:.2f}%" y="{_TOP}" width="{x2 - x1:.2f}%" height="14" rx="3" '
        f'fill="{colour(fill)}"/>'
        f'<text x="{(x1 + x2) / 2:.2f}%" y="{_TOP + 38}" font-size="12" '
        f'text-anchor="middle" fill="{colour(ink)}">{word}</text>'
    )


def _place(value: float) -> float:
    return _PAD + min(max(value, 0.0), 1.0) * (100 - 2 * _PAD)

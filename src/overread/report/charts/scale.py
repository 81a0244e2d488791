"""A scale of words: where a figure and its interval lie among "slight" and "almost perfect"."""

from __future__ import annotations

import math
from collections.abc import Sequence

from overread.report.theme import colour

_WIDTH, _HEIGHT, _TOP = 860, 78, 26


def word_scale(
    value: float, low: float, high: float, bands: Sequence[tuple[float, str]], *, label: str
) -> str:
    """Draw a figure on a banded axis from 0 to 1; what lies below 0 is drawn at 0.

    Args:
        value, low, high: the figure and its interval, nan where unknown.
        bands: (from, word), rising, the first from 0.
        label: the figure as written, above the dot.
    """
    parts = []
    ends = [*[start for start, _ in bands][1:], 1.0]
    for (start, word), end in zip(bands, ends, strict=True):
        x1, x2 = _place(start) + 1, _place(end) - 1
        inside = start <= max(value, 0.0) < end or (end == 1.0 and value >= 1.0)
        ink, fill = ("ink", "line") if inside else ("faint", "raised")
        parts.append(
            f'<rect x="{x1:.1f}" y="{_TOP}" width="{x2 - x1:.1f}" height="14" rx="3" '
            f'fill="{colour(fill)}"/>'
            f'<text x="{(x1 + x2) / 2:.1f}" y="{_TOP + 38}" font-size="13" '
            f'text-anchor="middle" fill="{colour(ink)}">{word}</text>'
        )
    middle = _TOP + 7
    if math.isfinite(low) and math.isfinite(high):
        parts.append(
            f'<path d="M{_place(low):.1f},{middle}H{_place(high):.1f}" fill="none" '
            f'stroke="{colour("muted")}" stroke-width="5" stroke-linecap="round"/>'
        )
    x = _place(value)
    parts.append(
        f'<circle cx="{x:.1f}" cy="{middle}" r="7.5" fill="{colour("ink")}" '
        f'stroke="{colour("panel")}" stroke-width="2.5"/>'
        f'<text x="{x:.1f}" y="{_TOP - 10}" font-size="15" font-weight="600" '
        f'text-anchor="middle" fill="{colour("ink")}">{label}</text>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'font-family="Helvetica, Arial, DejaVu Sans, sans-serif">{"".join(parts)}</svg>'
    )


def _place(value: float) -> float:
    return 20 + min(max(value, 0.0), 1.0) * (_WIDTH - 40)

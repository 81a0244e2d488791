"""A value and its interval as a small bar, for a cell of a table."""

from __future__ import annotations

import math

from overread.report.theme import colour

WIDTH, HEIGHT, _PAD = 168, 20, 6


def interval_bar(
    value: float,
    low: float,
    high: float,
    *,
    domain: tuple[float, float],
    reference: float = math.nan,
    ink: str = "ink",
) -> str:
    """Draw a dot with its interval on a common axis.

    Args:
        value, low, high: nan where unknown; a nan value draws the empty axis.
        domain: ends of the axis; what lies beyond is cut off.
        reference: a tick (0 of a kappa, the median of all readers), nan for none.
        ink: token of the dot.
    """
    middle = HEIGHT / 2
    parts = [_line(_PAD, WIDTH - _PAD, middle, "line", 2)]
    if math.isfinite(reference):
        x = _place(reference, domain)
        parts.append(
            f'<path d="M{x:.1f},2V{HEIGHT - 2}" stroke="{colour("faint")}" '
            'stroke-dasharray="2 2" fill="none"/>'
        )
    if math.isfinite(low) and math.isfinite(high):
        parts.append(_line(_place(low, domain), _place(high, domain), middle, "faint", 4))
    if math.isfinite(value):
        x = _place(value, domain)
        parts.append(f'<circle cx="{x:.1f}" cy="{middle:g}" r="4.5" fill="{colour(ink)}"/>')
    return _svg(WIDTH, HEIGHT, "".join(parts))


def share_bar(share: float, *, ink: str = "muted", width: int = 72) -> str:
    """Draw a share in 0 .. 1 as a filled bar."""
    filled = 0.0 if math.isnan(share) else min(max(share, 0.0), 1.0) * width
    ground = f'<rect width="{width}" height="6" rx="3" fill="{colour("line")}"/>'
    bar = f'<rect width="{filled:.1f}" height="6" rx="3" fill="{colour(ink)}"/>'
    return _svg(width, 6, ground + bar)


def _place(value: float, domain: tuple[float, float]) -> float:
    low, high = domain
    share = (value - low) / (high - low) if high > low else 0.5
    return _PAD + min(max(share, 0.0), 1.0) * (WIDTH - 2 * _PAD)


def _line(x1: float, x2: float, y: float, ink: str, width: int) -> str:
    return (
        f'<path d="M{x1:.1f},{y:g}H{x2:.1f}" stroke="{colour(ink)}" stroke-width="{width}" '
        'stroke-linecap="round" fill="none"/>'
    )


def _svg(width: int, height: int, inner: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">{inner}</svg>'
    )

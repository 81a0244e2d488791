"""From an Altair chart to a small, self-contained SVG in the report's own look."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import vl_convert

from overread.report.theme import colour

_AXIS: dict[str, Any] = {
    "domain": False,
    "ticks": False,
    "grid": True,
    "gridColor": colour("line"),
    "gridWidth": 1,
    "labelColor": colour("muted"),
    "labelFontSize": 12,
    "labelPadding": 8,
    "labelLimit": 150,
    "titleColor": colour("faint"),
    "titleFontSize": 12,
    "titleFontWeight": "normal",
    "titlePadding": 12,
}

CONFIG: dict[str, Any] = {
    "aria": False,
    "background": "transparent",
    "font": "Helvetica, Arial, DejaVu Sans, sans-serif",
    "view": {"stroke": None},
    "axis": _AXIS,
    "axisBand": {"grid": False},
    "header": {
        "labelColor": colour("ink"),
        "labelFontSize": 12,
        "labelLimit": 150,
        "titleColor": colour("faint"),
        "titleFontSize": 12,
        "titleFontWeight": "normal",
    },
    "legend": {
        "labelColor": colour("muted"),
        "labelFontSize": 12,
        "titleColor": colour("faint"),
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "symbolStrokeWidth": 0,
    },
    "title": {
        "color": colour("ink"),
        "fontSize": 13,
        "fontWeight": "normal",
        "anchor": "start",
        "offset": 12,
    },
    "text": {"color": colour("ink"), "fontSize": 12},
}

# As overread.words has it: 45 %
_LOCALE = {
    "decimal": ".", "thousands": ",", "grouping": [3], "currency": ["$", ""], "percent": " %",
}  # fmt: skip

# Words that mean something to Vega's own scripts alone.
_NOISE = re.compile(
    r' (?:role|class|aria-roledescription|aria-hidden|pointer-events|version|xmlns:xlink)="[^"]*"'
)
_INVISIBLE = re.compile(r'<path d="M0,0h[\d.]+v[\d.]+h-?[\d.]+Z"/>')
_LONG = re.compile(r"-?\d+\.\d{3,}")


def inline(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Rows of a chart, written into the chart itself."""
    return alt.Data(values=list(rows))  # type: ignore[no-untyped-call]


def svg(chart: Any) -> str:
    """Draw an Altair chart.

    Args:
        chart: an Altair chart without a configuration; colours are tokens ("var(--ink)").
    Returns:
        SVG with a view box, without scripts, styles, ids or anything loaded.
    """
    spec = chart.to_dict()
    spec["config"] = CONFIG
    return slim(vl_convert.vegalite_to_svg(spec, format_locale=_LOCALE))


def slim(drawing: str) -> str:
    """Drop what only scripts need, and digits that nobody sees; texts stay as they are."""
    parts = re.split(r"(<[^>]*>)", drawing)
    parts[1::2] = [_slim_tag(tag) for tag in parts[1::2]]
    return "".join(parts)


def _slim_tag(tag: str) -> str:
    short = _NOISE.sub("", tag)
    return "" if _INVISIBLE.fullmatch(short) else _LONG.sub(_short, short)


def size(drawing: str) -> tuple[float, float]:
    """Width and height of an SVG in pixels."""
    box = re.search(r'<svg [^>]*?width="([\d.]+)" height="([\d.]+)"', drawing)
    return (float(box.group(1)), float(box.group(2))) if box else (0.0, 0.0)


def _short(match: re.Match[str]) -> str:
    return f"{float(match.group()):.2f}".rstrip("0").rstrip(".")

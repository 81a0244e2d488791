"""Scores: intraclass correlation, and differences against means."""

from __future__ import annotations

import math

from overread.report.blocks import Block, Chart, Charts, Heading, Section
from overread.report.charts.bland_altman import bland_altman_plot
from overread.report.content import BlandAltman, Content
from overread.report.sections.estimates import measure_table
from overread.report.words import number

_DRAWN = 6


def scores_section(content: Content) -> Section | None:
    """ICC forms and Bland-Altman plots."""
    part = content.scores
    if part is None:
        return None
    blocks: list[Block] = []
    if part.icc:
        blocks.append(measure_table("Intraclass correlation", part.icc, "Form"))
    if part.plots:
        charts = tuple(_chart(plot, part.unit) for plot in part.plots[:_DRAWN])
        more = len(part.plots) - len(charts)
        words = f"Drawn are {len(charts)} pairs; and {more} more." if more else ""
        blocks += [Heading("Differences", "differences"), Charts(charts, more_words=words)]
    lead = "How far numbers differ: as a share of their spread (ICC), and in their own unit."
    return Section("scores", "Scores", lead, tuple(blocks))


def _chart(plot: BlandAltman, unit: str) -> Chart:
    ends = f"{number(plot.lower)} to {number(plot.upper, unit)}"
    bias = "unknown" if math.isnan(plot.bias) else number(plot.bias, unit)
    return Chart(
        plot.name,
        bland_altman_plot(plot, unit=unit),
        f"Bland-Altman plot of {plot.name}: bias {bias}, limits of agreement {ends}.",
        f"Bias {bias}; 95 % of differences within {ends}. Is that small enough for its use?",
        wide=False,
    )

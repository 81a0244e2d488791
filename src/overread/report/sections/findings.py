"""Boxes and instances: how many, where they match, how large."""

from __future__ import annotations

import math

import numpy as np

from overread.report.blocks import Block, Cell, Chart, Charts, Column, Heading, Note, Section, Table
from overread.report.charts.bars import histogram
from overread.report.charts.forest import ForestRow, forest
from overread.report.charts.interval_bar import share_bar
from overread.report.content import Content, Findings
from overread.report.sections.behind import of_reader
from overread.report.words import number
from overread.words import percent

_READERS_DRAWN = 30
_CLASSES = 8


def findings_section(content: Content) -> Section | None:
    """Counts per reader, size bias, overlap of matched findings, existence."""
    part = content.findings
    if part is None:
        return None
    blocks: list[Block] = []
    if content.head.anonymous:
        text = (
            "The table does not tell who read what: counts are per read position, not per reader."
        )
        blocks.append(Note("Readers are not told apart", text, "empty"))
    else:
        blocks.append(_counts(content, part))
    charts = [chart for chart in (_iou(part), _existence(part)) if chart is not None]
    if charts:
        blocks += [Heading("Do findings match?", "matching"), Charts(tuple(charts))]
    size = _size_bias(content, part)
    if size is not None and not content.head.anonymous:
        blocks += [Heading("Do readers draw large or small?", "size"), Charts((size,))]
    total = int(part.counts.sum())
    lead = f"{total:,} findings drawn; how many each reader draws, and how well they match."
    return Section("findings", "Findings", lead, tuple(blocks))


def _counts(content: Content, part: Findings) -> Table:
    per_read = part.counts.sum(axis=1) / np.maximum(part.reads, 1)
    middle = float(np.median(per_read[part.reads > 0])) if (part.reads > 0).any() else math.nan
    order = np.argsort(-per_read, kind="stable")
    shown = np.sort(np.argsort(-part.counts.sum(axis=0), kind="stable")[:_CLASSES])
    top = float(per_read.max(initial=0.0)) or 1.0
    rows = []
    for i in (int(i) for i in order):
        rate = float(per_read[i]) if part.reads[i] else math.nan
        empty = float(part.empty[i] / part.reads[i]) if part.reads[i] else math.nan
        rows.append(
            (
                Cell(content.readers[i], reader=i),
                Cell(f"{int(part.reads[i]):,}"),
                Cell(number(rate), svg=share_bar(rate / top, width=110)),
                Cell(percent(empty)),
                *(Cell(f"{int(part.counts[i, c]):,}") for c in shown),
                Cell(_rate_words(rate, middle), links=of_reader(content, i)),
            )
        )
    columns = (
        Column("Reader", "name"),
        Column("Reads", "number"),
        Column("Findings a read", "bar"),
        Column("No finding", "number"),
        *(Column(content.classes[c], "number") for c in shown),
        Column("Is this good?"),
    )
    left = part.counts.shape[1] - len(shown)
    caption = "Findings of each reader, most a read first"
    caption += f"; the {len(shown)} most frequent classes, and {left} more" if left > 0 else ""
    return Table(caption, columns, tuple(rows), 12)


def _rate_words(rate: float, middle: float) -> str:
    if math.isnan(rate) or math.isnan(middle) or middle == 0:
        return ""
    ratio = rate / middle
    if ratio >= 1.5:
        return f"{number(ratio)} times the median: check for false alarms"
    if ratio <= 0.67:
        return f"{number(ratio)} times the median: check for misses"
    return "like the others"


def _iou(part: Findings) -> Chart | None:
    known = part.matched_iou[np.isfinite(part.matched_iou)]
    if not known.size:
        return None
    middle = float(np.median(known))
    words = (
        "drawn alike" if middle >= 0.75 else "roughly alike" if middle >= 0.5 else "loosely alike"
    )
    return Chart(
        "Overlap (IoU) of matched findings",
        histogram(known, axis="IoU", domain=(0.0, 1.0), count="pairs"),
        f"Histogram of the IoU of {known.size:,} matched pairs; median {number(middle)}.",
        f"Median {number(middle)}: {words}.",
        wide=False,
    )


def _existence(part: Findings) -> Chart | None:
    known = part.existence[np.isfinite(part.existence)]
    if not known.size:
        return None
    unsure = float(((known > 0.2) & (known < 0.8)).mean())
    return Chart(
        "Is the finding there?",
        histogram(known, axis="probability of existence", domain=(0.0, 1.0), count="findings"),
        f"Histogram of the existence probability of {known.size:,} consensus findings.",
        f"{percent(unsure)} lie between 0.2 and 0.8: these are worth a senior reader.",
        wide=False,
    )


def _size_bias(content: Content, part: Findings) -> Chart | None:
    ratio = part.size_ratio
    if ratio is None or not np.isfinite(ratio).any():
        return None
    nothing = np.full(len(ratio), math.nan)
    low = nothing if part.size_low is None else part.size_low
    high = nothing if part.size_high is None else part.size_high
    order = np.argsort(np.where(np.isfinite(ratio), ratio, np.inf), kind="stable")
    rows = [
        ForestRow(int(i), content.readers[i], float(ratio[i]), float(low[i]), float(high[i]))
        for i in order[:_READERS_DRAWN]
        if np.isfinite(ratio[i])
    ]
    svg = forest(rows, axis="area / area of the consensus", reference=1.0, width=760, log=True)
    small = [content.readers[i] for i in order if np.isfinite(high[i]) and high[i] < 1]
    words = (
        f"{small[0]} draws smallest, for certain."
        if small
        else "Nobody draws too small for certain."
    )
    return Chart(
        "Area against the consensus",
        svg,
        "Forest plot of the ratio of drawn area to the consensus's area, one row a reader.",
        f"1 is the size of the consensus. {words}",
    )

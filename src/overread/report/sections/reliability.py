"""How reliable each reader is: forest plots and the full table."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from overread.consensus.result import Consensus, Reliability
from overread.report.blocks import Block, Cell, Chart, Charts, Column, Heading, Note, Table
from overread.report.charts.forest import ForestRow, forest, forest_domain
from overread.report.charts.interval_bar import interval_bar
from overread.report.content import Content
from overread.report.sections.behind import of_reader
from overread.report.theme import reader_token
from overread.report.words import against_pool, interval, number
from overread.words import NOTHING, percent

_DRAWN = 30
_CHARTS = 4
_COLUMNS = 4
_RECALLS = 2  # up to here each class has a column; beyond, the weakest alone


def reliability_blocks(content: Content, result: Consensus[Any]) -> list[Block]:
    """Forest plots of the first measures, and a table of all readers."""
    part = result.reliability
    heading = Heading("Reliability of readers", "readers")
    if content.head.anonymous:
        text = (
            "The table does not tell who read what, so that nothing can be said of single readers. "
            "Figures here hold for readers as a group."
        )
        return [heading, Note("Readers are not told apart", text, "empty")]
    if not part.readers or not part.measures or not np.isfinite(part.value).any():
        text = f"The {result.method.replace('_', ' ')} method does not estimate readers."
        return [heading, Note("No reliability", text + " Dawid-Skene does.", "empty")]
    return [heading, _charts(content, part), _table(content, part)]


def _charts(content: Content, part: Reliability) -> Charts:
    order = _by_first_measure(part)
    drawn = order[:_DRAWN]
    n_charts = min(_CHARTS, len(part.measures))
    if len(part.measures) > _CHARTS:  # recall of many classes: the table has it
        n_charts = 1
    charts = tuple(
        _chart(content, part, column, drawn, alone=n_charts == 1) for column in range(n_charts)
    )
    more = len(order) - len(drawn)
    words = (
        f"Drawn are the {len(drawn)} readers with the lowest {part.measures[0]}; and {more} more "
        "in the table."
        if more
        else ""
    )
    return Charts(charts, more_words=words)


def _chart(
    content: Content, part: Reliability, column: int, drawn: list[int], *, alone: bool
) -> Chart:
    measure = part.measures[column]
    rows = [
        ForestRow(
            _index(content, part.readers[i]),
            part.readers[i],
            float(part.value[i, column]),
            float(part.low[i, column]),
            float(part.high[i, column]),
        )
        for i in drawn
    ]
    middle = _middle(part, column)
    svg = forest(rows, axis=measure, reference=middle, width=760 if alone else 300)
    caption = (
        "The dashed line is no bias."
        if "bias" in measure.casefold()
        else "The dashed line is the median reader."
    )
    alt = f"Forest plot of {measure} with {percent(part.level)} intervals, one row for each reader."
    return Chart(_title(measure), svg, alt, caption, wide=alone)


def _table(content: Content, part: Reliability) -> Table:
    recall = [c for c, name in enumerate(part.measures) if name.startswith("recall ")]
    folded = recall if len(recall) > _RECALLS else []
    shown = [c for c in range(len(part.measures)) if c not in folded][:_COLUMNS]
    columns = [Column("Reader", "name"), Column("Reads", "number")]
    columns += [Column(_title(part.measures[c]), "bar" if c == 0 else "number") for c in shown]
    columns += [Column("Weakest class", "words")] if folded else []
    columns.append(Column("Is this good?"))
    rows = [_row(content, part, i, shown, folded) for i in _by_first_measure(part)]
    caption = f"All readers, lowest {part.measures[0]} first; {percent(part.level)} intervals"
    return Table(caption, tuple(columns), tuple(rows), 12)


def _row(
    content: Content, part: Reliability, i: int, shown: list[int], folded: list[int]
) -> tuple[Cell, ...]:
    reader = _index(content, part.readers[i])
    value, low, high = (float(a[i, 0]) for a in (part.value, part.low, part.high))
    verdict = against_pool(part.measures[0], value, low, high, _middle(part, 0))
    cells = [Cell(part.readers[i], reader=reader), Cell(f"{int(part.reads[i]):,}")]
    cells += [_figure(part, i, c, reader) for c in shown]
    cells += [_weakest(part, i, folded)] if folded else []
    tone = "warning" if verdict in ("worse than most", "reads high", "reads low") else ""
    return (*cells, Cell(verdict, links=of_reader(content, reader), tone=tone))


def _figure(part: Reliability, i: int, c: int, reader: int) -> Cell:
    value, low, high = (float(x[i, c]) for x in (part.value, part.low, part.high))
    if c > 0 or not math.isfinite(value):
        return Cell(number(value), interval(low, high))
    ends, ink = _ends(part, c), reader_token(reader)
    bar = interval_bar(value, low, high, domain=ends, reference=_middle(part, c), ink=ink)
    return Cell(number(value), interval(low, high), svg=bar)


def _weakest(part: Reliability, i: int, recalls: list[int]) -> Cell:
    values = part.value[i, recalls]
    if not np.isfinite(values).any():
        return Cell(NOTHING)
    c = recalls[int(np.nanargmin(values))]
    text = f"{part.measures[c].removeprefix('recall ')}: {number(float(part.value[i, c]))}"
    return Cell(text, interval(float(part.low[i, c]), float(part.high[i, c])))


def _by_first_measure(part: Reliability) -> list[int]:
    value = np.where(np.isfinite(part.value[:, 0]), part.value[:, 0], np.inf)
    return [int(i) for i in np.argsort(value, kind="stable")]


def _middle(part: Reliability, column: int) -> float:
    if "bias" in part.measures[column].casefold():
        return 0.0
    known = part.value[:, column][np.isfinite(part.value[:, column])]
    return float(np.median(known)) if known.size else math.nan


def _ends(part: Reliability, column: int) -> tuple[float, float]:
    figures = zip(part.value[:, column], part.low[:, column], part.high[:, column], strict=True)
    return forest_domain([ForestRow(-1, "", *map(float, figure)) for figure in figures])


def _index(content: Content, name: str) -> int:
    return content.readers.index(name) if name in content.readers else -1


def _title(measure: str) -> str:
    known = {"sd": "Standard deviation", "intra_sd": "Standard deviation with oneself"}
    return known.get(measure, measure[:1].upper() + measure[1:].replace("_", " "))

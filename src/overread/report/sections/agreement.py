"""How far readers say the same."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from overread.agreement.estimate import Estimate
from overread.report.blocks import (
    Block,
    Cell,
    Chart,
    Charts,
    Column,
    Heading,
    Note,
    Section,
    Table,
)
from overread.report.charts.forest import ForestRow, forest
from overread.report.charts.matrix import pair_matrix
from overread.report.charts.scale import word_scale
from overread.report.content import Content, PairMatrix
from overread.report.sections.behind import of_class, of_pair, of_reader
from overread.report.sections.estimates import (
    main_measure,
    measure_table,
    scope_table,
    scope_words,
)
from overread.report.words import band, bands, headline, listed, number

_DRAWN = 24  # readers in the matrix
_BESIDE = 7  # readers up to which the matrix leaves room beside it
_PAIRS = 40  # rows of the table of pairs


def agreement_section(content: Content) -> Section:
    """Overall, by class, by pair, each reader against the rest, by subgroup, intra-reader."""
    part = content.agreement
    blocks: list[Block] = []
    if not part.overall:
        blocks.append(_nothing(content))
    else:
        blocks += _scale(part.overall)
        blocks.append(measure_table("All readers, all cases", part.overall, "Measure"))
    if part.per_class:
        blocks.append(Heading("By class", "by-class"))
        blocks.append(
            scope_table(
                "Agreement on each class",
                part.per_class,
                "Class",
                behind=lambda scope: of_class(content, scope.removeprefix("class ")),
            )
        )
    blocks += _pairs(content)
    if part.against_rest and not content.head.anonymous:
        blocks.append(Heading("Each reader against the rest", "against-the-rest"))
        blocks.append(_of_readers(content, part.against_rest, "Agreement with the other readers"))
    if part.subgroups:
        blocks.append(Heading("By subgroup", "subgroups"))
        blocks.append(scope_table("Agreement in subgroups", part.subgroups, "Subgroup"))
    blocks.append(Heading("The same reader twice", "intra-reader"))
    if part.intra:
        blocks.append(_of_readers(content, part.intra, "Agreement of readers with themselves"))
    else:
        blocks.append(
            Note(
                "No repeat reads",
                "Show each reader about 5 % of the cases twice, weeks apart and unannounced. No "
                "reader can agree with others better than with themselves, so this is the ceiling.",
                "empty",
            )
        )
    return Section("agreement", "Agreement", _lead(content), tuple(blocks))


def _of_readers(content: Content, estimates: Sequence[Estimate], caption: str) -> Table:
    return scope_table(
        caption,
        estimates,
        "Reader",
        behind=lambda scope: of_reader(content, _reader_of(content.readers, scope)),
        reader_of=lambda scope: _reader_of(content.readers, scope),
        lowest_first=True,
    )


def _reader_of(readers: Sequence[str], scope: str) -> int:
    if scope in readers:
        return readers.index(scope)
    fitting = [i for i, name in enumerate(readers) if scope.startswith(f"{name} ")]
    return max(fitting, key=lambda i: len(readers[i]), default=-1)


def _pairs(content: Content) -> list[Block]:
    matrices = content.agreement.pairs
    if not matrices or len(content.readers) < 2 or content.head.anonymous:
        return []
    first = matrices[0]
    off = ~np.eye(len(content.readers), dtype=bool)
    if not np.isfinite(first.value[off]).any():
        text = "No two readers have read the same case. Give every reader a shared tenth of cases."
        return [Heading("By pair", "pairs"), Note("No overlap", text, "empty")]
    blocks: list[Block] = [Heading("By pair", "pairs")]
    if len(content.readers) > 2:
        blocks.append(_pair_charts(content, first))
    blocks.append(_pair_table(content, matrices))
    return blocks


def _pair_charts(content: Content, first: PairMatrix) -> Charts:
    """The matrix; beside it, while it is small, each reader against the rest."""
    rest = [e for e in main_measure(content.agreement.against_rest) if math.isfinite(e.value)]
    few = len(content.readers) <= _BESIDE and bool(rest)
    matrix = _matrix_chart(content, first)
    if not few:
        return Charts((matrix,))
    rows = [
        ForestRow(_reader_of(content.readers, e.scope), scope_words(e), e.value, e.low, e.high)
        for e in sorted(rest, key=lambda e: e.value)
    ]
    return Charts(
        (
            matrix,
            Chart(
                f"{rest[0].name}, each reader against the rest",
                forest(rows, axis=rest[0].name, width=300, step=36),
                f"Forest plot of {rest[0].name} of each reader with the other readers.",
                "The lowest reader is the first to talk to.",
                wide=False,
            ),
        )
    )


def _matrix_chart(content: Content, first: PairMatrix) -> Chart:
    n = len(content.readers)
    shown = np.arange(n)
    if n > _DRAWN:  # those who share most cases with others
        shared = np.where(np.eye(n, dtype=bool), 0, first.n_cases).sum(axis=1)
        shown = np.sort(np.argsort(-shared, kind="stable")[:_DRAWN])
    names = [content.readers[i] for i in shown]
    side = min(80, 320 // n) if n <= _BESIDE else 0
    svg = pair_matrix(names, first.value[np.ix_(shown, shown)], side=side)
    more = (
        f" Drawn are the {_DRAWN} readers who share most cases; and {n - _DRAWN} more."
        if n > _DRAWN
        else ""
    )
    return Chart(
        f"{first.name}, every pair of readers",
        svg,
        f"Heat map of {first.name} for each pair of {len(names)} readers; brighter is more.",
        f"Brighter cells agree more; an empty cell has no shared case.{more}",
        wide=n > _BESIDE,
    )


def _pair_table(content: Content, matrices: Sequence[PairMatrix]) -> Table:
    first = matrices[0]
    upper = np.triu_indices(len(content.readers), 1)
    known = np.isfinite(first.value[upper])
    one, other = upper[0][known], upper[1][known]
    order = np.argsort(first.value[one, other], kind="stable")
    rows = []
    for i in order[:_PAIRS]:
        a, b = int(one[i]), int(other[i])
        figures = [Cell(number(float(m.value[a, b]))) for m in matrices]
        n_cases = Cell(f"{int(first.n_cases[a, b]):,}")
        pair = Cell(f"{content.readers[a]} and {content.readers[b]}")
        rows.append((pair, *figures, n_cases, Cell(links=of_pair(content, a, b))))
    columns = (
        Column("Pair", "name"),
        *(Column(m.name, "number") for m in matrices),
        Column("Shared cases", "number"),
        Column("Where they differ"),
    )
    more = max(0, len(order) - _PAIRS)
    return Table(
        "Pairs, least agreement first", columns, tuple(rows), 8, more, "with more agreement"
    )


def _scale(estimates: Sequence[Estimate]) -> list[Block]:
    first = headline(estimates)
    if first is None or not bands(first):
        return []
    svg = word_scale(first.value, first.low, first.high, bands(first), label=number(first.value))
    alt = f"{first.name} is {number(first.value)}: readers agree {band(first)}."
    caption = "The words are a habit, not a law: how much agreement is enough depends on the use."
    return [Chart(first.name, svg, alt, caption)]


def _nothing(content: Content) -> Note:
    if not content.readers:
        return Note("Nobody has read yet", "Hand the first cases to two readers or more.", "empty")
    if len(content.readers) == 1:
        return Note(
            "Agreement needs two readers",
            "This table has one reader. Give a second reader at least 30 of the same cases, "
            "better a tenth of all, then run the report again.",
            "empty",
        )
    return Note(
        "Agreement was not computed",
        "Run overread agree on the same table, or ask for agreement in this report.",
        "empty",
    )


def _lead(content: Content) -> str:
    known = [e for e in content.agreement.overall if not math.isnan(e.value)]
    if not known:
        return "How far readers say the same, and how sure we can be of that."
    measures = listed([e.name for e in known], 3)
    return f"How far readers say the same, by {measures}; every figure with its interval."

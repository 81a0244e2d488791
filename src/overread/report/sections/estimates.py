"""Tables of estimates: one row a measure, or one row a scope with its measures side by side."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from overread.agreement.estimate import Estimate
from overread.report.blocks import Cell, Column, Link, Table
from overread.report.charts.interval_bar import interval_bar
from overread.report.theme import reader_token
from overread.report.words import count, headline, interval, number
from overread.words import percent

_OTHERS = 3  # further measures of a scope that have a column


def measure_table(caption: str, estimates: Sequence[Estimate], first: str) -> Table:
    """One row an estimate: the measure, its value, interval and meaning."""
    domains = _domains(estimates)
    rows = []
    for one in estimates:
        value, bar, words = _figures(one, domains)
        rows.append((Cell(one.name, _rests_on(one)), value, bar, words))
    columns = (Column(first, "name"), *_columns(estimates))
    return Table(caption, columns, tuple(rows))


def scope_table(
    caption: str,
    estimates: Sequence[Estimate],
    first: str,
    *,
    behind: Callable[[str], tuple[Link, ...]] = lambda _: (),
    reader_of: Callable[[str], int] = lambda _: -1,
    lowest_first: bool = False,
) -> Table:
    """One row a scope: the main measure with interval and meaning, the others as numbers.

    Args:
        behind: scope -> links to the cases behind it.
        reader_of: scope -> index of its reader, -1 for none.
        lowest_first: sort by value; else scopes stay in order.
    """
    main = main_measure(estimates)
    if lowest_first:
        main.sort(key=lambda one: (math.isnan(one.value), one.value))
    names = dict.fromkeys(e.name for e in estimates if e.name != main[0].name)
    others = tuple(names)[:_OTHERS]
    known = {(e.name, e.scope): e for e in estimates}
    domains = _domains(main)
    rows = []
    for one in main:
        reader = reader_of(one.scope)
        value, bar, words = _figures(one, domains, reader, behind(one.scope))
        if others:  # leave room for the words
            bar = replace(bar, text="", note=bar.text)
        beside = [known.get((name, one.scope)) for name in others]
        numbers = [Cell("" if e is None else number(e.value, e.unit)) for e in beside]
        name = Cell(scope_words(one), _rests_on(one), reader=reader)
        rows.append((name, value, bar, *numbers, words))
    value_column, bar_column, words_column = _columns(main)
    columns = (
        Column(first, "name"),
        value_column,
        bar_column,
        *(Column(name, "number") for name in others),
        words_column,
    )
    return Table(f"{caption}: {main[0].name}", columns, tuple(rows))


def main_measure(estimates: Sequence[Estimate]) -> list[Estimate]:
    """One estimate a scope: the measure that speaks for the others, or the first of its scope."""
    if not estimates:
        return []
    name = (headline(estimates) or estimates[0]).name
    chosen: dict[str, Estimate] = {}
    for one in estimates:
        if one.scope not in chosen or (one.name == name and chosen[one.scope].name != name):
            chosen[one.scope] = one
    return list(chosen.values())


def scope_words(one: Estimate) -> str:
    """The scope without the words that the column's title says already."""
    return one.scope.removesuffix(" against the rest").removeprefix("class ")


def _columns(estimates: Sequence[Estimate]) -> tuple[Column, Column, Column]:
    return (
        Column("Value", "number"),
        Column(f"{percent(estimates[0].level)} interval", "bar"),
        Column("Is this good?"),
    )


def _figures(
    one: Estimate,
    domains: dict[str, tuple[float, float]],
    reader: int = -1,
    links: tuple[Link, ...] = (),
) -> tuple[Cell, Cell, Cell]:
    tone = "warning" if one.warning else ""
    value = Cell(number(one.value, one.unit), tone=tone)
    if one.undefined:
        words = Cell(f"Not defined: {one.undefined}", one.words, links=links, tone="quiet")
        return value, Cell(tone="quiet"), words
    bar = interval_bar(
        one.value,
        one.low,
        one.high,
        domain=domains[one.unit],
        reference=0.0 if domains[one.unit][0] < 0 else math.nan,
        ink="warning" if one.warning else reader_token(reader),
    )
    ends = interval(one.low, one.high, one.unit) or "no interval"
    return value, Cell(ends, svg=bar), Cell(one.words, one.warning, links=links, tone=tone)


def _domains(estimates: Sequence[Estimate]) -> dict[str, tuple[float, float]]:
    """One axis a unit for all bars of a table: 0 .. 1 where all figures lie there."""
    return {
        unit: _domain([e for e in estimates if e.unit == unit], unit)
        for unit in {e.unit for e in estimates}
    }


def _domain(estimates: Sequence[Estimate], unit: str) -> tuple[float, float]:
    ends = [v for e in estimates for v in (e.value, e.low, e.high) if math.isfinite(v)]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    if low >= -1 and high <= 1:
        return (low, 1.0)
    return (low, 100.0 if unit == "%" and high <= 100 else high * 1.05)


def _rests_on(one: Estimate) -> str:
    parts = [count(one.n_cases, "case")] if one.n_cases else []
    parts += [count(one.n_readers, "reader")] if one.n_readers else []
    return ", ".join(parts)

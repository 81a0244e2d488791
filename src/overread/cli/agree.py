"""``overread agree READS``: how far do readers agree?"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from overread.agreement.estimate import Estimate
from overread.app.analysis.measure_agreement import AgreementStudy, measure_agreement
from overread.cli.options import (
    JsonOption,
    LevelOption,
    ReadingOptions,
    ReadsArgument,
    SeedOption,
    console,
    print_json,
    progress,
    reading,
)
from overread.exchange import as_document, estimate_document
from overread.labels import Reads


@reading
def run(
    how: ReadingOptions,
    reads: ReadsArgument,
    *,
    measures: Annotated[
        str, typer.Option("--measures", help="Comma-separated keys; a fitting set by default.")
    ] = "",
    by: Annotated[
        str, typer.Option("--by", help="Column with a subgroup of each case (site, device, ...).")
    ] = "",
    over_readers: Annotated[
        bool,
        typer.Option("--over-readers", help="Intervals for readers like these, not these alone."),
    ] = False,
    draws: Annotated[int, typer.Option("--draws", min=100, help="Bootstrap draws.")] = 2000,
    level: LevelOption = 0.95,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Measure agreement, each figure with an interval and in plain words.

    Example: **overread agree reads.csv --by site**
    """
    table = how.read(reads, by=by)
    with progress("agreement", quiet=as_json) as tick:
        study = measure_agreement(
            table,
            measures=[key.strip() for key in measures.split(",")] if measures else None,
            subgroup=how.subgroup(reads, by, table) if by else None,
            over_readers=over_readers,
            level=level,
            draws=draws,
            seed=seed,
            progress=tick,
        )
    if as_json:
        print_json(_document(table, study))
    else:
        _show(table, study)


def _document(reads: Reads, study: AgreementStudy) -> dict[str, Any]:
    figures = study.figures
    parts = {
        "overall": figures.overall,
        "by_class": figures.by_class,
        "against_rest": figures.against_rest,
        "within": figures.within,
        "by_subgroup": figures.by_subgroup,
    }
    return {
        "kind": reads.schema.kind.value,
        "cases": reads.index.n_cases,
        "readers": list(reads.index.readers),
        "reads": reads.index.n_reads,
        **{name: [estimate_document(one) for one in part] for name, part in parts.items()},
        "pairs": [as_document(matrix) for matrix in figures.pairs],
        "bland_altman": [
            {
                key: value
                for key, value in as_document(one).items()
                if key not in ("mean", "difference")
            }
            for one in study.bland_altman
        ],
    }


def _show(reads: Reads, study: AgreementStudy) -> None:
    out = console()
    index, figures = reads.index, study.figures
    out.print(
        f"[bold]{index.n_reads:,} reads[/] of {index.n_cases:,} cases by {index.n_readers} readers "
        f"({reads.schema.kind})\n"
    )
    for title, part in (
        ("Overall", figures.overall),
        ("By class", figures.by_class),
        ("Each reader against the rest", figures.against_rest),
        ("Within readers", figures.within),
        ("By subgroup", figures.by_subgroup),
    ):
        if part:
            out.print(_table(title, part, scopes=title != "Overall"))
    for matrix in figures.pairs[:1]:
        out.print("[bold]Pairs of readers[/]: ", end="")
        out.print(matrix.words, markup=False)
    for one in figures.overall[:2]:
        out.print(f"\n[bold]{one.name}[/]: ", end="")
        out.print(one.words or one.undefined, markup=False)
    for warning in dict.fromkeys(one.warning for one in figures.overall if one.warning):
        out.print("[yellow]![/] ", end="")
        out.print(warning, markup=False)


def _table(title: str, part: tuple[Estimate, ...], *, scopes: bool) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    if scopes:
        table.add_column("")
    for name, justify in (("measure", "left"), ("value", "right"), ("interval", "left")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for one in part:
        unit = f" {one.unit}" if one.unit else ""
        value = "-" if one.undefined else f"{one.value:.3f}{unit}"
        known = one.low == one.low
        interval = one.undefined or (f"{one.low:.3f} to {one.high:.3f}" if known else "")
        row = [one.name, value, interval]
        table.add_row(*([escape(one.scope), *row] if scopes else row))
    return table

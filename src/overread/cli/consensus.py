"""``overread consensus READS``: what is the truth most likely?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer
from rich.table import Table

from overread.app.reach_consensus import Reached, reach_consensus
from overread.app.save_consensus import consensus_rows, save_consensus
from overread.cli.options import (
    JsonOption,
    LevelOption,
    ReadingOptions,
    ReadsArgument,
    console,
    print_json,
    progress,
    reading,
)
from overread.exchange import consensus_document, reliability_table, write_table
from overread.labels import Reads

NAME = "consensus"
_SHOWN = 10


@reading
def run(
    how: ReadingOptions,
    reads: ReadsArgument,
    *,
    method: Annotated[
        str | None,
        typer.Option("--method", "-m", help="See `overread methods`; by default one that fits."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Write it: .csv, .tsv, .parquet; boxes also .json (COCO); masks a folder.",
        ),
    ] = None,
    gold: Annotated[
        Path | None, typer.Option("--gold", help="Known answers: a table `case, label`.")
    ] = None,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Add a column `p_<class>` for each class.")
    ] = False,
    readers_out: Annotated[
        Path | None, typer.Option("--readers-out", help="Write the readers' reliability.")
    ] = None,
    calibrate: Annotated[
        bool | None,
        typer.Option(
            "--calibrate/--no-calibrate", help="Temper the probabilities.", show_default="on"
        ),
    ] = None,
    ties: Annotated[
        str | None, typer.Option("--ties", help="Tie rule: split, first, last, random, none.")
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="Show every iteration of the EM.")
    ] = False,
    level: LevelOption = 0.95,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Seed of all random draws.", show_default="0")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Estimate the truth of each case, with its probability, and every reader's reliability.

    Example: **overread consensus reads.csv --out consensus.csv --gold gold.csv**
    """
    table = how.read(reads)
    with progress("consensus", quiet=as_json) as tick:
        reached = reach_consensus(
            table,
            method=method,
            gold=gold,
            calibrate=calibrate,
            ties=ties,
            level=level,
            seed=seed,
            keep_history=True if history else None,
            progress=tick,
        )
    if out is not None:
        save_consensus(reached, table, out, probabilities=probabilities)
    if readers_out is not None:
        write_table(_readers(reached), readers_out)
    if as_json:
        print_json(_document(reached, probabilities=probabilities, history=history))
    else:
        _show(table, reached, out, history=history)


def _document(reached: Reached, *, probabilities: bool, history: bool) -> dict[str, Any]:
    if not reached.by_class:
        return consensus_document(reached.result, probabilities=probabilities, history=history)
    return {
        "kind": "multi-label",
        "method": reached.method.name,
        "classes": {
            name: consensus_document(part, probabilities=probabilities, history=history)
            for name, part in reached.parts.items()
        },
    }


def _readers(reached: Reached) -> pl.DataFrame:
    tables = []
    for name, part in reached.parts.items():
        table = reliability_table(part.reliability)
        tables.append(table.with_columns(pl.lit(name).alias("class")) if name else table)
    return pl.concat(tables)


def _show(reads: Reads, reached: Reached, out: Path | None, *, history: bool) -> None:
    terminal = console()
    result = reached.result
    terminal.print(
        f"[bold]{reached.method.name}[/] on {reads.index.n_reads:,} reads of "
        f"{reads.index.n_cases:,} cases by {reads.index.n_readers} readers. "
        f"{reached.method.assumes}"
    )
    rows = consensus_rows(reached)
    terminal.print(table_of(rows.head(_SHOWN)))
    if rows.height > _SHOWN:
        terminal.print(f"... {rows.height - _SHOWN:,} more rows" + ("" if out else " (use --out)"))
    terminal.print(table_of(_readers(reached).head(30), title="Readers"))
    if "tie_rule" in result.settings:
        terminal.print(f"Ties: {result.settings['tie_rule']}.", markup=False)
    if "calibration" in result.settings:
        terminal.print(f"Calibration: {result.settings['calibration']}.", markup=False)
    for warning in dict.fromkeys(w for part in reached.parts.values() for w in part.warnings):
        terminal.print("[yellow]![/] ", end="")
        terminal.print(warning, markup=False)
    if history:
        for number, step in enumerate(result.history, start=1):
            terminal.print(
                f"iteration {number}: log likelihood {step.log_likelihood:.6f}, "
                f"log posterior {step.objective:.6f}"
            )
    terminal.print(f"provenance {result.provenance}")
    if out is not None:
        terminal.print(f"written: {out}")


def table_of(rows: pl.DataFrame, title: str = "") -> Table:
    """Rows as a terminal table; numbers to three decimals."""
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    numeric = [dtype.is_numeric() for dtype in rows.dtypes]
    for name, number in zip(rows.columns, numeric, strict=True):
        table.add_column(name.replace("[", "\\["), justify="right" if number else "left")
    for row in rows.iter_rows():
        table.add_row(*(_cell(value) for value in row))
    return table


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}"
    return str(value).replace("[", "\\[")

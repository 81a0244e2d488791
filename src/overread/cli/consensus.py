"""``overread consensus READS``: what is the truth most likely?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from overread.app.analysis.outputs import refuse_outputs, refuse_suffix
from overread.app.analysis.reach_consensus import Reached, reach_consensus
from overread.app.analysis.save_consensus import consensus_rows, refuse_form, save_consensus
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
from overread.exchange.consensus_table import TABLE_OUT
from overread.labels import Reads

_SHOWN = 10  # rows of a table
_READERS = 30


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
        Path | None,
        typer.Option(
            "--gold",
            help="Known answers to some cases: a table `case, label` (scores `case, value`; boxes "
            "add `x1, y1, x2, y2`, outlines `outline`, or COCO, VOC; sets of classes a column a "
            "class); for masks a folder of `case.png` or a table.",
        ),
    ] = None,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Add a column `p_CLASS` for each class.")
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
    robust: Annotated[
        bool, typer.Option("--robust", help="Scores: reads far off move the consensus little.")
    ] = False,
    history: Annotated[
        bool, typer.Option("--history", help="Show every iteration of the EM.")
    ] = False,
    level: LevelOption = 0.95,
    seed: Annotated[
        int | None,
        typer.Option("--seed", min=0, help="Seed of all random draws.", show_default="0"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Estimate the truth of each case, with its probability, and every reader's reliability.

    Example: **overread consensus reads.csv --out consensus.csv --gold gold.csv**
    """
    refuse_outputs({"--out": out, "--readers-out": readers_out}, reads, gold)
    if readers_out is not None:
        refuse_suffix("--readers-out", readers_out, TABLE_OUT)
    table = how.read(reads)
    if out is not None:
        refuse_form(table, out)
    with progress("consensus", quiet=as_json) as tick:
        reached = reach_consensus(
            table,
            method=method,
            gold=gold,
            calibrate=calibrate,
            ties=ties,
            robust=True if robust else None,
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


def _in_words(readers: pl.DataFrame) -> pl.DataFrame:
    """Each measure and its interval in one column: "0.74 (0.37 to 0.97)"."""
    bounds = {n for n in readers.columns if n.endswith(("_low", "_high"))}
    columns = [
        pl.Series(
            name,
            [
                None if value is None else _figure(value, low, high)
                for value, low, high in readers.select(name, f"{name}_low", f"{name}_high").rows()
            ],
            pl.String,
        )
        if f"{name}_low" in bounds
        else readers[name]
        for name in readers.columns
        if name not in bounds
    ]
    return pl.DataFrame(columns)


def _figure(value: float, low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return f"{value:.2f}"
    return f"{value:.2f} ({low:.2f} to {high:.2f})"


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
    terminal.print(table_of(_in_words(_readers(reached).head(_READERS)), title="Readers"))
    if "tie_rule" in result.settings:
        terminal.print(f"Ties: {result.settings['tie_rule']}.", markup=False)
    if "calibration" in result.settings:
        terminal.print(f"Calibration: {result.settings['calibration']}.", markup=False)
    for warning in dict.fromkeys(w for part in reached.parts.values() for w in part.warnings):
        terminal.print("[yellow]![/] ", end="")
        terminal.print(warning, markup=False)
    if history:
        _show_history(terminal, reached)
    terminal.print(f"provenance {result.provenance}")
    if out is not None:
        terminal.print(f"written: {out}", markup=False)


def _show_history(terminal: Console, reached: Reached) -> None:
    for name, part in reached.parts.items():
        if name:
            terminal.print(name, markup=False)
        for number, step in enumerate(part.history, start=1):
            terminal.print(
                f"iteration {number}: log likelihood {step.log_likelihood:.6f}, "
                f"log posterior {step.objective:.6f}"
            )


def table_of(rows: pl.DataFrame, title: str = "") -> Table:
    """Rows as a terminal table; numbers to three decimals."""
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    numeric = [dtype.is_numeric() for dtype in rows.dtypes]
    for name, number in zip(rows.columns, numeric, strict=True):
        table.add_column(escape(name), justify="right" if number else "left", overflow="fold")
    for row in rows.iter_rows():
        table.add_row(*(_cell(value) for value in row))
    return table


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}"
    return escape(str(value))

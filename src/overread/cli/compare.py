"""``overread compare READS``: which method is best on these reads?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from overread.app.compare_methods import Comparison, Entry, compare
from overread.cli.options import (
    JsonOption,
    ReadingOptions,
    ReadsArgument,
    SeedOption,
    console,
    print_json,
    progress,
    reading,
)
from overread.consensus.scoring import MEASURES
from overread.exchange import as_document

_OF_NUMBERS = ("bias", "mae", "rmse", "covered")


@reading
def run(
    how: ReadingOptions,
    reads: ReadsArgument,
    *,
    truth: Annotated[
        Path | None,
        typer.Option("--truth", help="Right answers, `case, label`; the methods do not see them."),
    ] = None,
    methods: Annotated[
        str, typer.Option("--methods", help="Comma-separated; all that fit by default.")
    ] = "",
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Put the methods side by side: against the truth, and by reads held out from them.

    Example: **overread compare reads.csv --truth truth.csv**
    """
    table = how.read(reads)
    with progress("methods", quiet=as_json) as tick:
        found = compare(
            table,
            truth=truth,
            methods=[name.strip() for name in methods.split(",")] if methods else None,
            seed=seed,
            progress=tick,
        )
    if as_json:
        print_json(_document(found))
    else:
        _show(found)


def _document(found: Comparison) -> dict[str, Any]:
    rows = []
    for entry in found.entries:
        row: dict[str, Any] = {"method": entry.method, "seconds": entry.seconds, "note": entry.note}
        if entry.score is not None:
            row |= {k: v for k, v in as_document(entry.score).items() if k != "curve"}
        if entry.held_out is not None:
            row |= {
                k: as_document(getattr(entry.held_out, k))
                for k in ("held_out", "behind", "behind_se")
            }
        rows.append(row)
    return {"methods": rows, "recommendation": as_document(found.recommendation)}


def _show(found: Comparison) -> None:
    terminal = console()
    names = _measures(found)
    table = Table(box=None, pad_edge=False)
    table.add_column("method")
    for name in (*names, "held-out", "behind", "seconds"):
        table.add_column(name.replace("_", " "), justify="right")
    for entry in found.entries:
        table.add_row(entry.method, *_cells(entry, names))
    terminal.print(table)
    for entry in found.entries:
        if entry.note:
            terminal.print(f"{entry.method}: {entry.note}", markup=False)
    terminal.print(
        "held-out: mean log chance of reads that the method has not seen, nats a read; "
        "behind: how far below the best, with its standard error",
        style="dim",
    )
    if found.recommendation is not None:
        terminal.print(f"\n[bold]Use {found.recommendation.method}.[/] ", end="")
        terminal.print(found.recommendation.reason, markup=False)
        for caution in found.recommendation.cautions:
            terminal.print("[yellow]![/] ", end="")
            terminal.print(caution, markup=False)


def _measures(found: Comparison) -> tuple[str, ...]:
    scores = [entry.score for entry in found.entries if entry.score is not None]
    if not scores:
        return ()
    return MEASURES if hasattr(scores[0], "accuracy") else _OF_NUMBERS


def _cells(entry: Entry, names: tuple[str, ...]) -> list[str]:
    if entry.score is None:
        cells = ["-" for _ in names]
    else:
        cells = [f"{getattr(entry.score, name):.4f}" for name in names]
    held = entry.held_out
    if held is None:
        cells += ["-", "-"]
    else:
        cells += [f"{held.held_out:.4f}", f"{held.behind:.4f} ± {held.behind_se:.4f}"]
    return [*cells, f"{entry.seconds:.2f}"]

"""``overread compare READS``: which method is best on these reads?"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from overread.app.analysis.compare_methods import Comparison, Entry, compare
from overread.app.analysis.truth import figures_of
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
from overread.exchange import as_document

_LEGEND = {
    "f1": "of findings more probable than not, matched to true ones of their class at IoU 0.5; "
    "iou: mean of the matched; nll, auc: of the probability that a finding is there",
    "dice": "mean over cases and classes, two empty masks count 1; hd95, assd: where neither is "
    "empty; nll: of the pixels that a reader or the truth marks",
    "held-out": "mean log chance of reads that the method has not seen, nats a read; "
    "behind: how far below the best, with its standard error",
}


@reading
def run(
    how: ReadingOptions,
    reads: ReadsArgument,
    *,
    truth: Annotated[
        Path | None,
        typer.Option(
            "--truth",
            help="Right answers, which the methods do not see: a table `case, label` (scores "
            "`case, value`; boxes add `x1, y1, x2, y2`, outlines `outline`, or COCO, VOC; sets of "
            "classes a column a class); for masks a folder of `case.png` or a table.",
        ),
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
    document = {
        "methods": [_row(entry) for entry in found.entries],
        "recommendation": as_document(found.recommendation),
    }
    if found.by_class:
        document["classes"] = {name: _document(part) for name, part in found.by_class.items()}
    return document


def _row(entry: Entry) -> dict[str, Any]:
    row: dict[str, Any] = {"method": entry.method, "seconds": entry.seconds, "note": entry.note}
    if entry.score is not None:
        left_out = ("curve", "by_class")  # the classes have rows of their own
        row |= {k: v for k, v in as_document(entry.score).items() if k not in left_out}
    if entry.held_out is not None:
        row |= {
            k: as_document(getattr(entry.held_out, k)) for k in ("held_out", "behind", "behind_se")
        }
    return row


def _show(found: Comparison) -> None:
    terminal = console()
    for name, part in found.by_class.items():
        terminal.print(_table(part, title=name))
        if part.recommendation is not None:
            terminal.print(f"Use {part.recommendation.method}.\n", style="dim")
    terminal.print(_table(found, title="mean over classes" if found.by_class else ""))
    for entry in found.entries:
        if entry.note:
            terminal.print(f"{entry.method}: {entry.note}", markup=False)
    scored = max((one.score.n_cases for one in found.entries if one.score is not None), default=0)
    if scored:
        terminal.print(f"scored on {scored:,} cases that have a truth", style="dim")
    names, folds = _measures(found)
    for name, words in _LEGEND.items():
        if name in names or (folds and name == "held-out"):
            terminal.print(f"{name}: {words}", style="dim")
    if found.recommendation is not None:
        terminal.print(f"\n[bold]Use {found.recommendation.method}.[/] ", end="")
        terminal.print(found.recommendation.reason, markup=False)
        for caution in found.recommendation.cautions:
            terminal.print("[yellow]![/] ", end="")
            terminal.print(caution, markup=False)


def _measures(found: Comparison) -> tuple[tuple[str, ...], bool]:
    """The figures to show, and whether reads were held out."""
    scores = [figures_of(entry.score) for entry in found.entries if entry.score is not None]
    folds = any(entry.held_out is not None for entry in found.entries)
    return tuple(scores[0]) if scores else (), folds


def _table(found: Comparison, *, title: str) -> Table:
    names, folds = _measures(found)
    table = Table(title=escape(title) or None, title_justify="left", box=None, pad_edge=False)
    table.add_column("method")
    for name in (*names, *(("held-out", "behind") if folds else ()), "seconds"):
        table.add_column(escape(name.replace("_", " ")), justify="right")
    for entry in found.entries:
        table.add_row(entry.method, *_cells(entry, names, folds=folds))
    return table


def _cells(entry: Entry, names: tuple[str, ...], *, folds: bool) -> list[str]:
    figures = {} if entry.score is None else figures_of(entry.score)
    cells = [_number(figures.get(name, float("nan"))) for name in names]
    held = entry.held_out
    if folds and held is None:
        cells += ["-", "-"]
    elif held is not None:
        cells += [f"{held.held_out:.4f}", f"{held.behind:.4f} ± {held.behind_se:.4f}"]
    return [*cells, f"{entry.seconds:.2f}"]


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4f}"

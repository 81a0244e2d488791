"""``overread report READS``: one page with everything."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from overread.app.analysis.outputs import DOCUMENT, PAGE, refuse_outputs, refuse_suffix
from overread.app.analysis.write_report import ReportRequest, write_report
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


@reading
def run(
    how: ReadingOptions,
    reads: ReadsArgument,
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="The page.")] = Path("report.html"),
    pdf: Annotated[Path | None, typer.Option("--pdf", help="Also write a PDF.")] = None,
    title: Annotated[str, typer.Option("--title", help="Title of the report.")] = "",
    method: Annotated[
        str | None, typer.Option("--method", "-m", help="Consensus method; see `overread methods`.")
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option("--truth", help="Right answers, `case, label`, to check the calibration."),
    ] = None,
    gold: Annotated[
        Path | None, typer.Option("--gold", help="Known answers that the consensus may use.")
    ] = None,
    by: Annotated[str, typer.Option("--by", help="Column with a subgroup of each case.")] = "",
    exchangeable: Annotated[
        bool, typer.Option("--exchangeable", help="Reader names are slots, not persons.")
    ] = False,
    level: LevelOption = 0.95,
    draws: Annotated[int, typer.Option("--draws", min=100, help="Bootstrap draws.")] = 2000,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Write one self-contained HTML page (and a PDF) on agreement and consensus.

    Example: **overread report reads.csv --out report.html --pdf report.pdf**
    """
    refuse_outputs({"--out": out, "--pdf": pdf}, reads, truth, gold)
    refuse_suffix("--out", out, PAGE)
    if pdf is not None:
        refuse_suffix("--pdf", pdf, DOCUMENT)
    table = how.read(reads, by=by)
    request = ReportRequest(
        title=title or f"Agreement and consensus: {reads.resolve().stem}",
        source=reads.resolve().name,
        date=dt.datetime.now(tz=dt.UTC).date().isoformat(),
        method=method,
        truth=truth,
        gold=gold,
        subgroup=how.subgroup(reads, by, table) if by else None,
        exchangeable=exchangeable,
        level=level,
        draws=draws,
        seed=seed,
    )
    with progress("report", quiet=as_json) as tick:
        write_report(table, request, out, pdf=pdf, progress=tick)
    if as_json:
        print_json({"html": str(out), "pdf": None if pdf is None else str(pdf)})
    else:
        console().print(f"written: {out}" + ("" if pdf is None else f" and {pdf}"), markup=False)

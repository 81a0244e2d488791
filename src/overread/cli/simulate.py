"""``overread simulate IMAGES --labels labels.csv``: the labelling loop, replayed."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from overread.app.analysis.outputs import PAGE, refuse_outputs, refuse_suffix
from overread.app.analysis.simulate import STRATEGIES, Simulation, simulate
from overread.app.analysis.simulate_curves import Labour
from overread.app.analysis.simulate_set import labelled_set, read_labels
from overread.cli.options import JsonOption, console, print_json, progress
from overread.errors import InputError
from overread.exchange import as_document
from overread.latents.onnx_file import SCALES
from overread.report import require, write_html
from overread.selection.acquisition.table import ACQUISITIONS
from overread.selection.replay import PROCESS, STANDARD, Strategy
from overread.words import percent

_NAMES = ", ".join((*ACQUISITIONS, STANDARD))
_USUAL = ",".join(one.acquisition for one in STRATEGIES)


def run(
    images: Annotated[
        Path,
        typer.Argument(
            metavar="IMAGES",
            show_default=False,
            help="Folder of images called like the cases; or latents: an .npz with `cases` and "
            "`latents`, or a table with `case` and numbers.",
        ),
    ],
    *,
    labels: Annotated[Path, typer.Option("--labels", help="Table `case, label`: the truth.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The page (.html).")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="The curves as a table.")] = None,
    acquisitions: Annotated[
        str, typer.Option("--acquisitions", help=f"Comma-separated, of {_NAMES}.")
    ] = _USUAL,
    starts: Annotated[
        str, typer.Option("--starts", help="Of the first batch: typical, k-means, random.")
    ] = "typical",
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Replays of each.")] = 5,
    shares: Annotated[
        str, typer.Option("--shares", help="Of the pool labelled, at which to measure.")
    ] = "0.01,0.02,0.05,0.1,0.16,0.3",
    reach: Annotated[
        float, typer.Option("--reach", help="Share of the accuracy with all labels to reach.")
    ] = 0.99,
    held_back: Annotated[
        float, typer.Option("--held-back", help="Share of the cases to measure on.")
    ] = 0.2,
    group: Annotated[
        str, typer.Option("--group", help="Column of the patient: such cases stay together.")
    ] = "",
    ordinal: Annotated[bool, typer.Option("--ordinal", help="The labels are grades.")] = False,
    classes: Annotated[
        str, typer.Option("--classes", help="Classes in their order, comma-separated.")
    ] = "",
    models: Annotated[
        str,
        typer.Option(
            "--models",
            help="Who learns, comma-separated: process (the product's own), svgp (extra learn, "
            "fitted anew for each batch: minutes a replay).",
        ),
    ] = PROCESS,
    by_lot: Annotated[
        float, typer.Option("--by-lot", help="Share of the cases taken at random.")
    ] = 0.0,
    spread: Annotated[
        bool,
        typer.Option("--spread", help="Each strategy also with labels spread to unlabelled cases."),
    ] = False,
    encoders: Annotated[
        str,
        typer.Option(
            "--encoders",
            help="Of images, as of `overread encode`, comma-separated; what is installed.",
        ),
    ] = "",
    scale: Annotated[
        str, typer.Option("--scale", help=f"Input of an .onnx file: {', '.join(SCALES)}.")
    ] = "",
    keep: Annotated[
        Path | None, typer.Option("--keep", help="Folder to keep latents in for the next time.")
    ] = None,
    readers: Annotated[int, typer.Option("--readers", min=1, help="Of each labelled case.")] = 1,
    label_seconds: Annotated[float, typer.Option("--label-seconds", help="Of one read.")] = 60.0,
    review_seconds: Annotated[
        float, typer.Option("--review-seconds", help="To look at one auto-label.")
    ] = 5.0,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Replay labelling on a labelled set: how many labels, hours, and how good, by strategy.

    Example: **overread simulate images --labels labels.csv --group patient --out plan.html**
    """
    refuse_outputs({"--out": out, "--csv": csv}, labels, images)
    if out is not None:
        refuse_suffix("--out", out, PAGE)
        require()
    strategies = _strategies(_words(acquisitions), _words(starts), _words(models), by_lot)
    if spread:
        more = [
            replace(one, spread=True)
            for one in strategies
            if one.acquisition != STANDARD and one.model == PROCESS
        ]
        strategies += more
    table = read_labels(labels, group=group, classes=_words(classes))
    with progress("images", quiet=as_json) as tick:
        found_set = labelled_set(
            images, table, encoders=_words(encoders), scale=scale, keep=keep, progress=tick
        )
    with progress("replays", quiet=as_json) as tick:
        found = simulate(
            found_set.latents, found_set.labels, found_set.classes, strategies=strategies,
            seeds=seeds, shares=_numbers(shares), groups=found_set.groups, ordinal=ordinal,
            held_back=held_back, share=reach, workers=workers, progress=tick,
            labour=Labour(readers, label_seconds, review_seconds),
        )  # fmt: skip
    _write(found, out, csv, images.resolve().name, found_set.encoders)
    if as_json:
        print_json(_document(found))
    else:
        _show(found)


def _write(
    found: Simulation, out: Path | None, csv: Path | None, source: str, encoders: tuple[str, ...]
) -> None:
    from overread.app.analysis import simulate_sheet as sheet  # noqa: PLC0415 - draws charts

    if csv is not None:
        sheet.write_simulation_table(found, csv)
    if out is not None:
        date = dt.datetime.now(tz=dt.UTC).date().isoformat()
        about = sheet.About(f"What labelling takes: {source}", source, date, encoders)
        write_html(sheet.simulation_sheet(found, about), out)


def _strategies(
    names: list[str], starts: list[str], models: list[str], by_lot: float
) -> list[Strategy]:
    """Each acquisition with each start and model; random order and the usual recipe have theirs."""
    found: list[Strategy] = []
    for name in names:
        if name == STANDARD:
            found.append(Strategy(name, "random"))
        elif name == "random":
            found += [Strategy(name, "random", model=model) for model in models]
        else:
            found += [Strategy(name, s, by_lot, model=model) for model in models for s in starts]
    return found


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _numbers(text: str) -> list[float]:
    try:
        return [float(word) for word in _words(text)]
    except ValueError as error:
        raise InputError("--shares", "be numbers, comma-separated", repr(text)) from error


def _document(found: Simulation) -> dict[str, Any]:
    return {
        "cases": found.cases, "held_back": found.held_back, "seeds": found.seeds,
        "classes": list(found.classes), "accuracy_with_all_labels": found.full,
        "reached": [as_document(one) for one in found.reached],
        "curves": [
            {
                "strategy": curve.name, "labels": curve.labels.tolist(),
                "mean": as_document(curve.mean), "low": as_document(curve.low),
                "high": as_document(curve.high),
            }
            for curve in found.curves
        ],
    }  # fmt: skip


def _show(found: Simulation) -> None:
    from overread.app.analysis.simulate_sheet import result_words  # noqa: PLC0415 - as above

    terminal = console()
    table = Table(box=None, pad_edge=False, title="accuracy on held-back cases")
    table.add_column("strategy")
    for n in found.curves[0].labels.tolist():
        table.add_column(f"{n:,}", justify="right")
    table.add_column(f"labels for {percent(found.share)}", justify="right")
    for curve, one in zip(found.curves, found.reached, strict=True):
        need = "not reached" if one.labels is None else f"{one.labels:,}"
        table.add_row(curve.name, *(percent(a, 1) for a in curve.mean["accuracy"]), need)
    terminal.print(table)
    terminal.print(result_words(found), markup=False)

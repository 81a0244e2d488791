"""``overread check-labels READS``: which labels deserve a second look, and why?"""

from __future__ import annotations

import datetime as dt
from math import isfinite
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer
from rich.text import Text

from overread.app.analysis.check_labels import Checked, check_labels, power
from overread.app.analysis.gentle_check import usual_constraints
from overread.app.analysis.label_rules import rules_with
from overread.app.analysis.label_sheet import About, label_sheet
from overread.app.analysis.outputs import PAGE, refuse_outputs, refuse_suffix
from overread.cli.options import (
    JsonOption,
    ReadingOptions,
    ReadsArgument,
    console,
    print_json,
    progress,
    reading,
)
from overread.exchange import write_table
from overread.exchange.consensus_table import TABLE_OUT
from overread.monitoring.rules import Constraints, Hint, Severity
from overread.report import require, write_html
from overread.words import percent

_SHOWN = 20


@reading
def run(
    how: ReadingOptions,
    reads: ReadsArgument,
    *,
    images: Annotated[
        Path | None,
        typer.Option("--images", help="Folder of the images; files are called like the cases."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Write every hint: .csv, .tsv or .parquet."),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", help="Also write a page with a picture of each hint."),
    ] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(
            "--rule", help="A rule of your own, module:function of an installed package. Repeat it."
        ),
    ] = None,
    false_alarm: Annotated[
        float,
        typer.Option("--false-alarm", help="Probability that a rule speaks of a usual drawing."),
    ] = 0.01,
    no_finding: Annotated[
        str, typer.Option("--no-finding", help='Class that means "nothing found".')
    ] = "",
    exclusive: Annotated[
        list[str] | None,
        typer.Option("--exclusive", help="Classes of which a read may say one: A,B. Repeat it."),
    ] = None,
    known_classes: Annotated[
        str,
        typer.Option("--final-classes", help="Classes of the final protocol, comma-separated."),
    ] = "",
    final: Annotated[
        str | None,
        typer.Option("--final-version", help="Final protocol version; others are stale."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List loose contours, odd sizes, imbalance, duplicates, contradictions, deviating readers.

    Example: **overread check-labels boxes.csv --images pictures --out hints.csv**
    """
    refuse_outputs({"--out": out, "--html": html}, reads)
    if out is not None:
        refuse_suffix("--out", out, TABLE_OUT)
    if html is not None:
        refuse_suffix("--html", html, PAGE)
        require()
    rules = rules_with(rule or ())
    table = how.read(reads)
    constraints = _constraints(
        table.schema.names, no_finding, exclusive or (), known_classes, final
    )
    with progress("images", quiet=as_json) as tick:
        checked = check_labels(
            table,
            images=images,
            constraints=constraints,
            rules=rules,
            false_alarm=false_alarm,
            progress=tick,
        )
    if out is not None:
        write_table(hints_table(checked.hints), out, for_spreadsheets=True)
    if html is not None:
        about = About("Label rules", reads.name, dt.datetime.now(tz=dt.UTC).date().isoformat())
        write_html(label_sheet(checked, about, images), html)
    if as_json:
        print_json(_document(checked))
    else:
        _show(checked, out, html)


def hints_table(hints: tuple[Hint, ...]) -> pl.DataFrame:
    """One row a hint; its numbers in columns of their own, empty where a rule has none."""
    texts = ("rule", "severity", "case", "reader", "finding", "label", "words")
    columns: dict[str, Any] = {name: [getattr(hint, name) for hint in hints] for name in texts}
    columns["severity"] = [str(hint.severity) for hint in hints]
    numbers = sorted({name for hint in hints for name in hint.numbers})
    taken = set(texts)
    for name in numbers:
        values = [hint.numbers.get(name) for hint in hints]
        columns[f"{name}_value" if name in taken else name] = values
    kinds: dict[str, Any] = dict.fromkeys(texts, pl.String) | {"finding": pl.Int64}
    return pl.DataFrame(columns, schema={name: kinds.get(name, pl.Float64) for name in columns})


def _constraints(
    names: tuple[str, ...],
    no_finding: str,
    exclusive: list[str] | tuple[str, ...],
    known: str,
    final: str | None,
) -> Constraints:
    usual = usual_constraints(names)
    return Constraints(
        classes=_split(known) if known else None,
        no_finding=_split(no_finding) if no_finding else usual.no_finding,
        exclusive=tuple(_split(one) for one in exclusive),
        version=final,
    )


def _split(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())


def _document(checked: Checked) -> dict[str, Any]:
    return {
        "reads": checked.context.reads.index.n_reads,
        "drawings": checked.context.drawn.n,
        "images": {
            "looked_at": checked.looked_at,
            "not_found": checked.not_found,
            "refused": checked.refused,
            "misplaced_reads": checked.misplaced,
        },
        "found_if_30_percent_too_wide": power(checked),
        "hints": [
            {
                "rule": hint.rule,
                "severity": str(hint.severity),
                "case": hint.case,
                "reader": hint.reader,
                "finding": hint.finding,
                "label": hint.label,
                "words": hint.words,
                "numbers": {k: v for k, v in hint.numbers.items() if isfinite(v)},
            }
            for hint in checked.hints
        ],
    }


def _show(checked: Checked, *written: Path | None) -> None:
    terminal = console()
    reads, hints = checked.context.reads.index, checked.hints
    looked = f", {checked.context.drawn.n:,} drawings on {checked.looked_at:,} images"
    terminal.print(
        f"{len(hints):,} hints on {reads.n_reads:,} reads of {reads.n_cases:,} cases"
        f"{looked if checked.looked_at else ''}."
    )
    for what, count in (
        ("cases have no image in the folder", checked.not_found * bool(checked.looked_at)),
        ("images could not be decoded", checked.refused),
        ("reads are drawn on an image of another size and were left out", checked.misplaced),
    ):
        if count:
            terminal.print(f"[yellow]![/] {count:,} {what}.")
    for name, share in power(checked).items():
        terminal.print(
            f"Of {name} drawn 30 % too wide, {percent(share)} would be listed.", markup=False
        )
    for hint in hints[:_SHOWN]:
        terminal.print(_line(hint))
    if len(hints) > _SHOWN:
        more = "" if any(written) else " (use --out)"
        terminal.print(f"... {len(hints) - _SHOWN:,} more{more}")
    for path in written:
        if path is not None:
            terminal.print(f"written: {path}", markup=False)


def _line(hint: Hint) -> Text:
    """One hint on one line: what it is about, then its words."""
    about = [
        f"case {hint.case}" if hint.case else "",
        f"reader {hint.reader}" if hint.reader else "",
        f"drawing {hint.finding}" if hint.finding is not None else "",
        hint.label,
    ]
    line = Text.assemble((f"{hint.severity} ", _STYLES[hint.severity]), (hint.rule, "bold"))
    return line.append(f" · {', '.join(filter(None, about)) or 'the set'}: {hint.words}")


_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}

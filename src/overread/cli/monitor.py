"""``overread monitor READS``: does a reader drift?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from overread.app.analysis.outputs import refuse_outputs, refuse_suffix
from overread.app.analysis.watch_readers import (
    Watched,
    levels_table,
    watch_readers,
    with_run_length,
)
from overread.cli.options import (
    JsonOption,
    ReadingOptions,
    ReadsArgument,
    console,
    print_json,
    progress,
    reading,
)
from overread.exchange import as_document, write_table
from overread.exchange.consensus_table import TABLE_OUT
from overread.exchange.read_order import order_of_reads
from overread.labels import Reads
from overread.monitoring import RUN_LENGTH, Alarm, chance_of_false_alarm, decide
from overread.words import percent

_SHOWN = 40  # rows of the table
_WORST = 5
_TWO = (
    "Two readers alone cannot tell which of them is off: give gold answers, or let a third reader "
    "read some of the cases."
)
_ORDERED = {
    "time": "the time column",
    "order": "the column asked for",
    "row": "the rows as they stand, because no column tells the time; --time or --order names one",
}


@reading
def run(
    how: ReadingOptions,
    reads: ReadsArgument,
    *,
    gold: Annotated[
        Path | None,
        typer.Option("--gold", help="Known answers to some cases, as for `overread consensus`."),
    ] = None,
    order: Annotated[
        str,
        typer.Option("--order", help="Column that tells the order of reading (number or date)."),
    ] = "",
    run_length: Annotated[
        float,
        typer.Option(
            "--run-length",
            min=100,
            help="Overlap reads of a reader between two false alarms, over all charts together.",
        ),
    ] = RUN_LENGTH,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write the table of readers and metrics.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Watch each reader against the others: levels, trends, and alarms with the likely cause.

    Example: **overread monitor reads.csv --time finished --gold gold.csv**
    """
    refuse_outputs({"--out": out}, reads, gold)
    if out is not None:
        refuse_suffix("--out", out, TABLE_OUT)
    table = how.read(reads, by=order)
    rank = (
        order_of_reads(reads, table.index, case=how.case, reader=how.reader, column=order)
        if order
        else None
    )
    with progress("charts", quiet=as_json) as tick:
        watched = watch_readers(
            table, gold=gold, order=rank, settings=with_run_length(run_length), progress=tick
        )
    if out is not None:
        write_table(levels_table(watched), out)
    if as_json:
        print_json(_document(table, watched, run_length))
    else:
        _show(table, watched, run_length, out)


def _document(reads: Reads, watched: Watched, run_length: float) -> dict[str, Any]:
    return {
        "kind": reads.schema.kind.value,
        "readers": list(reads.index.readers),
        "reads": reads.index.n_reads,
        "overlap_reads": watched.observed.n,
        "ordered_by": watched.observed.ordered_by,
        "no_charts": watched.why_not,
        "run_length": run_length,
        "chance_of_false_alarm_in_2000": chance_of_false_alarm(run_length, 2000),
        "levels": as_document(watched.levels),
        "alarms": [
            {"reader": reader, "action": decide(alarm).action, **as_document(alarm)}
            for reader, alarm in watched.alarms
        ],
    }


def _show(reads: Reads, watched: Watched, run_length: float, out: Path | None) -> None:
    terminal = console()
    seen = watched.observed
    terminal.print(
        f"[bold]{seen.n:,} of {reads.index.n_reads:,} reads[/] can be compared with others' "
        f"({reads.schema.kind}), in the order of {_ORDERED[seen.ordered_by]}."
    )
    if watched.why_not:
        terminal.print("[yellow]![/] No charts: ", end="")
        terminal.print(watched.why_not, markup=False)
        return
    terminal.print(
        f"Designed for one false alarm of a reader in {run_length:,.0f} overlap reads: at most "
        f"{percent(chance_of_false_alarm(run_length, 2000), 1)} of readers who do not change "
        "alarm within 2,000."
    )
    terminal.print(_table(watched))
    if len(watched.levels) > _SHOWN:
        terminal.print(
            f"... {len(watched.levels) - _SHOWN:,} more rows" + ("" if out else " (use --out)")
        )
    if not watched.alarms:
        terminal.print("[bold]No alarm.[/]")
    elif len({one.reader for one in watched.levels}) == 2:
        terminal.print(_TWO)
    for reader, alarm in watched.alarms:
        _show_alarm(terminal, reader, alarm)
    if out is not None:
        terminal.print(f"written: {out}", markup=False)


def _show_alarm(terminal: Console, reader: str, alarm: Alarm) -> None:
    terminal.print(f"\n[bold]{escape(reader)}[/]: ", end="")
    terminal.print(f"{alarm.words}.", markup=False)
    worst = ", ".join(one.case for one in alarm.worst[:_WORST])
    terminal.print(
        f"  {decide(alarm).action}; alarm at overlap read {alarm.number + 1:,}, since "
        f"{alarm.since + 1:,} (between {alarm.since_low + 1:,} and {alarm.since_high + 1:,}); "
        f"worst cases: {worst or 'none in memory'}",
        markup=False,
    )


def _table(watched: Watched) -> Table:
    table = Table(title="Readers", title_justify="left", box=None, pad_edge=False)
    for name, justify in (
        ("reader", "left"), ("metric", "left"), ("reads", "right"), ("level", "right"),
        ("from usual", "right"), ("interval", "left"), ("trend", "left"), ("alarms", "right"),
    ):  # fmt: skip
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    first = sorted(watched.levels, key=lambda one: -one.alarms)[:_SHOWN]
    for one in first:
        known = one.low == one.low
        interval = f"{one.low:+.3f} to {one.high:+.3f}" if known else ""
        table.add_row(
            escape(one.reader), escape(one.metric), f"{one.reads:,}", f"{one.level:.3f}",
            f"{one.away:+.3f}", interval, one.trend, str(one.alarms or "-"),
        )  # fmt: skip
    return table

"""``overread next READS``: which cases need another read?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from overread.app.analysis.outputs import refuse_outputs, refuse_suffix
from overread.app.analysis.rank_next_reads import rank_next_reads
from overread.cli.consensus import table_of
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


@reading
def run(
    how: ReadingOptions,
    reads: ReadsArgument,
    *,
    method: Annotated[
        str | None, typer.Option("--method", "-m", help="Consensus method; see `overread methods`.")
    ] = None,
    readers: Annotated[
        str,
        typer.Option(
            "--readers",
            help='Who is at hand: names, comma-separated, or "any"; by default an average reader.',
        ),
    ] = "",
    top: Annotated[int, typer.Option("--top", min=1, help="So many cases.")] = 20,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write the list.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Rank the cases by what one more read would tell, per second where seconds are known.

    Example: **overread next reads.csv --readers any --top 50**
    """
    refuse_outputs({"--out": out}, reads)
    if out is not None:
        refuse_suffix("--out", out, TABLE_OUT)
    table = how.read(reads)
    with progress("consensus", quiet=as_json) as tick:
        rows: pl.DataFrame = rank_next_reads(
            table, method=method, readers=readers, top=top, progress=tick
        )
    if out is not None:
        write_table(rows, out)
    if as_json:
        print_json(as_document(rows.to_dicts()))
    else:
        console().print(table_of(rows))
        console().print(
            "gain: expected fall of the case's entropy by one more read, in nats; "
            "change: chance that the consensus changes",
            style="dim",
        )

"""``overread gold PROJECT TABLE``: right answers for cases of a project."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from overread.app.quality.gold_cases import POOLS, gold_from_answers
from overread.app.quality.gold_table import read_gold
from overread.app.study.home import open_home, project_called
from overread.app.study.project_protocol import protocol_of
from overread.cli.home_options import ACTOR, HOME, BlobsOption, DatabaseOption, HomeOption
from overread.cli.options import JsonOption, console, print_json
from overread.errors import InputError


def run(
    project: Annotated[str, typer.Argument(help="Name or id of the project.")],
    table: Annotated[Path, typer.Argument(help="CSV (case, label, ...) or JSON lines.")],
    *,
    pool: Annotated[
        str,
        typer.Option(
            "--pool",
            help="training: shown with its answer in dry runs; hidden: read like any other.",
        ),
    ] = "training",
    home: HomeOption = HOME,
    database: DatabaseOption = "",
    blobs: BlobsOption = "",
    as_json: JsonOption = False,
) -> None:
    """Make cases gold with the answers of a table, all of them or none.

    Columns of a CSV are `case` (name or id), `label`, `question` where the protocol has several,
    and `x1`, `y1`, `x2`, `y2`, `frame` for boxes. JSON lines hold `{"case": ..., "answer": {...}}`.

    Example: **overread gold "Knee study" gold.csv --pool hidden**
    """
    if pool not in POOLS:
        raise InputError("--pool", f"be {' or '.join(POOLS)}", pool)
    opened = open_home(home, database=database, blobs=blobs)
    found = project_called(opened.store, project)
    answers = read_gold(table, protocol_of(opened.store, found.id).protocol)
    count = gold_from_answers(opened.store, found.id, answers, pool=pool, by=ACTOR)
    if as_json:
        print_json({"gold": count, "pool": pool})
        return
    console().print(f"{count:,} gold {'case' if count == 1 else 'cases'} ({pool})")

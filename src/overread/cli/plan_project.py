"""``overread plan project``: the plan of a project on a server, as its page draws it up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from overread.cli.home_options import HOME, BlobsOption, DatabaseOption, HomeOption
from overread.cli.options import JsonOption, SeedOption
from overread.cli.plan_reads import (
    BatchesOption,
    DistanceOption,
    EachOption,
    GoldRateOption,
    OverlapOption,
    OverlapReadersOption,
    RepeatRateOption,
)
from overread.errors import InputError


def project(
    name: Annotated[str, typer.Argument(metavar="PROJECT", help="Name or id of the project.")],
    *,
    each: EachOption = 1,
    overlap: OverlapOption = 0.1,
    overlap_readers: OverlapReadersOption = 3,
    batches: BatchesOption = 1,
    size: Annotated[
        int,
        typer.Option(
            "--size", min=0, help="Reads of each reader in a sub-batch; 0: whole batches."
        ),
    ] = 50,
    gold_rate: GoldRateOption = 0.0,
    repeat_rate: RepeatRateOption = 0.0,
    distance: DistanceOption = 20,
    groups: Annotated[
        str,
        typer.Option("--groups", help="Cases of a patient: free, together or apart."),
    ] = "free",
    readers: Annotated[
        Path | None,
        typer.Option(
            "--readers",
            help="Table: `reader` (e-mail or name), `most`, `may_not` (modality=CT); else all.",
        ),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--seconds", min=0.1, help="Of a read, where none is measured.")
    ] = None,
    seed: SeedOption = 0,
    again: Annotated[
        bool, typer.Option("--again", help="Plan again what is left of the plan in force.")
    ] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Write it; else it is only shown.")
    ] = False,
    home: HomeOption = HOME,
    database: DatabaseOption = "",
    blobs: BlobsOption = "",
    as_json: JsonOption = False,
) -> None:
    """Who reads what in a project: shown, and with **--write** dealt to its readers as tasks.

    What is read, or in a hand, stays. **--again** keeps the settings of the plan in force and
    plans what is left: for readers who came or went, with cases that came.

    Example: **overread plan project "Knee study" --overlap 0.2 --size 40 --write**
    """
    from overread.cli import project_plan  # noqa: PLC0415 - the store takes its time, and an extra

    if groups not in {"free", "together", "apart"}:
        raise InputError("--groups", "be free, together or apart", groups)
    if not (home / "overread.sqlite").exists() and not database:
        raise InputError("--home", "be a home that overread init made", "another folder")
    settings = {
        "reads": each, "overlap": overlap, "overlap_readers": overlap_readers,
        "batches": batches, "size": size, "gold": gold_rate, "repeats": repeat_rate,
        "distance": distance, "groups": groups, "seed": seed,
    }  # fmt: skip
    asked = project_plan.Asked(name, settings, readers, seconds, again=again, write=write)
    project_plan.run(asked, home, database=database, blobs=blobs, as_json=as_json)

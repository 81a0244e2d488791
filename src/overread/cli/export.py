"""``overread export PROJECT``: raw reads, consensus or history of a project as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from overread.app.study.conformity import conformity
from overread.app.study.export_labels import FORMS, WHATS, export_labels
from overread.app.study.home import open_home, project_called
from overread.cli.home_options import HOME, BlobsOption, DatabaseOption, HomeOption
from overread.cli.options import JsonOption, console, print_json, progress
from overread.errors import InputError


def run(
    project: Annotated[str, typer.Argument(help="Name or id of the project.")],
    *,
    what: Annotated[str, typer.Option("--what", help=f"{', '.join(WHATS)}.")] = "reads",
    form: Annotated[
        str,
        typer.Option(
            "--format",
            help=f"{', '.join(FORMS)}: COCO for boxes, outlines and masks; masks as pictures.",
        ),
    ] = "csv",
    question: Annotated[
        list[str] | None,
        typer.Option("--question", help="Id of a question; may be said again. All by default."),
    ] = None,
    final: Annotated[
        bool,
        typer.Option("--final", help="Refuse unless all labels conform to the last protocol."),
    ] = False,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder that the file goes to.")
    ] = Path(),
    home: HomeOption = HOME,
    database: DatabaseOption = "",
    blobs: BlobsOption = "",
    as_json: JsonOption = False,
) -> None:
    """Write raw reads, the consensus or the whole history of a project.

    Tables have the default columns, so that **overread agree** and **overread consensus** read them
    as they are; several questions become a .zip with a file each.

    Example: **overread export "Knee study" --what consensus --format parquet**
    """
    if what not in WHATS:
        raise InputError("--what", f"be one of {', '.join(WHATS)}", repr(what))
    if form not in FORMS:
        raise InputError("--format", f"be one of {', '.join(FORMS)}", repr(form))
    if out.exists() and not out.is_dir():
        raise InputError("--out", "be a folder", "a file")
    if not (home / "overread.sqlite").exists() and not database:
        raise InputError("--home", "be a home that overread init made", "another folder")
    opened = open_home(home, database=database, blobs=blobs)
    found = project_called(opened.store, project)
    out.mkdir(parents=True, exist_ok=True)
    with progress("export", quiet=as_json) as tick:
        done = 0

        def count(_: str, more: int) -> None:
            nonlocal done
            done += more
            tick(done, done)

        made = export_labels(
            opened.store,
            found.id,
            out,
            what=what,
            form=form,
            questions=question or (),
            final=final,
            tick=count,
        )
    proof = conformity(opened.store, found.id)
    if as_json:
        told = {"file": str(made), "bytes": made.stat().st_size}
        print_json(told | {"conformity": proof.document()})
    else:
        console().print(f"written: {made}", markup=False, soft_wrap=True)
        console().print(proof.words, markup=False, soft_wrap=True)

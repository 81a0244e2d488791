"""``overread export PROJECT``: raw reads, consensus or history of a project as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from overread.app.study.export_labels import FORMS, WHATS
from overread.app.study.home import open_home, project_called
from overread.app.study.proven_export import proven_export
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
    as they are; several questions become a .zip with a file each. A manifest (in the .zip, else
    beside the file) proves what was written; **overread verify** checks it.

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

        made = proven_export(
            opened.store,
            found.id,
            out,
            what=what,
            form=form,
            by="system",
            questions=question or (),
            final=final,
            tick=count,
        )
    if as_json:
        told = {"file": str(made.file), "bytes": made.file.stat().st_size}
        told |= {"manifest": str(made.manifest), "conformity": made.conformity.document()}
        print_json(told)
        return
    console().print(f"written: {made.file}", markup=False, soft_wrap=True)
    if made.manifest != made.file:
        console().print(f"written: {made.manifest}", markup=False, soft_wrap=True)
    console().print(made.conformity.words, markup=False, soft_wrap=True)

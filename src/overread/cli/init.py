"""``overread init NAME``: a project with its protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from overread.app.study.home import open_home
from overread.app.study.project_protocol import new_project
from overread.cli.home_options import ACTOR, HOME, BlobsOption, DatabaseOption, HomeOption
from overread.cli.options import JsonOption, console, print_json
from overread.errors import InputError
from overread.exchange.atomic import written
from overread.protocol import TEMPLATES, template


def run(
    name: Annotated[str, typer.Argument(help="Name of the project.")],
    *,
    protocol: Annotated[
        Path | None, typer.Option("--protocol", help="Protocol file (YAML).")
    ] = None,
    start_from: Annotated[
        str, typer.Option("--template", help=f"Start from: {', '.join(TEMPLATES)}.")
    ] = "",
    write: Annotated[
        Path | None,
        typer.Option("--write", help="Only write the template to this file, to be edited."),
    ] = None,
    home: HomeOption = HOME,
    database: DatabaseOption = "",
    blobs: BlobsOption = "",
    as_json: JsonOption = False,
) -> None:
    """Make a project from a protocol file or a template.

    Example: **overread init "Knee study" --template knee-grade**
    """
    if (protocol is None) == (not start_from):
        rule = "be given, either one of them"
        raise InputError("--protocol or --template", rule, "both" if protocol else "neither")
    text = template(start_from) if protocol is None else _text(protocol)
    if write is not None:
        with written(write) as file:
            file.write_text(text, encoding="utf-8")
        console().print(f"written: {write}", markup=False)
        return
    opened = open_home(home, database=database, blobs=blobs)
    made = new_project(opened.store, name, text, by=ACTOR)
    if as_json:
        print_json({"project": made, "name": name})
        return
    console().print(f"project {name}: {made}", markup=False)
    console().print(f'Next: overread import "{name}" FOLDER, then overread serve', markup=False)


def _text(path: Path) -> str:
    if not path.is_file():
        raise InputError("protocol", "be a file", "none there")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError("protocol", "be UTF-8 text", "other bytes") from error

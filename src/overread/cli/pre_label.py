"""``overread pre-label PROJECT FILE``: what a model proposes, as an editable start for readers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from overread.app.learning.pre_label_files import read_proposals
from overread.app.learning.pre_label_hints import find_hints
from overread.app.learning.pre_label_import import Kept, bring_pre_labels
from overread.app.learning.pre_label_predicted import bring_predicted
from overread.app.study.home import Home, open_home, project_called
from overread.app.study.project_protocol import protocol_of
from overread.cli.home_options import ACTOR, HOME, BlobsOption, DatabaseOption, HomeOption
from overread.cli.options import JsonOption, console, print_json
from overread.errors import InputError
from overread.protocol import Protocol, Question


def run(
    project: Annotated[str, typer.Argument(help="Name or id of the project.")],
    file: Annotated[
        Path | None,
        typer.Argument(help="CSV, Parquet, COCO .json, JSON lines, a folder of VOC or of masks."),
    ] = None,
    *,
    question: Annotated[str, typer.Option("--question", help="Id, where there are several.")] = "",
    model: Annotated[str, typer.Option("--model", help="Name of the model.")] = "",
    version: Annotated[str, typer.Option("--version", help="Of the model.")] = "1",
    reader: Annotated[str, typer.Option("--reader", help="Whose reads, if several.")] = "",
    predicted: Annotated[
        bool, typer.Option("--predicted", help="What the project's own model says of unread cases.")
    ] = False,
    hints: Annotated[
        bool, typer.Option("--hints", help="Find places that stand out, for the hint layer.")
    ] = False,
    home: HomeOption = HOME,
    database: DatabaseOption = "",
    blobs: BlobsOption = "",
    as_json: JsonOption = False,
) -> None:
    """Bring pre-labels to a project: from a file, from its own model, or hints from its images.

    Readers see them as the protocol says (`pre_label: hidden`, `on demand` or `shown`), and never
    in gold, repeats, checks and audits. A table needs no column `reader`; a column `confidence`
    is kept.

    Example: **overread pre-label "Knee study" grades.csv --model grader --version 2.1**
    """
    if sum((file is not None, predicted, hints)) != 1:
        raise InputError("pre-label", "be a FILE, --predicted or --hints", "none or several")
    opened = open_home(home, database=database, blobs=blobs)
    found = project_called(opened.store, project).id
    if hints:
        kept = Kept(find_hints(opened.store, opened.blobs, found), 0)
    elif predicted:
        kept = bring_predicted(opened.store, found, by=ACTOR)
    else:
        kept = _from_file(opened, found, file or Path(), question, model, version, reader)
    if as_json:
        print_json({"cases": kept.cases, "not_of_the_project": kept.strange})
        return
    what = "looked at" if hints else "with a pre-label"
    console().print(f"{kept.cases:,} {'case' if kept.cases == 1 else 'cases'} {what}")
    if kept.strange:
        console().print(f"{kept.strange:,} of the file are no cases of the project")


def _from_file(  # noqa: PLR0917 - the options of the command
    opened: Home, project: str, file: Path, question: str, model: str, version: str, reader: str
) -> Kept:
    if not file.exists():
        raise InputError("FILE", "be there", "no file")
    asked = _question(protocol_of(opened.store, project).protocol, question)
    named = read_proposals(file, asked, reader=reader)
    name = model or file.stem
    return bring_pre_labels(opened.store, project, named, model=name, version=version, by=ACTOR)


def _question(protocol: Protocol, name: str) -> Question:
    if not name and len(protocol.questions) == 1:
        return protocol.questions[0]
    for one in protocol.questions:
        if one.id == name:
            return one
    rule = f"be one of {', '.join(one.id for one in protocol.questions)}"
    raise InputError("--question", rule, name or "nothing")

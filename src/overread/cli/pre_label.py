"""``overread pre-label PROJECT FILE``: what a model proposes, as an editable start for readers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from overread.app.learning.bring_model import bring_model, stated_of
from overread.app.learning.pre_label_files import read_proposals
from overread.app.learning.pre_label_hints import find_hints
from overread.app.learning.pre_label_import import Kept, bring_pre_labels
from overread.app.learning.pre_label_model import LOOKED, Ran, cases_left, run_model, words_of
from overread.app.learning.pre_label_predicted import bring_predicted
from overread.app.study.home import Home, open_home, project_called
from overread.app.study.project_protocol import protocol_of
from overread.cli.home_options import ACTOR, HOME, BlobsOption, DatabaseOption, HomeOption
from overread.cli.options import JsonOption, console, print_json, progress
from overread.errors import InputError
from overread.latents.onnx_file import SCALES
from overread.protocol import Protocol, Question


def run(
    project: Annotated[str, typer.Argument(help="Name or id of the project.")],
    file: Annotated[
        Path | None,
        typer.Argument(
            help="CSV, Parquet, COCO .json, JSON lines, folder of VOC or masks; an .onnx model."
        ),
    ] = None,
    *,
    question: Annotated[str, typer.Option("--question", help="Id, where there are several.")] = "",
    model: Annotated[str, typer.Option("--model", help="Name of the model.")] = "",
    version: Annotated[
        str, typer.Option("--version", help="Of the model; 1, or of an .onnx file its hash.")
    ] = "",
    classes: Annotated[
        str, typer.Option("--classes", help="Of an .onnx model, in the order of its outputs.")
    ] = "",
    scores: Annotated[
        str, typer.Option("--scores", help="What an .onnx model gives: probabilities or logits.")
    ] = "",
    scale: Annotated[str, typer.Option("--scale", help=f"Of its input: {', '.join(SCALES)}.")] = "",
    side: Annotated[
        str, typer.Option("--side", help="Pixels of its images, where the file leaves them open.")
    ] = "",
    threshold: Annotated[
        str, typer.Option("--threshold", help="From which a finding, a pixel or a box counts: 0.5.")
    ] = "",
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
    """Bring pre-labels to a project: from a file, a model, or hints from its images.

    Readers see them as the protocol says (`pre_label: hidden`, `on demand` or `shown`), and never
    in gold, repeats, checks and audits. A table needs no column `reader`; a column `confidence`
    is kept.

    An .onnx model (a classifier, a segmenter, a detector) is tried apart, kept, and run on the
    cases that nobody has read; the same file again runs on those that came since.

    Example: **overread pre-label "Knee study" grades.csv --model grader --version 2.1**

    Example: **overread pre-label "Knee study" kl.onnx --classes 0,1,2,3,4 --scores logits**
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
        source = file or Path()
        of_model = {
            "classes": classes, "scores": scores, "scale": scale, "side": side,
            "threshold": threshold,
        }  # fmt: skip
        if source.suffix.lower() == ".onnx":
            of_model |= {"model": model, "version": version}
            _from_model(opened, found, source, question, of_model, as_json=as_json)
            return
        given = [f"--{name}" for name, value in of_model.items() if value]
        if given:
            raise InputError(given[0], "go with an .onnx model", "another file")
        kept = _from_file(opened, found, source, question, model, version or "1", reader)
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


def _from_model(
    opened: Home, project: str, file: Path, question: str, given: dict[str, str], *, as_json: bool
) -> None:
    if not file.is_file():
        raise InputError("FILE", "be there", "no file")
    asked = _question(protocol_of(opened.store, project).protocol, question).id
    stated = stated_of(given | {"question": asked}, name=file.stem)
    row = bring_model(opened.store, opened.blobs, project, file, stated, by=ACTOR)
    total, seen = len(cases_left(opened.store, project, row)), 0
    ran = Ran(0, 0, 0)
    if total:
        with progress("cases", quiet=as_json) as told:

            def tick(what: str, more: int) -> None:
                nonlocal seen
                seen += more * (what == LOOKED)
                told(seen, total)

            ran = run_model(opened.store, opened.blobs, project, row.id, by=ACTOR, tick=tick)
    if as_json:
        about = {key: row.about[key] for key in ("name", "version", "classes", "scores", "scale")}
        print_json(about | {"cases": ran.cases, "odd": ran.odd, "gone": ran.gone})
        return
    console().print(f"{row.about['name']}, version {row.about['version']}: {words_of(ran)}")


def _question(protocol: Protocol, name: str) -> Question:
    if not name and len(protocol.questions) == 1:
        return protocol.questions[0]
    for one in protocol.questions:
        if one.id == name:
            return one
    rule = f"be one of {', '.join(one.id for one in protocol.questions)}"
    raise InputError("--question", rule, name or "nothing")

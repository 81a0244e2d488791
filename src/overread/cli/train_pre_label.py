"""``overread train-pre-label PROJECT``: a small network learns from the reads so far."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from overread.app.learning.pre_label_network import DRAWN, WHAT
from overread.app.learning.pre_label_train import train_pre_label
from overread.app.study.home import open_home, project_called
from overread.app.study.project_protocol import protocol_of
from overread.cli.home_options import ACTOR, HOME, BlobsOption, DatabaseOption, HomeOption
from overread.cli.options import JsonOption, console, print_json


def run(
    project: Annotated[str, typer.Argument(help="Name or id of the project.")],
    *,
    question: Annotated[str, typer.Option("--question", help=f"Id of a question of {WHAT}.")] = "",
    steps: Annotated[int, typer.Option("--steps", min=1, max=100_000, help="Of training.")] = 1200,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of all random draws.")] = 0,
    home: HomeOption = HOME,
    database: DatabaseOption = "",
    blobs: BlobsOption = "",
    as_json: JsonOption = False,
) -> None:
    """Train a small U-Net on the masks, boxes or outlines read so far; it proposes for the rest.

    It runs on the CPU, about six steps a second, and goes on where it was stopped. A fifth of
    the labelled patients is set apart, and how like their labels the proposals are is told. The
    network is kept in the home, as ONNX. Needs `pip install "overread[learn]"`.

    Example: **overread train-pre-label "Vessels" --steps 600**
    """
    opened = open_home(home, database=database, blobs=blobs)
    found = project_called(opened.store, project).id
    questions = protocol_of(opened.store, found).protocol.questions
    drawn = [one.id for one in questions if one.kind in DRAWN]
    name = question or (drawn[0] if len(drawn) == 1 else "")

    def tick(done: int, of: int, loss: float) -> None:
        if not as_json and (done % 25 == 0 or done == of):
            console().print(f"step {done:,} of {of:,}, loss {loss:.3f}")

    folder = Path(opened.folder) / "networks" / found
    made = train_pre_label(
        opened.store,
        opened.blobs,
        found,
        name,
        folder,
        steps=steps,
        seed=seed,
        by=ACTOR,
        tick=tick,
    )
    if as_json:
        print_json(asdict(made))
        return
    tested = "no labelled case was set apart"
    if made.likeness is not None:
        tested = f"likeness {made.likeness:.2f} on {made.tested} that were set apart"
    console().print(f"Trained on {made.taught} cases; {tested}.")
    console().print(f"{made.proposed:,} unread cases have its pre-label (u-net {made.version}).")

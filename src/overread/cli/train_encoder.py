"""``overread train-encoder FOLDER``: a network learns from the project's own images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from overread.app.analysis.outputs import refuse_outputs, refuse_suffix
from overread.cli.encode import FolderArgument, WorkOption, opened, refuse_none, report, say_aside
from overread.cli.options import JsonOption, SeedOption, console, print_json, progress
from overread.latents.encoder import Pixels, Wanted
from overread.latents.stream import latents_of


def run(
    folder: FolderArgument,
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="The encoder: an .onnx file.")],
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="Passes over the images.")] = 50,
    side: Annotated[int, typer.Option("--side", min=16, help="Pixels a side.")] = 64,
    colour: Annotated[
        bool, typer.Option("--colour", help="Keep colours; grey by default.")
    ] = False,
    batch: Annotated[int, typer.Option("--batch", min=8, help="Images a step.")] = 128,
    flip: Annotated[
        bool, typer.Option("--flip/--no-flip", help="Mirror images count as alike.")
    ] = True,
    device: Annotated[str, typer.Option("--device", help="cpu, cuda, or auto.")] = "auto",
    threads: Annotated[int, typer.Option("--threads", min=0, help="0: torch decides.")] = 0,
    every: Annotated[
        float, typer.Option("--every", min=0, help="Seconds between two checkpoints.")
    ] = 30.0,
    seed: SeedOption = 0,
    work: WorkOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train an encoder without labels (SimCLR), and write it as ONNX.

    May be stopped, killed too, and begun again with the same words: it goes on from its last
    checkpoint, which lies beside OUT.

    Example: **overread train-encoder ./images --epochs 50 --out encoder.onnx**
    """
    refuse_outputs({"--out": out}, folder)
    refuse_suffix("--out", out, (".onnx",))
    from overread.learn.augment import Changes  # noqa: PLC0415 - torch
    from overread.learn.contrastive import Recipe, train_contrastive  # noqa: PLC0415
    from overread.learn.devices import chosen  # noqa: PLC0415
    from overread.learn.export import export_onnx  # noqa: PLC0415

    used = chosen(device, threads)
    place = work or out.absolute().parent / "overread-latents"
    wanted = Wanted(side, side, 3 if colour else 1)
    with opened(folder) as images, progress("images", quiet=as_json) as tick:
        held = latents_of(images.keys, images.load, Pixels(wanted), place, progress=tick)
    refuse_none(int(held.there.sum()))
    stack = _stack(held.rows, held.there, wanted)
    recipe = Recipe(
        epochs=epochs, batch=batch, seed=seed, changes=Changes(flip=0.5 if flip else 0.0)
    )
    checkpoint = out.with_name(out.name + ".checkpoint")
    with progress("training", quiet=as_json) as tick:
        trained = train_contrastive(
            stack, recipe=recipe, checkpoint=checkpoint, device=used, every=every,
            progress=lambda done, total, _: tick(done, total),
        )  # fmt: skip
    about = f"simclr, {len(stack)} images, {epochs} epochs, seed {seed}"
    export_onnx(trained.module, out, about=about)
    checkpoint.unlink(missing_ok=True)
    told: dict[str, Any] = report(images, held.there) | {
        "epochs": epochs, "seconds": round(trained.seconds, 1), "device": used,
        "losses": [round(one, 4) for one in trained.losses],
    }  # fmt: skip
    if as_json:
        print_json(told)
        return
    first, last = told["losses"][0], told["losses"][-1]
    console().print(
        f"{told['images']:,} images, {epochs} epochs in {told['seconds']:,} s on {used}; "
        f"loss {first} -> {last} -> {out.name}",
        markup=False,
    )
    say_aside(told)


def _stack(rows: Any, there: Any, wanted: Wanted) -> Any:
    """The images as one array; a table that lies in a file stays there where it is whole."""
    kept = rows if there.all() else np.ascontiguousarray(rows[there])
    return kept.reshape(-1, wanted.rows, wanted.columns, wanted.channels)

"""``overread encode FOLDER``: images as vectors."""

from __future__ import annotations

import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from overread.app.analysis.named_encoder import named_encoder
from overread.app.analysis.outputs import refuse_outputs, refuse_suffix
from overread.cli.options import JsonOption, console, print_json, progress
from overread.errors import InputError
from overread.exchange import write_table
from overread.exchange.atomic import written
from overread.images import Child, Limits
from overread.images.folder import ImageFolder, image_folder
from overread.latents.joining import join
from overread.latents.onnx_file import SCALES
from overread.latents.stream import Latents, latents_of_all
from overread.latents.table import Project, default_chain

SUFFIXES = (".npz", ".parquet", ".csv")
FolderArgument = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="Folder of images, searched to its bottom.")
]
WorkOption = Annotated[
    Path | None,
    typer.Option("--work", help="Folder of what is kept; by default overread-latents beside OUT."),
]


def run(
    folder: FolderArgument,
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="File: .npz, .parquet or .csv.")],
    encoder: Annotated[
        str,
        typer.Option(
            "--encoder",
            "-e",
            help="quick, efficientnet-lite0, an .onnx file, timm:NAME, hf:OWNER/NAME; several, "
            "comma-separated, are joined. By default what is installed.",
        ),
    ] = "",
    size: Annotated[
        int, typer.Option("--size", min=1, help="Main axes kept of each encoder.")
    ] = 128,
    apart: Annotated[
        bool, typer.Option("--apart", help="Write each encoder's own latents (.npz).")
    ] = False,
    scale: Annotated[
        str, typer.Option("--scale", help=f"Input of an .onnx file: {', '.join(SCALES)}.")
    ] = "",
    threads: Annotated[int, typer.Option("--threads", min=1, help="Of the networks.")] = 1,
    work: WorkOption = None,
    as_json: JsonOption = False,
) -> None:
    """Describe each image by a vector, without labels.

    May be stopped and begun again: what was computed is kept, by content of the image.

    Example: **overread encode ./images --encoder quick,efficientnet-lite0 --out latents.npz**
    """
    refuse_outputs({"--out": out}, folder)
    refuse_suffix("--out", out, SUFFIXES)
    if apart and out.suffix.lower() != ".npz":
        raise InputError("--apart", "go with an .npz file", out.suffix)
    names = [one.strip() for one in encoder.split(",")] if encoder else list(default_chain())
    with opened(folder) as images, progress("images", quiet=as_json) as tick:
        place = work or out.absolute().parent / "overread-latents"
        project = Project(place, images.keys, images.load, threads, tick)
        chain = [named_encoder(name, project, scale=scale) for name in names]
        made = latents_of_all(project.keys, project.load_image, chain, place, progress=tick)
    there = np.logical_and.reduce([one.there for one in made])
    refuse_none(int(there.sum()))
    cases = np.array(images.names)[there]
    _write(out, cases, [one.rows[there] for one in made], names, made, size=size, apart=apart)
    told = report(images, there) | {
        "encoders": {one.encoder: one.version for one in made},
        "latents": {one.encoder: int(one.rows.shape[1]) for one in made},
    }
    if as_json:
        print_json(told)
        return
    console().print(f"{told['images']:,} images by {', '.join(names)} -> {out.name}", markup=False)
    say_aside(told)


def _write(
    out: Path, cases: Any, rows: list[Any], names: list[str], made: list[Latents], *,
    size: int, apart: bool,
) -> None:  # fmt: skip
    if out.suffix.lower() == ".npz":
        parts = {f"latents_{at}": part for at, part in enumerate(rows)} if apart else {}
        if not apart:
            parts["latents"] = join(rows, size=size)
        told = {"cases": cases, "encoders": np.array(names)}
        told["versions"] = np.array([one.version for one in made])
        with written(out) as part, part.open("wb") as file:
            np.savez(file, allow_pickle=False, **(told | parts))
        return
    import polars as pl  # noqa: PLC0415 - tables alone need it

    joined = join(rows, size=size)
    table = pl.DataFrame({"case": cases.tolist()}).hstack(
        pl.DataFrame(joined, schema=[f"z{at}" for at in range(joined.shape[1])])
    )
    write_table(table, out)


@contextmanager
def opened(folder: Path) -> Generator[ImageFolder]:
    """A folder's images, with the child that decodes them while they are looked at."""
    if not folder.exists():
        raise InputError("folder of images", "be there", "nothing at this path")
    with Child(secrets.token_bytes(32), Limits()) as child:
        yield image_folder(folder, child)


def refuse_none(count: int) -> None:
    """Refuse a folder without one readable image."""
    if count == 0:
        remedy = "DICOM, PNG, JPEG, TIFF and NIfTI are read."
        raise InputError("folder of images", "hold an image", "none", remedy=remedy)


def report(images: ImageFolder, there: Any) -> dict[str, Any]:
    """What was found, and what was not."""
    return {
        "images": int(there.sum()),
        "set_aside": len(images.aside) + int((~there).sum()),
        "reasons": sorted({one.reason for one in images.aside}),
    }


def say_aside(told: dict[str, Any]) -> None:
    """Say what was left out."""
    if told["set_aside"]:
        console().print(f"{told['set_aside']:,} files set aside: no image, or gone")
    for reason in told["reasons"]:
        console().print(f"  {reason}", markup=False)

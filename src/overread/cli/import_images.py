"""``overread import PROJECT FOLDER``: images into a project."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from overread.app.study.home import open_home, project_called
from overread.app.study.import_upload import import_upload, quarantined_files
from overread.cli.home_options import ACTOR, HOME, BlobsOption, DatabaseOption, HomeOption
from overread.cli.options import JsonOption, console, print_json, progress
from overread.errors import InputError


def run(
    project: Annotated[str, typer.Argument(help="Name or id of the project.")],
    folder: Annotated[Path, typer.Argument(help="Folder of images, searched to its bottom.")],
    *,
    home: HomeOption = HOME,
    database: DatabaseOption = "",
    blobs: BlobsOption = "",
    as_json: JsonOption = False,
) -> None:
    """Import DICOM, PNG, JPEG, TIFF and NIfTI; what cannot be read is set aside with its reason.

    May be stopped and begun again: the same content is kept once.

    Example: **overread import "Knee study" ./images**
    """
    if not folder.exists():
        raise InputError("folder of images", "be there", "nothing at this path")
    opened = open_home(home, database=database, blobs=blobs)
    found = project_called(opened.store, project)
    counts: dict[str, int] = {}
    with progress("cases", quiet=as_json) as tick:

        def stop() -> bool:
            done = sum(counts.values())
            tick(done, done)
            return False

        import_upload(
            opened.store, opened.blobs, found.id, folder,
            by=ACTOR, key=opened.secret, counts=counts, stop=stop,
        )  # fmt: skip
    aside = quarantined_files(opened.store, found.id)
    document: dict[str, Any] = {
        **counts, "reasons": sorted({one.reason for one in aside}),
    }  # fmt: skip
    if as_json:
        print_json(document)
        return
    console().print(", ".join(f"{n:,} {what}" for what, n in counts.items()) or "no image found")
    for reason in document["reasons"]:
        console().print(f"  set aside: {reason}", markup=False)

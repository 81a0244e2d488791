"""``overread import PROJECT FOLDER``: images into a project."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from overread.app.study.home import open_home, project_called
from overread.app.study.import_upload import DONE, import_upload, quarantined_files
from overread.app.study.stated_groups import stated_in_folder
from overread.cli.home_options import ACTOR, HOME, BlobsOption, DatabaseOption, HomeOption
from overread.cli.options import JsonOption, console, print_json, progress
from overread.errors import InputError


def run(
    project: Annotated[str, typer.Argument(help="Name or id of the project.")],
    folder: Annotated[Path, typer.Argument(help="Folder of images, searched to its bottom.")],
    *,
    patients: Annotated[
        Path | None,
        typer.Option(
            help="Table with the columns file and patient (or video, or group). "
            "By default patients.csv, groups.csv or videos.csv in the folder."
        ),
    ] = None,
    pattern: Annotated[
        str,
        typer.Option(
            help="Regular expression with one group: the patient in a file's name (in its path, "
            "where it has a slash), for files that the table does not name."
        ),
    ] = "",
    preview: Annotated[
        bool, typer.Option("--preview", help="Tell how many patients it makes; import nothing.")
    ] = False,
    home: HomeOption = HOME,
    database: DatabaseOption = "",
    blobs: BlobsOption = "",
    as_json: JsonOption = False,
) -> None:
    r"""Import DICOM, PNG, JPEG, TIFF and NIfTI; what cannot be read is set aside with its reason.

    May be stopped and begun again: the same content is kept once. Of whom pictures are is said by
    a table or by their names; given again with the same images, it changes that of cases there.

    Example: **overread import "Knee study" ./images --pattern '^(\d+)_' --preview**
    """
    if not folder.exists():
        raise InputError("folder of images", "be there", "nothing at this path")
    opened = open_home(home, database=database, blobs=blobs)
    found = project_called(opened.store, project)
    stated = stated_in_folder(folder, opened.secret, table=patients, pattern=pattern)
    if preview:
        _tell(stated.counts, as_json=as_json)
        return
    counts: dict[str, int] = {}
    with progress("cases", quiet=as_json) as tick:

        def stop() -> bool:
            done = sum(counts.get(what, 0) for what in DONE)
            tick(done, done)
            return False

        import_upload(
            opened.store, opened.blobs, found.id, folder,
            by=ACTOR, key=opened.secret, counts=counts, stop=stop, stated=stated,
        )  # fmt: skip
    aside = quarantined_files(opened.store, found.id)
    document: dict[str, Any] = {
        **counts, "reasons": sorted({one.reason for one in aside}),
    }  # fmt: skip
    if as_json:
        print_json(document)
        return
    _tell(counts, as_json=False)
    for reason in document["reasons"]:
        console().print(f"  set aside: {reason}", markup=False)


def _tell(counts: Mapping[str, int], *, as_json: bool) -> None:
    if as_json:
        print_json(dict(counts))
        return
    console().print(", ".join(f"{n:,} {what}" for what, n in counts.items()) or "no image found")

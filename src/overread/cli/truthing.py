"""``overread truthing PROJECT``: how the truth of a project was made, for a regulator."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from overread.app.quality.truthing_report import truthing
from overread.app.quality.truthing_sheet import sheet
from overread.app.study.home import open_home, project_called
from overread.cli.home_options import HOME, BlobsOption, DatabaseOption, HomeOption
from overread.cli.options import JsonOption, console, print_json
from overread.errors import InputError
from overread.report import require, write_html, write_pdf


def run(
    project: Annotated[str, typer.Argument(help="Name or id of the project.")],
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="The page (.html).")] = Path(
        "truthing.html"
    ),
    pdf: Annotated[Path | None, typer.Option("--pdf", help="The document (.pdf), as well.")] = None,
    names: Annotated[bool, typer.Option("--names", help="Tell readers by their names.")] = False,
    home: HomeOption = HOME,
    database: DatabaseOption = "",
    blobs: BlobsOption = "",
    as_json: JsonOption = False,
) -> None:
    """Report how truth was made: readers, blinding, agreement, drift, adjudication, corrections.

    Readers are R1, R2 ... unless **--names**; the last lines tell how the log is checked.

    Example: **overread truthing "Knee study" --out truthing.html --pdf truthing.pdf**
    """
    if out.suffix.lower() not in {".html", ".htm"}:
        raise InputError("--out", "end in .html", out.name)
    if not (home / "overread.sqlite").exists() and not database:
        raise InputError("--home", "be a home that overread init made", "another folder")
    require(pdf=pdf is not None)
    opened = open_home(home, database=database, blobs=blobs)
    try:
        found = project_called(opened.store, project)
        day = f"{datetime.now(UTC):%Y-%m-%d}"
        told = truthing(opened.store, found.id, date=day, named=names)
    finally:
        opened.store.close()
    drawn = sheet(told)
    made = [write_html(drawn, out)]
    if pdf is not None:
        made.append(write_pdf(drawn, pdf))
    if as_json:
        print_json(told | {"files": [str(one) for one in made]})
        return
    for one in made:
        console().print(f"written: {one}", markup=False, soft_wrap=True)
    console().print(f"{told['conformity']['words']}.", markup=False, soft_wrap=True)
    head = told["log"]
    told_head = f"head of the log: {head['events']}:{head['head']}"
    console().print(told_head, markup=False, soft_wrap=True)

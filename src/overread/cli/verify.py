"""``overread verify``: the log of a home, checked event by event."""

from __future__ import annotations

from typing import Annotated

import typer

from overread.app.study.home import open_home
from overread.app.study.verify_log import verified
from overread.cli.home_options import HOME, BlobsOption, DatabaseOption, HomeOption
from overread.cli.options import JsonOption, console, print_json
from overread.errors import InputError


def run(
    *,
    head: Annotated[
        str,
        typer.Option("--head", help="A head that was kept: EVENTS:HASH, as truthing prints it."),
    ] = "",
    home: HomeOption = HOME,
    database: DatabaseOption = "",
    blobs: BlobsOption = "",
    as_json: JsonOption = False,
) -> None:
    """Check that nothing in the log was changed, left out or put in.

    Without **--head** a log that was cut off at its end looks whole: keep the head that
    **overread truthing** prints outside of the server. Exit code 1 when the log is not sound.

    Example: **overread verify --head 1204:9f2c...**
    """
    if not (home / "overread.sqlite").exists() and not database:
        raise InputError("--home", "be a home that overread init made", "another folder")
    opened = open_home(home, database=database, blobs=blobs)
    try:
        told = verified(opened.store, head)
    finally:
        opened.store.close()
    if as_json:
        print_json(told)
    else:
        console().print(told["words"], markup=False, soft_wrap=True)
    if not told["sound"]:
        raise typer.Exit(1)

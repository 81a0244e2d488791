"""``overread verify``: the log of a home, checked event by event; an export; a certificate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from overread.app.learning.verify_certificate import (
    is_certificate,
    verified_certificate,
    verified_papers,
)
from overread.app.study.home import open_home
from overread.app.study.proven_export import verified_export
from overread.app.study.verify_log import verified
from overread.cli.home_options import HOME, BlobsOption, DatabaseOption, HomeOption
from overread.cli.options import JsonOption, console, print_json
from overread.errors import InputError


def run(
    export: Annotated[
        Path | None,
        typer.Argument(
            help="An export: .zip, file with its manifest beside it, folder. Or a certificate."
        ),
    ] = None,
    *,
    log: Annotated[
        bool,
        typer.Option("--log", help="Of an export: ask the log of the home that made it, too."),
    ] = False,
    head: Annotated[
        str,
        typer.Option("--head", help="A head that was kept: EVENTS:HASH, as truthing prints it."),
    ] = "",
    of: Annotated[
        Path | None,
        typer.Option(
            "--of", help="Of a certificate: the exported consensus whose labels it is of."
        ),
    ] = None,
    key: Annotated[
        str,
        typer.Option("--key", help="Of a certificate: fingerprint of the key, 16 digits or more."),
    ] = "",
    home: HomeOption = HOME,
    database: DatabaseOption = "",
    blobs: BlobsOption = "",
    as_json: JsonOption = False,
) -> None:
    """Check that nothing in the log was changed, left out or put in.

    Without **--head** a log that was cut off at its end looks whole: keep the head that
    **overread truthing** prints outside of the server. An EXPORT is held against its manifest
    instead, its certificates against their signatures and its labels, and with **--log** its
    manifest against the log. A certificate alone is held against its signature, and with **--of**
    against the labels of an export. Exit code 1 when it is not sound.

    Example: **overread verify --head 1204:9f2c...**
    """
    if export is not None:
        if head:
            raise InputError("--head", "be left out where an export is checked", "a head")
        if is_certificate(export):
            _told(verified_certificate(export, export=of, key=key), export, as_json=as_json)
            return
        _export(export, home, database, blobs, log=log, as_json=as_json)
        return
    _require_home(home, database)
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


def _export(path: Path, home: Path, database: str, blobs: str, *, log: bool, as_json: bool) -> None:
    told = verified_export(path)
    verified_papers(told, path)
    if log and told["sound"]:
        _require_home(home, database)
        opened = open_home(home, database=database, blobs=blobs)
        try:
            told = verified_export(path, opened.store)
            verified_papers(told, path)
            _with_log(told, verified(opened.store, told["log"]))
        finally:
            opened.store.close()
    _told(told, path, as_json=as_json)


def _told(told: dict[str, Any], path: Path, *, as_json: bool) -> None:
    if as_json:
        print_json(told)
    else:
        for line in told["words"]:
            shown = line.replace("{export}", str(path))
            console().print(shown, markup=False, soft_wrap=True)
    if not told["sound"]:
        raise typer.Exit(1)


def _with_log(told: dict[str, Any], of_log: dict[str, Any]) -> None:
    told["sound"] = told["sound"] and of_log["sound"]
    told["words"].append(of_log["words"])


def _require_home(home: Path, database: str) -> None:
    if not (home / "overread.sqlite").exists() and not database:
        raise InputError("--home", "be a home that overread init made", "another folder")

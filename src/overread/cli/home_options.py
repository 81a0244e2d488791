"""Options that the commands on projects share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

HomeOption: TypeAlias = Annotated[
    Path, typer.Option("--home", envvar="OVERREAD_HOME", help="Folder of database and images.")
]
DatabaseOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--database",
        envvar="OVERREAD_DATABASE",
        help="postgresql://user:password@host/name; by default a SQLite file in the home.",
    ),
]
BlobsOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--blobs",
        envvar="OVERREAD_BLOBS",
        help="Folder or URL (s3://...) of the images; by default in the home.",
    ),
]

HOME = Path("overread-home")
ACTOR = "command line"
"""Who did it, in the log of events."""

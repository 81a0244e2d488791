"""``overread login-link EMAIL``: a one-time link for somebody who cannot log in."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from overread.app.study.home import open_home, project_called
from overread.app.study.sign_in import open_login_link
from overread.cli.home_options import ACTOR, HOME, BlobsOption, DatabaseOption, HomeOption
from overread.cli.options import console
from overread.web.access.tokens import new_token, token_hash


def run(
    email: Annotated[str, typer.Argument(help="E-mail address of the account.")],
    *,
    project: Annotated[str, typer.Option("--project", help="Project that it opens.")] = "",
    hours: Annotated[
        float, typer.Option("--hours", min=0.1, max=168, help="How long it works.")
    ] = 1,
    address: Annotated[
        str, typer.Option("--address", help="How people reach the server.")
    ] = "http://127.0.0.1:8000",
    home: HomeOption = HOME,
    database: DatabaseOption = "",
    blobs: BlobsOption = "",
) -> None:
    """Print a link that logs somebody in, once: for a forgotten password, say.

    Who has the link is that person: hand it over as you would hand over a key.

    Example: **overread login-link reader@hospital.example**
    """
    opened = open_home(home, database=database, blobs=blobs)
    found = project_called(opened.store, project).id if project else ""
    token = new_token()
    made = open_login_link(
        opened.store,
        email,
        token_hash(token),
        lasts=timedelta(hours=hours),
        by=ACTOR,
        project=found,
    )
    console().print(f"{address.rstrip('/')}/login/link/{token}", soft_wrap=True, markup=False)
    console().print(f"It works once, until {made.expires[:16]} UTC.", markup=False)

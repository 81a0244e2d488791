"""``overread serve``: the web application."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from overread.app.study.home import open_home
from overread.app.study.invite import open_set_up
from overread.cli.home_options import HOME, BlobsOption, DatabaseOption, HomeOption
from overread.cli.options import console
from overread.store import utc_now
from overread.web import create_app
from overread.web.access.tokens import new_token, token_hash
from overread.web.server import serve


def run(
    *,
    home: HomeOption = HOME,
    database: DatabaseOption = "",
    blobs: BlobsOption = "",
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535)] = 8000,
    address: Annotated[
        str, typer.Option("--address", help="How people reach it: https://reads.example.")
    ] = "",
    beyond: Annotated[
        bool,
        typer.Option("--beyond", help="Listen beyond this machine: a proxy with https is before."),
    ] = False,
    proxies: Annotated[
        str, typer.Option("--proxies", help="Addresses of trusted proxies, with commas.")
    ] = "",
    images: Annotated[
        Path | None,
        typer.Option("--images", help="Folder whose sub-folders a lead may import by page."),
    ] = None,
    reports: Annotated[
        Path | None,
        typer.Option("--reports", help="Folder of reports (HTML, PDF, CSV) that leads may open."),
    ] = None,
) -> None:
    """Serve projects, the reading page and the lead's pages.

    Example: **overread serve --home ./study**
    """
    opened = open_home(home, database=database, blobs=blobs)
    reached = address or f"http://{host}:{port}"
    name = reached.split("://", 1)[-1].split("/", 1)[0].rsplit(":", 1)[0]
    app = create_app(
        opened.store,
        opened.blobs,
        secret=opened.secret,
        clock=utc_now,
        hosts={"127.0.0.1", "localhost", "[::1]", name},
        secure=reached.startswith("https://"),
        address=reached,
        import_root=images,
        upload_folder=opened.folder / "uploads",
        reports=reports,
        key_folder=opened.folder,
    )
    token = new_token()
    if open_set_up(opened.store, token_hash(token)):
        console().print("The first start: open this link once to make the first account.")
        console().print(f"{reached}/set-up/{token}", soft_wrap=True, markup=False)
    console().print(f"Overread is at {reached} (stop: Ctrl-C)", markup=False)
    serve(app, host=host, port=port, beyond=beyond, proxies=proxies)

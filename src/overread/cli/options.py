"""What the commands share: how a table of reads is read, and how results are printed."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import MISSING, fields
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from overread.app.read_table import ReadingOptions

ReadsArgument = Annotated[
    Path,
    typer.Argument(
        metavar="READS",
        help="CSV, TSV or Parquet table; COCO .json; a folder of VOC .xml or of masks.",
        show_default=False,
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document and nothing else.")
]
LevelOption = Annotated[
    float, typer.Option("--level", min=0.5, max=0.999, help="Coverage of the intervals.")
]
SeedOption = Annotated[int, typer.Option("--seed", help="Seed of all random draws.")]

_PANEL = "How READS is read"


def reading(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of :class:`ReadingOptions`, gathered into its first argument.

    Every command that reads a table has the same fourteen options; they are the fields of one
    dataclass, and typer learns of them through the wrapper's signature.
    """
    hints = get_type_hints(ReadingOptions, include_extras=True)
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    shared = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default if field.default is not MISSING else inspect.Parameter.empty,
            annotation=Annotated[
                hints[field.name],
                typer.Option(
                    f"--{field.name.replace('_', '-')}",
                    help=field.metadata["help"],
                    rich_help_panel=_PANEL,
                    show_default=field.default not in (None, ""),
                ),
            ],
        )
        for field in fields(ReadingOptions)
    ]

    @wraps(command)
    def wrapper(**arguments: Any) -> None:
        options = ReadingOptions(**{p.name: arguments.pop(p.name) for p in shared})
        command(options, **arguments)

    wrapper.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own] + shared
    )
    del wrapper.__wrapped__
    wrapper.__annotations__ = {p.name: p.annotation for p in [*own, *shared]}
    return wrapper


def print_json(document: object) -> None:
    """One JSON document on standard output; not-a-number is written as null."""
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))


def console() -> Console:
    """Terminal for results."""
    return Console(highlight=False)


@contextmanager
def progress(what: str, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error; yields a function to call with (done, in all)."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    terminal = Console(stderr=True)
    hidden = quiet or not terminal.is_terminal
    with Progress(*columns, console=terminal, transient=True, disable=hidden) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)

"""What the commands share: how a table of reads is read, and how results are printed."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from overread.errors import InputError
from overread.exchange import Columns, ReadOptions, read_reads
from overread.exchange.subgroups import subgroup_of_cases
from overread.labels import CANNOT_BE_READ, Kind, Reads

ReadsArgument = Annotated[
    Path,
    typer.Argument(
        metavar="READS",
        help="CSV, TSV or Parquet table; COCO .json; a folder of VOC .xml or of masks.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document, nothing else.")]
LevelOption = Annotated[
    float, typer.Option("--level", min=0.5, max=0.999, help="Coverage of the intervals.")
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Seed of all random draws.")]

_PANEL = "How READS is read"
_KINDS = ", ".join(kind.value for kind in Kind)


def _option(default: Any, text: str) -> Any:
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """How READS is read; the same options in every command that reads one."""

    kind: str = _option("", f"Label kind: {_KINDS}. By default what the columns suggest.")
    ordinal: bool = _option(False, "The labels are grades, from least to most.")
    classes: str = _option("", "Classes allowed, in order, comma-separated.")
    repeats: str = _option("error", "Second read of a case by a reader: error, keep, first, last.")
    unreadable: str = _option(CANNOT_BE_READ, 'The answer that means "cannot be read".')
    blank: str = _option("error", "A row without an answer: error, or skip.")
    case: str = _option("case", "Column of the case.")
    reader: str = _option("reader", "Column of the reader.")
    label: str = _option("label", "Column of the class.")
    value: str = _option("value", "Column of a score.")
    skip: str = _option("", "Multi-label: columns that are no classes, comma-separated.")
    corners: str = _option("x1,y1,x2,y2", "Columns of a box, comma-separated.")
    time: str | None = _option(None, "Column of the time of a read.")
    seconds: str | None = _option(None, "Column of the reading seconds.")
    protocol: str | None = _option(None, "Column of the protocol version.")
    group: str | None = _option(None, "Column of the patient: drawn together in intervals.")

    def read(self, source: Path, *, by: str = "") -> Reads:
        """Read the table, folder or file. Args: by: a column of subgroups, so no class."""
        options = replace(self.as_read_options(), kind=self._kind())
        options = replace(options, skip=(*options.skip, by) if by else options.skip)
        return read_reads(source, options)

    def subgroup(self, source: Path, column: str, reads: Reads) -> list[str]:
        """Subgroup of each case from a column of the table."""
        return subgroup_of_cases(source, reads.index, self.case, column)

    def _kind(self) -> Kind | None:
        if not self.kind:
            return Kind.ORDINAL if self.ordinal else None
        if self.kind not in {kind.value for kind in Kind}:
            raise InputError("--kind", f"be one of {_KINDS}", f"{self.kind!r}")
        return Kind(self.kind)

    def as_read_options(self) -> ReadOptions:
        """The same in the words of :class:`overread.exchange.ReadOptions`."""
        corners = [name.strip() for name in self.corners.split(",")]
        if len(corners) != 4:
            raise InputError("--corners", "name four columns", self.corners)
        columns = Columns(
            self.case, self.reader, self.label, self.value,
            x1=corners[0], y1=corners[1], x2=corners[2], y2=corners[3],
            time=self.time, seconds=self.seconds, protocol=self.protocol, group=self.group,
        )  # fmt: skip
        classes = [name.strip() for name in self.classes.split(",")] if self.classes else None
        return ReadOptions(
            columns=columns,
            classes=classes,
            repeats=self.repeats,  # type: ignore[arg-type]
            blank=self.blank,  # type: ignore[arg-type]
            unreadable=self.unreadable,
            skip=[name.strip() for name in self.skip.split(",")] if self.skip else (),
        )


def reading(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of :class:`ReadingOptions`, gathered into its first argument.

    Every command that reads a table has the same options; they are the fields of one dataclass,
    and typer learns of them through the wrapper's signature.
    """
    hints = get_type_hints(ReadingOptions)
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    shared = [
        inspect.Parameter(
            one.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=one.default,
            annotation=Annotated[
                hints[one.name],
                typer.Option(
                    f"--{one.name}",
                    help=one.metadata["help"],
                    rich_help_panel=_PANEL,
                    show_default=bool(one.default),
                ),
            ],
        )
        for one in fields(ReadingOptions)
    ]

    def wrapper(**arguments: Any) -> None:
        how = ReadingOptions(**{p.name: arguments.pop(p.name) for p in shared})
        command(how, **arguments)

    parameters = [*(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own), *shared]
    wrapper.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {p.name: p.annotation for p in parameters}
    wrapper.__doc__ = command.__doc__
    return wrapper


def print_json(document: object) -> None:
    """One JSON document on standard output; not-a-number is refused, so write None before."""
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))


def console() -> Console:
    """Terminal for results."""
    return Console(highlight=False)


@contextmanager
def progress(what: str, *, quiet: bool) -> Generator[Callable[[int, int], None]]:
    """A progress bar on standard error; yields a function to call with (done, in all)."""
    terminal = Console(stderr=True)
    hidden = quiet or not terminal.is_terminal
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=terminal, transient=True, disable=hidden) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)

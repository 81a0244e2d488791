"""Entry point: registers the commands, and turns errors into exit codes in one place."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Annotated

import typer
from rich.console import Console

from overread import __version__
from overread.errors import InputError, MethodError, MissingExtraError, OverreadError

EXIT_INPUT = 2
EXIT_MISSING_EXTRA = 3
EXIT_METHOD = 4
EXIT_STOPPED = 130

# name -> module; a command's module is imported when it is asked for
COMMANDS = {
    "agree": "agree",
    "consensus": "consensus",
    "compare": "compare",
    "report": "report",
    "next": "next_reads",
    "plan": "plan",
    "simulate": "simulate",
    "monitor": "monitor",
    "methods": "methods",
    "check-labels": "check_labels",
    "demo": "demo",
    "init": "init",
    "import": "import_images",
    "gold": "gold",
    "pre-label": "pre_label",
    "train-pre-label": "train_pre_label",
    "encode": "encode",
    "train-encoder": "train_encoder",
    "export-encoder": "export_encoder",
    "export": "export",
    "truthing": "truthing",
    "verify": "verify",
    "serve": "serve",
    "openapi": "openapi",
    "login-link": "login_link",
}


def program(names: Sequence[str] = tuple(COMMANDS)) -> typer.Typer:
    """Put together the program with these commands, all of them by default."""
    app = typer.Typer(
        name="overread",
        no_args_is_help=True,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        help="Labels of known quality from several readers: agreement, consensus, reports.\n\n"
        "READS is a table (CSV, TSV, Parquet) with the columns `case`, `reader`, `label`; boxes "
        "add `x1`, `y1`, `x2`, `y2`. COCO files, VOC folders and folders of masks are read too.",
    )
    for name in names:
        try:
            found = import_module(f"overread.cli.{COMMANDS[name]}")
            if hasattr(found, "group"):  # a command of several words
                app.add_typer(found.group, name=name)
            else:
                app.command(name)(found.run)
        except MissingExtraError as error:
            app.command(name, context_settings=_ANY_WORDS)(_lacking(error))
    app.callback()(_options)
    return app


_ANY_WORDS = {"allow_extra_args": True, "ignore_unknown_options": True}


def _lacking(error: MissingExtraError) -> Callable[[], None]:
    """A command that can only say what to install."""

    def run() -> None:
        raise error

    run.__doc__ = f"({error})"
    return run


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"overread {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """Hold the options of the program itself."""


def _asked_for(words: Sequence[str]) -> Sequence[str]:
    """Hold to the one command of these words; what is none needs the list of all."""
    first = next((word for word in words if not word.startswith("-")), "")
    return (first,) if first in COMMANDS else tuple(COMMANDS)


def main() -> None:
    """Run the command line; exit codes: 0 done, 2 bad input, 3 missing extra, 4 method.

    130 is stopped by Ctrl-C.
    """
    try:
        program(_asked_for(sys.argv[1:]))()
    except InputError as error:
        _fail("Input", error, EXIT_INPUT)
    except MissingExtraError as error:
        _fail("Missing", error, EXIT_MISSING_EXTRA)
    except MethodError as error:
        _fail("Method", error, EXIT_METHOD)
    except OverreadError as error:  # of the store: newer than this program, busy, full
        _fail("Store", error, EXIT_METHOD)
    except OSError as error:  # a full disk, a file taken away: no fault of the program
        _fail("System", error.strerror or type(error).__name__, EXIT_INPUT)
    except SystemExit as stop:  # typer turns Ctrl-C into this
        if stop.code == EXIT_STOPPED:
            Console(stderr=True).print("stopped; nothing half-written", style="yellow")
        raise


def _fail(what: str, error: object, code: int) -> None:
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    console.print(f"[bold red]{what}:[/]", end=" ")
    console.print(str(error), markup=False)
    sys.exit(code)

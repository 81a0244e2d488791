"""Write docs/commands.md from the commands themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer.main

from overread.cli.main import program

_PAGE = Path(__file__).parent / "commands.md"

_HEAD = """# Commands

Made from the commands by `docs/make_commands.py`; `overread NAME --help` says the same.

READS is a table (CSV, TSV, Parquet) with the columns `case, reader, label`; a COCO `.json`; a
folder of VOC `.xml`, or of masks: see [formats](formats.md). Every command that reads one takes the
options under *How READS is read*, so that any table can be read as it is.

Exit codes: 0 done, 2 bad input (row, rule and value are said, nothing is half-written), 3 a package
is missing (the message names the extra), 4 the method cannot be applied here, 130 stopped.
Results go to standard output, progress and errors to standard error; `--json` prints one JSON
document and nothing else.
"""


def main() -> None:
    """Write the page."""
    group: Any = typer.main.get_command(program())
    parts = [_HEAD]
    shared: dict[str, str] = {}
    for name, command in group.commands.items():
        parts.append(_section(f"## overread {name}", command, shared))
        for word, inner in getattr(command, "commands", {}).items():
            parts.append(_section(f"### overread {name} {word}", inner, shared))
    table = "\n".join(["| option | meaning |", "|---|---|", *shared.values()])
    parts.append(f"## How READS is read\n\n{table}\n")
    _PAGE.write_text("\n".join(parts), encoding="utf-8")


def _section(head: str, command: Any, shared: dict[str, str]) -> str:
    rows = []
    for parameter in command.params:
        options = [o for o in parameter.opts + parameter.secondary_opts if o.startswith("-")]
        if not options:
            continue
        row = f"| {', '.join(f'`{o}`' for o in options)} | {_help(parameter)} |"
        panel = getattr(parameter, "rich_help_panel", None)
        if panel:
            shared[options[0]] = row
        else:
            rows.append(row)
    table = "\n".join(["| option | meaning |", "|---|---|", *rows])
    return f"{head}\n\n{_words(command)}\n\n{table}\n" if rows else f"{head}\n\n{_words(command)}\n"


def _words(command: Any) -> str:
    lines = (command.help or "").strip().split("\n")
    return (
        "\n".join(line.strip() for line in lines)
        .replace("**overread", "`overread")
        .replace("**", "`")
    )


def _help(parameter: Any) -> str:
    words = (parameter.help or "").replace("|", "\\|").replace("<", "&lt;")
    default = parameter.default
    plain = isinstance(default, (str, int, float)) and not isinstance(default, bool)
    return f"{words} Default: `{default}`." if plain and default != "" else words


if __name__ == "__main__":
    main()

"""Run every benchmark in full (or ``--small``), or those named, into docs/benchmarks.md."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from _common import arguments

_HERE = Path(__file__).parent
_PAGE = _HERE.parent / "docs" / "benchmarks.md"
_HEAD = """# Benchmarks

Every figure below is printed by a file in `benchmarks/`; peers run in the same process, in turn,
on the same machine. `make bench` writes this page anew; `python benchmarks/all.py NAME ...` runs
some and leaves the other sections.
"""


def main() -> None:
    """Run each file beside this one, in a process of its own, and keep its last line."""
    asked = arguments(__doc__, names=True)
    every = {path.stem: path for path in sorted(_HERE.glob("[!_]*.py")) if path != Path(__file__)}
    strange = sorted(set(asked.names) - set(every))
    if strange:
        sys.exit(f"no benchmark is called {strange[0]}; there are: {', '.join(every)}")
    sections: dict[str, str] = {}
    for name in asked.names or every:
        made = _section(every[name], _run(every[name], small=asked.small))
        # read now: another run may have written its own section meanwhile
        sections = (_sections() if asked.names else sections) | {name: made}
        whole = [_HEAD, *(sections[one] for one in sorted(sections))]
        _PAGE.write_text("\n".join(whole), encoding="utf-8")


def _sections() -> dict[str, str]:
    """The sections that the page has, by name."""
    lines = _PAGE.read_text(encoding="utf-8").splitlines()
    heads = [i for i, line in enumerate(lines) if line.startswith("## ")]
    return {
        lines[first][3:]: "\n".join(lines[first:last]).strip() + "\n"
        for first, last in pairwise([*heads, len(lines)])
    }


def _run(path: Path, *, small: bool) -> str:
    command = [sys.executable, str(path), *(["--small"] if small else [])]
    print(f"\n=== {path.stem}", flush=True)
    lines: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode:
        sys.exit(f"{path.name} failed with exit code {process.returncode}")
    return lines[-1]


def _section(path: Path, last_line: str) -> str:
    said = path.read_text(encoding="utf-8").split('"""')[1].strip()
    parts = [f"## {path.stem}", said]
    plain: dict[str, Any] = {}
    for name, value in json.loads(last_line).items():
        rows = _rows(value)
        if rows:
            parts.append(f"**{_words(name)}**\n\n{_table(rows)}")
        else:
            plain[name] = value
    parts.insert(2, _table([{"figure": _words(k), "value": v} for k, v in plain.items()]))
    return "\n\n".join(parts) + "\n"


def _rows(value: object) -> list[dict[str, Any]]:
    """Of a list of records, or of a record of several figures or records; else nothing."""
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        return [_flat(one) for one in value]
    if isinstance(value, dict) and value:
        if all(isinstance(one, dict) for one in value.values()):
            return [{"": name} | _flat(one) for name, one in value.items()]
        return [{"figure": _words(name), "value": one} for name, one in _flat(value).items()]
    return []


def _flat(record: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            out |= _flat(value, f"{before}{name} ")
        else:
            out[before + name] = value
    return out


def _table(rows: Iterable[Mapping[str, Any]]) -> str:
    """One Markdown table; a figure that a row lacks is left empty."""
    rows = list(rows)
    heads = list(dict.fromkeys(name for row in rows for name in row))
    lines = [[_words(head) for head in heads], ["---"] * len(heads)]
    lines += [[_cell(row.get(head, "")) for head in heads] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _words(name: str) -> str:
    return name.replace("_", " ").strip()


def _cell(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: ""}[value]
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    if value in ({}, []):
        return "none"
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    return str(value).replace("|", "\\|")


if __name__ == "__main__":
    main()

"""Run every benchmark in full (or ``--small``) and write docs/benchmarks.md."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from _common import arguments

_HERE = Path(__file__).parent
_PAGE = _HERE.parent / "docs" / "benchmarks.md"


_HEAD = """# Benchmarks

Every figure below is printed by a file in `benchmarks/`; peers run in the same process, in turn,
on the same machine. `make bench` writes this page anew.
"""


def main() -> None:
    """Run each file beside this one, in a process of its own, and keep its last line."""
    small = arguments(__doc__).small
    parts = [_HEAD]
    for path in sorted(_HERE.glob("[!_]*.py")):
        if path.name != Path(__file__).name:
            parts.append(_section(path, _run(path, small=small)))
            _PAGE.write_text("\n".join(parts), encoding="utf-8")


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
    first_doc_line = path.read_text(encoding="utf-8").split('"""')[1].strip().split("\n")[0]
    figures = json.loads(last_line).items()
    rows = "\n".join(f"| {name} | {_cell(value)} |" for name, value in figures)
    return f"## {path.stem}\n\n{first_doc_line}\n\n| figure | value |\n|---|---|\n{rows}\n"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return json.dumps(value) if isinstance(value, (dict, list)) else str(value)


if __name__ == "__main__":
    main()

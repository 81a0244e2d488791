"""The program itself: ``main`` with its arguments, exit code and both streams."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from overread.cli.main import main


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as the one JSON document that it is."""
        return json.loads(self.out, parse_constant=_refuse)

    @property
    def said(self) -> str:
        """Standard error in one line, however it was folded."""
        return " ".join(self.err.split())


def _refuse(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")


def overread(*arguments: object) -> Ended:
    """Run ``overread`` in this process; an exception is a traceback for the user: a failure."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with (
        patch.object(sys, "argv", ["overread", *(str(one) for one in arguments)]),
        patch.dict(os.environ, {"COLUMNS": "200"}),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    return Ended(code, out.getvalue(), err.getvalue())


def process(*arguments: object, code: str = "", **settings: Any) -> Ended:
    """Run ``python -m overread`` (or ``code``, then ``main()``) as a process of its own."""
    start = (
        ["-c", f"{code}\nfrom overread.cli.main import main\nmain()"]
        if code
        else ["-m", "overread"]
    )
    done = subprocess.run(
        [sys.executable, *start, *(str(one) for one in arguments)],
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
        **settings,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def ok(*arguments: object) -> Ended:
    """Run what must succeed."""
    ended = overread(*arguments)
    assert ended.code == 0, ended.err
    return ended


def refused(*arguments: object, code: int = 2) -> str:
    """Run what must be refused; returns what was said, in one line."""
    ended = overread(*arguments)
    assert ended.code == code, (ended.code, ended.out[-500:], ended.err)
    assert ended.out == ""
    assert "Traceback" not in ended.err
    return ended.said


def files_of(folder: Path) -> dict[str, bytes]:
    """What lies in a folder, to see that nothing was touched."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

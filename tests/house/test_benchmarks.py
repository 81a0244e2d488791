"""Every benchmark runs, small, so that it cannot rot; nothing here is timed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

_FOLDER = Path(__file__).parents[2] / "benchmarks"
_NAMES = sorted(p.stem for p in _FOLDER.glob("[!_]*.py") if p.stem != "all")


@pytest.mark.shared_data
@pytest.mark.usefixtures("shared_data")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", _NAMES)
def test_benchmark_runs_small(name: str) -> None:
    done = subprocess.run(
        [sys.executable, str(_FOLDER / f"{name}.py"), "--small"],
        capture_output=True,
        text=True,
        check=False,
        cwd=_FOLDER.parent,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    figures = json.loads(done.stdout.strip().splitlines()[-1])
    assert figures

"""What every benchmark shares: its arguments, its clock and its last line."""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from typing import Any


def arguments(doc: str | None, *, names: bool = False) -> argparse.Namespace:
    """Command-line arguments; ``small`` is what CI runs, ``names`` are further words."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--small", action="store_true", help="a size that CI can afford")
    if names:
        parser.add_argument("names", nargs="*", help="benchmarks to run, all by default")
    return parser.parse_args()


def seconds(work: Callable[[], Any], *, repeats: int = 3) -> float:
    """Shortest wall time of ``repeats`` runs: the least disturbed one."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def finish(figures: dict[str, Any]) -> None:
    """Print the figures as one JSON object, the last line."""
    python = platform.python_version()
    figures["machine"] = f"{platform.machine()}, {os.cpu_count()} cores, Python {python}"
    print(json.dumps(figures))

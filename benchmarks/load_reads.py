"""Loading class reads: time, peak memory, and bytes held, against pandas.read_csv + factorize.

Ten million reads (two million cases, five readers each out of two hundred, five classes) are
written as CSV and Parquet. Each loader runs in a process of its own, in turn, so that peak memory
is its own; what it imports is not timed, but counted in the memory (and given beside it).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from _common import arguments, finish

READS, READS_SMALL = 10_000_000, 500_000
PER_CASE = 5
READERS = 200
REPEATS = 3

_CHILD = """
import json, sys, time
def peak():  # of this program alone: what getrusage says is inherited from its parent
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
{imports}
path, before = sys.argv[1], peak()
start, spent = time.perf_counter(), time.process_time()
{work}
seconds, spent = time.perf_counter() - start, time.process_time() - spent
print(json.dumps({{"seconds": seconds, "cpu": spent, "peak_mb": peak(), "imports_mb": before,
                  "held": held, "checksum": checksum}}))
"""
OVERREAD = _CHILD.format(
    imports="from overread.exchange import read_classes",
    work="""
reads = read_classes(path)
index = reads.index
held = [index.case.nbytes, index.reader.nbytes, reads.label.nbytes]
checksum = [index.n_cases, index.n_readers, int(index.case.sum()), reads.n_classes]
""",
)
PANDAS = _CHILD.format(
    imports="import pandas as pd",
    work="""
table = pd.read_csv(path) if path.endswith("csv") else pd.read_parquet(path)
codes = {name: pd.factorize(table[name]) for name in ("case", "reader", "label")}
held = [code.nbytes for code, _ in codes.values()]
checksum = [*(len(codes[n][1]) for n in ("case", "reader")), int(codes["case"][0].sum()),
            len(codes["label"][1])]
""",
)


def write(folder: Path, reads: int) -> None:
    """Write the table twice."""
    rng = np.random.default_rng(7)
    case = np.repeat(np.arange(reads // PER_CASE), PER_CASE)
    block = READERS // PER_CASE
    reader = rng.integers(0, block, reads) + block * np.tile(np.arange(PER_CASE), reads // PER_CASE)
    names = np.array(["normal", "benign", "probably benign", "suspicious", "malignant"])
    table = pl.DataFrame(
        {
            "case": "case-" + pl.Series(case).cast(pl.String),
            "reader": "R" + pl.Series(reader).cast(pl.String),
            "label": pl.Series(names[rng.integers(0, 5, reads)].tolist()),
        }
    )
    table.write_csv(folder / "reads.csv")
    table.write_parquet(folder / "reads.parquet")


def measure(program: str, path: Path) -> dict[str, Any]:
    """Run one loader in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], check=True, capture_output=True, text=True
    )
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def main() -> None:
    small = arguments(__doc__).small
    reads, repeats = (READS_SMALL, 1) if small else (READS, REPEATS)
    figures: dict[str, Any] = {"reads": reads}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, reads)
        for suffix in ("csv", "parquet"):
            path = folder / f"reads.{suffix}"
            runs: dict[str, list[dict[str, Any]]] = {"overread": [], "pandas": []}
            for _ in range(repeats):  # in turn, so that a busy moment hits both
                runs["overread"].append(measure(OVERREAD, path))
                runs["pandas"].append(measure(PANDAS, path))
            best = {who: min(all_, key=lambda run: run["seconds"]) for who, all_ in runs.items()}
            if best["overread"]["checksum"] != best["pandas"]["checksum"]:
                raise SystemExit("the two loaders disagree")
            for who, run in best.items():
                bytes_a_read = sum(run["held"]) / reads
                print(
                    f"{suffix:8} {who:9} {run['seconds']:6.2f} s ({run['cpu']:.2f} s CPU), "
                    f"peak {run['peak_mb']:6.0f} MB "
                    f"({run['imports_mb']:.0f} MB imports), {bytes_a_read:.0f} bytes a read"
                )
                figures |= {
                    f"{suffix}_{who}_seconds": round(run["seconds"], 3),
                    f"{suffix}_{who}_cpu_seconds": round(run["cpu"], 3),
                    f"{suffix}_{who}_peak_mb": round(run["peak_mb"]),
                    f"{suffix}_{who}_bytes_a_read": bytes_a_read,
                }
            ratio = best["pandas"]["seconds"] / best["overread"]["seconds"]
            figures[f"{suffix}_times_faster_than_pandas"] = round(ratio, 2)
            less = best["pandas"]["peak_mb"] / best["overread"]["peak_mb"]
            figures[f"{suffix}_times_less_memory_than_pandas"] = round(less, 2)
    finish(figures)


if __name__ == "__main__":
    main()

"""Claim: Dawid-Skene is 80x (100k cases) and 150x (1M cases) as fast as crowd-kit's.

Five classes, five reads a case, rows in random order, 20 iterations. Ours goes from the read table
to the complete result (posterior, entropy, difficulty, reliability with intervals, provenance);
crowd-kit from its data frame to its labels; both tables are made outside of the clocks. They run
in turn. Times are the shortest of several runs (crowd-kit's at 1M cases: one run); processor time
counts the seconds of all threads, so that its ratio is that of one core. Compilation is measured
apart, in a process with an empty cache. Crowd-kit smooths otherwise (and stops on another
bound), so that labels may differ where a case is nearly tied.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from crowdkit.aggregation import DawidSkene

from _common import arguments, finish, seconds
from overread.arrays import names_array
from overread.consensus.dawid_skene import dawid_skene
from overread.consensus.problem import make_problem
from overread.labels import ClassReads, Kind, LabelClass, LabelSchema
from overread.labels.index import ReadIndex

CLASSES, A_CASE, ITERATIONS = 5, 5, 20
SETTINGS: dict[str, Any] = {"starts": 1, "max_iterations": ITERATIONS, "tol": -1.0}

_COMPILE = """
import time
import numpy as np
begin = time.perf_counter()
from overread.consensus import dawid_skene
from overread.labels import class_reads
imported = time.perf_counter()
rng = np.random.default_rng(0)
case, said = np.repeat(np.arange(200), 5), rng.integers(0, 5, 1000)
reads = class_reads(case, rng.integers(0, 200, 1000), said, repeats="keep")
for _ in range(2):
    start = time.perf_counter()
    dawid_skene(reads, starts=1, max_iterations=20, tol=-1.0)
    print(time.perf_counter() - start, imported - begin)
"""


def make(n_cases: int, n_readers: int, *, fixed: bool = False, seed: int = 0) -> ClassReads:
    """Reads by readers of unequal accuracy (.5 to .9), rows shuffled; ``fixed``: the same five."""
    rng = np.random.default_rng(seed)
    n = n_cases * A_CASE
    case = np.repeat(np.arange(n_cases, dtype=np.int32), A_CASE)
    reader = (
        np.tile(np.arange(A_CASE, dtype=np.int16), n_cases)
        if fixed
        else rng.integers(0, n_readers, n, dtype=np.int16)
    )
    truth = rng.integers(0, CLASSES, n_cases, dtype=np.int8)
    right = rng.random(n, np.float32) < rng.uniform(0.5, 0.9, n_readers)[reader]
    label = np.where(right, truth[case], rng.integers(0, CLASSES, n, dtype=np.int8))
    order = rng.permutation(n)
    index = ReadIndex(
        case[order], reader[order],
        names_array(map(str, range(n_cases))), tuple(map(str, range(n_readers))),
    )  # fmt: skip
    classes = tuple(LabelClass(str(k)) for k in range(CLASSES))
    return ClassReads(index, label[order], LabelSchema(Kind.NOMINAL, classes))


def ours(reads: ClassReads, *, calibrate: bool = False, iterations: int = ITERATIONS) -> Any:
    return dawid_skene(reads, **SETTINGS | {"max_iterations": iterations}, calibrate=calibrate)


def clocked(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Wall seconds, processor seconds of all threads, and what came out."""
    wall, processor = time.perf_counter(), time.process_time()
    out = work()
    return time.perf_counter() - wall, time.process_time() - processor, out


def against_crowd_kit(n_cases: int, n_readers: int, *, turns: int) -> dict[str, Any]:
    """Both in turn; also the calibrated default, and the slope of time by iteration."""
    reads = make(n_cases, n_readers)
    table = pd.DataFrame({
        "task": reads.index.case, "worker": reads.index.reader, "label": reads.label.astype(int)
    })  # fmt: skip
    own, peer = [], []
    for _ in range(turns):
        own += [clocked(lambda: ours(reads)) for _ in range(5)]
        peer.append(clocked(lambda: DawidSkene(n_iter=ITERATIONS, tol=0).fit(table).labels_))
        own += [clocked(lambda: ours(reads)) for _ in range(5)]
    equal = float((peer[-1][2].sort_index().to_numpy() == own[-1][2].value.code).mean())
    (wall, processor), (peer_wall, peer_processor) = (
        (min(run[0] for run in runs), min(run[1] for run in runs)) for runs in (own, peer)
    )
    one = min(clocked(lambda: ours(reads, iterations=1))[0] for _ in range(5))
    figures = {
        "cases": n_cases,
        "readers": n_readers,
        "seconds": round(wall, 4),
        "crowd_kit_seconds": round(peer_wall, 2),
        "ratio": round(peer_wall / wall, 1),
        "ratio_of_processor_time": round(peer_processor / processor, 1),
        "equal_labels": round(equal, 5),
        **parts(reads, wall, one),
    }
    figures["calibrated_ratio"] = round(peer_wall / figures["calibrated_seconds"], 1)
    print(
        f"{n_cases:>9,} cases x {n_readers:,} readers: {wall:.3f} s, crowd-kit "
        f"{peer_wall:.1f} s: {figures['ratio']:.0f}x (processor time: "
        f"{figures['ratio_of_processor_time']:.0f}x); labels equal {equal:.2%}; calibrated "
        f"{figures['calibrated_seconds']:.3f} s", flush=True,
    )  # fmt: skip
    return figures


def parts(reads: ClassReads, twenty: float, one: float) -> dict[str, float]:
    """Where the time goes: by iteration, around the EM, and for the calibration."""
    calibrated = seconds(lambda: ours(reads, calibrate=True))
    slope = (twenty - one) / (ITERATIONS - 1)
    return {
        "ns_a_label_iteration": round(slope / reads.index.n_reads * 1e9, 2),
        "em_seconds": round(slope * ITERATIONS, 4),
        "sort_start_and_result_seconds": round(max(twenty - slope * ITERATIONS, 0), 4),
        "calibrated_seconds": round(calibrated, 4),
        "calibration_seconds": round(max(calibrated - twenty, 0), 4),
    }


def growth(sizes: list[int]) -> list[dict[str, float]]:
    rows = []
    for n_cases in sizes:
        reads = make(n_cases, 200)
        took = seconds(lambda reads=reads: ours(reads))
        labels = n_cases * A_CASE
        rows.append({
            "labels": labels,
            "seconds": round(took, 4),
            "ns_a_label": round(took / labels * 1e9, 1),
        })  # fmt: skip
        print(
            f"{labels:>10,} labels: {took:.3f} s, {took / labels * 1e9:.0f} ns a label", flush=True
        )
    return rows


def grouped(n_cases: int) -> dict[str, Any]:
    """Five readers read every case: cases with the same five answers are one row."""
    reads = make(n_cases, A_CASE, fixed=True)
    took = seconds(lambda: ours(reads))
    rows = make_problem(reads, None).n_rows
    print(f"{n_cases:>9,} cases x 5 fixed readers, {rows:,} patterns: {took:.3f} s", flush=True)
    return {"cases": n_cases, "patterns": rows, "seconds": round(took, 4)}


def memory(n_cases: int, n_readers: int) -> dict[str, Any]:
    """Peak above the reads, bytes a label; in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.apply(_peaks, (n_cases, n_readers))
    print(f"{found['labels']:,} labels: {found}", flush=True)
    return found


def _peaks(n_cases: int, n_readers: int) -> dict[str, Any]:
    ours(make(1000, n_readers))  # compile
    reads = make(n_cases, n_readers)
    n = reads.index.n_reads
    found: dict[str, Any] = {"labels": n}
    before = _high_water(reset=True)
    start = time.perf_counter()
    result = ours(reads)
    found["seconds"] = round(time.perf_counter() - start, 3)
    if before is not None:
        found["resident_bytes_a_label"] = round((_high_water() - before) / n, 1)
    held = [result.posterior, result.entropy, result.difficulty, result.reads, result.read_rows,
            result.value.code]  # fmt: skip
    found["of_these_the_result"] = round(sum(part.nbytes for part in held) / n, 1)
    del result, held
    tracemalloc.start()
    ours(reads)
    found["numpy_bytes_a_label"] = round(tracemalloc.get_traced_memory()[1] / n, 1)
    return found


def _high_water(*, reset: bool = False) -> Any:
    """Most bytes that this process held, since the last reset; None where Linux does not tell."""
    status, clear = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    try:
        if reset:
            clear.write_text("5", encoding="ascii")
        lines = status.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def compilation(*, small: bool) -> dict[str, float]:
    """First call with an empty cache, then with a filled one; the work itself taken off.

    ``small`` takes the usual cache and compiles nothing.
    """
    with tempfile.TemporaryDirectory() as cache:
        runs = []
        for _ in range(2):
            done = subprocess.run(
                [sys.executable, "-c", _COMPILE],
                env=os.environ | ({} if small else {"NUMBA_CACHE_DIR": cache}),
                text=True, check=True, capture_output=True,
            )  # fmt: skip
            first, second = (line.split() for line in done.stdout.splitlines())
            runs.append((float(first[0]) - float(second[0]), float(first[1])))
    figures = {
        "compile_seconds": round(runs[0][0], 2),
        "load_compiled_seconds": round(runs[1][0], 3),
        "import_seconds": round(runs[1][1], 2),
    }
    print(figures, flush=True)
    return figures


def main() -> None:
    small = arguments(__doc__).small
    figures: dict[str, Any] = {
        "claim": "crowd-kit / ours: >= 80 at 100k x 200, >= 150 at 1M x 1,000"
    }
    figures["compilation"] = compilation(small=small)
    for reads in (make(1000, 200), make(2000, A_CASE, fixed=True)):
        ours(reads, calibrate=True)  # load what is compiled
    if small:
        figures["4k x 200"] = against_crowd_kit(4_000, 200, turns=1)
        reads = make(20_000, 200)
        took = seconds(lambda: ours(reads))
        figures["20k x 200"] = {
            "seconds": round(took, 4),
            **parts(reads, took, seconds(lambda: ours(reads, iterations=1))),
        }
        print(f"20k x 200: {figures['20k x 200']}", flush=True)
        figures["growth"] = growth([2_000, 20_000])
        figures["grouped"] = grouped(20_000)
        figures["memory"] = memory(20_000, 200)
    else:
        figures["100k x 200"] = against_crowd_kit(100_000, 200, turns=2)
        figures["1M x 1000"] = against_crowd_kit(1_000_000, 1000, turns=1)
        figures["growth"] = growth([2_000, 20_000, 200_000, 2_000_000])
        figures["grouped"] = grouped(1_000_000)
        figures["memory"] = memory(2_000_000, 1000)
    finish(figures)


if __name__ == "__main__":
    main()

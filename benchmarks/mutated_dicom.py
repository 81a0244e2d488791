"""Mutated DICOM files and hand-made bombs: the parent lives, each file is taken or quarantined.

Damages the real files of pydicom and pydicom-data (seeded), imports each as a folder of its own
and counts what became of it. A file that is neither a case nor quarantined with a reason, or a
child that outlives its limits, fails the benchmark.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pydicom

from _common import arguments, finish
from overread.images import CaseImage, Child, Found, Limits, Quarantined, find_images, open_case

sys.path.append(str(Path(__file__).parents[1]))  # the makers of hostile files are the tests' own
from tests.images.bombs import BOMBS
from tests.images.mutation import mutated

_LIMITS = Limits(seconds=10, total_seconds=60, megabytes=1024, result_megabytes=256)
_SPARE = 2.0  # seconds to notice, kill and reap
_LARGEST = 1 << 20


def main() -> None:
    small = arguments(__doc__).small
    total = 40 if small else 4000
    told: Counter[str] = Counter()
    slowest = 0.0
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as place, Child(b"benchmark's key.", _LIMITS) as child:
        path = Path(place) / "file"
        files = _sources()[:: 6 if small else 1]
        sources = [one.read_bytes() for one in files if _sound(one, child)]
        for number in range(total):
            path.write_bytes(mutated(sources[number % len(sources)], seed=number))
            seconds, results = _imported(path, child)
            slowest = max(slowest, seconds)
            told.update(results)
        for name, (make, kind, cause) in BOMBS.items():
            found = open_case(Found(kind, (make(path),)), child)  # type: ignore[arg-type]
            if not isinstance(found, Quarantined) or found.cause != cause:
                sys.exit(f"bomb {name} was not quarantined as {cause}: {found}")
        replaced, longest = child.replaced, child.longest_seconds
    if sum(told.values()) != total:
        sys.exit(f"{total} files gave {sum(told.values())} results")
    if longest > _LIMITS.seconds + _SPARE:
        sys.exit(f"a child took {longest:.1f} s; its limit is {_LIMITS.seconds} s")
    for name, count in told.most_common():
        print(f"{count:6d}  {name}")
    finish(
        {
            "files": total,
            "sources": len(sources),
            "accepted": told["accepted"],
            "quarantined": total - told["accepted"],
            "causes": dict(told),
            "bombs_quarantined": len(BOMBS),
            "longest_job_seconds": round(longest, 2),
            "slowest_file_seconds": round(slowest, 2),
            "limit_seconds": _LIMITS.seconds,
            "children_replaced": replaced,
            "milliseconds_a_file": round(1000 * (time.perf_counter() - begin) / total, 1),
        }
    )


def _imported(path: Path, child: Child) -> tuple[float, list[str]]:
    start = time.perf_counter()
    results: list[str] = []
    for found in find_images([path], child):
        case = found if isinstance(found, Quarantined) else open_case(found, child)
        results.append("accepted" if isinstance(case, CaseImage) else case.cause)
    return time.perf_counter() - start, results


def _sound(path: Path, child: Child) -> bool:
    """Images alone: a damaged report is no test of decoders."""
    return isinstance(open_case(Found("dicom", (path,)), child), CaseImage)


def _sources() -> list[Path]:
    """Real files of all sizes up to a megabyte, in a fixed order."""
    store = importlib.util.find_spec("data_store")
    folders = [Path(pydicom.__file__).parent / "data" / "test_files"]
    if store and store.origin:
        folders.append(Path(store.origin).parent / "data")
    files = [one for folder in folders for one in sorted(folder.rglob("*.dcm"))]
    return [one for one in files if 1000 < one.stat().st_size < _LARGEST]


if __name__ == "__main__":
    main()

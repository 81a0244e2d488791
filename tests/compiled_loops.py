"""Compile the package's loops once, before the workers of pytest start.

``python -m tests.compiled_loops``: numba keeps what it compiled beside the installed package, where
workers, servers and their children find it. Without this each of them compiles the same loops at
the same time, some of them while a reader waits for a page. A loop that is not met here is compiled
by whoever needs it first, as ever.
"""

from __future__ import annotations

import multiprocessing
import os
from time import perf_counter

import numpy as np

from overread.app.analysis.compare_methods import compare
from overread.app.analysis.measure_agreement import measure_agreement
from overread.app.analysis.methods import methods_for
from overread.app.analysis.reach_consensus import reach_consensus
from overread.consensus.next_read import next_reads
from overread.labels import Kind
from tests.app.small_reads import READS
from tests.consensus.simulated import simulate

_CLASSES = (2, 3, 5, 9, 17)
"""Numbers of classes whose loops differ: 2, 4, 8 and 16 lanes, and more than those."""


def main() -> None:
    """Drawings and answers side by side: they share few loops."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    begin = perf_counter()
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        done = [pool.apply_async(part) for part in (of_answers, of_drawings)]
        for one in done:
            one.get()
    print(f"compiled loops are kept: {perf_counter() - begin:.0f} s")  # noqa: T201


def of_answers() -> None:
    """Classes, grades and sets of classes."""
    for kind in (Kind.NOMINAL, Kind.ORDINAL, Kind.MULTILABEL):
        _of_kind(kind)
    compare(READS[Kind.NOMINAL](), methods=("majority", "dawid_skene"))
    for classes in _CLASSES:
        reads, *_ = simulate(0, cases=140, readers=5, reads_a_case=3, classes=classes)
        for method in methods_for(Kind.NOMINAL):
            reached = reach_consensus(reads, method=method.name).result
        if classes == _CLASSES[0]:
            next_reads(reached, reads=reads, readers="any")


def of_drawings() -> None:
    """Boxes, outlines, masks; scores; what chooses the next case, and the map of images."""
    for kind in (Kind.BOX, Kind.INSTANCE, Kind.MASK, Kind.SCORE):
        _of_kind(kind)
    _of_learning()


def _of_kind(kind: Kind) -> None:
    reads = READS[kind]()
    measure_agreement(reads, draws=100)
    for method in methods_for(kind):
        reach_consensus(reads, method=method.name)


def _of_learning() -> None:
    from overread.latents.map import map_of
    from overread.selection.likelihood import grades
    from overread.selection.pool import belief, label_many, open_pool
    from overread.selection.process import one_hot

    rng = np.random.default_rng(0)
    latents, truth = rng.normal(size=(60, 4)), rng.integers(3, size=60)
    for settings in (None, grades(3)):
        pool = open_pool(latents, 3, settings=settings, landmarks=20)
        belief(label_many(pool, np.arange(20), one_hot(truth[:20], 3)))
    map_of(latents, seed=0)


if __name__ == "__main__":
    main()

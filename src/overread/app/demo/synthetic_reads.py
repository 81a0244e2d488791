"""Simulated reads that say what they are: a stand-in where the real ones cannot be had."""

from __future__ import annotations

import numpy as np

from overread.arrays import Ints, names_array
from overread.labels import (
    BoxReads,
    ClassReads,
    Kind,
    LabelClass,
    LabelSchema,
    ReadIndex,
    schema_of,
)

_READERS = tuple(f"simulated reader {number}" for number in range(1, 6))


def simulated_grades(seed: int, *, cases: int = 600) -> ClassReads:
    """Five simulated readers of unequal bias and precision grade cases from 1 to 5."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, 1, cases)
    bias, spread = rng.normal(0, 0.3, len(_READERS)), rng.uniform(0.3, 0.9, len(_READERS))
    case = np.repeat(np.arange(cases), len(_READERS))
    reader = np.tile(np.arange(len(_READERS)), cases)
    seen = truth[case] + bias[reader] + spread[reader] * rng.normal(size=case.size)
    grade = np.digitize(seen, [-1.2, -0.4, 0.4, 1.2])
    schema = LabelSchema(Kind.ORDINAL, tuple(LabelClass(str(g)) for g in range(1, 6)))
    return ClassReads(_index(case, reader, cases), grade, schema)


def simulated_boxes(seed: int, *, cases: int = 800) -> BoxReads:
    """Five simulated readers of unequal sensitivity, false alarms and precision box findings."""
    rng = np.random.default_rng(seed)
    side, n_readers = 1000.0, len(_READERS)
    sensitivity = rng.uniform(0.6, 0.95, n_readers)
    alarms, spread = rng.uniform(0.05, 0.4, n_readers), rng.uniform(0.02, 0.1, n_readers)
    read, label, box = [], [], []
    for one in range(cases):
        centre = rng.uniform(150, side - 150, (rng.poisson(0.8), 2))
        half = rng.uniform(30, 120, centre.shape)
        kind = rng.integers(0, 3, len(centre))
        for who in range(n_readers):
            seen = rng.random(len(centre)) < sensitivity[who]
            drawn = np.hstack([centre - half, centre + half])[seen]
            drawn = drawn + spread[who] * np.tile(2 * half[seen], 2) * rng.normal(size=drawn.shape)
            extra = rng.uniform(100, side - 200, (rng.poisson(alarms[who]), 2))
            drawn = np.vstack(
                [drawn, np.hstack([extra, extra + rng.uniform(40, 100, extra.shape)])]
            )
            read += [one * n_readers + who] * len(drawn)
            label += [*kind[seen].tolist(), *rng.integers(0, 3, len(extra)).tolist()]
            box.append(np.clip(drawn, 0, side))
    every = np.concatenate(box)
    keep = ((every[:, 2:] - every[:, :2]) > 1).all(axis=1)
    case = np.repeat(np.arange(cases), n_readers)
    reader = np.tile(np.arange(n_readers), cases)
    return BoxReads(
        _index(case, reader, cases),
        np.array(read)[keep],
        np.array(label)[keep],
        every[keep],
        schema_of(Kind.BOX, ["opacity", "nodule", "effusion"]),
        image_size=np.full((cases, 2), int(side)),
    )


def _index(case: Ints, reader: Ints, cases: int) -> ReadIndex:
    names = names_array(f"simulated case {number + 1}" for number in range(cases))
    return ReadIndex(case.astype(np.int32), reader.astype(np.int8), names, _READERS)

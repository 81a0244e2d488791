"""Cases that are set apart to test the model: whole patients, by lot, and for good.

Whether a patient is set apart follows from a hash of the project and the patient alone, so it is
the same on every server, before and after a restart, and whatever cases come later. A case that
was asked for keeps the part that it was asked for, and its whole group with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from overread.app.learning.case_latents import CaseLatents
from overread.arrays import Bools, Ints
from overread.selection.splits import near_duplicates
from overread.store.learning.asking import Asked

HELD_BACK = "held back"
_MOST_COMPARED = 20_000  # cases that are compared each with each other
_NEARLY = 0.05  # of the usual distance of two cases


def groups_of(latents: CaseLatents, alike: Ints | None = None) -> Ints:
    """Codes of groups: cases of one patient, and near-duplicates, are in one.

    Args:
        latents: the cases with their patients.
        alike: of :func:`duplicates_of`, where it is known already.
    """
    alike = duplicates_of(latents) if alike is None else alike
    _, code = np.unique(np.array(latents.groups, dtype=np.str_), return_inverse=True)
    return _joined(np.asarray(code, dtype=np.int64), alike)


def _joined(one: Ints, other: Ints) -> Ints:
    """Codes of groups that join what either joins."""
    from scipy.sparse import coo_array  # noqa: PLC0415 - not needed elsewhere
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    if not len(one):
        return one
    first = int(one.max()) + 1
    shape = (first + int(other.max()) + 1,) * 2
    graph = coo_array((np.ones(len(one)), (one, first + other)), shape=shape)
    _, label = connected_components(graph, directed=False)
    return np.asarray(np.unique(label[one], return_inverse=True)[1], dtype=np.int64)


def duplicates_of(latents: CaseLatents) -> Ints:
    """Codes of cases that look nearly the same, each with its own where none does.

    They are looked for among at most 20,000 cases; beyond, each case has a code of its own.
    """
    count = len(latents.cases)
    if not 2 <= count <= _MOST_COMPARED:
        return np.arange(count)
    values = latents.values
    rng = np.random.default_rng(0)
    one, other = rng.integers(len(values), size=(2, 1_000))
    usual = float(np.median(np.linalg.norm(values[one] - values[other], axis=1)))
    return near_duplicates(values.astype(np.float64), within=_NEARLY * usual)


def held_back(
    project: str,
    latents: CaseLatents,
    groups: Ints,
    *,
    share: float,
    asked: Mapping[str, Asked],
) -> Bools:
    """Tell which cases are set apart.

    Args:
        project: its id, which seeds the lot.
        latents: the cases with their patients.
        groups: of :func:`groups_of`.
        share: of the groups.
        asked: cases that were asked for, with the part that they are of.
    Returns:
        (cases,); a group of which any case was asked to teach is not among them, unless one was
        asked to test.
    """
    count = int(groups.max(initial=-1)) + 1
    drawn = np.ones(count)
    for row in range(len(groups) - 1, -1, -1):  # the first case of a group speaks for it
        drawn[groups[row]] = lot(project, latents.groups[row])
    apart = drawn < share
    taught = _of_groups(latents.cases, groups, [one for one in asked.values() if not _tests(one)])
    tested = _of_groups(latents.cases, groups, [one for one in asked.values() if _tests(one)])
    apart[list(taught)] = False
    apart[list(tested)] = True
    return np.asarray(apart[groups], dtype=np.bool_)


def lot(project: str, name: str) -> float:
    """A number in [0, 1) that follows from the project and a name, and looks like luck."""
    digest = hashlib.sha256(f"{project}:{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _tests(one: Asked) -> bool:
    return one.why == HELD_BACK


def _of_groups(cases: Sequence[str], groups: Ints, asked: Sequence[Asked]) -> set[int]:
    wanted = {one.case for one in asked}
    return {int(groups[row]) for row, case in enumerate(cases) if case in wanted}

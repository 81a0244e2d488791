"""Cases that are set apart to test the model: whole patients, by lot, and for good.

Whether a patient is set apart follows from a hash of the project and the patient, and for the first
few from the order in which they came, so it is the same on every server, before and after a
restart, and whatever cases come later. A case that was asked for keeps the part that it was asked
for, and its whole group with it; where groups are joined later, by a table of patients or because
their images are near-duplicates, one of whom any case taught teaches: what has taught never tests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from overread.app.learning.case_latents import CaseLatents
from overread.arrays import Bools, Ints
from overread.selection.splits import near_duplicates
from overread.store.learning.asking import Asked

HELD_BACK = "held back"
LEAST_GROUPS = 4
"""Patients, from which on one at least is set apart."""

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
        (cases,); a group of which any case was asked to teach is not among them.
    """
    if not len(groups):
        return np.zeros(0, dtype=np.bool_)
    _, first, code = np.unique(groups, return_index=True, return_inverse=True)
    came = np.argsort(first)  # codes in the order in which their first cases came
    names = [latents.groups[row] for row in first[came].tolist()]
    place = np.argsort(came)[code]
    at = {case: int(place[row]) for row, case in enumerate(latents.cases) if case in asked}
    apart = drawn(project, names, share=share, asked=[(at[one], asked[one]) for one in at])
    return np.asarray(apart[place], dtype=np.bool_)


def drawn(
    project: str, names: Sequence[str], *, share: float, asked: Iterable[tuple[int, Asked]]
) -> Bools:
    """Tell which groups are set apart.

    By the lot of each alone, but that the first teaches; and of the next three one is set apart,
    that with the lowest lot, where none is by its own. If all of these have taught, it is the next
    that has not. So it rests on what came before a group and on what was asked for, never on what
    comes after it: none that was set apart is taken back when others come.

    Args:
        names: of the groups, in the order in which they came.
        share: the chance of each; 0 sets none apart anew.
        asked: (place of its group, what was asked for) of the cases that were.
    Returns:
        (groups,); never all, and one at least of 4 or more of which any but the first is untaught.
    """
    taught, tested = np.zeros((2, len(names)), dtype=np.bool_)
    for at, one in asked:
        (tested if one.why == HELD_BACK else taught)[at] = True
    lots = np.array([lot(project, name) for name in names])
    may = ~taught
    may[:1] = False
    apart = ~taught & tested | may & (lots < share)
    free = np.flatnonzero(may)
    if share > 0 and len(names) >= LEAST_GROUPS and len(free):
        last = max(LEAST_GROUPS, int(free[0]) + 1)
        if not apart[:last].any():
            some = free[free < last]
            apart[some[lots[some].argmin()]] = True
    if apart.all():  # asked for by older versions, which set a single patient apart
        apart[:1] = False
    return apart


def lot(project: str, name: str) -> float:
    """A number in [0, 1) that follows from the project and a name, and looks like luck."""
    digest = hashlib.sha256(f"{project}:{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64

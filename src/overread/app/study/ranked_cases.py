"""Disputed cases of a project in the order that adjudication takes them, ready to be filtered.

They are kept as columns: a model of a large project comes from another process, and a page must
not wait while hundreds of thousands of objects are made of it, or looked at one by one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from overread.app.analysis.disagreement import Apart, Disagreement, Pair, disagreement
from overread.app.analysis.disputes import Dispute
from overread.app.study.project_tables import said_of_project
from overread.arrays import Bools, Floats, Ints
from overread.protocol import Question
from overread.store import Store, get_cases

SUBGROUPS = ("site", "sex", "age_band", "device", "modality")
_PAGE = 500
LEAST_ENTROPY = 1e-3  # nats: what readers differ on is never quite sure

Name = TypeVar("Name", str, Pair, tuple[str, ...])


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """Names of each row, any number of them. Args: row, code: one of each row and name."""

    names: tuple[str, ...]
    row: Ints
    code: Ints

    def of_name(self, name: str, rows: int) -> Bools:
        """The rows that have a name."""
        made = np.zeros(rows, bool)
        if name in self.names:
            made[self.row[self.code == self.names.index(name)]] = True
        return made


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Disputed questions of cases, the weightiest first, a row each.

    Args:
        cases: ids, sorted; ``case`` points into them.
        questions: ids; ``question`` points into them.
        score: entropy of the consensus times clinical weight, falling.
        texts: who says what, in counts; ``words`` points into them.
        classes: at stake.
        pairs: of readers who differ, their ids with a comma between.
        groups: what is known of cases, as of :data:`SUBGROUPS`; ``group`` points into them.
    """

    cases: tuple[str, ...]
    case: Ints
    questions: tuple[str, ...]
    question: Ints
    score: Floats
    texts: tuple[str, ...]
    words: Ints
    classes: Members
    pairs: Members
    groups: tuple[tuple[str, ...], ...]
    group: Ints

    def __len__(self) -> int:
        return int(self.case.size)

    def in_order(self, rows: Ints) -> Ints:
        """The cases of some rows, each once, by its weightiest row."""
        case = self.case[rows]
        first = np.full(len(self.cases), -1, np.int64)
        first[case[::-1]] = np.arange(case.size)[::-1]  # what is written last, stands
        keep = np.zeros(case.size, bool)
        keep[first[first >= 0]] = True
        return case[keep]

    def places(self, cases: Collection[str]) -> Ints:
        """Where cases stand in ``cases``; those that are not disputed are left out."""
        if not cases:
            return np.zeros(0, np.int64)
        known = np.array(self.cases, dtype=object)
        wanted = np.array(sorted(cases), dtype=object)
        at = np.searchsorted(known, wanted)
        inside = at < known.size
        here: Ints = at[inside]
        there: Ints = here[known[here] == wanted[inside]]
        return there


def disagreements(
    store: Store, project: str, questions: Sequence[Question]
) -> dict[str, Disagreement]:
    """Where readers differ now, question by question; of large projects the model keeps it."""
    return {one.id: disagreement(one, said_of_project(store, project, one)) for one in questions}


def ranked(
    store: Store,
    found: Mapping[str, Disagreement],
    entropy: Mapping[str, Mapping[str, float]],
) -> Ranking:
    """Rank the disputed cases, the weightiest first.

    Args:
        found: question -> where readers differ.
        entropy: question -> case -> of the consensus, in nats; where it has none, the plain share
            of disagreement stands for it.
    """
    cases = sorted({case for one in found.values() for case in one.disputes})
    lines = sorted(_lines(found, entropy), key=lambda one: (-one[0], one[1], one[2]))
    groups, of_case = _groups(store, cases)
    names = tuple(found)
    place = {case: at for at, case in enumerate(cases)}
    texts, words = _coded([dispute.words for *_, dispute, _ in lines])
    case = np.array([place[one[1]] for one in lines], np.int64)
    return Ranking(
        tuple(cases),
        case,
        names,
        np.array([names.index(one[2]) for one in lines], np.int64),
        np.array([one[0] for one in lines], np.float64),
        texts,
        words,
        _members([apart.classes for *_, apart in lines]),
        _members([[",".join(pair) for pair in apart.pairs] for *_, apart in lines]),
        groups,
        of_case[case] if case.size else case,
    )


def _lines(
    found: Mapping[str, Disagreement], entropy: Mapping[str, Mapping[str, float]]
) -> Iterator[tuple[float, str, str, Dispute, Apart]]:
    for question, one in found.items():
        known = entropy.get(question, {})
        for case, dispute in one.disputes.items():
            nats = known.get(case)
            sure = dispute.share if nats is None else max(nats, LEAST_ENTROPY)
            yield sure * dispute.weight, case, question, dispute, one.apart[case]


def _coded(values: Sequence[Name]) -> tuple[tuple[Name, ...], Ints]:
    place: dict[Name, int] = {}
    codes = [place.setdefault(one, len(place)) for one in values]
    return tuple(place), np.array(codes, np.int64)


def _members(of_rows: Sequence[Sequence[str]]) -> Members:
    names, code = _coded([name for of in of_rows for name in of])
    row = np.repeat(np.arange(len(of_rows)), [len(one) for one in of_rows])
    return Members(names, row.astype(np.int64), code)


def _groups(store: Store, cases: Sequence[str]) -> tuple[tuple[tuple[str, ...], ...], Ints]:
    made: dict[str, tuple[str, ...]] = {}
    for start in range(0, len(cases), _PAGE):
        for key, row in get_cases(store, cases[start : start + _PAGE]).items():
            known = {**row.meta, "modality": row.image.get("modality", "")}
            made[key] = tuple(str(known.get(name) or "") for name in SUBGROUPS)
    nothing = ("",) * len(SUBGROUPS)
    return _coded([made.get(case, nothing) for case in cases])

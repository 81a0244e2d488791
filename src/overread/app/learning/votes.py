"""What readers said of a case, as votes that a model learns from.

One sure reader is one vote. Of several readers each counts as they are reliable, where enough
cases were read twice to know that: the votes are then the consensus times the number of reads. A
reference standard stands for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from overread.app.analysis.demand_model import ReaderModel, fit_models, posterior_of
from overread.app.analysis.project_reads import Said, fits, read_table
from overread.app.learning.settings import Setup
from overread.arrays import Floats
from overread.errors import InputError, MethodError
from overread.labels import ClassReads, Kind, MultiLabelReads
from overread.protocol import Question

FEWEST = 30
"""Cases with two reads, before which readers cannot be told apart."""


@dataclass(frozen=True, slots=True, eq=False)
class CaseVotes:
    """The label of a case.

    Args:
        votes: (parts, classes); zeros where nothing was said that tells.
        code: of each part, -1 where nothing tells.
        reads: that it rests on, also those that say "cannot be read".
    """

    votes: Floats
    code: tuple[int, ...]
    reads: int


def votes_of(
    setup: Setup,
    said: Mapping[str, Mapping[str, Said]],
    *,
    standards: Mapping[str, Any] | None = None,
    models: Sequence[ReaderModel] | None = None,
) -> dict[str, CaseVotes]:
    """Labels of cases.

    Args:
        setup: what is learned.
        said: case -> reader -> what they said.
        standards: case -> its answer by a reference standard; None: it cannot be read.
        models: of readers, one a part; None counts every reader alike.
    Returns:
        Of every case that was read, or has a standard.
    """
    standards = standards or {}
    cases = sorted({*said, *standards})
    codes = [[_codes(setup, said.get(case, {}), at) for case in cases] for at in _at(setup)]
    posterior = None
    if models:
        posterior = [posterior_of(one, of) for one, of in zip(models, codes, strict=True)]
    made: dict[str, CaseVotes] = {}
    for row, case in enumerate(cases):
        votes = np.zeros((len(setup.parts), len(setup.classes)))
        for at in _at(setup):
            heard = [code for _, code in codes[at][row] if code >= 0]
            if case in standards:
                votes[at] = _sure(setup, at, standards[case], max(len(heard), 1))
            elif heard and posterior is not None:
                votes[at] = posterior[at][row] * len(heard)
            else:
                np.add.at(votes[at], heard, 1.0)
        code = tuple(int(one.argmax()) if one.sum() > 0 else -1 for one in votes)
        made[case] = CaseVotes(votes, code, len(said.get(case, {})))
    return made


def reader_models(
    setup: Setup, said: Mapping[str, Mapping[str, Said]]
) -> tuple[ReaderModel, ...] | None:
    """What readers are like; None while too few cases have two reads."""
    if sum(len(of) > 1 for of in said.values()) < FEWEST:
        return None
    every = [one for of in said.values() for one in of.values()]
    table = read_table(setup.question, every, {}) if setup.modelled else None
    if not isinstance(table, ClassReads | MultiLabelReads):
        return None
    try:
        found = tuple(fit_models(table))
    except (InputError, MethodError):
        return None
    return found if len(found) == len(setup.parts) else None


def hears(question: Question, said: Said) -> bool:
    """The answer fits the question as it is now."""
    return said.value is None or fits(question, said.value)


def code_of(setup: Setup, at: int, value: Any) -> int:
    """Code of an answer in a part; -1 for none."""
    if value is None or not setup.modelled:
        return -1
    names = setup.question.names
    if setup.question.kind is Kind.MULTILABEL:
        return int(names[at] in value)
    return names.index(value)


def _at(setup: Setup) -> range:
    return range(len(setup.parts))


def _codes(setup: Setup, said: Mapping[str, Said], at: int) -> list[tuple[str, int]]:
    return [(who, code_of(setup, at, one.value)) for who, one in sorted(said.items())]


def _sure(setup: Setup, at: int, answer: Any, weight: int) -> Floats:
    made = np.zeros(len(setup.classes))
    code = code_of(setup, at, answer)
    if code >= 0:
        made[code] = weight
    return made

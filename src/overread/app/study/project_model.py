"""The model of a whole project: what is true of each case, and how good each reader is.

It takes seconds to minutes, so the server reaches it in a child process beside its pages and keeps
it until more is read (:mod:`overread.web.models`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from overread.agreement import Breakdown, Estimate
from overread.app.analysis.case_values import probabilities, values
from overread.app.analysis.disagreement import Disagreement, disagreement
from overread.app.analysis.disputes import Dispute
from overread.app.analysis.project_reads import FRAME
from overread.app.analysis.reach_consensus import Reached, reach_consensus
from overread.app.analysis.reader_words import reader_words
from overread.app.analysis.readers_agree import ReadersAgree, agree_of, study_of, within_of
from overread.app.study.conformity import Conformity, conformity
from overread.app.study.project_protocol import protocol_of
from overread.app.study.project_tables import project_labels
from overread.app.study.ranked_cases import Ranking, ranked
from overread.app.study.repeats import repeats_table
from overread.errors import InputError, MethodError
from overread.labels import Kind, MaskReads, Reads
from overread.protocol import Question
from overread.store import Store, head, left_of_readers

LEAST_CASES = 10
"""Cases with two reads or more from which on readers can be told apart at all."""

_DRAWS = 500
_MOST_PIXELS = 40_000_000  # of masks, over all reads; above, each case is taken by itself


@dataclass(frozen=True, slots=True)
class QuestionModel:
    """What the model says of one question.

    Args:
        double: cases with two reads or more.
        value: case -> consensus, in the shape of a reader's answer; {} for masks.
        probability: case -> of the consensus class; {} where the kind has none.
        difficulty: case -> expected share of reads that differ from the consensus, 0 .. 1.
        readers: id of a reader -> how good they are, in words.
        headline: how far readers agree, one figure; None where too few cases were read twice.
        apart: where readers differ: which cases, classes and pairs.
        entropy: case -> of the consensus, in nats; {} for scores, whose entropy has no zero.
        agree: each reader with the others, each other one, themselves; None as the headline.
    """

    double: int
    value: Mapping[str, Any] = field(default_factory=dict[str, Any])
    probability: Mapping[str, float] = field(default_factory=dict[str, float])
    difficulty: Mapping[str, float] = field(default_factory=dict[str, float])
    readers: Mapping[str, str] = field(default_factory=dict[str, str])
    headline: Estimate | None = None
    apart: Disagreement = field(default_factory=Disagreement)
    entropy: Mapping[str, float] = field(default_factory=dict[str, float])
    agree: ReadersAgree | None = None

    @property
    def disputes(self) -> Mapping[str, Dispute]:
        """Case -> what its readers differ on; those they agree on are left out."""
        return self.apart.disputes


@dataclass(frozen=True, slots=True)
class ProjectModel:
    """The model of a project.

    Args:
        until: last event of the log that it rests on.
        conformity: of its labels to the newest protocol.
        ranked: disputed cases, the weightiest first; None where none was looked for.
        left: reader -> cases they may still get; it takes a look at each case.
    """

    until: int
    questions: Mapping[str, QuestionModel]
    conformity: Conformity | None = None
    ranked: Ranking | None = None
    left: Mapping[str, int] = field(default_factory=dict[str, int])

    def difficulty(self, case: str) -> float | None:
        """Of the hardest question; None where nothing is known."""
        found = [q.difficulty[case] for q in self.questions.values() if case in q.difficulty]
        return max(found, default=None)

    def hardest(self) -> list[str]:
        """Cases, the most disputed first."""
        known = {case for one in self.questions.values() for case in one.difficulty}
        return sorted(known, key=lambda case: (-(self.difficulty(case) or 0.0), case))


def project_model(store: Store, project: str) -> ProjectModel:
    """Reach the model of a project as its log stands now.

    Raises:
        NotFoundError: no such project.
    """
    until = head(store).n
    questions = protocol_of(store, project).protocol.questions
    made: dict[str, QuestionModel] = {}
    for question in questions:
        labels = project_labels(store, project, question, until=until)
        if labels.reads is not None:
            model = question_model(question, labels.reads, labels.gold)
            agree = _with_repeats(store, project, question, model.agree)
            apart = disagreement(question, labels.said)
            made[question.id] = replace(model, apart=apart, agree=agree)
    order = ranked(
        store,
        {name: one.apart for name, one in made.items()},
        {name: one.entropy for name, one in made.items()},
    )
    left = left_of_readers(store, project)
    return ProjectModel(until, made, conformity(store, project), order, left)


def question_model(question: Question, table: Reads, gold: Any = None) -> QuestionModel:
    """The model of one question; of too few reads only their number.

    Args:
        gold: reference standards, as gold answers; they lead, and readers are measured by them.
    """
    pairs = {
        (str(table.index.cases[case]).split(FRAME, maxsplit=1)[0], reader)
        for case, reader in zip(table.index.case.tolist(), table.index.reader.tolist(), strict=True)
    }
    count: dict[str, int] = {}
    for case, _ in pairs:
        count[case] = count.get(case, 0) + 1
    double = sum(one > 1 for one in count.values())
    if double < LEAST_CASES or _too_large(table):
        return QuestionModel(double)
    try:
        reached = reach_consensus(table, gold=gold)
    except (InputError, MethodError):
        return QuestionModel(double)
    study = _study(table)
    return QuestionModel(
        double,
        {} if question.kind is Kind.MASK else values(question, reached),
        probabilities(question, reached),
        _difficulty(reached),
        reader_words(question, reached),
        _headline(study),
        entropy={} if question.kind is Kind.SCORE else _entropy(reached),
        agree=agree_of(study) if study else None,
    )


def _too_large(table: Reads) -> bool:
    return (
        isinstance(table, MaskReads)
        and int(np.prod(table.shape.shape, axis=-1).sum()) > _MOST_PIXELS
    )


def _difficulty(reached: Reached) -> dict[str, float]:
    made: dict[str, float] = {}
    for part in reached.parts.values():
        for name, one in zip(part.cases.tolist(), part.difficulty.tolist(), strict=True):
            case = name.split(FRAME, maxsplit=1)[0]
            if one == one:  # noqa: PLR0124 - nan is unknown
                made[case] = max(made.get(case, 0.0), float(one))
    return made


def _entropy(reached: Reached) -> dict[str, float]:
    """Of sets of classes the sum over the classes; of several frames the largest."""
    made: dict[str, float] = {}
    for part in reached.parts.values():
        own: dict[str, float] = {}
        for name, one in zip(part.cases.tolist(), part.entropy.tolist(), strict=True):
            case = name.split(FRAME, maxsplit=1)[0]
            if one == one:  # noqa: PLR0124 - nan is unknown
                own[case] = max(own.get(case, 0.0), float(one))
        for case, one in own.items():
            made[case] = made.get(case, 0.0) + one
    return made


def _study(table: Reads) -> Breakdown | None:
    try:
        return study_of(table, draws=_DRAWS)
    except (InputError, MethodError):
        return None


def _headline(study: Breakdown | None) -> Estimate | None:
    return next((one for one in study.overall if not one.undefined), None) if study else None


def _with_repeats(
    store: Store, project: str, question: Question, agree: ReadersAgree | None
) -> ReadersAgree | None:
    """The same, and how far readers agree with themselves, where somebody read twice."""
    if agree is None:
        return None
    table = repeats_table(store, project, question)
    if table is None or _too_large(table):
        return agree
    try:
        name, within = within_of(table, draws=_DRAWS)
    except (InputError, MethodError):
        return agree
    return replace(agree, within_name=name, within=within)

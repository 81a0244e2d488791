"""How readers do on hidden gold while they read: the same score as in a dry run."""

from __future__ import annotations

from dataclasses import dataclass

from overread.app.quality.gold_figures import QuestionFigure, figures
from overread.app.quality.gold_marks import Mark, marks_of
from overread.app.study.project_protocol import protocol_of
from overread.store import Store, get_cases, list_gold
from overread.store.study.columns import each_read


@dataclass(frozen=True, slots=True)
class GoldRead:
    """One read of a hidden gold case. Args: marks: question id -> what it is worth."""

    reader: str
    case: str
    submitted: str
    marks: dict[str, list[Mark]]


@dataclass(frozen=True, slots=True)
class GoldScore:
    """A reader on hidden gold. Args: cases: how many they read; questions: scored, by class too."""

    reader: str
    cases: int
    questions: tuple[QuestionFigure, ...]


def gold_reads(store: Store, project: str) -> list[GoldRead]:
    """Every reader's first read (latest revision, no repeats) of each hidden gold case, by time.

    Reads that a case's gold answer was taken from are left out: they agree with themselves. Gold
    that was retired, and answers that no longer fit the protocol, count no more.
    """
    protocol = protocol_of(store, project).protocol
    gold = {one.case: one for one in list_gold(store, project, pool="hidden")}
    images = {key: row.image for key, row in get_cases(store, list(gold)).items()}
    made: list[GoldRead] = []
    for read in each_read(store, project, aside=True, cases=list(gold)):
        of = gold[read["case"]]
        if read["round"] or read["read"] == of.source:
            continue
        said = None if read["cannot_be_read"] else read["answer"]
        marks = marks_of(protocol, of.answer, said, images[of.case])
        made.append(GoldRead(read["reader"], of.case, read["submitted"], marks))
    return sorted(made, key=lambda one: one.submitted)


def gold_scores(store: Store, project: str) -> dict[str, GoldScore]:
    """Score each reader on the hidden gold they read; who read none is left out."""
    protocol = protocol_of(store, project).protocol
    by_reader: dict[str, list[GoldRead]] = {}
    for one in gold_reads(store, project):
        by_reader.setdefault(one.reader, []).append(one)
    return {
        reader: GoldScore(reader, len(reads), figures(protocol, [one.marks for one in reads]))
        for reader, reads in by_reader.items()
    }

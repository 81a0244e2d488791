"""What a project wants to learn: its ``learning:`` block with the question it names."""

from __future__ import annotations

from dataclasses import dataclass

from overread.app.study.project_protocol import protocol_of
from overread.labels import Kind
from overread.protocol import Question
from overread.protocol.learning import KINDS, Learning
from overread.selection.likelihood import Settings, grades
from overread.store import Store

NO_YES = ("absent", "present")


@dataclass(frozen=True, slots=True)
class Setup:
    """What is learned.

    Args:
        wishes: of the protocol.
        question: that is learned.
        reads: of each case.
        version: of the protocol.
    """

    wishes: Learning
    question: Question
    reads: int
    version: int

    @property
    def modelled(self) -> bool:
        """A model answers the question; of drawings only the order of cases is worked out."""
        return self.question.kind in KINDS

    @property
    def parts(self) -> tuple[str, ...]:
        """What has a model of its own: each finding of a set; "" where it is one question."""
        return self.question.names if self.question.kind is Kind.MULTILABEL else ("",)

    @property
    def classes(self) -> tuple[str, ...]:
        """What a part can be."""
        named = self.modelled and self.question.kind is not Kind.MULTILABEL
        return self.question.names if named else NO_YES

    def start_settings(self) -> Settings:
        """Of the model, before it has learned any."""
        ordinal = self.question.kind is Kind.ORDINAL
        return grades(len(self.classes)) if ordinal else Settings()


def setup_of(store: Store, project: str) -> Setup | None:
    """What the newest protocol wants; None where it has no ``learning:`` block.

    Raises:
        NotFoundError: no such project.
    """
    now = protocol_of(store, project)
    wishes = now.protocol.learning
    if wishes is None:
        return None
    question = now.protocol.question(wishes.question)
    return Setup(wishes, question, now.protocol.reads_per_case, now.version)

"""What a protocol is: questions with their classes, guideline, atlas, objectives, reads wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from overread.labels import Kind, LabelSchema
from overread.labels.schema import LabelClass
from overread.protocol.learning import Learning
from overread.protocol.on_demand import OnDemand
from overread.protocol.pre_label import PreLabel
from overread.protocol.qualification import Qualification
from overread.protocol.watch import Watch

BACKGROUND = "background"
"""Name of class 0 of every mask: the pixels that nobody painted."""

PALETTE = ("#56b4e9", "#e69f00", "#00a67c", "#f0e442", "#d68bb5", "#dd5f0a", "#3b7fd9", "#c3c8d0")
"""Colours of classes that name none, in turn."""


@dataclass(frozen=True, slots=True)
class ClassEntry:
    """One class or grade, as the reading page shows it.

    Args:
        name: what readers say.
        code: its place in the question, from 1; the code of its pixels in a mask, where 0 is
            the background.
        key: the key that answers it, one digit or letter; None where there is none left.
        colour: of its drawings, ``#rrggbb``.
        ontology: optional code, written "SCHEME:CODE".
        at_least: cases of this class that the data set wants.
        weight: how much a disagreement about it matters to patients, 1 the usual.
    """

    name: str
    code: int
    key: str | None
    colour: str
    ontology: str | None = None
    at_least: int = 0
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that the protocol asks of a case, of one label kind.

    Args:
        id: short name, the key of its answer.
        prompt: as readers see it.
        classes: from least to most for grades; empty for scores; for masks without background.
        low, high: inclusive range of a score; ``None`` is unbounded.
        required: a read without an answer to it is refused.
    """

    id: str
    prompt: str
    kind: Kind
    classes: tuple[ClassEntry, ...] = ()
    low: float | None = None
    high: float | None = None
    required: bool = True

    def schema(self) -> LabelSchema:
        """Schema for the analytic core; masks gain their background as code 0."""
        classes = tuple(LabelClass(one.name, one.ontology) for one in self.classes)
        if self.kind is Kind.MASK:
            classes = (LabelClass(BACKGROUND), *classes)
        return LabelSchema(self.kind, classes, self.low, self.high)

    @property
    def names(self) -> tuple[str, ...]:
        """Class names in order."""
        return tuple(one.name for one in self.classes)

    def weight_of(self, name: str) -> float:
        """Clinical weight of a class; 1 for one that the question has not."""
        return next((one.weight for one in self.classes if one.name == name), 1.0)


@dataclass(frozen=True, slots=True)
class AtlasEntry:
    """A picture of how, or how not, to label a class.

    Args:
        id: short name.
        question, class_name: what it shows.
        do: True for how, False for how not.
        why: the reason, in one or two sentences.
        image: SHA-256 of the picture's blob; None where there is only a drawing or the words.
        rows, columns: size in pixels of the picture that the drawing lies on.
        drawing: an answer (question id -> findings) to lay over it.
    """

    id: str
    question: str | None
    class_name: str | None
    do: bool
    why: str
    image: str | None = None
    rows: int | None = None
    columns: int | None = None
    drawing: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Objective:
    """A quality that the labels are to reach.

    Args:
        question: whose labels.
        metric: key of a measure ("ac1", "dice", "gold_accuracy").
        at_least: the threshold.
        class_name: one class only; None means the whole question.
    """

    question: str
    metric: str
    at_least: float
    class_name: str | None = None


@dataclass(frozen=True, slots=True)
class Diversity:
    """Groups of cases that the data set wants.

    Args:
        by: what tells the groups apart ("age_band", "sex", "site", "device").
        groups: name of a group -> least number of cases.
    """

    by: str
    groups: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Protocol:
    """Label schema, guideline, atlas and objectives of a project.

    Args:
        guideline: markdown; HTML in it is shown as text, never obeyed.
        reads_per_case: how many readers read each case.
        precision: half width of the 95 % interval that the final system needs; None if unsaid.
        qualification: what readers must show before they read; None where anybody may.
        watch: what is done when a reader drifts.
        before_sending: names of the label rules that an answer is looked at by before it is sent;
            None: the gentle ones, of what is drawn; empty: none.
        on_demand: when a case gets more reads than ``reads_per_case``; None where it never does.
        learning: which case is read next, where a model learns meanwhile; None where none does.
        pre_label: whether readers see what a model proposes.
    """

    title: str
    questions: tuple[Question, ...]
    guideline: str = ""
    atlas: tuple[AtlasEntry, ...] = ()
    objectives: tuple[Objective, ...] = ()
    reads_per_case: int = 1
    diversity: tuple[Diversity, ...] = ()
    precision: float | None = None
    qualification: Qualification | None = None
    watch: Watch = field(default_factory=Watch)
    before_sending: tuple[str, ...] | None = None
    on_demand: OnDemand | None = None
    learning: Learning | None = None
    pre_label: PreLabel = field(default_factory=PreLabel)

    def question(self, name: str) -> Question:
        """The question called ``name``; ``KeyError`` where there is none."""
        for one in self.questions:
            if one.id == name:
                return one
        raise KeyError(name)

"""Pre-labels in the API."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from overread.web.schemas_answers import AnswerIn, AnswerOut

Seen: TypeAlias = Literal["", "before", "after"]
Show: TypeAlias = Literal["hidden", "on demand", "shown"]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AskIn(_Shape):
    """A reader asks for a pre-label or for hints; ``marked``: they marked something before."""

    marked: bool = False


class ProposedByOut(BaseModel):
    """Which model proposes the answer to a question, and how sure it is."""

    question: str
    model: str
    version: str
    confidence: float | None


class PreLabelOut(BaseModel):
    """A proposed answer to start from; null where there is none for this reader and case."""

    answer: AnswerOut | None
    by: list[ProposedByOut]


class HintOut(BaseModel):
    """A place that stands out, in image pixels; it says nothing of what is asked."""

    frame: int
    x1: float
    y1: float
    x2: float
    y2: float
    score: float


class HintsOut(BaseModel):
    """Places that stand out, the largest first."""

    hints: list[HintOut]


class ProposalIn(_Shape):
    """What a model proposes for a case (its name or id)."""

    case: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    answer: AnswerIn
    confidence: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None


class PreLabelsIn(_Shape):
    """Proposals of one model."""

    model: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    version: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    proposals: Annotated[list[ProposalIn], Field(min_length=1, max_length=10_000)]


class BroughtOut(BaseModel):
    """How many cases have a newest pre-label of a model."""

    question: str
    model: str
    version: str
    cases: int
    since: str


class SideOut(BaseModel):
    """Reads that saw the pre-label, or not; agreement with it by case, with a 95 % interval."""

    cases: int
    reads: int
    agreement: float | None
    low: float | None
    high: float | None
    seconds: float | None


class ContrastOut(BaseModel):
    """Agreement of reads with what was offered, and where the lot hid it."""

    question: str
    prompt: str
    seen: SideOut
    hidden: SideOut
    offered: SideOut
    difference: float | None
    low: float | None
    high: float | None


class AnchoringOut(ContrastOut):
    """Agreement of reads with the pre-label where it could be seen and where the lot hid it."""

    unchanged: Annotated[float | None, Field(description="Share of those seen sent as they were.")]
    before: Annotated[float | None, Field(description="Share seen before the first mark.")]
    words: str


class HintInfluenceOut(ContrastOut):
    """Share of the hints that findings lie on, where they could be seen and where the lot hid them.

    ``kept``, ``moved`` and ``left`` count the hints shown: boxes as they were, boxes that were
    changed, and no boxes.
    """

    kept: int
    moved: int
    left: int
    before: Annotated[float | None, Field(description="Share seen before the first mark.")]
    words: str


class FromHintOut(BaseModel):
    """A box that began as a hint; ``moved``: it was changed since."""

    question: str
    finding: str
    moved: bool


class PreLabelsOut(BaseModel):
    """The pre-labels of a project; ``looked`` is false until they were first looked at."""

    show: Show
    keep_hidden: float
    looked: bool
    models: list[BroughtOut]
    anchoring: list[AnchoringOut]
    hints: list[HintInfluenceOut]


class PreLabelsKeptOut(BaseModel):
    """Cases that have a pre-label now; ``strange`` ones are not of the project."""

    cases: int
    strange: int

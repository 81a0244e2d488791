"""What adjudication and protocol changes take and give in the API.

What a senior gets holds no name and no id of a reader, a read or a task.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from overread.web.schemas import CaseOut, Flags
from overread.web.schemas_answers import AnswerIn, AnswerOut

Words = Annotated[str, StringConstraints(min_length=1, max_length=4000)]
Seconds = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
Letter = Annotated[str, StringConstraints(pattern=r"^[A-Z]?$")]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class WaitingOut(BaseModel):
    """A case that waits for a decision; ``why`` says what readers differ on."""

    case: str
    name: str
    why: list[str]
    entropy: float
    weight: float
    answered: Annotated[bool, Field(description="Its readers were asked, and read it again.")]
    thumbnail_url: str


class AdjudicationsOut(BaseModel):
    """The queue, the weightiest disagreement (entropy times clinical weight) first."""

    waiting: list[WaitingOut]
    count: int
    own: Annotated[int, Field(description="Disputed cases that you read: another decides.")]
    sent_back: int
    decided: int
    ready: Annotated[bool, Field(description="False while disagreements are worked out.")]


class OpenIn(_Shape):
    """Which case; none for the first that waits."""

    case: Annotated[str | None, StringConstraints(max_length=64)] = None


class AnonymousOut(BaseModel):
    """A read without its reader."""

    letter: str
    answer: AnswerOut
    flags: Flags
    comment: str


class AdjudicationOut(BaseModel):
    """A case under adjudication: its reads as A, B, C in an order drawn for this look."""

    id: str
    project: str
    case: CaseOut
    protocol_version: int
    reads: list[AnonymousOut]
    why: list[str]
    asked: Annotated[list[str], Field(description="Questions sent to the readers before.")]


class DecisionIn(_Shape):
    """A read that is right (``pick``), or an answer of the senior's own; and the reason."""

    reason: Words
    pick: Letter = ""
    answer: AnswerIn | None = None
    cannot_be_read: bool = False
    seconds: Seconds = 0.0


class SendBackIn(_Shape):
    """A question to the readers, who read the case again."""

    question: Words
    seconds: Seconds = 0.0


class SentBackOut(BaseModel):
    """How many readers are asked."""

    asked: int

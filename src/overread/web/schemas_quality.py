"""What adjudication and protocol changes take and give in the API.

What a senior gets holds no name and no id of a reader, a read or a task.
"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path
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
    returnable: Annotated[bool, Field(description="It can be sent back to its readers.")]


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


VersionNumber = Annotated[int, Path(ge=1, le=1_000_000)]
ProtocolText = Annotated[
    str, StringConstraints(max_length=1_000_000), Field(description="The protocol file: YAML.")
]
ClassName = Annotated[str, StringConstraints(max_length=100)]


class ProtocolIn(_Shape):
    """A protocol file that is only looked at."""

    protocol: ProtocolText


class RulingIn(_Shape):
    """What a version means for the labels before it."""

    choice: Annotated[
        Literal["all", "affected", "none"], Field(description="Which reads are made again.")
    ]
    reason: Annotated[str, StringConstraints(max_length=4000)] = ""
    touched: Annotated[
        dict[Annotated[str, StringConstraints(max_length=40)], list[ClassName]],
        Field(description='Question -> classes whose labels it touches; "" is every answer.'),
    ] = {}
    until_replaced: Literal["marked", "left_out"] = "marked"
    readers: Literal["same", "any"] = "same"


class VersionIn(ProtocolIn):
    """The next version, made from ``base``; with a ruling where labels before it are touched."""

    base: Annotated[int, Field(ge=1, le=1_000_000)]
    ruling: RulingIn | None = None


class RuledOut(BaseModel):
    """The version, and how many reads are asked again."""

    version: int
    planned: int


class ChangeOut(BaseModel):
    """One difference; ``stale``: labels made before may no longer say what it asks."""

    what: str
    question: str | None
    stale: bool


class TouchedClassOut(BaseModel):
    """Labels of a class; "" is every answer. ``touched``: by what the difference says."""

    name: str
    labels: int
    touched: bool


class TouchedOut(BaseModel):
    """Labels of a question, class by class."""

    question: str
    classes: list[TouchedClassOut]


class EffectOut(BaseModel):
    """What a protocol file would change; ``asks``: saving it takes a ruling."""

    base: int
    reads: int
    asks: bool
    differences: list[ChangeOut]
    questions: list[TouchedOut]


class NotConformingOut(BaseModel):
    """A label that does not conform."""

    case: str
    what: str
    question: str
    version: int
    why: str


class ConformityOut(BaseModel):
    """How many labels conform to a version; ``first``: some of those that do not.

    ``ready``: the figures are there, and of the newest version; those of a large project are
    worked out in the background.
    """

    ready: bool
    version: int
    labels: int
    conforming: int
    left_out: int
    reasons: dict[str, int]
    words: str
    unruled: list[int]
    first: list[NotConformingOut]

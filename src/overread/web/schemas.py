"""What the API takes and gives, for checking and for its OpenAPI description."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from overread.web.schemas_answers import AnswerIn, AnswerOut
from overread.web.schemas_pre_label import FromHintOut, Seen, Show

Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Token = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{20,100}$")]
Before = Annotated[int, Query(ge=1, le=2**62)]
After = Annotated[int, Query(ge=0, le=2_000_000_000)]
Find = Annotated[str, Query(max_length=100, pattern=r"^[^\x00-\x1f]*$")]
Limit = Annotated[int, Query(ge=1, le=200)]
FrameNumber = Annotated[int, Path(ge=0, le=1_000_000)]

Seconds = Annotated[float, Field(ge=0, le=10_000_000, allow_inf_nan=False)]
Whole = Annotated[int, Field(ge=0, le=1_000_000_000)]
Comment = Annotated[str, StringConstraints(max_length=4000)]


Kind = Literal["nominal", "ordinal", "multi-label", "score", "box", "instance", "mask"]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Login(_Shape):
    """Who logs in."""

    email: Annotated[str, StringConstraints(max_length=200)]
    password: Annotated[str, StringConstraints(max_length=200)]


class Flags(_Shape):
    """Flags of a read."""

    cannot_be_read: bool = False
    ask_a_senior: bool = False


class Claim(_Shape):
    """How many tasks are wanted."""

    count: Annotated[int, Field(ge=1, le=5)] = 1


class Skip(_Shape):
    """Why a case is skipped."""

    reason: Annotated[str, StringConstraints(max_length=500)] = ""


class Nothing(BaseModel):
    """An empty object."""


class DraftIn(_Shape):
    """A draft, and the version it builds on."""

    version: Whole
    answer: AnswerIn
    flags: Flags = Flags()
    comment: Comment = ""
    seconds: Seconds = 0


class AdviceIn(_Shape):
    """A hint that was shown before the read was sent, and whether it was followed."""

    question: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,39}$")]
    rule: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,59}$")]
    finding: Annotated[str, StringConstraints(max_length=100)] = ""
    followed: bool


class SubmitIn(_Shape):
    """A read. The same ``read_id`` sent again gives the same receipt."""

    read_id: Annotated[
        str,
        StringConstraints(
            pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
        ),
    ]
    answer: AnswerIn
    flags: Flags = Flags()
    comment: Comment = ""
    seconds: Seconds = 0
    base_revision: Whole = 0
    protocol_version: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    advice: Annotated[list[AdviceIn], Field(max_length=50)] = []


class Me(BaseModel):
    """Who is logged in."""

    id: str
    name: str
    role: Literal["reader", "lead", "admin"]
    csrf: str


class ProjectOut(BaseModel):
    """A project, with the reader's own numbers."""

    id: str
    name: str
    kinds: list[Kind]
    done: int
    total: int


class ClassOut(BaseModel):
    """A class of a question."""

    name: str
    code: int
    key: str | None
    colour: str | None


class QuestionOut(BaseModel):
    """A question of the protocol."""

    id: str
    prompt: str
    kind: Kind
    classes: list[ClassOut]
    low: float | None
    high: float | None
    required: bool


class AtlasOut(BaseModel):
    """An atlas entry."""

    id: str
    class_: Annotated[str | None, Field(alias="class")]
    do: bool
    why: str
    image_url: str
    drawing: AnswerOut | None


class ProtocolOut(BaseModel):
    """The protocol as readers see it."""

    version: int
    title: str
    questions: list[QuestionOut]
    guideline_html: str
    atlas: list[AtlasOut]
    looked_at: Annotated[
        list[str], Field(description="Questions whose answer is looked at before it is sent.")
    ]
    pre_label: Annotated[Show, Field(description="Whether readers see what a model proposes.")]
    hints: Annotated[bool, Field(description="Places that stand out may be asked for.")]


class ProgressOut(BaseModel):
    """How far a reader is.

    ``paused`` tells why they get no new cases, "" where they do; ``feedback`` how many cases wait
    to be looked at again. ``about``: a model learns, and ``total`` is what it will likely take.
    """

    done: int
    total: int
    about: bool
    median_seconds: float | None
    left_seconds: float | None
    paused: str
    feedback: int


class WindowOut(BaseModel):
    """A window; ``function`` as in DICOM PS3.3 C.11.2.1.3."""

    center: float
    width: float
    name: str
    function: Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]


class CaseOut(BaseModel):
    """A case: one stack of frames of equal size."""

    id: str
    rows: int
    columns: int
    frames: int
    samples: Literal[1, 3]
    dtype: Literal["uint8", "int16", "uint16", "int32", "float32"]
    slope: float
    intercept: float
    spacing_mm: Annotated[
        tuple[float, float] | None, Field(description="Row, column; null if unknown.")
    ]
    slice_mm: float | None
    windows: list[WindowOut]
    modality: str
    invert: bool
    frame_time_ms: float | None
    frame_urls: list[str]
    thumbnail_url: str


class DraftOut(BaseModel):
    """A draft as it is kept."""

    version: int
    answer: AnswerOut
    flags: Flags
    comment: str
    seconds: float


class AskedOut(BaseModel):
    """Why a reader is asked to read a case again; their new read takes the place of the old."""

    why: Literal["adjudication", "protocol"]
    words: str


class TaskOut(BaseModel):
    """A task that is leased to the reader."""

    id: str
    project: str
    lease_expires: str | None
    protocol_version: int
    case: CaseOut
    draft: DraftOut | None
    revision: int
    asked: AskedOut | None = None


class TasksOut(BaseModel):
    """Tasks."""

    tasks: list[TaskOut]


class LeaseOut(BaseModel):
    """A lease."""

    lease_expires: str | None


class VersionOut(BaseModel):
    """The version of a draft."""

    version: int


class ReceiptOut(BaseModel):
    """What was kept of a submission."""

    read_id: str
    revision: int
    surplus: bool


class OwnReadOut(BaseModel):
    """One of the reader's own reads."""

    read_id: str
    event: int
    task: str
    case: CaseOut
    revision: int
    answer: AnswerOut
    flags: Flags
    comment: str
    submitted: str


class CaseRowOut(BaseModel):
    """A case in the browser."""

    id: str
    name: str
    modality: str
    meta: dict[str, Any]
    reads: int
    planned: int
    thumbnail_url: str


class CasesOut(BaseModel):
    """A page of cases; ``next`` goes into ``after``."""

    cases: list[CaseRowOut]
    next: int | None


class CaseReadOut(BaseModel):
    """One reader's read of a case, for the lead; one set aside counts in no consensus."""

    read_id: str
    reader: str
    reader_name: str
    colour: int
    revision: int
    protocol_version: int
    answer: AnswerOut
    flags: Flags
    comment: str
    seconds: float
    submitted: str
    set_aside: bool
    pre_label: Annotated[Seen, Field(description="Seen before or after a first mark; or not.")]
    from_hints: Annotated[list[FromHintOut], Field(description="Boxes that began as a hint.")]


class CaseReadsOut(BaseModel):
    """All reads of a case."""

    reads: list[CaseReadOut]


class ConsensusOut(BaseModel):
    """The consensus of a case, as an answer; ``posterior`` says in words how sure it is."""

    answer: AnswerOut
    posterior: dict[str, str]
    readers: Annotated[
        dict[str, dict[str, str]],
        Field(description="Reader, then question: how good they are by the model, in words."),
    ] = {}
    difficulty: Annotated[
        float | None,
        Field(description="Expected share of reads that differ from it, 0 to 1; null if unknown."),
    ] = None
    from_model: Annotated[
        bool, Field(description="By the model of the whole project, not this case's reads alone.")
    ] = False
    reference: Annotated[
        bool, Field(description="A senior decided: it is the reference standard of the case.")
    ] = False


class ErrorBody(BaseModel):
    """What is wrong: ``name`` must ``rule``; got ``got``. ``remedy`` is the one thing to do."""

    name: Annotated[str, Field(examples=["seconds"])]
    rule: Annotated[str, Field(examples=["be 0 or more"])]
    got: str | float | bool | None
    remedy: str | None


class ProblemOut(BaseModel):
    """One fault of a protocol file."""

    line: int
    where: str
    rule: str
    got: str


class ErrorOut(BaseModel):
    """An error."""

    error: ErrorBody


class ProtocolErrorOut(ErrorOut):
    """A protocol with faults: every one of them with its line; or another error."""

    problems: list[ProblemOut] | None = None


class ConflictOut(ErrorOut):
    """Something newer is there, or the id was used before; ``current`` is what is there."""

    current: DraftOut | None = None

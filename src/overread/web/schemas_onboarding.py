"""What the API takes and gives before somebody may read: where they stand, dry runs, disputes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from overread.web.schemas import CaseOut, Comment, Flags, Seconds
from overread.web.schemas_answers import AnswerIn, AnswerOut


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OnboardingOut(BaseModel):
    """Where a reader stands; ``action`` is the one thing to do next."""

    demanded: bool
    qualified: bool
    title: str
    words: str
    action: Literal["profile", "begin", "go on", "wait", "read"]
    misfits: list[str]
    done: int
    cases: int
    runs_left: int


class DryRunIn(_Shape):
    """Ask for the next case of a dry run; ``begin`` begins a run where none is open."""

    begin: bool = False


class TrialOut(BaseModel):
    """A gold case, without its answer; case ``number`` of ``cases`` of the run."""

    id: str
    project: str
    run: int
    number: int
    cases: int
    protocol_version: int
    case: CaseOut


class DryRunOut(BaseModel):
    """The next case; null where there is none, and ``onboarding`` says why."""

    trial: TrialOut | None
    onboarding: OnboardingOut


class TrialIn(_Shape):
    """An answer, given once. The same ``read_id`` sent again gives the same result."""

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
    protocol_version: Annotated[int, Field(ge=1, le=1_000_000)] | None = None


class MarkOut(BaseModel):
    """What an answer to a question came to, in words."""

    prompt: str
    words: str
    right: bool


class TrialResultOut(BaseModel):
    """The right answer, shown only now; ``atlas``: ids of the entries that explain it."""

    trial: str
    right: AnswerOut
    marks: list[MarkOut]
    atlas: list[str]
    onboarding: OnboardingOut


class DisputeIn(_Shape):
    """Why the right answer is not right."""

    words: Annotated[str, StringConstraints(min_length=1, max_length=4000)]

"""What the API takes and gives about label rules."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from overread.web.schemas_lead import JobOut


class LabelCheckIn(BaseModel):
    """A check of all labels, with an id of the client's: the same again is the same check."""

    model_config = ConfigDict(extra="forbid")

    check_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")]


class LabelCheckOut(BaseModel):
    """A check that is kept."""

    id: str
    made: str
    words: str


class FoundOut(BaseModel):
    """What a check found."""

    id: str
    made: str
    found: Annotated[
        dict[str, Any],
        Field(description="By question: reads, balance of classes, and hints by rule."),
    ]


class FollowedOut(BaseModel):
    """How often a rule spoke before reads were sent, and was followed."""

    rule: str
    shown: int
    followed: int
    reads: int


class LabelChecksOut(BaseModel):
    """Label rules of a project."""

    latest: LabelCheckOut | None
    under_way: JobOut | None
    failed: str | None
    before_sending: list[FollowedOut]

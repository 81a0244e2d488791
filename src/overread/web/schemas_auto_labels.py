"""What auto-labels, their review and certificates take and give in the API."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

CaseId = Annotated[str, Field(min_length=1, max_length=64)]
ClassName = Annotated[str, Field(max_length=200)]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class WordIn(_Shape):
    """A reviewer's word on one label."""

    case: CaseId
    label: Annotated[
        ClassName | None,
        Field(description='The class that it is; "" sends the case to a reader; null undoes.'),
    ]


class ReviewIn(_Shape):
    """Words on some labels."""

    run: CaseId
    words: Annotated[list[WordIn], Field(max_length=1000)]
    seconds: Annotated[float, Field(ge=0, le=3600, description="Of active review.")] = 0.0


class RestIn(_Shape):
    """All labels of a class that nobody looked at are accepted."""

    run: CaseId
    label: ClassName
    count: Annotated[int, Field(ge=0, description="How many the page said there are.")]
    seconds: Annotated[float, Field(ge=0, le=3600)] = 0.0


class ChangedOut(BaseModel):
    """How many labels changed."""

    changed: int


class FrameOut(BaseModel):
    """A label with its picture."""

    case: str
    name: str
    label: str
    probability: float
    thumbnail_url: str
    picture_url: str


class StripOut(BaseModel):
    """Labels of a class that nobody looked at, most doubtful first."""

    run: str
    label: str
    classes: list[str]
    left: Annotated[int, Field(description="In all, those beyond this answer too.")]
    frozen: Annotated[
        bool, Field(description="An audit, or a certificate, holds them as they are.")
    ]
    frames: list[FrameOut]


class LabelCertificateOut(BaseModel):
    """A certificate; its signed document is fetched by its id."""

    id: str
    made: str
    words: str
    stands: Annotated[bool, Field(description="It is about the labels of now.")]


class LabelCertificatesOut(BaseModel):
    """Certificates of a project's auto-labels, the newest first."""

    certificates: list[LabelCertificateOut]
    fingerprint: Annotated[str | None, Field(description="SHA-256 of this server's public key.")]

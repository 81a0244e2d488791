"""What truthing reports, disagreements and effort take and give in the API."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from overread.web.schemas_lead import ClientId, JobOut


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TruthingIn(_Shape):
    """A truthing report that is wanted."""

    report_id: Annotated[ClientId, Field(examples=["5f1de2a4-8f4c-4f5e-9a55-6f4f2c1f7a10"])]
    names: Annotated[bool, Field(description="Tell readers by their names.")] = False


class LogHeadOut(BaseModel):
    """Head of the log: how many events, and the SHA-256 of the last."""

    events: int
    head: str


class TruthingOut(BaseModel):
    """A truthing report that is kept; ``files`` maps html, pdf, json to their SHA-256."""

    id: str
    made: str
    named: bool
    conformity: str
    log: LogHeadOut
    files: dict[str, str]


class TruthingsOut(BaseModel):
    """Truthing reports of a project, the newest first."""

    reports: list[TruthingOut]
    under_way: JobOut | None
    failed: Annotated[str | None, Field(description="Why the last one asked for was not made.")]

"""A look at an answer before it is sent, in the API."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from overread.web.schemas_answers import AnswerIn


class CheckIn(BaseModel):
    """An answer to be looked at before it is sent."""

    model_config = ConfigDict(extra="forbid")

    answer: AnswerIn
    protocol_version: Annotated[int, Field(ge=1, le=1_000_000)] | None = None


class ToldOut(BaseModel):
    """One thing to look at again; ``finding`` is the id of a drawing, "" for the whole answer."""

    question: str
    rule: str
    finding: str
    words: str


class CheckOut(BaseModel):
    """What was seen; ``looked`` is false where there was no time. Nothing is refused."""

    looked: bool
    hints: list[ToldOut]

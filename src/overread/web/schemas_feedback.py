"""What a reader is shown again after an alarm, in the API: no name, and no single other read."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from overread.web.schemas_answers import Value


class FeedbackCaseOut(BaseModel):
    """A case; ``others`` is what more than half of at least two others say together."""

    case: str
    rows: int
    columns: int
    frames: int
    frame: Annotated[int, Field(description="To begin with.")]
    mine: Annotated[Value | None, Field(description="My answer; null is cannot be read.")]
    others: Value
    count: Annotated[int, Field(description="Others who answered, two or more.")]
    words: str
    seen: Annotated[str, Field(description='When I said that I have seen it, "" before.')]


class FeedbackOut(BaseModel):
    """Cases that were let out to me, the worst first; none where no alarm about me stands."""

    words: Annotated[str, Field(description="What has changed, in words.")]
    question: str
    cases: list[FeedbackCaseOut]
    left: int
    atlas: Annotated[list[str], Field(description="Entries that concern it.")]
    guideline: Annotated[str, Field(description="The parts that concern it, markdown.")]

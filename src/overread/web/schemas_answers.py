"""What a read says, as the API describes it: question id -> value, in the form of its kind.

Answers that come in are not checked against these shapes: the protocol of the project knows more
(which classes, which size) and says it better, see :func:`overread.protocol.check_answer`.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import BaseModel, Field, SkipValidation, StringConstraints


class BoxFinding(BaseModel):
    """A box in image pixels; (0, 0) is the outer corner of the top-left pixel."""

    id: Annotated[str, Field(description="Made by the client.")]
    class_: Annotated[str, Field(alias="class")]
    frame: Annotated[int, Field(ge=0)]
    x1: float
    y1: float
    x2: float
    y2: float


Point: TypeAlias = tuple[float, float]
Run: TypeAlias = tuple[int, int]


class OutlineFinding(BaseModel):
    """An outline: one closed ring, the first point not repeated."""

    id: Annotated[str, Field(description="Made by the client.")]
    class_: Annotated[str, Field(alias="class")]
    frame: Annotated[int, Field(ge=0)]
    points: Annotated[list[Point], Field(description="x, y in image pixels.")]


class MaskFrame(BaseModel):
    """The painted pixels of one frame: runs of class codes, row by row; 0 is the background."""

    frame: Annotated[int, Field(ge=0)]
    rows: int
    columns: int
    runs: Annotated[list[Run], Field(description="Class code and length of each run.")]


Value: TypeAlias = (
    str | float | list[str] | list[BoxFinding] | list[OutlineFinding] | list[MaskFrame]
)

_EXAMPLE = {
    "grade": "2",
    "fractures": [
        {"id": "a", "class": "fracture", "frame": 0, "x1": 10, "y1": 12, "x2": 30.5, "y2": 40}
    ],
}

AnswerOut: TypeAlias = Annotated[
    dict[str, Value],
    Field(description="Question id -> value, in the form of its kind.", examples=[_EXAMPLE]),
]
"""An answer as it is told."""

AnswerIn: TypeAlias = Annotated[
    dict[Annotated[str, StringConstraints(max_length=40)], Annotated[Value, SkipValidation]],
    Field(description="Question id -> value, in the form of its kind.", examples=[_EXAMPLE]),
]
"""An answer as it comes in: checked against the protocol, not here."""

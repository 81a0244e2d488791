"""The shape of a protocol file, key by key."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from overread.labels import Kind
from overread.protocol.learning import ACQUISITION

Slug = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,39}$")]
Line = Annotated[str, StringConstraints(min_length=1, max_length=300)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=10_000_000)]
Side = Annotated[int, Field(ge=1, le=100_000)]


def _trimmed(text: str) -> str:
    if text != text.strip() or not text.isprintable():
        raise ValueError("be a text in one line without blanks around it")
    return text


Name = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_trimmed)]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$", to_lower=True)]
Key = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]$", to_lower=True)]
Code = Annotated[str, StringConstraints(pattern=r"^[^\s:]+:\S+$", max_length=100)]

_NUMBER = re.compile(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")


def _flag(value: object) -> object:
    """YAML's truth values only: a protocol says yes and no, not 1 and 0."""
    words = {"true": True, "false": False, "yes": True, "no": False}
    return words.get(value.lower(), value) if isinstance(value, str) else value


Rule = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,40}$")]
Flag = Annotated[bool, BeforeValidator(_flag), Field(strict=True)]


def _numbers(value: Any) -> Any:
    """Words that are numbers, as numbers: inside a drawing, whose rest is checked as an answer."""
    if isinstance(value, dict):
        return {key: one if key in {"id", "class"} else _numbers(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_numbers(one) for one in value]
    if isinstance(value, str) and _NUMBER.match(value):
        return int(value) if value.lstrip("+-").isdigit() else float(value)
    return value


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileClass(_Entry):
    """A class; a text alone is its name."""

    name: Name
    key: Key | None = None
    colour: Colour | None = None
    ontology: Code | None = None
    at_least: Count = 0
    weight: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] = 1.0

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: object) -> object:
        return {"name": value} if isinstance(value, str) else value


class FileQuestion(_Entry):
    """A question."""

    id: Slug
    prompt: Line
    kind: Kind
    classes: Annotated[tuple[FileClass, ...], Field(max_length=200)] = ()
    low: Number | None = None
    high: Number | None = None
    required: Flag = True


class FileAtlasEntry(_Entry):
    """An atlas entry."""

    id: Slug
    question: Slug | None = None
    class_: Annotated[Name | None, Field(alias="class")] = None
    do: Flag
    why: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    image: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    rows: Side | None = None
    columns: Side | None = None
    drawing: Annotated[dict[str, Any], BeforeValidator(_numbers)] | None = None


class FileObjective(_Entry):
    """A quality objective."""

    question: Slug
    metric: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
    at_least: Number
    class_: Annotated[Name | None, Field(alias="class")] = None


class FileDiversity(_Entry):
    """Wanted groups of cases."""

    by: Literal["age_band", "sex", "site", "device", "body_part", "modality"]
    groups: Annotated[dict[Name, Count], Field(min_length=1, max_length=100)]


Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
_Names = Annotated[tuple[Name, ...], Field(max_length=50)]


class FileQualification(_Entry):
    """What readers must show before they read."""

    professions: _Names = ()
    specialties: _Names = ()
    modalities: _Names = ()
    board: Flag = False
    least_years: Annotated[float, Field(ge=0, le=80, allow_inf_nan=False)] = 0.0
    pass_mark: Share = 0.8
    rule: Literal["estimate", "lower_bound"] = "estimate"
    least_cases: Annotated[int, Field(ge=1, le=1_000)] = 10
    most_runs: Annotated[int, Field(ge=1, le=1_000)] = 3
    grades: Literal["exact", "within_one"] = "exact"
    tolerance: Annotated[float | None, Field(ge=0, allow_inf_nan=False)] = None
    overlap: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 0.5
    most_exposures: Annotated[int, Field(ge=1, le=1_000_000)] = 50
    on_change: Literal["ask", "again", "keep"] = "ask"


_Action = Literal["warn", "ask", "pause"]


class FileActions(_Entry):
    """What is done at once: where a reader changed, and where they always were apart."""

    change: _Action
    slow: _Action | None = None
    level: _Action = "ask"


def _actions(value: object) -> object:
    """One word is said of all."""
    if isinstance(value, str):
        if value not in {"warn", "ask", "pause"}:
            raise ValueError("be warn, ask or pause, or say it of change and level")
        return {"change": value, "level": value}
    return value


class FileWatch(_Entry):
    """What is done when a reader drifts."""

    on_alarm: Annotated[FileActions, BeforeValidator(_actions)] = FileActions(
        change="ask", level="ask"
    )
    run_length: Annotated[float, Field(ge=100, le=1e9, allow_inf_nan=False)] = 40_000.0
    set_aside: Flag = True
    check_cases: Annotated[int, Field(ge=1, le=1_000)] = 20
    feedback: Literal["alarm", "lead", "none"] = "alarm"


class FileOnDemand(_Entry):
    """Reads on demand."""

    at_least: Annotated[int, Field(ge=1, le=50)] = 2
    at_most: Annotated[int, Field(ge=1, le=50)] = 4
    sure: Annotated[float, Field(gt=0.5, lt=1, allow_inf_nan=False)] = 0.95
    loss: Annotated[float, Field(ge=0, le=0.5, allow_inf_nan=False)] = 0.0


class FileReads(_Entry):
    """How many reads a case gets, where that is decided while readers read."""

    on_demand: FileOnDemand | None = None


class FileLearning(_Entry):
    """Which case is read next, where a model learns while readers read."""

    question: Slug
    acquisition: Annotated[str, StringConstraints(max_length=40)] = ACQUISITION
    start: Literal["typical", "k-means", "random"] = "typical"
    random_share: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.05
    held_back: Annotated[float, Field(gt=0, le=0.5, allow_inf_nan=False)] = 0.15
    mode: Literal["continuous", "batch"] = "continuous"
    batch: Annotated[int, Field(ge=1, le=100_000)] = 50
    target: Annotated[float | None, Field(gt=0, lt=1, allow_inf_nan=False)] = None
    rule: Literal["target", "cost", "elbow", "stable"] | None = None
    read_seconds: Annotated[float | None, Field(gt=0, le=86_400, allow_inf_nan=False)] = None
    review_seconds: Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)] = 4.0
    most_labels: Annotated[int | None, Field(ge=1, le=10_000_000)] = None


class FilePreLabel(_Entry):
    """Answers that a model proposes; a word alone is ``show``."""

    show: Literal["hidden", "on demand", "shown"] = "hidden"
    keep_hidden: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] = 0.2
    hints: Flag = False

    @model_validator(mode="before")
    @classmethod
    def _shown(cls, value: object) -> object:
        return {"show": value} if isinstance(value, str) else value


class FileProtocol(_Entry):
    """The file."""

    title: Line
    questions: Annotated[tuple[FileQuestion, ...], Field(min_length=1, max_length=30)]
    reads_per_case: Annotated[int, Field(ge=1, le=50)] = 1
    guideline: Annotated[str, StringConstraints(max_length=100_000)] = ""
    atlas: Annotated[tuple[FileAtlasEntry, ...], Field(max_length=200)] = ()
    objectives: Annotated[tuple[FileObjective, ...], Field(max_length=200)] = ()
    diversity: Annotated[tuple[FileDiversity, ...], Field(max_length=10)] = ()
    precision: Annotated[float, Field(gt=0, lt=1)] | None = None
    qualification: FileQualification | None = None
    watch: FileWatch = FileWatch()
    reads: FileReads = FileReads()
    before_sending: Annotated[tuple[Rule, ...], Field(max_length=30)] | None = None
    learning: FileLearning | None = None
    pre_label: FilePreLabel = FilePreLabel()

"""A protocol file, read and checked: every fault with its line, rule and value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from overread.errors import InputError, MissingExtraError
from overread.labels import Kind
from overread.protocol.check_answer import check_answer
from overread.protocol.errors import Problem, ProtocolError, short
from overread.protocol.learning import Learning
from overread.protocol.model import (
    PALETTE,
    AtlasEntry,
    ClassEntry,
    Diversity,
    Objective,
    Protocol,
    Question,
)
from overread.protocol.on_demand import OnDemand
from overread.protocol.pre_label import PreLabel
from overread.protocol.qualification import Qualification
from overread.protocol.rules import faults
from overread.protocol.watch import Watch, policy
from overread.protocol.yaml_tree import Lines, Path, line_of, parse, where

if TYPE_CHECKING:
    from pydantic import ValidationError

    from overread.protocol.file_schema import FileAtlasEntry, FileProtocol, FileQuestion

_MOST_PROBLEMS = 50


def read_protocol(text: str, *, name: str = "protocol.yaml") -> Protocol:
    """Read a protocol.

    Args:
        text: YAML; see the templates.
        name: of the file, for errors.
    Raises:
        ProtocolError: an :class:`InputError` that names every fault with line, rule and value.
        MissingExtraError: the packages of the server are not installed.
    """
    tree, lines = parse(text, name)
    try:
        from pydantic import ValidationError  # noqa: PLC0415 - an extra

        from overread.protocol.file_schema import FileProtocol  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError("Reading protocols", "server") from error
    try:
        file = FileProtocol.model_validate(tree)
    except ValidationError as error:
        raise ProtocolError(name, _problems_of(error, lines)) from None
    found = [Problem(line_of(path, lines), where(path), *words) for path, *words in faults(file)]
    if found:
        raise ProtocolError(name, found[:_MOST_PROBLEMS])
    protocol = _protocol(file)
    found = list(_drawing_problems(protocol, lines))
    if found:
        raise ProtocolError(name, found[:_MOST_PROBLEMS])
    return protocol


def _problems_of(error: ValidationError, lines: Lines) -> Iterator[Problem]:
    found = error.errors(include_url=False)[:_MOST_PROBLEMS]
    for one in found:
        if one["type"] == "too_short" and any(len(each["loc"]) > len(one["loc"]) for each in found):
            continue  # pydantic leaves out the entries that have faults of their own
        path: Path = tuple(one["loc"])
        kind, context = one["type"], one.get("ctx", {})
        got = short(one["input"])
        if kind == "missing":
            yield Problem(line_of(path, lines), where(path), "be given", "nothing")
        elif kind == "extra_forbidden":
            yield Problem(line_of(path, lines), where(path), "be a known key", short(path[-1]))
        else:
            yield Problem(line_of(path, lines), where(path), _rule(kind, context, one["msg"]), got)


def _rule(kind: str, context: dict[str, Any], message: str) -> str:
    if kind == "value_error":
        return str(context["error"])
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(context["pattern"], f"match {context['pattern']}")
    if kind in {"model_type", "dict_type", "model_attributes_type"}:
        return "be a mapping (key: value)"
    if kind in {"tuple_type", "list_type"}:
        return "be a list"
    words = message.removeprefix("Input should ").removeprefix("String should ")
    return words[:1].lower() + words[1:] if words != message else f"be valid ({message})"


_PATTERNS = {
    r"^#[0-9A-Fa-f]{6}$": 'be a colour written "#rrggbb"',
    r"^[0-9A-Za-z]$": "be one digit or letter",
    r"^[^\s:]+:\S+$": 'be written "SCHEME:CODE", for example "RADLEX:RID5350"',
    r"^[0-9a-f]{64}$": "be the SHA-256 of a picture",
    r"^[A-Za-z][A-Za-z0-9_-]{0,39}$": "begin with a letter and have letters, digits, _ and -",
    r"^[a-z][a-z0-9-]{0,40}$": "be the name of a label rule",
    r"^[a-z][a-z0-9_]{0,40}$": "be the key of a measure",
}


def _drawing_problems(protocol: Protocol, lines: Lines) -> Iterator[Problem]:
    for at, entry in enumerate(protocol.atlas):
        if entry.drawing is None:
            continue
        size = {"rows": entry.rows or 1, "columns": entry.columns or 1, "frames": 1}
        try:
            check_answer(protocol, entry.drawing, **size, complete=False)
        except InputError as error:
            path: Path = ("atlas", at, "drawing")
            here = f"{where(path)}: {error.name}"
            yield Problem(line_of(path, lines), here, error.rule, str(error.got))


def _protocol(file: FileProtocol) -> Protocol:
    asked = file.reads.on_demand
    on_demand = None if asked is None else OnDemand(**asked.model_dump())
    return Protocol(
        title=file.title,
        questions=tuple(_question(one) for one in file.questions),
        guideline=file.guideline,
        atlas=tuple(_atlas_entry(one) for one in file.atlas),
        objectives=tuple(
            Objective(one.question, one.metric, one.at_least, one.class_) for one in file.objectives
        ),
        reads_per_case=on_demand.at_least if on_demand else file.reads_per_case,
        on_demand=on_demand,
        diversity=tuple(Diversity(one.by, dict(one.groups)) for one in file.diversity),
        precision=file.precision,
        qualification=_qualification(file),
        watch=_watch(file),
        before_sending=file.before_sending,
        learning=None if file.learning is None else Learning(**file.learning.model_dump()),
        pre_label=PreLabel(**file.pre_label.model_dump()),
    )


def _watch(file: FileProtocol) -> Watch:
    given = file.watch
    told = given.on_alarm
    on_alarm = policy(told.change, slow=told.slow or "", level=told.level)
    return Watch(**given.model_dump(exclude={"on_alarm"}), on_alarm=on_alarm)


def _qualification(file: FileProtocol) -> Qualification | None:
    asked = file.qualification
    return None if asked is None else Qualification(**asked.model_dump())


def _question(one: FileQuestion) -> Question:
    keys = _keys(one)
    classes = tuple(
        ClassEntry(
            entry.name,
            at + 1,
            keys[at],
            entry.colour or PALETTE[at % len(PALETTE)],
            entry.ontology,
            entry.at_least,
            entry.weight,
        )
        for at, entry in enumerate(one.classes)
    )
    return Question(one.id, one.prompt, Kind(one.kind), classes, one.low, one.high, one.required)


def _keys(question: FileQuestion) -> list[str | None]:
    """Keys as given; else grades named by one digit keep it, others get 1 ... 9, 0 in turn."""
    names = [one.name for one in question.classes]
    numbered = all(len(name) == 1 and name in "0123456789" for name in names)
    taken = {one.key for one in question.classes}
    digits: list[str | None] = [*(names if numbered else "1234567890"[: len(names)])]
    digits += [None] * (len(names) - len(digits))
    return [
        one.key or (digit if digit not in taken else None)
        for one, digit in zip(question.classes, digits, strict=True)
    ]


def _atlas_entry(one: FileAtlasEntry) -> AtlasEntry:
    return AtlasEntry(
        one.id, one.question, one.class_, one.do, one.why, one.image, one.rows, one.columns,
        one.drawing,
    )  # fmt: skip

"""Rules of a protocol file that no single value shows: names twice, key conflicts, ranges."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from overread.labels import CANNOT_BE_READ, Kind
from overread.protocol.errors import short
from overread.protocol.learning import DRAWN
from overread.protocol.learning import KINDS as LEARNED
from overread.protocol.model import BACKGROUND
from overread.protocol.qualification import LOWER_BOUND, best_lower_bound
from overread.protocol.yaml_tree import Path

if TYPE_CHECKING:
    from overread.protocol.file_schema import FileProtocol, FileQuestion

Fault: TypeAlias = tuple[Path, str, str]
"""(path, rule, got)."""

_CLASS_METRICS = (
    "percent", "cohen", "cohen_linear", "cohen_quadratic", "fleiss", "conger", "ac1",
    "ac2_linear", "ac2_quadratic", "ac2_ordinal", "alpha_nominal", "alpha_ordinal",
    "alpha_interval", "alpha_ratio", "brennan_prediger",
)  # fmt: skip
METRICS: dict[Kind, tuple[str, ...]] = {
    Kind.NOMINAL: _CLASS_METRICS,
    Kind.ORDINAL: _CLASS_METRICS,
    Kind.MULTILABEL: _CLASS_METRICS,
    Kind.SCORE: ("icc", "alpha_interval"),
    Kind.BOX: ("f1", "iou_matched", "existence"),
    Kind.INSTANCE: ("f1", "iou_matched", "existence", "dice"),
    Kind.MASK: ("dice", "iou", "surface_distance", "hausdorff"),
}
"""Measures of an objective by label kind; ``gold_accuracy`` and ``certificate`` go with all."""
_ALL = ("gold_accuracy", "certificate")


def faults(file: FileProtocol) -> Iterator[Fault]:
    """Every broken rule of a file whose single values are sound."""
    yield from _twice((("questions", at, "id"), one.id) for at, one in enumerate(file.questions))
    yield from _twice((("atlas", at, "id"), one.id) for at, one in enumerate(file.atlas))
    for at, question in enumerate(file.questions):
        yield from _question_faults(("questions", at), question)
    by_id = {one.id: one for one in file.questions}
    yield from _objective_faults(file, by_id)
    yield from _atlas_faults(file, by_id)
    yield from _qualification_faults(file)
    yield from _reads_faults(file)
    yield from _learning_faults(file, by_id)


def _twice(named: Iterable[tuple[Path, str]]) -> Iterator[Fault]:
    seen: set[str] = set()
    for path, name in named:
        if name.casefold() in seen:
            yield path, "differ from those before it", f"{short(name)} again"
        seen.add(name.casefold())


def _question_faults(path: Path, question: FileQuestion) -> Iterator[Fault]:
    kind, classes = question.kind, question.classes
    yield from _score_faults(path, question) if kind is Kind.SCORE else _list_faults(path, question)
    yield from _twice(((*path, "classes", at, "name"), one.name) for at, one in enumerate(classes))
    yield from _key_faults(path, question)
    for at, one in enumerate(classes):
        if one.name.casefold() in {CANNOT_BE_READ, BACKGROUND if kind is Kind.MASK else ""}:
            rule = "be another name: this one has its own meaning"
            yield (*path, "classes", at, "name"), rule, short(one.name)


def _score_faults(path: Path, question: FileQuestion) -> Iterator[Fault]:
    low, high = question.low, question.high
    if question.classes:
        yield (*path, "classes"), "be absent for a score", f"{len(question.classes)} classes"
    if low is not None and high is not None and not low < high:
        yield (*path, "high"), f"be above low ({low:g})", f"{high:g}"


def _list_faults(path: Path, question: FileQuestion) -> Iterator[Fault]:
    least = 2 if question.kind in {Kind.NOMINAL, Kind.ORDINAL} else 1
    if len(question.classes) < least:
        rule = f"be at least {least} for {question.kind}"
        yield (*path, "classes"), rule, str(len(question.classes))
    for name in ("low", "high"):
        if getattr(question, name) is not None:
            yield (*path, name), "be absent but for a score", f"{getattr(question, name):g}"


def _key_faults(path: Path, question: FileQuestion) -> Iterator[Fault]:
    owner: dict[str, str] = {}
    for at, one in enumerate(question.classes):
        if one.key is None:
            continue
        if one.key in owner:
            rule = f"differ from the key of {short(owner[one.key])}"
            yield (*path, "classes", at, "key"), rule, short(one.key)
        owner.setdefault(one.key, one.name)


def _objective_faults(file: FileProtocol, by_id: dict[str, FileQuestion]) -> Iterator[Fault]:
    for at, one in enumerate(file.objectives):
        path = "objectives", at
        yield from _reference_faults(path, one.question, one.class_, by_id)
        question = by_id.get(one.question)
        known = (*METRICS[question.kind], *_ALL) if question else ()
        if question and one.metric not in known:
            yield (*path, "metric"), f"be one of {', '.join(known)}", short(one.metric)


def _atlas_faults(file: FileProtocol, by_id: dict[str, FileQuestion]) -> Iterator[Fault]:
    for at, one in enumerate(file.atlas):
        path = "atlas", at
        yield from _reference_faults(path, one.question, one.class_, by_id)
        if one.drawing is not None and (one.rows is None or one.columns is None):
            yield (*path, "drawing"), "come with rows and columns of its picture", "neither"


def _reference_faults(
    path: Path, question: str | None, name: str | None, by_id: dict[str, FileQuestion]
) -> Iterator[Fault]:
    if question is None:
        if name is not None:
            yield (*path, "class"), "come with its question", short(name)
    elif question not in by_id:
        yield (*path, "question"), f"be one of {', '.join(by_id)}", short(question)
    elif name is not None and name not in (names := [one.name for one in by_id[question].classes]):
        yield (*path, "class"), f"be one of {', '.join(names) or 'no classes'}", short(name)


_ON_DEMAND = (Kind.NOMINAL, Kind.ORDINAL, Kind.MULTILABEL)


def _reads_faults(file: FileProtocol) -> Iterator[Fault]:
    asked = file.reads.on_demand
    if asked is None:
        return
    path = ("reads", "on_demand")
    if asked.at_most < asked.at_least:
        yield (*path, "at_most"), f"be at_least ({asked.at_least}) or more", str(asked.at_most)
    if "reads_per_case" in file.model_fields_set and file.reads_per_case != asked.at_least:
        rule = f"be left out, or be at_least of reads on demand ({asked.at_least})"
        yield ("reads_per_case",), rule, str(file.reads_per_case)
    if not any(one.kind in _ON_DEMAND for one in file.questions):
        yield path, "come with a question of classes or grades", "none"


def _learning_faults(file: FileProtocol, by_id: dict[str, FileQuestion]) -> Iterator[Fault]:
    asked = file.learning
    if asked is None:
        return
    fitting = [name for name, one in by_id.items() if one.kind in (*LEARNED, *DRAWN)]
    if asked.question not in fitting:
        rule = f"be a question of classes, grades or drawings ({', '.join(fitting) or 'none'})"
        yield ("learning", "question"), rule, short(asked.question)
    from overread.selection.acquisition.table import ACQUISITIONS  # noqa: PLC0415 - scipy

    if asked.acquisition not in ACQUISITIONS:
        rule = f"be one of {', '.join(ACQUISITIONS)}"
        yield ("learning", "acquisition"), rule, short(asked.acquisition)
    if asked.rule == "target" and asked.target is None:
        yield ("learning", "rule"), "come with a target, or be another", "target alone"
    if file.reads.on_demand is not None:
        rule = "come without reads on demand: each asks for reads in its own way"
        yield ("learning",), rule, "both"


def _qualification_faults(file: FileProtocol) -> Iterator[Fault]:
    asked = file.qualification
    if asked is None:
        return
    if asked.rule == LOWER_BOUND and best_lower_bound(asked.least_cases) < asked.pass_mark:
        best = (
            f"{best_lower_bound(asked.least_cases):.2f} when all of {asked.least_cases} are right"
        )
        rule = "be in reach of the rule lower_bound (more least_cases or a lower mark)"
        yield ("qualification", "pass_mark"), rule, f"{asked.pass_mark:g}, and the bound is {best}"
    for one in file.questions:
        if one.kind is Kind.SCORE and asked.tolerance is None and None in {one.low, one.high}:
            rule = f"have a tolerance, as the score {one.id} has no range"
            yield ("qualification",), rule, "none"

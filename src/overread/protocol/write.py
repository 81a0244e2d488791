"""A protocol as the file it came from, in one spelling."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from overread.errors import MissingExtraError
from overread.protocol.learning import Learning
from overread.protocol.model import AtlasEntry, ClassEntry, Objective, Protocol, Question
from overread.protocol.on_demand import OnDemand
from overread.protocol.pre_label import PreLabel
from overread.protocol.qualification import Qualification
from overread.protocol.watch import Watch, words_of


def write_protocol(protocol: Protocol) -> str:
    """Write YAML that :func:`read_protocol` reads back to an equal protocol.

    Raises:
        MissingExtraError: the packages of the server are not installed.
    """
    try:
        import yaml  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtraError("Writing protocols", "server") from error

    class Dumper(yaml.SafeDumper):
        """Long texts in blocks, and no aliases for values that are shared."""

        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the library's signature
            return True

    def text(dumper: Any, value: str) -> Any:
        style = "|" if "\n" in value else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    made = yaml.dump(_file(protocol), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100)
    return str(made)


def _file(protocol: Protocol) -> dict[str, Any]:
    return _without_empty(
        {
            "title": protocol.title,
            "reads_per_case": protocol.reads_per_case,
            "precision": protocol.precision,
            "questions": [_question(one) for one in protocol.questions],
            "objectives": [_objective(one) for one in protocol.objectives],
            "qualification": _qualification(protocol.qualification),
            "watch": _watch(protocol.watch),
            "reads": _reads(protocol.on_demand),
            "before_sending": protocol.before_sending,
            "learning": _learning(protocol.learning),
            "pre_label": _pre_label(protocol.pre_label),
            "diversity": [{"by": one.by, "groups": dict(one.groups)} for one in protocol.diversity],
            "guideline": protocol.guideline,
            "atlas": [_atlas_entry(one) for one in protocol.atlas],
        }
    )


def _without_empty(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: one for key, one in entry.items() if one is not None and one not in ("", [])}


def _question(one: Question) -> dict[str, Any]:
    classes = [_class(each) for each in one.classes]
    return _without_empty(
        {
            "id": one.id,
            "prompt": one.prompt,
            "kind": str(one.kind),
            "required": one.required,
            "low": one.low,
            "high": one.high,
            "classes": classes,
        }
    )


def _class(one: ClassEntry) -> dict[str, Any]:
    return _without_empty(
        {
            "name": one.name,
            "key": one.key,
            "colour": one.colour,
            "ontology": one.ontology,
            "at_least": one.at_least or None,
            "weight": None if one.weight == 1 else one.weight,
        }
    )


def _objective(one: Objective) -> dict[str, Any]:
    return _without_empty(
        {
            "question": one.question,
            "class": one.class_name,
            "metric": one.metric,
            "at_least": one.at_least,
        }
    )


def _qualification(one: Qualification | None) -> dict[str, Any] | None:
    """What differs from the usual, and always the mark: an empty block would be left out."""
    if one is None:
        return None
    usual = asdict(Qualification())
    told = {key: value for key, value in asdict(one).items() if value != usual[key]}
    told = {"pass_mark": one.pass_mark, "least_cases": one.least_cases} | told
    return {key: list(value) if isinstance(value, tuple) else value for key, value in told.items()}


def _watch(one: Watch) -> dict[str, Any]:
    usual = asdict(Watch())
    told = {key: value for key, value in asdict(one).items() if value != usual[key]}
    return told | ({"on_alarm": words_of(one.on_alarm)} if "on_alarm" in told else {})


def _reads(one: OnDemand | None) -> dict[str, Any] | None:
    return None if one is None else {"on_demand": asdict(one)}


def _learning(one: Learning | None) -> dict[str, Any] | None:
    """The question, and what differs from the usual."""
    if one is None:
        return None
    usual = asdict(Learning(one.question))
    told = {key: value for key, value in asdict(one).items() if value != usual[key]}
    return {"question": one.question} | told


def _pre_label(one: PreLabel) -> dict[str, Any] | None:
    """What differs from the usual; nothing where nothing does."""
    usual = asdict(PreLabel())
    return {key: value for key, value in asdict(one).items() if value != usual[key]} or None


def _atlas_entry(one: AtlasEntry) -> dict[str, Any]:
    return _without_empty(
        {
            "id": one.id,
            "question": one.question,
            "class": one.class_name,
            "do": one.do,
            "why": one.why,
            "image": one.image,
            "rows": one.rows,
            "columns": one.columns,
            "drawing": None if one.drawing is None else dict(one.drawing),
        }
    )

"""Models that were brought to propose answers: in words, for the page of pre-labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from overread.app.learning.bring_model import asked, head_kept
from overread.errors import InputError
from overread.protocol import Protocol
from overread.store import Blobs
from overread.store.learning.pre_label_models import ModelRow
from overread.store.learning.pre_labels import Brought

FORMS = {
    "choice": "one class of these", "yes-no": "one score: whether it is this class",
    "findings": "any of these", "paint": "a mask of these and background",
    "paint-apart": "a mask of these, each by a map of its own", "boxes": "boxes of these",
}  # fmt: skip
"""What a model answers, for people."""
_WITH_THRESHOLD = {"yes-no", "findings", "paint-apart", "boxes"}


@dataclass(frozen=True, slots=True)
class ModelLine:
    """A model that was brought.

    Args:
        id: of its row; name, version, since: for people; file: SHA-256 of the ONNX file.
        prompt: of its question, or its id where the protocol has it no more.
        answers: what it answers, in words; classes: in the order of its outputs.
        takes: what it takes, and costs, in words.
        cases: that have its newest pre-label.
        gone: its file is not among the blobs.
        unfit: why it no longer fits its question; "" where it does.
    """

    id: str
    name: str
    version: str
    since: str
    file: str
    prompt: str
    answers: str
    classes: tuple[str, ...]
    takes: str
    cases: int
    gone: bool
    unfit: str


def model_lines(
    rows: Sequence[ModelRow], protocol: Protocol, sets: Sequence[Brought], blobs: Blobs
) -> tuple[ModelLine, ...]:
    """Models as the page lists them.

    Args:
        rows: of the store; sets: what models have brought.
    """
    cases = {(one.question, one.model, one.version): one.cases for one in sets}
    prompts = {one.id: one.prompt for one in protocol.questions}
    return tuple(
        ModelLine(
            one.id, str(one.about["name"]), str(one.about["version"]), one.since, one.file,
            prompts.get(one.question, one.question), _answers(one), tuple(one.about["classes"]),
            _takes(one), cases.get((one.question, one.about["name"], one.about["version"]), 0),
            not blobs.has(one.file), _unfit(one, protocol),
        )
        for one in rows
    )  # fmt: skip


def _answers(row: ModelRow) -> str:
    form = str(row.about["form"])
    told = FORMS[form]
    if form in _WITH_THRESHOLD:
        told += f", from {row.about['threshold']:g} on"
    return told if form == "boxes" else f"{told}; {row.about['scores']}"


def _takes(row: ModelRow) -> str:
    about = row.about
    colours = "colour" if about["channels"] == 3 else "grey"
    slow = float(about["milliseconds"])
    took = f"{slow:,.0f} ms" if slow >= 1 else "less than 1 ms"
    size = f"{about['rows']} x {about['columns']} pixels"
    return f"{size}, {colours}, input scale {about['scale']}; {took} an image"


def _unfit(row: ModelRow, protocol: Protocol) -> str:
    try:
        head_kept(asked(protocol, row.question), row.about)
    except InputError as error:
        return str(error)
    return ""

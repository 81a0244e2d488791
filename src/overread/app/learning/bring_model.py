"""A model that a lead brings to a question of a project, as an ONNX file, to propose answers.

What the file does not say is stated: its classes, what its scores are, the scale of its input. The
file is tried in a process with bounds before anything of it is kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from overread.app.learning.model_head import Head, check_told, head_of, listed, said_classes
from overread.app.study.project_protocol import protocol_of
from overread.errors import InputError
from overread.latents.encoder import Wanted
from overread.latents.onnx_file import SCALES
from overread.latents.onnx_trial import TriedModel, try_model
from overread.protocol import Protocol, Question
from overread.store import Blobs, Store
from overread.store.canonical import plain_text
from overread.store.errors import NotFoundError
from overread.store.learning.pre_label_models import (
    ModelRow,
    keep_model,
    list_models,
    remove_model,
)

MOST = 8
"""Models that a project may have brought."""
MOST_BYTES = 512 << 20
LONGEST_NAME = 60
LARGEST_SIDE = 2_048


@dataclass(frozen=True, slots=True)
class Stated:
    """What a lead says of a model.

    Args:
        question: id of the question that it answers.
        name: for people; version: "" for one that follows from the file and what is stated.
        classes: in the order of its outputs; () where the file says them.
        scores: "probabilities" or "logits"; "" for boxes.
        scale: of its input, of :data:`overread.latents.onnx_file.SCALES`; "" where the file was
            written by this program, or for the usual one.
        side: rows and columns where the graph leaves them open; 0 for 224.
        threshold: from which a finding, a pixel or a box counts.
    """

    question: str
    name: str
    version: str = ""
    classes: tuple[str, ...] = ()
    scores: str = ""
    scale: str = ""
    side: int = 0
    threshold: float = 0.5


def stated_of(given: Mapping[str, str], *, name: str) -> Stated:
    """What a form or a command says.

    Args:
        given: question, model (its name), version, classes, scores, scale, side, threshold; texts.
        name: of the model, where the form gives none.
    Raises:
        InputError: a number that is none.
    """
    text = {key: value.strip() for key, value in given.items()}
    side, threshold = text.get("side", "") or "0", text.get("threshold", "") or "0.5"
    if not (side.isascii() and side.isdecimal() and int(side[:9]) <= LARGEST_SIDE):
        rule = f"be whole pixels, at most {LARGEST_SIDE:,}"
        raise InputError("side of its images", rule, side[:20])
    try:
        share = float(threshold.replace(",", "."))
    except ValueError as error:
        raise InputError("threshold", "be a number between 0 and 1", threshold[:20]) from error
    return Stated(
        text.get("question", ""), text.get("model", "") or name[:LONGEST_NAME],
        text.get("version", ""), listed(text.get("classes", "")), text.get("scores", ""),
        text.get("scale", ""), int(side), share,
    )  # fmt: skip


def bring_model(
    store: Store, blobs: Blobs, project: str, path: Path, stated: Stated, *, by: str
) -> ModelRow:
    """Try an ONNX file, and keep it as a model of the project.

    Args:
        path: of the file; its weights must be in it.
        by: the user's id.
    Returns:
        Its row. The same file for the same question again replaces what was stated of it; with
        nothing new stated it stays as it is.
    Raises:
        InputError: no such question, a file that is too large or no model, classes that are not
            those of the question, scores that are not what was stated, or a model too many.
        MissingExtraError: onnxruntime is not installed.
    """
    question = asked(protocol_of(store, project).protocol, stated.question)
    name = plain_text("name of the model", stated.name, longest=LONGEST_NAME)
    plain_text("version", stated.version, longest=100, empty=True)
    if stated.scale and stated.scale not in SCALES:
        raise InputError("scale", f"be one of {', '.join(SCALES)}", stated.scale[:40])
    if not path.is_file() or not path.stat().st_size:
        raise InputError("model", "be an .onnx file", "nothing")
    if path.stat().st_size > MOST_BYTES:
        got = f"{path.stat().st_size / (1 << 20):,.0f} MB"
        raise InputError("model", f"have at most {MOST_BYTES >> 20} MB", got)
    content = path.read_bytes()
    key = f"{question.id}:{hashlib.sha256(content).hexdigest()[:16]}"
    others = [one for one in list_models(store, project) if one.id != key]
    if len(others) >= MOST:
        remedy = "Remove one that is not in use."
        raise InputError("models", f"be {MOST} at most a project", "one more", remedy=remedy)
    side = stated.side or None
    tried = try_model(path, scale=stated.scale or None, side=side)  # type: ignore[arg-type]
    about = _about(question, tried, stated, name)
    _refuse_name(about, question.id, others)
    return _kept(store, blobs, project, key, content, question.id, about, by)


def asked(protocol: Protocol, question: str) -> Question:
    """A question by its id.

    Raises:
        InputError: there is none.
    """
    for one in protocol.questions:
        if one.id == question:
            return one
    ids = ", ".join(one.id for one in protocol.questions)
    raise InputError("question", f"be one of {ids}"[:300], question[:40] or "nothing")


def model_called(store: Store, project: str, model: str) -> ModelRow:
    """A model that was brought, by its id.

    Raises:
        NotFoundError: the project has none of this id.
    """
    for one in list_models(store, project):
        if one.id == model:
            return one
    raise NotFoundError("model", model[:40])


def head_kept(question: Question, about: Mapping[str, Any]) -> Head:
    """The head of a model that was brought, for the question as it is now.

    Raises:
        InputError: what the question asks for has changed.
    """
    try:
        return head_of(
            question, about["gives"], classes=about["classes"], scores=about["scores"],
            threshold=about["threshold"],
        )  # fmt: skip
    except InputError as error:
        remedy = "The question has changed since: bring the model again, or remove it."
        raise InputError(error.name, error.rule, error.got, remedy=remedy) from error


def wanted_of(about: Mapping[str, Any]) -> Wanted:
    """The images that a model takes."""
    return Wanted(int(about["rows"]), int(about["columns"]), int(about["channels"]))


def retire_model(store: Store, project: str, model: str, *, by: str) -> None:
    """Take a model off the list; what it proposed stands until it is withdrawn.

    Raises:
        NotFoundError: the project has none of this id.
    """
    remove_model(store, project, model, by)


def _about(question: Question, tried: TriedModel, stated: Stated, name: str) -> dict[str, Any]:
    classes = stated.classes or said_classes(tried.says)
    gives = [int(one) for one in tried.told.shape[1:]]
    head = head_of(
        question, gives, classes=classes, scores=stated.scores, threshold=stated.threshold
    )
    check_told(head, tried.told)
    wanted = tried.wanted
    about: dict[str, Any] = {
        "classes": list(head.classes), "scores": head.scores, "threshold": head.threshold,
        "form": head.form, "gives": gives, "scale": tried.scale, "rows": wanted.rows,
        "columns": wanted.columns, "channels": wanted.channels, "side": stated.side,
    }  # fmt: skip
    told = f"{tried.file} {sorted(about.items())}"
    version = stated.version or hashlib.sha256(told.encode()).hexdigest()[:12]
    return about | {"name": name, "version": version, "milliseconds": tried.milliseconds}


def _refuse_name(about: Mapping[str, Any], question: str, others: list[ModelRow]) -> None:
    mine = about["name"].casefold(), about["version"]
    for one in others:
        theirs = one.about["name"].casefold(), one.about["version"]
        if one.question == question and mine == theirs:
            remedy = "Give it another name or version, or remove the other."
            got = "those of another model of the question"
            raise InputError("name and version", "be its own", got, remedy=remedy)


def _kept(  # noqa: PLR0917 - one row
    store: Store, blobs: Blobs, project: str, key: str, content: bytes, question: str,
    about: dict[str, Any], by: str,
) -> ModelRow:  # fmt: skip
    file = blobs.put(content)  # mends a blob that was lost
    before = {one.id: one for one in list_models(store, project)}.get(key)
    same = before is not None and _lasting(before.about) == _lasting(about)
    if not same:
        keep_model(store, project, key, by, question=question, file=file, about=about)
    return model_called(store, project, key)


def _lasting(about: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in about.items() if key != "milliseconds"}

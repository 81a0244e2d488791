"""A network that was trained here, at work: what it proposes for cases, of any project."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.app.learning.pre_label import fitting
from overread.images import unpack_frame
from overread.labels import Kind
from overread.protocol import Protocol, Question
from overread.store import Blobs, CaseRow, Store, get_cases, list_cases
from overread.store.learning.pre_labels import Proposal

DRAWN = (Kind.MASK, Kind.BOX, Kind.INSTANCE)
"""Kinds of questions that a network answers."""
WHAT = "masks, boxes or outlines"
"""The same in words."""


def network_file(folder: Path, question: str) -> Path:
    """Where the network of a question lies, in the folder of its project."""
    return folder / f"{question}.onnx"


def about_file(folder: Path, question: str) -> Path:
    """Where it is told what came of the training, and for which classes."""
    return folder / f"{question}.json"


def unread_cases(store: Store, project: str) -> list[CaseRow]:
    """Cases that nobody has read."""
    found: list[CaseRow] = []
    after = 0
    while page := list_cases(store, project, after=after, limit=500):
        ids = [one.case.id for one in page if not one.done and not one.surplus]
        rows = get_cases(store, ids)
        found += [rows[one] for one in ids if one in rows]
        after = page[-1].case.number
    return found


def network_proposals(
    protocol: Protocol,
    question: Question,
    unet: Any,
    blobs: Blobs,
    cases: Sequence[CaseRow],
    *,
    tick: Callable[[int], None] = lambda _done: None,
) -> list[Proposal]:
    """What a network proposes for cases; what does not fit the protocol would never be shown.

    Args:
        unet: an :class:`overread.learn.unet_file.Unet`; its classes are told by their names.
        tick: told how many cases were looked at.
    """
    made: list[Proposal] = []
    for done, case in enumerate(cases, start=1):
        value, sure = propose(unet, blobs, case)
        if question.kind is Kind.MASK:
            value = renamed(value, unet.about.classes, question)
        one = Proposal(case.id, question.id, value, sure)
        if fitting(protocol, one, case.image):
            made.append(one)
        tick(done)
    return made


def renamed(
    value: Sequence[Mapping[str, Any]], classes: Sequence[str], question: Question
) -> list[dict[str, Any]]:
    """Codes of masks as the question numbers its classes; one that it has not is background."""
    names = question.names
    code = [0, *(names.index(one) + 1 if one in names else 0 for one in classes)]
    return [{**one, "runs": [[code[run[0]], run[1]] for run in one["runs"]]} for one in value]


def propose(unet: Any, blobs: Blobs, case: CaseRow) -> tuple[list[dict[str, Any]], float]:
    """Of every frame; as sure as the least sure of those with a finding."""
    from overread.learn.unet_answers import answer_of  # noqa: PLC0415 - an extra

    found: list[dict[str, Any]] = []
    sure: list[float] = []
    empty: list[float] = []
    for frame in range(case.image["frames"]):
        value, confidence = answer_of(unet, frame_of(blobs, case, frame), frame)
        found += value
        (sure if value else empty).append(confidence)
    return found, min(sure or empty)


def frame_of(blobs: Blobs, case: CaseRow, number: int) -> NDArray[Any]:
    """Samples of a frame as they were imported; what is no number is 0."""
    image = case.image
    made = unpack_frame(
        blobs.get(case.frames[number]),
        rows=image["rows"],
        columns=image["columns"],
        samples=image["samples"],
        dtype=image["dtype"],
    )
    return np.nan_to_num(made) if made.dtype.kind == "f" else made

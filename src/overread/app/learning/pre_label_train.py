"""A small U-Net trained on the masks, boxes or outlines so far, and what it then proposes.

A fifth of the labelled patients is set apart: how like their labels the proposals are is told with
the result. The training goes on where it was killed; what is proposed are cases nobody has read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.app.learning.pre_label_likeness import alike
from overread.app.learning.pre_label_network import (
    DRAWN,
    WHAT,
    about_file,
    frame_of,
    network_proposals,
    propose,
    unread_cases,
)
from overread.app.study.case_consensus import case_consensus
from overread.app.study.project_protocol import protocol_of
from overread.errors import InputError, MethodError, MissingExtraError
from overread.labels import Kind
from overread.protocol import Question
from overread.store import Blobs, CaseRow, Store, get_cases, list_cases
from overread.store.learning.pre_labels import add_pre_labels

LEAST_CASES = 2
HELD_BACK = 5
"""One in so many patients is set apart."""
MODEL = "u-net"

_MOST_FRAMES = 400  # kept in memory at once for the training
_LONGEST = {Kind.MASK: 512, Kind.BOX: 320, Kind.INSTANCE: 512}  # of DRAWN


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of a training.

    Args:
        file: the network, ONNX.
        version: 12 signs of its SHA-256.
        taught: labelled cases that it was trained on.
        tested: those that were set apart.
        likeness: mean likeness of its proposals and their labels (Dice of masks, F1 of boxes and
            outlines); None of none.
        proposed: cases that have its proposal now.
    """

    file: str
    version: str
    taught: int
    tested: int
    likeness: float | None
    proposed: int


@dataclass(frozen=True, slots=True, eq=False)
class _Labelled:
    case: CaseRow
    value: list[Mapping[str, Any]]


def train_pre_label(
    store: Store,
    blobs: Blobs,
    project: str,
    question: str,
    folder: Path,
    *,
    steps: int = 1200,
    seed: int = 0,
    by: str,
    tick: Callable[[int, int, float], None] | None = None,
    proposed: Callable[[int], None] = lambda _done: None,
) -> Trained:
    """Train on what was read so far, and propose for what was not.

    Args:
        question: id of a question of masks, boxes or outlines.
        folder: where the network and its checkpoint are kept.
        steps: of the training, see :class:`overread.learn.unet.UnetRecipe`.
        seed: of everything.
        by: the user's id.
        tick: told of every step: done, in all, the loss.
        proposed: told how many unread cases were looked at.
    Raises:
        InputError: no such question, or one of another kind.
        MethodError: fewer than :data:`LEAST_CASES` cases have labels.
        MissingExtraError: torch is not installed.
    """
    try:
        from overread.learn.unet import MAKE, UnetRecipe, train_unet  # noqa: PLC0415 - an extra
        from overread.learn.unet_file import open_unet  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError("Training a network for pre-labels", "learn") from error
    asked = _question(store, project, question)
    labelled, unread = _labelled(store, project, asked), unread_cases(store, project)
    if len(labelled) < LEAST_CASES:
        words = f"{LEAST_CASES} cases need labels to train on; {len(labelled)} have"
        raise MethodError(words)
    held = [one for one in labelled if _is_held_back(project, one.case)]
    taught = [one for one in labelled if not _is_held_back(project, one.case)] or labelled
    held = [one for one in held if one not in taught]
    images, targets, about = _lessons(blobs, taught, asked)
    recipe = UnetRecipe(steps=steps, seed=seed, side=_side(images))
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{question}.onnx"
    made = train_unet(
        images,
        targets,
        about,
        recipe=recipe,
        checkpoint=folder / f"{question}-{_digest(taught, f'{MAKE} {recipe}')}.pt",
        progress=tick,
    )
    part = file.with_suffix(".part")
    part.write_bytes(made)
    part.replace(file)
    unet = open_unet(file)
    likeness = [alike(asked, one.value, propose(unet, blobs, one.case)[0]) for one in held]
    protocol = protocol_of(store, project).protocol
    proposals = network_proposals(protocol, asked, unet, blobs, unread, tick=proposed)
    if proposals:
        add_pre_labels(store, project, proposals, model=MODEL, version=unet.version, by=by)
    mean = float(np.mean(likeness)) if likeness else None
    done = Trained(file.name, unet.version, len(taught), len(held), mean, len(proposals))
    about_file(folder, question).write_text(json.dumps(asdict(done) | asdict(about)))
    return done


def _question(store: Store, project: str, name: str) -> Question:
    protocol = protocol_of(store, project).protocol
    drawn = [one for one in protocol.questions if one.kind in DRAWN]
    for one in drawn:
        if name == one.id:
            return one
    rule = f"be one of {', '.join(one.id for one in drawn)}" if drawn else f"ask for {WHAT}"
    raise InputError("question", rule, name or "nothing")


def _labelled(store: Store, project: str, question: Question) -> list[_Labelled]:
    """Cases with a label: the consensus, or the reference standard."""
    labelled: list[_Labelled] = []
    after = 0
    while page := list_cases(store, project, after=after, limit=500):
        read = [one.case.id for one in page if one.done or one.surplus]
        for key, row in get_cases(store, read).items():
            value = case_consensus(store, key).answer.get(question.id)
            if value is not None:
                labelled.append(_Labelled(row, value))
        after = page[-1].case.number
    return labelled


def _is_held_back(project: str, case: CaseRow) -> bool:
    """By patient, by lot, the same in every training."""
    text = f"pre-label test {project} {case.group or case.id}".encode()
    return hashlib.sha256(text).digest()[0] % HELD_BACK == 0


def _digest(taught: list[_Labelled], how: str) -> str:
    """Names the labels that a checkpoint was trained on, and how: with others it is begun anew."""
    text = how + "".join(f"{one.case.id}{one.value}" for one in taught)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _lessons(
    blobs: Blobs, taught: list[_Labelled], question: Question
) -> tuple[list[NDArray[np.float32]], list[NDArray[np.float32]], Any]:
    from overread.learn.unet_file import UnetAbout, seen  # noqa: PLC0415 - an extra
    from overread.learn.unet_targets import target_of  # noqa: PLC0415

    channels = 3 if any(one.case.image["samples"] == 3 for one in taught) else 1
    about = UnetAbout(
        question.id,
        str(question.kind),
        question.names,
        channels=channels,
        longest=_LONGEST[question.kind],
        middles=question.kind is not Kind.MASK,
    )
    images: list[NDArray[np.float32]] = []
    targets: list[NDArray[np.float32]] = []
    for one in taught:
        marked = sorted({int(each["frame"]) for each in one.value}) or [0]
        for frame in marked[: max(1, _MOST_FRAMES // len(taught))]:
            image = frame_of(blobs, one.case, frame)
            size = int(image.shape[0]), int(image.shape[1])
            images.append(seen(image, about))
            targets.append(target_of(one.value, size, frame, about))
    return images, targets, about


def _side(images: list[NDArray[np.float32]]) -> int:
    """Of the pieces: not much larger than the largest image."""
    largest = max(int(max(one.shape[1:])) for one in images)
    return min(128, max(16, 8 * -(-largest // 8)))

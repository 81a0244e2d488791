"""The model of an earlier project proposes for another: its network, or its model of classes.

Its model of classes sees the images of the other project with the encoder that it learned with.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from overread.app.learning.case_latents import open_chain
from overread.app.learning.learner import Learner, tuned_learner
from overread.app.learning.pre_label_import import Kept
from overread.app.learning.pre_label_network import (
    DRAWN,
    WHAT,
    about_file,
    network_file,
    network_proposals,
    unread_cases,
)
from overread.app.learning.pre_label_train import MODEL as NETWORK
from overread.app.learning.predicted import learned
from overread.app.learning.settings import setup_of
from overread.app.study.case_pictures import thumbnail
from overread.app.study.project_protocol import protocol_of
from overread.arrays import Floats
from overread.errors import InputError, MethodError, MissingExtraError, OverreadError
from overread.labels import Kind
from overread.protocol import Question
from overread.selection.basis import features_of
from overread.selection.belief import belief_of
from overread.selection.process import field_of
from overread.store import Blobs, Store, get_project
from overread.store.learning.encoders import kept_encoders
from overread.store.learning.pre_labels import Proposal, add_pre_labels

MODEL = "gaussian process"
_PAGE = 64

Tick = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Earlier:
    """A model of a project that fits a question of another.

    Args:
        project: whose model it is; its name.
        source: question there that it learned; target: question here that it answers.
        network: a network for masks, boxes or outlines; else its model of classes.
        likeness: of a network's proposals on cases set apart; None where it is not known.
    """

    project: str
    name: str
    source: str
    target: str
    network: bool
    likeness: float | None = None

    @property
    def key(self) -> str:
        """As a form tells it."""
        return f"{self.project}:{self.source}:{self.target}"


def earlier_models(
    store: Store, project: str, others: Sequence[str], networks: Path | None
) -> list[Earlier]:
    """Models of other projects that fit questions of this one.

    Args:
        others: ids of projects whose models may be used.
        networks: folder in which each project has its own; None where there is none.
    """
    asked = protocol_of(store, project).protocol.questions
    made: list[Earlier] = []
    for other in others:
        if other == project:
            continue
        name = get_project(store, other).name
        made += _of_classes(store, other, name, asked)
        if networks is not None:
            made += _of_networks(networks / other, other, name, asked)
    return made


def bring_earlier(
    store: Store, blobs: Blobs, project: str, model: Earlier, networks: Path, *, by: str, tick: Tick
) -> Kept:
    """Have the model of another project propose for the cases that nobody has read here.

    Args:
        model: of :func:`earlier_models`; networks: the folder given there.
        by: the user's id; tick: counts cases.
    Raises:
        MethodError: there is no model there (and why), or nothing is left unread here.
        MissingExtraError: a network needs packages that are not installed.
    """
    question = protocol_of(store, project).protocol.question(model.target)
    if model.network:
        file = network_file(networks / model.project, model.source)
        proposals, about = _drawn(store, blobs, project, question, file, tick=tick)
    else:
        proposals, about = _classed(store, blobs, project, model, question, tick)
    if not proposals:
        raise MethodError("every case has been read, or no proposal fits the protocol")
    # not by the name of the project: who reads here may not know of it
    add_pre_labels(store, project, proposals, model=about[0], version=about[1], by=by)
    return Kept(len({one.case for one in proposals}), 0)


def _of_classes(store: Store, other: str, name: str, asked: Sequence[Question]) -> list[Earlier]:
    setup = setup_of(store, other)
    if setup is None or not setup.modelled or not kept_encoders(store, other):
        return []
    target = _fitting(setup.question.id, setup.question.kind, setup.question.names, asked)
    return [Earlier(other, name, setup.question.id, target, network=False)] if target else []


def _of_networks(folder: Path, other: str, name: str, asked: Sequence[Question]) -> list[Earlier]:
    found: list[Earlier] = []
    for file in sorted(folder.glob("*.json")):
        try:
            about = json.loads(file.read_bytes())
            kind, classes, source = Kind(about["kind"]), tuple(about["classes"]), about["question"]
            likeness = about["likeness"]
        except (OSError, ValueError, KeyError, TypeError):
            continue  # no such file: nothing is offered
        target = _fitting(source, kind, classes, asked)
        if target and network_file(folder, source).is_file() and file == about_file(folder, source):
            found.append(Earlier(other, name, source, target, network=True, likeness=likeness))
    return found


def _fitting(source: str, kind: Kind, classes: Sequence[str], asked: Sequence[Question]) -> str:
    """The question that has the kind and all the classes, of the same id if it can be; or ""."""
    fits = [one.id for one in asked if one.kind == kind and set(classes) <= set(one.names)]
    return source if source in fits else (fits or [""])[0]


def _drawn(
    store: Store, blobs: Blobs, project: str, question: Question, file: Path, *, tick: Tick
) -> tuple[list[Proposal], tuple[str, str]]:
    try:
        from overread.learn.unet_file import open_unet  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtraError("Running the network of an earlier project", "learn") from error
    if question.kind not in DRAWN:
        raise InputError("question", f"ask for {WHAT}", str(question.kind))
    unet = open_unet(file)
    if unet.about.kind != question.kind or not set(unet.about.classes) <= set(question.names):
        rule = f"answer as {question.id} asks ({question.kind}: {', '.join(question.names)})"
        got = f"one for {unet.about.kind}: {', '.join(unet.about.classes)}"[:200]
        remedy = "Train the network of the earlier project again, or bring a file."
        raise InputError("network of the earlier project", rule, got, remedy=remedy)
    protocol = protocol_of(store, project).protocol
    cases = unread_cases(store, project)
    made = network_proposals(
        protocol, question, unet, blobs, cases, tick=lambda _done: tick("cases", 1)
    )
    return made, (f"{NETWORK} of an earlier project", unet.version)


def _classed(  # noqa: PLR0917 - what is given, and to whom
    store: Store, blobs: Blobs, project: str, model: Earlier, question: Question, tick: Tick
) -> tuple[list[Proposal], tuple[str, str]]:
    learner, until = learned(store, model.project)
    if not learner.can_choose:
        words = "two classes must have labels in the earlier project before there is a model"
        raise MethodError(words)
    learner = tuned_learner(learner, thorough=True)
    cases = [one.id for one in unread_cases(store, project)]
    proposals: list[Proposal] = []
    with open_chain(store, blobs, model.project) as chain:
        if chain is None or chain.version != learner.latents.version:
            raise MethodError("the images of the earlier project are being encoded anew; try again")
        for start in range(0, len(cases), _PAGE):
            pictures = _pictures(store, blobs, cases[start : start + _PAGE])
            made = chain.encode(list(pictures.values()))
            names = list(pictures)
            found = {names[at]: row for at, row in made.items()}
            proposals += _answers(learner, question, found)
            tick("cases", len(cases[start : start + _PAGE]))
    return proposals, (
        f"{MODEL} of an earlier project",
        f"{chain.version} after event {until}"[:200],
    )


def _pictures(store: Store, blobs: Blobs, cases: Sequence[str]) -> dict[str, bytes]:
    """Thumbnails of the cases whose image can be had."""
    made: dict[str, bytes] = {}
    for case in cases:
        with contextlib.suppress(OverreadError, OSError, KeyError):  # gone: no proposal
            made[case] = thumbnail(store, blobs, case, reader="", role="admin")
    return made


def _answers(learner: Learner, question: Question, found: dict[str, Any]) -> list[Proposal]:
    if not found:
        return []
    stack = np.stack(list(found.values()))
    tables: list[Floats] = []
    for pool in learner.pools:
        field = field_of(pool.process, features_of(stack, pool.basis))
        tables.append(belief_of(field, pool.settings).mean)
    if learner.setup.question.kind is Kind.MULTILABEL:
        present = np.stack([one[:, 1] for one in tables], axis=1)
        sure = np.maximum(present, 1 - present).min(axis=1)
        sets = [[name for name, p in zip(learner.setup.parts, row, strict=True) if p >= 0.5]
                for row in present]  # fmt: skip
        order = {name: at for at, name in enumerate(question.names)}
        values: list[Any] = [sorted(one, key=order.__getitem__) for one in sets]
    else:
        sure = tables[0].max(axis=1)
        values = [learner.setup.classes[code] for code in tables[0].argmax(axis=1).tolist()]
    return [
        Proposal(case, question.id, value, float(one))
        for case, value, one in zip(found, values, sure, strict=True)
    ]

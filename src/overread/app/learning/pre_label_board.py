"""The page of pre-labels: what stands, how readers see it, and what could be brought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from overread.app.learning.model_board import ModelLine, model_lines
from overread.app.learning.pre_label_earlier import Earlier, earlier_models
from overread.app.learning.pre_label_network import DRAWN
from overread.app.learning.settings import setup_of
from overread.app.study.project_protocol import new_version, protocol_of
from overread.errors import InputError
from overread.protocol import Question
from overread.protocol.edit import with_pre_label
from overread.protocol.pre_label import PreLabel
from overread.store import Blobs, Store, project_progress
from overread.store.learning.pre_label_models import list_models
from overread.store.learning.pre_labels import Brought, brought
from overread.store.learning.pre_labels_withdrawn import hinted


@dataclass(frozen=True, slots=True)
class PreLabelBoard:
    """The page.

    Args:
        wish: what readers are shown, as the protocol says.
        cases: of the project.
        sets: that stand, with the question's words.
        hints: cases that were looked at for hints; since: when last.
        questions: of the protocol.
        own: the question that a model of this project learns; "" where it learns none.
        earlier: models of other projects that fit.
        reads: that were made so far.
        models: that leads brought.
    """

    wish: PreLabel
    cases: int
    sets: tuple[tuple[Brought, str], ...]
    hints: int
    since: str
    questions: tuple[Question, ...]
    own: str
    earlier: tuple[Earlier, ...]
    reads: int
    models: tuple[ModelLine, ...] = ()

    @property
    def covered(self) -> int:
        """Cases with a pre-label, of the question that has most."""
        of: dict[str, int] = {}
        for one, _ in self.sets:
            of[one.question] = of.get(one.question, 0) + one.cases
        return max(of.values(), default=0)

    @property
    def drawn(self) -> tuple[Question, ...]:
        """Questions that a network can learn."""
        return tuple(one for one in self.questions if one.kind in DRAWN)


def pre_label_board(
    store: Store, project: str, *, others: Sequence[str] = (), networks: Path | None = None,
    blobs: Blobs | None = None,
) -> PreLabelBoard:  # fmt: skip
    """Put the page together.

    Args:
        blobs: with the files of models that leads brought; None lists none of them.
        others: projects whose models the user may use.
        networks: folder of networks that were trained; None where there is none.
    Raises:
        NotFoundError: no such project.
    """
    protocol = protocol_of(store, project).protocol
    words = {one.id: one.prompt for one in protocol.questions}
    hints, since = hinted(store, project)
    setup = setup_of(store, project)
    far = project_progress(store, project)
    sets = brought(store, project)
    rows = [] if blobs is None else list_models(store, project)
    return PreLabelBoard(
        protocol.pre_label,
        far.cases,
        tuple((one, words.get(one.question, one.question)) for one in sets),
        hints,
        since,
        protocol.questions,
        setup.question.id if setup is not None and setup.modelled else "",
        tuple(earlier_models(store, project, others, networks)),
        far.done,
        () if blobs is None else model_lines(rows, protocol, sets, blobs),
    )


def keep_showing(store: Store, project: str, given: Mapping[str, str], *, by: str) -> bool:
    """Keep how readers see pre-labels, as a new version of the protocol; labels stay.

    Args:
        given: of a form: ``show``, ``keep_hidden`` in percent, ``hints`` ("on" or "").
        by: the user's id.
    Returns:
        Whether anything changed.
    Raises:
        InputError: a field that breaks a rule.
        ConflictError: somebody saved another version meanwhile.
    """
    now = protocol_of(store, project)
    text = given.get("keep_hidden", "").strip().replace(",", ".")
    try:
        share = round(float(text) / 100, 6)
    except ValueError as error:
        raise InputError("cases kept hidden", "be a number of percent", text[:20]) from error
    wanted = replace(
        now.protocol.pre_label,
        show=given.get("show", ""),
        keep_hidden=share,
        hints=given.get("hints") == "on",
    )
    if wanted == now.protocol.pre_label:
        return False
    new_version(store, project, with_pre_label(now.text, wanted), base=now.version, by=by)
    return True

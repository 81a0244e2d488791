"""A model that was brought, at work: it proposes for the cases that nobody has read.

It sees brightness under the default window, stretched to its input, as encoders do, and from the
whole frame; of several frames it judges the middle one, and draws on each. What it proposes is kept
some cases at a time: a run that is stopped goes on where it was.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.app.learning.bring_model import asked, head_kept, model_called, wanted_of
from overread.app.learning.model_answers import class_answer, frame_answer, together
from overread.app.learning.model_head import Head, check_told
from overread.app.learning.pre_label import fitting
from overread.app.learning.pre_label_network import unread_cases
from overread.app.study.case_pictures import brightness_of
from overread.app.study.project_protocol import protocol_of
from overread.errors import MethodError
from overread.latents.encoder import Images, Wanted
from overread.latents.onnx_apart import TOGETHER, Apart, opened_apart
from overread.latents.shrink import shrunk
from overread.protocol import Protocol, Question
from overread.store import Blobs, CaseRow, Store
from overread.store.errors import BrokenLogError, NotFoundError
from overread.store.learning.pre_label_models import ModelRow, answered_by
from overread.store.learning.pre_labels import Proposal, add_pre_labels

Tick = Callable[[str, int], None]
LOOKED, KEPT = "cases looked at", "pre-labels kept"
"""What is counted."""
_BATCH_BYTES = 64 << 20  # of what a model takes, or gives, for a batch
_BATCH_SECONDS = 15.0
_KEPT_AT_ONCE, _KEPT_SECONDS = 100, 10.0  # what a stop may lose


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a run.

    Args:
        cases: that have a pre-label of it now.
        odd: whose numbers were not finite, or make no answer that fits the protocol.
        gone: whose image could not be had.
    """

    cases: int
    odd: int
    gone: int


def words_of(ran: Ran) -> str:
    """What came of a run, in sentences."""
    told = f"{_cases(ran.cases)} a pre-label of it."
    if ran.odd:
        told += f" {_cases(ran.odd)} none: no finite numbers, or no answer that fits the protocol."
    if ran.gone:
        told += f" {_cases(ran.gone)} none: the image cannot be had."
    return told


def _cases(count: int) -> str:
    return f"{count:,} {'case has' if count == 1 else 'cases have'}"


@dataclass(slots=True, eq=False)
class _Look:
    """A case and the frames that are still to be seen."""

    case: CaseRow
    left: int
    parts: list[tuple[Any, float]] = field(default_factory=list[tuple[Any, float]])
    odd: bool = False


def run_model(
    store: Store, blobs: Blobs, project: str, model: str, *, by: str,
    tick: Tick = lambda _what, _more: None,
) -> Ran:  # fmt: skip
    """Have a model propose for the cases that nobody has read, and that have none of it yet.

    Args:
        model: its id; by: the user's.
        tick: counts :data:`LOOKED` and :data:`KEPT`.
    Raises:
        NotFoundError: there is no such model; MethodError: its file is gone, or no case is left.
        InputError: the question has changed; the model takes too much, or gives other numbers
            than was stated. What it proposed until then stays.
        MissingExtraError: onnxruntime is not installed.
    """
    row = model_called(store, project, model)
    protocol = protocol_of(store, project).protocol
    question = asked(protocol, row.question)
    head, wanted = head_kept(question, row.about), wanted_of(row.about)
    cases = cases_left(store, project, row)
    if not cases:
        raise MethodError("every case has been read, or has a pre-label of this model already")
    try:
        content = blobs.get(row.file)
    except (NotFoundError, BrokenLogError) as error:
        words = (
            "its file is gone from the server's folder of files (blobs), or damaged: bring it again"
        )
        raise MethodError(words) from error
    work = _Run(store, project, protocol, question, head, wanted, row.about, by, tick)
    with tempfile.TemporaryDirectory(prefix="overread-model-") as folder:
        path = Path(folder) / "kept.onnx"
        path.write_bytes(content)
        side = int(row.about["side"]) or None
        with opened_apart(path, "model", scale=row.about["scale"], side=side) as apart:
            work.through(apart, blobs, cases)
    return Ran(work.kept, work.odd, work.gone)


def cases_left(store: Store, project: str, model: ModelRow) -> list[CaseRow]:
    """Cases that nobody has read, and that have nothing yet of a model as it was last brought."""
    done = answered_by(store, project, model)
    return [one for one in unread_cases(store, project) if one.id not in done]


@dataclass(slots=True, eq=False)
class _Run:
    """A run, and what it has found so far."""

    store: Store
    project: str
    protocol: Protocol
    question: Question
    head: Head
    wanted: Wanted
    about: dict[str, Any]
    by: str
    tick: Tick
    kept: int = 0
    odd: int = 0
    gone: int = 0
    saved: float = field(default_factory=time.monotonic)
    waiting: list[Proposal] = field(default_factory=list[Proposal])

    def through(self, apart: Apart, blobs: Blobs, cases: Sequence[CaseRow]) -> None:
        size = self._together(apart)
        batch: list[tuple[_Look, int, NDArray[np.uint8]]] = []
        try:
            for one in self._looks(blobs, cases):
                batch.append(one)
                if len(batch) == size:
                    self._seen(apart, batch)
                    batch = []
            if batch:
                self._seen(apart, batch)
        finally:  # what was found until a fault stays
            self._keep()

    def _together(self, apart: Apart) -> int:
        largest = max(apart.dimension * 4, self.wanted.rows * self.wanted.columns * 12)
        slow = float(self.about["milliseconds"]) / 1_000
        most = min(_BATCH_BYTES / largest, _BATCH_SECONDS / max(slow, 1e-3))
        return int(min(TOGETHER, max(1, most)))

    def _looks(
        self, blobs: Blobs, cases: Iterable[CaseRow]
    ) -> Iterator[tuple[_Look, int, NDArray[np.uint8]]]:
        """Frames as the model sees them; a case is left out once one of its frames is gone."""
        for case in cases:
            count = int(case.image["frames"])
            frames = range(count) if self.head.form in _DRAWS else [count // 2]
            look = _Look(case, len(frames))
            for number in frames:
                try:
                    seen = brightness_of(case, blobs, number)
                except (NotFoundError, BrokenLogError):
                    self.gone += 1
                    self.tick(LOOKED, 1)
                    break
                size = self.wanted
                yield look, number, shrunk(seen, size.rows, size.columns, size.channels)

    def _seen(self, apart: Apart, batch: list[tuple[_Look, int, NDArray[np.uint8]]]) -> None:
        images: Images = np.stack([image for _, _, image in batch])
        told = apart.encode(images)
        sound = [bool(np.isfinite(one).all()) for one in told]
        if any(sound):
            check_told(self.head, told[sound])
        for (look, number, _), numbers, good in zip(batch, told, sound, strict=True):
            if good:
                look.parts.append(self._part(look.case, number, numbers))
            look.odd |= not good
            look.left -= 1
            if not look.left:
                self._ended(look)

    def _part(self, case: CaseRow, frame: int, numbers: NDArray[np.float32]) -> tuple[Any, float]:
        if self.head.form not in _DRAWS:
            return class_answer(self.head, self.question, numbers)
        size = int(case.image["rows"]), int(case.image["columns"])
        return frame_answer(
            self.head, self.question, numbers, size=size, frame=frame, wanted=self.wanted
        )

    def _ended(self, look: _Look) -> None:
        self.tick(LOOKED, 1)
        proposal = None
        if not look.odd:
            value, sure = together(look.parts) if self.head.form in _DRAWS else look.parts[0]
            proposal = Proposal(look.case.id, self.question.id, value, sure)
        if proposal is None or not fitting(self.protocol, proposal, look.case.image):
            self.odd += 1
            return
        self.waiting.append(proposal)
        if len(self.waiting) >= _KEPT_AT_ONCE or time.monotonic() - self.saved > _KEPT_SECONDS:
            self._keep()

    def _keep(self) -> None:
        if not self.waiting:
            return
        made, self.waiting, self.saved = self.waiting, [], time.monotonic()
        model, version = str(self.about["name"]), str(self.about["version"])
        add_pre_labels(self.store, self.project, made, model=model, version=version, by=self.by)
        self.kept += len(made)
        self.tick(KEPT, len(made))


_DRAWS = {"paint", "paint-apart", "boxes"}

"""Label rules asked over the final reads of a whole project: what they find, as plain values.

The result is kept as JSON. It names cases and readers by their ids alone; who may see names looks
them up when it is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from overread.app.analysis.drawn_paths import drawn_path
from overread.app.analysis.gentle_check import usual_constraints
from overread.app.analysis.label_figures import SeenImages, power
from overread.app.analysis.label_rules import rules_with
from overread.app.analysis.project_reads import FRAME
from overread.app.study.project_protocol import protocol_of
from overread.app.study.project_tables import project_table
from overread.errors import InputError, OverreadError
from overread.images import unpack_frame
from overread.labels import Reads
from overread.monitoring.rules import Hint, Rule, RuleContext, class_balance
from overread.protocol import Question
from overread.store import Blobs, CaseRow, Store, get_cases, head

KEPT = 60
"""Hints of one rule that are kept; all are counted."""

_PAGE = 200

Told = Callable[[str, int], None]
"""Called with what is counted ("images") and how many more there are."""


def quiet(_what: str, _more: int) -> None:
    """Count nothing."""


def check_project(
    store: Store,
    blobs: Blobs,
    project: str,
    *,
    rules: Mapping[str, Rule] | None = None,
    false_alarm: float = 0.01,
    tick: Told = quiet,
) -> dict[str, Any]:
    """Ask every rule over the reads of a project that count.

    Args:
        rules: name -> rule; by default the ready-made ones, and those of installed packages.
        false_alarm: see :class:`overread.monitoring.rules.RuleContext`.
        tick: tells how far it is; may raise to stop.
    Returns:
        JSON: ``log_events``, ``protocol_version`` and, for each question that was answered, its
        reads, classes, images, and hints by rule.
    Raises:
        NotFoundError: no such project.
        InputError: nothing was read yet.
    """
    version = protocol_of(store, project)
    until = head(store).n
    asked = rules_with() if rules is None else rules
    questions = []
    for question in version.protocol.questions:
        reads = project_table(store, project, question, until=until)
        if reads is not None:
            questions.append(_question(store, blobs, question, reads, asked, false_alarm, tick))
        tick("questions", 1)
    if not questions:
        raise InputError("project", "have reads", "none yet")
    return {
        "log_events": until,
        "protocol_version": version.version,
        "false_alarm": false_alarm,
        "questions": questions,
    }


def words_of(result: Mapping[str, Any]) -> str:
    """What was found, in a sentence."""
    reads = max(one["reads"] for one in result["questions"])
    rules = [one for each in result["questions"] for one in each["rules"]]
    hints = sum(one["count"] for one in rules)
    failed = [one["name"] for one in rules if one["failed"]]
    words = f"{hints:,} {'hint' if hints == 1 else 'hints'} on {reads:,} reads"
    return f"{words}; not asked: {', '.join(failed)}" if failed else words


def _question(  # noqa: PLR0917 - the parts of one question
    store: Store,
    blobs: Blobs,
    question: Question,
    reads: Reads,
    rules: Mapping[str, Rule],
    false_alarm: float,
    tick: Told,
) -> dict[str, Any]:
    seen, refused = SeenImages(reads), 0
    for code, case, frames in _images(store, blobs, reads):
        spacing = case.image.get("spacing_mm")
        try:
            seen.look(code, frames, spacing_mm=None if spacing is None else tuple(spacing))
        except OverreadError:  # a blob that is gone or damaged: told, and the others are seen
            refused += 1
        tick("images", 1)
    context = seen.context(usual_constraints(question.names), false_alarm)
    return {
        "id": question.id,
        "prompt": question.prompt,
        "kind": question.kind.value,
        "reads": reads.index.n_reads,
        "cases": reads.index.n_cases,
        "readers": reads.index.n_readers,
        "drawings": context.drawn.n,
        "refused": refused,
        "power": dict(power(context)),
        "balance": _balance(reads),
        "rules": [_rule(name, rule, context) for name, rule in rules.items()],
    }


def _rule(name: str, rule: Rule, context: RuleContext) -> dict[str, Any]:
    """What one rule says; one that fails is told, and the others are asked."""
    found: Sequence[Hint] = ()
    failed = ""
    try:
        found = rule(context)
    except OverreadError as error:
        failed = str(error)
    about = (rule.__doc__ or "").strip().partition("\n")[0]
    kept = [_hint(one, context) for one in found[:KEPT]]
    return {"name": name, "about": about, "count": len(found), "failed": failed, "hints": kept}


def _hint(hint: Hint, context: RuleContext) -> dict[str, Any]:
    case, _, frame = hint.case.partition(FRAME)
    drawn = _drawing(context.reads, hint.read, hint.finding)
    twin = None
    if hint.twin is not None:
        row, finding = hint.twin
        name, _, other = context.case_of(row).partition(FRAME)
        drawing = _drawing(context.reads, row, finding)
        twin = {"case": name, "frame": _frame(other, drawing), "drawing": drawing}
    return {
        "rule": hint.rule,
        "severity": str(hint.severity),
        "words": hint.words,
        "case": case,
        "frame": _frame(frame, drawn),
        "reader": hint.reader,
        "finding": hint.finding,
        "label": hint.label,
        "numbers": {key: one for key, one in hint.numbers.items() if isfinite(one)},
        "drawing": drawn,
        "twin": twin,
    }


def _frame(named: str, drawing: Mapping[str, Any] | None) -> int | None:
    """Frame by the name of the case, or by the drawing; None: the middle one."""
    return int(named) if named else None if drawing is None else int(drawing["frame"])


def _drawing(reads: Reads, row: int | None, finding: int | None) -> dict[str, Any] | None:
    if row is None or finding is None:
        return None
    found = drawn_path(reads, row, finding)
    if found is None:
        return None
    return {"box": list(found.box), "path": found.path, "frame": found.frame}


def _balance(reads: Reads) -> list[dict[str, Any]]:
    balance = class_balance(reads)
    if balance is None:
        return []
    figures = ("count", "ratio", "low", "high", "more", "keep")
    rows = []
    for at, name in enumerate(balance.names):
        told = {key: float(getattr(balance, key)[at]) for key in figures}
        rows.append({"name": name, **{k: v if isfinite(v) else None for k, v in told.items()}})
    return rows


@dataclass(frozen=True, slots=True, eq=False)
class Frames(Sequence[NDArray[Any]]):
    """The frames of a case, each decoded when it is asked for."""

    blobs: Blobs
    case: CaseRow

    def __len__(self) -> int:
        return len(self.case.frames)

    @overload
    def __getitem__(self, at: int) -> NDArray[Any]: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[NDArray[Any]]: ...
    def __getitem__(self, at: int | slice) -> NDArray[Any] | Sequence[NDArray[Any]]:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        image = self.case.image
        size = {name: image[name] for name in ("rows", "columns", "samples", "dtype")}
        return np.asarray(unpack_frame(self.blobs.get(self.case.frames[at]), **size))


def _images(store: Store, blobs: Blobs, reads: Reads) -> Iterator[tuple[int, CaseRow, Frames]]:
    """Case codes of a table with their cases and frames, page by page."""
    names = [str(one) for one in reads.index.cases]
    for start in range(0, len(names), _PAGE):
        page = names[start : start + _PAGE]
        keys = [one.split(FRAME, maxsplit=1)[0] for one in page]
        found = get_cases(store, sorted(set(keys)))
        for code, key in enumerate(keys, start=start):
            yield code, found[key], Frames(blobs, found[key])

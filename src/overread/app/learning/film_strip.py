"""Film-strip review: auto-labels of one class side by side, most doubtful first, one key each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from overread.app.analysis.set_labels import names_in, set_text, set_words
from overread.app.learning.send_to_readers import send_to_readers
from overread.errors import InputError
from overread.store import CaseRow, Store, get_cases
from overread.store.errors import NotFoundError
from overread.store.learning.auto_labels import (
    ACCEPTED,
    CORRECTED,
    OPEN,
    PROPOSED,
    REFUSED,
    TURNED_DOWN,
    Change,
    LabelRow,
    RunRow,
    accept_rest,
    count_labels,
    get_run,
    labels_of_cases,
    review,
    standing_run,
    unread_labels,
)

MOST = 1_000
"""Labels of a strip; the next come when these are done."""

_LONGEST_SECONDS = 3_600.0


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a strip. Args: middle: number of the frame that is shown large."""

    case: str
    name: str
    label: str
    probability: float
    middle: int


@dataclass(frozen=True, slots=True)
class ClassCount:
    """A class of a run.

    Args:
        place: of the class in the protocol, from 0.
        sure: labels that stand by their threshold, or because somebody looked at them.
        open: that nobody looked at; reviewed: that somebody did; corrected: of these changed.
        turned_down: sent to readers.
        words: its name; of a set its classes.
    """

    place: int
    name: str
    sure: int
    open: int
    reviewed: int
    corrected: int
    turned_down: int
    words: str


@dataclass(frozen=True, slots=True)
class Word:
    """A reviewer's word. Args: label: that it is; "" sends the case to a reader; None undoes."""

    case: str
    label: str | None


def run_in(store: Store, project: str, run: str) -> RunRow:
    """A run of a project.

    Raises:
        NotFoundError: there is none of the id.
    """
    found = get_run(store, run)
    if found.project != project:
        raise NotFoundError("auto-labels", run)
    return found


def strip(store: Store, run: RunRow, label: str, *, limit: int = MOST) -> list[Frame]:
    """Labels of a class that nobody looked at, most doubtful first."""
    rows = unread_labels(store, run.id, label, limit=min(limit, MOST))
    cases: dict[str, CaseRow] = {}
    for start in range(0, len(rows), 500):
        cases |= get_cases(store, [one.case for one in rows[start : start + 500]])
    return [
        Frame(
            one.case, cases[one.case].name, one.label, one.probability,
            int(cases[one.case].image["frames"]) // 2,
        )
        for one in rows
        if one.case in cases
    ]  # fmt: skip


def by_class(store: Store, run: RunRow) -> list[ClassCount]:
    """How far the review of each class is."""
    counts = count_labels(store, run.id)
    made = []
    every = list(run.settings["classes"])
    every += sorted({key[0] for key in counts} - set(every))  # sets that reviewers made
    for place, name in enumerate(every):
        of = {key[1:]: n for key, n in counts.items() if key[0] == name}
        seen = sum(n for (state, _), n in of.items() if state in {ACCEPTED, CORRECTED})
        sure = of.get((PROPOSED, True), 0) + seen
        corrected = sum(n for (state, _), n in of.items() if state == CORRECTED)
        down = sum(n for (state, _), n in of.items() if state == TURNED_DOWN)
        left = of.get((PROPOSED, True), 0) + of.get((PROPOSED, False), 0)
        words = set_words(name) if run.settings.get("findings") else name
        made.append(ClassCount(place, name, sure, left, seen, corrected, down, words))
    return made


def say(store: Store, run: RunRow, words: Sequence[Word], *, seconds: float, by: str) -> int:
    """Keep what a reviewer said of some labels; return how many changed.

    Raises:
        InputError: a class that the question has not, or a time that is none.
        ConflictError: the labels are frozen.
        NotFoundError: a case without an auto-label.
    """
    words = [Word(one.case, one.label and _label(run, one.label)) for one in words]
    kept = {one.case: one for one in labels_of_cases(store, run.id, [w.case for w in words])}
    if missing := [one.case for one in words if one.case not in kept]:
        raise NotFoundError("auto-label of case", missing[0])
    changes = [_change(kept[one.case], one.label) for one in words]
    changed = review(store, run.id, changes, by, seconds=_seconds(seconds))
    down = [one.case for one in changes if one.state == TURNED_DOWN]
    send_to_readers(store, run.project, down, by=by)
    return changed


def _label(run: RunRow, label: str) -> str:
    """A label that the question takes, in the one spelling of it."""
    findings = run.settings.get("findings")
    asked = findings or run.settings["classes"]
    for one in names_in(label) if findings else (label,):
        if one not in asked:
            raise InputError("class", f"be one of {', '.join(asked)}", one[:40])
    return set_text(names_in(label), findings) if findings else label


def _change(row: LabelRow, label: str | None) -> Change:
    if label is None:
        return Change(row.case, row.proposed, PROPOSED)
    if not label:
        return Change(row.case, row.proposed, TURNED_DOWN)
    return Change(row.case, label, ACCEPTED if label == row.proposed else CORRECTED)


def accept_all(  # noqa: PLR0917 - what was shown, and what was confirmed
    store: Store, run: RunRow, label: str, count: int, seconds: float, by: str
) -> int:
    """Accept the rest of a class, as many as the page said.

    Raises:
        ConflictError: they are more or fewer by now; or frozen.
    """
    return accept_rest(store, run.id, label, count, by, _seconds(seconds))


def _seconds(value: float) -> float:
    if not 0 <= value <= _LONGEST_SECONDS:
        raise InputError("seconds", f"be in 0 .. {_LONGEST_SECONDS:g}", value)
    return float(value)


def reviewable(store: Store, project: str) -> bool:
    """There are auto-labels that can be reviewed now."""
    run = standing_run(store, project)
    return run is not None and run.state in {OPEN, REFUSED}


def left_of(store: Store, run: RunRow, label: str) -> int:
    """Labels of a class that nobody looked at."""
    return next((one.open for one in by_class(store, run) if one.name == label), 0)

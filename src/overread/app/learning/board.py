"""The learning of a project on one page: stop or go on, how good, what comes next, what it took."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from overread.app.learning.case_latents import chain_in_use, serving
from overread.app.learning.curve_picture import CurvePicture, curve_picture
from overread.app.learning.hours import Hours, hours_of
from overread.app.learning.learner import probabilities_of
from overread.app.learning.loop import ProjectLearning
from overread.app.learning.next_cases import tests_now
from overread.app.learning.paces import paces_of
from overread.app.learning.progress import LEAST_TESTED, LearnedSoFar, advised
from overread.app.learning.set_apart import HELD_BACK
from overread.app.learning.settings import Setup, setup_of
from overread.app.learning.stop_rules import RuleTold, at_best, rules_told
from overread.app.learning.testable import not_testable
from overread.app.study.project_readers import who_reads
from overread.store import Store, case_names, project_progress
from overread.store.learning.asking import (
    STOPPED,
    Asked,
    LoopState,
    list_asked,
    loop_state,
    waiting,
)
from overread.store.learning.encoders import count_latents
from overread.words import percent

WHY = {
    "start": "typical of a group that nobody has labelled",
    "model": "the model learns most from it",
    "lot": "by lot, so that the sample stays fair",
    "held back": "to test the model; it never learns from it",
    "again": "read once more",
}
"""Why a case is asked for, in words."""


@dataclass(frozen=True, slots=True)
class NextCase:
    """A case that waits for a reader. Args: guess: class and chance that the model gives it."""

    case: str
    name: str
    why: str
    guess: str = ""
    chance: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LearningBoard:
    """A project that learns, or could.

    Args:
        setup: None where the protocol has no ``learning:`` block.
        loop: whether it asks on; verdict: in one sentence; state: in a word.
        reason: why, in a sentence.
        cases: of the project; labelled, open, in_hand: of them; lost: without an image.
        encoded: cases whose image is encoded.
        learned: the curve and the advice; None before the loop has looked.
        curve: as a picture; None before there are points.
        next: what waits for readers.
        hours: None before the first read took any time.
        about: labels at the end of what is advised; None where nobody can tell.
        rules: of stopping, what each says; empty before a model was looked at.
        untested: why the model cannot be tested as things are, and the remedy; "" where it can.
    """

    setup: Setup | None
    loop: LoopState
    state: str
    verdict: str
    reason: str
    cases: int
    labelled: int = 0
    open: int = 0
    in_hand: int = 0
    lost: int = 0
    encoded: int = 0
    learned: LearnedSoFar | None = None
    curve: CurvePicture | None = None
    next: tuple[NextCase, ...] = ()
    hours: Hours | None = None
    about: int | None = None
    rules: tuple[RuleTold, ...] = ()
    untested: str = ""


def learning_board(store: Store, project: str, loop: ProjectLearning | None) -> LearningBoard:
    """All that the page shows.

    Args:
        loop: of the project; None where it was not looked at since the server began.
    Raises:
        NotFoundError: no such project.
    """
    setup = setup_of(store, project)
    cases = project_progress(store, project).cases
    state = loop_state(store, project)
    if setup is None:
        words = "No model learns here yet."
        return LearningBoard(None, state, "Off", words, "", cases)
    asked, there = list_asked(store, project), waiting(store, project)
    used = serving(store, project, chain_in_use(store, project))
    encoded, lost = count_latents(store, project, [one.version for one in used.values()])
    learned = _learned(store, project, setup, loop)
    labelled = len(loop.learner.heard) if loop and loop.learner else 0
    about = about_labels(setup, learned, labelled, cases)
    word, verdict, reason = _verdict(setup, state, learned, labelled, cases, encoded, loop)
    return LearningBoard(
        setup,
        state,
        word,
        verdict,
        reason,
        cases,
        labelled,
        len(there.untouched | there.touched),
        len(there.in_hand),
        lost,
        encoded,
        learned,
        curve_picture(learned, setup.wishes.target) if learned and learned.points else None,
        _next(store, loop, asked, there.untouched | there.touched),
        hours_of(loop.heard.seconds() if loop else [], learned, labelled, cases),
        about,
        rules_told(learned) if learned and setup.modelled else (),
        not_testable(loop),
    )


def _learned(
    store: Store, project: str, setup: Setup, loop: ProjectLearning | None
) -> LearnedSoFar | None:
    """What the loop knows, with the advice as the seconds and the wishes of now have it."""
    found = loop.progress if loop else None
    if loop is None or found is None or found.setup.question != setup.question:
        return None
    paces = paces_of(store, project, setup.wishes, loop.heard.seconds(), reads=setup.reads)
    return advised(found, paces, setup.wishes)


def about_labels(
    setup: Setup, learned: LearnedSoFar | None, labelled: int, cases: int
) -> int | None:
    """Labels at which it is likely enough; None where nobody can tell yet."""
    most = setup.wishes.most_labels
    advice = learned.advice if learned else None
    if advice is None:
        return min(most, cases) if most is not None else None
    if advice.stop:
        return min(labelled + 2 * learned.to_test, cases) if learned else labelled
    if advice.more is None:
        return min(most, cases) if most is not None else None
    told = min(labelled + advice.more, cases)
    return told if most is None else min(told, most)


@dataclass(frozen=True, slots=True)
class Left:
    """How far a reader is where a model learns. Args: total: of theirs; about: it is a guess."""

    total: int
    about: bool


def left_of_reader(
    store: Store, project: str, loop: ProjectLearning | None, *, done: int, total: int
) -> Left:
    """A reader's share of the labels that are still likely worth it.

    Args:
        loop: of the project; None where it is none that learns.
        done: reads of theirs; total: and what waits for them now.
    """
    setup = loop.setup if loop else None
    if loop is None or setup is None:
        return Left(total, about=False)
    labelled = len(loop.learner.heard) if loop.learner else 0
    at_end = about_labels(setup, loop.progress, labelled, project_progress(store, project).cases)
    if at_end is None:
        return Left(total, about=True)
    readers = max(len(who_reads(store, project)), 1)
    share = math.ceil(max(at_end - labelled, 0) * setup.reads / readers)
    return Left(max(total, done + share), about=True)


def _verdict(  # noqa: PLR0911, PLR0917 - one sentence for each state
    setup: Setup,
    state: LoopState,
    learned: LearnedSoFar | None,
    labelled: int,
    cases: int,
    encoded: int,
    loop: ProjectLearning | None,
) -> tuple[str, str, str]:
    """State in a word, what to do in a sentence, and why."""
    advice, most = learned.advice if learned else None, setup.wishes.most_labels
    if state.state == STOPPED:
        return "Stopped", "No more cases are asked for.", state.words
    if not cases:
        return "Empty", "There are no cases yet.", "Import images; then the learning begins."
    if loop is None:
        return "Looking", "The labels so far are being looked at.", "It takes a moment."
    if labelled >= cases:
        return "Complete", "Every case is labelled.", ""
    if most is not None and labelled >= most:
        return "Stop", "Stop now.", f"The {most:,} labels that the protocol allows are made."
    if learned is None or advice is None:
        return "Start", *_beginning(learned, labelled, encoded, loop)
    what, _, why = advice.words.partition(":")
    if learned.to_test:
        what = f"Nearly there: {learned.to_test} more test labels will tell"
        why = f"{why} That rests on {learned.tested} test labels: so few may agree by luck."
    why = why.strip() + at_best(learned, labelled, cases)
    if what == "Go on":
        target = setup.wishes.target if advice.decides == "target" else None
        what = "Read on" if target is None else f"Read on: {percent(target, 1)} is not in reach yet"
    stop = advice.stop and not learned.to_test
    return ("Stop" if stop else "Learning", f"{what}.", f"{why[:1].upper()}{why[1:]}")


def _beginning(
    learned: LearnedSoFar | None, labelled: int, encoded: int, loop: ProjectLearning
) -> tuple[str, str]:
    """What to do, and why, before anything can be advised."""
    if encoded < 2:
        return "Begin to read.", "Until the images are encoded, cases come by lot."
    if not labelled:
        return "Begin to read.", "Typical cases come first; the model chooses after some."
    if loop.setup is not None and not loop.setup.modelled:
        words = "Cases of which pre-labels are least sure come first; without any, typical ones."
        return "Read on.", words
    if loop.learner is not None and not loop.learner.can_choose:
        words = "One class alone has labels so far; the model begins with the second."
        return "Read on.", words
    if not_testable(loop):
        return "Read on.", "The model learns, but no advice comes: it cannot be tested yet."
    tested = learned.tested if learned else 0
    words = f"{tested} of {LEAST_TESTED} test labels are there: then it can be told how many more"
    return "Read on.", f"{words} it takes."


def _next(
    store: Store, loop: ProjectLearning | None, asked: Mapping[str, Asked], open_: frozenset[str]
) -> tuple[NextCase, ...]:
    waits = [one for case, one in asked.items() if case in open_][:8]
    names = case_names(store, [one.case for one in waits])
    guesses = _guesses(loop, [one.case for one in waits])
    return tuple(
        NextCase(
            one.case, names.get(one.case, ""), _why(loop, one), *guesses.get(one.case, ("", None))
        )
        for one in waits
    )


def _why(loop: ProjectLearning | None, one: Asked) -> str:
    learner = loop.learner if loop else None
    joined = one.why == HELD_BACK and learner is not None and not tests_now(learner, one.case, one)
    return WHY["lot" if joined else one.why]


def _guesses(loop: ProjectLearning | None, cases: list[str]) -> dict[str, tuple[str, float]]:
    learner = loop.learner if loop else None
    if learner is None or not learner.can_choose or len(learner.pools) > 1:
        return {}
    there = [case for case in cases if case in learner.row]
    if not there:
        return {}
    rows = np.array([learner.row[case] for case in there], dtype=np.int64)
    found = probabilities_of(learner, rows=rows)
    names = learner.setup.classes
    return {
        case: (names[int(one.argmax())], float(one.max()))
        for case, one in zip(there, found, strict=True)
    }

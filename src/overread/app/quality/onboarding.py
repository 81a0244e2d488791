"""Where a reader stands before they may read, in words, and the one thing to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from overread.app.quality.gold_figures import score_words
from overread.app.quality.reader_profiles import Profile, misfits, profiles_of
from overread.app.quality.requalify import gold_for, part_words, pending_of
from overread.app.study.project_protocol import protocol_of
from overread.app.study.project_readers import require_member
from overread.protocol import Qualification
from overread.store import (
    CertificateRow,
    RunRow,
    Store,
    list_certificates,
    list_runs,
    list_waivers,
    role_in,
    unseen_gold,
)
from overread.store.quality.requalify import RequalificationRow, list_requalifications

PROFILE, BEGIN, GO_ON, WAIT, READ = "profile", "begin", "go on", "wait", "read"
"""What the reader does next."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a reader stands.

    Args:
        demanded: the protocol demands a qualification.
        qualified: they have it (or none is demanded).
        title, words: for them to read.
        action: one of :data:`PROFILE`, :data:`BEGIN`, :data:`GO_ON`, :data:`WAIT`, :data:`READ`.
        misfits: what their profile lacks and was not waived.
        done, cases: of the open run, or of the next one.
        runs_left: runs they may still begin, the open one not counted.
        last: the last run that ended; None where there is none.
        certificate: None where they have none.
    """

    demanded: bool
    qualified: bool
    title: str
    words: str
    action: str
    misfits: tuple[str, ...] = ()
    done: int = 0
    cases: int = 0
    runs_left: int = 0
    last: RunRow | None = None
    certificate: CertificateRow | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What a standing follows from.

    Args:
        runs: since the reader was asked to qualify again, where they were.
        waived: how often what was waived.
        gold: counts training cases that are new to them, up to those of a run.
        again: what they qualify again on, in words; "" where nothing.
    """

    asked: Qualification
    profile: Profile
    runs: Sequence[RunRow]
    waived: Mapping[str, int]
    certificate: CertificateRow | None
    gold: Callable[[], int]
    again: str = ""


_FREE = Standing(False, True, "", "", READ)


def standing_for(store: Store, project: str, user: str, *, role: str) -> Standing:
    """Where somebody stands who may see the project.

    Raises:
        NotFoundError: no such project, or not theirs.
    """
    require_member(store, project, user, role=role)
    if role_in(store, project, user) in {None, "lead"}:
        return _FREE  # they are given nothing to read
    return standing(store, project, user)


def standing(store: Store, project: str, reader: str) -> Standing:
    """Where a reader of a project stands."""
    asked = protocol_of(store, project).protocol.qualification
    if asked is None:
        return _FREE
    return told(facts(store, project, [reader], asked)[reader])


def facts(
    store: Store, project: str, readers: Sequence[str], asked: Qualification
) -> dict[str, Facts]:
    """Gather what the standing of each of these readers follows from."""
    protocol = protocol_of(store, project).protocol
    asked_again = list_requalifications(store, project)
    waived, profiles = list_waivers(store, project), profiles_of(store, readers)
    certificates = list_certificates(store, project)
    runs: dict[str, list[RunRow]] = {one: [] for one in readers}
    for run in list_runs(store, project, reader=readers[0] if len(readers) == 1 else None):
        if run.reader in runs:
            runs[run.reader].append(run)
    made: dict[str, Facts] = {}
    for one in readers:
        again = pending_of(asked_again, one)
        made[one] = Facts(
            asked,
            profiles[one],
            runs[one][runs_before(runs[one], again) :],
            Counter(each.what for each in waived if each.reader == one),
            certificates.get(one),
            partial(_unseen, store, project, one, asked, again),
            "" if again is None else part_words(protocol, _part(again)),
        )
    return made


def _unseen(
    store: Store, project: str, reader: str, asked: Qualification, again: RequalificationRow | None
) -> int:
    among = gold_for(store, project, again)
    return unseen_gold(store, project, reader, most=asked.least_cases, among=among)


def runs_before(runs: Sequence[RunRow], again: RequalificationRow | None) -> int:
    """Runs that a reader held before they were asked to qualify again; 0 where they were not."""
    return 0 if again is None else sum(one.begun < again.since for one in runs)


def _part(again: RequalificationRow) -> dict[str, tuple[str, ...]]:
    return {name: tuple(classes) for name, classes in again.touched.items()}


def told(of: Facts) -> Standing:  # noqa: PLR0911 - one return a step
    """The standing that follows: the first of the steps that is not done."""
    asked, last = of.asked, next((one for one in reversed(of.runs) if one.state != "open"), None)
    lacking = () if of.waived.get("profile") else tuple(misfits(of.profile, asked))
    open_ = next((one for one in of.runs if one.state == "open"), None)
    left = asked.most_runs + of.waived.get("run", 0) - len(of.runs)
    done, cases = (open_.done, open_.cases) if open_ else (0, asked.least_cases)
    rest = (lacking, done, cases, max(0, left), last, of.certificate)
    if of.certificate is not None:
        return Standing(True, True, "You are qualified", _qualified(of.certificate), READ, *rest)
    if lacking:
        words = f"Your profile does not fit what this study asks: {'; '.join(lacking)}."
        remedy = "Complete your profile, or ask the study lead for an exception."
        return Standing(True, False, "Your profile first", f"{words} {remedy}", PROFILE, *rest)
    if open_:
        words = f"{done} of {cases} cases are answered. {_HOW}"
        return Standing(True, False, "Go on with your dry run", words, GO_ON, *rest)
    before = f"Your last run: {score_words(last.score)}; {_mark(asked)}. " if last else ""
    if left <= 0:
        words = f"{before}You have no run left; the study lead can allow another."
        return Standing(True, False, "Not passed", words, WAIT, *rest)
    gold = of.gold()
    if gold < asked.least_cases:
        words = f"{before}There are not enough gold cases that you have not seen: "
        words += f"{gold} of {asked.least_cases}. The study lead is told, and adds some."
        title = "No cases for a dry run"
        return Standing(True, False, title, words, WAIT, *rest)
    if last:
        words = f"{before}Try again on other cases. {_again(left)}"
        return Standing(True, False, "Not passed yet", words, BEGIN, *rest)
    if of.again:
        words = f"The protocol has changed: {of.again}. Before you read on, you answer {cases} "
        words += f"cases with it whose right answer is known. {_HOW} {_marked(asked)}"
        return Standing(True, False, "A dry run on what has changed", words, BEGIN, *rest)
    words = f"Before you read, you answer {cases} cases whose right answer is known. {_HOW} "
    words += _marked(asked)
    return Standing(True, False, "A dry run comes first", words, BEGIN, *rest)


_HOW = "After each one the right answer is shown beside yours."


def _again(left: int) -> str:
    return "It is your last run." if left == 1 else f"{left} runs are left."


def _marked(asked: Qualification) -> str:
    return f"{_mark(asked)[0].upper()}{_mark(asked)[1:]}."


def _mark(asked: Qualification) -> str:
    held = "the lower end of the score's interval" if asked.rule == "lower_bound" else "the score"
    return f"to pass, {held} must reach {asked.pass_mark:g}"


def _qualified(one: CertificateRow) -> str:
    score = f": {score_words(one.score)}" if one.score.get("questions") else ""
    note = f" Later: {one.note}." if one.note else ""
    return f"Since {one.since[:10]}, {one.how}{score}.{note}"

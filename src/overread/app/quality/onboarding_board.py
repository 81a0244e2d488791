"""The lead's view of onboarding: each reader's state, the gold, disputes, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass

from overread.app.quality.gold_cases import POOLS
from overread.app.quality.gold_figures import score_words
from overread.app.quality.gold_scores import GoldScore, gold_scores
from overread.app.quality.onboarding import Standing, facts, told
from overread.app.quality.reader_profiles import Profile, demands_words, profiles_of
from overread.app.quality.requalify import Behind, behind
from overread.app.study.project_overview import Next
from overread.app.study.project_protocol import protocol_of
from overread.protocol import AtlasEntry, Qualification
from overread.store import (
    DisputeRow,
    GoldRow,
    Store,
    list_disputes,
    list_gold,
    list_members,
    list_waivers,
)


@dataclass(frozen=True, slots=True)
class ReaderState:
    """One reader before and after the gate.

    Args:
        state: "qualified", "in a dry run", "not begun", "not passed yet", "profile not told",
            "profile does not fit", "waits for you"; "free" where nothing is demanded.
        score: of the certificate or the last run, in words; "" before the first.
        runs: how many were held.
        hidden: their score on hidden gold; None while they read none.
    """

    id: str
    name: str
    profile: Profile
    standing: Standing
    state: str
    score: str
    runs: int
    waived: tuple[str, ...]
    hidden: GoldScore | None


@dataclass(frozen=True, slots=True)
class GoldCount:
    """Gold cases of a class. Args: training, hidden: how many hold it."""

    name: str
    training: int
    hidden: int


@dataclass(frozen=True, slots=True)
class Board:
    """Onboarding of a project; ``asked`` is None where nothing is demanded."""

    asked: Qualification | None
    demands: list[str]
    readers: list[ReaderState]
    gold: list[GoldRow]
    retired: list[GoldRow]
    disputes: list[DisputeRow]
    counts: list[GoldCount]
    training: int
    hidden: int
    words: str
    next: Next | None
    atlas: tuple[AtlasEntry, ...]
    behind: Behind | None = None


def board(store: Store, project: str) -> Board:
    """Put together what the lead sees."""
    protocol = protocol_of(store, project).protocol
    asked = protocol.qualification
    all_ = list_gold(store, project, retired=True)
    gold = [one for one in all_ if one.state == "active"]
    pools = [sum(one.pool == pool for one in gold) for pool in POOLS]
    disputes = list_disputes(store, project)
    readers = _readers(store, project, asked)
    late = behind(store, project)
    words, action = _verdict(project, asked, readers, pools[0], len(disputes))
    if late is not None and not disputes:
        words, action = f"Version {late.version} changes what readers were qualified on.", None
    return Board(
        asked,
        demands_words(asked) if asked else [],
        readers,
        gold,
        [one for one in all_ if one.state == "retired"],
        disputes,
        _counts(gold),
        training=pools[0],
        hidden=pools[1],
        words=words,
        next=action,
        atlas=protocol.atlas,
        behind=late,
    )


def _readers(store: Store, project: str, asked: Qualification | None) -> list[ReaderState]:
    hidden = gold_scores(store, project)
    waived = list_waivers(store, project)
    reading = [one for one in list_members(store, project) if one.role != "lead"]
    keys = [one.reader for one in reading]
    profiles = profiles_of(store, keys)
    known = {} if asked is None else facts(store, project, keys, asked)
    made: list[ReaderState] = []
    for one in reading:
        profile, runs = profiles[one.reader], 0
        stands, score, state = Standing(False, True, "", "", "read"), "", "free"
        if (of := known.get(one.reader)) is not None:
            stands, runs = told(of), len(of.runs)
            shown = stands.certificate.score if stands.certificate else None
            shown = shown or (stands.last.score if stands.last else None)
            score = score_words(shown) if shown and shown.get("questions") else ""
            state = _state(stands, runs, profile)
        reasons = tuple(f"{w.what}: {w.reason}" for w in waived if w.reader == one.reader)
        made.append(
            ReaderState(
                one.reader,
                one.name,
                profile,
                stands,
                state,
                score,
                runs,
                reasons,
                hidden.get(one.reader),
            )
        )
    return made


def _state(stands: Standing, runs: int, profile: Profile) -> str:
    if stands.qualified:
        return "qualified"
    unfit = "profile does not fit" if profile.told else "profile not told"
    by_action = {"profile": unfit, "go on": "in a dry run", "wait": "waits for you"}
    return by_action.get(stands.action, "not passed yet" if runs else "not begun")


def _counts(gold: list[GoldRow]) -> list[GoldCount]:
    found: dict[str, list[int]] = {}
    for one in gold:
        for name in sorted(_classes(one.answer)):
            found.setdefault(name, [0, 0])[POOLS.index(one.pool)] += 1
    return [GoldCount(name, *both) for name, both in sorted(found.items())]


def _classes(answer: dict[str, object]) -> set[str]:
    made: set[str] = set()
    for value in answer.values():
        if isinstance(value, str):
            made.add(value)
        elif isinstance(value, list):
            made |= {one for one in value if isinstance(one, str)}
            made |= {one["class"] for one in value if isinstance(one, dict) and "class" in one}
    return made


def _verdict(
    project: str,
    asked: Qualification | None,
    readers: list[ReaderState],
    training: int,
    disputes: int,
) -> tuple[str, Next | None]:
    """How onboarding stands in a sentence, and the one thing that the lead does next."""
    base = f"/projects/{project}"
    gold = f"{base}/onboarding?show=gold"
    if disputes:
        waits = "waits" if disputes == 1 else "wait"
        words = f"{_many(disputes, 'dispute')} about gold {waits} for you."
        return words, Next(f"{base}/onboarding?show=disputes", "Decide")
    if asked is None:
        return "The protocol demands no qualification: whoever is a reader reads.", None
    if not readers:
        return "Nobody reads yet.", Next(f"{base}/members", "Choose readers")
    if training < asked.least_cases:
        words = (
            f"A dry run needs {asked.least_cases} gold cases for training; {training} are there."
        )
        return words, Next(gold, "Add gold")
    open_ = [one for one in readers if one.state in {"waits for you", "profile does not fit"}]
    if open_:
        name = open_[0].name if len(open_) == 1 else f"{len(open_)} readers"
        return f"{name} cannot go on without you.", None
    count = sum(one.standing.qualified for one in readers)
    return (
        f"{count} of {_many(len(readers), 'reader')} {'is' if count == 1 else 'are'} qualified.",
        None,
    )


def _many(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"

"""Where readers disagree, for the lead: which cases, which classes, which pairs of readers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from overread.app.analysis.disagreement import Disagreement, Share
from overread.app.study.project_model import ProjectModel
from overread.app.study.project_protocol import protocol_of
from overread.app.study.ranked_cases import SUBGROUPS, Ranking, disagreements, ranked
from overread.arrays import Bools, Ints
from overread.errors import InputError
from overread.protocol import Question
from overread.store import Store, case_names, list_users, project_progress
from overread.store.quality.wishes import decided_among, wish_adjudication, wished_cases

_AT_ONCE = 2_000  # reads up to which a page waits; above, the model brings what is known
_BARS = 8
_LEAST_BOTH = 5  # cases that a pair both read, from which on it is shown
_MOST_OPTIONS = 20
_MOST_SENT = 10_000


@dataclass(frozen=True, slots=True)
class Asked:
    """Which disputed cases; "" for any.

    Args:
        pair: ids of two readers with a comma between.
        group: "name=value" of a subgroup.
        least: score from which on.
        after: how many were shown before.
    """

    question: str = ""
    class_: str = ""
    pair: str = ""
    group: str = ""
    least: float = 0.0
    after: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A disputed case. Args: said: prompt and who says what; state: "", "sent" or "decided"."""

    case: str
    name: str
    score: float
    said: tuple[tuple[str, str], ...]
    state: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One cause of disagreement. Args: key: of its filter; words: what it is; note: of what."""

    key: str
    question: str
    words: str
    note: str
    share: Share


@dataclass(frozen=True, slots=True)
class Board:
    """A page of disagreement.

    Args:
        ready: False while that of a large project is being worked out.
        double: cases with two reads or more.
        count: cases that are wanted.
        open: of these, neither sent nor decided.
        groups: subgroup -> its values, where there are a few.
        pairs: key -> names, of pairs that differ.
        next: where the next page begins; None at the end.
    """

    ready: bool
    double: int
    count: int
    open: int
    lines: tuple[Line, ...]
    classes: tuple[Bar, ...]
    by_pair: tuple[Bar, ...]
    questions: tuple[Question, ...]
    groups: Mapping[str, tuple[str, ...]]
    pairs: Mapping[str, str]
    next: int | None


@dataclass(frozen=True, slots=True)
class _Known:
    """What there is to show."""

    apart: Mapping[str, Disagreement]
    ranked: Ranking


def board(
    store: Store, project: str, model: ProjectModel | None, asked: Asked, *, limit: int = 40
) -> Board:
    """Put a page together.

    Args:
        model: of the project; None where it has none (yet).
        limit: cases on the page.
    Raises:
        NotFoundError: no such project.
        InputError: a filter that is none.
    """
    questions = protocol_of(store, project).protocol.questions
    known = _known(store, project, questions, model)
    if known is None:
        return Board(False, 0, 0, 0, (), (), (), questions, {}, {}, None)
    prompts = {one.id: one.prompt for one in questions}
    rows = _matching(known.ranked, asked)
    wanted = known.ranked.in_order(rows)
    sent = wished_cases(store, project)
    shown = wanted[asked.after : asked.after + limit]
    end = asked.after + shown.size
    names = _pair_names(store, known.apart)
    return Board(
        ready=True,
        double=max((one.double for one in known.apart.values()), default=0),
        count=int(wanted.size),
        open=int(wanted.size - np.isin(wanted, known.ranked.places(sent)).sum()),
        lines=tuple(_lines(store, known.ranked, rows, shown, sent, prompts)),
        classes=tuple(_class_bars(known.apart, asked, prompts)),
        by_pair=tuple(_pair_bars(known.apart, asked, names)),
        questions=questions,
        groups=_options(known.ranked),
        pairs=names,
        next=end if end < wanted.size else None,
    )


def send(
    store: Store,
    project: str,
    model: ProjectModel | None,
    asked: Asked,
    *,
    by: str,
    case: str = "",
) -> int:
    """Send a case to adjudication, or all that are wanted.

    Args:
        case: the one; "" for all that ``asked`` takes, at most 10,000.
    Returns:
        How many are new.
    Raises:
        NotFoundError: no such case of the project.
        InputError: there are none, or too many.
    """
    cases = [case]
    if not case:
        questions = protocol_of(store, project).protocol.questions
        known = _known(store, project, questions, model)
        found = known.ranked if known else None
        wanted = found.in_order(_matching(found, asked)).tolist() if found else []
        cases = [found.cases[one] for one in wanted] if found else []
        if not cases:
            raise InputError("cases", "be disputed", "none that is")
        if len(cases) > _MOST_SENT:
            remedy = "Raise the doubt from which on they are sent."
            raise InputError("cases", f"be at most {_MOST_SENT:,}", len(cases), remedy=remedy)
    return wish_adjudication(store, project, cases, by)


def _known(
    store: Store, project: str, questions: Sequence[Question], model: ProjectModel | None
) -> _Known | None:
    entropy = {name: one.entropy for name, one in model.questions.items()} if model else {}
    if project_progress(store, project).reads <= _AT_ONCE:
        found = disagreements(store, project, questions)
        return _Known(found, ranked(store, found, entropy))
    if model is None or model.ranked is None:
        return None
    here = {one.id for one in questions}
    apart = {name: one.apart for name, one in model.questions.items() if name in here}
    return _Known(apart, model.ranked)


def _matching(found: Ranking, asked: Asked) -> Ints:
    """Rows that are wanted, in their order."""
    wanted: Bools = found.score >= asked.least
    if asked.question:
        here = asked.question in found.questions
        wanted &= found.question == (found.questions.index(asked.question) if here else -1)
    if asked.class_:
        wanted &= found.classes.of_name(asked.class_, len(found))
    if asked.pair:
        first, _, second = asked.pair.partition(",")
        if not second:
            raise InputError("pair", "be two readers", "another thing")
        pair = ",".join(sorted((first, second)))
        wanted &= found.pairs.of_name(pair, len(found))
    if asked.group:
        wanted &= _of_group(found, asked.group)
    return np.flatnonzero(wanted)


def _of_group(found: Ranking, group: str) -> Bools:
    name, _, value = group.partition("=")
    if name not in SUBGROUPS:
        raise InputError("group", f"be one of {', '.join(SUBGROUPS)}", "another word")
    place = SUBGROUPS.index(name)
    codes = [at for at, one in enumerate(found.groups) if one[place] == value]
    return np.isin(found.group, codes)


def _lines(  # noqa: PLR0917 - the parts of a page
    store: Store,
    found: Ranking,
    rows: Ints,
    shown: Ints,
    sent: set[str],
    prompts: Mapping[str, str],
) -> Iterator[Line]:
    of_case: dict[int, list[int]] = {}
    for row in rows[np.isin(found.case[rows], shown)].tolist():
        of_case.setdefault(int(found.case[row]), []).append(row)
    cases = [found.cases[one] for one in shown.tolist()]
    names, decided = case_names(store, cases), decided_among(store, cases)
    for place, case in zip(shown.tolist(), cases, strict=True):
        state = "decided" if case in decided else "sent" if case in sent else ""
        here = [(found.questions[int(found.question[row])], row) for row in of_case[place]]
        said = tuple(
            (prompts[q], found.texts[int(found.words[row])]) for q, row in here if q in prompts
        )
        yield Line(case, names.get(case, ""), float(found.score[of_case[place][0]]), said, state)


def _class_bars(
    apart: Mapping[str, Disagreement], asked: Asked, prompts: Mapping[str, str]
) -> Iterator[Bar]:
    found = [
        Bar(name, question, name, prompts[question] if len(apart) > 1 else "", one)
        for question, of in apart.items()
        if not asked.question or question == asked.question
        for name, one in of.by_class.items()
        if one.count
    ]
    yield from sorted(found, key=lambda one: (-one.share.count, one.words))[:_BARS]


def _pair_bars(
    apart: Mapping[str, Disagreement], asked: Asked, names: Mapping[str, str]
) -> Iterator[Bar]:
    several = len(apart) > 1 and not asked.question
    found = [
        Bar(",".join(pair), question, names[",".join(pair)], question if several else "", one)
        for question, of in apart.items()
        if not asked.question or question == asked.question
        for pair, one in of.by_pair.items()
        if one.count and one.of >= _LEAST_BOTH
    ]
    yield from sorted(found, key=lambda one: (-one.share.low, one.words))[:_BARS]


def _pair_names(store: Store, apart: Mapping[str, Disagreement]) -> dict[str, str]:
    pairs = {pair for one in apart.values() for pair, of in one.by_pair.items() if of.count}
    people = sorted({one for pair in pairs for one in pair})
    names = {one.id: one.name for one in list_users(store, keys=people)} if people else {}
    told = {
        ",".join(pair): " and ".join(names.get(one, "former reader") for one in pair)
        for pair in pairs
    }
    return dict(sorted(told.items(), key=lambda one: one[1]))


def _options(found: Ranking) -> dict[str, tuple[str, ...]]:
    """Subgroups that tell a few groups of the disputed cases apart."""
    made: dict[str, tuple[str, ...]] = {}
    for place, name in enumerate(SUBGROUPS):
        values = sorted({group[place] for group in found.groups} - {""})
        if 1 < len(values) <= _MOST_OPTIONS:
            made[name] = tuple(values)
    return made

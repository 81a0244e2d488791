"""Where readers disagree, for the lead: which cases, which classes, which pairs of readers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from overread.app.analysis.disagreement import Disagreement, Share
from overread.app.study.project_model import ProjectModel
from overread.app.study.project_protocol import protocol_of
from overread.app.study.ranked_cases import SUBGROUPS, Ranked, disagreements, ranked
from overread.errors import InputError
from overread.protocol import Question
from overread.store import Store, case_names, list_users, project_progress
from overread.store.wishes import decided_among, wish_adjudication, wished_cases

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
    ranked: Sequence[Ranked]


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
    wanted = list(dict.fromkeys(one.case for one in _matching(known.ranked, asked)))
    sent = wished_cases(store, project)
    shown = wanted[asked.after : asked.after + limit]
    end = asked.after + len(shown)
    names = _pair_names(store, known.apart)
    return Board(
        ready=True,
        double=max((one.double for one in known.apart.values()), default=0),
        count=len(wanted),
        open=len(set(wanted) - sent),
        lines=tuple(_lines(store, known.ranked, asked, shown, sent, prompts)),
        classes=tuple(_class_bars(known.apart, asked, prompts)),
        by_pair=tuple(_pair_bars(known.apart, asked, names)),
        questions=questions,
        groups=_options(known.ranked),
        pairs=names,
        next=end if end < len(wanted) else None,
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
        found = () if known is None else _matching(known.ranked, asked)
        cases = list(dict.fromkeys(one.case for one in found))
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
    if model is None:
        return None
    here = {one.id for one in questions}
    apart = {name: one.apart for name, one in model.questions.items() if name in here}
    return _Known(apart, [one for one in model.ranked if one.question in here])


def _matching(found: Sequence[Ranked], asked: Asked) -> Iterator[Ranked]:
    first, _, second = asked.pair.partition(",")
    if asked.pair and not second:
        raise InputError("pair", "be two readers", "another thing")
    pair = (min(first, second), max(first, second))
    name, _, value = asked.group.partition("=")
    if asked.group and name not in SUBGROUPS:
        raise InputError("group", f"be one of {', '.join(SUBGROUPS)}", "another word")
    place = SUBGROUPS.index(name) if asked.group else 0
    for one in found:
        if one.score < asked.least:
            return  # they come in this order
        if (
            (not asked.question or one.question == asked.question)
            and (not asked.class_ or asked.class_ in one.classes)
            and (not asked.pair or pair in one.pairs)
            and (not asked.group or (one.group and one.group[place] == value))
        ):
            yield one


def _lines(  # noqa: PLR0917 - the parts of a page
    store: Store,
    found: Sequence[Ranked],
    asked: Asked,
    cases: Sequence[str],
    sent: set[str],
    prompts: Mapping[str, str],
) -> Iterator[Line]:
    wanted = set(cases)
    of_case: dict[str, list[Ranked]] = {}
    for one in _matching(found, asked):
        if one.case in wanted:
            of_case.setdefault(one.case, []).append(one)
    names, decided = case_names(store, list(cases)), decided_among(store, list(cases))
    for case in cases:
        state = "decided" if case in decided else "sent" if case in sent else ""
        said = tuple((prompts[one.question], one.words) for one in of_case[case])
        yield Line(case, names.get(case, ""), of_case[case][0].score, said, state)


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


def _options(found: Sequence[Ranked]) -> dict[str, tuple[str, ...]]:
    """Subgroups that tell a few groups of the disputed cases apart."""
    made: dict[str, tuple[str, ...]] = {}
    different = {one.group for one in found if one.group}
    for place, name in enumerate(SUBGROUPS):
        values = sorted({group[place] for group in different} - {""})
        if 1 < len(values) <= _MOST_OPTIONS:
            made[name] = tuple(values)
    return made

"""Projects at a glance: how far each is, and whether that is good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from overread.agreement.estimate import Estimate
from overread.app.study.case_browser import CaseLine, Wanted, disputed_page, reader_colours
from overread.app.study.conformity import Conformity, conformity_now
from overread.app.study.project_model import LEAST_CASES, ProjectModel
from overread.app.study.project_protocol import protocol_of
from overread.app.study.project_readers import who_reads
from overread.store import (
    OPEN_ALARMS,
    ReaderCounts,
    Store,
    count_raised,
    get_project,
    left_of_readers,
    list_alarms,
    list_projects,
    list_reader_counts,
    project_progress,
    reader_progress,
    role_in,
)
from overread.store.quality.adjudications import standards_of_project
from overread.words import percent


@dataclass(frozen=True, slots=True)
class Named:
    """A project by its name."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Mine:
    """A project as its reader sees it."""

    id: str
    name: str
    kinds: list[str]
    done: int
    total: int
    left_seconds: float | None


@dataclass(frozen=True, slots=True)
class Line:
    """A project in the lead's list."""

    id: str
    name: str
    kinds: list[str]
    cases: int
    readers: int
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class ReaderLine:
    """One reader in a project.

    Args:
        left: cases they may still get, when the model was reached; None while that is counted.
        seconds: median of the last reads; None where no time was taken.
        words: how good they are by the model; "" before it has enough reads.
    """

    id: str
    name: str
    colour: int
    done: int
    left: int | None
    claimed: int
    skipped: int
    surplus: int
    flagged: int
    seconds: float | None
    last: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Next:
    """What the lead does next."""

    path: str
    words: str


@dataclass(frozen=True, slots=True)
class Headline:
    """How far readers agree on a question. Args: double: cases with two reads or more."""

    question: str
    double: int
    estimate: Estimate | None


@dataclass(frozen=True, slots=True)
class Overview:
    """A project at a glance."""

    project: Named
    cases: int
    quarantined: int
    done: int
    total: int
    mean_seconds: float | None
    readers: list[ReaderLine]
    words: str
    next: Next | None
    state: str
    raised: Mapping[str, int]
    headlines: tuple[Headline, ...]
    least_cases: int
    reads_per_case: int
    hardest: tuple[CaseLine, ...]
    proof: Conformity | None = None
    standards: int = 0


def named(store: Store, project: str) -> Named:
    """A project.

    Raises:
        NotFoundError: there is none.
    """
    row = get_project(store, project)
    return Named(row.id, row.name)


def projects_of(store: Store, reader: str, *, role: str) -> list[Mine]:
    """Projects of a role: those a reader reads, those a lead leads or reads, all for an admin."""
    made: list[Mine] = []
    for row in list_projects(store, member=None if role == "admin" else reader):
        if role == "reader" and role_in(store, row.id, reader) == "lead":
            continue
        far = reader_progress(store, row.id, reader)
        kinds = kinds_of(store, row.id)
        made.append(Mine(row.id, row.name, kinds, far.done, far.total, far.left_seconds))
    return made


def led_projects(store: Store, user: str, *, role: str) -> list[Line]:
    """The projects that somebody leads, with their numbers; every project for an admin."""
    made: list[Line] = []
    for row in list_projects(store, member=None if role == "admin" else user, leads=True):
        far = project_progress(store, row.id)
        made.append(
            Line(
                row.id,
                row.name,
                kinds_of(store, row.id),
                far.cases,
                len(who_reads(store, row.id)),
                far.done,
                far.planned,
            )
        )
    return made


def kinds_of(store: Store, project: str) -> list[str]:
    """Label kinds that a project asks for."""
    questions = protocol_of(store, project).protocol.questions
    return list(dict.fromkeys(str(one.kind) for one in questions))


def overview(store: Store, project: str, model: ProjectModel | None = None) -> Overview:
    """A project at a glance.

    Args:
        model: of the project; None where it has none (yet).
    Raises:
        NotFoundError: there is none.
    """
    name = named(store, project)
    far = project_progress(store, project)
    counts = list_reader_counts(store, project)
    reading = [one for one in counts if one.role != "lead" or one.done + one.surplus]
    raised = count_raised(store, project)
    protocol = protocol_of(store, project).protocol
    state, words, action = _verdict(
        project,
        count=far.cases,
        readers=sum(one.role != "lead" for one in counts),
        done=far.done,
        total=far.planned,
        asked=raised["ask_a_senior"],
        alarm=_alarm_words(store, project),
        learns=protocol.learning is not None,
    )
    # a reader without any time is a program, or its reads were brought from elsewhere
    timed = sum(one.done + one.surplus for one in counts if one.seconds > 0)
    return Overview(
        name,
        far.cases,
        far.quarantined,
        far.done,
        far.planned,
        sum(one.seconds for one in counts) / timed if timed else None,
        _reader_lines(store, project, reading, model, cases=far.cases),
        words,
        action,
        state,
        raised,
        _headlines(store, project, model),
        LEAST_CASES,
        protocol.reads_per_case,
        _hardest(store, project, model),
        _proof(store, project, model),
        len(standards_of_project(store, project)),
    )


def _proof(store: Store, project: str, model: ProjectModel | None) -> Conformity | None:
    """Whether labels conform to the protocol; None while it never changed or is worked out."""
    if get_project(store, project).protocol_version < 2:
        return None
    return conformity_now(store, project, model.conformity if model else None)


def _alarm_words(store: Store, project: str) -> str:
    """What the alarms that wait for a decision say; "" where there are none."""
    waiting = [one for one in list_alarms(store, project) if one.state in OPEN_ALARMS]
    if len(waiting) > 1:
        return f"Alarms about {len(waiting)} readers wait for your decision."
    return "".join(f"{one.reader_name}: {one.told['words']}." for one in waiting)


def _reader_lines(
    store: Store, project: str, counts: list[ReaderCounts], model: ProjectModel | None,
    *, cases: int,
) -> list[ReaderLine]:  # fmt: skip
    colours = reader_colours(store, project)
    first = next(iter(model.questions.values()), None) if model else None
    left: Mapping[str, int | None]
    if model is not None:
        left = model.left
    elif cases <= _COUNTED_AT_ONCE:
        left = left_of_readers(store, project)
    else:  # it comes with the model: the page does not wait for a look at every case
        left = dict.fromkeys((one.reader for one in counts), None)
    made = [
        ReaderLine(
            one.reader,
            one.name,
            (colours[one.reader] - 1) % 8 + 1,
            one.done,
            left.get(one.reader, 0),
            one.claimed,
            one.skipped,
            one.surplus,
            one.flagged,
            one.median_seconds or None,
            one.last or "",
            first.readers.get(one.reader, "") if first else "",
        )
        for one in counts
    ]
    return sorted(made, key=lambda one: one.colour)


def _headlines(store: Store, project: str, model: ProjectModel | None) -> tuple[Headline, ...]:
    if model is None:
        return ()
    prompts = {one.id: one.prompt for one in protocol_of(store, project).protocol.questions}
    return tuple(
        Headline(prompts[name], one.double, one.headline)
        for name, one in model.questions.items()
        if name in prompts
    )


def _hardest(store: Store, project: str, model: ProjectModel | None) -> tuple[CaseLine, ...]:
    """The cases that readers differ on most; none that they agree on."""
    if model is None:
        return ()
    order = [case for case in model.hardest()[:_HARDEST] if (model.difficulty(case) or 0) > _SOME]
    found = disputed_page(store, project, order, after=0, limit=_HARDEST, wanted=Wanted())
    return tuple(found.cases)


def _verdict(
    project: str,
    *,
    count: int,
    readers: int,
    done: int,
    total: int,
    asked: int,
    alarm: str,
    learns: bool,
) -> tuple[str, str, Next | None]:
    """State in a word, in a sentence, and the one thing that the lead does next."""
    base = f"/projects/{project}"
    help_ = "A reader asks for help." if asked == 1 else f"Readers ask for help on {asked} cases."
    share = f"{percent(done / (total or 1))} of the planned reads are made."
    learning = f"A model asks for the cases it learns most from; {done:,} reads are made."
    steps = (
        (not count, "Empty", "There are no cases yet.", "/import", "Import images"),
        (not readers, "Not staffed", "Nobody reads yet.", "/members", "Choose readers"),
        (
            not total and not learns,
            "Not planned",
            "Nothing is planned yet.",
            "/members",
            "Plan the reads",
        ),
        (alarm, "Alarm", alarm, "/quality", "Look at it"),
        (asked, "Reading", help_, "/work", "Answer"),
        (learns, "Learning", learning, "/learning", "See the learning"),
        (done >= total, "Complete", "All planned reads are made.", "/export", "Export"),
        (not done, "Ready", "The first read has not been made.", "/members", "See the readers"),
        (True, "Reading", share, "/cases", "Look at cases"),
    )
    _, state, words, path, action = next(one for one in steps if one[0])
    return state, words, Next(base + path, action)


_COUNTED_AT_ONCE = 10_000
_HARDEST = 6
_SOME = 0.05

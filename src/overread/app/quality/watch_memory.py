"""What a watch over readers remembers: what was said of which case, and what can be compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from overread.app.analysis.project_reads import Said
from overread.app.study.project_tables import said_of_read
from overread.monitoring import Design, ReaderState
from overread.protocol import Question
from overread.store import Store, wanted_reads

ENOUGH = 3  # readers of a case, from which on nobody waits for more
FEWEST = 60  # comparisons from which charts can be designed
WINDOW = 10_000  # comparisons that a design is learned from, at least
NOT_LOOKED = "Not looked at yet; charts come by themselves in a moment."


@dataclass(frozen=True, slots=True)
class Compared:
    """A read that was compared. Args: event, at: of the read that made it comparable."""

    event: int
    at: str
    case: str
    reader: str


@dataclass(frozen=True, slots=True)
class Charts:
    """Charts that belong together, for pages. Args: states: by reader; lacking: why none."""

    design: Design | None
    states: Mapping[str, ReaderState]
    lacking: str


@dataclass(slots=True, eq=False)
class QuestionWatch:
    """The charts of one question.

    Args:
        question: of the protocol.
        design: None while too few reads can be compared.
        states: reader -> their charts.
        said: case -> reader -> what they said and the event that kept it; of the cases in
            ``order``, and of those that were just read.
        order: what was compared, in the order of the log; the last of it.
        compared: how much was compared since the watch began.
        lacking: why there are no charts yet, "" when there are.
        learn_at: comparisons from which on the design is learned anew.
        alarmed: reader -> when the comparison that stands as their alarm became possible.
        shown: what pages see: the charts as they last stood still, while others are worked out.
    """

    question: Question
    design: Design | None = None
    states: dict[str, ReaderState] = field(default_factory=dict[str, ReaderState])
    said: dict[str, dict[str, tuple[int, Said]]] = field(
        default_factory=dict[str, dict[str, tuple[int, Said]]]
    )
    order: list[Compared] = field(default_factory=list[Compared])
    compared: int = 0
    lacking: str = NOT_LOOKED
    learn_at: float = 0
    alarmed: dict[str, str] = field(default_factory=dict[str, str])
    shown: Charts = field(init=False)

    def __post_init__(self) -> None:
        self.show()

    def show(self) -> None:
        """Let pages see the charts as they stand now."""
        self.shown = Charts(self.design, dict(self.states), self.lacking)


def said_before(watch: QuestionWatch, row: dict[str, Any]) -> None:
    """Note a read; its event is that of the reader's first read of the case."""
    said = said_of_read(row, watch.question)
    if said is not None:
        of_case = watch.said.setdefault(said.case, {})
        of_case[said.reader] = of_case.get(said.reader, (int(row["event"]), said))[0], said


def taken(
    watch: QuestionWatch, page: Sequence[dict[str, Any]], wanted: dict[str, int]
) -> list[Compared]:
    """Take reads in; return those that can be compared now, of cases all of which is in."""
    fresh: list[Compared] = []
    for row in page:
        said = said_of_read(row, watch.question)
        if said is None:
            continue
        of_case = watch.said.setdefault(said.case, {})
        before = set(of_case) if _is_ready(of_case, wanted.get(said.case, 0)) else set[str]()
        of_case[said.reader] = of_case.get(said.reader, (int(row["event"]), said))[0], said
        if _is_ready(of_case, wanted.get(said.case, 0)):
            now = int(row["event"]), said.submitted, said.case
            fresh += [Compared(*now, reader) for reader in of_case if reader not in before]
    return fresh


def _is_ready(of_case: dict[str, Any], wanted: int) -> bool:
    return len(of_case) >= max(2, min(ENOUGH, wanted))


def forget(watch: QuestionWatch) -> None:
    """Let go of what is too old to move a chart."""
    if len(watch.order) > 2 * WINDOW:
        del watch.order[:-WINDOW]
    elif len(watch.said) <= 2 * WINDOW:
        return
    kept = {one.case for one in watch.order}
    watch.said = {case: said for case, said in watch.said.items() if case in kept}


def awaited(watch: QuestionWatch, store: Store) -> str:
    """What there must be before there are charts, in words."""
    if watch.order:
        return f"{len(watch.order)} reads can be compared; charts begin at {FEWEST}."
    have = {case: len(said) for case, said in watch.said.items() if len(said) > 1}
    if not have:
        return "No case was read by two readers yet."
    wanted = wanted_reads(store, sorted(have))
    (read, of), count = Counter((n, wanted.get(case, n)) for case, n in have.items()).most_common(
        1
    )[0]
    cases = f"{count} case has" if count == 1 else f"{count} cases have"
    these = "it is" if count == 1 else "they are"
    when = "the third is in" if of == ENOUGH else f"{ENOUGH} readers have read"
    return f"{cases} {read} of {of} reads; {these} compared when {when}."

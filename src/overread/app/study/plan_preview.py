"""A plan that is drawn up and not written: exact counts, balance, hours, and what to beware of."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from overread.app.study.plan_picture import ROLES, Pace, Picture, names_of, pace_of, picture_of
from overread.app.study.plan_project import Drawn
from overread.app.study.project_protocol import protocol_of
from overread.planning.cost import Step, cost
from overread.store import Store
from overread.store.quality.qualification import list_certificates
from overread.store.work.plans import PlanPart

_SOME = 0.1  # person-years from which on they are told


@dataclass(frozen=True, slots=True)
class Preview:
    """A plan that is drawn up.

    Args:
        words, balance: exact counts and how even they are, in sentences.
        hours: of the readers, in a sentence; "" where nobody's seconds are known.
        warnings: what to beware of.
        kept: first reads that stay as they are.
    """

    picture: Picture
    words: str
    balance: str
    hours: str
    warnings: tuple[str, ...]
    kept: int


def preview(store: Store, project: str, drawn: Drawn, *, seconds: float | None = None) -> Preview:
    """What a plan would be.

    Args:
        seconds: that a read takes, where none was measured yet.
    """
    pace = pace_of(store, project, said=seconds)
    parts = Counter(
        (drawn.names[one.reader], one.batch, one.sub_batch, one.role, bool(one.task))
        for one in drawn.rows
    )
    rows: dict[tuple[str, int, int, str], list[int]] = {}
    for (reader, batch, sub, role, kept), count in parts.items():
        both = rows.setdefault((reader, batch, sub, role), [0, 0])
        both[0] += count
        both[1] += count if kept else 0
    planned = [PlanPart(*key, planned=n, done=k) for key, (n, k) in rows.items()]
    picture = picture_of(store, project, planned, pace, names_of(store, project, planned))
    return Preview(
        picture,
        _words(drawn),
        _plain(drawn.plan.balance.words),
        _hours(drawn, pace),
        (*drawn.notes, *_warnings(store, project, drawn)),
        drawn.kept,
    )


def _words(drawn: Drawn) -> str:
    counts, wanted = drawn.plan.counts(), drawn.design
    several = len({one.case for one in drawn.rows if one.role == "overlap"})
    single = len({one.case for one in drawn.rows if one.role == "only"})
    parts = len({(one.batch, one.sub_batch) for one in drawn.rows})
    by = "one" if wanted.reads == 1 else f"{wanted.reads:,}"
    said = [f"{many(single, 'case')} read by {by}"]
    if several:
        said.append(f"{many(several, 'case')} by {wanted.overlap_readers} (overlap)")
    extra = [
        f"{counts[role]:,} hidden {name}"
        for role, name in (("gold", "gold"), ("repeat", "repeats"))
        if counts[role]
    ]
    text = f"{many(len(drawn.rows), 'read')}: {', '.join([*said, *extra])}"
    return f"{text}; {many(parts, 'sub-batch', 'sub-batches')}."


def _plain(words: str) -> str:
    """Columns as people call them."""
    return words.replace("age_band", "age").replace("body_part", "body part")


def many(count: int, one: str, several: str = "") -> str:
    """A count with its word."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def _hours(drawn: Drawn, pace: Pace) -> str:
    """What is left to read, in hours of readers, at the pace of each."""
    if pace.usual is None:
        return ""
    seconds: dict[str, list[float]] = {}
    for one in drawn.rows:
        if not one.task:
            own = pace.of.get(drawn.names[one.reader], pace.usual)
            seconds.setdefault(one.role, []).append(own)
    names = {"only": "ordinary", "overlap": "overlap", "gold": "gold", "repeat": "repeats"}
    found = cost(
        [Step(names[r], len(of), sum(of) / len(of)) for r in ROLES if (of := seconds.get(r))]
    )
    parts = ", ".join(f"{one.name} {one.hours:,.1f} h" for one in found.steps)
    source = "measured so far" if pace.measured else "assumed"
    text = f"{found.hours:,.1f} reader hours ({parts}), at the seconds a read {source}"
    years = f": {found.person_years:,.1f} person-years" if found.person_years >= _SOME else ""
    return f"{text}{years}."


def _warnings(store: Store, project: str, drawn: Drawn) -> list[str]:
    protocol = protocol_of(store, project).protocol
    said: list[str] = []
    if drawn.design.reads < protocol.reads_per_case:
        said.append(
            f"The protocol asks for {protocol.reads_per_case} reads of each case; this plan has "
            f"{drawn.design.reads} but for the overlap."
        )
    if len(drawn.wish.readers) > 1 and not drawn.design.overlap and drawn.design.reads < 2:
        said.append(
            "No case is read by two: nothing will show how far readers agree, and nobody who "
            "drifts is seen."
        )
    if protocol.qualification is not None:
        proven = list_certificates(store, project)
        waiting = [one for one in drawn.wish.readers if one.id not in proven]
        if waiting:
            said.append(
                f"{many(len(waiting), 'reader')} must still pass the dry run: their cases wait "
                "until they have."
            )
    return said

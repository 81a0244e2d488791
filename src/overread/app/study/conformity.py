"""The proof that labels conform to the final protocol, or exactly which do not, and why.

Every label that an export holds (each reader's answer that counts to each question, and every
reference standard) is checked against the newest version: its answer must fit it, and each version
since the label was made must either not touch it or have been ruled upon.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from overread.app.study import protocol_change as change
from overread.app.study.project_protocol import parsed, protocol_of
from overread.errors import InputError
from overread.protocol import changes
from overread.store import Store, get_protocol, project_progress
from overread.store.quality.adjudications import standards_of_project
from overread.store.quality.stale import Ruling, list_rulings, standings

_TOLD = 200
_AT_ONCE = 500  # reads that are checked while a page waits


@dataclass(frozen=True, slots=True)
class NotConforming:
    """A label that does not conform. Args: what: "read" or "reference standard"."""

    case: str
    what: str
    question: str
    version: int
    why: str


@dataclass(frozen=True, slots=True)
class Conformity:
    """How many labels conform to a version.

    Args:
        version: the newest of the protocol.
        labels: that an export holds.
        conforming: of these.
        left_out: stale labels that no export holds.
        reasons: why labels do not conform -> how many.
        first: those that do not, at most as many as were asked for.
        unruled: versions of which nobody said what they mean for the labels before them.
    """

    version: int
    labels: int
    conforming: int
    left_out: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict[str, int])
    first: tuple[NotConforming, ...] = ()
    unruled: tuple[int, ...] = ()

    @property
    def words(self) -> str:
        """In a sentence ("100 % of 24 exported labels conform to version 2")."""
        if not self.labels:
            return "no labels yet"
        share = 100 * self.conforming / self.labels
        told = f"{share:.0f} %" if self.conforming == self.labels else f"{min(share, 99.9):.1f} %"
        return f"{told} of {self.labels} exported labels conform to version {self.version}"

    @property
    def whole(self) -> bool:
        """Every one does."""
        return self.conforming == self.labels

    def document(self) -> dict[str, object]:
        """For the manifest of an export."""
        return {
            "version": self.version,
            "labels": self.labels,
            "conforming": self.conforming,
            "left_out": self.left_out,
            "reasons": dict(self.reasons),
            "words": self.words,
        }


def conformity(store: Store, project: str, *, told: int | None = _TOLD) -> Conformity:
    """Check every label that an export holds against the newest version of the protocol.

    Args:
        told: of those that do not conform, how many ``first`` holds; None is all of them.
    Raises:
        NotFoundError: no such project.
    """
    now = protocol_of(store, project)
    rulings = list_rulings(store, project)
    steps = {
        version: _step(store, project, version, rulings) for version in range(2, now.version + 1)
    }
    standing = standings(store, project)
    reads = list(change.reads_that_count(store, project))
    decided = list(_standards(store, project))
    fit = change.fit(store, now.protocol, sorted({one.case for one in (*reads, *decided)}))
    found: list[NotConforming] = []
    labels = gone = 0
    open_: set[int] = set()
    for read in (*reads, *decided):
        for question in now.protocol.questions:
            if question.id not in read.answer and not read.cannot_be_read:
                continue
            where = standing.get((read.id, question.id))
            if where is not None and where[1] == "left_out":
                gone += 1
                continue
            labels += 1
            why = _why(read, question.id, fit, steps, where, open_=open_)
            if why:
                found.append(NotConforming(read.case, read.what, question.id, read.version, why))
    return Conformity(
        now.version,
        labels,
        labels - len(found),
        gone,
        dict(Counter(one.why for one in found).most_common()),
        tuple(found[:told]),
        tuple(sorted(open_)),
    )


@dataclass(frozen=True, slots=True)
class _Step:
    """From one version to the next: what it touches, and whether somebody ruled."""

    touched: change.Touched
    everything: bool
    ruling: Ruling | None


def _step(store: Store, project: str, version: int, rulings: Mapping[int, Ruling]) -> _Step:
    ruling = rulings.get(version)
    if ruling is not None:
        return _Step(ruling.touched, False, ruling)
    old, new = (parsed(get_protocol(store, project, one).text) for one in (version - 1, version))
    told = any(one.stale and one.question is None for one in changes(old, new))
    return _Step(change.touched_by(old, new), told, None)


def _standards(store: Store, project: str) -> Iterator[change.Made]:
    for case, one in standards_of_project(store, project).items():
        text = get_protocol(store, project, one.protocol_version).text
        yield change.Made(
            one.adjudication, case, "", one.protocol_version, parsed(text), one.answer,
            one.cannot_be_read, "reference standard",
        )  # fmt: skip


def _why(
    read: change.Made,
    question: str,
    fit: change.Fit,
    steps: Mapping[int, _Step],
    standing: tuple[int, str] | None,
    *,
    open_: set[int],
) -> str:
    """Why a label does not conform; "" where it does."""
    if question in read.answer and not read.cannot_be_read:
        fault = fit.fault(read, question)
        if fault:
            return fault
    for version, step in steps.items():
        if version <= read.version:
            continue
        touched = step.everything or change.is_touched(
            read, question, step.touched.get(question, ())
        )
        if not touched:
            continue
        if step.ruling is None:
            open_.add(version)
            return f"nobody has said what version {version} means for it"
        stands = standing is not None and standing[0] >= version and standing[1] == "stands"
        if read.what != "read":
            stands = step.ruling.choice == "none"
        if not stands:
            return f"waits to be read again under version {version}"
    return ""


def conformity_now(store: Store, project: str, kept: Conformity | None) -> Conformity | None:
    """The proof for a page: worked out now where that is quick, else the one that is kept.

    Args:
        kept: of the project's model; None where it has none (yet).
    Returns:
        None where it is still being worked out.
    """
    if project_progress(store, project).reads <= _AT_ONCE:
        return conformity(store, project)
    return kept


def require_whole(found: Conformity) -> None:
    """Refuse what is not final.

    Raises:
        InputError: a label does not conform; the most frequent reason is told.
    """
    if not found.whole:
        reason, count = next(iter(found.reasons.items()))
        missing = found.labels - found.conforming
        raise InputError(
            "final export",
            f"hold labels that all conform to version {found.version}",
            f"{missing} that do not ({count}: {reason})",
            remedy="See the page of the protocol, or export without --final.",
        )

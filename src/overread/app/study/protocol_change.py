"""A new version of the protocol: what it changes, which labels it touches, what is read again.

A label is the answer of a read to one question. The diff proposes which classes are touched; the
lead ticks what really is (a class that was split, or whose guideline changed). ``""`` among the
classes is every answer to the question, also "no finding" and none at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from overread.app.analysis.disputes import classes_named
from overread.app.analysis.mask_frames import packed
from overread.app.study.project_protocol import parsed
from overread.app.study.project_readers import who_reads
from overread.app.study.project_tables import counts
from overread.errors import InputError
from overread.labels import Kind
from overread.protocol import Change, Protocol, changes, check_answer
from overread.store import Store, each_read, get_cases, get_protocol
from overread.store.quality.stale import Ruling, Standing, rule_version
from overread.store.work.asked_again import PROTOCOL, Again
from overread.store.work.asked_again import count_again as counted_again

_PAGE = 500

Touched = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Row:
    """Labels of one class. Args: name: "" is every label; ticked: touched by what the diff says."""

    name: str
    labels: int
    ticked: bool


@dataclass(frozen=True, slots=True)
class Rows:
    """Labels of one question of the version before, class by class."""

    question: str
    prompt: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change does to the labels before it.

    Args:
        differences: in words, those that make labels stale first.
        reads: that were made under earlier versions and count.
    """

    differences: tuple[Change, ...]
    questions: tuple[Rows, ...]
    reads: int

    @property
    def asks(self) -> bool:
        """Whether somebody must say what happens to the labels."""
        return self.reads > 0 and any(one.stale for one in self.differences)


def touched_by(old: Protocol, new: Protocol) -> dict[str, tuple[str, ...]]:
    """The classes whose labels a diff touches, question by question."""
    before = {one.id: one for one in old.questions}
    made: dict[str, tuple[str, ...]] = {}
    for question in new.questions:
        was = before.get(question.id)
        if was is None:
            if question.required:
                made[question.id] = ("",)
            continue
        gone = tuple(name for name in was.names if name not in question.names)
        come = [name for name in question.names if name not in was.names]
        every = (
            was.kind is not question.kind
            or (was.low, was.high, was.prompt) != (question.low, question.high, question.prompt)
            or (question.required and not was.required)
            or bool(come and not gone)
            or (not gone and not come and was.names != question.names)
        )
        if every or gone:
            made[question.id] = ("",) if every else gone
    return made


def effect(store: Store, project: str, new: Protocol, *, version: int) -> Effect:
    """What a version would do, or does, to the labels made under those before it.

    Args:
        version: the number of the new one; the one before it is what it is compared with.
    """
    old = parsed(get_protocol(store, project, version - 1).text)
    proposed = touched_by(old, new)
    counted = {one.id: Counter[str]() for one in old.questions}
    reads = 0
    for read in reads_that_count(store, project, before=version):
        reads += 1
        for question in old.questions:
            named = _named(read, question.id)
            if named is not None:
                counted[question.id].update(["", *named])
    ids = {one.id for one in new.questions}
    made = [
        Rows(
            one.id,
            one.prompt,
            tuple(
                Row(name, counted[one.id][name], name in proposed.get(one.id, ()))
                for name in ("", *one.names)
            ),
        )
        for one in old.questions
        if one.id in ids
    ]
    return Effect(changes(old, new), tuple(made), reads)


@dataclass(frozen=True, slots=True)
class Made:
    """Answers with the protocol they were made under: a read that counts, or what a senior said.

    Args:
        reader: "" for a senior.
        what: "read" or "reference standard".
    """

    id: str
    case: str
    reader: str
    version: int
    protocol: Protocol
    answer: Mapping[str, Any]
    cannot_be_read: bool
    what: str = "read"


def reads_that_count(store: Store, project: str, *, before: int | None = None) -> Iterator[Made]:
    """Each reader's read of each case that counts; of older versions alone where asked."""
    protocols: dict[int, Protocol] = {}
    latest: dict[tuple[str, str], tuple[int, Made]] = {}
    for row in each_read(store, project):
        place = row["case"], row["reader"]
        if not counts(row) or row["round"] < latest.get(place, (0,))[0]:
            continue
        version = int(row["protocol_version"])
        if version not in protocols:
            protocols[version] = parsed(get_protocol(store, project, version).text)
        read = Made(
            row["read"], row["case"], row["reader"], version, protocols[version],
            row["answer"], bool(row["cannot_be_read"]),
        )  # fmt: skip
        latest[place] = row["round"], read
    for _, read in latest.values():
        if before is None or read.version < before:
            yield read


def _named(read: Made, question: str) -> set[str] | None:
    """The classes that a read names in a question; None where it does not answer it."""
    found = {one.id: one for one in read.protocol.questions}.get(question)
    value = read.answer.get(question)
    if found is None or value is None:
        return None
    return classes_named(found, packed(value) if found.kind is Kind.MASK else value)


def is_touched(read: Made, question: str, classes: Sequence[str]) -> bool:
    """A class of the read's answer is touched, or every answer is."""
    if "" in classes:
        return True
    named = _named(read, question)
    return bool(named and named & set(classes))


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether answers fit the protocol of now. Args: images: rows, columns, frames by case."""

    protocol: Protocol
    images: Mapping[str, Mapping[str, Any]]

    def fault(self, read: Made, question: str) -> str:
        """What is wrong with a label; "" where nothing is."""
        image = self.images[read.case]
        size = {name: int(image[name]) for name in ("rows", "columns", "frames")}
        answer = {question: read.answer[question]}
        found = {one.id: one for one in read.protocol.questions}[question]
        now = self.protocol.question(question)
        if found.kind is Kind.MASK and now.kind is Kind.MASK:
            gone = (_named(read, question) or set()) - set(now.names)
            return f"class {min(gone)!r} is no more" if gone else ""
        try:
            check_answer(self.protocol, answer, **size, complete=False)
        except InputError as error:
            return f"{error.name} must {error.rule}"
        return ""


def fit(store: Store, protocol: Protocol, cases: Sequence[str]) -> Fit:
    """What tells whether answers to these cases fit a protocol."""
    images: dict[str, Mapping[str, Any]] = {}
    for start in range(0, len(cases), _PAGE):
        found = get_cases(store, cases[start : start + _PAGE])
        images |= {key: row.image for key, row in found.items()}
    return Fit(protocol, images)


def check_ruling(said: Ruling) -> None:
    """What would be refused after the version was saved.

    Raises:
        InputError: no reason where nothing is read again; nothing ticked where something is.
    """
    if said.choice == "none" and not said.words.strip():
        raise InputError("reason", "say why the labels before still stand", "nothing")
    if said.choice == "affected" and not any(said.touched.values()):
        raise InputError("classes", "be ticked where affected labels are read again", "none")


def rule(store: Store, project: str, said: Ruling, *, by: str) -> int:
    """Say what a version means for the labels before it, and ask for what is read again.

    A label that the new version cannot hold (its class is gone) never stands: it is left out until
    it is replaced. A read whose reader no longer reads here is asked of whoever comes.

    Returns:
        How many reads were planned.
    Raises:
        InputError: no reason where nothing is read again; nothing ticked where something is.
        NotFoundError: no such version.
    """
    protocol = parsed(get_protocol(store, project, said.version).text)
    now = {one.id for one in protocol.questions}
    touched: Touched = {name: tuple(of) for name, of in said.touched.items() if of and name in now}
    if said.choice == "all":
        touched = dict.fromkeys(now, ("",))
    if said.choice == "affected" and not touched:
        raise InputError("classes", "be ticked where affected labels are read again", "none")
    reads = list(reads_that_count(store, project, before=said.version))
    fitting = fit(store, protocol, sorted({one.case for one in reads}))
    here = set(who_reads(store, project))
    labels: dict[Standing, dict[str, list[str]]] = {}
    again: list[Again] = []
    for read in reads:
        hit = _hit(read, touched, fitting)
        stays = said.readers == "same" and read.reader in here
        if not hit:
            continue
        for question, faulty in hit.items():
            if question in read.answer or read.cannot_be_read:
                standing = _standing(said, faulty=faulty, stays=stays)
                labels.setdefault(standing, {}).setdefault(question, []).append(read.id)
        if said.choice != "none":
            kept = {name: one for name, one in read.answer.items() if name in now - hit.keys()}
            again.append(Again(read.case, read.reader if stays else None, kept if stays else None))
    made = Ruling(
        said.version, said.choice, said.words.strip(), touched, said.until_replaced, said.readers
    )
    return rule_version(store, project, made, by, labels=labels, again=again)


def _standing(said: Ruling, *, faulty: bool, stays: bool) -> Standing:
    if faulty or (said.choice != "none" and not stays):
        return "left_out"
    return "stands" if said.choice == "none" else said.until_replaced


def _hit(read: Made, touched: Touched, fit: Fit) -> dict[str, bool]:
    """Questions of a read that are touched -> the new version cannot hold the answer."""
    made: dict[str, bool] = {}
    for question in fit.protocol.questions:
        name = question.id
        faulty = bool(name in read.answer and not read.cannot_be_read and fit.fault(read, name))
        classes = touched.get(name, ())
        if faulty or (classes and is_touched(read, name, classes)):
            made[name] = faulty
    return made


def count_again(store: Store, project: str) -> tuple[int, int]:
    """Reads that were asked again for a new protocol, and how many of them are made."""
    return counted_again(store, project, PROTOCOL)

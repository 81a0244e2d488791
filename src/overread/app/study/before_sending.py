"""A read looked at before it is sent: what a reader may want to look at again, in calm words.

A hint rests on the image, the protocol and the reader's own earlier drawings; nothing that another
reader said reaches it, so that reads stay independent.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from overread.app.analysis.gentle_check import GENTLE, Looked, finding_of, look_at_answer
from overread.app.analysis.label_rules import rules_with
from overread.app.study.project_protocol import parsed
from overread.errors import InputError
from overread.images import unpack_frame
from overread.labels import Kind
from overread.monitoring.rules import DrawnFigures, Hint, Population, Rule, gathered, populations
from overread.protocol import Protocol, Question, check_answer
from overread.store import Blobs, CaseRow, Store, get_task, get_terms

MOST = 6
"""Hints that are told at once."""

_DRAWN = frozenset({Kind.BOX, Kind.INSTANCE, Kind.MASK})
_KEPT_BYTES = 128 * 2**20
_KEPT_READS = 200
_KEPT_READERS = 200


@dataclass(frozen=True, slots=True)
class Told:
    """One thing to look at again.

    Args:
        question: id.
        rule: that spoke.
        finding: id of the drawing, "" where it is about the whole answer.
        words: for the reader, in a sentence.
    """

    question: str
    rule: str
    finding: str
    words: str


@dataclass(slots=True, eq=False)
class Desk:
    """What is kept at hand for the next look: frames, and each reader's own drawings.

    Args:
        most_bytes: of frames.
    """

    most_bytes: int = _KEPT_BYTES
    _frames: OrderedDict[str, NDArray[Any]] = field(default_factory=OrderedDict)
    _own: OrderedDict[tuple[str, str], OrderedDict[str, Mapping[str, DrawnFigures]]] = field(
        default_factory=OrderedDict
    )
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def frame(self, blobs: Blobs, case: CaseRow, number: int) -> NDArray[Any]:
        """Samples of a frame, decoded once while it is kept."""
        key, image = case.frames[number], case.image
        with self._lock:
            kept = self._frames.get(key)
            if kept is not None:
                self._frames.move_to_end(key)
                return kept
        made = unpack_frame(
            blobs.get(key),
            rows=image["rows"],
            columns=image["columns"],
            samples=image["samples"],
            dtype=image["dtype"],
        )
        with self._lock:
            self._frames[key] = made
            while sum(one.nbytes for one in self._frames.values()) > self.most_bytes:
                self._frames.popitem(last=False)
        return made

    def usual(
        self, project: str, reader: str, task: str, protocol: Protocol
    ) -> dict[str, dict[int, Population]]:
        """What is usual in this reader's other reads, by question and class."""
        with self._lock:
            reads = [one for key, one in self._of(project, reader).items() if key != task]
        found = {}
        for question in protocol.questions:
            drawn = [one[question.id] for one in reads if question.id in one]
            if drawn:
                found[question.id] = populations(gathered(drawn))
        return found

    def keep(self, project: str, reader: str, task: str, looked: Looked) -> None:
        """Keep the figures of a read for the next ones."""
        with self._lock:
            mine = self._of(project, reader)
            mine[task] = looked.drawn
            mine.move_to_end(task)
            while len(mine) > _KEPT_READS:
                mine.popitem(last=False)

    def _of(self, project: str, reader: str) -> OrderedDict[str, Mapping[str, DrawnFigures]]:
        mine = self._own.setdefault((project, reader), OrderedDict())
        self._own.move_to_end((project, reader))
        while len(self._own) > _KEPT_READERS:
            self._own.popitem(last=False)
        return mine


def asked_of(protocol: Protocol) -> tuple[str, ...]:
    """Ids of the questions whose answer is looked at before it is sent.

    By default those that are drawn; none where the protocol names no rule.
    """
    named = protocol.before_sending
    if named is not None and not named:
        return ()
    return tuple(one.id for one in protocol.questions if named is not None or one.kind in _DRAWN)


def look_before_sending(
    store: Store,
    blobs: Blobs,
    desk: Desk,
    task: str,
    reader: str,
    *,
    answer: Mapping[str, Any],
    protocol_version: int | None = None,
    pause: Callable[[], None] = lambda: None,
) -> list[Told]:
    """Look at an answer; nothing is kept but figures, and nothing refused.

    Args:
        answer: question id -> value.
        protocol_version: that the page showed; None for the newest.
        pause: called between steps; what it raises ends the work.
    Returns:
        What to look at again, the most important first; nothing of an answer that breaks the
        protocol, which is told when it is sent.
    Raises:
        NotFoundError: not a task of theirs.
    """
    terms = get_terms(store, task, reader, protocol_version)
    protocol = parsed(terms.protocol_text)
    asked = {one: answer[one] for one in asked_of(protocol) if one in answer}
    try:
        size = {name: terms.image[name] for name in ("rows", "columns", "frames")}
        check_answer(protocol, asked, **size, complete=False)
    except InputError:
        return []
    pause()
    case = get_task(store, task, reader).case
    pause()
    looked = look_at_answer(
        protocol,
        asked,
        lambda at: desk.frame(blobs, case, at),
        size,
        usual=desk.usual(terms.project, reader, task, protocol),
        rules=rules_before_sending(protocol),
        pause=pause,
    )
    desk.keep(terms.project, reader, task, looked)
    return told(protocol, asked, looked)


def rules_before_sending(protocol: Protocol) -> dict[str, Rule]:
    """The rules that the protocol names, those of other packages among them; or the gentle ones."""
    every = rules_with()
    named = GENTLE if protocol.before_sending is None else protocol.before_sending
    return {name: every[name] for name in named if name in every}


def told(protocol: Protocol, answer: Mapping[str, Any], looked: Looked) -> list[Told]:
    """Hints in words for the reader, one a drawing and rule."""
    found: dict[tuple[str, str, str], Told] = {}
    for question in protocol.questions:
        for hint in looked.hints.get(question.id, ()):
            one = _told(question, answer[question.id], hint)
            found.setdefault((one.question, one.rule, one.finding), one)
    return list(found.values())[:MOST]


def _told(question: Question, value: Any, hint: Hint) -> Told:
    finding = finding_of(question, value, hint)
    words = _words(hint)
    if finding is not None:
        place = [one["id"] for one in value].index(finding["id"]) + 1
        word = "Box" if question.kind is Kind.BOX else "Outline"
        words = f"{word} {place}: {words}"
    elif hint.label and hint.finding is not None:
        words = f"What is painted as {hint.label!r}: {words}"
    return Told(
        question.id, hint.rule, "" if finding is None else str(finding["id"]), _sentence(words)
    )


def _words(hint: Hint) -> str:
    if hint.rule == "loose-contour":
        return "much of it looks like background"
    if hint.rule == "size":
        word = "smaller" if hint.numbers["z"] < 0 else "larger"
        times = hint.numbers["times"]
        return f"{times:.1f} times {word} than you usually draw {hint.label!r}"
    if hint.rule == "texture-size":
        return "too small to show how this tissue varies"
    return hint.words


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:].rstrip(".") + "."

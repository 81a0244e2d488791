"""What label rules found in a project, as a lead looks at it: names, pictures, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from overread.store import CaseRow, Store, get_cases, last_read, list_users
from overread.store.quality.advice import AdviceCount, count_advice

_MARGIN = 0.6  # of a drawing's longer side, around it
_LEAST = 24.0

ADVICE: Mapping[str, tuple[str, str]] = {
    "contradictions": (
        "Labels that contradict themselves",
        "They cannot be right together: have the case read again.",
    ),
    "loose": (
        "Loosely drawn",
        "Background inside a contour is learnt as the class. Have them drawn tighter.",
    ),
    "size": (
        "Out of the class's range",
        "Much smaller or larger than their class: a slip, another class, or a rare true case.",
    ),
    "texture": (
        "Too small for the tissue",
        "They do not show how the tissue varies. Draw larger areas.",
    ),
    "imbalance": (
        "Too rare beside the largest class",
        "Read more of the rare class, or train on fewer of the frequent one.",
    ),
    "duplicates": (
        "Nearly the same image, labelled differently",
        "One of the two is wrong, or both stand for one. Keep them in one part of any split.",
    ),
    "drawing-duplicates": (
        "Nearly the same thing, in two classes",
        "Compare the two with the guideline, and have one read again.",
    ),
    "readers": (
        "Readers apart from the others",
        "A level of their own, or further from the others: see the quality page.",
    ),
}
"""Ready-made rule -> its heading, and what to do. A plug-in's own words stand for its own."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Part of a picture of a case.

    Args:
        case, name: id and name.
        frame: of the case.
        columns, rows: of the whole picture.
        view: x, y, width, height of the part.
        path: of the drawing in it, "" where there is none.
    """

    case: str
    name: str
    frame: int
    columns: int
    rows: int
    view: tuple[float, float, float, float]
    path: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One hint as the page shows it.

    Args:
        cuts: pictures, two where things are compared.
        reader: name, "" where no reader is meant.
    """

    words: str
    severity: str
    label: str
    finding: int | None
    reader: str
    cuts: tuple[Cut, ...]
    numbers: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ShownRule:
    """What one rule found."""

    name: str
    title: str
    advice: str
    count: int
    failed: str
    hints: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class ShownQuestion:
    """What all rules found in the answers to one question."""

    id: str
    prompt: str
    kind: str
    reads: int
    cases: int
    drawings: int
    refused: int
    power: Mapping[str, float]
    balance: tuple[Mapping[str, Any], ...]
    rules: tuple[ShownRule, ...]
    silent: tuple[str, ...]

    @property
    def count(self) -> int:
        """Hints of all rules."""
        return sum(one.count for one in self.rules)


@dataclass(frozen=True, slots=True)
class Board:
    """What a check found, and what readers made of hints before they sent.

    Args:
        newer: reads came since.
        told: hints before sending, by rule.
    """

    questions: tuple[ShownQuestion, ...]
    count: int
    protocol_version: int
    newer: bool
    told: tuple[AdviceCount, ...]


def label_board(store: Store, project: str, found: Mapping[str, Any]) -> Board:
    """Name and picture what a check found.

    Args:
        found: of :func:`overread.app.study.check_project.check_project`.
    """
    keys = {hint["case"] for hint in _hints(found)} | {
        hint["twin"]["case"] for hint in _hints(found) if hint["twin"]
    }
    cases = get_cases(store, sorted(keys - {""}))
    people = {one.id: one.name for one in list_users(store)}
    questions = tuple(_question(one, cases, people) for one in found["questions"])
    return Board(
        questions,
        sum(one.count for one in questions),
        int(found["protocol_version"]),
        last_read(store, project)[0] > int(found["log_events"]),
        tuple(count_advice(store, project)),
    )


def _hints(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [hint for one in found["questions"] for rule in one["rules"] for hint in rule["hints"]]


def _question(
    one: Mapping[str, Any], cases: Mapping[str, CaseRow], people: Mapping[str, str]
) -> ShownQuestion:
    rules = [_rule(rule, cases, people) for rule in one["rules"]]
    most = max((row["count"] for row in one["balance"]), default=0.0)
    balance = tuple({**row, "part": row["count"] / most if most else 0} for row in one["balance"])
    plain = ("id", "prompt", "kind", "reads", "cases", "drawings", "refused", "power")
    return ShownQuestion(
        **{name: one[name] for name in plain},
        balance=balance,
        rules=tuple(rule for rule in rules if rule.count or rule.failed),
        silent=tuple(rule.title for rule in rules if not rule.count and not rule.failed),
    )


def _rule(
    rule: Mapping[str, Any], cases: Mapping[str, CaseRow], people: Mapping[str, str]
) -> ShownRule:
    own = rule["name"].replace("-", " ").capitalize(), rule["about"]
    title, advice = ADVICE.get(rule["name"], own)
    hints = tuple(_shown(hint, cases, people) for hint in rule["hints"])
    return ShownRule(rule["name"], title, advice, rule["count"], rule["failed"], hints)


def _shown(
    hint: Mapping[str, Any], cases: Mapping[str, CaseRow], people: Mapping[str, str]
) -> Shown:
    cuts = [_cut(cases, hint["case"], hint["frame"], hint["drawing"])]
    if hint["twin"]:
        cuts.append(_cut(cases, **{k: hint["twin"][k] for k in ("case", "frame", "drawing")}))
    words = hint["words"]
    return Shown(
        words[:1].upper() + words[1:],
        hint["severity"],
        hint["label"],
        hint["finding"],
        people.get(hint["reader"], ""),
        tuple(one for one in cuts if one is not None),
        hint["numbers"],
    )


def _cut(
    cases: Mapping[str, CaseRow], case: str, frame: int | None, drawing: Mapping[str, Any] | None
) -> Cut | None:
    row = cases.get(case)
    if row is None:
        return None
    image = row.image
    columns, rows = int(image["columns"]), int(image["rows"])
    at = int(image["frames"]) // 2 if frame is None else frame
    view, path = (0.0, 0.0, float(columns), float(rows)), ""
    if drawing is not None:
        view, path = _view(drawing["box"], columns, rows), drawing["path"]
    return Cut(case, row.name, at, columns, rows, view, path)


def _view(box: list[float], columns: int, rows: int) -> tuple[float, float, float, float]:
    """A square around a box, within the picture where that is large enough."""
    x1, y1, x2, y2 = box
    side = max(x2 - x1, y2 - y1)
    whole = side + 2 * max(_LEAST, _MARGIN * side)
    left = min(max((x1 + x2 - whole) / 2, 0), max(columns - whole, 0))
    top = min(max((y1 + y2 - whole) / 2, 0), max(rows - whole, 0))
    return round(left, 1), round(top, 1), round(min(whole, columns), 1), round(min(whole, rows), 1)

"""A table of gold answers: CSV with a row a finding, or JSON lines with whole answers."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overread.errors import InputError
from overread.labels import Kind
from overread.protocol import Protocol, Question

_SIDES = ("x1", "y1", "x2", "y2")
_ONE = (Kind.NOMINAL, Kind.ORDINAL, Kind.SCORE)
_LISTS = (Kind.MULTILABEL, Kind.BOX)


def read_gold(path: Path, protocol: Protocol) -> dict[str, dict[str, Any]]:
    """Read gold answers.

    CSV columns: ``case``, ``label``, ``question`` (where the protocol has several), and ``x1``,
    ``y1``, ``x2``, ``y2``, ``frame`` (from 0) for boxes. Several rows of a case are its findings;
    an empty label says that there is none. A line of a ``.jsonl`` file is ``{"case": ..., "answer":
    {question: value}}``, in the form of the API, for every kind.

    Args:
        path: of the table.
        protocol: whose questions it answers.
    Returns:
        case (name or id) -> answer.
    Raises:
        InputError: no such file, a column that is missing, a row that is not an answer.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("gold table", "be a text file that can be read", path.name) from error
    if path.suffix.lower() in {".jsonl", ".ndjson"}:
        return _lines(text)
    return _rows(csv.DictReader(text.splitlines()), protocol)


def _lines(text: str) -> dict[str, dict[str, Any]]:
    made: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
            case, answer = value["case"], value["answer"]
        except (ValueError, TypeError, KeyError) as error:
            rule = 'be {"case": ..., "answer": {...}}'
            raise InputError("line", rule, "something else", rows=[number]) from error
        if not isinstance(case, str) or not isinstance(answer, dict) or case in made:
            raise InputError("line", "answer a case, each once", "another", rows=[number])
        made[case] = answer
    return made


def _rows(rows: csv.DictReader[str], protocol: Protocol) -> dict[str, dict[str, Any]]:
    columns = set(rows.fieldnames or ())
    for name in ("case", "label"):
        if name not in columns:
            raise InputError("gold table", f"have a column {name}", ", ".join(sorted(columns)))
    made: dict[str, dict[str, Any]] = {}
    for number, row in enumerate(rows, start=2):
        question = _question(row, protocol, number)
        answer = made.setdefault((row["case"] or "").strip(), {})
        _add(answer, question, row, number)
    if not made:
        raise InputError("gold table", "have rows", "none")
    return made


def _question(row: Mapping[str, str], protocol: Protocol, number: int) -> Question:
    name = (row.get("question") or "").strip()
    if not name and len(protocol.questions) == 1:
        return protocol.questions[0]
    for one in protocol.questions:
        if one.id == name:
            return one
    rule = f"be one of {', '.join(one.id for one in protocol.questions)}"
    raise InputError("question", rule, name or "nothing", rows=[number])


def _add(answer: dict[str, Any], question: Question, row: Mapping[str, str], number: int) -> None:
    label = (row["label"] or "").strip()
    if question.kind in _ONE:
        if question.id in answer:
            raise InputError("case", "have one answer to a question", "two", rows=[number])
        answer[question.id] = (
            _number(label, "label", number) if question.kind is Kind.SCORE else label
        )
    elif question.kind in _LISTS:
        found = answer.setdefault(question.id, [])
        if label and question.kind is Kind.BOX:
            found.append(_box(row, label, number))
        elif label:
            found.append(label)
    else:
        rule = "be brought as JSON lines (.jsonl)"
        raise InputError(f"gold of {question.kind} questions", rule, "CSV", rows=[number])


def _box(row: Mapping[str, str], label: str, number: int) -> dict[str, Any]:
    sides = {side: _number(row.get(side) or "", side, number) for side in _SIDES}
    frame = int(_number(row.get("frame") or "0", "frame", number))
    return {"id": f"gold-{number}", "class": label, "frame": frame, **sides}


def _number(text: str, name: str, number: int) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InputError(name, "be a number", text or "nothing", rows=[number]) from error

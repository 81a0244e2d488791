"""A consensus of the analytic core, case by case in the shape of a reader's answer."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from overread.app.analysis.project_reads import FRAME
from overread.app.analysis.reach_consensus import Reached
from overread.labels import Kind
from overread.protocol import Question


def values(question: Question, reached: Reached) -> dict[str, Any]:
    """Case -> value; cases of which nothing is known are left out. Not for masks."""
    if question.kind is Kind.MULTILABEL:
        return _sets(reached)
    result = reached.result
    names = result.cases.tolist()
    if question.kind in {Kind.NOMINAL, Kind.ORDINAL}:
        codes = result.value.code.tolist()
        classes = result.value.classes
        return {case: classes[code] for case, code in zip(names, codes, strict=True) if code >= 0}
    if question.kind is Kind.SCORE:
        means = result.value.mean.tolist()
        return {case: mean for case, mean in zip(names, means, strict=True) if np.isfinite(mean)}
    return _findings(question, reached)


def _sets(reached: Reached) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, part in reached.parts.items():
        for case, code in zip(part.cases.tolist(), part.value.code.tolist(), strict=True):
            if code >= 0:
                made.setdefault(case, [])
            if code == 1:
                made[case].append(name)
    return made


def _findings(question: Question, reached: Reached) -> dict[str, Any]:
    value, cases = reached.result.value, reached.result.cases
    known = np.flatnonzero(reached.result.reads > 0)
    made: dict[str, Any] = {str(cases[at]).split(FRAME, maxsplit=1)[0]: [] for at in known}
    for at in np.flatnonzero(value.existence >= 0.5).tolist():
        case, _, frame = str(cases[value.case[at]]).partition(FRAME)
        one: dict[str, Any] = {
            "id": f"c{at}",
            "class": value.classes[value.code[at]],
            "frame": int(frame or 0),
        }
        if question.kind is Kind.BOX:
            one |= dict(zip(("x1", "y1", "x2", "y2"), value.box[at].tolist(), strict=True))
        else:
            one["points"] = value.outline[at].tolist()
        made.setdefault(case, []).append(one)
    return made


def probabilities(question: Question, reached: Reached) -> dict[str, float]:
    """Case -> probability of its consensus; of a set of classes that of the least sure."""
    if question.kind not in {Kind.NOMINAL, Kind.ORDINAL, Kind.MULTILABEL}:
        return {}
    made: dict[str, float] = {}
    for part in reached.parts.values():
        top = part.posterior.max(axis=1).tolist()
        for case, code, sure in zip(
            part.cases.tolist(), part.value.code.tolist(), top, strict=True
        ):
            if code >= 0:
                made[case] = min(made.get(case, 1.0), float(sure))
    return made


def mask_value(mask: Any, image: Mapping[str, Any]) -> list[dict[str, Any]]:
    """(frames, rows, columns) class codes as runs; frames without paint are left out."""
    if not mask.size:
        return []
    made: list[dict[str, Any]] = []
    for frame in np.flatnonzero(mask.any(axis=(1, 2))).tolist():
        flat = mask[frame].ravel()
        edges = [0, *(np.flatnonzero(np.diff(flat)) + 1).tolist(), flat.size]
        runs = [[int(flat[start]), stop - start] for start, stop in pairwise(edges)]
        size = {"rows": image["rows"], "columns": image["columns"]}
        made.append({"frame": frame, **size, "runs": runs})
    return made

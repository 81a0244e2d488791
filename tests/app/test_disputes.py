"""How far reads of a case are apart, in a share and in words, for each kind."""

from __future__ import annotations

from typing import Any

import pytest

from overread.app.analysis.disputes import dispute, disputes
from overread.app.analysis.mask_frames import packed
from overread.app.analysis.project_reads import Said
from overread.labels import Kind
from overread.protocol import Question
from overread.protocol.model import ClassEntry

CLASSES = (
    ClassEntry("a", 1, "1", "#000000"),
    ClassEntry("b", 2, "2", "#000000", weight=3.0),
    ClassEntry("c", 3, "3", "#000000"),
)


def question(kind: Kind) -> Question:
    if kind is Kind.SCORE:
        return Question("q", "How much", kind, (), 0.0, 10.0)
    return Question("q", "What", kind, CLASSES)


def box(x: float, name: str = "a", frame: int = 0) -> dict[str, Any]:
    return {"id": "i", "class": name, "frame": frame, "x1": x, "y1": 0, "x2": x + 10, "y2": 10}


def ring(x: float) -> dict[str, Any]:
    points = [[x, 0.0], [x + 10, 0.0], [x + 10, 10.0], [x, 10.0]]
    return {"id": "i", "class": "a", "frame": 0, "points": points}


def mask(*runs: tuple[int, int]) -> Any:
    return packed([{"frame": 0, "rows": 10, "columns": 10, "runs": [list(one) for one in runs]}])


@pytest.mark.parametrize(
    ("kind", "values", "share", "weight", "words"),
    [
        (Kind.NOMINAL, ["a", "a", "b"], 1 / 3, 3.0, "2 say a, 1 says b"),
        (Kind.NOMINAL, ["a", "a"], 0.0, 1.0, "2 say a"),
        (Kind.ORDINAL, ["a", "c", "c"], 1.0, 1.0, "2 say c, 1 says a"),
        (Kind.MULTILABEL, [["a"], ["a", "b"]], 0.5, 3.0, "1 of 2 say b"),
        (Kind.SCORE, [2.0, 7.0], 0.5, 1.0, "2 to 7"),
        (Kind.BOX, [[box(0)], []], 1.0, 1.0, "1, 0 drawn"),
        (Kind.BOX, [[box(0)], [box(2)]], 0.0, 1.0, "1, 1 drawn, not the same"),
        (Kind.BOX, [[box(0)], [box(0, "b")]], 1.0, 3.0, "1, 1 drawn, not the same"),
        (Kind.BOX, [[box(0)], [box(0, frame=1)]], 1.0, 1.0, "1, 1 drawn, not the same"),
        (Kind.BOX, [[box(0), box(50)], [box(0)]], 1 / 3, 1.0, "2, 1 drawn"),
        (Kind.INSTANCE, [[ring(0)], [ring(30)]], 1.0, 1.0, "1, 1 drawn, not the same"),
        (Kind.MASK, [mask((0, 50), (1, 50)), mask((0, 75), (1, 25))], 1 / 3, 1.0,
         "2 of 2 paint, 33 % of the paint is not shared"),
        (Kind.MASK, [mask((1, 100)), mask((2, 100))], 1.0, 3.0,
         "2 of 2 paint, 100 % of the paint is not shared"),
        (Kind.MASK, [mask((0, 100)), mask((0, 100))], 0.0, 1.0,
         "0 of 2 paint, 0 % of the paint is not shared"),
    ],
)  # fmt: skip
def test_share_weight_and_words(
    kind: Kind, values: Any, share: float, weight: float, words: str
) -> None:
    found = dispute(question(kind), values)
    assert found.share == pytest.approx(share)
    assert (found.weight, found.words) == (weight, words)


def test_who_cannot_read_it_differs_from_who_can() -> None:
    found = dispute(question(Kind.NOMINAL), ["a", None, None])
    assert found.share == pytest.approx(1 / 3)
    assert found.words == "2 cannot read it; 1 says a"
    assert dispute(question(Kind.NOMINAL), [None, None]).share == 0


def test_cases_that_readers_agree_on_or_one_read_are_left_out() -> None:
    who_said = [("x", "r", "a"), ("x", "s", "a"), ("y", "r", "a"), ("z", "r", "a"), ("z", "s", "b")]
    said = [*(Said(*one) for one in who_said), Said("z", "t", "a class that is gone")]
    found = disputes(question(Kind.NOMINAL), said)
    assert list(found) == ["z"]
    assert found["z"].words == "1 says a, 1 says b"

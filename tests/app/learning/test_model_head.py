"""What a model's numbers mean for a question, and what is refused before it sees an image."""

from __future__ import annotations

import numpy as np
import pytest

from overread.app.learning.model_answers import class_answer, frame_answer, together
from overread.app.learning.model_head import Head, check_told, head_of, listed, said_classes
from overread.errors import InputError
from overread.latents.encoder import Wanted
from overread.protocol import Protocol, read_protocol

TEXT = """title: T
questions:
  - {id: kind, prompt: K, kind: nominal, classes: [a, b, c]}
  - {id: sick, prompt: S, kind: nominal, classes: [no, "yes"]}
  - {id: grade, prompt: G, kind: ordinal, classes: ["0", "1", "2"]}
  - {id: signs, prompt: F, kind: multi-label, classes: [x, y, z]}
  - {id: lung, prompt: M, kind: mask, classes: [left, right]}
  - {id: spots, prompt: B, kind: box, classes: [spot, rim]}
  - {id: much, prompt: N, kind: score, low: 0, high: 9}
  - {id: rims, prompt: O, kind: instance, classes: [rim]}
"""


@pytest.fixture(scope="module")
def asked() -> Protocol:
    return read_protocol(TEXT)


@pytest.mark.parametrize(
    ("question", "gives", "classes", "form"),
    [
        ("kind", (3,), ["c", "a", "b"], "choice"), ("kind", (2,), ["c", "a"], "choice"),
        ("sick", (2,), ["yes", "no"], "choice"), ("sick", (1,), ["yes"], "yes-no"),
        ("sick", (), ["no"], "yes-no"), ("grade", (3,), ["0", "1", "2"], "choice"),
        ("signs", (3,), ["z", "y", "x"], "findings"), ("signs", (1,), ["y"], "findings"),
        ("lung", (3, 8, 9), ["right", "left"], "paint"),
        ("lung", (3, 8, 9), ["Background", "right", "left"], "paint"),
        ("lung", (2, 8, 9), ["right", "left"], "paint-apart"),
        ("lung", (1, 8, 9), ["left"], "paint-apart"), ("spots", (40, 6), ["rim"], "boxes"),
    ],
)  # fmt: skip
def test_a_model_fits_a_question(asked: Protocol, question, gives, classes, form) -> None:
    head = head_of(asked.question(question), gives, classes=classes, scores="logits")
    names = tuple(one for one in classes if one != "Background")
    assert (head.form, head.classes) == (form, names)
    assert head.scores == ("probabilities" if form == "boxes" else "logits")


@pytest.mark.parametrize(
    ("question", "gives", "classes", "told"),
    [
        ("kind", (3,), ["a", "b", "d", "e"], r"be of those of the question \(a, b, c\); got d, e"),
        ("kind", (3,), [], "classes of the model must be stated; got none. State them in the or"),
        ("kind", (3,), ["a", "b"], r"one score for each of its 2 classes \(a, b\); got 3"),
        ("kind", (2,), ["a", "b", "c"], "one score for each of its 3 classes"),
        ("kind", (1,), ["a"], "one score for each of 1 classes"),
        ("kind", (3,), ["a", "a", "b"], "differ from each other; got one twice"),
        ("sick", (1,), ["no", "yes"], "be one, as the model gives one score; got no, yes"),
        ("sick", (2, 8, 8), ["no", "yes"], r"give one score for each class an image; got shape"),
        ("signs", (4,), ["x", "y", "z"], "one score for each of its 3 classes"),
        ("signs", (), ["x", "y"], "one score for each of its 2 classes .* got 1"),
        ("lung", (4, 8, 8), ["left", "right"], "one map for each of its 2 classes"),
        ("lung", (3,), ["left", "right"], r"one map \(rows, columns\) for each class"),
        ("spots", (40, 5), ["spot", "rim"], "boxes of 6 numbers"),
        ("much", (1,), ["1"], "classes of the model"),
        ("rims", (2, 8, 8), ["rim"], "ask for classes, grades, findings, masks or boxes; got ins"),
    ],
)  # fmt: skip
def test_another_models_classes_are_refused(
    asked: Protocol, question, gives, classes, told
) -> None:
    with pytest.raises(InputError, match=told):
        head_of(asked.question(question), gives, classes=classes, scores="probabilities")


def test_scores_and_thresholds_are_stated(asked: Protocol) -> None:
    kind = asked.question("kind")
    with pytest.raises(InputError, match="scores must be probabilities or logits; got nothing"):
        head_of(kind, (3,), classes="abc", scores="")
    for threshold in (0, 1, -2, float("nan")):
        with pytest.raises(InputError, match="threshold must lie between 0 and 1"):
            head_of(kind, (3,), classes="abc", scores="logits", threshold=threshold)


def head(form, classes="abc", scores="logits", threshold=0.5) -> Head:
    return Head(form, tuple(classes), scores, threshold)


def test_numbers_that_are_not_what_was_stated_are_refused() -> None:
    choice = np.array([[0.2, 0.5, 0.3], [0.9, 0.05, 0.05]], np.float32)
    check_told(head("choice", scores="probabilities"), choice)
    check_told(head("findings", scores="probabilities"), np.full((2, 3), 0.9, np.float32))
    check_told(head("findings"), np.full((2, 3), 0.9, np.float32))
    check_told(head("choice"), choice * 9)
    for stated, told, words in (
        (head("choice"), choice, "be logits, as stated; got probabilities"),
        (head("paint"), choice[..., None, None], "be logits, as stated"),
        (head("choice", scores="probabilities"), choice * 9, r"0 to 1; got 0 to 8\.1"),
        (head("choice", scores="probabilities"), choice / 2, "sum to 1 over the classes; got 0.5"),
        (head("yes-no", "a", "probabilities"), np.array([[-1.5]]), "0 to 1; got -1.5 to 0"),
        (head("boxes", "a", "probabilities"), np.full((1, 2, 6), 3.0), "0 to 1; got 0 to 3"),
    ):
        with pytest.raises(InputError, match=words):
            check_told(stated, told)


def test_classes_are_answered_with_their_probability(asked: Protocol) -> None:
    def said(question: str, one: Head, told: list[float]) -> tuple[object, float]:
        value, sure = class_answer(one, asked.question(question), np.array(told, np.float32))
        return value, round(sure, 4)

    softmax = round(float(np.exp(2) / (np.exp(2) + np.exp(1) + 1)), 4)
    assert said("kind", head("choice", "cab"), [1, 2, 0]) == ("a", softmax)
    assert said("kind", head("choice", "cab"), [9e4, 0, -9e4]) == ("c", 1.0)
    sure = head("choice", "cab", "probabilities")
    assert said("kind", sure, [0.2, 0.1, 0.7]) == ("b", 0.7)
    yes = head("yes-no", ["yes"], "probabilities", 0.3)
    assert said("sick", yes, [0.35]) == ("yes", 0.35)
    assert said("sick", yes, [0.25]) == ("no", 0.75)
    assert said("sick", head("yes-no", ["no"]), [-9e4]) == ("yes", 1.0)
    found = head("findings", "zyx", "probabilities", 0.4)
    assert said("signs", found, [0.9, 0.05, 0.45]) == (["x", "z"], 0.45)
    assert said("signs", found, [0.3, 0.05, 0.1]) == ([], 0.7)
    assert said("signs", head("findings", "y"), [3]) == (["y"], round(1 / (1 + np.exp(-3)), 4))


def painted(value: list[dict]) -> np.ndarray:
    (one,) = value
    runs = np.array(one["runs"])
    return np.repeat(runs[:, 0], runs[:, 1]).reshape(one["rows"], one["columns"])


def test_maps_become_masks_of_the_image(asked: Protocol) -> None:
    lung, wanted = asked.question("lung"), Wanted(2, 3, 1)
    told = np.full((3, 2, 3), -5.0)
    told[0] = 0
    told[1, 0, 0] = told[2, 1, 2] = 6  # right at the top left, left at the bottom right
    one = head("paint", ["right", "left"])
    given = {"size": (4, 6), "frame": 7, "wanted": wanted}
    value, sure = frame_answer(one, lung, told.astype(np.float32), **given)
    made = np.zeros((4, 6), int)
    made[:2, :2], made[2:, 4:] = 2, 1
    np.testing.assert_array_equal(painted(value), made)
    assert value[0]["frame"] == 7
    assert sure == pytest.approx(1 / (1 + np.exp(-6) + np.exp(-11)), abs=1e-6)
    told[1:] = -5
    value, sure = frame_answer(one, lung, told.astype(np.float32), **given)
    assert value == []
    assert sure == pytest.approx(1 / (1 + 2 * np.exp(-5)), abs=1e-6)
    apart = head("paint-apart", ["right", "left"], "probabilities", 0.6)
    maps = np.zeros((2, 2, 3), np.float32)
    maps[0, 0], maps[1, 0] = 0.65, [0.7, 0.6, 0.1]
    value, sure = frame_answer(apart, lung, maps, **given)
    np.testing.assert_array_equal(painted(value)[0], [1, 1, 2, 2, 2, 2])
    assert not painted(value)[2:].any()
    assert sure == pytest.approx((0.7 + 0.65 + 0.65) / 3, abs=1e-6)
    value, sure = frame_answer(apart, lung, maps / 2, **given)
    assert value == []
    assert sure == pytest.approx(1 - maps.max(axis=0).mean() / 2, abs=1e-6)
    two = together([(["a"], 0.9), ([], 0.1), (["b"], 0.6)])
    assert two == (["a", "b"], 0.6)
    assert together([([], 0.7), ([], 0.4)]) == ([], 0.4)


def test_boxes_are_stretched_back_and_cut_at_the_edge(asked: Protocol) -> None:
    spots = asked.question("spots")
    given = {"size": (40, 60), "frame": 2, "wanted": Wanted(20, 20, 1)}
    one = head("boxes", ["rim", "spot"], "probabilities")
    rows = np.array(
        [[2, 3, 8, 9, 0.6, 1], [-4, 0, 30, 10, 0.9, 0], [1, 1, 5, 5, 0.4, 7], [3, 3, 3, 9, 0.8, 1],
         [0, 0, 0, 0, 0, 0]], np.float32,
    )  # fmt: skip
    value, sure = frame_answer(one, spots, rows, **given)
    first = {"id": "spots-2-1", "class": "rim", "frame": 2, "x1": 0, "y1": 0, "x2": 60, "y2": 20}
    second = {"id": "spots-2-2", "class": "spot", "frame": 2, "x1": 6, "y1": 6, "x2": 24, "y2": 18}
    assert value == [first, second]
    assert sure == pytest.approx(0.6)
    value, sure = frame_answer(one, spots, rows[2:3], **given)
    assert (value, round(sure, 4)) == ([], 0.6)
    for number in (2, 0.5, -1):
        rows[0, 5] = number
        with pytest.raises(InputError, match="class of a box must be 0 to 1"):
            frame_answer(one, spots, rows, **given)


def test_classes_are_read_as_files_say_them() -> None:
    assert listed("a, b ,c") == ("a", "b", "c")
    assert listed('["with, comma", "b"]') == ("with, comma", "b")
    assert said_classes({"names": "{10: 'z', 0: 'a', 2: 'b'}"}) == ("a", "b", "z")
    assert said_classes({"labels": '{"0": "no", "1": "yes"}'}) == ("no", "yes")
    assert said_classes({"classes": "['a', 'b']", "names": "c"}) == ("a", "b")
    for text in ("", "  ", "{", "[open(1)]", "{'a': 'b'}", "[" * 5_000, "{1}"):
        assert said_classes({"names": text}) == ()

"""An ONNX model that a lead brings to a question: tried, kept, run on the unread cases."""

from __future__ import annotations

import gzip
import hashlib
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from overread.app.learning import bring_model as bringing
from overread.app.learning import pre_label_model as running
from overread.app.learning.bring_model import Stated, bring_model, retire_model, stated_of
from overread.app.learning.pre_label_model import KEPT, LOOKED, Ran, run_model
from overread.errors import InputError, MethodError
from overread.latents.onnx_apart import Apart, opened_apart
from overread.store import (
    NewCase,
    Store,
    add_cases,
    add_protocol_version,
    get_case,
    plan_tasks,
    read_events,
    rebuild,
    state_digests,
)
from overread.store.errors import NotFoundError
from overread.store.learning.pre_label_models import list_models
from overread.store.learning.pre_labels import Proposal, pre_labels_of
from overread.store.learning.pre_labels_withdrawn import withdraw_pre_labels
from tests.app.learning.conftest import opened
from tests.app.learning.models import boxer, fragile, painter, textures
from tests.app.learning.study import NAMES, WINDOW, Study, new_study, protocol
from tests.latents.test_onnx_apart import looping

SAID = {"scores": "logits", "scale": "unit", "classes": NAMES}
DRAWN = """title: Drawn
questions:
  - {id: bright, prompt: B, kind: mask, classes: [light]}
  - {id: spots, prompt: S, kind: box, classes: [spot, rim]}
  - {id: what, prompt: W, kind: multi-label, classes: [flat, along, across]}
"""


def bring(study: Study, path: Path, question: str = "what", **more: Any) -> Any:
    stated = Stated(question, **({"name": "Net"} | SAID | more))
    return bring_model(study.store, study.blobs, study.project, path, stated, by=study.lead)


def run(study: Study, model: str, tick: Any = lambda _what, _more: None) -> Ran:
    return run_model(study.store, study.blobs, study.project, model, by=study.lead, tick=tick)


def proposed(study: Study) -> dict[str, Proposal]:
    found = pre_labels_of(study.store, list(study.truth))
    return {case: of[-1] for case, of in found.items()}


def stack(study: Study, frames: list[np.ndarray]) -> str:
    """A case of several frames."""
    image = {
        "rows": frames[0].shape[0], "columns": frames[0].shape[1], "frames": len(frames),
        "samples": 1, "dtype": "uint8", "modality": "CT", "windows": [WINDOW],
    }  # fmt: skip
    content = hashlib.sha256(b"".join(one.tobytes() for one in frames)).hexdigest()
    blobs = [study.blobs.put(gzip.compress(one.tobytes())) for one in frames]
    new = NewCase(content, blobs, image)
    ((case, _),) = add_cases(study.store, study.project, [new], study.lead)
    study.truth[case] = 0
    return case


@pytest.fixture
def small(store: Store, tmp_path: Path) -> Study:
    return new_study(store, tmp_path, cases=9)


@pytest.fixture
def drawn(store: Store, tmp_path: Path) -> Study:
    return new_study(store, tmp_path, DRAWN, cases=0)


def test_it_proposes_for_unread_cases_and_goes_on_with_new_ones(
    small: Study, tmp_path: Path
) -> None:
    plan_tasks(small.store, small.project, small.lead, reads_per_case=1)
    (read,) = small.read()
    row = bring(small, textures(tmp_path / "m"))
    about = {key: row.about[key] for key in ("name", "form", "scores", "scale", "rows", "channels")}
    assert about == {
        "name": "Net", "form": "choice", "scores": "logits", "scale": "unit", "rows": 48,
        "channels": 1,
    }  # fmt: skip
    assert row.about["classes"] == list(NAMES)
    counts: dict[str, int] = {}

    def tick(what: str, more: int) -> None:
        counts[what] = counts.get(what, 0) + more

    assert run(small, row.id, tick) == Ran(8, 0, 0)
    assert counts == {LOOKED: 8, KEPT: 8}
    found = proposed(small)
    assert set(found) == set(small.truth) - {read}
    for case, one in found.items():
        assert one.value == NAMES[small.truth[case]]
        assert one.model, one.version == ("Net", row.about["version"])
        assert one.confidence is not None
        assert 1 / 3 < one.confidence < 1
    with pytest.raises(MethodError, match="has a pre-label of this model already"):
        run(small, row.id)
    (new,) = small.bring([1])
    assert run(small, row.id) == Ran(1, 0, 0)
    assert proposed(small)[new].value == "across"
    assert {case: one.event for case, one in proposed(small).items() if case != new} == {
        case: one.event for case, one in found.items()
    }
    # what was withdrawn is proposed again when it is asked again
    withdraw_pre_labels(
        small.store, small.project, question="what", model="Net", version=row.about["version"],
        by=small.lead,
    )  # fmt: skip
    assert run(small, row.id) == Ran(9, 0, 0)


def test_what_is_stated_decides_and_the_same_again_changes_nothing(
    small: Study, tmp_path: Path
) -> None:
    path = textures(tmp_path / "m", end="softmax", says={"classes": str(list(NAMES))})
    first = bring(small, path, classes=(), scores="probabilities")
    assert first.about["classes"] == list(NAMES)  # as the file says
    assert bring(small, path, classes=(), scores="probabilities") == first
    run(small, first.id)
    turned = bring(small, path, classes=NAMES[::-1], scores="probabilities")
    assert turned.id == first.id
    assert turned.about["version"] != first.about["version"]
    assert list_models(small.store, small.project) == [turned]
    assert run(small, turned.id).cases == 9
    other = {"along": "flat", "across": "across", "flat": "along"}
    for case, one in proposed(small).items():
        assert one.value == other[NAMES[small.truth[case]]]
    named = bring(small, path, scores="probabilities", version="2.1")
    assert named.about["version"] == "2.1"
    assert run(small, named.id).cases == 9  # brought anew: it looks at all again
    second = textures(tmp_path / "other", end="softmax", name="other.onnx", shape=("n", 1, 40, 40))
    with pytest.raises(InputError, match="name and version must be its own"):
        bring(small, second, scores="probabilities", version="2.1")
    another = bring(small, second, scores="probabilities", version="2.2")
    assert [one.id for one in list_models(small.store, small.project)] == [named.id, another.id]
    retire_model(small.store, small.project, named.id, by=small.lead)
    with pytest.raises(NotFoundError):
        run(small, named.id)
    assert len(proposed(small)) == 9  # what it proposed stands


def test_a_wrong_scale_is_another_model_and_tells_less(small: Study, tmp_path: Path) -> None:
    path = textures(tmp_path / "m")
    row = bring(small, path, scale="brightness")
    run(small, row.id)
    # 255 times the contrast: noise is stripes to it
    assert "flat" not in {one.value for one in proposed(small).values()}


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"question": "how"}, "question must be one of what; got how"),
        ({"classes": ("along", "across", "round")}, r"be of those of the question.*got round"),
        ({"classes": ("along", "across")}, "one score for each of its 2 classes"),
        ({"classes": ()}, "must be stated; got none"),
        ({"scores": ""}, "scores must be probabilities or logits; got nothing"),
        ({"scores": "probabilities"}, "be probabilities, 0 to 1; got"),
        ({"scale": "wide"}, "scale must be one of"),
        ({"name": " \n"}, "name of the model must"),
        ({"name": "x" * 61}, "name of the model must"),
        ({"threshold": 1.0}, "threshold must lie between"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_kept(
    small: Study, tmp_path: Path, more: dict[str, Any], told: str
) -> None:
    before = state_digests(small.store)
    with pytest.raises(InputError, match=told):
        bring(small, textures(tmp_path / "m"), **more)
    assert state_digests(small.store) == before


def test_files_that_are_no_model_are_refused(
    small: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = tmp_path / "text.onnx"
    text.write_text("no graph")
    with pytest.raises(InputError, match="sound ONNX graph"):
        bring(small, text)
    with pytest.raises(InputError, match=r"be an \.onnx file; got nothing"):
        bring(small, tmp_path / "none.onnx")
    nan = fragile(tmp_path / "nan", until=0.01)
    with pytest.raises(InputError, match="finite numbers; got nan"):
        bring(small, nan, classes=NAMES[:2])
    with pytest.raises(InputError, match="images of 1 or 3 channels"):
        bring(small, textures(tmp_path / "four", shape=("n", 4, 8, 8)))
    with pytest.raises(InputError, match=r"run on images of \(8, 8, 3\)"):
        bring(small, textures(tmp_path / "three", shape=("n", 3, 8, 8)))
    monkeypatch.setattr(bringing, "MOST_BYTES", 100)
    with pytest.raises(InputError, match="have at most"):
        bring(small, textures(tmp_path / "m"))
    assert list_models(small.store, small.project) == []


def test_there_are_no_more_than_a_project_may_have(
    small: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bringing, "MOST", 1)
    row = bring(small, textures(tmp_path / "m"))
    with pytest.raises(InputError, match="models must be 1 at most a project"):
        bring(small, textures(tmp_path / "m", end="softmax", name="b.onnx"))
    assert bring(small, textures(tmp_path / "m"), name="Renamed").id == row.id


def test_one_score_is_of_one_of_two_classes(store: Store, tmp_path: Path) -> None:
    text = protocol().replace("[along, across, flat]", "[plain, striped]")
    study = new_study(store, tmp_path, text.replace("learning:", "# "), cases=6)
    path = textures(tmp_path / "m", end="sigmoid", classes=[2])
    with pytest.raises(InputError, match="be one, as the model gives one score"):
        bring(study, path, classes=("plain", "striped"), scores="probabilities")
    row = bring(study, path, classes=("plain",), scores="probabilities", threshold=0.5)
    run(study, row.id)
    # a logit of 0 is one half, which counts
    assert {(one.value, one.confidence) for one in proposed(study).values()} == {("plain", 0.5)}
    higher = bring(study, path, classes=("plain",), scores="probabilities", threshold=0.6)
    run(study, higher.id)
    assert {(one.value, one.confidence) for one in proposed(study).values()} == {("striped", 0.5)}


def test_findings_are_those_above_the_threshold(drawn: Study, tmp_path: Path) -> None:
    drawn.bring([0, 1, 2])
    path = textures(tmp_path / "m", classes=[0, 1])
    row = bring(drawn, path, classes=("along", "across"), threshold=0.5)
    assert (row.about["form"], run(drawn, row.id)) == ("findings", Ran(3, 0, 0))
    wanted = {0: ["along"], 1: ["across"], 2: []}
    for case, one in proposed(drawn).items():
        assert one.value == wanted[drawn.truth[case]]


def test_of_several_frames_the_middle_one_is_judged_and_all_are_drawn_on(
    drawn: Study, tmp_path: Path
) -> None:
    stripes = np.where(np.arange(80) // 5 % 2, 220, 30).astype(np.uint8)
    across, along = np.tile(stripes[:60], (80, 1)), np.tile(stripes[:, None], (1, 60))
    case = stack(drawn, [across, along])
    row = bring(drawn, textures(tmp_path / "m", classes=[0, 1]), classes=("along", "across"))
    run(drawn, row.id)
    assert proposed(drawn)[case].value == ["along"]  # the second of two
    light = np.zeros((40, 60), np.uint8)
    light[4:20, 6:30] = 255
    three = stack(drawn, [light, np.zeros_like(light), light[::-1].copy()])
    small = painter(tmp_path / "p", shape=("n", 1, 20, 20))
    mask = bring(drawn, small, "bright", classes=("light",))
    assert mask.about["form"] == "paint"
    run(drawn, mask.id)
    found = proposed(drawn)[three]
    assert [one["frame"] for one in found.value] == [0, 2]
    for one, shown in zip(found.value, (light, light[::-1]), strict=True):
        runs = np.array(one["runs"])
        made = np.repeat(runs[:, 0], runs[:, 1]).reshape(one["rows"], one["columns"])
        np.testing.assert_array_equal(made, shown > 0)  # 2 x 3 pixels of it are one of the model's
    assert found.confidence == pytest.approx(1 / (1 + np.exp(-10)), abs=1e-3)
    apart = painter(tmp_path / "q", apart=True, shape=(1, 1, "r", "c"))
    sides = bring(drawn, apart, "bright", classes=("light",), side=20, name="Apart")
    assert (sides.about["form"], sides.about["rows"]) == ("paint-apart", 20)
    run(drawn, sides.id)
    assert proposed(drawn)[three].value == found.value
    boxes = boxer(
        tmp_path / "b", [[2, 5, 10, 15, 2, 1], [0, 0, 4, 4, 0.2, 0]], shape=("n", 1, 20, 20)
    )
    with pytest.raises(InputError, match="classes of the model must be stated"):
        bring(drawn, boxes, "spots", classes=(), scores="")
    row = bring(drawn, boxes, "spots", classes=("rim", "spot"), scores="", threshold=0.25)
    run(drawn, row.id)
    found = proposed(drawn)[three]
    # a dark frame has none: scores go with brightness
    assert [(one["class"], one["frame"], one["x1"], one["y2"]) for one in found.value] == [
        ("spot", 0, 6.0, 30.0), ("spot", 2, 6.0, 30.0),
    ]  # fmt: skip
    assert found.confidence == pytest.approx(2 * (light > 0).mean(), abs=0.01)


def test_a_case_without_numbers_or_image_gets_none_and_is_counted(
    small: Study, tmp_path: Path
) -> None:
    row = bring(small, fragile(tmp_path / "m"), classes=NAMES[:2], scores="logits")
    (bright,) = small.bring([0], pixels=np.full((48, 48), 250, np.uint8))
    gone = stack(small, [np.full((48, 48), 7, np.uint8)])
    blob = get_case(small.store, gone).frames[0]
    (Path(small.blobs.root) / blob[:2] / blob[2:]).unlink()
    assert run(small, row.id) == Ran(9, odd=1, gone=1)
    assert set(small.truth) - set(proposed(small)) == {bright, gone}


def test_a_fault_on_the_way_keeps_what_was_found_and_it_goes_on(
    small: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = bring(small, textures(tmp_path / "m"))
    monkeypatch.setattr(running, "TOGETHER", 2)
    asked = 0
    whole = Apart.encode

    def encode(apart: Apart, images: Any) -> Any:
        nonlocal asked
        asked += 1
        if asked == 3:
            apart._process._child.kill()
        return whole(apart, images)

    monkeypatch.setattr(Apart, "encode", encode)
    with pytest.raises(InputError, match=r"take 2 images within 60 s .* a process that ended"):
        run(small, row.id)
    assert len(proposed(small)) == 4
    assert run(small, row.id) == Ran(5, 0, 0)
    assert len(proposed(small)) == 9


def test_it_is_told_when_the_file_is_gone_or_the_question_has_changed(
    small: Study, tmp_path: Path
) -> None:
    row = bring(small, textures(tmp_path / "m"))
    place = Path(small.blobs.root) / row.file[:2] / row.file[2:]
    kept = place.read_bytes()
    place.unlink()
    with pytest.raises(MethodError, match="its file is gone"):
        run(small, row.id)
    bring(small, textures(tmp_path / "m"))
    assert place.read_bytes() == kept  # mended
    text = protocol().replace("[along, across, flat]", "[along, flat]")
    add_protocol_version(small.store, small.project, text, small.lead, base_version=1)
    with pytest.raises(InputError, match=r"got across\. The question has changed since"):
        run(small, row.id)


def test_models_follow_from_the_log(small: Study, tmp_path: Path) -> None:
    row = bring(small, textures(tmp_path / "m"))
    run(small, row.id)
    (tmp_path / "again").mkdir()
    other = opened(tmp_path / "again")
    rebuild(read_events(small.store), other)
    assert state_digests(other) == state_digests(small.store)
    assert list_models(other, small.project) == [row]
    other.close()


def test_what_a_form_says_is_read() -> None:
    given = {"question": "q", "model": " ", "classes": "a, b", "side": " 300 ", "threshold": "0,4"}
    stated = stated_of(given, name="file")
    assert stated == Stated("q", "file", classes=("a", "b"), side=300, threshold=0.4)
    for field, value in (("side", "-3"), ("side", "9999"), ("side", "1.5"), ("threshold", "half")):
        with pytest.raises(InputError, match=f"{field}.* must be"):
            stated_of(given | {field: value}, name="file")


@pytest.mark.parametrize(
    ("wide", "bounds", "told"),
    [
        (0, {"seconds": 2}, r"take 1 image within 2 s .* got more time"),
        (2_000, {"megabytes": 600}, r"take 1 image within 60 s and 600 MB"),
    ],
)
def test_one_that_hangs_or_eats_memory_at_work_is_ended(  # noqa: PLR0917 - a table
    small: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wide: int,
    bounds: dict[str, Any], told: str,
) -> None:  # fmt: skip
    """Harmless in its trial; a white image makes it go on for good."""
    row = bring(small, looping(tmp_path, wide=wide))
    (white,) = small.bring([0], pixels=np.full((48, 48), 255, np.uint8))
    monkeypatch.setattr(running, "opened_apart", partial(opened_apart, **bounds))
    monkeypatch.setattr(running, "TOGETHER", 1)
    with pytest.raises(InputError, match=told):
        run(small, row.id)
    assert set(small.truth) - set(proposed(small)) == {white}  # what came before it stays
    with pytest.raises(InputError, match=told):
        run(small, row.id)


def test_it_sees_what_readers_see(drawn: Study, tmp_path: Path) -> None:
    """Brightness under the default window, inverted where the image is; grey of colours."""
    deep = np.full((40, 60), 1_000, np.int16)
    deep[10:20, 10:40] = 1_200  # above the middle of the window
    colour = np.zeros((40, 60, 3), np.uint8)
    colour[10:20, 10:40] = 255
    more = {
        "slope": 2.0,
        "intercept": -100.0,
        "windows": [WINDOW | {"center": 2_100, "width": 400}],
    }
    lit = {
        case_of(drawn, deep, dtype="int16", **more): False,
        case_of(drawn, deep, dtype="int16", invert=True, **more): True,
        case_of(drawn, colour, samples=3, windows=[]): False,
    }
    size = {"shape": ("n", 1, 40, 60)}
    row = bring(drawn, painter(tmp_path / "p", **size), "bright", classes=("light",))
    assert run(drawn, row.id) == Ran(3, 0, 0)
    for case, inverted in lit.items():
        (one,) = proposed(drawn)[case].value
        runs = np.array(one["runs"])
        made = np.repeat(runs[:, 0], runs[:, 1]).reshape(40, 60)
        np.testing.assert_array_equal(made == 1, (deep == 1_200) != inverted)


def case_of(study: Study, pixels: np.ndarray, **more: Any) -> str:
    """A case of one frame. Args: more: of its image."""
    image = {
        "rows": pixels.shape[0], "columns": pixels.shape[1], "frames": 1, "samples": 1,
        "dtype": "uint8", "modality": "CT",
    }  # fmt: skip
    salt = repr(sorted(more.items())).encode()
    content = hashlib.sha256(pixels.tobytes() + salt).hexdigest()
    blob = study.blobs.put(gzip.compress(pixels.tobytes()))
    new = NewCase(content, [blob], image | more)
    ((case, _),) = add_cases(study.store, study.project, [new], study.lead)
    study.truth[case] = 0
    return case


def test_a_slow_model_keeps_what_it_found_every_some_seconds(
    small: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = bring(small, textures(tmp_path / "m"))
    monkeypatch.setattr(running, "_KEPT_SECONDS", 0.0)
    counts: list[int] = []
    run(small, row.id, lambda what, more: counts.append(more) if what == KEPT else None)
    assert counts == [1] * 9  # a stop, which kills it, would have lost one at most

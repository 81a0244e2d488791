"""An ONNX file that a lead brings to a project: an encoder like the others from then on."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from overread.app.learning import bring_encoder as bringing
from overread.app.learning import case_latents, encoder_choice
from overread.app.learning import project_encoder as encoders
from overread.app.learning.bring_encoder import MOST, bring_encoder, retire
from overread.app.learning.case_latents import (
    _embed_part,
    chain_in_use,
    embed,
    latents_of,
    parts_of,
)
from overread.app.learning.encoder_board import encoder_board
from overread.app.learning.encoder_choice import choose_for_project
from overread.app.learning.project_encoder import PRETRAINED, QUICK, brought_part, file_of
from overread.errors import InputError, MethodError
from overread.latents.onnx_apart import opened_apart
from overread.store import Store, plan_tasks, read_events, rebuild, state_digests
from overread.store.errors import NotFoundError
from overread.store.learning.encoders import keep_choice, kept_encoders, last_choice, list_trained
from tests.app.learning.conftest import opened
from tests.app.learning.study import Study, new_study, protocol
from tests.app.learning.test_encoder_choice import bring_by_lot, give
from tests.latents.test_onnx_apart import looping
from tests.latents.test_onnx_encoder import written

SOBEL = np.array([[1, 2, 1], [0, 0, 0], [-1, -2, -1]], np.float32)


def silent(_what: str, _more: int) -> None:
    return


def edges(folder: Path, name: str = "edges.onnx") -> Path:
    """How much an image changes downwards and sideways: what tells stripes apart."""
    weight = np.stack([SOBEL, SOBEL.T])[:, None] / 8
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], kernel_shape=[3, 3]),
        helper.make_node("Abs", ["c"], ["a"]),
        helper.make_node("ReduceMean", ["a"], ["y"], axes=[2, 3], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes, "edges", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1, 48, 48])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])],
        [numpy_helper.from_array(weight, "w")],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = folder / name
    onnx.save(model, path)
    return path


def grey(folder: Path, name: str) -> Path:
    """How light an image is, in colours."""
    (folder / name).mkdir()
    return written(folder / name, ["n", 3, 8, 8])


def bring(study: Study, path: Path, name: str = "Edges", scale: str = "unit") -> str:
    return bring_encoder(
        study.store, study.blobs, study.project, path, name=name, scale=scale, by=study.lead
    )


@pytest.fixture
def labelled(store: Store, tmp_path: Path) -> Study:
    """All cases read; quick latents of noise are in use."""
    study = new_study(store, tmp_path, protocol(settings="held_back: 0.1"), cases=0)
    bring_by_lot(study, shown=44, hidden=14, apart=6)
    plan_tasks(store, study.project, study.lead, reads_per_case=1)
    give(study, QUICK, signal=0.0)
    study.read(count=50)
    study.read(count=14)
    keep_choice(store, study.project, [QUICK], before=[], scores=[], labels=0, reason="the first")
    return study


def test_it_is_used_once_it_wins_on_labels_held_back(labelled: Study, tmp_path: Path) -> None:
    store, project = labelled.store, labelled.project
    dull = bring(labelled, grey(tmp_path, "dull"), "Dull", "")
    give(labelled, dull, signal=0.0)
    assert choose_for_project(store, project).chain == (QUICK,)
    good = bring(labelled, edges(tmp_path))
    assert chain_in_use(store, project) == (QUICK,)
    _embed_part(store, labelled.blobs, project, good, silent)
    chosen = choose_for_project(store, project)
    assert chosen.chain == (QUICK, good)
    best = min(chosen.scores, key=lambda one: one["loss"])
    assert best["accuracy"] > 0.9
    assert {QUICK, dull, good} == {part for one in chosen.scores for part in one["chain"]}
    board = encoder_board(store, labelled.blobs, project)
    assert board.used == "quick + Edges"
    assert {one.words for one in board.lines} >= {"quick", "quick + Dull", "quick + Dull + Edges"}
    used = {one.name: one.used for one in board.brought}
    assert used == {"Dull": False, "Edges": True}
    # another store made from the log alone, as after a move: the same chain
    (tmp_path / "again").mkdir()
    again = opened(tmp_path / "again")
    rebuild(read_events(store), again)
    assert chain_in_use(again, project) == (QUICK, good)
    assert state_digests(again) == state_digests(store)
    again.close()


def test_in_use_it_encodes_what_comes_after_a_restart(study: Study, tmp_path: Path) -> None:
    store, project = study.store, study.project
    part = bring(study, edges(tmp_path))
    assert part == brought_part(file_of(part), "unit")
    assert parts_of(store, project) == (QUICK, PRETRAINED, part)
    keep_choice(store, project, [QUICK, part], before=[], scores=[], labels=0, reason="tried")
    study.embed()
    before = latents_of(store, project)
    assert before is not None
    assert before.widths == ((QUICK, before.widths[0][1]), (part, 2))
    store.close()
    study.store = opened(tmp_path)  # another process on the same files
    study.bring([0, 1])
    study.embed()
    after = latents_of(study.store, project)
    assert after is not None
    assert (after.version, len(after.cases)) == (before.version, len(before.cases) + 2)
    # along changes downwards, across sideways: the two that came are told apart as all others
    new = after.values[-2:, -2:]
    old = after.values[:-2, -2:]
    truth = np.array([study.truth[case] for case in after.cases[:-2]])
    for row, kind in zip(new, (0, 1), strict=True):
        assert np.linalg.norm(old[truth == kind].mean(0) - row) < np.linalg.norm(
            old[truth == 1 - kind].mean(0) - row
        )
    study.store.close()


def test_a_file_that_vanished_is_told_and_can_be_brought_again(
    study: Study, tmp_path: Path
) -> None:
    store, project = study.store, study.project
    path = edges(tmp_path)
    part = bring(study, path)
    study.embed()
    place = Path(study.blobs.root) / file_of(part)[:2] / file_of(part)[2:]
    place.unlink()
    # it is not in use: nothing stops for it, and it is not compared while it can encode no more
    study.bring([2])
    assert study.embed() == 1
    assert {one.part for one in kept_encoders(store, project)} == {QUICK, PRETRAINED}
    (line,) = encoder_board(store, study.blobs, project).brought
    assert (line.gone, line.ready, line.used) == (True, False, False)
    bring(study, path)
    study.embed()
    keep_choice(store, project, [QUICK, part], before=[], scores=[], labels=0, reason="tried")
    place.unlink()
    study.bring([1])
    with pytest.raises(MethodError, match=r"encoder in use is gone .* bring the same file again"):
        study.embed()
    served = latents_of(store, project)
    assert served is not None
    assert (len(served.cases), len(served.waiting)) == (49, 1)
    assert dict(served.widths)[part] == 2
    assert encoder_board(store, study.blobs, project).lost == ("Edges",)
    bring(study, path)
    assert study.embed() == 1
    mended = latents_of(store, project)
    assert mended is not None
    assert (mended.version, len(mended.cases), mended.waiting) == (served.version, 50, ())
    assert encoder_board(store, study.blobs, project).lost == ()


def test_one_that_is_removed_leaves_the_chain_too(study: Study, tmp_path: Path) -> None:
    store, project = study.store, study.project
    part = bring(study, edges(tmp_path))
    other = bring(study, grey(tmp_path, "other"), "Other")
    study.embed()
    chain = [QUICK, PRETRAINED, part]
    keep_choice(store, project, chain, before=[], scores=[], labels=0, reason="tried")
    kinds = {one.about["name"]: one.kind for one in list_trained(store, project)}
    assert retire(store, project, kinds["Other"], by=study.lead) is False
    assert chain_in_use(store, project) == tuple(chain)
    assert retire(store, project, kinds["Edges"], by=study.lead) is True
    assert chain_in_use(store, project) == (QUICK, PRETRAINED)
    chosen = last_choice(store, project)
    assert chosen is not None
    assert (chosen.before, chosen.reason) == (tuple(chain), "Edges was removed.")
    assert encoder_board(store, study.blobs, project).brought == ()
    assert encoder_board(store, study.blobs, project).reason == "Edges was removed."
    study.embed()
    assert {one.part for one in kept_encoders(store, project)} == {QUICK, PRETRAINED}
    assert study.blobs.has(file_of(part))  # the log names it
    assert study.blobs.has(file_of(other))
    with pytest.raises(NotFoundError):
        retire(store, project, kinds["Edges"], by=study.lead)
    told = [one.action for one in read_events(store) if one.action.startswith("encoder_")]
    assert told == [
        "encoder_brought", "encoder_brought", "encoder_chosen", "encoder_retired",
        "encoder_retired", "encoder_chosen",
    ]  # fmt: skip


def test_removing_it_ends_what_encodes_with_it(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, project = study.store, study.project
    monkeypatch.setattr(case_latents, "_PAGE", 16)
    part, seen = bring(study, edges(tmp_path)), 0
    (row,) = list_trained(store, project)

    def tick(_what: str, more: int) -> None:
        nonlocal seen
        seen += more
        (line,) = encoder_board(store, study.blobs, project).brought
        assert (line.ready, line.encoded) == (False, 16)
        retire(store, project, row.kind, by=study.lead)

    embed(store, study.blobs, project, tick)
    assert seen == 16
    assert part not in {one.part for one in kept_encoders(store, project)}


def test_one_that_is_removed_while_it_wins_is_not_taken_over(
    labelled: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, project = labelled.store, labelled.project
    good = bring(labelled, edges(tmp_path))
    _embed_part(store, labelled.blobs, project, good, silent)
    (row,) = list_trained(store, project)
    compared = encoder_choice._compared

    def slowly(*given: Any) -> Any:
        found = compared(*given)
        assert good in found.chain
        retire(store, project, row.kind, by=labelled.lead)
        return found

    monkeypatch.setattr(encoder_choice, "_compared", slowly)
    with pytest.raises(MethodError, match="removed while they were compared; compare again"):
        choose_for_project(store, project)
    assert chain_in_use(store, project) == (QUICK,)


def test_what_is_refused_and_what_replaces(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, project = study.store, study.project
    path = edges(tmp_path)
    text = tmp_path / "text.onnx"
    text.write_text("no graph")
    oblong = tmp_path / "oblong"
    oblong.mkdir()
    for file, name, scale, words in (
        (path, "  ", "unit", "name of the encoder must not be empty"),
        (path, "x" * 61, "unit", "at most 60 characters"),
        (path, "Edges", "wide", "scale must be one of brightness, unit"),
        (tmp_path / "none.onnx", "Edges", "unit", "be an .onnx file; got nothing"),
        (text, "Edges", "unit", "sound ONNX graph"),
        (written(oblong, ["n", 3, 8, 16]), "Edges", "unit", "square images; got 8 x 16"),
    ):
        with pytest.raises(InputError, match=words):
            bring(study, file, name, scale)
    monkeypatch.setattr(bringing, "MOST_BYTES", 100)
    with pytest.raises(InputError, match="encoder must have at most"):
        bring(study, path)
    monkeypatch.undo()
    assert list_trained(store, project) == []
    first = bring(study, path, scale="unit")
    again = bring(study, path, "Edges, as they are", "brightness")
    assert again == brought_part(file_of(first), "brightness")
    (row,) = list_trained(store, project)
    assert (row.about["name"], row.about["latents"]) == ("Edges, as they are", 2)
    assert parts_of(store, project) == (QUICK, PRETRAINED, again)
    with pytest.raises(InputError, match="be its own; got one that another has"):
        bring(study, grey(tmp_path, "more"), "edges, AS they are")
    for at in range(MOST - 1):
        value = numpy_helper.from_array(np.array([at], np.float32), "unused")
        model = onnx.load(path)
        model.graph.initializer.append(value)
        onnx.save(model, tmp_path / "more.onnx")
        bring(study, tmp_path / "more.onnx", f"Number {at}")
    with pytest.raises(InputError, match="be 4 at most a project"):
        bring(study, grey(tmp_path, "one more"), "Fifth")
    assert len(encoder_board(store, study.blobs, project).brought) == MOST
    assert embed(store, study.blobs, project, silent) == 48


def test_at_work_its_memory_is_bounded_as_in_its_trial(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks for more than there is as soon as it sees a white image."""
    store, project = study.store, study.project
    monkeypatch.setattr(encoders, "opened_apart", partial(opened_apart, megabytes=600))
    part = bring(study, looping(tmp_path, wide=2_000), "Greedy")
    study.embed()
    assert any(one.part == part and one.ready for one in kept_encoders(store, project))
    study.bring([0], pixels=np.full((48, 48), 255, np.uint8))
    failed: list[str] = []
    # it is not in use: nothing stops for it, and it is told
    assert embed(store, study.blobs, project, silent, failed=failed) == 1
    (words,) = failed
    assert words.startswith("the encoder Greedy failed: ONNX file must take 1 image within 60 s")
    assert "600 MB" in words
    assert {one.part for one in kept_encoders(store, project)} == {QUICK, PRETRAINED}
    keep_choice(store, project, [QUICK, part], before=[], scores=[], labels=0, reason="tried")
    told = "the encoder Greedy failed: .* remove it on the Learning page"
    with pytest.raises(MethodError, match=told):
        study.embed()
    found = latents_of(store, project, [QUICK])
    assert found is not None
    assert (len(found.cases), found.waiting) == (49, ())

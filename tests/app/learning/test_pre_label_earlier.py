"""The model of an earlier project proposes for another project of the same question."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from overread.app.learning.pre_label_earlier import bring_earlier, earlier_models
from overread.app.learning.pre_label_network import about_file, network_file, renamed
from overread.app.study.project_protocol import protocol_of
from overread.errors import MethodError
from overread.store import create_project, plan_tasks
from overread.store.learning.pre_labels import pre_labels_of
from tests.app.learning.study import NAMES, Study, protocol


def test_its_model_of_classes_sees_the_images_of_another_project(
    study: Study, tmp_path: Path
) -> None:
    store, old, truth = study.store, study.project, dict(study.truth)
    plan_tasks(store, old, study.lead, reads_per_case=1)
    new = create_project(store, "Later", protocol(), study.lead, lead=study.lead).id
    (found,) = earlier_models(store, new, [new, old], tmp_path)
    assert (found.project, found.source, found.target, found.network) == (
        old,
        "what",
        "what",
        False,
    )
    ticks: list[int] = []
    about = {"by": study.lead, "tick": lambda _what, more: ticks.append(more)}
    with pytest.raises(MethodError, match="two classes must have labels"):
        bring_earlier(store, study.blobs, new, found, tmp_path, **about)
    study.read(count=30)
    study.project, study.truth = new, {f"of the old {at}": 0 for at in range(60)}
    cases = study.bring([0, 1, 2] * 4)
    kept = bring_earlier(store, study.blobs, new, found, tmp_path, **about)
    assert (kept.cases, sum(ticks)) == (12, 12)
    made = pre_labels_of(store, cases)
    right = [made[case][0].value == NAMES[study.truth[case]] for case in cases]
    assert np.mean(right) >= 0.6  # a third by chance
    assert made[cases[0]][0].model == "gaussian process of an earlier project"
    assert truth


def test_networks_are_offered_where_kind_and_classes_fit(study: Study, tmp_path: Path) -> None:
    folder = tmp_path / study.project
    folder.mkdir()
    about = {"kind": "box", "classes": ["spot"], "question": "marks", "likeness": 0.81}
    about_file(folder, "marks").write_text(json.dumps(about))
    (folder / "other.json").write_text("{")
    text = "title: T\nquestions:\n  - {id: KEY, prompt: P, kind: box, classes: [CLASSES]}\n"
    made = {
        name: create_project(
            study.store, name, text.replace("KEY", key).replace("CLASSES", classes), study.lead
        ).id
        for name, key, classes in (
            ("same", "marks", "spot, rim"), ("renamed", "dots", "spot"), ("not", "marks", "rim"),
        )
    }  # fmt: skip
    where = {"others": [study.project], "networks": tmp_path}
    assert earlier_models(study.store, made["same"], **where) == []  # no network lies there
    network_file(folder, "marks").write_bytes(b"no network")
    for name, target in (("same", "marks"), ("renamed", "dots")):
        (found,) = earlier_models(study.store, made[name], **where)
        assert (found.target, found.network, found.likeness) == (target, True, 0.81)
    assert earlier_models(study.store, made["not"], **where) == []


def test_codes_of_masks_follow_the_names_of_classes(study: Study) -> None:
    text = "title: T\nquestions:\n  - {id: m, prompt: P, kind: mask, classes: [lung, heart]}\n"
    project = create_project(study.store, "Masks", text, study.lead).id
    question = protocol_of(study.store, project).protocol.question("m")
    value = [{"frame": 0, "rows": 1, "columns": 4, "runs": [[1, 1], [0, 1], [2, 2]]}]
    assert renamed(value, ("heart", "lung"), question)[0]["runs"] == [[2, 1], [0, 1], [1, 2]]

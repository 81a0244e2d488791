"""What the model says of all cases: right where it can be, nothing where there is no ground."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from overread.app.learning.case_latents import latents_of
from overread.app.learning.pre_label_predicted import bring_predicted
from overread.app.learning.predicted import predicted, predicted_parts
from overread.errors import MethodError
from overread.store import Store, get_case, plan_tasks
from overread.store.learning.pre_labels import pre_labels_of
from tests.app.learning.study import NAMES, Study, new_study, protocol


def test_every_case_is_predicted_from_the_reads_of_some(study: Study) -> None:
    store = study.store
    assert study.embed() == 0  # nothing is made twice
    with pytest.raises(MethodError, match="two classes"):
        predicted_parts(store, study.project)
    plan_tasks(store, study.project, study.lead, reads_per_case=1)
    study.read(count=24)
    found = predicted(store, study.project)
    assert found is not None
    assert found.classes == NAMES
    assert (found.said >= 0).sum() == 24
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1)
    truth = np.array([study.truth[case] for case in found.cases])
    unread = found.said < 0
    assert (found.probabilities.argmax(axis=1) == truth)[unread].mean() > 0.8
    assert (found.said == truth)[~unread].all()
    assert 0.05 < found.held_back.mean() < 0.4
    assert found.reads_seen > 0


def test_a_vanished_image_is_left_out_and_comes_back(store: Store, tmp_path: Path) -> None:
    study = new_study(store, tmp_path, cases=5)
    with pytest.raises(MethodError, match="wait for the images"):
        predicted_parts(store, study.project)
    lost = next(iter(study.truth))
    row = get_case(store, lost)
    assert row.thumbnail
    place = tmp_path / "blobs" / row.thumbnail[:2] / row.thumbnail[2:]
    kept = place.read_bytes()
    place.unlink()
    study.embed()
    found = latents_of(store, study.project)
    assert found is not None
    assert (found.lost, len(found.cases), found.waiting) == ((lost,), 4, ())
    place.write_bytes(kept)
    assert study.embed() == 1
    found = latents_of(store, study.project)
    assert found is not None
    assert len(found.cases) == 5


def test_a_project_that_learns_nothing_says_so(store: Store, tmp_path: Path) -> None:
    text = protocol().split("learning:", maxsplit=1)[0]
    study = new_study(store, tmp_path, text, cases=2)
    assert predicted(store, study.project) is None
    with pytest.raises(MethodError, match="no learning block"):
        predicted_parts(store, study.project)


def test_its_answers_become_pre_labels_of_unread_cases_alone(study: Study) -> None:
    store = study.store
    with pytest.raises(MethodError, match="two classes"):
        bring_predicted(store, study.project, by=study.lead)
    plan_tasks(store, study.project, study.lead, reads_per_case=1)
    study.read(count=24)
    found = predicted(store, study.project)
    assert found is not None
    kept = bring_predicted(store, study.project, by=study.lead)
    said = dict(zip(found.cases, found.said.tolist(), strict=True))
    held = dict(zip(found.cases, found.held_back.tolist(), strict=True))
    brought = pre_labels_of(store, found.cases)
    assert kept.cases == len(brought) > 0
    for case, (one,) in brought.items():
        assert said[case] == -1
        assert not held[case]
        assert one.value in NAMES
        assert one.confidence is not None
        assert one.confidence >= 1 / len(NAMES)

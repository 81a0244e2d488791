"""Encoders of a project on both databases: latents by version, trainings and choices by the log."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from overread.errors import InputError
from overread.store import Store, read_events, rebuild, state_digests
from overread.store.learning.encoders import (
    BEGUN,
    DONE,
    HALTED,
    count_latents,
    drop_encoders,
    each_latent,
    encoder_ready,
    keep_choice,
    keep_encoder,
    keep_latents,
    keep_trained,
    kept_encoders,
    last_choice,
    list_trained,
    list_trainings,
    set_training,
    without_latents,
)
from tests.store.study import new_study


def test_latents_are_kept_by_version_and_the_old_ones_serve_until_the_new_are_there(
    store: Store,
) -> None:
    study = new_study(store, cases=3, reads_per_case=0)
    one, two, three = study.cases
    project = study.project
    assert kept_encoders(store, project) == []
    keep_encoder(store, project, "quick", "q1", b"\x00parameters")
    keep_encoder(store, project, "net", "n1", b"net")
    keep_latents(store, project, "q1", {one: b"\x01\x02", two: None})
    keep_latents(store, project, "n1", {one: b"\x03"})
    keep_latents(store, project, "q1", {})
    assert dict(each_latent(store, project, "q1")) == {one: b"\x01\x02", two: b""}
    assert without_latents(store, project, "q1") == [three]
    assert without_latents(store, project, "q1", lost=True) == [two, three]
    assert count_latents(store, project, ["q1"]) == (1, 1)
    assert count_latents(store, project, ["q1", "n1"]) == (1, 0)
    assert count_latents(store, project, []) == (0, 0)
    encoder_ready(store, project, "quick", "q1")
    keep_encoder(store, project, "quick", "q2", b"other")
    kept = {
        row.version: (row.part, row.parameters, row.ready) for row in kept_encoders(store, project)
    }
    assert kept == {
        "q1": ("quick", b"\x00parameters", True), "q2": ("quick", b"other", False),
        "n1": ("net", b"net", False),
    }  # fmt: skip
    assert next(row.version for row in kept_encoders(store, project) if row.part == "quick") == "q2"
    encoder_ready(store, project, "quick", "q2")
    assert {row.version for row in kept_encoders(store, project)} == {"q2", "n1"}
    assert dict(each_latent(store, project, "q1")) == {}
    assert without_latents(store, project, "q2") == [one, two, three]
    drop_encoders(store, project, but=["quick"])
    assert [row.version for row in kept_encoders(store, project)] == ["q2"]
    assert dict(each_latent(store, project, "n1")) == {}


def test_what_was_trained_and_chosen_follows_from_the_log(
    store: Store, new_store: Callable[[], Store]
) -> None:
    study = new_study(store, cases=1, reads_per_case=0)
    project, lead = study.project, study.lead
    assert (list_trainings(store, project), list_trained(store, project)) == ([], [])
    assert last_choice(store, project) is None
    set_training(store, project, "simclr", BEGUN, lead, settings={"epochs": 3})
    set_training(store, project, "simclr", HALTED, lead, words="enough")
    (row,) = list_trainings(store, project)
    assert (row.state, row.settings, row.words, row.set_by) == (
        HALTED,
        {"epochs": 3},
        "enough",
        lead,
    )
    keep_trained(store, project, "simclr", "a" * 64, lead, about={"images": 5})
    keep_trained(store, project, "simclr", "b" * 64, lead, about={"images": 6})
    assert [one.state for one in list_trainings(store, project)] == [DONE]
    (made,) = list_trained(store, project)
    assert (made.file, made.about) == ("b" * 64, {"images": 6})
    scores = [{"chain": ["quick"], "loss": 0.5, "accuracy": 0.75}]
    keep_choice(
        store, project, ["quick"], before=["quick", "net"], scores=scores, labels=50, reason="so"
    )
    chosen = last_choice(store, project)
    assert chosen is not None
    assert (chosen.chain, chosen.before, chosen.labels) == (("quick",), ("quick", "net"), 50)
    assert chosen.scores == tuple(scores)
    again = new_store()
    rebuild(read_events(store), again)
    assert state_digests(again) == state_digests(store)
    assert last_choice(again, project) == chosen


def test_what_is_refused(store: Store) -> None:
    study = new_study(store, cases=1, reads_per_case=0)
    with pytest.raises(InputError, match="begun, stopped or failed"):
        set_training(store, study.project, "simclr", "asleep", study.lead)
    with pytest.raises(InputError, match="SHA-256"):
        keep_trained(store, study.project, "simclr", "x", study.lead, about={})
    with pytest.raises(InputError, match="have a part"):
        keep_choice(store, study.project, [], before=[], scores=[], labels=1, reason="x")

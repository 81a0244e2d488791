"""Which encoders a project uses: the better chain wins, and no label of an audit chose it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from overread.app.learning.case_latents import chain_in_use, latents_of
from overread.app.learning.encoder_choice import (
    candidates,
    choose_for_project,
    teaching,
)
from overread.app.learning.predicted import learned
from overread.app.learning.project_encoder import FINETUNED, PRETRAINED, QUICK, SIMCLR, trained_part
from overread.app.learning.seen_labels import (
    NEVER_SHOWN,
    shown_to_networks,
    unseen_by_encoders,
)
from overread.app.learning.set_apart import lot
from overread.errors import MethodError
from overread.store import Store, add_cases, plan_tasks, read_events
from overread.store.learning.encoders import (
    encoder_ready,
    keep_choice,
    keep_encoder,
    keep_latents,
    keep_trained,
    last_choice,
)
from overread.store.study.grouping import group_cases
from tests.app.learning.study import Study, new_study, picture, protocol

CASES = 64


@pytest.fixture
def labelled(store: Store, tmp_path: Path) -> Study:
    """All cases read; latents made up: quick ones of noise."""
    study = new_study(store, tmp_path, protocol(settings="held_back: 0.1"), cases=0)
    bring_by_lot(study, shown=44, hidden=14, apart=6)
    plan_tasks(store, study.project, study.lead, reads_per_case=1)
    give(study, QUICK, signal=0.0)
    assert len(study.read(count=50) + study.read(count=CASES - 50)) == CASES
    return study


def bring_by_lot(study: Study, *, shown: int, hidden: int, apart: int) -> None:
    """Cases of patients whose lots are known: shown to networks, never shown, set apart to test."""
    left = {"shown": shown, "hidden": hidden, "apart": apart}
    of: dict[str, list[str]] = {kind: [] for kind in left}
    for name in map(str, range(10_000)):
        lots = lot(study.project, name), lot(study.project, f"network {name}")
        kind = "apart" if lots[0] < 0.1 else "shown" if lots[1] >= NEVER_SHOWN else "hidden"
        if left[kind]:
            left[kind] -= 1
            of[kind].append(name)
        if not any(left.values()):
            break
    # the first to come teaches, and one of the next three is set apart: so it is by lot here
    order = [of["shown"][0], *of["apart"], *of["hidden"], *of["shown"][1:]]
    new = [study.case(picture(at % 3, at), group=name, salt=name) for at, name in enumerate(order)]
    made = [key for key, _ in add_cases(study.store, study.project, new, study.lead)]
    study.truth |= {case: at % 3 for at, case in enumerate(made)}


def give(study: Study, part: str, *, signal: float) -> None:
    """Latents of a part: noise, and so much of the truth."""
    rng = np.random.default_rng(list(part.encode()))
    version = f"v of {part[:20]}"
    keep_encoder(study.store, study.project, part, version, b"")
    rows = {}
    for case, truth in study.truth.items():
        one = rng.normal(size=6)
        one[truth] += signal
        rows[case] = one.astype("<f4").tobytes()
    keep_latents(study.store, study.project, version, rows)
    encoder_ready(study.store, study.project, part, version)


def train(study: Study, kind: str, file: str, *, signal: float) -> str:
    keep_trained(study.store, study.project, kind, file * 64, study.lead, about={})
    part = trained_part(kind, file * 64)
    give(study, part, signal=signal)
    return part


def test_a_chain_is_taken_over_when_it_wins_and_stays_where_nothing_beats_it(
    labelled: Study,
) -> None:
    store, project = labelled.store, labelled.project
    keep_choice(store, project, [QUICK], before=[], scores=[], labels=0, reason="the first")
    good = train(labelled, SIMCLR, "a", signal=4.0)
    assert chain_in_use(store, project) == (QUICK,)
    chosen = choose_for_project(store, project)
    assert (chosen.before, chosen.chain) == ((QUICK,), (QUICK, good))
    assert chain_in_use(store, project) == chosen.chain
    old, new = chosen.scores
    assert new["loss"] < old["loss"] - 0.3
    assert new["accuracy"] > 0.8 > old["accuracy"]
    latents = latents_of(store, project)
    assert latents is not None
    assert latents.widths == ((QUICK, 6), (good, 6))
    assert latents.values.shape == (CASES, 12)
    # another training, no better: the one in use stays, and its latents
    other = train(labelled, SIMCLR, "b", signal=0.0)
    again = choose_for_project(store, project)
    assert again.chain == chosen.chain
    assert any(other in one["chain"] for one in again.scores)
    last, before, _ = [one for one in read_events(store) if one.action == "encoder_chosen"][::-1]
    assert (last.n, before.n) == (again.event, chosen.event)


def test_only_labels_that_teach_and_that_no_audit_uses_choose(labelled: Study) -> None:
    store, project = labelled.store, labelled.project
    found = teaching(store, project)
    latents = latents_of(store, project)
    assert latents is not None
    taught = set(found.cases)
    assert len(taught) == CASES - 6  # those set apart
    np.testing.assert_allclose(found.votes.sum(axis=2), 1)
    audited = sorted(taught)[:5]
    with store.writing() as connection:
        connection.exec_driver_sql(
            "INSERT INTO auto_runs VALUES ('r', ?, 1, 'what', 1, 'm', '{}', 'frozen', '', '', 1)",
            (project,),
        )
        connection.exec_driver_sql(
            "INSERT INTO audits VALUES ('a', 'r', ?, 1, '{}', '', 'running', '', '', '', 1, '')",
            (project,),
        )
        for at, case in enumerate(audited):
            connection.exec_driver_sql(
                "INSERT INTO audit_cases (audit, case_id, place) VALUES ('a', ?, ?)", (case, at)
            )
    assert set(teaching(store, project).cases) == taught - set(audited)


def test_a_network_that_has_seen_labels_is_compared_by_others(labelled: Study) -> None:
    store, project = labelled.store, labelled.project
    give(labelled, PRETRAINED, signal=0.0)
    part = train(labelled, FINETUNED, "c", signal=0.0)
    found, latents = teaching(store, project), latents_of(store, project)
    assert latents is not None
    assert (found.shown.sum(), found.hidden.sum()) == (44, 14)
    shown = dict(zip(latents.cases, shown_to_networks(project, latents.groups), strict=True))
    assert [shown[case] for case in found.cases] == found.shown.tolist()
    assert not (found.shown & found.hidden).any()
    # it has learned the labels that it was shown by heart, and nothing else
    version = "by heart"
    keep_encoder(store, project, part, version, b"")
    rng = np.random.default_rng(0)
    rows = {
        case: (10.0 * np.eye(6)[truth] * shown[case] + rng.normal(size=6)).astype("<f4").tobytes()
        for case, truth in labelled.truth.items()
    }
    keep_latents(store, project, version, rows)
    encoder_ready(store, project, part, version)
    # where it is used, what it was shown tells nothing of how often the model errs
    with_it = latents_of(store, project, [QUICK, part])
    assert with_it is not None
    unseen = unseen_by_encoders(project, with_it)
    assert unseen.tolist() == [not shown[case] for case in with_it.cases]
    assert unseen_by_encoders(project, latents).all()
    assert learned(store, project)[0].pools[0].judges is None
    keep_choice(store, project, [QUICK, part], before=[QUICK], labels=58, reason="-", scores=[])
    judges = learned(store, project)[0].pools[0].judges
    assert judges is not None
    assert judges.tolist() == unseen.tolist()
    keep_choice(store, project, [QUICK], before=[QUICK, part], labels=58, reason="-", scores=[])
    # patients joined since: who was shown one of their cases has seen them all
    one, other = (found.cases[np.flatnonzero(rows)[0]] for rows in (found.shown, found.hidden))
    group = dict(zip(latents.cases, latents.groups, strict=True))
    assert group_cases(store, project, {one: group[other]}, labelled.lead) == 1
    joined, now = teaching(store, project), latents_of(store, project, [QUICK, part])
    assert now is not None
    assert joined.hidden.sum() == 13
    still = dict(zip(now.cases, unseen_by_encoders(project, now).tolist(), strict=True))
    assert not still[one]
    assert group_cases(store, project, {one: group[one]}, labelled.lead) == 1
    chosen = choose_for_project(store, project)
    assert part not in chosen.chain
    assert chosen.reason.startswith("log loss")
    assert "on 14 labels held back" in chosen.reason


def test_what_cannot_be_compared(store: Store, tmp_path: Path) -> None:
    lone = new_study(store, tmp_path, protocol(settings="held_back: 0.001"), cases=6)
    assert last_choice(store, lone.project) is None
    give(lone, QUICK, signal=0.0)
    with pytest.raises(MethodError, match="not encoded yet"):
        choose_for_project(store, lone.project)  # the pretrained network's latents are missing
    give(lone, PRETRAINED, signal=0.0)
    with pytest.raises(MethodError, match="two classes"):
        choose_for_project(store, lone.project)
    plan_tasks(store, lone.project, lone.lead, reads_per_case=1)
    lone.read(count=6)
    with pytest.raises(MethodError, match="40 labels that teach"):
        choose_for_project(store, lone.project)


def test_chains_in_order() -> None:
    one, other = trained_part(SIMCLR, "a" * 64), trained_part(FINETUNED, "b" * 64)
    assert candidates((QUICK, PRETRAINED), [QUICK, PRETRAINED]) == [(QUICK, PRETRAINED), (QUICK,)]
    every = candidates((QUICK,), [QUICK, PRETRAINED, one, other])
    assert every[0] == (QUICK,)
    assert len(every) == len(set(every)) == 8
    assert every[-1] == (QUICK, PRETRAINED, one, other)

"""The four rules on the page, which of them decides, and the figures of the labels set apart."""

from __future__ import annotations

import numpy as np
import pytest

from overread.app.learning.board import learning_board
from overread.app.learning.held_figures import figures_of
from overread.app.learning.stop_rules import CANNOT_TELL, GOES_ON, NAMES, NOT_ASKED, STOPS
from overread.labels import Kind
from overread.protocol.learning import STOP_RULES
from overread.selection.quality import quality_of
from overread.store import add_protocol_version, claim
from tests.app.learning.conftest import wish
from tests.app.learning.study import NAMES as CLASSES
from tests.app.learning.study import Study, protocol
from tests.app.learning.test_loop import looping, played


def test_all_rules_are_told_and_any_can_decide(study: Study) -> None:
    study.bring([at % 3 for at in range(24)])  # half of so many are 15 whatever the lot
    wish(study, settings="held_back: 0.5, target: 0.6")
    store, project, loop = study.store, study.project, looping(study)
    loop.catch_up(store)
    early = learning_board(store, project, loop)
    assert [one.says for one in early.rules] == [CANNOT_TELL] * 4
    assert "0 of 15 test labels are there." in {one.why for one in early.rules}
    played(study, loop, 36)
    board = learning_board(store, project, loop)
    assert board.learned is not None
    assert board.learned.advice is not None
    assert [one.name for one in board.rules] == [NAMES[one] for one in STOP_RULES]
    assert [one.decides for one in board.rules] == [True, False, False, False]
    assert {one.says for one in board.rules} <= {STOPS, GOES_ON}
    assert "60.0 % wanted" in board.rules[0].why
    assert "of the errors" in board.rules[2].why
    assert "0.99 wanted" in board.rules[3].why
    for at, rule in enumerate(("elbow", "stable", "cost")):
        settings = f"held_back: 0.5, target: 0.6, rule: {rule}"
        text = protocol(settings=settings)
        add_protocol_version(store, project, text, study.lead, base_version=at + 2)
        told = learning_board(store, project, loop)  # at once, before the loop has looked
        loop.catch_up(store)
        for one in (told, learning_board(store, project, loop)):
            assert [each.name for each in one.rules if each.decides] == [NAMES[rule]]
            assert one.rules[0].decides
            assert one.learned is not None
            assert one.learned.advice is not None
            assert one.learned.advice.decides == rule
            assert one.learned.advice.stop == (one.rules[0].says == STOPS)


def test_without_a_target_that_rule_cannot_tell(study: Study) -> None:
    loop = looping(study)
    loop.catch_up(study.store)
    played(study, loop, 8)
    board = learning_board(study.store, study.project, loop)
    assert board.rules[0].name == NAMES["cost"]
    (target,) = (one for one in board.rules if one.name == NAMES["target"])
    assert (target.says, target.why) == (NOT_ASKED, "The protocol names no accuracy to stop at.")
    assert {one.says for one in board.rules if one is not target} == {CANNOT_TELL}


@pytest.mark.parametrize("kind", ["nominal", "ordinal", "multi-label"])
def test_figures_stand_beside_the_accuracy(study: Study, kind: str) -> None:
    wish(study, kind=kind, settings="held_back: 0.4")
    loop = looping(study)
    for _ in range(24):
        loop.catch_up(study.store)
        for task in claim(study.store, study.project, study.readers[0]):
            name = CLASSES[study.truth[task.case.id]]
            study.say(task.id, 0, [name] if kind == "multi-label" else name)
    loop.catch_up(study.store)
    assert loop.progress is not None
    found = loop.progress.figures
    assert found is not None
    assert found.cases == loop.progress.points[-1].tested
    assert (found.kappa is None, found.mae is None) == (kind != "ordinal",) * 2
    assert 0 <= found.ece <= 1
    assert 0 < found.by_luck < 1


def test_figures_are_those_of_the_quality_module() -> None:
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 5, size=60)
    chances = rng.dirichlet(np.ones(5), size=60) + 2 * np.eye(5)[truth]
    chances /= chances.sum(axis=1, keepdims=True)
    wanted = quality_of(chances, truth, ordinal=True)
    with_gaps = np.append(truth, -1)  # somebody read it, and could not tell
    every = np.vstack([chances, np.full((1, 5), 0.2)])
    found = figures_of([every], [with_gaps], kind=Kind.ORDINAL)
    assert found is not None
    assert found.kappa is not None
    assert found.mae is not None
    assert (found.kappa.value, found.mae.value, found.ece) == pytest.approx(
        (wanted.kappa, wanted.mae, wanted.ece)
    )
    assert found.kappa.low <= found.kappa.value <= found.kappa.high
    assert found.mae.low <= found.mae.value <= found.mae.high
    one_grade = figures_of([chances], [np.zeros(60, dtype=np.int64)], kind=Kind.ORDINAL)
    assert one_grade is not None
    assert one_grade.kappa is None
    assert figures_of([chances], [np.full(60, -1)], kind=Kind.NOMINAL) is None


def test_calibration_is_told_from_luck() -> None:
    rng = np.random.default_rng(2)
    chances = rng.dirichlet(np.ones(3), size=400)
    just = np.array([rng.choice(3, p=one) for one in chances])
    good = figures_of([chances], [just], kind=Kind.NOMINAL)
    assert good is not None
    assert good.ece <= 1.3 * good.by_luck
    sure = chances**6 / (chances**6).sum(axis=1, keepdims=True)
    bad = figures_of([sure], [just], kind=Kind.NOMINAL)
    assert bad is not None
    assert bad.ece > 2 * bad.by_luck
    assert bad.surer
    doubting = 0.5 * np.eye(3)[just] + 0.5 / 3
    shy = figures_of([doubting], [just], kind=Kind.NOMINAL)
    assert shy is not None
    assert (shy.ece, shy.surer) == (pytest.approx(1 / 3), False)

"""Seconds of reads and reviews: which are taken, and that the advice and the audit take them."""

from __future__ import annotations

import numpy as np
import pytest

from overread.app.learning import film_strip, freeze_labels
from overread.app.learning.board import learning_board
from overread.app.learning.freeze_labels import auto_label
from overread.app.learning.paces import ENOUGH_TIMED, paces_of, read_pace, review_pace
from overread.app.learning.proposals import proposals
from overread.app.study.project_protocol import protocol_of
from overread.store.learning.auto_labels import get_run
from tests.app.learning.conftest import wish
from tests.app.learning.study import NAMES, Study
from tests.app.learning.test_loop import looping, played


@pytest.mark.parametrize("said", [None, 20.0])
def test_reads_are_taken_as_said_until_enough_are_timed(said: float | None) -> None:
    few = read_pace([3.0] * (ENOUGH_TIMED - 1) + [0.0] * 9, said)
    assert (few.seconds, few.said, few.measured) == (
        (20.0, True, False) if said else (3, False, True)
    )
    many = read_pace([3.0] * ENOUGH_TIMED + [900.0] * 3, said)
    assert (many.seconds, many.timed, many.measured) == (3, ENOUGH_TIMED + 3, True)
    assert "measured: the median of 13" in many.words("read")
    none = read_pace([0.0], said)
    assert none.said == (said is not None)
    assert ("a guess" in none.words("read")) == (said is None)


def test_a_review_is_the_median_of_labels_not_of_savings() -> None:
    early = review_pace([(ENOUGH_TIMED - 1, 9.0)], 4.0)
    assert (early.seconds, early.said) == (4.0, True)
    assert early.words("review") == "4 s a review (as the protocol says: 9 of 10 are timed)"
    rng = np.random.default_rng(0)
    for _ in range(20):
        counts = rng.integers(1, 6, size=int(rng.integers(8, 15)))
        seconds = rng.uniform(0.5, 9, size=len(counts))
        one = review_pace(list(zip(counts.tolist(), seconds.tolist(), strict=True)), 4.0)
        every = np.sort(np.repeat(seconds / counts, counts))
        low, high = every[(len(every) - 1) // 2], every[len(every) // 2]
        if len(every) >= ENOUGH_TIMED:
            assert low - 1e-9 <= one.seconds <= high + 1e-9
            assert (one.timed, one.measured) == (len(every), True)


def test_advice_and_audit_reckon_with_what_was_measured(study: Study) -> None:
    study.bring([at % 3 for at in range(24)])  # half of so many are 15 whatever the lot
    wish(study, settings="held_back: 0.5, review_seconds: 7, read_seconds: 33")
    store, project, loop = study.store, study.project, looping(study)
    wishes = protocol_of(store, project).protocol.learning
    before = paces_of(store, project, wishes, [])
    assert (before.costs.label, before.costs.review) == (33, 7)
    played(study, loop, 36)  # ten seconds each
    board = learning_board(store, project, loop)
    assert board.learned is not None
    assert board.learned.advice is not None
    assert (board.learned.paces.read.seconds, board.learned.paces.read.measured) == (10, True)
    assert (board.learned.paces.review.seconds, board.learned.paces.review.said) == (7, True)
    assert freeze_labels._price(store, project) == pytest.approx(10 / 7)
    given = proposals(store, project)
    run = get_run(store, auto_label(store, project, given, target=0.3, by=study.lead))
    for case in given.cases[:ENOUGH_TIMED]:
        word = film_strip.Word(case, NAMES[study.truth[case]])
        film_strip.say(store, run, [word], seconds=2.0, by=study.lead)
    after = learning_board(store, project, loop).learned
    assert after is not None
    assert after.advice is not None
    assert (after.paces.review.seconds, after.paces.review.measured) == (2, True)
    assert freeze_labels._price(store, project) == pytest.approx(5)
    hours = [one.words for one in after.advice.rules if one.name == "cost"]
    assert hours != [one.words for one in board.learned.advice.rules if one.name == "cost"]

"""The lot that sets patients apart: few patients and many, all at once and one by one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.app.learning.board import learning_board
from overread.app.learning.case_latents import CaseLatents
from overread.app.learning.next_cases import want_blind
from overread.app.learning.set_apart import HELD_BACK, drawn, groups_of, held_back
from overread.protocol.learning import Learning
from overread.store import Store
from overread.store.learning.asking import Asked, Waiting, list_asked
from overread.store.study.grouping import group_cases
from tests.app.learning.study import Study, new_study, protocol
from tests.app.learning.test_loop import looping, played

PROJECTS = [f"project {k}" for k in range(400)]
SHARE = 0.15


def names(count: int) -> list[str]:
    return [f"patient {k}" for k in range(count)]


@pytest.mark.parametrize("count", [1, 3, 4, 5, 10, 100])
def test_with_four_patients_some_are_set_apart_and_never_all(count: int) -> None:
    shares = []
    for project in PROJECTS:
        apart = drawn(project, names(count), share=SHARE, asked=[])
        assert not apart.all()
        assert apart.any() or count < 4
        shares.append(apart.mean())
    few = max(SHARE, (1 + 0.15 * (count - 4)) / count)  # one of the first four, more by lot
    assert abs(np.mean(shares) - (few if count >= 4 else SHARE * (count - 1) / count)) < 0.06


def test_each_of_the_first_patients_but_one_may_be_the_one_that_tests() -> None:
    alone = [drawn(one, names(4), share=0.001, asked=[]) for one in PROJECTS]
    counts = np.sum(alone, axis=0)
    assert counts[0] == 0
    assert (np.abs(counts[1:] - len(PROJECTS) / 3) < 40).all()


@settings(max_examples=200, deadline=None)
@given(
    project=st.text(min_size=1, max_size=8),
    share=st.sampled_from([0.02, 0.15, 0.5]),
    steps=st.lists(st.sampled_from(["patient", "case", "case", "case"]), max_size=60),
    pick=st.randoms(use_true_random=False),
)
def test_one_by_one_none_leaves_and_none_that_taught_tests(project, share, steps, pick) -> None:
    """Patients come, and cases of any of them are asked for, as the lot then says."""
    count, asked = 1, list[tuple[int, Asked]]()
    before: set[int] = set()
    for step in steps:
        count += step == "patient"
        apart = drawn(project, names(count), share=share, asked=asked)
        now = set(np.flatnonzero(apart).tolist())
        assert before <= now
        assert 0 not in now
        assert not {at for at, one in asked if one.why != HELD_BACK} & now
        assert now or count < 4
        before = now
        if step == "case":
            at = pick.randrange(count)
            asked.append((at, Asked(f"{len(asked)}", HELD_BACK if at in now else "model")))


def test_what_has_taught_never_tests_and_what_was_asked_to_test_does() -> None:
    for project in PROJECTS[:50]:
        taught = [(at, Asked(f"{at}", "model")) for at in range(4)]
        assert not drawn(project, names(4), share=SHARE, asked=taught).any()
        later = drawn(project, names(6), share=1e-9, asked=taught)  # the first that has not
        assert np.flatnonzero(later).tolist() == [4]
        tested = drawn(project, names(6), share=1e-9, asked=[*taught, (5, Asked("t", HELD_BACK))])
        assert tested[5]
        both = drawn(project, names(6), share=SHARE, asked=[*taught, (3, Asked("t", HELD_BACK))])
        assert not both[3]
    alone = drawn("p", names(1), share=SHARE, asked=[(0, Asked("a", HELD_BACK))])
    assert not alone.any()  # an older version had set the one patient apart
    assert not drawn("p", names(20), share=0.0, asked=[]).any()
    assert not drawn("p", [], share=SHARE, asked=[]).size


def latents(groups: list[str], values: np.ndarray | None = None) -> CaseLatents:
    count = len(groups)
    made = np.random.default_rng(0).normal(size=(count, 4)) if values is None else values
    cases = tuple(f"case {k}" for k in range(count))
    return CaseLatents("v", cases, tuple(groups), made.astype(np.float32), (), ())


def test_whole_patients_are_set_apart_whatever_the_codes_of_their_groups() -> None:
    of = [f"patient {k % 7}" for k in range(70)]
    found = latents(of)
    groups = groups_of(found)
    held = held_back("p", found, groups, share=SHARE, asked={})
    assert {len({bool(held[k]) for k in range(70) if of[k] == one}) for one in of} == {1}
    other = np.random.default_rng(1).permutation(int(groups.max()) + 1)[groups]
    assert (held == held_back("p", found, other, share=SHARE, asked={})).all()
    known = {"case 8": Asked("case 8", "start")}
    assert not held_back("p", found, groups, share=0.5, asked=known)[8::7][:1].any()


def test_patients_joined_later_teach_where_any_of_their_cases_taught() -> None:
    apart, taught = "case 3", "case 9"
    asked = {apart: Asked(apart, HELD_BACK), taught: Asked(taught, "model")}
    before = latents([f"case {k}" for k in range(20)])
    held = held_back("p", before, groups_of(before), share=SHARE, asked=asked)
    assert held[3]
    assert not held[9]
    joined = latents(["one" if k in {3, 9, 12} else f"case {k}" for k in range(20)])
    now = held_back("p", joined, groups_of(joined), share=SHARE, asked=asked)
    assert not now[[3, 9, 12]].any()
    other = latents(["one" if k in {3, 12} else f"case {k}" for k in range(20)])
    assert held_back("p", other, groups_of(other), share=SHARE, asked=asked)[[3, 12]].all()


def test_before_images_are_encoded_the_same_lot_is_drawn() -> None:
    none = Waiting(frozenset(), frozenset(), frozenset(), frozenset())
    wishes = Learning("what", mode="batch", batch=30)
    for project in PROJECTS[:60]:
        cases = [(f"{of}.{k}", of) for of in names(5) for k in range(3)]
        wanted = dict(want_blind(project, cases, wishes, none, {}).cases)
        apart = drawn(project, names(5), share=SHARE, asked=[])
        for case, of in cases:
            assert (wanted[case] == HELD_BACK) == apart[int(of.split()[1])]
        lone = want_blind(project, [(f"{k}", "one") for k in range(9)], wishes, none, {})
        assert {why for _, why in lone.cases} == {"lot"}


def test_the_page_says_why_no_advice_can_come_and_what_to_do(store: Store, tmp_path: Path) -> None:
    study = new_study(store, tmp_path, protocol(settings="held_back: 0.0001"), cases=0)
    for group in "ab":  # pairs are named by their number too
        study.bring([0, 1], group=group)
    loop = looping(study)
    played(study, loop, 3)
    told = learning_board(store, study.project, loop).untested
    assert told.startswith("The images are of 2 patients ")
    assert "4 are needed" in told
    assert "table" in told
    study.bring([2, 0, 1, 2, 0, 1], group="c")  # three more patients
    played(study, loop, 4)
    board = learning_board(store, study.project, loop)
    assert "set apart to test, and 15 test labels are needed" in board.untested
    tests = [one for one in list_asked(store, study.project).values() if one.why == HELD_BACK]
    assert tests
    assert loop.learner is not None
    assert loop.learner.held.sum() == 2  # one of the first four, by the rule


def test_a_running_loop_follows_patients_that_are_stated_later(study: Study) -> None:
    store, loop = study.store, looping(study)
    played(study, loop, 10)
    assert loop.learner is not None
    assert loop.groups == 48
    asked = list_asked(store, study.project)
    tests = [case for case, one in asked.items() if one.why == HELD_BACK]
    taught = [case for case, one in asked.items() if one.why != HELD_BACK]
    free = [case for case in study.truth if case not in asked]
    assert len(tests) >= 2
    joined = {tests[0]: "one", taught[0]: "one", free[0]: "one", tests[1]: "two", free[1]: "two"}
    assert group_cases(store, study.project, joined, study.lead) == 5
    loop.catch_up(store)
    assert loop.groups == 45
    held = {
        case: bool(on)
        for case, on in zip(loop.learner.latents.cases, loop.learner.held, strict=True)
    }
    assert [held[case] for case in (tests[0], taught[0], free[0])] == [False] * 3
    assert held[tests[1]]
    assert held[free[1]]
    again = looping(study)
    again.catch_up(store)
    assert again.learner is not None
    assert again.learner.held.tolist() == loop.learner.held.tolist()
    assert again.progress is not None
    assert loop.progress is not None
    assert again.progress.tested == loop.progress.tested

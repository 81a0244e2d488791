"""Which cases a learning project wants to have read next, and which it no longer wants."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from overread.app.learning.doubt import doubtful
from overread.app.learning.learner import Learner, learner_view
from overread.app.learning.set_apart import HELD_BACK, drawn, lot
from overread.arrays import Ints
from overread.protocol.learning import Learning
from overread.selection.acquisition.scores import best
from overread.selection.acquisition.table import asked_now, choose
from overread.selection.acquisition.view import View
from overread.store.learning.asking import Asked, Waiting

LEAST_WAITING = 4
"""Cases with an open slot, whoever reads: so that nobody waits for the model."""

FIRST_TESTS = 20
"""Cases set apart that are read early, so that it can soon be told how good the model is."""

_A_READER = 3  # cases that wait for each reader at work
_KEPT = 8  # times the cases that wait: as good as these, one that waits may go on waiting
_OLD = 8  # labels since a case was chosen, after which another may take its place
_PER_CLASS = 3  # labels a class, before the model chooses


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """What changes in the queue. Args: cases: (case, why); unwanted: that wait for nothing."""

    cases: tuple[tuple[str, str], ...]
    unwanted: tuple[str, ...]


def room(wishes: Learning, waiting: Waiting, asked: Mapping[str, Asked]) -> int:
    """How many cases may be asked for now."""
    if wishes.mode == "batch":
        under_way = waiting.untouched | waiting.touched | waiting.in_hand
        count = 0 if under_way else wishes.batch
    else:  # of what somebody began, slots may be left that who is here has had
        count = max(LEAST_WAITING, _A_READER * len(waiting.readers)) - len(waiting.untouched)
    if wishes.most_labels is not None:
        count = min(count, wishes.most_labels - len(asked))
    return max(count, 0)


def model_chooses(learner: Learner) -> bool:
    """There are labels enough for the model to know what it does not know."""
    return learner.can_choose and learner.taught >= _PER_CLASS * len(learner.setup.classes)


def want(
    project: str,
    learner: Learner,
    waiting: Waiting,
    asked: Mapping[str, Asked],
    *,
    shut: Collection[str] = (),
    alike: Ints | None = None,
    doubt: Mapping[str, float] | None = None,
    to_test: int = 0,
) -> Wanted:
    """Choose by the model, or by the start order before there is one.

    Args:
        project: its id, which seeds the lots.
        learner: with the labels so far.
        waiting: what is open and in hand.
        asked: what was asked for.
        shut: cases that cannot be asked for (read by a plan, shown in dry runs ...).
        doubt: of drawings: how unsure pre-labels are of cases; None where there are none.
        to_test: test labels that are missing to know whether it is enough: half of the next.
        alike: (cases,) near-duplicates have the same code: of each such group one is asked.
    """
    wishes = learner.setup.wishes
    rng = np.random.default_rng([_seed(project), len(asked), len(learner.heard)])
    every = learner_view(learner)
    unwanted: list[str] = []
    if wishes.mode != "batch" and model_chooses(learner):
        unwanted = _no_longer(learner, every, waiting, asked)
    left = {case: one for case, one in asked.items() if case not in unwanted}
    still = Waiting(
        waiting.untouched - set(unwanted), waiting.touched, waiting.in_hand, waiting.readers
    )
    count = room(wishes, still, left)
    taken = {*left, *shut, *unwanted}
    closed = np.array(sorted(_rows(learner, taken) | learner.heard.keys()), dtype=np.int64)
    tested = sum(tests_now(learner, case, one) for case, one in left.items())
    due = _due(wishes.held_back, len(left), count, so_far=tested)
    due = max(due, min(to_test, (count + 1) // 2))
    tests = _tests(learner, closed, alike, count, rng)
    view = _without(learner, every, _with_alike(closed, alike))
    if not view.open.any():  # nothing but near-duplicates is left
        view = _without(learner, every, closed)
    parallel = len(waiting.readers) > 1
    seats = count - min(due, len(tests))
    if doubt:
        teach = [(case, "model") for case in doubtful(learner, view, doubt, seats, rng)]
    else:
        covered = replace(view, labelled=np.isin(learner.pools[0].rows, closed))
        begun = _rows(learner, left.keys()) - learner.heard.keys()
        awaited = np.isin(learner.pools[0].rows, np.array(sorted(begun), dtype=np.int64))
        view = replace(view, awaited=awaited) if model_chooses(learner) else covered
        teach = _teach(learner, view, seats, rng, parallel=parallel)
    tests = tests[: count - len(teach)]  # all that is left, where nothing is left that teaches
    mixed = [*((case, HELD_BACK) for case in tests), *teach]
    order = rng.permutation(len(mixed))  # who reads cannot tell the tests by their place
    return Wanted(tuple(mixed[at] for at in order), tuple(unwanted))


def want_blind(
    project: str,
    cases: Sequence[tuple[str, str]],
    wishes: Learning,
    waiting: Waiting,
    asked: Mapping[str, Asked],
    *,
    shut: Collection[str] = (),
) -> Wanted:
    """Choose by lot, while the images are not encoded yet.

    Args:
        cases: (case, patient or the case again).
    """
    count = room(wishes, waiting, asked)
    free = [one for one in cases if one[0] not in asked and one[0] not in shut]
    chosen = sorted(free, key=lambda one: lot(project, f"blind {one[0]}"))[:count]
    place = {group: at for at, group in enumerate(dict.fromkeys(group for _, group in cases))}
    known = [(place[group], asked[case]) for case, group in cases if case in asked]
    apart = drawn(project, [*place], share=wishes.held_back, asked=known)
    return Wanted(
        tuple((case, HELD_BACK if apart[place[group]] else "lot") for case, group in chosen), ()
    )


def _rows(learner: Learner, cases: Iterable[str]) -> set[int]:
    return {learner.row[case] for case in cases if case in learner.row}


def _without(learner: Learner, view: View, closed: Ints) -> View:
    """The view without some rows of the pool: what the model believes is worked out once."""
    shut = np.zeros(len(learner.held), dtype=np.bool_)
    shut[closed] = True
    return replace(view, open=view.open & ~shut[learner.pools[0].rows])


def _no_longer(
    learner: Learner, every: View, waiting: Waiting, asked: Mapping[str, Asked]
) -> list[str]:
    """Cases that nobody took and that are no longer among those that tell most."""
    chosen = [
        case for case in sorted(waiting.untouched)
        if case in learner.row and case in asked and asked[case].why in {"start", "model"}
    ]  # fmt: skip
    if not chosen:
        return []
    others = sorted(_rows(learner, asked.keys() - set(chosen)))
    view = _without(learner, every, np.array(others, dtype=np.int64))
    rank = asked_now(learner.setup.wishes.acquisition, view).rank
    if rank is None:  # it cannot be asked of a single case: a choice grows old
        now = len(learner.heard)
        return [case for case in chosen if now - asked[case].labels >= _OLD]
    top = learner.pools[0].rows[best(rank(view.belief), view, _KEPT * len(chosen))]
    good = set(top.tolist())
    return [case for case in chosen if learner.row[case] not in good]


def tests_now(learner: Learner, case: str, asked: Asked) -> bool:
    """A case that was asked for to test still does: its patient was not joined with others."""
    row = learner.row.get(case)
    return asked.why == HELD_BACK and (row is None or bool(learner.held[row]))


def _due(share: float, asked: int, count: int, *, so_far: int) -> int:
    """Of the next ``count`` cases, so many that test: their share of all, at first a third."""
    after = asked + count
    wanted = max(share * after, min(FIRST_TESTS, after / 3))
    return max(min(int(np.floor(wanted + 1e-9)) - so_far, count), 0)


def _tests(
    learner: Learner, closed: Ints, alike: Ints | None, count: int, rng: np.random.Generator
) -> list[str]:
    """Cases set apart that are asked for next, by lot."""
    for shut in (_with_alike(closed, alike), closed):
        free = np.setdiff1d(np.flatnonzero(learner.held), shut)
        if len(free):
            drawn_now = free[rng.permutation(len(free))[:count]]
            return [learner.latents.cases[row] for row in drawn_now.tolist()]
    return []


def _teach(
    learner: Learner, view: View, count: int, rng: np.random.Generator, *, parallel: bool
) -> list[tuple[str, str]]:
    if count <= 0:
        return []
    wishes, by_model = learner.setup.wishes, model_chooses(learner)
    name = wishes.acquisition if by_model else wishes.start
    found = choose(
        view, count, rng, name=name, random_share=wishes.random_share,
        parallel=parallel and by_model,
    )  # fmt: skip
    why = "model" if by_model else "start"
    rows = learner.pools[0].rows[found.rows]
    return [
        (learner.latents.cases[row], "lot" if drawn else why)
        for row, drawn in zip(rows.tolist(), found.by_lot.tolist(), strict=True)
    ]


def _with_alike(closed: Ints, alike: Ints | None) -> Ints:
    """What is closed, and what nearly looks the same; of such groups among the open all but one."""
    if alike is None:
        return closed
    shut = np.zeros(len(alike), dtype=np.bool_)
    shut[closed] = True
    taken = np.unique(alike[closed])
    shut |= np.isin(alike, taken)
    _, first = np.unique(alike, return_index=True)
    one_each = np.ones(len(alike), dtype=np.bool_)
    one_each[first] = False
    return np.flatnonzero(shut | one_each)


def _seed(project: str) -> int:
    return int(hashlib.sha256(project.encode()).hexdigest()[:8], 16)

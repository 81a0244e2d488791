"""The loop of one project: what was read is learned, and the next cases are asked for.

In a project that learns only the cases that are asked for have open slots; a few more than its
readers can take, so that nobody waits for the model. What is known here follows from the log and
from the images: a server that starts again learns it anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from overread.app.learning.case_latents import latents_of
from overread.app.learning.case_map import NearMap, Plane, near_plane, plane_of
from overread.app.learning.doubt import doubts
from overread.app.learning.heard import Heard, mark_of, read_on, reads_so_far
from overread.app.learning.learner import (
    Learner,
    begin_learner,
    taught_by,
    tuned_learner,
    with_label,
)
from overread.app.learning.next_cases import Wanted, want, want_blind
from overread.app.learning.paces import paces_of
from overread.app.learning.progress import LearnedSoFar, learned_so_far
from overread.app.learning.seen_labels import unseen_by_encoders
from overread.app.learning.set_apart import duplicates_of, groups_of, held_back
from overread.app.learning.settings import Setup, setup_of
from overread.app.learning.which_reader import read_again
from overread.app.study.label_sources import standing_autos
from overread.arrays import Ints
from overread.store import Store
from overread.store.errors import ConflictError
from overread.store.learning.asking import (
    STOPPED,
    Asked,
    Waiting,
    ask_again,
    ask_cases,
    gold_cases,
    kept_open,
    last_asked,
    list_asked,
    loop_state,
    waiting,
)
from overread.store.learning.auto_labels import CERTIFIED, standing_run
from overread.store.learning.encoders import last_choice
from overread.store.learning.pre_labels import last_pre_label
from overread.store.study.cases import count_cases
from overread.store.study.grouping import grouped_since
from overread.store.work.demands import places
from overread.store.work.plan_view import barred, list_facts

Encode = Callable[[Store, str], bool]
"""Has the images of a project encoded, beside, where some are not; whether that begins now."""

Compare = Callable[[Store, str], object]
"""Has the encoders of a project compared on its labels, beside."""

_TOGETHER = 500  # slots withdrawn in one transaction
_LOOKED_AT = 2_000  # cases whose pre-labels are compared
_COMPARED = 60  # labels that teach, from which on encoders are compared
_GROWTH = 1.05  # labels against those of the last curve, from which on it is drawn anew


@dataclass(slots=True, eq=False)
class ProjectLearning:
    """What is known of a project that learns; one thread at a time.

    Args:
        project: its id.
        encode: see :data:`Encode`.
        compare: see :data:`Compare`; None leaves the encoders as they are.
        setup: of the newest protocol; None where the project learns nothing.
        heard: what readers said.
        learner: None before images are encoded.
        alike: near-duplicates among its cases have the same code.
        groups: patients whose images are encoded, near-duplicates taken for one.
        progress: how good it is and when to stop, as of the last curve.
        until: last event that the model knows.
        refused: cases that could not be asked for.
        plane: places of its cases on the map, until it is laid out by neighbours.
        near: laid out by neighbours; None until somebody has it worked out.
        fresh: the images, as far as they were encoded, are in.
        looked: when it was looked at last, by a clock that only goes on.
        milliseconds: from what was read to the next case in the queue, of the last times.
    """

    project: str
    encode: Encode
    compare: Compare | None = None
    setup: Setup | None = None
    heard: Heard = field(default_factory=Heard)
    learner: Learner | None = None
    alike: Ints | None = None
    groups: int = 0
    progress: LearnedSoFar | None = None
    until: int = 0
    refused: set[str] = field(default_factory=set[str])
    plane: Plane | None = None
    near: NearMap | None = None
    fresh: bool = False
    looked: float = 0.0
    milliseconds: list[float] = field(default_factory=list[float])
    _cases: int = 0
    _encoded: int = 0
    _doubted: tuple[int, dict[str, float]] = field(default_factory=lambda: (0, dict[str, float]()))
    _drawn: tuple[int, int] = (-1, -1)
    _compared: int = 0
    _papers: tuple[str, frozenset[str]] = ("", frozenset())

    def catch_up(self, store: Store) -> int:
        """Take in what was read since, and ask for the cases that follow.

        Returns:
            How many cases were asked for.
        """
        begun = time.perf_counter()
        setup = setup_of(store, self.project)
        self.looked = time.monotonic()
        if setup is None:
            self.setup = None
            return 0
        touched = self._take_in(store, setup)
        opened = self._ask(store, setup)
        if touched:
            self.milliseconds = [*self.milliseconds[-99:], 1000 * (time.perf_counter() - begun)]
        self._learn(store, setup)
        self._have_compared(store, setup)
        return opened

    def places(self) -> Plane | None:
        """Where its cases lie: by neighbours where that is worked out, else on the main axes."""
        learner, near = self.learner, self.near
        if learner is not None and near is not None and near.serves(learner.latents):
            return near_plane(near, learner)
        return self.plane

    def images_came(self) -> None:
        """Images were encoded: they are looked at when the project is next woken."""
        self.fresh = False

    def _take_in(self, store: Store, setup: Setup) -> bool:
        cases = count_cases(store, self.project)
        if cases != self._cases:
            self._cases = cases
            if self.setup is not None:  # the first look finds out whether any is missing
                self._have_encoded(store)
        mark = mark_of(store, self.project, setup)
        grouped = self.fresh and grouped_since(store, self.project, self.heard.until)
        if grouped:  # others test now: the curve is drawn anew
            self._drawn = -1, -1
        if grouped or self.setup != setup or self.heard.mark != mark or not self.fresh:
            self.setup, self.heard = setup, reads_so_far(store, self.project, setup)
            self._begin(store, setup)
            return True
        touched = read_on(store, self.project, setup, self.heard)
        if self.learner is not None:
            for case, votes in self.heard.votes(setup, touched).items():
                self.learner = with_label(self.learner, case, votes)
        self.until = self.heard.until
        return bool(touched)

    def _begin(self, store: Store, setup: Setup) -> None:
        """Everything anew: another protocol, other images, reads set aside or settled."""
        self.fresh = True
        latents = latents_of(store, self.project)
        if latents is None or latents.waiting or latents.partial:
            self._have_encoded(store)
        if latents is None or len(latents.cases) < 2:
            self.learner = None
            return
        alike = duplicates_of(latents)
        share = setup.wishes.held_back if setup.modelled else 0.0
        groups = groups_of(latents, alike)
        asked = list_asked(store, self.project)
        held = held_back(self.project, latents, groups, share=share, asked=asked)
        unseen = unseen_by_encoders(self.project, latents)
        begun = begin_learner(setup, latents, held, unseen=unseen)
        learner = taught_by(begun, self.heard.votes(setup))
        self.learner = tuned_learner(learner) if learner.can_choose else learner
        self.alike, self.until = alike, self.heard.until
        self.groups = int(groups.max()) + 1
        self.plane = plane_of(latents.values)
        chosen = last_choice(store, self.project)
        self._compared = max(self._compared, chosen.labels if chosen else 0)

    def _have_encoded(self, store: Store) -> None:
        """Once for what is there: what fails is tried again by hand, or when more cases come."""
        if self._encoded != self._cases and self.encode(store, self.project):
            self._encoded = self._cases

    def _have_compared(self, store: Store, setup: Setup) -> None:
        """When labels have grown by half since encoders were compared: others may win by now."""
        if self.compare is None or self.learner is None or not setup.modelled:
            return
        if self.learner.taught >= max(_COMPARED, 1.5 * self._compared):
            self._compared = self.learner.taught
            self.compare(store, self.project)

    def _ask(self, store: Store, setup: Setup) -> int:
        known = last_asked(store, self.project)  # first: what is asked from here on is a conflict
        asked, there = list_asked(store, self.project), waiting(store, self.project)
        shut = self.refused | self.heard.said.keys() | self._certified(store, setup)
        if there.untouched - asked.keys() and self._withdraw_strangers(store, there, asked):
            there = waiting(store, self.project)
        if loop_state(store, self.project).state == STOPPED:
            wanted = Wanted((), tuple(sorted(there.untouched & asked.keys())))
        elif self.learner is None:
            facts = list_facts(store, self.project)
            cases = [(one.id, one.group or one.id) for one in facts]
            wanted = want_blind(self.project, cases, setup.wishes, there, asked, shut=shut)
        else:
            wanted = want(
                self.project, self.learner, there, asked,
                shut=shut, alike=self.alike,
                doubt=self._doubts(store, setup, asked),
                to_test=self.progress.to_test if self.progress else 0,
            )  # fmt: skip
        if not wanted.cases and not wanted.unwanted:
            return 0
        again = self._ask_again(store, wanted, there)
        cases = _without_last(wanted.cases, again)
        try:
            opened = ask_cases(
                store, self.project, cases, unwanted=wanted.unwanted,
                reads=setup.reads, labels=len(self.heard.said), known=known,
            )  # fmt: skip
        except ConflictError:  # another server on this database was first: by its choice, next time
            return again
        self.refused |= {case for case, _ in cases} - opened
        return len(opened) + again

    def _ask_again(self, store: Store, wanted: Wanted, there: Waiting) -> int:
        """Reads of old cases that tell more than the new ones; by readers who are at work."""
        models, learner = self.heard.models, self.learner
        new = [case for case, why in wanted.cases if why == "model"]
        if not (models and learner and new and there.readers):
            return 0
        busy = kept_open(store, self.project)
        readers = sorted(one for one in there.readers if not busy.get(one))
        cases = [*self.heard.said]
        taken = places(store, cases).taken | barred(store, self.project)
        found = read_again(
            learner, models, self.heard.said, new,
            readers=readers, seconds=self.heard.pace(), shut=frozenset(taken),
        )  # fmt: skip
        one_each = {reader: case for case, reader in reversed(found)}
        return ask_again(store, self.project, [(case, who) for who, case in one_each.items()])

    def _certified(self, store: Store, setup: Setup) -> frozenset[str]:
        """Cases whose auto-label a certificate stands for: a read would take them out of it."""
        run = standing_run(store, self.project, setup.question.id)
        if run is None or run.state != CERTIFIED:
            return frozenset()
        if self._papers[0] != run.id:
            autos = standing_autos(store, self.project, setup.question.id)
            self._papers = run.id, frozenset(one.case for one in autos.values() if one.certificate)
        return self._papers[1]

    def _doubts(
        self, store: Store, setup: Setup, asked: Mapping[str, Asked]
    ) -> dict[str, float] | None:
        """Of drawings, how unsure pre-labels are of cases that were not asked for: some, by lot."""
        if setup.modelled or self.learner is None:
            return None
        last = last_pre_label(store, self.project)
        if not last:
            return None
        if last != self._doubted[0]:
            rng = np.random.default_rng(last)
            free = [case for case in self.learner.latents.cases if case not in asked]
            chosen = [free[at] for at in rng.permutation(len(free))[:_LOOKED_AT]]
            self._doubted = last, doubts(store, setup.question, chosen)
        return self._doubted[1]

    def _withdraw_strangers(self, store: Store, there: Waiting, asked: Mapping[str, Asked]) -> int:
        """Slots that were opened before the project learned: all cases would be read, in a row."""
        strangers = sorted(there.untouched - asked.keys() - gold_cases(store, self.project))
        for start in range(0, len(strangers), _TOGETHER):
            ask_cases(store, self.project, (), unwanted=strangers[start : start + _TOGETHER])
        return len(strangers)

    def _learn(self, store: Store, setup: Setup) -> None:
        """What takes a second or more, after the next case is in the queue."""
        if self.learner is None:
            return
        if self.heard.know_readers(setup):  # all labels, as their readers turned out to be
            self.learner = taught_by(self.learner, self.heard.votes(setup))
        if self.learner.can_choose and self.learner.stale:
            self.learner = tuned_learner(self.learner)
        labels, drawn = len(self.learner.heard), self._drawn[0]
        other = self.progress is None or self.progress.setup != setup
        if other or labels >= _GROWTH * drawn or labels < drawn:
            self._drawn = labels, self.until
            paces = paces_of(
                store, self.project, setup.wishes, self.heard.seconds(), reads=setup.reads
            )
            self.progress = learned_so_far(self.learner, self.heard.order, paces=paces)


def _without_last(cases: Sequence[tuple[str, str]], count: int) -> list[tuple[str, str]]:
    """New cases, less the last ones that the model chose: others are read in their place."""
    by_model = [one for one in cases if one[1] == "model"]
    gone = set(by_model[len(by_model) - count :]) if count else set()
    return [one for one in cases if one not in gone]

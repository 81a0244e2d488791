"""Which chain of encoders a project uses: compared on labels held back, told by the log.

The labels that teach are held back in turn, whole patients and near-duplicates at a time, and each
counts as it stands for all cases, since the model chose them for being hard. Cases set apart to
test the model and cases of an audit are left out: what they are to show must not have chosen the
encoder. A network that was trained further has seen labels; where it is compared, only labels of
patients that no network ever learns from are held back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from overread.app.learning.case_latents import (
    CaseLatents,
    chain_in_use,
    latents_of,
    parts_of,
    serving,
)
from overread.app.learning.learner import Learner, probabilities_of, tuned_learner
from overread.app.learning.predicted import learned
from overread.app.learning.project_encoder import (
    BROUGHT,
    FINETUNED,
    PRETRAINED,
    QUICK,
    SIMCLR,
    kind_of,
)
from overread.app.learning.seen_labels import has_learned, may_have_seen, shown_to_networks
from overread.app.learning.set_apart import groups_of
from overread.arrays import Bools, Floats, Ints
from overread.errors import MethodError
from overread.labels import Kind
from overread.latents.choose import LEAST_HELD, LEAST_LABELS, ChosenChain, choose_encoders
from overread.selection.basis import features_of
from overread.selection.belief import belief_of
from overread.selection.tune import fair_weights, left_out_field
from overread.store import Store
from overread.store.learning.audits import cases_of_audit, list_audits
from overread.store.learning.encoders import ChoiceRow, keep_choice, last_choice

_MOST = 1_500  # labels that are compared, by lot


@dataclass(frozen=True, slots=True, eq=False)
class Teaching:
    """Labels that may be used to compare encoders, or to train one further.

    Args:
        cases: ids.
        votes: (findings, labels, classes).
        groups: (labels,) codes of patients and near-duplicates.
        weight: (labels,) how much each stands for the pool.
        shown: (labels,) a network may learn from it; hidden: no near-duplicate of it may be shown.
        ordinal: the classes are grades.
    """

    cases: tuple[str, ...]
    votes: Floats
    groups: Ints
    weight: Floats
    shown: Bools
    hidden: Bools
    ordinal: bool


def teaching(store: Store, project: str) -> Teaching:
    """The labels that teach, cases of audits left out.

    Raises:
        MethodError: there is no model yet, and why.
    """
    learner, _ = learned(store, project)
    if not learner.can_choose:
        raise MethodError("two classes must have labels before there is a model; one has so far")
    learner = tuned_learner(learner)
    latents = learner.latents
    audited = {
        case for one in list_audits(store, project) for case in cases_of_audit(store, one.id)
    }
    every = sorted({row for pool in learner.pools for row in pool.votes})
    full = [
        row for row in every
        if latents.cases[row] not in audited and all(row in pool.votes for pool in learner.pools)
    ]  # fmt: skip
    drawn = np.random.default_rng(0).permutation(len(full))[:_MOST]
    rows = np.array(full, dtype=np.int64)[np.sort(drawn)]
    groups = groups_of(latents)
    may = shown_to_networks(project, latents.groups)
    mixed = np.isin(groups, groups[may_have_seen(project, latents)])
    votes = np.array([[pool.votes[int(row)] for row in rows] for pool in learner.pools])
    return Teaching(
        tuple(latents.cases[row] for row in rows.tolist()), votes, groups[rows],
        _weights(learner, rows), may[rows], ~mixed[rows],
        learner.setup.question.kind is Kind.ORDINAL,
    )  # fmt: skip


def _weights(learner: Learner, rows: Ints) -> Floats:
    """Labels chosen for being hard, weighed so that they stand for the pool."""
    made = np.ones(len(rows))
    for part, pool in enumerate(learner.pools):
        taught = np.array(sorted(pool.votes), dtype=np.int64)
        votes = np.array([pool.votes[int(row)] for row in taught])
        features = features_of(pool.latents[taught], pool.basis)
        now = pool.settings
        field = left_out_field(features, votes, now, [now.variance])[0]
        own = belief_of(field, now).mean.max(axis=1)
        every = probabilities_of(learner, part).max(axis=1)
        fair = fair_weights(np.asarray(own), np.asarray(every))
        made *= fair[np.searchsorted(taught, rows)]
    return np.asarray(made ** (1 / len(learner.pools)))


def candidates(now: Sequence[str], parts: Sequence[str]) -> list[tuple[str, ...]]:
    """Chains to compare: the one in use first, so that it stays where it makes no difference.

    Args:
        now: the chain in use.
        parts: that there are.
    Returns:
        Quick latents, with or without the pretrained network, and with each that was trained here
        or brought, or all of them; short ones before long ones.
    """
    bases = [(QUICK,), (QUICK, PRETRAINED)] if PRETRAINED in parts else [(QUICK,)]
    others = [part for part in parts if kind_of(part) in {SIMCLR, FINETUNED, BROUGHT}]
    more = [(), *((part,) for part in others), tuple(others)]
    found = [(*base, *one) for base in bases for one in dict.fromkeys(more)]
    return list(dict.fromkeys([tuple(now), *sorted(found, key=len)]))


def choose_for_project(store: Store, project: str) -> ChoiceRow:
    """Compare the chains that there are, take over the one that wins, and keep it in the log.

    Raises:
        MethodError: too few labels, or too few that no network has learned from; the images are
            not encoded yet; or there is nothing to compare.
    """
    now = chain_in_use(store, project)
    wanted = parts_of(store, project)
    there = serving(store, project, wanted)
    parts = [part for part in wanted if part in there and there[part].ready]
    if set(now) - set(parts):
        raise MethodError("the images are not encoded yet; wait for them")
    if len(parts) < 2:
        raise MethodError(
            "there is one encoder alone; train another, or install the extra encoders"
        )
    labels = teaching(store, project)
    every = latents_of(store, project, parts)
    if every is None:
        raise MethodError("the images are not encoded yet; wait for them")
    labels, columns = _columns(every, labels)
    found = _compared(columns, candidates(now, parts), labels)
    if set(found.chain) - set(parts_of(store, project)):
        raise MethodError("an encoder was removed while they were compared; compare again")
    keep_choice(
        store, project, found.chain, before=now, labels=len(labels.cases), reason=found.reason,
        scores=[
            {"chain": list(one.chain), "loss": one.mean, "accuracy": one.accuracy,
             "held": len(one.loss)}
            for one in found.scores
        ],
    )  # fmt: skip
    chosen = last_choice(store, project)
    if chosen is None:
        raise MethodError("the choice was not kept")
    return chosen


def _columns(
    every: CaseLatents, labels: Teaching
) -> tuple[Teaching, dict[str, NDArray[np.float32]]]:
    """The labels of cases that have all latents, and these by part."""
    row = {case: at for at, case in enumerate(every.cases)}
    kept = np.array([case in row for case in labels.cases], dtype=np.bool_)
    left = Teaching(
        tuple(case for case in labels.cases if case in row), labels.votes[:, kept],
        labels.groups[kept], labels.weight[kept], labels.shown[kept], labels.hidden[kept],
        labels.ordinal,
    )  # fmt: skip
    rows = np.array([row[case] for case in left.cases], dtype=np.int64)
    ends = np.cumsum([width for _, width in every.widths])
    columns = {
        part: every.values[rows, end - width : end]
        for (part, width), end in zip(every.widths, ends.tolist(), strict=True)
    }
    return left, columns


def _compared(
    columns: dict[str, NDArray[np.float32]], chains: list[tuple[str, ...]], labels: Teaching
) -> ChosenChain:
    """By labels held back in turn; where a network has seen labels, by those that none has seen."""
    if len(labels.cases) < LEAST_LABELS:
        told = f"{LEAST_LABELS} labels that teach are needed to compare encoders"
        raise MethodError(f"{told}; there are {len(labels.cases)}")
    # a chance of 1 in 20 that any of the others wins by luck alone
    wins_by = float(ndtri(1 - 0.05 / max(len(chains) - 1, 1)))
    if any(has_learned(one) for one in chains):
        use = labels.shown | labels.hidden
        hidden = int(labels.hidden.sum())
        if hidden < LEAST_HELD:
            told = f"{LEAST_HELD} labels that no network has learned from are needed to compare"
            raise MethodError(f"{told}; there are {hidden}")
        votes, groups = labels.votes[:, use], labels.groups[use]
        some = {part: values[use] for part, values in columns.items()}
        return choose_encoders(
            some, chains, votes, groups=groups, ordinal=labels.ordinal,
            weight=labels.weight[use], only=labels.hidden[use], wins_by=wins_by,
            learned=[part for part in columns if has_learned([part])],
        )  # fmt: skip
    return choose_encoders(
        columns, chains, labels.votes, groups=labels.groups, ordinal=labels.ordinal,
        weight=labels.weight, wins_by=wins_by,
    )  # fmt: skip

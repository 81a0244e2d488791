"""How sure a label of each class had to be, and what that takes in, as it is kept with a run."""

from __future__ import annotations

import numpy as np
import pytest

from overread.app.learning.class_thresholds import class_thresholds, told_by_class
from overread.selection.certificate.freeze import Frozen, expected_errors, freeze
from overread.store.canonical import json_object

CLASSES = ("common", "rare", "never")


@pytest.fixture(scope="module")
def rare() -> tuple[Frozen, np.ndarray, np.ndarray]:
    """A model that is right where it says the common class, and often wrong at the rare one."""
    rng = np.random.default_rng(3)
    label = (rng.uniform(size=600) < 0.2).astype(int)
    sure = rng.uniform(0.55, 0.999, 600)
    table = np.zeros((600, 3))
    table[np.arange(600), label] = sure
    table[np.arange(600), 1 - label] = 1 - sure
    known_label = (rng.uniform(size=400) < 0.3).astype(int)
    known = rng.uniform(0.55, 0.999, 400)
    right = rng.uniform(size=400) < np.where(known_label == 1, known - 0.3, 0.5 + known / 2)
    weight = np.ones(400)
    made = freeze(
        np.arange(600), table, target=0.1, known_confidence=known, known_right=right,
        known_weight=weight, known_label=known_label, aims=(0.6, 1.0),
    )  # fmt: skip
    error = expected_errors(sure, known, right, weight, label=label, known_label=known_label)
    return made, error, sure


def test_each_class_is_told_as_the_labels_have_it(rare) -> None:
    made, error, sure = rare
    told = told_by_class(made, error, CLASSES)
    settings = json_object("settings", {"classes": list(CLASSES), "by_class": told})
    lines = class_thresholds(settings)
    assert [one.name for one in lines] == list(CLASSES)
    for code, one in enumerate(lines[:2]):
        taken = (made.label == code) & (made.tier >= 0)
        assert (one.said, one.taken) == (int((made.label == code).sum()), int(taken.sum()))
        if not one.taken:
            assert (one.least, one.error) == (None, None)
            continue
        # it is the threshold: all at or above it are taken, none below
        own = made.label == code
        assert one.least is not None
        np.testing.assert_array_equal(taken[own], sure[own] >= one.least)
        assert one.error == pytest.approx(error[taken].mean())
        assert one.error <= 0.1
    common, few, never = lines
    assert common.taken > 0
    assert few.taken < 0.5 * few.said  # not taken on the record of the common class
    assert (never.said, never.least, never.taken, never.error) == (0, None, 0, None)


def test_where_none_is_taken_and_where_none_is_kept(rare) -> None:
    made, _, _ = rare
    none = Frozen(
        made.rows, made.label, np.full_like(made.tier, -1), np.full((1, 3), 2.0), made.digest
    )  # fmt: skip
    told = told_by_class(none, None, CLASSES)
    lines = class_thresholds({"classes": CLASSES, "by_class": told})
    assert {(one.least, one.taken, one.error) for one in lines} == {(None, 0, None)}
    assert sum(one.said for one in lines) == 600
    assert class_thresholds({"classes": CLASSES}) == ()  # a run of an older program, or of sets

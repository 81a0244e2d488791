"""Doubt where labels are sure, information about other cases where they are not."""

from __future__ import annotations

import numpy as np

from overread.arrays import Ints
from overread.selection.acquisition.epig import epig
from overread.selection.acquisition.spread import margin_cluster
from overread.selection.acquisition.view import View

NOISY = 0.5
"""Labels count as noisy where more than half of the answer would stay open for ever."""


def noise_share(view: View) -> float:
    """How open answers would stay if the model were known: expected entropy over ln classes.

    That part of the doubt is of the images and their readers, not of the model: no label of
    such a case takes it away. About .15 where one answer in 25 is wrong, .7 for fine grades.
    """
    if not view.open.any():
        return 0.0
    stays = float(view.belief.expected_entropy[view.open].mean())
    return stays / float(np.log(view.belief.mean.shape[1]))


def adaptive(view: View, count: int, rng: np.random.Generator) -> Ints:
    """EPIG while labels are noisy, margin and clusters where they are not.

    A small margin is a sign of ignorance only where labels are sure; where neighbouring grades
    are told apart by chance it asks for noise. The model's own split of its doubt decides.
    """
    choose = epig if noise_share(view) > NOISY else margin_cluster
    return choose(view, count, rng)

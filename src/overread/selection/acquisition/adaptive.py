"""Functions that change with what the model knows: each names the one to ask now."""

from __future__ import annotations

import numpy as np

from overread.selection.acquisition.scores import bald
from overread.selection.acquisition.view import View
from overread.selection.belief import entropy_of

NOISY = 0.5
"""Labels count as noisy where more than half of the answer would stay open for ever."""

IGNORANT = 1 / 3
"""The model counts as ignorant where labels would take more than a third of its doubt away."""


def noise_share(view: View) -> float:
    """How open answers would stay if the model were known: expected entropy over ln classes.

    That part of the doubt is of the images and their readers, not of the model: no label of
    such a case takes it away. About .15 where one answer in 25 is wrong, .7 for fine grades.
    """
    if not view.open.any():
        return 0.0
    stays = float(view.belief.expected_entropy[view.open].mean())
    return stays / float(np.log(view.belief.mean.shape[1]))


def ignorance(view: View) -> float:
    """Share of the doubt that is the model's own, and not the images': information over entropy.

    Over the open cases. About .5 with the first 20 labels of chest X-ray, .1 with 200; of fine
    grades seldom above .2: there the images themselves are doubtful.
    """
    doubt = float(entropy_of(view.belief.mean)[view.open].sum())
    return float(bald(view.belief)[view.open].sum()) / doubt if doubt > 0 else 0.0


def adaptive(view: View) -> str:
    """EPIG while labels are noisy, margin and clusters where they are not.

    A small margin is a sign of ignorance only where labels are sure; where neighbouring grades
    are told apart by chance it asks for noise. The model's own split of its doubt decides.
    """
    return "epig" if noise_share(view) > NOISY else "margin-cluster"


def bald_first(view: View) -> str:
    """BALD while the model knows little, margin and clusters when it knows more.

    With few labels the boundary between classes is not where the model has it, and cases near it
    tell little; what the label tells about the model counts. Later that is little everywhere.
    """
    return "bald" if ignorance(view) > IGNORANT else "margin-cluster"

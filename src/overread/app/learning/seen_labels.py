"""Whose labels a network may learn from, and of which cases none of those in use has.

Labels that a network has learned from look easier to it than other cases are: they compare no
encoders, and do not tell how sure the model on its latents may be.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from overread.app.learning.case_latents import CaseLatents
from overread.app.learning.project_encoder import FINETUNED, kind_of
from overread.app.learning.set_apart import lot
from overread.arrays import Bools

NEVER_SHOWN = 0.25
"""Share of the patients whose labels no network learns from: they compare networks."""


def shown_to_networks(project: str, groups: Sequence[str]) -> Bools:
    """(cases,) whose labels a network may learn from: by patient, by lot, the same for good."""
    drawn = [lot(project, f"network {group}") >= NEVER_SHOWN for group in groups]
    return np.array(drawn, dtype=np.bool_)


def unseen_by_encoders(project: str, latents: CaseLatents) -> Bools:
    """(cases,) of whose labels no encoder of these latents has learned."""
    if not has_learned([part for part, _ in latents.widths]):
        return np.ones(len(latents.cases), dtype=np.bool_)
    return ~may_have_seen(project, latents)


def may_have_seen(project: str, latents: CaseLatents) -> Bools:
    """(cases,) shown to networks, by the patient of now or by that of the last training."""
    now = shown_to_networks(project, latents.groups)
    return now | shown_to_networks(project, latents.trained_as) if latents.trained_as else now


def has_learned(chain: Sequence[str]) -> bool:
    """Whether any encoder of a chain has learned from labels of the project."""
    return any(kind_of(part) == FINETUNED for part in chain)

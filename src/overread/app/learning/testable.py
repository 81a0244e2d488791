"""Whether the model of a project can be tested, and what to do where it cannot."""

from __future__ import annotations

from overread.app.learning.loop import ProjectLearning
from overread.app.learning.progress import LEAST_TESTED
from overread.app.learning.set_apart import LEAST_GROUPS

_NO_ADVICE = "so nothing tells how good the model is, or when to stop"


def not_testable(loop: ProjectLearning | None) -> str:
    """Why no advice can come with the cases that there are, and the remedy; "" where it can."""
    setup, learner = (loop.setup, loop.learner) if loop else (None, None)
    if loop is None or setup is None or learner is None or not setup.modelled:
        return ""
    cases = int(learner.held.sum())
    if cases >= LEAST_TESTED:
        return ""
    more = "Import images of more patients"
    if cases:
        are = "1 case is" if cases == 1 else f"{cases} cases are"
        return (
            f"{are} set apart to test, and {LEAST_TESTED} test labels are "
            f"needed before anything is advised. {more}, or set more apart under Settings."
        )
    if loop.groups >= LEAST_GROUPS:
        return f"Every patient has taught the model, {_NO_ADVICE}. {more}."
    patients = "1 patient" if loop.groups == 1 else f"{loop.groups} patients"
    return (
        f"The images are of {patients} (near-duplicates count as one), and {LEAST_GROUPS} are "
        f"needed to set one apart to test, {_NO_ADVICE}. {more}; if the images are of more "
        "patients already, import them again with a table that says of whom."
    )

"""Temperature of what is said of findings: held-out reads, and how far few can be trusted."""

from __future__ import annotations

import numpy as np

from overread.consensus.calibration import INDEPENDENCE, Temperature
from overread.consensus.existence import held_out_temperature
from overread.consensus.marks import Marks
from overread.consensus.sites import Sites

UNCALIBRATED = Temperature(1.0, "none", 0, "off: tau is 1")
"""The temperature of a posterior that is left as it is."""

_FEW_MARKS = 1.5
"""Marks a reader at which the fit is believed by half: what so few say of the readers is as
uncertain as what the readers say of a finding."""

_ENOUGH_READS = 2.0  # a case, up to which INDEPENDENCE counts in full


def finding_temperature(marks: Marks, sites: Sites) -> Temperature:
    """Temperature at which existence and class mean what they say.

    The one at which held-out reads are best predicted, but no higher than few marks, or few reads a
    case, allow: two readers who agree on where to look cannot show that they err together
    (:data:`overread.consensus.calibration.INDEPENDENCE`). That fades as 2 / reads a case,
    squared; a missing mark is an answer too, so that findings need fewer reads than classes.

    Args:
        marks: reads and clusters.
        sites: the fitted model.
    """
    tau, used = held_out_temperature(marks, sites)
    if not used:
        words = "no case has reads of two readers, so that no read can be held out: tau is 1"
        return Temperature(1.0, "none", 0, words)
    reads = float((marks.weight.sum(axis=1) * _cases(marks)).sum())
    a_case = reads / max(float(_cases(marks).sum()), 1.0)
    readers = int((np.bincount(marks.weight.indices, minlength=marks.weight.shape[1]) > 0).sum())
    a_reader = float((marks.share * marks.row_count[marks.entry_row]).sum()) / max(readers, 1)
    by_reads = 1 - (1 - INDEPENDENCE) * min(1.0, (_ENOUGH_READS / a_case) ** 2)
    cap = by_reads * a_reader / (a_reader + _FEW_MARKS)
    if tau <= cap:
        return Temperature(tau, "held-out reads", int(used), f"fitted to {used:.0f} held-out reads")
    words = (
        f"{used:.0f} held-out reads say {tau:.2f}, but {a_reader:.0f} marks a reader and "
        f"{a_case:.1f} reads a case cannot show how far readers err together: {cap:.2f}. "
        "Gold answers would tell"
    )
    return Temperature(cap, "few reads", int(used), words)


def _cases(marks: Marks) -> np.ndarray:
    """(patterns,) cases of each."""
    pattern, _, times = marks.richness.T
    return np.bincount(pattern, weights=times, minlength=marks.weight.shape[0])

"""What an acquisition function sees of the pool."""

from __future__ import annotations

from dataclasses import dataclass

from overread.arrays import Bools, Floats
from overread.selection.belief import Belief
from overread.selection.process import Process


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """The candidates as an acquisition function sees them; nothing in it is written to.

    Args:
        belief: about every candidate, (cases, classes) and the like.
        places: (cases, latents) where "alike" is measured.
        open: (cases,) may be asked.
        labelled: (cases,) has a label; such a case may be neither open nor asked again.
        features: (cases, features) of the process, for functions that look at several cases.
        process: the model itself.
        single: the belief is that of ``process``, and not put together of several.
        awaited: (cases,) asked for and not labelled yet: what is chosen now is read beside them.
            None where none is.
    """

    belief: Belief
    places: Floats
    open: Bools
    labelled: Bools
    features: Floats
    process: Process
    single: bool = True
    awaited: Bools | None = None

"""What a protocol wants of answers that a model proposes: its ``pre_label:`` block."""

from __future__ import annotations

from dataclasses import dataclass

HIDDEN, ON_DEMAND, SHOWN = "hidden", "on demand", "shown"
SHOW = (HIDDEN, ON_DEMAND, SHOWN)
"""Never; when the reader asks for it; at once."""


@dataclass(frozen=True, slots=True)
class PreLabel:
    """Whether readers see what a model proposes; by default they do not.

    Args:
        show: of :data:`SHOW`.
        keep_hidden: share of the cases, drawn by lot, whose pre-label is never shown, so that its
            influence on readers can be measured.
        hints: readers may look at places that stand out (object discovery), never an answer.
    """

    show: str = HIDDEN
    keep_hidden: float = 0.2
    hints: bool = False

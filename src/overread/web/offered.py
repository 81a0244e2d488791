"""What models said when they were asked to label the rest, kept until it is frozen."""

from __future__ import annotations

from dataclasses import dataclass, field

from overread.app.learning.freeze_labels import Offer, Proposals


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What a model said when it was asked. Args: given: its answers; offers: by target."""

    given: Proposals
    offers: tuple[Offer, ...]


@dataclass(slots=True, eq=False)
class Offered:
    """What the model of each project said last, until it is frozen. Args: by_project: by id."""

    by_project: dict[str, Told] = field(default_factory=dict[str, Told])

"""Which encoders a project uses, why, and what could be trained: in words, for the page."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass

from overread.app.learning.case_latents import chain_in_use
from overread.app.learning.project_encoder import (
    FINETUNED,
    PRETRAINED,
    QUICK,
    SIMCLR,
    kind_of,
    trained_part,
)
from overread.store import Store
from overread.store.learning.encoders import (
    BEGUN,
    DONE,
    TrainedRow,
    TrainingRow,
    last_choice,
    list_trained,
    list_trainings,
)

WORDS = {
    QUICK: "quick",
    PRETRAINED: "EfficientNet-Lite0",
    SIMCLR: "SimCLR on these images",
    FINETUNED: "trained further on the labels",
}
"""Parts of a chain, for people."""


@dataclass(frozen=True, slots=True)
class ChainLine:
    """A chain that was compared. Args: used: it is the one in use."""

    words: str
    loss: float
    accuracy: float
    used: bool


@dataclass(frozen=True, slots=True)
class EncoderBoard:
    """What the page shows of encoders.

    Args:
        used: the chain in use; reason: why; since: when it was chosen, "" before any choice.
        lines: all that were compared then, best first; labels: that it rests on.
        trained: each encoder trained here, newest of its kind, in words.
        halted: trainings that were stopped or failed, and can go on.
        installed: the packages that train are there.
    """

    used: str
    reason: str
    since: str
    lines: tuple[ChainLine, ...]
    labels: int
    trained: tuple[tuple[str, str], ...]
    halted: tuple[TrainingRow, ...]
    installed: bool


def encoder_board(store: Store, project: str) -> EncoderBoard:
    """What is used, and what was compared."""
    chosen, used = last_choice(store, project), chain_in_use(store, project)
    trained = list_trained(store, project)
    newest = {trained_part(one.kind, one.file) for one in trained}
    lines = tuple(
        ChainLine(
            chain_words(one["chain"], newest), one["loss"], one["accuracy"],
            tuple(one["chain"]) == used,
        )
        for one in sorted(chosen.scores if chosen else (), key=lambda one: float(one["loss"]))
    )  # fmt: skip
    reason = "All that comes installed, until labels can tell: 60 that teach."
    if chosen is not None:
        held = int(chosen.scores[0].get("held", chosen.labels)) if chosen.scores else 0
        reason = _reason(chosen.before != chosen.chain, held)
    halted = [one for one in list_trainings(store, project) if one.state not in {BEGUN, DONE}]
    return EncoderBoard(
        chain_words(used, newest), reason, chosen.since if chosen else "", lines,
        chosen.labels if chosen else 0, tuple((WORDS[one.kind], _about(one)) for one in trained),
        tuple(halted), importlib.util.find_spec("torch") is not None,
    )  # fmt: skip


def chain_words(chain: Sequence[str], newest: set[str]) -> str:
    """A chain for people. Args: newest: trained parts that no later training replaced."""
    told = []
    for part in chain:
        old = part not in newest and ":" in part
        told.append(WORDS.get(kind_of(part), "another") + (" (an earlier training)" if old else ""))
    return " + ".join(told)


def _reason(moved: bool, held: int) -> str:
    if not held:
        return "Nothing could be compared."
    if moved:
        return f"It won on {held} labels held back, by more than luck explains."
    return f"No other was better on {held} labels held back by more than luck explains."


def _about(one: TrainedRow) -> str:
    about = one.about
    took = float(about.get("seconds", 0)) / 60
    if one.kind == SIMCLR:
        return f"{about.get('images', 0):,} images, {about.get('epochs', 0)} epochs, {took:.0f} min"
    return f"{about.get('labels', 0):,} labels, {about.get('steps', 0)} steps, {took:.0f} min"

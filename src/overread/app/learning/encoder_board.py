"""Which encoders a project uses, why, and what was trained or brought: in words, for the page."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from overread.app.learning.bring_encoder import brought
from overread.app.learning.case_latents import chain_in_use, serving
from overread.app.learning.project_encoder import (
    BROUGHT,
    FINETUNED,
    PRETRAINED,
    QUICK,
    SIMCLR,
    file_of,
    kind_of,
    listed_part,
)
from overread.store import Blobs, Store
from overread.store.learning.encoders import (
    BEGUN,
    DONE,
    TrainedRow,
    TrainingRow,
    count_latents,
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
class BroughtLine:
    """An encoder that was brought.

    Args:
        kind: of its row; name, since: for people.
        about: what it takes, gives and costs, in words.
        version: hash of all that decides its latents; file: SHA-256 of the ONNX file.
        used: it is part of the chain in use.
        ready: all images have its latents; encoded: how many, until then.
        gone: its file is not among the blobs.
    """

    kind: str
    name: str
    since: str
    about: str
    version: str
    file: str
    used: bool
    ready: bool
    encoded: int
    gone: bool


@dataclass(frozen=True, slots=True)
class EncoderBoard:
    """What the page shows of encoders.

    Args:
        used: the chain in use; reason: why; since: when it was chosen, "" before any choice.
        lines: all that were compared then, best first; labels: that it rests on.
        trained: each encoder trained here, newest of its kind, in words.
        brought: each that a lead brought.
        lost: names of encoders in use whose file is gone.
        halted: trainings that were stopped or failed, and can go on.
        installed: the packages that train are there.
    """

    used: str
    reason: str
    since: str
    lines: tuple[ChainLine, ...]
    labels: int
    trained: tuple[tuple[str, str], ...]
    brought: tuple[BroughtLine, ...]
    lost: tuple[str, ...]
    halted: tuple[TrainingRow, ...]
    installed: bool


def encoder_board(store: Store, blobs: Blobs, project: str) -> EncoderBoard:
    """What is used, and what was compared."""
    chosen, used = last_choice(store, project), chain_in_use(store, project)
    listed = list_trained(store, project)
    names = {listed_part(one): name_of(one) for one in listed}
    lines = tuple(
        ChainLine(
            chain_words(one["chain"], names), one["loss"], one["accuracy"],
            tuple(one["chain"]) == used,
        )
        for one in sorted(chosen.scores if chosen else (), key=lambda one: float(one["loss"]))
    )  # fmt: skip
    reason = "All that comes installed, until labels can tell: 60 that teach."
    if chosen is not None:
        reason = chosen.reason
        if chosen.scores:
            held = int(chosen.scores[0].get("held", chosen.labels))
            reason = _reason(chosen.before != chosen.chain, held)
    halted = [one for one in list_trainings(store, project) if one.state not in {BEGUN, DONE}]
    here = tuple((name_of(one), _about(one)) for one in listed if one.kind in WORDS)
    lost = [part for part in used if file_of(part) and not blobs.has(file_of(part))]
    return EncoderBoard(
        chain_words(used, names), reason, chosen.since if chosen else "", lines,
        chosen.labels if chosen else 0, here, _brought(store, blobs, project, used),
        tuple(chain_words([part], names) for part in lost), tuple(halted),
        importlib.util.find_spec("torch") is not None,
    )  # fmt: skip


def name_of(one: TrainedRow) -> str:
    """An encoder that was trained here or brought, for people."""
    return WORDS.get(one.kind) or str(one.about.get("name", "another"))


def chain_words(chain: Sequence[str], names: Mapping[str, str]) -> str:
    """A chain for people. Args: names: of the parts that are listed."""
    return " + ".join(names.get(part) or _unlisted(part) for part in chain)


def _unlisted(part: str) -> str:
    """A part that comes installed, or that is no longer on the list."""
    if kind_of(part) == BROUGHT:
        return "one that was removed"
    old = " (an earlier training)" if file_of(part) else ""
    return WORDS.get(kind_of(part), "another") + old


def _brought(
    store: Store, blobs: Blobs, project: str, used: Sequence[str]
) -> tuple[BroughtLine, ...]:
    rows = brought(list_trained(store, project))
    there = serving(store, project, [listed_part(one) for one in rows])
    made: list[BroughtLine] = []
    for one in rows:
        about, part = one.about, listed_part(one)
        colours = "colour" if about["channels"] == 3 else "grey"
        slow = float(about["milliseconds"])
        took = f"{slow:,.0f} ms" if slow >= 1 else "less than 1 ms"
        words = (
            f"{about['side']} x {about['side']} pixels, {colours}, input scale {about['scale']}; "
            f"{about['latents']:,} values, {took} an image"
        )
        ready = part in there and there[part].ready
        encoded = 0
        if part in there and not ready:
            encoded, _ = count_latents(store, project, [there[part].version])
        gone = not blobs.has(one.file)
        made.append(
            BroughtLine(
                one.kind, str(about["name"]), one.since, words, str(about["version"]), one.file,
                part in used, ready, encoded, gone,
            )
        )  # fmt: skip
    return tuple(made)


def _reason(moved: bool, held: int) -> str:
    if moved:
        return f"It won on {held} labels held back, by more than luck explains."
    return f"No other was better on {held} labels held back by more than luck explains."


def _about(one: TrainedRow) -> str:
    about = one.about
    took = float(about.get("seconds", 0)) / 60
    if one.kind == SIMCLR:
        return f"{about.get('images', 0):,} images, {about.get('epochs', 0)} epochs, {took:.0f} min"
    return f"{about.get('labels', 0):,} labels, {about.get('steps', 0)} steps, {took:.0f} min"

"""Networks that see the images of one project: trained on them without labels, or on its labels.

Both come out as ONNX, kept as a blob; the log tells of them. Whether they are used is decided by
the labels held back (:mod:`overread.app.learning.encoder_choice`), not here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.app.learning.case_latents import Tick, any_colour, pictures_of, sample_of
from overread.app.learning.encoder_choice import Teaching, teaching
from overread.app.learning.project_encoder import FINETUNED, SIMCLR
from overread.errors import InputError, MethodError, OverreadError
from overread.images import small_square
from overread.latents.choose import LEAST_HELD, LEAST_LABELS
from overread.latents.efficientnet import lite0, lite0_weights
from overread.latents.network import Network, Weights, small_resnet
from overread.latents.onnx_graph import onnx_bytes
from overread.store import Blobs, Store
from overread.store.learning.encoders import keep_trained
from overread.store.study.cases import count_cases
from overread.store.work.plan_view import list_facts

LEAST_IMAGES = 8
EPOCHS, STEPS = 50, 300
MOST_EPOCHS = 1_000

_MOST = 30_000  # images to train on, by lot: what memory holds
_PAGE = 64
_SIDE = 64
_TELL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Wish:
    """How to train.

    Args:
        kind: of :data:`SIMCLR` (on the images) or :data:`FINETUNED` (further, on the labels).
        epochs: passes over the images; steps: of training further.
        flip: mirror images count as alike.
        until: number of the last case that is used, so that a training that was killed goes on.
    """

    kind: str
    epochs: int = EPOCHS
    steps: int = STEPS
    flip: bool = True
    until: int = 0

    def to_value(self) -> dict[str, Any]:
        """For the log."""
        return {name: getattr(self, name) for name in ("epochs", "steps", "flip", "until")}


def wish_of(store: Store, project: str, kind: str, given: Mapping[str, Any]) -> Wish:
    """Check what a lead, or the log, asks for.

    Raises:
        InputError: a kind that is none, epochs out of bounds.
    """
    if kind not in {SIMCLR, FINETUNED}:
        raise InputError("kind of training", f"be {SIMCLR} or {FINETUNED}", kind[:40])
    epochs = _whole(given.get("epochs", EPOCHS), "epochs")
    steps = _whole(given.get("steps", STEPS), "steps")
    until = int(given.get("until") or 0) or count_cases(store, project)
    return Wish(kind, epochs, steps, bool(given.get("flip", True)), until)


def _whole(value: object, name: str) -> int:
    text = str(value)
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0
    if not 1 <= number <= MOST_EPOCHS:
        raise InputError(name, f"be a whole number of 1 to {MOST_EPOCHS:,}", text[:20])
    return number


def train_encoder(
    store: Store, blobs: Blobs, project: str, folder: Path, wish: Wish, *,
    by: str, tick: Tick,
    start: tuple[Network, Weights] | None = None, network: Network | None = None,
    every: float = 30.0,
) -> str:  # fmt: skip
    """Train a network and keep it; one on the images goes on where it was killed.

    Args:
        folder: of checkpoints, for this project alone.
        by: who began it.
        tick: counts "images", "steps", "of" and "seconds left".
        start: of training further; EfficientNet-Lite0 by default.
        network: to train on the images; a small ResNet by default.
        every: seconds between checkpoints.
    Returns:
        The blob of its ONNX file.
    Raises:
        MissingExtraError: torch is not installed.
        MethodError: too few images or labels.
    """
    if wish.kind == SIMCLR:
        made, about = _on_images(store, blobs, project, folder, wish, tick, network, every)
    else:
        made, about = _on_labels(store, blobs, project, wish, tick, start)
    file = blobs.put(made)
    keep_trained(store, project, wish.kind, file, by, about=about)
    return file


def _on_images(  # noqa: PLR0917 - as given
    store: Store, blobs: Blobs, project: str, folder: Path, wish: Wish, tick: Tick,
    network: Network | None, every: float,
) -> tuple[bytes, dict[str, Any]]:  # fmt: skip
    from overread.learn.augment import Changes  # noqa: PLC0415 - torch, an extra
    from overread.learn.contrastive import Recipe, train_contrastive  # noqa: PLC0415
    from overread.learn.devices import chosen  # noqa: PLC0415
    from overread.learn.modules import weights_of  # noqa: PLC0415

    facts = [one.id for one in list_facts(store, project) if one.number <= wish.until]
    cases = sample_of(project, facts, most=_MOST)
    colour = any_colour(store, cases)
    network = network or small_resnet(side=_SIDE, channels=3 if colour else 1)
    images, _ = _stack(store, blobs, cases, network, tick)
    if len(images) < LEAST_IMAGES:
        told = f"Training on images needs {LEAST_IMAGES} of them"
        raise MethodError(f"{told}; {len(images)} of {len(cases):,} can be had")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    checkpoint = folder / f"{SIMCLR}.checkpoint"
    recipe = Recipe(epochs=wish.epochs, changes=Changes(flip=0.5 if wish.flip else 0.0))
    device = chosen("auto", _threads())
    tell = _paced(tick)

    def run() -> Any:
        return train_contrastive(
            images, recipe=recipe, network=network, checkpoint=checkpoint, device=device,
            every=every, progress=lambda done, total, _: tell(done, total),
        )  # fmt: skip

    try:
        trained = run()
    except InputError:  # of other images, or cut: it would never go on
        if not checkpoint.exists():
            raise
        checkpoint.unlink()
        trained = run()
    words = f"simclr, {len(images)} images, {wish.epochs} epochs"
    made = onnx_bytes(trained.module.network, weights_of(trained.module), about=words)
    checkpoint.unlink(missing_ok=True)
    about = {
        "images": len(images), "epochs": wish.epochs, "seconds": round(trained.seconds, 1),
        "device": device, "loss": round(trained.losses[-1], 4), "flip": wish.flip,
    }  # fmt: skip
    return made, about


def _on_labels(  # noqa: PLR0917 - as given
    store: Store, blobs: Blobs, project: str, wish: Wish, tick: Tick,
    start: tuple[Network, Weights] | None,
) -> tuple[bytes, dict[str, Any]]:  # fmt: skip
    from overread.learn.devices import chosen  # noqa: PLC0415 - torch, an extra
    from overread.learn.finetune import Lesson, teach  # noqa: PLC0415
    from overread.learn.modules import weights_of, with_weights  # noqa: PLC0415

    labels = teaching(store, project)
    _require_labels(labels)
    network, weights = start or (lite0(), lite0_weights())
    cases = [case for case, shown in zip(labels.cases, labels.shown, strict=True) if shown]
    images, there = _stack(store, blobs, cases, network, tick)
    if len(images) < LEAST_LABELS:
        told = f"Training on labels needs the images of {LEAST_LABELS}"
        raise MethodError(f"{told}; those of {len(images)} of {len(cases):,} can be had")
    votes = labels.votes[0][labels.shown][there]
    changes = replace(Lesson().changes, flip=0.5 if wish.flip else 0.0)
    lesson = Lesson(steps=wish.steps, changes=changes)
    steps, begun = lesson.steps_of(len(images)), time.monotonic()
    module = teach(
        with_weights(network, weights), images, votes, lesson,
        device=chosen("auto", _threads()), progress=_paced(tick),
    )  # fmt: skip
    words = f"trained further on {len(images)} labels, {steps} steps"
    about = {
        "labels": len(images), "steps": steps, "flip": wish.flip,
        "seconds": round(time.monotonic() - begun, 1),
    }  # fmt: skip
    return onnx_bytes(module.network, weights_of(module), about=words), about


def _require_labels(labels: Teaching) -> None:
    """Enough to learn from, and enough that are never learned from to tell whether it helped."""
    if len(labels.votes) > 1:
        raise MethodError("a network is trained further on one class or grade a case, not on sets")
    shown, hidden = int(labels.shown.sum()), int(labels.hidden.sum())
    if shown < LEAST_LABELS or hidden < LEAST_HELD:
        told = f"{LEAST_LABELS} labels to learn from and {LEAST_HELD} to compare by are needed"
        raise MethodError(f"{told}; there are {shown} and {hidden}. Label more cases first")
    if len(np.unique(labels.votes[0][labels.shown].argmax(axis=1))) < 2:
        raise MethodError("two classes must have labels to learn from; one has so far")


def _stack(
    store: Store, blobs: Blobs, cases: Sequence[str], network: Network, tick: Tick
) -> tuple[NDArray[np.uint8], list[int]]:
    """Thumbnails as the network takes them, and the places of the cases that have one."""
    shape = (network.side, network.side, network.channels)
    made = np.empty((len(cases), *shape), dtype=np.uint8)
    there: list[int] = []
    for start in range(0, len(cases), _PAGE):
        some = cases[start : start + _PAGE]
        pictures = pictures_of(store, blobs, some)
        for at, case in enumerate(some, start=start):
            try:
                square = small_square(
                    pictures[case], side=network.side, colour=network.channels == 3
                )
            except (KeyError, OverreadError, OSError):
                continue  # gone, or cut: the page tells how many
            made[len(there)] = square.reshape(shape)
            there.append(at)
        tick("images", len(some))
    return made[: len(there)], there


def _threads() -> int:
    """Half of the processors: the pages need the others."""
    return max((os.cpu_count() or 2) // 2, 1)


def _paced(tick: Tick) -> Callable[[int, int], None]:
    """Tell of steps once a second, and how long the rest takes."""
    begun = last = time.monotonic()
    first: int | None = None
    said = dict.fromkeys(("steps", "of", "seconds left"), 0)

    def told(done: int, total: int) -> None:
        nonlocal first, last
        now = time.monotonic()
        first = done - 1 if first is None else first
        if now - last < _TELL_SECONDS and done < total and said["of"]:
            return
        last = now
        left = round((now - begun) / (done - first) * (total - done))
        for name, value in (("steps", done), ("of", total), ("seconds left", left)):
            tick(name, value - said[name])
            said[name] = value

    return told

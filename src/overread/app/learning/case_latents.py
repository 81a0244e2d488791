"""The images of a project as vectors: made in the background, kept, made again for new cases.

Each part of a chain of encoders has latents of its own; what serves is the chain in use, joined.
A part is learned from a sample of the project's own thumbnails; a project that has grown far beyond
the sample gets a new one, and the old one serves until that is ready. What is kept follows from the
images: nothing is lost with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from overread.app.learning.project_encoder import (
    BROUGHT,
    FINETUNED,
    PRETRAINED,
    QUICK,
    EncoderPart,
    encode_pictures,
    file_of,
    kind_of,
    learn_part,
    listed_part,
    opened,
    packed,
    runs,
    unpacked,
)
from overread.app.study.case_pictures import thumbnail
from overread.arrays import Bools
from overread.errors import InputError, MethodError, OverreadError
from overread.latents.encoder import Encoder
from overread.store import Blobs, Store, get_cases
from overread.store.errors import BrokenLogError, NotFoundError
from overread.store.learning.encoders import (
    KeptEncoder,
    drop_encoders,
    each_latent,
    encoder_ready,
    keep_encoder,
    keep_latents,
    kept_encoders,
    last_choice,
    list_trained,
    without_latents,
)
from overread.store.study.grouping import groups_at
from overread.store.work.plan_view import list_facts

_SAMPLE = 2_000
_PAGE = 64
_OUTGROWN = 4  # times the sample, from which on the encoder is learned anew

Tick = Callable[[str, int], None]
"""Called with what is counted ("images") and how many more there are."""


@dataclass(frozen=True, slots=True, eq=False)
class CaseLatents:
    """Latents of the cases of a project whose images can be had.

    Args:
        version: of the encoders.
        cases: (cases,) ids, in the order of their numbers.
        groups: (cases,) the patient, or the case's own id where none is known.
        values: (cases, latents) float32.
        lost: cases whose image could not be had; waiting: those that are not encoded yet.
        widths: (part, latents) of the chain, in the order of the columns.
        partial: a part of the chain has made no latents yet.
        trained_as: (cases,) the patient when a network last learned from labels; () where none
            has, or no patient was stated since.
    """

    version: str
    cases: tuple[str, ...]
    groups: tuple[str, ...]
    values: NDArray[np.float32]
    lost: tuple[str, ...]
    waiting: tuple[str, ...]
    widths: tuple[tuple[str, int], ...] = ()
    partial: bool = False
    trained_as: tuple[str, ...] = ()


def chain_in_use(store: Store, project: str) -> tuple[str, ...]:
    """Parts whose latents serve: as they were chosen last; before, all that comes installed."""
    chosen = last_choice(store, project)
    chain = (QUICK, PRETRAINED) if chosen is None else chosen.chain
    return tuple(part for part in chain if runs(part)) or (QUICK,)


def parts_of(store: Store, project: str) -> tuple[str, ...]:
    """Parts that are kept up to date: those in use first, then those that could be chosen."""
    listed = [listed_part(one) for one in list_trained(store, project)]
    every = [*chain_in_use(store, project), QUICK, PRETRAINED, *listed]
    return tuple(part for part in dict.fromkeys(every) if runs(part))


def embed(
    store: Store, blobs: Blobs, project: str, tick: Tick, *, failed: list[str] | None = None
) -> int:
    """Encode the cases that have no latents yet; may be stopped and called again at any time.

    Args:
        store, blobs: where cases and images are.
        project: its id.
        tick: counts images.
        failed: takes, in words, what brought encoders failed with that are not in use.
    Returns:
        How many cases were encoded; 0 with fewer than two images.
    Raises:
        MethodError: the file of an encoder in use is gone, or one that was brought took too much
            or failed; the others have encoded all the same.
    """
    done: set[str] = set()
    parts, gone = parts_of(store, project), set[str]()
    faults: dict[str, str] = {}
    for part in parts:
        try:
            done |= _embed_part(store, blobs, project, part, tick)
        except (NotFoundError, BrokenLogError):
            gone.add(part)
        except InputError as error:
            if kind_of(part) != BROUGHT:
                raise
            gone.add(part)
            faults[part] = str(error)
    parts = tuple(part for part in parts_of(store, project) if part in parts)
    lost = gone.intersection(chain_in_use(store, project))
    # what neither serves nor can encode new cases is not compared on fewer and fewer of them
    drop_encoders(store, project, but=[one for one in parts if one in lost or one not in gone])
    names = {
        listed_part(one): one.about.get("name", "another") for one in list_trained(store, project)
    }
    told = {part: f"the encoder {names[part]} failed: {why}" for part, why in faults.items()}
    if failed is not None:
        failed += [words for part, words in told.items() if part not in lost]
    for part in lost.intersection(told):
        serve = "Latents made before serve on; remove it on the Learning page, or mend its file"
        raise MethodError(f"{told[part].rstrip('.')}. {serve}")
    if lost:
        raise MethodError(
            "the file of an encoder in use is gone from the server's folder of files (blobs), or "
            "damaged. Restore it from a backup, bring the same file again, or remove the encoder "
            "on the Learning page; latents made before serve on"
        )
    return len(done)


def _embed_part(store: Store, blobs: Blobs, project: str, part: str, tick: Tick) -> set[str]:
    with opened(part, blobs) as network:
        encoder = _encoder(store, blobs, project, part, network)
        if encoder is None:
            return set()
        version = encoder.version
        missing = without_latents(store, project, version, lost=True)
        for start in range(0, len(missing), _PAGE):
            some = missing[start : start + _PAGE]
            pictures = pictures_of(store, blobs, some)
            made = encode_pictures(encoder, list(pictures.values()), network=network)
            rows: dict[str, bytes | None] = dict.fromkeys(some)
            for at, case in enumerate(pictures):
                rows[case] = made[at].astype("<f4").tobytes() if at in made else None
            keep_latents(store, project, version, rows)
            tick("images", len(some))
            if file_of(part) and part not in parts_of(store, project):  # removed meanwhile
                return set()
    encoder_ready(store, project, part, version)
    return set(missing)


def serving(store: Store, project: str, parts: Sequence[str]) -> dict[str, KeptEncoder]:
    """Part to the encoder whose latents serve: the newest that is ready, else the newest."""
    kept = kept_encoders(store, project)
    found: dict[str, KeptEncoder] = {}
    for part in parts:
        of_part = [one for one in kept if one.part == part]
        for one in [*(each for each in of_part if each.ready), *of_part][:1]:
            found[part] = one
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """The encoders whose latents serve, open: for images of another project.

    Args:
        version: as of :class:`CaseLatents`.
        parts: each with its network; None of quick latents.
    """

    version: str
    parts: tuple[tuple[EncoderPart, Encoder | None], ...]

    def encode(self, pictures: Sequence[bytes]) -> dict[int, NDArray[np.float32]]:
        """Place of a picture to its latents; what is no picture has none."""
        made = [encode_pictures(one, pictures, network=network) for one, network in self.parts]
        both = set(made[0]).intersection(*made)
        return {at: np.concatenate([rows[at] for rows in made]) for at in sorted(both)}


@contextmanager
def open_chain(store: Store, blobs: Blobs, project: str) -> Generator[Chain | None]:
    """Open the encoders that serve a project; None before there are any."""
    used = serving(store, project, chain_in_use(store, project))
    if not used:
        yield None
        return
    with ExitStack() as stack:
        parts = tuple(
            (unpacked(one.parameters), stack.enter_context(opened(part, blobs)))
            for part, one in used.items()
        )
        yield Chain("+".join(one.version for one in used.values()), parts)


def latents_of(
    store: Store, project: str, parts: Sequence[str] | None = None
) -> CaseLatents | None:
    """The latents that are kept; None before there is an encoder.

    Args:
        parts: of a chain; that in use by default.
    Returns:
        What is there now: cases that wait for theirs are named apart.
    """
    chain = chain_in_use(store, project) if parts is None else tuple(parts)
    versions = {part: one.version for part, one in serving(store, project, chain).items()}
    if not versions:
        return None
    facts = list_facts(store, project)
    row = {one.id: at for at, one in enumerate(facts)}
    blocks: list[NDArray[np.float32]] = []
    there, lost = np.ones(len(facts), dtype=bool), np.zeros(len(facts), dtype=bool)
    for version in versions.values():
        block, has, none = _block(each_latent(store, project, version), row)
        blocks.append(block)
        there &= has
        lost |= none
    kept, gone = np.flatnonzero(there), np.flatnonzero(lost)
    then = _groups_then(store, project)
    trained_as = [then.get(facts[at].id, facts[at].group) or facts[at].id for at in kept]
    waits = np.flatnonzero(~there & ~lost)
    return CaseLatents(
        "+".join(versions.values()),
        tuple(facts[at].id for at in kept),
        tuple(facts[at].group or facts[at].id for at in kept),
        np.hstack([block[kept] for block in blocks]),
        tuple(facts[at].id for at in gone),
        tuple(facts[at].id for at in waits),
        tuple((part, block.shape[1]) for part, block in zip(versions, blocks, strict=True)),
        partial=len(versions) < len(chain),
        trained_as=tuple(trained_as) if then else (),
    )  # fmt: skip


def _groups_then(store: Store, project: str) -> dict[str, str]:
    """Case to its group when a network last learned from labels, where it has another now."""
    trained = [one.event for one in list_trained(store, project) if one.kind == FINETUNED]
    return groups_at(store, project, max(trained)) if trained else {}


def _block(
    vectors: Iterator[tuple[str, bytes]], row: dict[str, int]
) -> tuple[NDArray[np.float32], Bools, Bools]:
    """The latents of a part in their rows, which rows have them, and which never will."""
    block = np.empty((len(row), 0), dtype=np.float32)
    has, none = np.zeros(len(row), dtype=bool), np.zeros(len(row), dtype=bool)
    for case, vector in vectors:
        at = row.get(case)
        if at is None:
            continue
        if not vector:
            none[at] = True
            continue
        if not block.shape[1]:
            block = np.zeros((len(row), len(vector) // 4), dtype=np.float32)
        block[at] = np.frombuffer(vector, dtype="<f4")
        has[at] = True
    return block, has, none


def _encoder(
    store: Store, blobs: Blobs, project: str, part: str, network: Encoder | None
) -> EncoderPart | None:
    """The encoder that is kept, or one that is learned now."""
    every = [one.id for one in list_facts(store, project)]
    kept = [one for one in kept_encoders(store, project) if one.part == part]
    if kept:
        encoder = unpacked(kept[0].parameters)
        if encoder.learned_on >= _SAMPLE or len(every) <= _OUTGROWN * encoder.learned_on:
            return encoder
    chosen = sample_of(project, every)
    pictures = list(pictures_of(store, blobs, chosen).values())
    made = learn_part(part, pictures, colour=any_colour(store, chosen), network=network)
    if made is not None:
        keep_encoder(store, project, part, made.version, packed(made))
    return made


def sample_of(project: str, cases: Sequence[str], *, most: int = _SAMPLE) -> list[str]:
    """Some cases by lot, in their order, the same each time."""
    rng = np.random.default_rng(int(hashlib.sha256(project.encode()).hexdigest()[:8], 16))
    return [cases[at] for at in np.sort(rng.permutation(len(cases))[:most])]


def any_colour(store: Store, cases: Sequence[str]) -> bool:
    """A case has three channels."""
    for start in range(0, len(cases), 500):
        found = get_cases(store, cases[start : start + 500])
        if any(row.image.get("samples") == 3 for row in found.values()):
            return True
    return False


def pictures_of(store: Store, blobs: Blobs, cases: Sequence[str]) -> dict[str, bytes]:
    """Thumbnails of the cases whose image can be had."""
    made: dict[str, bytes] = {}
    for case in cases:
        try:
            made[case] = thumbnail(store, blobs, case, reader="", role="admin")
        except (OverreadError, OSError, KeyError):
            continue  # gone: the page tells how many
    return made

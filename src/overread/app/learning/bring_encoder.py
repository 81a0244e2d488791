"""An encoder that a lead brings to a project, as an ONNX file; and encoders that are retired.

The file is tried in a process with bounds before anything of it is kept. From then on it is an
encoder like the others: a part of chains, compared with them on labels held back, used only where
it wins.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from overread.app.learning.case_latents import chain_in_use
from overread.app.learning.project_encoder import BROUGHT, QUICK, file_of, listed_part
from overread.errors import InputError
from overread.latents.onnx_file import SCALES
from overread.latents.onnx_trial import try_onnx
from overread.store import Blobs, Store
from overread.store.canonical import plain_text
from overread.store.errors import NotFoundError
from overread.store.learning.encoders import TrainedRow, list_trained
from overread.store.learning.encoders_brought import keep_brought, retire_encoder

MOST = 4
"""Encoders that a project may have brought: each encodes every image."""
MOST_BYTES = 512 << 20
LONGEST_NAME = 60


def bring_encoder(
    store: Store, blobs: Blobs, project: str, path: Path, *, name: str, scale: str, by: str
) -> str:
    """Try an ONNX file, and keep it as an encoder of the project.

    Args:
        path: of the file; its weights must be in it.
        name: for people.
        scale: of its input, of :data:`overread.latents.onnx_file.SCALES`; "" where the file was
            written by this program, which says so in it, or for the usual one.
        by: the user's id.
    Returns:
        Its part of a chain. The same file again replaces what was said of it, and mends a blob
        that was lost.
    Raises:
        InputError: no name, another scale, a file that is too large or no encoder, or one too many.
        MissingExtraError: onnxruntime is not installed.
    """
    name = plain_text("name of the encoder", name.strip(), longest=LONGEST_NAME)
    if scale and scale not in SCALES:
        raise InputError("scale", f"be one of {', '.join(SCALES)}", scale[:40])
    if not path.is_file() or not path.stat().st_size:
        raise InputError("encoder", "be an .onnx file", "nothing")
    if path.stat().st_size > MOST_BYTES:
        got = f"{path.stat().st_size / (1 << 20):,.0f} MB"
        raise InputError("encoder", f"have at most {MOST_BYTES >> 20} MB", got)
    listed = {one.kind: one for one in list_trained(store, project)}
    content = path.read_bytes()
    kind = kind_of_file(hashlib.sha256(content).hexdigest())
    others = [one for one in brought(listed.values()) if one.kind != kind]
    if len(others) >= MOST:
        remedy = "Remove one that is not in use."
        raise InputError("encoders", f"be {MOST} at most a project", "one more", remedy=remedy)
    _refuse_name(name, others)
    tried = try_onnx(path, scale=scale or None)  # type: ignore[arg-type]
    about = {
        "name": name, "scale": tried.scale, "version": tried.version, "side": tried.side,
        "channels": tried.channels, "latents": tried.latents,
        "milliseconds": tried.milliseconds,
    }  # fmt: skip
    file = blobs.put(content)
    keep_brought(store, project, kind, file, by, about=about)
    return listed_part({one.kind: one for one in list_trained(store, project)}[kind])


def kind_of_file(file: str) -> str:
    """Under which kind a brought file is listed. Args: file: its SHA-256."""
    return f"{BROUGHT}-{file[:16]}"


def brought(listed: Iterable[TrainedRow]) -> list[TrainedRow]:
    """Those of a project's list that were brought."""
    return [one for one in listed if one.kind.startswith(BROUGHT)]


def _refuse_name(name: str, others: Sequence[TrainedRow]) -> None:
    if name.casefold() in {str(one.about["name"]).casefold() for one in others}:
        remedy = "Give it another name, or remove the other."
        raise InputError("name of the encoder", "be its own", "one that another has", remedy=remedy)


def retire(store: Store, project: str, kind: str, *, by: str) -> bool:
    """Take an encoder that was brought off the list; where it is in use, out of the chain too.

    Args:
        kind: of its row.
        by: the user's id.
    Returns:
        Whether it was in use.
    Raises:
        NotFoundError: the project has brought none of this kind.
    """
    found = next((one for one in brought(list_trained(store, project)) if one.kind == kind), None)
    if found is None:
        raise NotFoundError("encoder", kind[:40])
    before = chain_in_use(store, project)
    chain = tuple(part for part in before if file_of(part) != found.file)
    if chain == before:
        retire_encoder(store, project, kind, by)
        return False
    reason = f"{found.about['name']} was removed."
    retire_encoder(
        store, project, kind, by, chain=chain or (QUICK,), before=before, reason=reason
    )  # fmt: skip
    return True

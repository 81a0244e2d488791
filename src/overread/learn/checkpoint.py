"""Checkpoints: written beside their place and renamed, read without running anything."""

from __future__ import annotations

import os
import pickle
import tempfile
from pathlib import Path
from typing import Any

import torch

from overread.errors import InputError


def write_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write all of it or nothing; a power cut leaves the one before."""
    number, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read what :func:`write_checkpoint` wrote.

    Raises:
        InputError: the file is damaged, or no checkpoint.
    """
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
        if isinstance(held, dict) and {"about", "step", "network"} <= held.keys():
            return held
    except (RuntimeError, EOFError, pickle.UnpicklingError, ValueError, KeyError):
        pass
    remedy = "Remove it to start anew."
    raise InputError("checkpoint", "be one that this program wrote", "another file", remedy=remedy)

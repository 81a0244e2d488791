"""Where torch computes."""

from __future__ import annotations

import torch

from overread.errors import InputError


def chosen(device: str = "auto", threads: int = 0) -> str:
    """Check a device, or choose one.

    Args:
        device: "cpu", "cuda", "cuda:1", "mps", or "auto": the first that is there.
        threads: of the CPU; 0 leaves torch's own number.
    Returns:
        Its name for torch.
    Raises:
        InputError: it is not there.
    """
    if threads:
        torch.set_num_threads(threads)
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        return next((name for name, have in there.items() if have), "cpu")
    if device != "cpu" and not there.get(device.split(":", 1)[0], False):
        raise InputError("device", "be there", device[:40], remedy="Use cpu, or auto.")
    return device

"""The child process: decodes one file after another until its parent closes the line or kills it.

Its parent sends one byte and a file descriptor over a socket. The file holds the job as JSON; the
child replaces it by raw samples and answers with one line of JSON. Nothing is pickled. The child
bounds itself: memory and file size by rlimit, time by an alarm that no decoder can catch.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import json
import logging
import os
import resource
import signal
import socket
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from overread.images.dicom_case import dicom_stack
from overread.images.dicom_scan import scan
from overread.images.limits import Limits
from overread.images.nifti_case import nifti_stack
from overread.images.picture_case import picture_stack
from overread.images.refusal import RefusedError
from overread.images.samples import narrowest, tidy
from overread.images.stack import Stack

_SPARE_SECONDS = 2.0  # the parent's clock strikes first; this one is for a child left alone


def main() -> None:
    """Serve the parent until it closes the line."""
    line = socket.socket(fileno=int(sys.argv[1]))
    _be_quiet()
    _warm_up()
    limits, secret = _setup(line)
    _bound(limits)
    _send(line, {"ready": True})
    while True:
        data, handles, _, _ = socket.recv_fds(line, 1, 1)
        if not data or not handles:
            return
        with os.fdopen(handles[0], "r+b") as file:
            answer = _answered(file, secret, limits, _heartbeat(line, limits))
            file.flush()
        signal.setitimer(signal.ITIMER_REAL, 0)
        _send(line, answer)
        if answer.get("cause") == "too large" and answer.get("memory"):
            return  # after a failed allocation the state of the decoders is not to be trusted


def _be_quiet() -> None:
    """Decoders write to the terminal what they find, identifiers too; nobody gets to read it."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")


def _warm_up() -> None:
    """Import the decoders before memory is bounded; those that are missing are told when needed."""
    for name in ("pydicom.pixels", "PIL.Image", "PIL.ImageOps"):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def _setup(line: socket.socket) -> tuple[Limits, bytes]:
    """The first message: limits, and the key that must not stand in an argument list."""
    with os.fdopen(socket.recv_fds(line, 1, 1)[1][0], "rb") as file:
        told = json.loads(file.read())
    return Limits(**told["limits"]), bytes.fromhex(told["secret"])


def _bound(limits: Limits) -> None:
    """Bound memory beyond what the process has now, files, and core dumps (they hold pixels)."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    largest = limits.result_bytes * 4 + (1 << 24)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
    with contextlib.suppress(OSError, ValueError):  # systems without /proc or this limit
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        space = pages * resource.getpagesize() + (limits.megabytes << 20)
        resource.setrlimit(resource.RLIMIT_AS, (space, space))


def _heartbeat(line: socket.socket, limits: Limits) -> Callable[[], None]:
    def beat(*, first: bool = False) -> None:
        signal.setitimer(signal.ITIMER_REAL, limits.seconds + _SPARE_SECONDS)
        if not first:
            line.sendall(b"\n")

    beat(first=True)
    return beat


def _send(line: socket.socket, answer: dict[str, Any]) -> None:
    line.sendall(json.dumps(answer).encode() + b"\n")


def _answered(
    file: BinaryIO, secret: bytes, limits: Limits, beat: Callable[[], None]
) -> dict[str, Any]:
    """Answer of one job; whatever a hostile file provokes becomes a reason of our own words."""
    try:
        return _done(file, secret, limits, beat)
    except RefusedError as refused:
        return {"cause": refused.cause, "reason": refused.reason}
    except MemoryError:
        reason = f"decoding takes more than {limits.megabytes} MB of memory"
        return {"cause": "too large", "reason": reason, "memory": True}
    except Exception as error:  # noqa: BLE001 - any error of any decoder
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
            return {"full": True}
        known = (one for one in _REASONS if isinstance(error, one[0]))
        _, cause, reason = next(known, _REASONS[-1])
        return {"cause": cause, "reason": reason}


_REASONS: list[tuple[type[Exception], str, str]] = [
    (ImportError, "missing part", "reading it needs packages: pip install 'overread[images]'"),
    (OSError, "too large", "the decoded case cannot be written"),
    (RecursionError, "damaged", "the file nests too deeply"),
    (Exception, "damaged", "the file cannot be decoded"),
]


def _done(
    file: BinaryIO, secret: bytes, limits: Limits, beat: Callable[[], None]
) -> dict[str, Any]:
    job = json.loads(file.read())
    file.seek(0)
    file.truncate()
    files = [Path(path) for path in job["files"]]
    if job["task"] == "scan":
        return {"slice": scan(files[0], secret, limits)}
    return _written(_opened(job["kind"], files, secret, limits), file, limits, beat)


def _opened(kind: str, files: list[Path], secret: bytes, limits: Limits) -> Stack:
    if kind == "dicom":
        return dicom_stack(files, secret, limits)
    reader = {"picture": picture_stack, "nifti": nifti_stack}[kind]
    return reader(files[0], limits)


def _written(
    stack: Stack, file: BinaryIO, limits: Limits, beat: Callable[[], None]
) -> dict[str, Any]:
    """Write frame after frame as raw little-endian samples; describe them in the answer."""
    types: list[str] = []
    low, high, lost = np.inf, -np.inf, 0
    shape = (stack.rows, stack.columns) if stack.samples == 1 else (stack.rows, stack.columns, 3)
    for claimed in _exactly(stack):
        if claimed.shape != shape:
            raise RefusedError("damaged", "a frame has another size than the header claims")
        frame, not_finite = tidy(claimed)
        bottom, top = frame.min().item(), frame.max().item()
        types.append(narrowest(bottom, top, fractions=frame.dtype.kind == "f"))
        _write(file, frame.astype(np.dtype(types[-1]).newbyteorder("<"), copy=False), limits)
        low, high, lost = min(low, bottom), max(high, top), lost + not_finite
        beat()
    overlays = stack.overlays()
    file.writelines(np.packbits(overlay.bits).tobytes() for overlay in overlays)
    details = asdict(stack.details)
    if lost:
        details["notes"] = [*details["notes"], f"{lost} samples are not finite numbers"]
    return {
        "shape": shape,
        "types": types,
        "range": [low, high],
        "overlays": [overlay.frame for overlay in overlays],
        "details": details,
    }


def _write(file: BinaryIO, raw: NDArray[Any], limits: Limits) -> None:
    if file.tell() + raw.nbytes > limits.result_bytes:
        raise RefusedError("too large", f"a case may take {limits.result_megabytes} MB")
    file.write(np.ascontiguousarray(raw).data)


def _exactly(stack: Stack) -> Iterator[Any]:
    """As many frames as were claimed, no fewer and no more."""
    made = 0
    for frame in stack.frames:
        made += 1
        if made > stack.count:
            break
        yield frame
    if made != stack.count:
        reason = f"{stack.count} frames are claimed, {made} can be decoded"
        raise RefusedError("damaged", reason)


if __name__ == "__main__":
    main()

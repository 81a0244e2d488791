"""The process of :mod:`overread.latents.onnx_apart`: a file is opened, and runs batch by batch."""

from __future__ import annotations

import contextlib
import json
import math
import os
import queue
import resource
import signal
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from overread.errors import InputError, MissingExtraError
from overread.latents.encoder import Images, Wanted
from overread.latents.onnx_apart import MOST_BYTES
from overread.latents.onnx_encoder import open_onnx
from overread.latents.onnx_file import measured, open_file

Line: TypeAlias = dict[str, Any]
Run: TypeAlias = Callable[[Images], NDArray[Any]]
Asked: TypeAlias = "queue.Queue[tuple[tuple[int, ...], bytes]]"
_MOST_SAID = 20_000  # characters of what a file says of itself under one key


def _main() -> None:
    path, what, scale, side, seconds, most = sys.argv[1:]
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    for name in ("onnx", "onnxruntime"):
        with contextlib.suppress(ImportError):
            __import__(name)  # before memory is bounded; one that is missing is told when needed
    asked: Asked = queue.Queue()
    threading.Thread(target=_listen, args=(asked,), daemon=True).start()
    _bound(int(most))
    runs: list[Run] = []

    def opening() -> tuple[Line, bytes]:
        line, run = _opened(Path(path), what, scale or None, int(side) or None)
        runs.append(run)
        return line, b""

    with _alarmed(float(seconds)):
        _answer(out, opening)
    while runs:
        shape, given = asked.get()
        with _alarmed(float(seconds)):
            _answer(out, partial(_ran, runs[0], shape, given))


def _listen(asked: Asked) -> None:
    """Batches as they come; with the pipe the process ends, whatever it is at."""
    while line := sys.stdin.buffer.readline():
        shape = tuple(json.loads(line)["shape"])
        asked.put((shape, sys.stdin.buffer.read(math.prod(shape))))
    os._exit(0)


def _opened(path: Path, what: str, scale: Any, side: int | None) -> tuple[Line, Run]:
    if what == "encoder":
        encoder = open_onnx(path, scale=scale, side=side)
        line = _about(encoder.wanted, encoder.scale, encoder.version, (encoder.dimension,))
        return line | {"says": _said(encoder.file.says)}, encoder.encode
    file = open_file(path, scale=scale, side=side)
    gives = measured(file).shape[1:]
    return _about(file.wanted, file.scale, file.sha256, gives) | {
        "says": _said(file.says)
    }, file.run


def _about(wanted: Wanted, scale: str, version: str, gives: tuple[int, ...]) -> Line:
    size = [wanted.rows, wanted.columns, wanted.channels]
    return {"wanted": size, "scale": scale, "version": version, "gives": list(gives)}


def _said(says: Mapping[str, str]) -> dict[str, str]:
    return {key[:100]: text for key, text in list(says.items())[:50] if len(text) <= _MOST_SAID}


def _ran(run: Run, shape: tuple[int, ...], given: bytes) -> tuple[Line, bytes]:
    made = run(np.frombuffer(given, np.uint8).reshape(shape))
    numbers = np.ascontiguousarray(made, dtype="<f4")
    if numbers.nbytes > MOST_BYTES:
        rule = f"give at most {MOST_BYTES >> 20} MB for a batch"
        raise InputError("ONNX file", rule, f"{numbers.nbytes >> 20:,} MB")
    return {"shape": list(numbers.shape)}, numbers.tobytes()


def _answer(out: IO[bytes], work: Callable[[], tuple[Line, bytes]]) -> None:
    made = b""
    try:
        line, made = work()
    except InputError as error:
        line = {"refused": [error.name, error.rule, str(error.got), error.remedy]}
    except MissingExtraError as error:
        line = {"missing": [error.what, error.extra]}
    except MemoryError:
        line = {"memory": True}
    except Exception as error:  # noqa: BLE001 - onnxruntime's own kinds; their words name tensors
        line = {"failed": type(error).__name__}
    out.write(json.dumps(line).encode() + b"\n")
    out.write(made)
    out.flush()


@contextmanager
def _alarmed(seconds: float) -> Generator[None]:
    """Time by an alarm that no library catches."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)


def _bound(megabytes: int) -> None:
    """Memory beyond what is used now, no files."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # pipes have no size
    with contextlib.suppress(OSError, ValueError):  # systems without /proc or this limit
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        space = pages * resource.getpagesize() + (megabytes << 20)
        resource.setrlimit(resource.RLIMIT_AS, (space, space))


if __name__ == "__main__":
    _main()

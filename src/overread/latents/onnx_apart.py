"""An ONNX file of somebody else at work in a process of its own, with bounded time and memory.

The process has an empty folder to work in and none of the server's variables. It opens the file,
then answers batch by batch over pipes: a line of JSON, and what the line announces as raw bytes.
It ends with its pipe, also in the middle of a batch, so that it never outlives who asked.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from overread.errors import InputError, MissingExtraError
from overread.latents.encoder import Images, Wanted
from overread.latents.onnx_file import Scale

As: TypeAlias = Literal["encoder", "model"]
"""What it gives: one row of latents an image, or the first output of the graph as it is."""
SECONDS = 60.0
TOGETHER = 8
"""Images that it takes at once: what the bounds are of, in a trial as at work."""
MOST_BYTES = 512 << 20
"""Of what it gives for a batch."""
_GRACE_SECONDS = 30.0  # its own alarm comes first
_PASSED_ON = (
    "PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV",
    "SYSTEMROOT", "COVERAGE_PROCESS_START",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Apart:
    """A file that was opened in a process of its own; also an encoder, where it was opened as one.

    Args:
        name, version, dimension: as of every encoder; of a model the version is the SHA-256 of
            its file, and the dimension what it gives an image.
        wanted: images that it takes.
        scale: of its input.
        shape: of what it gives an image.
        says: what the file says of itself, by key.
    """

    name: str
    version: str
    wanted: Wanted
    scale: str
    shape: tuple[int, ...]
    says: Mapping[str, str]
    _process: _Process

    @property
    def dimension(self) -> int:
        """Numbers that it gives an image."""
        return math.prod(self.shape)

    def encode(self, images: Images) -> NDArray[np.float32]:
        """(n, rows, columns, channels) to (n, ...); n must not be 0.

        Raises:
            InputError: it takes too much time or memory, or fails, with these images.
        """
        parts = [self._part(images[at : at + TOGETHER]) for at in range(0, len(images), TOGETHER)]
        return np.concatenate(parts)

    def _part(self, images: Images) -> NDArray[np.float32]:
        given = np.ascontiguousarray(images, dtype=np.uint8)
        told, made = self._process.ask({"shape": given.shape}, given.tobytes())
        shape = tuple(int(one) for one in told["shape"])
        return np.frombuffer(made, dtype="<f4").reshape(shape)


@contextmanager
def opened_apart(
    path: Path, what: As, *, name: str = "", scale: Scale | None = None, side: int | None = None,
    seconds: float = SECONDS, megabytes: int = 0,
) -> Generator[Apart]:  # fmt: skip
    """Open a file where it can do no harm; the process ends with the block.

    Args:
        path: of the file.
        name, scale, side: as of :func:`overread.latents.onnx_encoder.open_onnx`.
        seconds: that opening it, and each batch, may take.
        megabytes: of memory it may take beyond what its process has at the start; by default six
            times the file and 3,000.
    Raises:
        InputError: what opening it raises; it takes too much.
        MissingExtraError: onnxruntime or onnx is not installed.
    """
    if not path.is_file():
        raise InputError("ONNX file", "be there", "nothing at this path")
    most = megabytes or 3_000 + 6 * (path.stat().st_size >> 20)
    words = [str(path.absolute()), what, scale or "", str(side or 0), f"{seconds:g}", str(most)]
    kept = {one: os.environ[one] for one in _PASSED_ON if one in os.environ}
    with TemporaryDirectory(prefix="overread-onnx-") as folder:
        child = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-P", "-m", "overread.latents.onnx_child", *words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            cwd=folder, env=kept | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,
        )  # fmt: skip
        process = _Process(child, seconds, most)
        try:
            told = process.opened()
            yield Apart(
                name or path.stem, told["version"], Wanted(*told["wanted"]), told["scale"],
                tuple(told["gives"]), told["says"], process,
            )  # fmt: skip
        finally:
            process.end()


class _Process:
    """The pipes to the process, and its end."""

    def __init__(self, child: subprocess.Popen[bytes], seconds: float, megabytes: int) -> None:
        self._child, self._seconds, self._megabytes = child, seconds, megabytes

    def opened(self) -> dict[str, Any]:
        return self._answer("be opened")[0]

    def ask(self, line: Mapping[str, Any], given: bytes) -> tuple[dict[str, Any], bytes]:
        images = line["shape"][0]
        rule = f"take {images} {'image' if images == 1 else 'images'}"
        with contextlib.suppress(OSError):  # it ended: its answer, or none, tells why
            pipe = _there(self._child.stdin)
            pipe.write(json.dumps(line).encode() + b"\n")
            pipe.write(given)
            pipe.flush()
        return self._answer(rule)

    def _answer(self, rule: str) -> tuple[dict[str, Any], bytes]:
        """Read a line and its bytes; a guard ends a process whose own alarm failed."""
        guard = threading.Timer(self._seconds + _GRACE_SECONDS, self._child.kill)
        guard.start()
        pipe = _there(self._child.stdout)
        try:
            line = pipe.readline(1 << 20)
            told: dict[str, Any] = json.loads(line) if line.endswith(b"\n") else {}
            size = 4 * math.prod(told["shape"]) if "shape" in told else 0
            if size > MOST_BYTES:  # what it refuses itself
                raise self._refusal(rule, "more memory")
            made = pipe.read(size)
        finally:
            late = not guard.is_alive()
            guard.cancel()
        if not told or len(made) < size:
            code = None if late else self._child.wait()
            got = "more time" if code in {None, -signal.SIGALRM} else "a process that ended in it"
            raise self._refusal(rule, got)
        return self._checked(told, rule), made

    def _checked(self, told: dict[str, Any], rule: str) -> dict[str, Any]:
        if "refused" in told:
            name, rule, got, remedy = (str(one)[:300] for one in told["refused"])
            raise InputError(name, rule, got, remedy=remedy)
        if "missing" in told:
            what, extra = told["missing"]
            raise MissingExtraError(str(what), str(extra))
        if "memory" in told:
            raise self._refusal(rule, "more memory")
        if "failed" in told:
            raise self._refusal(rule, f"a fault ({str(told['failed'])[:60]})")
        return told

    def _refusal(self, rule: str, got: str) -> InputError:
        bounds = f"{rule} within {self._seconds:g} s and {self._megabytes:,} MB"
        return InputError("ONNX file", bounds, got, remedy="Bring a smaller network.")

    def end(self) -> None:
        """End it, whatever it does."""
        self._child.kill()
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            with contextlib.suppress(OSError):
                _there(pipe).close()


def _there(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise OSError
    return pipe

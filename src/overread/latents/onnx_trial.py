"""An ONNX file of somebody else, tried as an encoder in a process of its own.

The process has bounded time and memory, an empty folder to work in and none of the server's
variables. It opens the file, encodes a few made-up images, and answers with one line of JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from overread.errors import InputError, MissingExtraError
from overread.latents.encoder import Images, Wanted
from overread.latents.onnx_encoder import Scale, open_onnx

MOST_LATENTS = 8_192
SECONDS = 60.0
_TOGETHER = 8
_PASSED_ON = (
    "PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV",
    "SYSTEMROOT", "COVERAGE_PROCESS_START",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tried:
    """What a trial tells of an encoder.

    Args:
        version: of the encoder.
        side: pixels of its images, which are square; channels: 1 or 3.
        latents: of an image.
        scale: of its input, as it was given or as the file itself says.
        milliseconds: an image took, on one thread.
    """

    version: str
    side: int
    channels: int
    latents: int
    scale: str
    milliseconds: float


def try_onnx(
    path: Path, *, scale: Scale | None = None, seconds: float = SECONDS, megabytes: int = 0
) -> Tried:
    """Open a file and encode images with it, where it can do no harm.

    Args:
        path: of the file.
        scale: of its input, where the file does not say so itself.
        seconds: it may take.
        megabytes: of memory it may take beyond what its process has at the start; by default six
            times the file and 3,000.
    Raises:
        InputError: it is no encoder of square images, takes too much, gives latents that are not
            finite or the same for all images, or an image's latents change with its neighbours.
        MissingExtraError: onnxruntime or onnx is not installed.
    """
    most = megabytes or 3_000 + 6 * (path.stat().st_size >> 20)
    words = [str(path.absolute()), scale or "", f"{seconds:g}", str(most)]
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    with TemporaryDirectory(prefix="overread-trial-") as folder:
        try:
            ended = subprocess.run(  # noqa: S603 - our own module
                [sys.executable, "-P", "-m", "overread.latents.onnx_trial", *words],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                cwd=folder, env=kept | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
                timeout=seconds + 30, check=False, start_new_session=True,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise _refusal(most, seconds, "more time") from error
    if ended.returncode == -signal.SIGALRM:
        raise _refusal(most, seconds, "more time")
    try:
        return _answered(json.loads(ended.stdout), most, seconds)
    except json.JSONDecodeError as error:  # it was killed, or ended itself
        raise _refusal(most, seconds, "a process that ended in it") from error


def _answered(told: dict[str, Any], most: int, seconds: float) -> Tried:
    if "refused" in told:
        name, rule, got, remedy = (str(one)[:300] for one in told["refused"])
        raise InputError(name, rule, got, remedy=remedy)
    if "missing" in told:
        what, extra = told["missing"]
        raise MissingExtraError(str(what), str(extra))
    if "memory" in told:
        raise _refusal(most, seconds, "more memory")
    return Tried(**told)


def _refusal(most: int, seconds: float, got: str) -> InputError:
    rule = f"encode {_TOGETHER} images within {seconds:g} s and {most:,} MB"
    return InputError("ONNX file", rule, got, remedy="Bring a smaller network.")


def _main() -> None:
    path, scale, seconds, most = sys.argv[1:]
    for name in ("onnx", "onnxruntime"):
        with contextlib.suppress(ImportError):
            __import__(name)  # before memory is bounded; one that is missing is told when needed
    _bound(float(seconds), int(most))
    answer: dict[str, Any]
    try:
        answer = asdict(_tried(Path(path), scale or None))  # type: ignore[arg-type]
    except InputError as error:
        answer = {"refused": [error.name, error.rule, str(error.got), error.remedy]}
    except MissingExtraError as error:
        answer = {"missing": [error.what, error.extra]}
    except MemoryError:
        answer = {"memory": True}
    sys.stdout.write(json.dumps(answer))


def _bound(seconds: float, megabytes: int) -> None:
    """Time by an alarm that no library catches, memory beyond what is used now, no files."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # pipes have no size
    with contextlib.suppress(OSError, ValueError):  # systems without /proc or this limit
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        space = pages * resource.getpagesize() + (megabytes << 20)
        resource.setrlimit(resource.RLIMIT_AS, (space, space))


def _tried(path: Path, scale: Scale | None) -> Tried:
    encoder = open_onnx(path, scale=scale)
    wanted = encoder.wanted
    if wanted.rows != wanted.columns:
        got = f"{wanted.rows} x {wanted.columns}"
        raise InputError("ONNX file", "take square images", got)
    if not 2 <= encoder.dimension <= MOST_LATENTS:
        rule = f"give 2 to {MOST_LATENTS:,} latents an image"
        raise InputError("ONNX file", rule, f"{encoder.dimension:,}")
    images = _made_up(wanted)
    begun = time.perf_counter()
    rows = encoder.encode(images)
    took = (time.perf_counter() - begun) / len(images)
    largest = float(np.abs(rows).max())
    if not np.isfinite(largest):
        raise InputError("ONNX file", "give finite latents", "nan or infinity")
    if float(np.ptp(rows, axis=0).max()) <= 1e-6 * largest:
        remedy = "Look at the scale of the input."
        raise InputError("ONNX file", "tell images apart", "the same of all", remedy=remedy)
    if float(np.abs(encoder.encode(images[:1]) - rows[:1]).max()) > 0.01 * largest:
        remedy = "Export it for inference (without dropout, norms with fixed statistics)."
        got = "others among others"
        raise InputError(
            "ONNX file", "give an image the same latents each time", got, remedy=remedy
        )
    return Tried(
        encoder.version, wanted.rows, wanted.channels, encoder.dimension, encoder.scale,
        round(1_000 * took, 2),
    )  # fmt: skip


def _made_up(wanted: Wanted) -> Images:
    """Slopes and noise, darker and lighter."""
    rng = np.random.default_rng(0)
    slope = np.linspace(0, 120, wanted.rows)[None, :, None, None]
    turned = np.linspace(0, 80, wanted.columns)[None, None, :, None]
    share = rng.uniform(size=(_TOGETHER, 2, 1, 1, 1))
    noise = rng.normal(0, 12, (_TOGETHER, wanted.rows, wanted.columns, wanted.channels))
    made = 20 + share[:, 0] * slope + share[:, 1] * turned + noise
    return np.clip(made, 0, 255).astype(np.uint8)


if __name__ == "__main__":
    _main()

"""The parent's end of the child: started once, replaced when it hangs, grows or dies."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from overread.errors import InputError, OverreadError
from overread.images.limits import Limits
from overread.images.refusal import CAUSES, Cause, RefusedError

_START_SECONDS = 60.0
_LONGEST_ANSWER = 64 << 20
_PASSED_ON = (
    "PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME",
    "VIRTUAL_ENV", "SYSTEMROOT", "COVERAGE_PROCESS_START",
)  # fmt: skip
_FULL = "The folder for temporary files is full. Free space or set TMPDIR, then import again"
_JOBS_EACH = 2000  # decoders leak; a fresh child costs half a second


class Child:
    """One process that decodes files, one at a time; not to be shared between threads.

    Args:
        secret: key of the hashes of identifiers, at least 16 bytes.
        limits: bounds of each job.
    Raises:
        InputError: the key is too short to keep anything secret.
    """

    def __init__(self, secret: bytes, limits: Limits) -> None:
        if len(secret) < 16:
            raise InputError("secret", "have at least 16 bytes", f"{len(secret)}")
        self.limits = limits
        self.longest_seconds = 0.0
        self.replaced = 0
        self._secret = secret
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._jobs = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def run(self, task: str, kind: str, files: Sequence[Path]) -> tuple[dict[str, Any], IO[bytes]]:
        """Do one job.

        Args:
            task: "scan" or "decode".
            kind: of :class:`~overread.images.case_image.Found`.
        Returns:
            the answer and the unnamed file with the raw samples.
        Raises:
            RefusedError: the file is not taken; the child is alive or replaced on the next job.
        OverreadError: no child can be started, or the disk is full; the import has to stop.
        """
        fresh = self._process is None
        try:
            return self._run(task, kind, files)
        except RefusedError as refused:
            # What a used child could not do may be the fault of an earlier file.
            if fresh or refused.cause != "crash":
                raise
            return self._run(task, kind, files)

    def close(self) -> None:
        """End the child."""
        if self._line is not None:
            self._line.close()
            self._line = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _run(self, task: str, kind: str, files: Sequence[Path]) -> tuple[dict[str, Any], IO[bytes]]:
        line = self._started()
        job = {"task": task, "kind": kind, "files": [str(path) for path in files]}
        file = tempfile.TemporaryFile()  # noqa: SIM115 - handed to the caller
        begin = time.monotonic()
        try:
            answer = self._asked(line, file, job)
        except RefusedError:
            file.close()
            self.close()
            self.replaced += 1
            raise
        finally:
            self.longest_seconds = max(self.longest_seconds, time.monotonic() - begin)
        self._jobs += 1
        if answer.get("full"):  # the machine's fault: no file is to be quarantined for it
            file.close()
            raise OverreadError(_FULL)
        if answer.get("memory") or self._jobs >= _JOBS_EACH:
            self.close()
        if "cause" in answer:
            file.close()
            raise _refused(answer)
        return answer, file

    def _asked(self, line: socket.socket, file: IO[bytes], job: dict[str, Any]) -> dict[str, Any]:
        try:
            _hand_over(line, file, job)
        except (BrokenPipeError, ConnectionError) as error:
            raise RefusedError("crash", "the decoder was gone") from error
        except OSError as error:
            raise OverreadError(_FULL) from error
        return self._awaited(line, self.limits.seconds)

    def _awaited(self, line: socket.socket, silence: float) -> dict[str, Any]:
        """The next answer; empty lines before it are signs of life."""
        end = time.monotonic() + self.limits.total_seconds
        until = time.monotonic() + silence
        heard = bytearray()
        while True:
            left = min(until, end) - time.monotonic()
            if left <= 0 or not select.select([line], [], [], left)[0]:
                raise RefusedError("too slow", f"no answer within {silence:g} s")
            try:
                piece = line.recv(1 << 16)
            except OSError:
                piece = b""
            if not piece:
                raise RefusedError("crash", self._last_words())
            heard += piece.lstrip(b"\n") if not heard else piece
            until = time.monotonic() + silence
            if heard.endswith(b"\n") or len(heard) > _LONGEST_ANSWER:
                return _parsed(heard)

    def _last_words(self) -> str:
        if self._process is None:
            return "the decoder was gone"
        code = self._process.wait(timeout=10)
        if code == -signal.SIGALRM:
            return "the decoder stopped itself after its time"
        return f"the decoder died (signal {-code})" if code < 0 else "the decoder ended"

    def _started(self) -> socket.socket:
        if self._line is not None and self._process is not None and self._process.poll() is None:
            return self._line
        self.close()
        ours, theirs = socket.socketpair()
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-P", "-m", "overread.images.worker", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment | threads,
            start_new_session=True,
        )
        theirs.close()
        self._line, self._jobs = ours, 0
        with tempfile.TemporaryFile() as file:
            _hand_over(ours, file, {"limits": asdict(self.limits), "secret": self._secret.hex()})
        try:
            self._awaited(ours, _START_SECONDS)
        except RefusedError as error:
            self.close()
            raise OverreadError(
                "The image decoder does not start; check the installation"
            ) from error
        return ours


def _hand_over(line: socket.socket, file: IO[bytes], message: dict[str, Any]) -> None:
    file.write(json.dumps(message).encode())
    file.flush()
    file.seek(0)
    socket.send_fds(line, [b"j"], [file.fileno()])


def _parsed(heard: bytearray) -> dict[str, Any]:
    try:
        answer = json.loads(heard)
    except ValueError as error:
        raise RefusedError("crash", "the decoder's answer makes no sense") from error
    if not isinstance(answer, dict):
        raise RefusedError("crash", "the decoder's answer makes no sense")
    return answer


def _refused(answer: dict[str, Any]) -> RefusedError:
    known: dict[str, Cause] = {cause: cause for cause in CAUSES}
    cause = known.get(str(answer["cause"]), "damaged")
    return RefusedError(cause, str(answer.get("reason", ""))[:300])

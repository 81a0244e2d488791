"""Parts of a long work, each in a process of its own; what they say comes out in their order."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from overread.errors import MethodError

Progress = Callable[[int, int], None]
Say = Callable[[str], None]
Step = Callable[[str], Progress]

_PATIENCE = 5.0  # seconds that a process told to stop may take to clean up


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a work.

    Args:
        work: called as ``work(say, step, *arguments)`` in a new process, so a function of a
            module; its result comes back.
        arguments: that can be sent to another process.
    """

    work: Callable[..., Any]
    arguments: tuple[Any, ...] = ()


@dataclass(slots=True, eq=False)
class _Running:
    """A part under way: what it said that was not passed on yet, its steps, its result."""

    process: SpawnProcess
    pipe: Connection
    lines: list[str] = field(default_factory=list)
    steps: dict[int, Progress] = field(default_factory=dict)
    result: Any = None
    done: bool = False


def side_by_side(parts: Sequence[Part], *, say: Say, step: Step) -> list[Any]:
    """Run all parts at once and return their results in order.

    Args:
        say: gets the lines of the parts, all of the first part before those of the second.
        step: begins a step of a part (at once, whichever part it is) and returns its progress
            function.
    Raises:
        Exception: what a part raised; the others are stopped first.
        MethodError: a process ended without a result.
    """
    running: list[_Running] = []
    try:
        with _interrupts_left_to_us():
            running.extend(_started(part) for part in parts)
        _listen(running, say, step)
        return [one.result for one in running]
    finally:
        _stop(running)


def _started(part: Part) -> _Running:
    context = get_context("spawn")  # numba's and SciPy's threads do not survive a fork
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(theirs, part), daemon=True)
    process.start()
    theirs.close()
    return _Running(process, ours)


@contextlib.contextmanager
def _interrupts_left_to_us() -> Generator[None]:
    """Processes started in here do not hear Ctrl-C: they stop when they are told to.

    We hear it at the end, when all of them are known.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return
    heard: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _frame: heard.append(number))
    # a new process begins without our handler, but with what this thread holds back
    masked = hasattr(signal, "pthread_sigmask")
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if masked else set()
    try:
        yield
    finally:
        if masked:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        signal.signal(signal.SIGINT, handler)
    if heard:
        raise KeyboardInterrupt


def _listen(running: Sequence[_Running], say: Say, step: Step) -> None:
    while open_ones := {one.pipe: one for one in running if not one.done}:
        for pipe in wait(list(open_ones)):
            _hear(open_ones[pipe], step)  # type: ignore[index]  # wait returns what it was given
        for one in running:
            for line in one.lines:
                say(line)
            one.lines.clear()
            if not one.done:
                break


def _hear(one: _Running, step: Step) -> None:
    try:
        what, *content = one.pipe.recv()
    except EOFError:
        one.process.join(_PATIENCE)
        code = one.process.exitcode
        words = f"A process ended without a result (exit code {code}). Is there enough memory?"
        raise MethodError(words) from None
    if what == "say":
        one.lines.append(content[0])
    elif what == "step":
        one.steps[content[0]] = step(content[1])
    elif what == "progress":
        one.steps[content[0]](content[1], content[2])
    elif what == "result":
        one.result, one.done = content[0], True
    else:
        raise content[0]


def _stop(running: Sequence[_Running]) -> None:
    for one in running:
        if not one.done:
            one.process.terminate()
    for one in running:
        one.process.join(_PATIENCE)
        if one.process.is_alive():
            one.process.kill()
            one.process.join()
        one.pipe.close()


def _run(pipe: Connection, part: Part) -> None:
    """In the new process."""
    # What is being written is removed on the way out, so the way out is an exception.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    number = iter(range(sys.maxsize))

    def step(what: str) -> Progress:
        own = next(number)
        pipe.send(("step", own, what))
        return lambda done, total: pipe.send(("progress", own, done, total))

    with contextlib.suppress(BrokenPipeError):  # nobody listens any more
        try:
            result = part.work(lambda line: pipe.send(("say", line)), step, *part.arguments)
        except Exception as error:  # noqa: BLE001 - raised again where it is awaited
            pipe.send(("error", error))
        else:
            pipe.send(("result", result))

"""Long computing in a process of its own: the pages keep their processor, and it can be stopped."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from overread.errors import MethodError, OverreadError
from overread.store import Store, open_store
from overread.web.jobs import Job

_LOOK_SECONDS = 0.3

Work = Callable[..., Any]
"""Called with a store, the arguments, and ``tick(words, more)``; a function of a module."""


def in_child(store: Store, job: Job, work: Work, *given: Any) -> Any:
    """Do work on a store in a child process, and count what it tells.

    Args:
        job: its counts go on while the child works; its stop ends the child.
        work: called in the child as ``work(store, *given, tick)``.
        given: what a pipe can carry.
    Returns:
        What the work returns.
    Raises:
        MethodError: it failed, in words; or it was stopped; or its process ended.
    """
    ours, theirs = multiprocessing.Pipe(duplex=False)
    url = store.engine.url.render_as_string(hide_password=False)  # goes by a pipe, seen by nobody
    spawn = multiprocessing.get_context("spawn")
    child = spawn.Process(target=_child, args=(url, work, given, theirs), daemon=True)
    begin(child)
    theirs.close()
    try:
        return _followed(ours, job)
    finally:
        ours.close()
        child.join(0 if job.stop.is_set() else 10)
        if child.is_alive():
            child.kill()
            child.join()


def begin(child: BaseProcess) -> None:
    """Start a process that Ctrl-C does not reach: its parent ends it, when it has ended itself."""
    resource_tracker.ensure_running()  # it unblocks the signal when it begins
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # the child inherits it
    try:
        child.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _followed(line: Connection, job: Job) -> Any:
    while not job.stop.is_set():
        if not line.poll(_LOOK_SECONDS):
            continue
        try:
            what, said = line.recv()
        except EOFError:
            break
        if what == "tick":
            name, more = said
            job.counts[name] = job.counts.get(name, 0) + more
        elif what == "error":
            raise MethodError(said)
        else:
            return said
    raise MethodError("it was stopped" if job.stop.is_set() else "its process ended; try again")


def _child(url: str, work: Work, given: tuple[Any, ...], line: Connection) -> None:
    os.nice(10)
    store = open_store(url, connections=1)
    try:
        made = work(store, *given, lambda what, more: line.send(("tick", (what, more))))
        line.send(("done", made))
    except OverreadError as error:
        line.send(("error", str(error)))
    except Exception as error:  # noqa: BLE001 - its words may hold what somebody answered
        line.send(("error", f"it failed unexpectedly ({type(error).__name__})"))
    finally:
        store.close()
        line.close()

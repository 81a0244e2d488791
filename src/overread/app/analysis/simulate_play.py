"""Replays played in this process or in several."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context

from overread.arrays import Ints
from overread.errors import InputError, MethodError, MissingExtraError
from overread.selection.basis import Latents
from overread.selection.replay import PROCESS, Replay, Sampler, Strategy, replay

Progress = Callable[[int, int], None]

SVGP = "svgp"
MODELS = (PROCESS, SVGP)
"""Who learns in a replay: the product's own process, or the sparse variational one."""


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """The labelled set, sent to each process once."""

    latents: Latents
    labels: Ints
    n_classes: int
    ordinal: bool
    groups: Ints | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """One replay. Args: place: of the strategy; test: rows held back."""

    place: int
    seed: int
    test: Ints
    marks: Ints
    strategy: Strategy


_HELD: list[Ground] = []
"""The set, in a process that plays jobs: sent once, not with each."""


def _hold(ground: Ground) -> None:
    _HELD[:] = [ground]


def _play_held(job: Job) -> tuple[tuple[int, int], Replay]:
    return _play(_HELD[0], job)


def sampler_of(model: str) -> Sampler | None:
    """What a replay is given for a model; None for the process.

    Raises:
        InputError: a model that is none.
        MissingExtraError: its packages are not installed.
    """
    if model not in MODELS:
        raise InputError("model", f"be one of {', '.join(MODELS)}", model)
    if model == PROCESS:
        return None
    try:
        from overread.learn.svgp import svgp_sampler  # noqa: PLC0415 - torch, an extra
    except ImportError as error:
        raise MissingExtraError("A sparse variational Gaussian process", "learn") from error
    return svgp_sampler


def _play(ground: Ground, job: Job) -> tuple[tuple[int, int], Replay]:
    found = replay(
        ground.latents, ground.labels, job.test, n_classes=ground.n_classes, marks=job.marks,
        strategy=job.strategy, ordinal=ground.ordinal, seed=job.seed, groups=ground.groups,
        sampler=sampler_of(job.strategy.model),
    )  # fmt: skip
    return (job.place, job.seed), found


def played(
    ground: Ground, jobs: Sequence[Job], workers: int, progress: Progress | None
) -> Iterator[tuple[tuple[int, int], Replay]]:
    """Play jobs, in this process if one worker is enough; (place, seed) and replay, as they end.

    Raises:
        MethodError: a process was ended from outside (no memory left, say).
    """
    tick = progress or (lambda _done, _total: None)
    tick(0, len(jobs))
    if workers <= 1:
        for done, job in enumerate(jobs, start=1):
            yield _play(ground, job)
            tick(done, len(jobs))
        return
    context = get_context("spawn")  # numba's and SciPy's threads do not survive a fork
    with _one_thread_each(), ProcessPoolExecutor(workers, context, _hold, (ground,)) as crew:
        try:
            waiting = [crew.submit(_play_held, job) for job in jobs]
            for done, one in enumerate(as_completed(waiting), start=1):
                yield one.result()
                tick(done, len(jobs))
        except BrokenProcessPool as error:
            words = "a process that played replays ended without a result; run with fewer workers"
            raise MethodError(words) from error
        finally:
            crew.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _one_thread_each() -> Generator[None]:
    """Processes started in here compute on one core each: many threads each are far slower."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

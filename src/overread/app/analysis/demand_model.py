"""What is known of readers, so that a case can be judged by itself as soon as it is read.

A fit over many reads takes its time; what it learned (prevalence, confusions, temperature) judges
single cases at once, until so much more is read that it is worth another fit. Readers known from
few reads may be other than they seem: a case is taken for no surer than it is in nine of ten draws
of them (:mod:`overread.consensus.unsure`), so that little is stopped before they are known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from overread.app.analysis.reach_consensus import reach_consensus
from overread.arrays import Bools, Floats, Ints
from overread.consensus.calibration import apply_temperature
from overread.consensus.next_read import expected_gain
from overread.consensus.result import ClassConsensus, Consensus
from overread.consensus.unsure import DrawnReaders, doubt, draw_readers, widened
from overread.errors import InputError
from overread.labels import ClassReads, MultiLabelReads
from overread.planning.demand import ASK, SURE, Asks, decide, worth_of

LOAD = 3_600.0
"""Seconds of waiting work that count as if their reader read half as fast."""

_FEW_READS = 100  # of a reader, below which they borrow from the others


@dataclass(frozen=True, slots=True, eq=False)
class ReaderModel:
    """What a consensus learned of one question, or of one class of a set.

    Args:
        classes: names; of a set "absent" and "present" in this order.
        readers: names.
        prevalence: (classes,).
        confusion: (readers, classes, classes) [reader, truth, said].
        usual: (classes, classes) of a reader of whom nothing is known.
        tau: temperature of the posterior.
        drawn: the readers as they may be; None takes the confusions for the truth.
    """

    classes: tuple[str, ...]
    readers: tuple[str, ...]
    prevalence: Floats
    confusion: Floats
    usual: Floats
    tau: float
    drawn: DrawnReaders | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Wishes:
    """When to stop. Args: as of :func:`overread.planning.demand.decide`."""

    sure: float
    least: int
    most: int
    loss: float = 0.0


def fit_models(reads: ClassReads | MultiLabelReads) -> list[ReaderModel]:
    """Learn what readers are like; of a set of classes one model a class.

    With fewer than a hundred reads a reader, readers borrow from each other (``hierarchical``);
    grades have a model that needs few reads as it is.

    Raises:
        MethodError: nothing can be learned from these reads.
    """
    few = float(np.median(np.bincount(reads.index.reader))) < _FEW_READS
    method = "hierarchical" if few and reads.schema.kind != "ordinal" else None
    made: list[ReaderModel] = []
    for at, part in enumerate(reach_consensus(reads, method=method).parts.values()):
        confusion, prevalence = part.reliability.confusion, part.prevalence
        if confusion is None or prevalence is None:
            raise InputError("method", "know how readers err", part.method)
        weight = part.reliability.reads / max(int(part.reliability.reads.sum()), 1)
        usual = np.einsum("r,rts->ts", weight, confusion)
        made.append(
            ReaderModel(
                part.value.classes,
                part.reliability.readers,
                prevalence,
                confusion,
                usual / usual.sum(axis=1, keepdims=True),
                part.temperature,
                drawn_of(part, reads, at),
            )
        )
    return made


def drawn_of(
    part: Consensus[ClassConsensus], reads: ClassReads | MultiLabelReads, at: int = 0
) -> DrawnReaders:
    """Draws of the readers of a consensus.

    Args:
        at: class of a set that the consensus is about.
    """
    index = reads.index
    said = reads.label if isinstance(reads, ClassReads) else reads.present[:, at]
    return draw_readers(
        part.posterior,
        np.asarray(index.case, dtype=np.int64),
        np.asarray(index.reader, dtype=np.int64),
        np.asarray(said, dtype=np.int64),
        len(part.reliability.readers),
    )


def cautious(
    model: ReaderModel, posterior: Floats, said: Sequence[Sequence[tuple[str, int]]]
) -> Floats:
    """The posterior of :func:`posterior_of`, no surer than what is known of its readers."""
    if model.drawn is None:
        return posterior
    place = {name: at for at, name in enumerate(model.readers)}
    rows = [
        (case, place.get(reader, -1), code)
        for case, of_case in enumerate(said)
        for reader, code in of_case
    ]
    case, reader, code = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return widened(
        posterior, model.tau * doubt(model.drawn, case, reader, code, posterior.argmax(axis=1))
    )


def posterior_of(model: ReaderModel, said: Sequence[Sequence[tuple[str, int]]]) -> Floats:
    """Calibrated posterior of cases from what is known of their readers.

    Args:
        said: of each case (reader, code of the class); a code below 0 tells nothing.
    Returns:
        (cases, classes); of cases that nobody has read, the prevalence.
    """
    place = {name: at for at, name in enumerate(model.readers)}
    log = np.log(np.maximum(model.confusion, 1e-12))
    usual = np.log(np.maximum(model.usual, 1e-12))
    joint = np.tile(np.log(np.maximum(model.prevalence, 1e-12)), (len(said), 1))
    for row, of_case in enumerate(said):
        for reader, code in of_case:
            if code >= 0:
                at = place.get(reader)
                joint[row] += (usual if at is None else log[at])[:, code]
    likely = np.exp(joint - joint.max(axis=1, keepdims=True, initial=-np.inf))
    plain = likely / likely.sum(axis=1, keepdims=True)
    return apply_temperature(plain, model.tau)


def asks_by_models(
    models: Sequence[ReaderModel],
    said: Sequence[Sequence[Sequence[tuple[str, int]]]],
    *,
    readers: Sequence[str],
    available: Bools,
    reads: Ints,
    seconds: Mapping[str, float],
    wishes: Wishes,
    waiting: Mapping[str, float] | None = None,
) -> tuple[Asks, Floats]:
    """Decide on cases: stop, or whom to ask; over all models of a project together.

    A case is sure when it is sure by every model; the reader asked is the one who tells most a
    second over those by which it is not.

    Args:
        models: of all questions and classes.
        said: of each model, of each case (reader, code).
        readers: who could be asked; those a model does not know count as usual readers.
        available: (cases, readers) may be asked.
        reads: (cases,) so far.
        seconds: of a read, by reader; the mean of the others where not known.
        wishes: when to stop.
        waiting: seconds of work that wait for each reader: who has :data:`LOAD` of them counts as
            half as fast.
    Returns:
        Decisions, readers as places in ``readers``; and (cases,) the least probability over the
        models of a case's consensus, widened by what is not known of its readers.
    """
    known = [one for one in seconds.values() if one > 0]
    usual = float(np.mean(known)) if known else 1.0
    cost = np.array([seconds.get(one) or usual for one in readers])
    n_cases, shape = len(reads), (len(reads), len(readers))
    gain, asked = np.zeros(shape), np.zeros(n_cases, dtype=np.bool_)
    state, lowest = np.zeros(n_cases, dtype=np.int64), np.ones(n_cases)
    for model, of_model in zip(models, said, strict=True):
        posterior = cautious(model, posterior_of(model, of_model), of_model)
        confusion = _confusion(model, readers)
        told = np.stack([expected_gain(posterior, one)[0] for one in confusion], axis=1)
        worth = _worth(posterior, confusion, available, told, reads, wishes)
        found = decide(
            posterior, told, available, reads=reads, sure=wishes.sure, worth=worth,
            loss=wishes.loss, least=wishes.least, most=wishes.most, seconds=cost,
        )  # fmt: skip
        ask = found.state == ASK
        gain += np.where(ask[:, None], told, 0.0)
        asked |= ask
        state = np.maximum(state, np.where(ask, SURE, found.state))
        lowest = np.minimum(lowest, posterior.max(axis=1))
    load = np.array([(waiting or {}).get(one, 0.0) for one in readers])
    best, top = _shared_out(np.where(available, gain, -np.inf), cost, load, np.flatnonzero(asked))
    return Asks(np.where(asked, ASK, state), best, top), lowest


def _shared_out(gain: Floats, cost: Floats, load: Floats, cases: Ints) -> tuple[Ints, Floats]:
    """Whom to ask for each of these cases, those that gain most first, and the rate of it.

    Each read given adds to the reader's load, and an hour that waits for a reader counts as if
    they read half as fast: quick and able readers get more, but not everything.
    """
    best, top = np.full(len(gain), -1), np.zeros(len(gain))
    if not gain.shape[1]:
        return best, top
    load = load.copy()
    for case in cases[np.argsort(-gain[cases].max(axis=1), kind="stable")].tolist():
        rate = gain[case] / (cost * (1 + load / LOAD))
        best[case] = who = int(rate.argmax())
        top[case] = rate[who]
        load[who] += cost[who]
    return best, top


def _confusion(model: ReaderModel, readers: Sequence[str]) -> Floats:
    place = {name: at for at, name in enumerate(model.readers)}
    rows = [model.confusion[place[one]] if one in place else model.usual for one in readers]
    return np.array(rows).reshape(len(rows), len(model.classes), len(model.classes))


def _worth(  # noqa: PLR0917 - what worth_of takes
    posterior: Floats,
    confusion: Floats,
    available: Bools,
    gain: Floats,
    reads: Ints,
    wishes: Wishes,
) -> Floats:
    """Worth of all the reads left; asked of the cases that are not sure."""
    worth = np.full(len(posterior), np.inf)
    open_ = np.flatnonzero(posterior.max(axis=1) < wishes.sure)
    if open_.size and len(confusion):
        left = np.clip(wishes.most - reads[open_], 0, available[open_].sum(axis=1))
        worth[open_] = worth_of(
            posterior[open_], confusion, available[open_], gain[open_], left=left
        )
    return worth

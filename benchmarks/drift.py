"""How many reads until a reader who drifts is found, at one and the same false-alarm rate?

Five readers of unequal noise, cases of unequal difficulty and size, three reads a case. From some
read on one reader's boxes shrink, shift, miss one edge, fall anywhere, or get looser slowly
(fatigue); grades inflate, or have nothing to do with the case. Peers, both at the end of every
sub-batch of 20 overlap reads: "iou" is a fixed threshold on a reader's mean agreement with the
others (IoU; share of equal grades), as the Radiobotics process draws it; "majority" compares a
reader's rate of disagreement and size (or grade) with those of the others in that batch by t tests,
the largest counts. Both get the threshold at which, on simulated readers who do not change, they
alarm as often as ours was measured to; ours keeps the limits of its design. Reads are a reader's
overlap reads after the change; a run without an alarm counts as its whole length. "left in peace"
are readers who do not change, at the usual design (one false alarm in 40,000 overlap reads): a
change pauses; about a level that differs from the pool's from the start the lead is asked, and one
reader in five does differ (he draws with nearly twice the noise of the others). The cost of one
update must not grow with the reads behind it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from _common import arguments, finish
from overread.labels import BoxReads, ClassReads, Kind, LabelClass, LabelSchema, read_index
from overread.monitoring import RUN_LENGTH as RUN_LENGTH_USUAL
from overread.monitoring import (
    Settings,
    chance_of_false_alarm,
    decide,
    design_charts,
    observe,
    release,
    seen_of,
    start,
    update,
)
from overread.monitoring.observations import Observations

READERS, SIDE_NOISE = 5, np.array([0.04, 0.06, 0.09, 0.05, 0.05])
GRADE_NOISE = np.array([0.4, 0.5, 0.65, 0.45, 0.5])
BATCH = 20
RUN_LENGTH = 1000.0


def who(rng, n_cases):
    """Three of five readers a case: (reads,) case and reader."""
    order = rng.random((n_cases, READERS)).argsort(axis=1)[:, :3]
    return np.repeat(np.arange(n_cases), 3), order.reshape(-1)


def since_change(reader, drifter, change_at):
    """(reads,) the drifter's reads since his change, from 0; -1 before, and for others."""
    step = np.full(reader.size, -1)
    mine = np.flatnonzero(reader == drifter)
    step[mine] = np.maximum(np.arange(mine.size) - change_at, -1)
    return step


def box_reads(rng, n_cases, change=None, drifter=1, change_at=0):
    case, reader = who(rng, n_cases)
    step = since_change(reader, drifter, change_at)
    count = rng.poisson(1.2, n_cases)
    hard = np.exp(rng.normal(0, 0.4, n_cases))
    low = rng.uniform(100, 800, (count.sum(), 2))
    true = np.hstack([low, low + np.exp(rng.normal(4.5, 0.5, low.shape))])
    first = np.r_[0, np.cumsum(count)]
    read, box = [], []
    for row, (c, r) in enumerate(zip(case.tolist(), reader.tolist(), strict=True)):
        own = true[first[c] : first[c + 1]]
        own = own[rng.random(len(own)) > min(0.08 * hard[c], 0.6)]
        noise = SIDE_NOISE[r] * hard[c] * rng.standard_t(6, own.shape)
        if rng.random() < 0.05 * hard[c]:
            stray = rng.uniform(0, 900, 2)
            own = np.vstack([own, np.r_[stray, stray + 60]])
            noise = np.vstack([noise, np.zeros(4)])
        if change is not None and step[row] >= 0:
            own = change(rng, own, noise, step[row])
        else:
            own = own + noise * sides(own)
        own[:, 2:] = np.maximum(own[:, 2:], own[:, :2] + 3)
        read += [row] * len(own)
        box.append(own)
    index = read_index(case, [f"R{r}" for r in reader])
    schema = LabelSchema(Kind.BOX, (LabelClass("finding"),))
    return BoxReads(index, np.array(read), np.zeros(len(read), int), np.vstack(box), schema)


def sides(box):
    return np.tile(box[:, 2:] - box[:, :2], 2)


def moved(by):
    """Edges move by these shares of their side, from the first read on."""
    return lambda _, box, noise, __: box + (noise + np.array(by)) * sides(box)


def anywhere(rng, box, *_):
    low = rng.uniform(0, 850, (len(box), 2))
    return np.hstack([low, low + sides(box)[:, :2]])


def tired(rng, box, noise, step):
    """Over 200 reads the noise trebles and a third of the findings is missed."""
    share = min(step / 200, 1.0)
    kept = rng.random(len(box)) > 0.33 * share
    return (box + noise * (1 + 2 * share) * sides(box))[kept]


def grade_reads(rng, n_cases, change=None, drifter=1, change_at=0):
    case, reader = who(rng, n_cases)
    step = since_change(reader, drifter, change_at)
    truth = rng.choice(5, n_cases, p=(0.35, 0.25, 0.2, 0.12, 0.08))
    hard = np.exp(rng.normal(0, 0.3, n_cases))
    noise = rng.normal(size=case.size) * GRADE_NOISE[reader] * hard[case]
    said = np.rint(truth[case] + noise)
    if change is not None:
        rows = step >= 0
        said[rows] = change(rng, (truth[case] + noise)[rows], step[rows])
    label = np.clip(said, 0, 4).astype(np.int64)
    schema = LabelSchema(Kind.ORDINAL, tuple(LabelClass(str(g)) for g in range(5)))
    return ClassReads(read_index(case, [f"R{r}" for r in reader]), label, schema)


Make = Callable[..., BoxReads | ClassReads]
SCENES: dict[str, tuple[Make, object]] = {
    "boxes 20 % smaller": (box_reads, moved([0.053, 0.053, -0.053, -0.053])),
    "boxes 10 % to the right": (box_reads, moved([0.1, 0, 0.1, 0])),
    "lower edge 20 % in": (box_reads, moved([0, 0, 0, -0.2])),
    "boxes anywhere": (box_reads, anywhere),
    "boxes: slow fatigue": (box_reads, tired),
    "grades 0.5 higher": (grade_reads, lambda _, value, __: np.rint(value + 0.5)),
    "grades at random": (grade_reads, lambda rng, value, _: rng.integers(0, 5, value.size)),
    "grades: slow inflation": (
        grade_reads,
        lambda _, value, step: np.rint(value + np.minimum(step / 200, 1.0)),
    ),
}


def ours(design, found: Observations, reader: int, begin: int) -> tuple[int, int]:
    """Reads watched from ``begin`` on until the alarm (or the end), and whether it came."""
    state = start(design)
    for n, one in enumerate(seen_of(design, found.select(found.reader == reader))):
        state, alarm = update(design, state, one)
        if alarm is not None:
            if n >= begin:
                return n - begin + 1, 1
            state = start(design)
    return max(state.reads - begin, 0), 0


def batch_scores(found: Observations, reader: int, begin: int) -> tuple[np.ndarray, np.ndarray]:
    """Of each sub-batch of a reader from ``begin`` on: low agreement, largest t against others."""
    mine = np.flatnonzero(found.reader == reader)[begin:]
    keys = [one.key for one in found.metrics]
    boxes = "iou" in keys
    agree = found.column("iou") if boxes else 1 - found.column("disagreement")
    tested = ("log_area", "iou", "unmatched") if boxes else ("grade", "disagreement")
    low, largest = [], []
    for first in range(0, mine.size - BATCH + 1, BATCH):
        rows = mine[first : first + BATCH]
        low.append(-np.nanmean(agree[rows]) if np.isfinite(agree[rows]).any() else -1.0)
        near = (np.arange(found.n) >= rows[0]) & (np.arange(found.n) <= rows[-1])
        rest = np.flatnonzero(near & (found.reader != reader))
        largest.append(max(t_of(found.column(key), rows, rest, key) for key in tested))
    return np.array(low), np.array(largest)


def t_of(value, rows, rest, key) -> float:
    one, two = (value[r][~np.isnan(value[r])] for r in (rows, rest))
    if one.size < 3 or two.size < 3:
        return 0.0
    variance = ((one.size - 1) * one.var(ddof=1) + (two.size - 1) * two.var(ddof=1)) / (
        one.size + two.size - 2
    )
    t = (one.mean() - two.mean()) / np.sqrt(variance * (1 / one.size + 1 / two.size) + 1e-12)
    return float(-t if key == "iou" else t if key in ("unmatched", "disagreement") else abs(t))


def threshold(scores: list[np.ndarray], arl: float) -> float:
    """The threshold that batches of readers in control cross once in ``arl`` reads."""
    pooled = np.concatenate(scores)
    return float(np.quantile(pooled, 1 - min(BATCH / arl, 1.0)))


def batch_delay(scores: np.ndarray, limit: float) -> tuple[int, int]:
    over = np.flatnonzero(scores > limit)
    return (int(over[0] + 1) * BATCH, 1) if over.size else (scores.size * BATCH, 0)


def in_control(make, design, rng, projects, n_cases, begin):  # noqa: PLR0917
    """Measured run length of ours, thresholds of the peers at the same one."""
    alarms = reads = 0
    low, largest = [], []
    for _ in range(projects):
        found = observe(make(rng, n_cases))
        for reader in range(READERS):
            state = start(design)
            for one in seen_of(design, found.select(found.reader == reader)):
                state, alarm = update(design, state, one)
                reads += 1
                if alarm is not None:
                    alarms += 1
                    state = start(design)
            one, two = batch_scores(found, reader, begin)
            low.append(one)
            largest.append(two)
    arl = reads / max(alarms, 1)
    return alarms, reads, arl, threshold(low, arl), threshold(largest, arl)


def left_in_peace(make, kind, rng, pilot, readers, reads) -> dict:  # noqa: PLR0917
    """Readers who do not change, watched over ``reads`` overlap reads at the usual design."""
    found = observe(make(rng, pilot))
    design = design_charts(found, kind=kind)
    paused = told = watched = 0
    while watched < readers:
        found = observe(make(rng, reads * READERS // 3 + 40))
        for reader in range(READERS):
            state, actions = start(design), set()
            for one in seen_of(design, found.select(found.reader == reader))[:reads]:
                state, alarm = update(design, state, one)
                if alarm is not None:
                    actions.add(decide(alarm).action)
                    state = release(design, state, accept=True)
            paused += "pause" in actions
            told += "ask the lead" in actions
            watched += 1
    most = watched * chance_of_false_alarm(RUN_LENGTH_USUAL, reads)
    return {
        "readers": watched, "reads_each": reads, "paused": paused, "lead_asked_about": told,
        "to_be_expected_at_most": round(most, 1),
    }  # fmt: skip


def update_cost(design, found: Observations) -> tuple[float, float]:
    """Milliseconds of an update: of a young reader, and of one with many reads."""
    seen = seen_of(design, found)
    state, took = start(design), []
    for n in range(6000):
        one = seen[n % len(seen)]
        begin = time.perf_counter()
        after, alarm = update(design, state, one)
        took.append(time.perf_counter() - begin)
        state = after if alarm is None else state
    return tuple(1e3 * float(np.median(part)) for part in (took[400:1400], took[-1000:]))


def main() -> None:
    args = arguments(__doc__)
    begun = time.time()
    rng = np.random.default_rng(2024)
    pilot, projects, runs = (250, 3, 3) if args.small else (1000, 16, 30)
    change_at, after = (30, 120) if args.small else (80, 300)
    figures: dict = {"benchmark": "drift", "small": args.small, "run_length_designed": RUN_LENGTH}
    rows, known = [], {}
    for make, name in ((box_reads, "boxes"), (grade_reads, "grades")):
        found = observe(make(rng, pilot))
        kind = "box" if make is box_reads else "ordinal"
        design = design_charts(found, kind=kind, settings=Settings(run_length=RUN_LENGTH))
        n_cases = (change_at + after) * READERS // 3
        alarms, reads, arl, low, largest = in_control(
            make, design, rng, projects, n_cases, change_at
        )
        known[make] = design, low, largest
        figures[f"false_alarms_{name}"] = {
            "alarms": alarms, "overlap_reads": reads, "run_length_measured": round(arl),
        }  # fmt: skip
        calm = (5, 150) if args.small else (40, 2000)
        figures[f"left_in_peace_{name}"] = left_in_peace(make, kind, rng, pilot, *calm)
        young, old = update_cost(design, found)
        figures[f"update_{name}"] = {
            "ms_young": round(young, 3), "ms_after_6000_reads": round(old, 3),
            "growth": round(old / young, 2),
        }  # fmt: skip
    for scene, (make, change) in SCENES.items():
        design, low, largest = known[make]
        found_by: dict[str, list[tuple[int, int]]] = {"ours": [], "iou": [], "majority": []}
        for _ in range(runs):
            n_cases = (change_at + after) * READERS // 3
            found = observe(make(rng, n_cases, change, change_at=change_at))
            found_by["ours"].append(ours(design, found, 1, change_at))
            one, two = batch_scores(found, 1, change_at)
            found_by["iou"].append(batch_delay(one, low))
            found_by["majority"].append(batch_delay(two, largest))
        row: dict = {"change": scene}
        for name, got in found_by.items():
            reads = np.array([n for n, _ in got])
            row[name] = {
                "mean reads": round(float(reads.mean()), 1),
                "90 % within": round(float(np.quantile(reads, 0.9))),
                "found": round(float(np.mean([hit for _, hit in got])), 2),
            }
        row["iou / ours"] = round(row["iou"]["mean reads"] / row["ours"]["mean reads"], 1)
        row["majority / ours"] = round(row["majority"]["mean reads"] / row["ours"]["mean reads"], 1)
        rows.append(row)
        print(row, flush=True)
    figures["delay"] = rows
    figures["seconds"] = round(time.time() - begun, 1)
    finish(figures)


if __name__ == "__main__":
    sys.exit(main())

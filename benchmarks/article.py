"""The article's experiment: from a majority vote of .675 to an EM consensus of .990, and 200 seeds.

"Engineering for Annotation in the ML Pipeline, Part 2: Creating Consensus and Quality Control"
(RSIP Vision, 2026) simulates ten annotators of 200 cases: four tests for normality, four who answer
at random, two who mostly contradict the first. We draw the same data, run our Dawid-Skene, and ask
what one seed hides: the tie rule, and how the method fares over 200 seeds.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from _common import arguments, finish
from overread.consensus import dawid_skene
from overread.labels import ClassReads, class_reads

ANNOTATORS = (
    "Shapiro", "D'Agostino", "Jarque-Bera", "KS",
    "Random 1", "Random 2", "Random 3", "Random 4", "Bad 1", "Bad 2",
)  # fmt: skip
CLASSES = ("No Pneumonia", "Pneumonia")
ARTICLE: dict[str, Any] = {
    # half a pseudo-read in every cell of a confusion matrix; ties of the first vote to class 0
    "prior_reads": 1.0, "prior_accuracy": 0.5, "prevalence_reads": 0.0,
    "start": "majority", "ties": "first", "starts": 1, "max_iterations": 12,
    "calibrate": False, "keep_history": True,
}  # fmt: skip
DATA_SHA256 = "41ae3c9e5ef0b0057e990e14894673080c5a2fc9949d8781ed47de5ae0fc4cf9"


def answers(seed: int, cases: int = 200) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw the article's data: answers (cases, 10) and the truth (cases,).

    The order of the draws is part of the experiment: all truths, then case by case the sample, the
    four random annotators, and for each bad one a coin and, when it fails, a guess.
    """
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, size=cases)
    rows = []
    for label in truth:
        sample = (
            stats.skewnorm.rvs(a=14, size=100, random_state=rng)
            if label
            else rng.normal(0, 1, size=100)
        )
        rows.append(_ten_answers(sample, rng))
    return np.array(rows), truth


def _ten_answers(sample: NDArray[np.float64], rng: np.random.Generator) -> list[int]:
    standard = (sample - sample.mean()) / (sample.std(ddof=1) + 1e-12)
    p_values = (
        stats.shapiro(sample).pvalue,
        stats.normaltest(sample).pvalue,
        stats.jarque_bera(sample).pvalue,
        stats.kstest(standard, "norm", method="asymp").pvalue,
    )
    said = [int(p < 0.05) for p in p_values]
    said += [int(rng.integers(0, 2)) for _ in range(4)]
    for _ in range(2):
        said.append(1 - said[0] if rng.random() < 0.8 else int(rng.integers(0, 2)))
    return said


def as_reads(said: NDArray[np.int64]) -> ClassReads:
    """(cases, 10) answers as a read table."""
    case, reader = np.indices(said.shape)
    names = np.array(ANNOTATORS)[reader.reshape(-1)]
    labels = np.array(CLASSES)[said.reshape(-1)]
    return class_reads(case.reshape(-1), names, labels, schema=CLASSES)


def article_run(seed: int = 7) -> dict[str, object]:
    """The article's own settings: smoothing .5, ties to the first class, twelve iterations."""
    said, truth = answers(seed)
    reads = as_reads(said)
    result = dawid_skene(reads, **ARTICLE)
    codes = [step.code for step in result.history]
    accuracy = [float((code == truth).mean()) for code in codes if code is not None]
    flips = int((result.value.code != codes[0]).sum())
    first, last = result.history[0].confusion, result.history[-1].confusion
    assert first is not None
    assert last is not None
    table = {
        name: {
            "accuracy": round(float((said[:, i] == truth).mean()), 3),
            "first": [round(float(first[_row(reads, name), c, c]), 3) for c in (1, 0)],
            "final": [round(float(last[_row(reads, name), c, c]), 3) for c in (1, 0)],
        }
        for i, name in enumerate(ANNOTATORS)
    }
    return {
        "sha256": hashlib.sha256(said.astype("u1").tobytes()).hexdigest(),
        "accuracy": accuracy,
        "flips": flips,
        "table": table,
    }


def _row(reads: ClassReads, name: str) -> int:
    return reads.index.readers.index(name)


def tie_rules(seed: int = 7) -> dict[str, float]:
    """Accuracy of the majority under each tie rule; "split" counts a tie as half right."""
    said, truth = answers(seed)
    share = said.mean(axis=1)
    tied = share == 0.5
    right = (share > 0.5) == truth
    return {
        "tied cases": int(tied.sum()),
        "first": float(np.where(tied, truth == 0, right).mean()),
        "split": float(np.where(tied, 0.5, right).mean()),
        "last": float(np.where(tied, truth == 1, right).mean()),
    }


def many_seeds(seeds: range) -> dict[str, float]:
    """Mean accuracy over seeds: majority (ties split), our default, the single best annotator."""
    rows = []
    for seed in seeds:
        said, truth = answers(seed)
        reads = as_reads(said)
        share = np.where(said.mean(axis=1) == 0.5, 0.5, (said.mean(axis=1) > 0.5) == truth)
        rows.append(
            (
                share.mean(),
                (dawid_skene(reads, **ARTICLE).value.code == truth).mean(),
                (dawid_skene(reads).value.code == truth).mean(),
                (said == truth[:, None]).mean(axis=0).max(),
            )
        )
    names = ("majority, ties split", "article's EM", "Overread default", "best single annotator")
    return dict(zip(names, np.mean(rows, axis=0).tolist(), strict=True))


def main() -> None:
    """Print the article's figures as we get them."""
    small = arguments(__doc__).small
    run = article_run()
    figures = {
        "data hash equals the article's": run["sha256"] == DATA_SHA256,
        "accuracy by iteration": run["accuracy"],
        "flips": run["flips"],
        "tie rules": tie_rules(),
        "seeds": 10 if small else 200,
        "mean accuracy": many_seeds(range(10 if small else 200)),
        "readers": run["table"],
    }
    for name, value in figures.items():
        print(f"{name}: {value}")
    finish(figures)


if __name__ == "__main__":
    main()

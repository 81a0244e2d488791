"""Synthetic contents in every state, for the tests and for looking at.

Run ``python -m tests.report.gallery OUT_DIR [STATE ...] [--pdf]`` to write one page a state.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from overread import report
from overread.agreement.estimate import Estimate
from overread.arrays import names_array
from overread.consensus.result import (
    ClassConsensus,
    Consensus,
    Fit,
    Iteration,
    Reliability,
)
from overread.labels import Kind

from .gallery_kinds import NAN, boxes_content, estimate, masks_content, scores_content

CHEST = ("no finding", "cardiomegaly", "effusion", "nodule")
HOSTILE = '<script>alert("x")</script> & \'=1+1\' #import "x" $a$ ]] {{ 7*7 }}'


def classes_content(
    n_cases=420, n_readers=6, classes=CHEST, *, seed=1, reader_names=None, case_names=None, **head
):
    """Nominal reads of readers from good to poor, with a consensus and everything else."""
    rng = np.random.default_rng(seed)
    n_classes = len(classes)
    readers = reader_names or tuple(f"R{i + 1}" for i in range(n_readers))
    cases = case_names or [f"CXR-{i + 1:05d}" for i in range(n_cases)]
    prevalence = np.sort(rng.dirichlet(np.full(n_classes, 2.0)))[::-1]
    truth = rng.choice(n_classes, n_cases, p=prevalence)
    skill = rng.permutation(np.linspace(0.95, 0.7, n_readers))
    per_case = min(n_readers, 5)
    who = np.array([rng.permutation(n_readers)[:per_case] for _ in range(n_cases)])
    right = rng.random(who.shape) < skill[who]
    said = np.where(right, truth[:, None], rng.integers(0, n_classes, who.shape))
    votes = np.zeros((n_cases, n_classes))
    np.add.at(votes, (np.arange(n_cases)[:, None], said), 1.3)
    posterior = np.exp(votes) / np.exp(votes).sum(axis=1, keepdims=True)
    entropy = -(posterior * np.log(posterior)).sum(axis=1)
    code = posterior.argmax(axis=1)
    confusion = np.full((n_readers, n_classes, n_classes), 0.0)
    for j in range(n_readers):
        off = rng.dirichlet(np.ones(n_classes), n_classes) * (1 - skill[j])
        confusion[j] = off
        confusion[j][np.diag_indices(n_classes)] += skill[j]
    recall = np.einsum("jkk->jk", confusion)
    value = np.column_stack([recall @ prevalence, recall])
    result = Consensus(
        kind=Kind.NOMINAL,
        method="dawid_skene",
        settings={"tol": 1e-8, "starts": 4, "tie_rule": "first class", "seed": 0},
        cases=names_array(cases),
        value=ClassConsensus(code, classes),
        posterior=posterior,
        entropy=entropy,
        difficulty=entropy / np.log(n_classes),
        reliability=Reliability(
            readers,
            ("accuracy", *(f"recall {name}" for name in classes)),
            value,
            np.clip(value - 0.05, 0, 1),
            np.clip(value + 0.04, 0, 1),
            0.95,
            np.bincount(who.ravel(), minlength=n_readers),
            confusion,
        ),
        reads=np.full(n_cases, per_case),
        read_rows=np.arange(who.size),
        history=tuple(
            Iteration(-900 - 400 * 0.5**i, -950 - 420 * 0.5**i, np.roll(code, int(9 * 0.4**i)))
            for i in range(14)
        ),
        warnings=(
            "Another start reached nearly the same likelihood with other labels for 3 cases.",
        ),
        fit=Fit(129.78, 20, 1e-9, "Readers err together more often than the model believes."),
        temperature=0.62,
        provenance="41ae3c9e5ef0b0057e990e14894673080c5a2fc9949d8781ed47de5ae0fc4cf9",
        prevalence=prevalence,
    )
    return report.Content(
        report.Head(
            **{
                "title": "Chest radiographs: six readers on four findings",
                "kind": Kind.NOMINAL,
                "date": "21 November 2026",
                "n_cases": n_cases,
                "n_reads": int(who.size) + 31,
                "n_repeats": 31,
                "n_unreadable": 7,
                "n_single": n_cases // 15,
                "source": "chest-reads.csv",
                "version": "0.1.0",
                "settings": {"interval": "bootstrap over cases, 2000 draws"},
            }
            | head
        ),
        readers,
        classes,
        agreement=_agreement(readers, classes, skill, rng),
        consensus=result,
        comparison=_comparison(),
        cases=_cases(cases, classes, who, said, code=code, posterior=posterior, entropy=entropy),
        calibration=_calibration(),
    )


def _agreement(readers, classes, skill, rng):
    n = len(readers)
    pairs = np.clip(np.outer(skill, skill) + rng.normal(0, 0.03, (n, n)), 0, 1)
    pairs = (pairs + pairs.T) / 2
    if n > 4:
        pairs[1, 3] = pairs[3, 1] = NAN
    paradox = "Only 1.6 % of reads say nodule: chance agreement is .97, so kappa is low although "
    paradox += "readers agree on 98 of 100 cases. Judge by AC1 as well."
    return report.Agreement(
        overall=(
            estimate(0.583),
            estimate(0.61, name="Fleiss' kappa", key="fleiss_kappa", warning=paradox),
            estimate(0.74, name="Gwet's AC1", key="ac1"),
            estimate(0.812, name="Percent agreement", key="percent", half=0.02),
            Estimate(
                "Quadratic kappa",
                "quadratic",
                NAN,
                undefined="the classes have no order",
                words="Say that the classes are grades to get it.",
            ),
        ),
        per_class=tuple(
            estimate(0.85 - 0.5 * i / len(classes), f"class {name}")
            for i, name in enumerate(classes)
        ),
        pairs=(
            report.PairMatrix("Cohen's kappa", pairs, rng.integers(40, 300, (n, n))),
            report.PairMatrix("Percent", np.sqrt(pairs), rng.integers(40, 300, (n, n))),
        ),
        against_rest=tuple(
            estimate(float(s), f"{name} against the rest", name="Cohen's kappa", key="cohen_kappa")
            for s, name in zip(skill, readers, strict=True)
        ),
        subgroups=(estimate(0.66, "site A"), estimate(0.41, "site B", half=0.15)),
        intra=(estimate(0.91, readers[0], half=0.08), estimate(0.55, readers[-1], half=0.2)),
    )


def _comparison():
    return report.Comparison(
        (
            report.MethodScore("majority", -0.81, 0.02, 0.86, 0.55, 0.13),
            report.MethodScore("dawid_skene", -0.62, 0.015, 0.91, 0.29, 0.03),
            report.MethodScore("ebcc", -0.63, 0.016, 0.91, 0.31, 0.03),
            report.MethodScore("ordinal", note="needs grades"),
        ),
        "dawid_skene",
        "It predicts reads that it has not seen better than majority vote, beyond chance, and no "
        "worse than EBCC, which takes ten times as long.",
    )


def _cases(cases, classes, who, said, *, code, posterior, entropy):
    order = np.argsort(-entropy, kind="stable")
    views = tuple(
        report.CaseView(
            cases[i],
            classes[code[i]],
            float(posterior[i].max()),
            float(entropy[i]),
            tuple(
                report.Vote(int(j), classes[s], int(s))
                for j, s in zip(who[i], said[i], strict=True)
            ),
        )
        for i in order[:40]
    )
    nexts = tuple(
        report.NextRead(cases[i], float(entropy[i]) * 0.6, "two classes are equally likely")
        for i in order[:25]
    )
    disputed = int(sum(len(set(row)) > 1 for row in said.tolist()))
    return report.Cases(
        views, max(disputed, len(views)), nexts, max(len(nexts), disputed // 2), entropy
    )


def _calibration():
    said = np.array([0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.96])
    right = np.array([0.4, 0.43, 0.58, 0.62, 0.78, 0.86, 0.95])
    count = np.array([4, 9, 14, 20, 31, 60, 240])
    half = 1.0 / np.sqrt(count)
    ends = np.clip(right - half, 0, 1), np.clip(right + half, 0, 1)
    return report.Calibration(
        "gold",
        (
            report.Curve("calibrated", said, right, *ends, count, 0.018, 0.31),
            report.Curve("before temperature", said, right - 0.14, *ends, count, 0.13, 0.55),
        ),
        378,
        0.91,
        "The temperature 0.62 was fitted to 2,069 held-out reads; it cut the loss by 44 %.",
    )


def empty_content():
    return report.Content(report.Head("Nothing yet", Kind.NOMINAL, "21 November 2026", 0, 0), ())


def one_reader_content():
    head = report.Head("One reader", Kind.NOMINAL, "21 November 2026", 120, 120, n_single=120)
    return report.Content(head, ("R1",), CHEST)


def hostile_content():
    names = tuple(f"{HOSTILE} {i}" for i in range(2))
    classes = tuple(f"{HOSTILE} class {i}" for i in range(2))
    cases = [f"{HOSTILE} case {i}" for i in range(60)]
    return classes_content(
        60, 2, classes, reader_names=names, case_names=cases, title=HOSTILE, source=HOSTILE
    )


def huge_content():
    classes = tuple(f"finding {chr(65 + i % 26)}{i}" for i in range(40))
    return classes_content(15_000, 300, classes, title="A fleet of 300 readers")


STATES = {
    "classes": classes_content,
    "boxes": boxes_content,
    "masks": masks_content,
    "scores": scores_content,
    "empty": empty_content,
    "one_reader": one_reader_content,
    "hostile": hostile_content,
    "huge": huge_content,
}


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    chosen = [name for name in sys.argv[2:] if name in STATES] or list(STATES)
    for name in chosen:
        content = STATES[name]()
        page = report.write_html(content, out / f"{name}.html")
        print(f"{page}: {page.stat().st_size / 1024:.0f} KiB")  # noqa: T201
        if "--pdf" in sys.argv:
            report.write_pdf(content, out / f"{name}.pdf")


if __name__ == "__main__":
    main()

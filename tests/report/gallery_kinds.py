"""Synthetic contents of boxes, masks and scores; see gallery.py."""

from __future__ import annotations

import numpy as np

from overread import report
from overread.agreement.estimate import Estimate
from overread.arrays import names_array
from overread.consensus.result import Consensus, FindingConsensus, Reliability, ScoreConsensus
from overread.labels import Kind

NAN = float("nan")


def estimate(
    value, scope="overall", *, name="Krippendorff's alpha", key="alpha", half=0.06, **more
):
    words = {
        True: "Readers agree well enough to label with; keep an overlap to see it stay so.",
        False: "Readers disagree often: rewrite the guideline where classes are mixed up.",
    }[value > 0.6]
    more = {"words": words, "n_cases": 420, "n_readers": 5, "interval": "bootstrap"} | more
    return Estimate(name, key, value, value - half, min(value + half, 1.0), scope=scope, **more)


def boxes_content(n_readers=4, n_cases=300, *, seed=2):
    rng = np.random.default_rng(seed)
    readers = tuple(f"Dr {name}" for name in ("Abe", "Berg", "Costa", "Dahl", "Ek")[:n_readers])
    classes = ("nodule", "effusion", "fracture")
    views = tuple(_box_view(i, readers, classes, rng) for i in range(14))
    n_findings = 700
    existence = rng.beta(0.9, 0.35, n_findings)
    value = np.column_stack([rng.uniform(0.6, 0.95, n_readers), rng.uniform(0.05, 0.5, n_readers)])
    box = np.tile([10.0, 10.0, 60.0, 60.0], (n_findings, 1))
    result = Consensus(
        kind=Kind.BOX,
        method="boxes",
        settings={"iou": 0.3},
        cases=names_array([f"X{i}" for i in range(n_cases)]),
        value=FindingConsensus(
            np.sort(rng.integers(0, n_cases, n_findings)),
            rng.integers(0, 3, n_findings),
            classes,
            box,
            np.ones_like(box),
            existence,
            np.arange(n_findings),
            np.arange(n_findings + 1),
        ),
        posterior=rng.dirichlet([3, 1, 1], n_findings),
        entropy=rng.exponential(0.5, n_cases),
        difficulty=rng.random(n_cases),
        reliability=Reliability(
            readers,
            ("sensitivity", "false alarms a case"),
            value,
            value * 0.9,
            np.minimum(value * 1.08, 1),
            0.95,
            np.full(n_readers, n_cases),
        ),
        reads=np.full(n_cases, n_readers),
        read_rows=np.arange(n_cases * n_readers),
        provenance="ab" * 32,
        prevalence=np.array([0.6, 0.3, 0.1]),
    )
    ratio = np.linspace(0.72, 1.15, n_readers)
    return report.Content(
        report.Head(
            "Boxes on chest radiographs",
            Kind.BOX,
            "21 November 2026",
            n_cases,
            n_cases * n_readers,
            source="boxes.csv",
            version="0.1.0",
        ),
        readers,
        classes,
        report.Agreement(
            overall=(
                estimate(0.71, name="F1 of matched boxes", key="detection_f1"),
                estimate(0.78, name="Mean IoU of matched boxes", key="iou"),
            ),
        ),
        result,
        cases=report.Cases(views, 120, entropy=result.entropy),
        findings=report.Findings(
            rng.integers(20, 300, (n_readers, 3)),
            np.full(n_readers, n_cases),
            rng.integers(20, 150, n_readers),
            rng.beta(8, 2.4, 900),
            existence,
            ratio,
            ratio * 0.93,
            ratio * 1.07,
        ),
    )


def _box_view(i, readers, classes, rng):
    width, height = 2048.0, float(rng.choice([2048, 2500]))
    shapes = []
    votes = []
    for _ in range(1 + i % 2):
        centre = rng.uniform([500, 500], [1500, 1700])
        side = rng.uniform(200, 500, 2)
        label = classes[int(rng.integers(3))]
        for j in range(len(readers)):
            if rng.random() < 0.7:
                low = centre - side / 2 + rng.normal(0, 35, 2)
                high = centre + side / 2 + rng.normal(0, 35, 2)
                shapes.append(report.Shape(np.array([low, high]), j, label))
                votes.append(report.Vote(j, label))
        corners = np.array([centre - side / 2, centre + side / 2])
        shapes.append(report.Shape(corners, -1, label, float(rng.uniform(0.3, 0.9))))
    marked = {vote.reader for vote in votes}
    votes += [report.Vote(j, "no finding") for j in range(len(readers)) if j not in marked]
    return report.CaseView(
        f"case {i + 1}",
        "1 finding" if i % 2 == 0 else "2 findings",
        NAN,
        1.9 - 0.1 * i,
        tuple(votes),
        panel=report.Panel(width, height, tuple(shapes)),
    )


def masks_content(*, seed=4):
    rng = np.random.default_rng(seed)
    readers = ("A. Ito", "B. Roy", "C. Paz")
    grid = np.stack(np.mgrid[0:96, 0:128], axis=-1)
    views = []
    for i in range(5):
        masks, shapes = [], []
        centre = rng.uniform([35, 45], [60, 80])
        for j in range(3):
            middle, radius = centre + rng.normal(0, 3, 2), rng.uniform(14, 22)
            masks.append((((grid - middle) ** 2).sum(axis=-1) < radius**2).astype(float))
            turn = np.linspace(0, 2 * np.pi, 40)
            points = np.column_stack([np.cos(turn), np.sin(turn)]) * radius + middle[::-1]
            shapes.append(report.Shape(points, j))
        panel = report.Panel(128, 96, tuple(shapes), np.mean(masks, axis=0))
        votes = tuple(report.Vote(j, f"{m.sum():.0f} px") for j, m in enumerate(masks))
        views.append(
            report.CaseView(f"slide {i}", "812 px", NAN, 0.3 - 0.02 * i, votes, panel=panel)
        )
    dice = np.array([[1, 0.86, 0.81], [0.86, 1, 0.9], [0.81, 0.9, 1]])
    return report.Content(
        report.Head("Vessel masks", Kind.MASK, "21 November 2026", 40, 120, source="masks/"),
        readers,
        ("background", "vessel"),
        report.Agreement(
            overall=(
                estimate(0.86, name="Mean Dice", key="dice"),
                estimate(4.1, name="HD95", key="hd95", unit="mm", half=0.8),
            ),
            pairs=(report.PairMatrix("Dice", dice, np.full((3, 3), 40)),),
        ),
        cases=report.Cases(tuple(views), 40),
    )


def scores_content(*, seed=3):
    rng = np.random.default_rng(seed)
    readers = ("R1", "R2", "R3")
    mean = rng.normal(60, 12, 180)
    gap = [rng.normal(bias, 4, 180) for bias in (0.5, -3, 2)]
    plots = tuple(
        report.BlandAltman(name, mean, g, g.mean(), g.mean() - 7.8, g.mean() + 7.8)
        for name, g in zip(("R1 and R2", "R1 and R3", "R2 and R3"), gap, strict=True)
    )
    value = np.column_stack([[0.4, -2.7, 2.2], [3.1, 4.0, 2.2]])
    result = Consensus(
        kind=Kind.SCORE,
        method="scores",
        settings={},
        cases=names_array([f"s{i}" for i in range(180)]),
        value=ScoreConsensus(mean, np.full(180, 2.0)),
        posterior=np.empty((180, 0)),
        entropy=rng.normal(2, 0.2, 180),
        difficulty=rng.random(180),
        reliability=Reliability(
            readers, ("bias", "sd"), value, value - 0.6, value + 0.6, 0.95, np.full(3, 180)
        ),
        reads=np.full(180, 3),
        read_rows=np.arange(540),
        provenance="cd" * 32,
    )
    iccs = tuple(
        estimate(v, name=f"ICC({form})", key=f"icc_{form}")
        for v, form in ((0.91, "2,1"), (0.97, "2,k"), (0.93, "3,1"))
    )
    views = tuple(
        report.CaseView(
            f"s{i}",
            f"{mean[i]:.1f} mm",
            NAN,
            2.5 - i / 50,
            tuple(report.Vote(j, f"{mean[i] + gap[j][i]:.1f} mm") for j in range(3)),
        )
        for i in range(12)
    )
    return report.Content(
        report.Head("Joint space width", Kind.SCORE, "21 November 2026", 180, 540),
        readers,
        agreement=report.Agreement(overall=iccs[:1]),
        consensus=result,
        cases=report.Cases(views, 180),
        scores=report.Scores(iccs, plots, "mm"),
    )

"""Synthetic contents in every state, for the tests and for looking at.

Run ``python tests/report/gallery.py OUT_DIR [--pdf]`` to write one page a state.
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
    FindingConsensus,
    Fit,
    Iteration,
    Reliability,
    ScoreConsensus,
)
from overread.labels import Kind

NAN = float("nan")
CHEST = ("no finding", "cardiomegaly", "effusion", "nodule")
HOSTILE = '<script>alert("x")</script> & \'=1+1\' #import "x" $a$ ]] {{ 7*7 }}'


def estimate(
    value, scope="overall", *, name="Krippendorff's alpha", key="alpha", half=0.06, **more
):
    words = {
        True: "Readers agree well enough to label with; keep an overlap to see it stay so.",
        False: "Readers disagree often: rewrite the guideline where classes are mixed up.",
    }[value > 0.6]
    more = {"words": words, "n_cases": 420, "n_readers": 5, "interval": "bootstrap"} | more
    return Estimate(name, key, value, value - half, min(value + half, 1.0), scope=scope, **more)


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

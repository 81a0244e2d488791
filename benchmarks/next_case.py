"""Label, refit, rescore the whole pool, choose the next case: how long does a reader wait?

Latents of three classes (Gaussian clusters with label noise), 800 labels so far, one core. Ours is
the product's own loop: one label is added and the next case chosen. Peers do the same on the same
latents in the same run: GPyTorch's SVGP, trained anew (100 steps) and a warm start (10 steps);
scikit-activeml with scikit-learn's GaussianProcessClassifier and its margin. A peer that is not
installed is said to be missing. Ratios are of processor time, which other work on the machine does
not stretch. "in_project" is the loop of a project but for its database: cases set apart, cases that
wait and are taken back, no two alike; and the same of a checklist of 14 findings, with a model
each; "which_reader_ms" is the choice between new cases and old ones for three readers, which nobody
waits for. "noisy" is the default where labels are noisy: EPIG, and not margin. "growth" is our
loop on larger pools: up to 40,000 candidates are rescored after every label, and "sweep" is the
reading of the whole pool when the candidates are chosen anew (in the background).
"""

from __future__ import annotations

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

import resource
import time
import warnings

import numpy as np

from _common import arguments, finish
from overread.app.analysis.demand_model import ReaderModel
from overread.app.analysis.project_reads import Said
from overread.app.learning.case_latents import CaseLatents
from overread.app.learning.learner import (
    Learner,
    begin_learner,
    taught_by,
    tuned_learner,
    with_label,
)
from overread.app.learning.next_cases import want
from overread.app.learning.set_apart import HELD_BACK
from overread.app.learning.settings import Setup
from overread.app.learning.votes import CaseVotes
from overread.app.learning.which_reader import read_again
from overread.labels import Kind
from overread.protocol import ClassEntry, Question
from overread.protocol.learning import Learning
from overread.selection.acquisition.table import DEFAULT
from overread.selection.pool import (
    label,
    label_many,
    next_cases,
    open_pool,
    probabilities,
    tune,
)  # fmt: skip
from overread.selection.process import one_hot
from overread.store.learning.asking import Asked, Waiting

CLASSES, LATENTS = 3, 128


def cases(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    middle = rng.normal(size=(12, LATENTS)).astype(np.float32)
    cluster = rng.integers(12, size=n)
    latents = rng.normal(size=(n, LATENTS), scale=1.2).astype(np.float32) + middle[cluster]
    noisy = rng.random(n) < 0.05
    return latents, np.where(noisy, rng.integers(CLASSES, size=n), cluster % CLASSES)


def ours(
    latents: np.ndarray, truth: np.ndarray, n_labels: int, rounds: int, name: str = DEFAULT
) -> dict:
    rng = np.random.default_rng(1)
    first = rng.permutation(len(truth))[:n_labels]
    start = time.perf_counter()
    pool = open_pool(latents, CLASSES)
    opened = time.perf_counter() - start
    pool = label_many(pool, first, one_hot(truth[first], CLASSES))
    start = time.perf_counter()
    pool = tune(pool)
    tuned = time.perf_counter() - start
    votes = one_hot(truth, CLASSES)
    case = int(next_cases(pool, name=name).rows[0])
    took, cpu = [], []
    for _ in range(rounds):
        start, begun = time.perf_counter(), time.process_time()
        pool = label(pool, case, votes[case])
        case = int(next_cases(pool, name=name).rows[0])
        took.append(time.perf_counter() - start)
        cpu.append(time.process_time() - begun)
    wait = np.quantile(took[1:], (0.5, 0.95, 1.0)) * 1000
    test = np.setdiff1d(rng.permutation(len(truth))[:4000], np.fromiter(pool.votes, dtype=int))
    right = probabilities(pool, test).argmax(axis=1) == truth[test]
    return {
        "median_ms": round(float(wait[0]), 2),
        "median_cpu_ms": round(float(np.median(cpu[1:])) * 1000, 2),
        "p95_ms": round(float(wait[1]), 2),
        "worst_ms": round(float(wait[2]), 2),
        "accuracy": round(float(right.mean()), 4),
        "open_s": round(opened, 2),
        "tune_s": round(tuned, 2),
    }


def in_project(
    latents: np.ndarray, truth: np.ndarray, n_labels: int, rounds: int, findings: int = 1
) -> dict:
    """A read comes in: its label is learned, and the next case is asked for."""
    names = ("a", "b", "c") if findings == 1 else tuple(f"finding {at}" for at in range(findings))
    kind = Kind.NOMINAL if findings == 1 else Kind.MULTILABEL
    classes = tuple(ClassEntry(name, at, None, "#808080") for at, name in enumerate(names, 1))
    question = Question("what", "What is it?", kind, classes)
    setup = Setup(Learning("what"), question, 1, 1)
    rng = np.random.default_rng(1)
    ids = tuple(f"case {at}" for at in range(len(truth)))
    held = rng.random(len(truth)) < setup.wishes.held_back
    learner = begin_learner(setup, CaseLatents("1", ids, ids, latents, (), ()), held)

    def said(row: int) -> CaseVotes:
        code = (int(truth[row]),)
        if findings > 1:
            code = tuple(int((truth[row] + at) % 4 == 0) for at in range(findings))
        return CaseVotes(np.eye(len(setup.classes))[list(code)], code, 1)

    order = rng.permutation(len(truth))
    first = order[~held[order]][:n_labels].tolist()
    tests = order[held[order]][: round(n_labels / 5)].tolist()  # as many as are wanted, and more
    every = {ids[row]: said(row) for row in [*first, *tests]}
    learner = tuned_learner(taught_by(learner, every))
    asked = {ids[row]: Asked(ids[row], "model", at) for at, row in enumerate(first)}
    asked |= {ids[row]: Asked(ids[row], HELD_BACK, at) for at, row in enumerate(tests)}
    waiting, readers, alike = set[str](), frozenset({"reader"}), np.arange(len(truth))

    def ask() -> None:
        there = Waiting(frozenset(waiting), frozenset(), frozenset(), readers)
        found = want("project", learner, there, asked, alike=alike)
        for case in found.unwanted:
            waiting.discard(case)
            del asked[case]
        for case, why in found.cases:
            waiting.add(case)
            asked[case] = Asked(case, why, len(learner.heard))

    ask()
    took = []
    for _ in range(rounds):
        case = min(case for case in waiting if asked[case].why != HELD_BACK)
        waiting.discard(case)
        start = time.perf_counter()
        learner = with_label(learner, case, said(learner.row[case]))
        ask()
        took.append(time.perf_counter() - start)
    wait = np.quantile(took[1:], (0.5, 0.95)) * 1000
    return {
        "findings": findings, "median_ms": round(float(wait[0]), 2),
        "p95_ms": round(float(wait[1]), 2), "which_reader_ms": which_reader(learner, rounds),
    }  # fmt: skip


def which_reader(learner: Learner, rounds: int) -> float:
    """Median ms of choosing between four new cases and old ones, for three readers."""
    k = len(learner.setup.classes)
    names = [f"reader {at}" for at in range(3)]
    tables = np.array([np.full((k, k), (1 - p) / (k - 1)) for p in (0.8, 0.9, 0.95)])
    for table, right in zip(tables, (0.8, 0.9, 0.95), strict=True):
        np.fill_diagonal(table, right)
    model = ReaderModel(("?",) * k, tuple(names), np.full(k, 1 / k), tables, tables[1], 1.0)
    parts = learner.setup.parts
    said = {}
    for at, (row, one) in enumerate(sorted(learner.heard.items())):
        case, who = learner.latents.cases[row], names[at % 3]
        value = (
            [part for part, code in zip(parts, one.code, strict=True) if code]
            if len(parts) > 1 else learner.setup.classes[one.code[0]]
        )  # fmt: skip
        said[case] = {who: Said(case, who, value, seconds=9)}
    new = [case for case in learner.latents.cases if case not in said][:4]
    took = []
    for _ in range(min(rounds, 10)):
        start = time.perf_counter()
        read_again(
            learner, [model] * len(parts), said, new,
            readers=names, seconds=dict.fromkeys(names, 9.0), shut=frozenset(),
        )  # fmt: skip
        took.append(time.perf_counter() - start)
    return round(float(np.median(took)) * 1000, 2)


def svgp(latents: np.ndarray, truth: np.ndarray, n_labels: int, steps: int) -> dict:
    """GPyTorch: Hensman 2015's sparse variational process with a softmax over the classes."""
    import gpytorch  # noqa: PLC0415 - a peer may be missing
    import torch  # noqa: PLC0415

    torch.set_num_threads(1)
    torch.manual_seed(0)
    chosen = np.random.default_rng(1).permutation(len(truth))[:n_labels]
    x = torch.tensor(latents)
    y = torch.tensor(truth[chosen])

    class Model(gpytorch.models.ApproximateGP):
        def __init__(self, inducing):
            batch = torch.Size([CLASSES])
            points = inducing.repeat(CLASSES, 1, 1)
            q = gpytorch.variational.CholeskyVariationalDistribution(points.size(-2), batch)
            inner = gpytorch.variational.VariationalStrategy(self, points, q)
            super().__init__(
                gpytorch.variational.IndependentMultitaskVariationalStrategy(inner, CLASSES)
            )
            self.mean_module = gpytorch.means.ConstantMean(batch_shape=batch)
            kernel = gpytorch.kernels.RBFKernel(batch_shape=batch)
            kernel.lengthscale = 10.0
            self.covar_module = gpytorch.kernels.ScaleKernel(kernel, batch_shape=batch)

        def forward(self, x):
            return gpytorch.distributions.MultivariateNormal(
                self.mean_module(x), self.covar_module(x)
            )

    model = Model(x[chosen[:256]])
    likelihood = gpytorch.likelihoods.SoftmaxLikelihood(
        num_features=CLASSES, num_classes=CLASSES, mixing_weights=False
    )
    bound = gpytorch.mlls.VariationalELBO(likelihood, model, num_data=n_labels)
    optimiser = torch.optim.Adam([*model.parameters(), *likelihood.parameters()], lr=0.05)

    def train(count):
        model.train()
        for _ in range(count):
            optimiser.zero_grad()
            loss = -bound(model(x[chosen]), y)
            loss.backward()
            optimiser.step()

    def scored():
        model.eval()
        with torch.no_grad():
            blocks = [likelihood(model(part)).probs.mean(0) for part in x.split(2048)]
        mean = torch.cat(blocks)
        top = mean.topk(2, dim=1).values
        (top[:, 1] - top[:, 0]).argmax()
        return mean.numpy()

    start, begun = time.perf_counter(), time.process_time()
    train(steps)
    mean = scored()
    anew, cpu = time.perf_counter() - start, time.process_time() - begun
    start = time.perf_counter()
    train(max(steps // 10, 1))
    scored()
    warm = time.perf_counter() - start
    right = np.delete(mean.argmax(axis=1) == truth, chosen)
    return {
        "ms": round(anew * 1000, 1), "cpu_ms": round(cpu * 1000, 1),
        "warm_start_ms": round(warm * 1000, 1),
        "accuracy": round(float(right.mean()), 4),
    }  # fmt: skip


def activeml(latents: np.ndarray, truth: np.ndarray, n_labels: int) -> dict:
    from skactiveml.classifier import SklearnClassifier  # noqa: PLC0415
    from skactiveml.pool import UncertaintySampling  # noqa: PLC0415
    from sklearn.gaussian_process import GaussianProcessClassifier  # noqa: PLC0415
    from sklearn.gaussian_process.kernels import RBF  # noqa: PLC0415

    chosen = np.random.default_rng(1).permutation(len(truth))[:n_labels]
    y = np.full(len(truth), np.nan)
    y[chosen] = truth[chosen]
    process = GaussianProcessClassifier(1.0 * RBF(15.0), random_state=0)
    model = SklearnClassifier(process, classes=range(CLASSES))
    query = UncertaintySampling(method="margin_sampling", random_state=0)
    start, begun = time.perf_counter(), time.process_time()
    query.query(X=latents, y=y, clf=model, fit_clf=True, batch_size=1)
    took, cpu = time.perf_counter() - start, time.process_time() - begun
    return {"ms": round(took * 1000, 1), "cpu_ms": round(cpu * 1000, 1)}


def peer(work, *given) -> dict | str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return work(*given)
    except ImportError as error:
        return f"not installed: {error.name}"


def main() -> None:
    args = arguments(__doc__)
    n, n_labels, rounds = (2_000, 100, 12) if args.small else (15_500, 800, 60)
    latents, truth = cases(n)
    figures: dict = {"benchmark": "next_case", "small": args.small, "pool": n, "labels": n_labels}
    figures["ours"] = found = ours(latents, truth, n_labels, rounds)
    print("ours", found, flush=True)
    figures["ours_where_labels_are_noisy"] = ours(latents, truth, n_labels, rounds // 3, "epig")
    print("noisy", figures["ours_where_labels_are_noisy"], flush=True)
    figures["in_project"] = [
        in_project(latents, truth, n_labels, rounds, findings) for findings in (1, 14)
    ]
    print("in a project", figures["in_project"], flush=True)
    peers = {
        "gpytorch_svgp": peer(svgp, latents, truth, n_labels, 20 if args.small else 100),
        "scikit_activeml_gpc": peer(activeml, latents, truth, n_labels),
    }
    for name, told in peers.items():
        print(name, told, flush=True)
        figures[name] = told
        if isinstance(told, dict):
            figures[f"{name}_over_ours"] = round(told["cpu_ms"] / found["median_cpu_ms"])
    figures["growth"] = []
    for size in (5_000,) if args.small else (50_000, 200_000, 1_000_000):
        many, known = cases(size)
        row = {"pool": size} | ours(many, known, n_labels, rounds // 3)
        pool = open_pool(many, CLASSES)
        start = time.perf_counter()
        probabilities(pool)
        row["sweep_s"] = round(time.perf_counter() - start, 1)
        row["peak_gb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2)
        print(row, flush=True)
        figures["growth"].append(row)
    finish(figures)


if __name__ == "__main__":
    main()

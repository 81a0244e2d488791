"""Hostile files: the parent lives, each child ends in time, each file is taken or quarantined."""

from __future__ import annotations

import errno
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from overread.errors import InputError, OverreadError
from overread.images import (
    CaseImage,
    Child,
    Found,
    Limits,
    Quarantined,
    find_images,
    open_case,
    worker,
)
from overread.images.refusal import CAUSES
from tests.images import bombs
from tests.images.conftest import SECRET
from tests.images.made import NAMES, dataset, ramp, saved
from tests.images.mutation import mutated


@pytest.fixture(scope="module")
def strict() -> Iterator[Child]:
    limits = Limits(seconds=2, megabytes=600, result_megabytes=256)
    with Child(SECRET, limits) as one:
        yield one


@pytest.fixture(scope="module")
def armoury(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every bomb once; some take seconds to make."""
    folder = tmp_path_factory.mktemp("bombs")
    for name, (make, _, _) in bombs.BOMBS.items():
        make(folder / name)
    return folder


@pytest.mark.parametrize("name", bombs.BOMBS)
def test_bomb_is_quarantined(name: str, armoury: Path, strict: Child) -> None:
    _, kind, cause = bombs.BOMBS[name]
    found = open_case(Found(kind, (armoury / name,)), strict)  # type: ignore[arg-type]
    assert isinstance(found, Quarantined)
    # on a busy machine the limit of time may be reached before that of memory
    assert found.cause in {cause, "too slow"}
    assert len(found.source_hash) == 64


def test_an_import_goes_on_after_every_bomb(armoury: Path, tmp_path: Path, strict: Child) -> None:
    for name in bombs.BOMBS:
        saved(dataset(ramp()), tmp_path / f"{name} sound")
    bombs.deep(tmp_path / "deep")
    bombs.swelling_rle(tmp_path / "swelling")
    taken, left = 0, 0
    for found in find_images([armoury, tmp_path], strict):
        case = found if isinstance(found, Quarantined) else open_case(found, strict)
        taken += isinstance(case, CaseImage)
        left += isinstance(case, Quarantined)
    assert taken + left == 2 * len(bombs.BOMBS) + 2
    assert taken >= len(bombs.BOMBS)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.2, 0.5, 0.9, 0.999])
def test_truncated_files(share: float, tmp_path: Path, strict: Child, more_dicom: Path) -> None:
    for name in ("RG3_J2KR.dcm", "emri_small_RLE.dcm", "CT1_UNC.explicit_big_endian.dcm"):
        if not (more_dicom / name).is_file():
            continue
        whole = (more_dicom / name).read_bytes()
        (tmp_path / "x").write_bytes(whole[: int(share * len(whole))])
        found = open_case(Found("dicom", (tmp_path / "x",)), strict)
        assert isinstance(found, Quarantined) or share > 0.9


def test_two_hundred_mutated_files(tmp_path: Path, pydicom_files: Path) -> None:
    """Seeded; the benchmark does four thousand."""
    sources = sorted(path for path in pydicom_files.glob("*.dcm") if path.stat().st_size < 200_000)
    counts = {True: 0, False: 0}
    with Child(SECRET, Limits(seconds=2, megabytes=600, result_megabytes=128)) as child:
        sources = [
            one
            for one in sources
            if isinstance(open_case(Found("dicom", (one,)), child), CaseImage)
        ]
        for number in range(200):
            path = tmp_path / f"{number}"
            path.write_bytes(mutated(sources[number % len(sources)].read_bytes(), seed=number))
            for found in find_images([path], child):
                case = found if isinstance(found, Quarantined) else open_case(found, child)
                counts[isinstance(case, CaseImage)] += 1
                assert isinstance(case, CaseImage) or case.cause in CAUSES
        assert child.longest_seconds < 5
    assert sum(counts.values()) == 200
    assert min(counts.values()) > 20


def test_memory_is_bounded(tmp_path: Path) -> None:
    path = saved(dataset(np.zeros((4000, 4000), np.uint16)), tmp_path / "x")
    with Child(SECRET, Limits(megabytes=40)) as child:
        found = open_case(Found("dicom", (path,)), child)
        assert isinstance(found, Quarantined)
        assert found.cause in {"too large", "damaged"}
        small = saved(dataset(ramp()), tmp_path / "y")
        assert isinstance(open_case(Found("dicom", (small,)), child), CaseImage)


def test_a_dead_child_is_replaced(tmp_path: Path) -> None:
    path = saved(dataset(ramp()), tmp_path / "x")
    with Child(SECRET, Limits()) as child:
        for _ in range(3):
            assert isinstance(open_case(Found("dicom", (path,)), child), CaseImage)
            assert child._process is not None
            os.kill(child._process.pid, signal.SIGKILL)
            child._process.wait()


def test_a_child_left_alone_ends_itself(tmp_path: Path) -> None:
    """The parent is killed while its child hangs."""
    path = bombs.endless_jpeg2000(tmp_path / "x")
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from overread.images import Child, Found, Limits, open_case\n"
        "child = Child(b'0' * 16, Limits(seconds=1)); child._started()\n"
        "print(child._process.pid, flush=True); child.limits = Limits(seconds=100)\n"
        "open_case(Found('dicom', (Path(sys.argv[1]),)), child)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    with parent.stdout:
        number = int(parent.stdout.readline())
    time.sleep(0.5)
    parent.kill()
    parent.wait()
    end = time.monotonic() + 15
    while _alive(number) and time.monotonic() < end:
        time.sleep(0.1)
    assert not _alive(number)


def _alive(number: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{number}/status").read_text(encoding="ascii")
    except OSError:
        return False


def test_the_child_inherits_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "hunter2")
    with Child(SECRET, Limits()) as child:
        child._started()
        assert child._process is not None
        told = Path(f"/proc/{child._process.pid}/environ").read_bytes()
        line = Path(f"/proc/{child._process.pid}/cmdline").read_bytes()
    assert b"hunter2" not in told
    assert SECRET not in told + line
    assert SECRET.hex().encode() not in told + line


def test_nothing_that_leaves_the_child_names_anybody(tmp_path: Path, strict: Child) -> None:
    made = dataset(ramp(), PatientAge="069Y", StudyDate="20200101", AccessionNumber="ACC99")
    folder = tmp_path / "Doe^Jane"
    folder.mkdir()
    good = saved(made, folder / "PAT-4711.dcm")
    (folder / "bad").write_bytes(good.read_bytes()[:600])
    for found in find_images([folder], strict):
        case = found if isinstance(found, Quarantined) else open_case(found, strict)
        told = repr(found) + repr(case)
        assert not [name for name in (*NAMES, "ACC99", "4711", "Doe", "1950") if name in told]


class _FullDisk(io.BytesIO):
    def write(self, _told: object, /) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_quarantines_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(dataset(ramp()), tmp_path / "x")
    job = json.dumps({"task": "decode", "kind": "dicom", "files": [str(path)]}).encode()
    assert worker._answered(_FullDisk(job), SECRET, Limits(), lambda: None) == {"full": True}
    with Child(SECRET, Limits()) as child:
        monkeypatch.setattr(child, "_asked", lambda *_: {"full": True})
        with pytest.raises(OverreadError, match="temporary files is full"):
            open_case(Found("dicom", (path,)), child)


def test_short_key_is_refused() -> None:
    with pytest.raises(InputError, match="secret must have at least 16 bytes; got 3"):
        Child(b"abc", Limits())

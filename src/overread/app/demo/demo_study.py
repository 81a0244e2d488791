"""The demo's server: a home with ready projects on real images, made once and then kept.

Everything goes the way of ``overread init``, ``import`` and the pages: protocols that are checked,
files that are decoded in a child, accounts without any password, reads by the readers' own queue.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from overread.app.demo.demo_images import (
    PACKAGE,
    PROJECTS,
    DemoImage,
    DemoProject,
    Find,
    dicom_file,
)
from overread.app.demo.simulated_readers import read_as_simulated
from overread.app.demo.synthetic_images import write_synthetic_images
from overread.app.study.home import Home
from overread.app.study.import_upload import import_upload, quarantined_files
from overread.app.study.project_overview import overview
from overread.app.study.project_protocol import new_project
from overread.app.study.project_readers import readers_of, set_readers
from overread.errors import InputError
from overread.store import UserRow, add_user, find_user, list_projects

Progress = Callable[[int, int], None]

READER, LEAD = "reader@demo.invalid", "lead@demo.invalid"
"""Addresses of the demo's people: of a domain that can never exist."""
_SIMULATED = ("simulated-1", "simulated-2")
_SYNTHETIC = DemoProject("SYNTHETIC bright spots", "spots", ())


@dataclass(frozen=True, slots=True)
class ReadyProject:
    """A project that can be read: its id, name, and number of cases."""

    id: str
    name: str
    cases: int


@dataclass(frozen=True, slots=True)
class Study:
    """What the demo prepared.

    Args:
        projects: the first is the one for newcomers.
        set_aside: reasons why files of the package are no cases.
        synthetic: whether simulated images stand in for the real ones.
    """

    projects: tuple[ReadyProject, ...]
    set_aside: tuple[str, ...]
    synthetic: bool


def prepare_study(
    home: Home,
    *,
    by: str,
    say: Callable[[str], None],
    step: Callable[[str], Progress],
    find: Find = dicom_file,
) -> Study:
    """Make the demo's people and projects, or what is missing of them; nothing is made twice.

    Args:
        by: who does it, in the log of events.
        say: prints a line.
        step: begins a part of the work and returns its progress function.
        find: finds a file of the package; raises InputError where there is none.
    Raises:
        MissingExtraError: the packages of the extra "images" are not installed.
        StoreError: the home cannot be written to.
    """
    reader = _account(home, READER, "Demo reader", "reader", by)
    _account(home, LEAD, "Demo lead", "admin", by)
    simulated = [_account(home, f"{one}@demo.invalid", one, "reader", by) for one in _SIMULATED]
    home.folder.joinpath("work").mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.folder / "work") as at:
        projects, synthetic = _with_files(Path(at), find, say)
        made: list[ReadyProject] = []
        for one, folder in projects:
            key = _project(home, one, folder, by, step(f"images: {one.name}"))
            also = simulated if one.simulated else []
            _read_by(home, key, one, [reader, *also], by)
            made.append(ReadyProject(key, one.name, overview(home.store, key).cases))
    reasons = {
        file.reason for one in made for file in quarantined_files(home.store, one.id)
    }  # fmt: skip
    return Study(tuple(made), tuple(sorted(reasons)), synthetic)


def _account(home: Home, email: str, name: str, role: str, by: str) -> UserRow:
    """An account without a password: its only door is a one-time link."""
    found = find_user(home.store, email)
    return found[0] if found else add_user(home.store, email, name, role, by)


def _with_files(
    at: Path, find: Find, say: Callable[[str], None]
) -> tuple[list[tuple[DemoProject, Path]], bool]:
    """Each project with a folder of its files, named by their place; or what stands in."""
    missing: list[InputError] = []
    made: list[tuple[DemoProject, Path]] = []
    for one in PROJECTS:
        folder = at / one.protocol
        folder.mkdir()
        there: list[DemoImage] = []
        for image in one.images:
            try:
                source = find(image.file)
            except InputError as error:
                missing.append(error)
                continue
            shutil.copyfile(source, folder / f"{len(there):02d}.dcm")
            there.append(image)
        if there:
            made.append((replace(one, images=tuple(there)), folder))
    if missing:
        say(f"{missing[0]}")
    if made:
        return made, False
    say(f"Without {PACKAGE}, SYNTHETIC images take the place of real ones.")
    folder = at / "synthetic"
    folder.mkdir()
    spotted = write_synthetic_images(folder, seed=1)
    images = tuple(
        DemoImage(one.name, one.name, {"spots": [("Spot", *box) for box in one.boxes]})
        for one in spotted
    )
    return [(replace(_SYNTHETIC, images=images), folder)], True


def _project(home: Home, one: DemoProject, folder: Path, by: str, tick: Progress) -> str:
    """Id of the project, with all of its images in it."""
    there = [row.id for row in list_projects(home.store) if row.name == one.name]
    key = there[0] if there else new_project(home.store, one.name, one.text(), by=by)
    far = overview(home.store, key)
    if far.cases + far.quarantined >= len(one.images):
        return key
    names = {f"{number:02d}": image.name for number, image in enumerate(one.images)}
    counts: dict[str, int] = {}

    def stop() -> bool:
        tick(sum(counts.values()), len(one.images))
        return False

    import_upload(
        home.store, home.blobs, key, folder, by=by, key=home.secret, counts=counts, stop=stop,
        name_of=lambda files: names.get(files[0].stem, files[0].stem),
    )  # fmt: skip
    return key


def _read_by(
    home: Home, project: str, one: DemoProject, readers: Sequence[UserRow], by: str
) -> None:
    """Let these read (whoever a lead added stays), and the simulated ones begin."""
    before = readers_of(home.store, project)
    wanted = dict.fromkeys([*before, *(each.id for each in readers)])
    set_readers(home.store, project, list(wanted), by=by)
    known = {image.name: image.known for image in one.images}
    for seed, each in enumerate(readers):
        if each.name in _SIMULATED:
            read_as_simulated(home.store, project, each.id, known, seed=seed)

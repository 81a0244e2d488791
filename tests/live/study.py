"""A home with a study in it, made by the store as the commands make it: people, cases, tasks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from overread.app.study.home import open_home
from overread.images import pack_frame
from overread.protocol import template
from overread.store import (
    NewCase,
    add_cases,
    add_user,
    create_project,
    plan_tasks,
    set_member,
    set_password,
)
from overread.web.access.passwords import hash_password

PASSWORD = "a long enough password"


@dataclass(frozen=True)
class Study:
    """Who is there: e-mail addresses; everybody has :data:`PASSWORD`."""

    project: str
    lead: str
    readers: tuple[str, ...]


def furnish(
    home: Path,
    *,
    database: str = "",
    protocol: str = "knee-grade",
    cases: int,
    readers: int,
    reads_per_case: int,
    side: int = 64,
    pictures: int = 4,
) -> Study:
    """Make a home with one project; ``pictures`` different 16-bit images of ``side`` pixels.

    ``protocol`` is the name of a template, or the text of a protocol.
    """
    text = protocol if "\n" in protocol else template(protocol)
    opened = open_home(home, database=database)
    store = opened.store
    try:
        lead = add_user(store, "lead@example.org", "Lea Lead", "lead", "system").id
        hashed = hash_password(PASSWORD)
        set_password(store, lead, hashed, lead)
        project = create_project(store, "Load", text, lead, lead=lead).id
        emails = [f"reader{k}@example.org" for k in range(readers)]
        for k, email in enumerate(emails):
            reader = add_user(store, email, f"Reader {k}", "reader", lead).id
            set_password(store, reader, hashed, reader)
            set_member(store, project, reader, lead)
        frames = [opened.blobs.put(pack_frame(radiograph(side, seed=k))) for k in range(pictures)]
        new = [_case(k, frames[k % pictures], side) for k in range(cases)]
        for start in range(0, cases, 500):
            add_cases(store, project, new[start : start + 500], lead)
        plan_tasks(store, project, lead, reads_per_case=reads_per_case)
    finally:
        store.close()
    return Study(project, "lead@example.org", tuple(emails))


def radiograph(side: int, *, seed: int) -> np.ndarray:
    """A 12-bit picture as smooth, and as noisy, as a radiograph: it packs as badly as one."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side] / side
    body = 2200 - 1500 * ((x - 0.5) ** 2 + (y - 0.5) ** 2) * 2 + 300 * np.sin(24 * y)
    return np.clip(body + rng.normal(0, 12, (side, side)), 0, 4095).astype(np.uint16)


def _case(number: int, frame: str, side: int) -> NewCase:
    image = {
        "rows": side,
        "columns": side,
        "frames": 1,
        "samples": 1,
        "dtype": "uint16",
        "slope": 1.0,
        "intercept": 0.0,
        "spacing_mm": [0.15, 0.15],
        "windows": [{"center": 2048.0, "width": 4096.0, "name": "default"}],
        "modality": "DX",
        "invert": False,
    }
    name = hashlib.sha256(f"case {number}".encode()).hexdigest()
    meta = {"sex": "FM"[number % 2], "age_band": f"{20 + number % 6 * 10}-{29 + number % 6 * 10}"}
    return NewCase(name, [frame], image, meta, f"patient {number // 2}")

"""A small project that learns: real pictures, and a scripted reader who knows what they are."""

from __future__ import annotations

import gzip
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import numpy as np
from PIL import Image

from overread.app.learning.case_latents import embed
from overread.store import (
    Blobs,
    NewCase,
    Store,
    Submission,
    add_cases,
    add_user,
    claim,
    create_project,
    open_blobs,
    set_member,
    submit_read,
)

TEXT = """title: Textures
{more}
questions:
  - {{id: what, prompt: What is it, kind: {kind}, classes: [along, across, flat]}}
learning: {{question: what, {settings}}}
"""
NAMES = ("along", "across", "flat")
WINDOW = {"center": 128.0, "width": 256.0, "name": "Full range", "function": "LINEAR"}
"""As every import keeps one of grey samples."""


def protocol(*, kind: str = "nominal", settings: str = "held_back: 0.2", more: str = "") -> str:
    return TEXT.format(kind=kind, settings=settings, more=more)


def picture(truth: int, seed: int, size: int = 48) -> np.ndarray:
    """Stripes along, stripes across, or noise alone."""
    rng = np.random.default_rng(seed)
    turn = np.linspace(0, rng.uniform(14, 20), size) + rng.uniform(0, 6)
    wave = 60 * np.sin(turn)
    base = (wave[:, None], wave[None, :], np.zeros((1, 1)))[truth]
    noisy = 128 + base + rng.normal(0, 25, (size, size))
    return np.clip(noisy, 0, 255).astype(np.uint8)


@dataclass
class Study:
    """A store with a project, its readers, and the truth of each case."""

    store: Store
    blobs: Blobs
    project: str
    lead: str
    readers: list[str]
    truth: dict[str, int] = field(default_factory=dict)

    def bring(
        self, truths: list[int], *, group: str = "", pixels: np.ndarray | None = None
    ) -> list[str]:
        """Add cases with these truths."""
        new = []
        for truth in truths:
            seed = len(self.truth) + len(new)
            shown = picture(truth, seed) if pixels is None else pixels
            new.append(self.case(shown, group=group and f"{group}{seed // 2}", salt=str(seed)))
        made = [key for key, _ in add_cases(self.store, self.project, new, self.lead)]
        self.truth |= dict(zip(made, truths, strict=True))
        return made

    def case(self, shown: np.ndarray, *, group: str = "", salt: str = "") -> NewCase:
        file = io.BytesIO()
        Image.fromarray(shown).save(file, "PNG")
        content = hashlib.sha256(shown.tobytes() + salt.encode()).hexdigest()
        image = {
            "rows": shown.shape[0], "columns": shown.shape[1], "frames": 1, "samples": 1,
            "dtype": "uint8", "modality": "CR", "windows": [WINDOW],
        }  # fmt: skip
        frame = self.blobs.put(gzip.compress(shown.tobytes()))
        thumbnail = self.blobs.put(file.getvalue())
        return NewCase(content, [frame], image, group=group, thumbnail=thumbnail)

    def embed(self) -> int:
        return embed(self.store, self.blobs, self.project, lambda _what, _more: None)

    def read(self, who: int = 0, *, count: int = 1, says: str | None = None) -> list[str]:
        """Read the next cases as a reader does; the cases."""
        made = []
        for task in claim(self.store, self.project, self.readers[who], count=count):
            self.say(task.id, who, says or NAMES[self.truth[task.case.id]])
            made.append(task.case.id)
        return made

    def say(self, task: str, who: int, name: str | Sequence[object], *, base: int = 0) -> None:
        submit_read(
            self.store,
            Submission(
                read_id=str(uuid4()), task=task, reader=self.readers[who], base_revision=base,
                answer={"what": name if isinstance(name, str) else list(name)},
                protocol_version=1, seconds=10.0,
            ),
        )  # fmt: skip


def new_study(
    store: Store, folder: Path, text: str = "", *, cases: int = 60, readers: int = 2
) -> Study:
    lead = add_user(store, "lead@example.org", "Lead", "lead", "system").id
    project = create_project(store, "Textures", text or protocol(), lead).id
    people = [
        add_user(store, f"{k}@example.org", f"R{k}", "reader", lead).id for k in range(readers)
    ]
    for one in people:
        set_member(store, project, one, lead)
    made = Study(store, open_blobs(str(folder / "blobs")), project, lead, people)
    made.bring([k % 3 for k in range(cases)])
    return made

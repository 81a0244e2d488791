"""A study with a plan that is being read: four programs at their own pace."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from overread.app.study.home import open_home
from overread.app.study.plan_project import PlanWish, readers_now, write
from overread.client import connect
from tests.live.server import Server, running_server
from tests.live.study import PASSWORD, furnish

_TEXT = """title: Chest findings
reads_per_case: 1
questions:
  - {id: finding, prompt: What is seen, kind: nominal, classes: [clear, nodule, effusion]}
diversity:
  - {by: sex, groups: {F: 60, M: 60}}
  - {by: age_band, groups: {20-29: 20, 40-49: 20, 60-69: 20, 70-79: 30}}
"""


@contextmanager
def planned_study(home: Path) -> Generator[tuple[Server, str]]:
    """A server with the study, and its id."""
    study = furnish(home, protocol=_TEXT, cases=120, readers=4, reads_per_case=1, side=32)
    opened = open_home(home)
    readers = readers_now(opened.store, study.project, None)
    wish = PlanWish(readers, overlap=0.2, batches=2, size=6, repeats=0.05)
    write(opened.store, study.project, wish, by="system")
    opened.store.close()
    with running_server(home) as running:
        for email, count in zip(study.readers, (28, 17, 22, 9), strict=True):
            with connect(f"http://127.0.0.1:{running.port}") as client:
                client.sign_in(email, PASSWORD)
                for _ in range(count):
                    (task, *_) = client.claim(study.project)
                    client.submit(task, {"finding": "clear"}, seconds=24.0)
        yield running, study.project

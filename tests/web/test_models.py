"""The process that reaches a model: a server that ends takes it along without a false alarm."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from overread.store import Store, open_store
from overread.web import models

ENDING = """
import atexit, time
atexit.register(time.sleep, 2)  # after all others: what a thread would say is still said
import logging, multiprocessing, sys, threading
logging.basicConfig(level=logging.INFO)
from overread.store import open_store
from overread.web import models
from tests.web.test_models import long

if __name__ == "__main__":
    models._child = long
    store = open_store(sys.argv[1])
    threading.Thread(target=models.Models()._reach, args=(store, "p", (1, 1)), daemon=True).start()
    while not multiprocessing.active_children():
        time.sleep(0.01)
    time.sleep(1)
    print(multiprocessing.active_children()[0].pid)
"""


def long(_url: str, _project: str, _line: Connection) -> None:
    """As a model of many reads."""
    time.sleep(60)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"sqlite:///{tmp_path / 'store.db'}", sync=False)


def test_a_server_that_ends_ends_it_without_an_alarm(tmp_path: Path, store: Store) -> None:
    script = tmp_path / "ending.py"
    script.write_text(ENDING, encoding="utf-8")
    words = [sys.executable, str(script), store.url]
    root = Path(__file__).parents[2]
    ended = subprocess.run(
        words, capture_output=True, text=True, timeout=60, check=False,
        env=os.environ | {"PYTHONPATH": str(root)},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert not Path(f"/proc/{int(ended.stdout)}").exists()
    assert "in a model" not in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(("sent", "told"), [(signal.SIGKILL, True), (signal.SIGTERM, False)])
def test_one_that_is_killed_is_told_and_one_that_is_asked_to_end_is_not(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    sent: signal.Signals, told: bool,
) -> None:  # fmt: skip
    monkeypatch.setattr(models, "_child", long)
    caplog.set_level(logging.INFO, logger="overread.web")
    before = {one.pid for one in multiprocessing.active_children()}
    reached = models.Models()
    work = threading.Thread(target=reached._reach, args=(store, "p", (1, 1)))
    work.start()
    child = _begun(before)
    os.kill(child, signal.SIGINT)  # Ctrl-C reaches every process of a terminal
    time.sleep(0.3)
    assert work.is_alive()
    os.kill(child, sent)
    work.join(20)
    assert not work.is_alive()
    assert ("EOFError in a model" in caplog.text) == told


def _begun(before: set[int | None]) -> int:
    for _ in range(500):
        for one in multiprocessing.active_children():
            if one.pid is not None and one.pid not in before:
                return one.pid
        time.sleep(0.02)
    pytest.fail("no process was begun")

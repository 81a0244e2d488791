"""Parts of a work that tests run in processes of their own: functions that can be imported."""

from __future__ import annotations

import os
import time
from pathlib import Path

from overread.errors import InputError, MissingExtraError


def count(say, step, name, upto):
    told = step(f"counting {name}")
    for number in range(upto):
        say(f"{name} {number}")
        told(number + 1, upto)
    return name, os.getpid()


def refuse(_say, _step):
    raise InputError("x2", "be above x1", 3, rows=(1, 2), remedy="Turn them round.")


def lack(_say, _step):
    raise MissingExtraError("The report", "report")


def die(_say, _step):
    os._exit(7)


def wait_in(say, _step, folder):
    """Wait for ever with a half-written file; say when it has begun."""
    half = Path(folder) / "half.part"
    try:
        half.write_text("half")
        say("begun")
        while True:
            time.sleep(0.05)
    finally:
        half.unlink(missing_ok=True)


def one_set(stage, name):
    """Stands for a set of the demo: a report, a stand-in, a line."""
    from overread.report import DemoEntry  # the other works start faster without

    stage.say(f"{name} in {stage.folder.name}")
    stage.step(name)(1, 1)
    stage.entries.append(DemoEntry(name, f"{name}.html", "words", ""))
    stage.synthetic.append(name)

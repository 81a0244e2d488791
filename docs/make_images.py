"""Draw the picture of the README: a report on simulated reads, in headless Chromium."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np

from overread.app.analysis.write_report import ReportRequest, write_report
from overread.labels import class_reads

_IMAGES = Path(__file__).parent / "images"
_CHROMIUM = (
    "chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --no-first-run "
    "--disable-background-networking --window-size=1180,820"
)


def main() -> None:
    """Write docs/images/report.png."""
    rng = np.random.default_rng(3)
    classes = ["clear", "effusion", "nodule", "pneumothorax"]
    truth = rng.choice(4, 400, p=[0.6, 0.22, 0.13, 0.05])
    skill = {"Reader A": 0.93, "Reader B": 0.88, "Reader C": 0.85, "Reader D": 0.7}
    case, reader, label = [], [], []
    for name, accuracy in skill.items():
        right = rng.random(400) < accuracy
        said = np.where(right, truth, rng.integers(0, 4, 400))
        case += range(400)
        reader += [name] * 400
        label += [classes[code] for code in said]
    reads = class_reads(case, reader, label, schema=classes)
    request = ReportRequest("Chest radiographs, first batch", "simulated reads", "2026-11-21")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        write_report(reads, request, page)
        shot = f"--screenshot={_IMAGES / 'report.png'}"
        subprocess.run([*_CHROMIUM.split(), shot, page.as_uri()], check=True, capture_output=True)


if __name__ == "__main__":
    main()

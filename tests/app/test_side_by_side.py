"""Parts in processes of their own: what they say, what they raise, and how they are stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from overread.app.analysis.side_by_side import Part, side_by_side
from overread.errors import InputError, MethodError, MissingExtraError
from tests.app import works


def run(*parts):
    said, ticks = [], []
    results = side_by_side(
        [Part(work, arguments) for work, *arguments in parts],
        say=said.append,
        step=lambda what: lambda done, total: ticks.append((what, done, total)),
    )
    return results, said, ticks


def test_lines_and_results_come_in_the_order_of_the_parts():
    results, said, ticks = run((works.count, "a", 3), (works.count, "b", 2))
    assert [name for name, _ in results] == ["a", "b"]
    assert said == ["a 0", "a 1", "a 2", "b 0", "b 1"]
    assert len({os.getpid(), *(process for _, process in results)}) == 3
    for name, total in (("a", 3), ("b", 2)):
        own = [tick for tick in ticks if tick[0] == f"counting {name}"]
        assert own == [(f"counting {name}", n + 1, total) for n in range(total)]


@pytest.mark.parametrize(
    ("work", "error", "words"),
    [
        (works.refuse, InputError, "rows 1, 2: x2 must be above x1; got 3. Turn them round."),
        (works.lack, MissingExtraError, "The report needs packages"),
        (works.die, MethodError, "ended without a result .exit code 7."),
    ],
)
def test_an_error_comes_back_word_for_word_and_stops_the_others(work, error, words, tmp_path):
    with pytest.raises(error, match=words) as caught:
        run((works.wait_in, str(tmp_path)), (work,))
    assert not list(tmp_path.iterdir())  # the other part took its half-written file away
    if error is InputError:
        assert (caught.value.rows, caught.value.remedy) == ((1, 2), "Turn them round.")


def test_ctrl_c_stops_all_parts_without_a_trace(tmp_path):
    """The whole process group hears Ctrl-C, as from a terminal."""
    code = (
        "import sys\n"
        "from overread.app.analysis.side_by_side import Part, side_by_side\n"
        "from tests.app import works\n"
        "if __name__ == '__main__':\n"
        "    parts = [Part(works.wait_in, (sys.argv[1],))] * 1\n"
        "    try:\n"
        "        side_by_side(parts, say=lambda line: print(line, flush=True), step=None)\n"
        "    except KeyboardInterrupt:\n"
        "        sys.exit(130)\n"
    )
    script = tmp_path / "script.py"
    script.write_text(code)
    (tmp_path / "out").mkdir()
    with subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "out")], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
        env=os.environ | {"PYTHONPATH": str(Path.cwd())},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        os.killpg(process.pid, signal.SIGINT)
        _, trouble = process.communicate(timeout=60)
    assert (process.returncode, trouble) == (130, "")
    assert not list((tmp_path / "out").iterdir())

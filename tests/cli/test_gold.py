"""``overread gold``: cases of a project become gold, all of them or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from overread.app.study.home import open_home
from overread.store import Store, list_gold, list_projects
from tests.cli.program import overread
from tests.end_to_end.pictures import grey8

PROTOCOL = """title: Study
questions:
  - {id: grade, prompt: Grade, kind: ordinal, classes: ["0", "1", "2"]}
qualification: {least_cases: 1}
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a project of two cases."""
    (tmp_path / "p.yaml").write_text(PROTOCOL, encoding="utf-8")
    images = tmp_path / "images"
    images.mkdir()
    for seed in (1, 2):
        grey8(images / f"{seed}.png", seed=seed, size=(20, 30))
    at = tmp_path / "home"
    for words in (
        ("init", "Study", "--protocol", tmp_path / "p.yaml"),
        ("import", "Study", images),
    ):
        ended = overread(*words, "--home", at)
        assert ended.code == 0, ended.err
    return at


def test_a_table_makes_cases_gold(home: Path, tmp_path: Path) -> None:
    table = tmp_path / "gold.csv"
    table.write_text("case,label\ncase 000001,1\ncase 000002,2\n", encoding="utf-8")
    ended = overread("gold", "Study", table, "--home", home, "--pool", "hidden")
    assert (ended.code, ended.out.strip()) == (0, "2 gold cases (hidden)")
    again = overread("gold", "Study", table, "--home", home, "--pool", "hidden", "--json")
    assert again.document == {"gold": 2, "pool": "hidden"}
    store = open_home(home).store
    found = list_gold(store, _project(store), retired=True)
    assert sorted((one.case_name, one.answer["grade"]) for one in found) == [
        ("case 000001", "1"),
        ("case 000002", "2"),
    ]
    store.close()


def _project(store: Store) -> str:
    return list_projects(store)[0].id


@pytest.mark.parametrize(
    ("text", "pool", "words"),
    [
        ("case,label\nnowhere,1\n", "training", "case must be the name or id of a case"),
        ("case,label\ncase 000001,7\n", "training", "gold of case case 000001: question grade"),
        ("case,label\ncase 000001,1\n", "open", "--pool must be training or hidden"),
    ],
)
def test_bad_tables_change_nothing(
    home: Path, tmp_path: Path, text: str, pool: str, words: str
) -> None:
    table = tmp_path / "gold.csv"
    table.write_text(text, encoding="utf-8")
    ended = overread("gold", "Study", table, "--home", home, "--pool", pool)
    assert ended.code == 2
    assert words in " ".join(ended.err.split())
    store = open_home(home).store
    assert list_gold(store, _project(store)) == []
    store.close()

"""Edits of a protocol's text: what they say is so, and the rest of the text stays."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.errors import InputError
from overread.protocol import TEMPLATES, AtlasEntry, ProtocolError, read_protocol, template
from overread.protocol.edit import with_atlas_entry, with_guideline, without_atlas_entry

WORDS = st.characters(codec="utf-8", categories=("L", "N", "P", "Zs", "S"))
LINES = st.lists(st.text(WORDS, max_size=30), max_size=6)


def entry(name: str, why: str = "It is so.") -> AtlasEntry:
    return AtlasEntry(name, None, None, do=True, why=why, image="a" * 64, rows=4, columns=6)


@pytest.mark.parametrize("name", TEMPLATES)
@given(lines=LINES)
@settings(deadline=None, max_examples=10)
def test_any_guideline_is_read_back(name: str, lines: list[str]) -> None:
    given_ = "\n".join(lines)
    before = read_protocol(template(name))
    after = read_protocol(with_guideline(template(name), given_))
    wanted = "\n".join(line.rstrip() for line in given_.split("\n")).strip("\n")
    assert after.guideline.rstrip("\n") == wanted
    assert (after.questions, after.atlas) == (before.questions, before.atlas)


@pytest.mark.parametrize("name", TEMPLATES)
@given(lines=LINES.filter(lambda lines: any(line.strip() for line in lines)))
@settings(deadline=None, max_examples=10)
def test_an_entry_comes_and_goes(name: str, lines: list[str]) -> None:
    text = template(name)
    more = with_atlas_entry(text, entry("new", "\n".join(lines).strip()))
    found = read_protocol(more)
    assert found.atlas[-1].id == "new"
    assert found.atlas[:-1] == read_protocol(text).atlas
    assert read_protocol(without_atlas_entry(more, "new")) == read_protocol(text)


def test_comments_and_the_order_of_keys_stay() -> None:
    text = "# mine\n" + template("fracture-boxes").replace("\natlas:", "\n# pictures\natlas:")
    more = with_atlas_entry(with_guideline(text, "short"), entry("new"))
    assert "# mine\n" in more
    assert "\n# pictures\natlas:" in more
    assert more.index("objectives") < more.index("guideline") < more.index("atlas")
    assert '{name: Fracture, key: "1", ontology: "RADLEX:RID4650", colour: "#e69f00"}' in more
    assert without_atlas_entry(more, "new") == with_guideline(text, "short")


def test_a_file_in_another_style_is_written_anew() -> None:
    text = "{title: x, questions: [{id: q, prompt: p, kind: nominal, classes: [a, b]}]}"
    more = with_atlas_entry(text, entry("new"))
    assert read_protocol(more).atlas == (entry("new"),)
    assert read_protocol(without_atlas_entry(more, "new")) == read_protocol(text)
    assert read_protocol(with_guideline(text, "look")).guideline == "look\n"


def test_what_is_refused() -> None:
    text = template("fracture-boxes")
    with pytest.raises(InputError, match="id of its own"):
        with_atlas_entry(text, entry("tight"))
    with pytest.raises(InputError, match="one of the protocol"):
        without_atlas_entry(text, "none")
    with pytest.raises(ProtocolError):
        with_guideline("title: x\n", "words")
    with pytest.raises(ProtocolError):
        with_atlas_entry(text, entry("no id at all"))

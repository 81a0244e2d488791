"""The PDF opens, has the words, and takes names as they are."""

from __future__ import annotations

import pytest
from pypdf import PdfReader

from overread import report


@pytest.fixture(scope="module")
def text_of(tmp_path_factory, states):
    def read(state):
        path = tmp_path_factory.mktemp("pdf") / f"{state}.pdf"
        report.write_pdf(states[state](), path)
        pages = PdfReader(path).pages
        return len(pages), " ".join(" ".join(page.extract_text().split()) for page in pages)

    return read


@pytest.mark.parametrize("state", ["boxes", "scores", "one_reader"])
def test_states_are_set(text_of, states, state):
    n_pages, text = text_of(state)
    assert 1 <= n_pages < 20
    assert states[state]().head.title in text
    assert "Agreement" in text


def test_names_are_never_markup(text_of, hostile):
    _, text = text_of("hostile")
    squeezed = text.replace(" ", "")
    assert hostile.replace(" ", "") in squeezed
    assert "Readersagreemoderately" in squeezed


def test_a_huge_table_is_cut(text_of):
    n_pages, text = text_of("huge")
    assert n_pages < 25
    assert "more" in text

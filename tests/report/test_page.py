"""The page: structure, escaping, every state, nothing loaded, the same bytes each time."""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest

from overread import report
from overread.agreement.estimate import Estimate
from overread.errors import InputError, MissingExtraError

STATES = ("classes", "boxes", "masks", "scores", "empty", "one_reader", "hostile", "huge")
VOID = {"meta", "br", "link", "img", "input", "hr"}


class Outline(HTMLParser):
    """Elements with their attributes, texts by element, and whether all tags close."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.texts, self.open = [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def of(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]

    def text(self):
        return " ".join(data for tag, data in self.texts if tag != "style")


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_well_formed_and_complete(page, state):
    outline = Outline(page(state))
    assert not outline.open
    assert len(outline.of("h1")) == 1
    assert len(outline.of("main")) == 1
    anchors = [attrs["id"] for _, attrs in outline.elements if "id" in attrs]
    assert len(anchors) == len(set(anchors))
    targets = {attrs["href"][1:] for attrs in outline.of("a")} | {
        attrs["href"][1:] for attrs in outline.of("use")
    }
    assert targets <= set(anchors)
    assert "nan" not in re.findall(r"[a-z]+", outline.text().casefold())
    assert re.findall(r"\d+%", outline.text()) == []  # 45 %, in sentences and in charts


@pytest.mark.parametrize("state", STATES)
def test_nothing_is_loaded_and_nothing_runs(page, state):
    text = page(state)
    outline = Outline(text)
    names = {name for name, _ in outline.elements}
    assert not names & {"script", "link", "img", "iframe", "object", "embed", "image", "form"}
    for _, attrs in outline.elements:
        assert not [name for name in attrs if name.startswith("on") or name in ("src", "style")]
        assert attrs.get("href", "#").startswith("#")
    assert set(re.findall(r"https?://[^\s\"<]+", text)) <= {"http://www.w3.org/2000/svg"}
    assert "url(" not in text


def test_the_policy_allows_its_own_style_alone(page):
    text = page("classes")
    policy = next(a["content"] for a in Outline(text).of("meta") if "http-equiv" in a)
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.startswith("default-src 'none';")
    assert f"style-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_every_drawing_is_named_or_hidden_and_every_table_has_a_caption(page):
    for state in ("classes", "boxes"):
        outline = Outline(page(state))
        for attrs in outline.of("svg"):
            assert attrs.get("aria-hidden") == "true" or attrs.get("aria-label")
        assert len(outline.of("caption")) == len(outline.of("table")) > 0
        scrolled = [a for a in outline.of("div") if a.get("class") in ("table", "canvas")]
        assert scrolled
        assert all(a["tabindex"] == "0" and a["aria-label"] for a in scrolled)


def test_headings_never_skip_a_level(page):
    for state in STATES:
        levels = [int(t[1]) for t, _ in Outline(page(state)).elements if re.fullmatch("h[1-6]", t)]
        assert levels[0] == 1
        assert all(b <= a + 2 for a, b in pairwise(levels))


def test_hostile_names_are_text(page, hostile):
    text = page("hostile")
    assert "<script" not in text
    outline = Outline(text)
    assert hostile in outline.text()
    assert f"{hostile} case 1" in outline.text()
    assert "{{ 7*7 }}" in outline.text()
    titles = {data for tag, data in outline.texts if tag == "title"}
    assert titles == {hostile}


def test_hostile_labels_of_drawn_findings_are_text(states):
    content = states["boxes"]()
    box = report.Shape(np.array([[1.0, 1.0], [9.0, 9.0]]), -1, "</svg><script>x</script>", 0.5)
    case = report.CaseView('"><b onclick=x>', "<i>", panel=report.Panel(10, 10, (box,)))
    text = report.html(replace(content, cases=report.Cases((case,), 1)))
    outline = Outline(text)
    assert "script" not in {name for name, _ in outline.elements}
    assert "b" not in {name for name, _ in outline.elements}
    assert "</svg><script>x</script> 0.50" in outline.text()


def test_the_same_content_gives_the_same_bytes(page, states):
    assert report.html(states["boxes"]()) == page("boxes")


def test_a_huge_table_stays_a_page_that_opens(page):
    text = page("huge")
    assert len(text) < 2_500_000
    assert "and 276 more" in text  # readers in the matrix
    assert "Show the other" in text


def test_figures_lead_to_the_cases_behind_them(page):
    outline = Outline(page("classes"))
    links = [a["href"] for a in outline.of("a")]
    assert sum(link.startswith("#case-") for link in links) > 20


def test_a_reader_has_one_colour_everywhere(page):
    text = page("classes")
    rows = re.findall(r'class="mark (reader-\d)"[^>]*><use href="#mark-\d"/></svg>\s*(R\d)', text)
    rows += re.findall(
        r'class="mark (reader-\d)"[^>]*><use href="#mark-\d"/></svg> <span class="said">(R\d)<',
        text,
    )
    assert {(colour, name) for colour, name in rows} == {
        (f"reader-{i}", f"R{i}") for i in range(1, 7)
    }


def test_sentences_say_how_far_what_and_next(page):
    text = Outline(page("classes")).text()
    assert (
        "Readers agree moderately: Krippendorff's alpha is 0.58 (95 % interval 0.52 to 0.64)."
        in text
    )
    assert "The consensus (Dawid-Skene) rests on 5 reads a case" in text
    assert "Ask for another read of" in text


def test_empty_states_teach(page):
    empty, one = (Outline(page(state)).text() for state in ("empty", "one_reader"))
    assert "Nobody has read yet" in empty
    assert "Hand the first cases to two readers" in empty
    assert "Agreement needs two readers" in one
    assert "Show each reader about 5 % of the cases twice" in one


def test_readers_who_are_not_told_apart_are_never_named(states):
    content = states["classes"]()
    named = replace(content, readers=tuple(f"secret {i}" for i in range(6)))
    agreement = replace(named.agreement, intra=())
    reliability = replace(content.consensus.reliability, readers=named.readers)
    consensus = replace(content.consensus, reliability=reliability)
    head = replace(content.head, anonymous=True)
    text = report.html(replace(named, head=head, agreement=agreement, consensus=consensus))
    assert "secret" not in text
    assert "not told apart" in text


def test_thousands_of_readers_are_cut(states):
    content = states["one_reader"]()
    readers = tuple(f"R{i}" for i in range(3000))
    each = tuple(Estimate("Cohen's kappa", "kappa", 0.5, scope=name) for name in readers)
    agreement = report.Agreement(overall=each[:1], against_rest=each)
    text = report.html(replace(content, readers=readers, agreement=agreement))
    assert "and 2,600 more" in text
    assert len(text) < 1_000_000


def test_more_cases_than_fit_are_counted(states):
    content = states["one_reader"]()
    cases = tuple(report.CaseView(f"c{i}", "effusion") for i in range(200))
    text = report.html(replace(content, readers=("a", "b"), cases=report.Cases(cases)))
    assert text.count('<li class="case') == 60
    assert "and 140 more" in text


def test_parts_of_another_size_are_refused(states):
    content = states["classes"]()
    with pytest.raises(InputError, match=r"classes must have 4 names, as the consensus; got 3"):
        replace(content, classes=content.classes[:3])
    with pytest.raises(InputError, match=r"pair matrix must have shape \(5, 5\)"):
        replace(content, readers=content.readers[:5])


def test_several_measures_of_a_scope_share_a_row(states):
    content = states["one_reader"]()
    each = tuple(
        Estimate(name, key, value, value - 0.1, value + 0.05, scope=f"R{i} against the rest")
        for i, base in enumerate((0.7, 0.4))
        for name, key, value in (
            ("Percent agreement", "percent", base + 0.2),
            ("Cohen's kappa", "cohen_kappa", base),
            ("Gwet's AC1", "ac1", base + 0.1),
        )
    )
    agreement = report.Agreement(overall=each[:3], against_rest=each)
    text = report.html(replace(content, readers=("R0", "R1"), agreement=agreement))
    table = text[text.index("Agreement with the other readers: Cohen") :]
    table = table[: table.index("</table>")]
    assert table.count('<th scope="row"') == 2
    assert table.index("R1") < table.index("R0")  # the lower first
    assert "0.90" in table
    assert "Readers agree substantially: Cohen&#39;s kappa is 0.70" in text


def test_own_sentences_replace_ours(states):
    content = states["one_reader"]()
    head = replace(content.head, summary=("All is well.",))
    text = Outline(report.html(replace(content, head=head))).text()
    assert "All is well." in text
    assert "Give at least a tenth" not in text


def test_without_the_extra_the_error_says_what_to_install(monkeypatch, states):
    monkeypatch.setitem(sys.modules, "altair", None)
    for name in [name for name in sys.modules if name.startswith("overread.report.")]:
        if name != "overread.report.content":
            monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingExtraError, match=r"pip install 'overread\[report\]'"):
        report.html(states["empty"]())


def test_the_file_is_whole(tmp_path, states, page):
    path = report.write_html(states["empty"](), tmp_path / "report.html")
    assert path.read_text(encoding="utf-8") == page("empty")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]

"""Draw the plots of docs/article.md from the experiment in benchmarks/article.py."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import vl_convert

_ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(_ROOT / "benchmarks"))

import article  # noqa: E402 - beside the other benchmarks

_IMAGES = Path(__file__).parent / "images"
_INK, _MUTED, _GRID = "#eceff4", "#a6afbc", "#272d37"
_GOOD, _WEAK, _BAD, _LINE = "#9aa8ff", "#848e9b", "#ffb84d", "#56b4e9"
_GROUPS = dict.fromkeys(article.ANNOTATORS[:4], "test")
_GROUPS |= dict.fromkeys(article.ANNOTATORS[4:8], "random")
_GROUPS |= dict.fromkeys(article.ANNOTATORS[8:], "contradicts")


def main(seeds: int = 200) -> None:
    """Write the three plots."""
    _IMAGES.mkdir(exist_ok=True)
    run: dict[str, Any] = article.article_run()
    _save("article-iterations", _iterations(run["accuracy"]))
    _save("article-readers", _readers(run["table"]))
    _save("article-seeds", _seeds(seeds))


def _iterations(accuracy: list[float]) -> alt.Chart:
    rows = [{"iteration": i + 1, "accuracy": a} for i, a in enumerate(accuracy[:8])]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("iteration:O", axis=alt.Axis(labelAngle=0), title="iteration"),
        y=alt.Y("accuracy:Q", scale=alt.Scale(domain=[0.6, 1.0]), title="accuracy"),
    )
    text = base.mark_text(dy=-12, color=_INK).encode(text=alt.Text("accuracy:Q", format=".3f"))
    return base.mark_line(color=_LINE, point=alt.OverlayMarkDef(size=70, color=_LINE)) + text


def _readers(table: dict[str, Any]) -> alt.Chart:
    rows = [
        {"reader": name, "when": when, "sensitivity": row[key][0], "specificity": row[key][1],
         "group": _GROUPS[name]}
        for name, row in table.items()
        for key, when in (("first", "first iteration"), ("final", "last iteration"))
    ]  # fmt: skip
    colour = alt.Color(
        "group:N", title="annotator",
        scale=alt.Scale(domain=["test", "random", "contradicts"], range=[_GOOD, _WEAK, _BAD]),
    )  # fmt: skip
    unit = alt.Scale(domain=[0, 1])
    return (
        alt.Chart(alt.Data(values=rows), width=270, height=270)
        .mark_point(filled=True, size=120)
        .encode(
            x=alt.X("specificity:Q", scale=unit, title="P(No Pneumonia | No Pneumonia)"),
            y=alt.Y("sensitivity:Q", scale=unit, title="P(Pneumonia | Pneumonia)"),
            color=colour,
            column=alt.Column("when:N", title=None),
        )
    )


def _seeds(seeds: int) -> alt.Chart:
    rows = []
    for seed in range(seeds):
        said, truth = article.answers(seed)
        em = article.dawid_skene(article.as_reads(said), **article.ARTICLE).value.code
        rows.append({"what": "EM consensus", "accuracy": float((em == truth).mean())})
        best = float((said == truth[:, None]).mean(axis=0).max())
        rows.append({"what": "best single annotator", "accuracy": best})
        share = said.mean(axis=1)
        vote = float(np.where(share == 0.5, 0.5, (share > 0.5) == truth).mean())
        rows.append({"what": "majority, ties split", "accuracy": vote})
    return (
        alt.Chart(alt.Data(values=rows), width=560, height=70)
        .mark_bar(color=_GOOD)
        .encode(
            x=alt.X("accuracy:Q", bin=alt.Bin(step=0.01, extent=[0.5, 1.0]), title="accuracy"),
            y=alt.Y("count():Q", title="seeds"),
            row=alt.Row("what:N", title=None, header=alt.Header(labelAngle=0, labelAlign="left")),
        )
    )


def _save(name: str, chart: alt.Chart) -> None:
    chart = chart.configure(
        background="#0a0c10", padding=16, font="DejaVu Sans",
        axis=alt.AxisConfig(labelColor=_MUTED, titleColor=_MUTED, gridColor=_GRID,
                            domainColor=_GRID, tickColor=_GRID),
        legend=alt.LegendConfig(labelColor=_MUTED, titleColor=_MUTED),
        header=alt.HeaderConfig(labelColor=_INK, labelFontSize=12),
        view=alt.ViewConfig(stroke=None),
    )  # fmt: skip
    svg = vl_convert.vegalite_to_svg(chart.to_json())
    (_IMAGES / f"{name}.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()

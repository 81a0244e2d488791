"""Write docs/methods/index.md from the tables in the code."""

from __future__ import annotations

from pathlib import Path

from overread.agreement.measures import MEASURES
from overread.app.analysis.methods import METHODS

_PAGE = Path(__file__).parent / "methods" / "index.md"

_HEAD = """# Methods

## Consensus: which method for which reads

Made from `overread.app.analysis.methods` by `docs/make_methods_table.py`.
No method wins everywhere: run `overread compare` on your own reads.

| method | label kinds | assumes | when to use | paper |
|---|---|---|---|---|
"""

_AGREEMENT = """
## Agreement of classes and grades

| key | measure | paper |
|---|---|---|
"""

_OTHER = """
## Agreement of the other kinds

| label kind | measures | page |
|---|---|---|
| score | six intraclass correlations, Bland-Altman, repeatability | [ICC, Bland-Altman](icc-bland-altman.md) |
| box, instance | F1 by matching, IoU of matched, count and size difference, FROC-style | [detection](detection-agreement.md) |
| mask | Dice, IoU, HD, HD95, ASSD, surface Dice in mm, size difference | [masks](mask-agreement.md) |
"""  # noqa: E501 - rows of a table


def main() -> None:
    """Write the page."""
    rows = [
        f"| [`{m.name}`]({m.page}) | {', '.join(k.value for k in m.kinds)} | {m.assumes} | "
        f"{m.use_when} | {m.source} |"
        for m in METHODS.values()
    ]
    measures = [f"| `{m.key}` | {m.name} | {_paper(m)} |" for m in MEASURES.values()]
    text = _HEAD + "\n".join(rows) + "\n" + _AGREEMENT + "\n".join(measures) + "\n" + _OTHER
    _PAGE.write_text(text, encoding="utf-8")


def _paper(measure: object) -> str:
    return str(getattr(measure, "paper", getattr(measure, "source", "")))


if __name__ == "__main__":
    main()

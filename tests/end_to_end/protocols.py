"""Protocols of the kinds that no template asks for."""

OUTLINES = """title: Cells, outlined
reads_per_case: 2
questions:
  - id: cells
    prompt: Outline each cell
    kind: instance
    classes: [Lymphocyte, Tumour cell]
guideline: Follow the membrane.
"""
SERIES = """title: Every kind, on a series
reads_per_case: 2
questions:
  - {id: quality, prompt: "How good is it?", kind: ordinal, classes: [Poor, Fair, Good]}
  - {id: lesions, prompt: Box each lesion, kind: box, required: false, classes: [Lesion, Cyst]}
  - {id: sure, prompt: "How sure are you?", kind: score, low: 0, high: 100, required: false}
guideline: Look at every slice.
"""

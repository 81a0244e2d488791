"""The charts of a report: one file a chart, each a pure function from numbers to SVG."""

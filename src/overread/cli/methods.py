"""``overread methods``: what there is to choose from."""

from __future__ import annotations

from dataclasses import fields

from rich.table import Table

from overread.app.analysis.methods import METHODS
from overread.cli.options import JsonOption, console, print_json


def run(*, as_json: JsonOption = False) -> None:
    """List the consensus methods: what each takes, assumes, and is for."""
    if as_json:
        print_json(
            [
                {
                    f.name: getattr(m, f.name)
                    for f in fields(m)
                    if f.name in ("name", "assumes", "use_when", "source")
                }
                | {"kinds": [kind.value for kind in m.kinds]}
                for m in METHODS.values()
            ]
        )
        return
    table = Table(box=None, pad_edge=False, show_lines=True)
    for name in ("method", "takes", "assumes", "use when"):
        table.add_column(name)
    for method in METHODS.values():
        kinds = ", ".join(kind.value for kind in method.kinds)
        table.add_row(f"[bold]{method.name}[/]", kinds, method.assumes, method.use_when)
    console().print(table)

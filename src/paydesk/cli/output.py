"""What a person and a script see: aligned and coloured in a terminal, quiet when piped, JSON on request."""

import json
import sys
from collections.abc import Mapping

from rich.console import Console
from rich.markup import escape
from rich.table import Table

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


def show(facts: Mapping[str, object], *, as_json: bool, note: str = "") -> None:
    """Names and values, one per line."""
    if as_json:
        sys.stdout.write(json.dumps(facts, indent=2) + "\n")
        return
    width = max(map(len, facts))
    for name, value in facts.items():
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        console.print(f"[dim]{name:<{width}}[/]  {escape(text)}", soft_wrap=True)
    if note and console.is_terminal:
        console.print(f"\n{note}", style="yellow")


def show_rows(
    rows: list[dict[str, object]], columns: list[str], *, as_json: bool, note: str = "", whole: str = ""
) -> None:
    """A table; tab-separated when piped. The column `whole` is never broken, however narrow the terminal."""
    if as_json:
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
        return
    if not console.is_terminal:
        for row in rows:
            sys.stdout.write("\t".join(str(row[column]) for column in columns) + "\n")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column == whole)
    for row in rows:
        table.add_row(*(escape(str(row[column])) for column in columns))
    console.print(table)
    if note:
        console.print(f"\n{note}", style="yellow")


def fail(message: str, *, status: int = 1) -> None:
    """A sentence on standard error, and the exit status."""
    errors.print(f"[red]paydesk:[/] {escape(message)}", soft_wrap=True)
    raise SystemExit(status)

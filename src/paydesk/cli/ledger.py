"""`paydesk ledger`: the books recounted, and the books as a table."""

import csv
import json
import os
import sys
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, TextIO

import typer

from paydesk.cli import output
from paydesk.cli.asking import AsJson, Data, follow

app = typer.Typer(no_args_is_help=True, help="The books: recount them, take them out.")


class Format(StrEnum):
    """How exported rows are written."""

    CSV = "csv"
    JSONL = "jsonl"


@app.command("verify")
def verify(data: Data = None, as_json: AsJson = False) -> None:
    """Recount all of the books, also while a `serve` runs. Names the first row that is off; then the status is 1."""
    with output.errors.status("Counting …") as status:
        found = follow(
            data, "ledger verify", lambda line: status.update(f"{line['checked']:,} of {line['of']:,} rows …")
        )
    if found["ok"] or as_json:
        output.show({**found, "ok": "yes"} if found["ok"] and not as_json else found, as_json=as_json)
    else:
        key = ", ".join(f"{name} {value}" for name, value in found["key"].items())
        output.fail(f"The books are off. {found['table']} ({key}): {found['why']}.")
    if not found["ok"]:
        raise SystemExit(1)


@app.command("export")
def export(
    account: Annotated[str | None, typer.Option(help="Of this account, or this merchant's, alone.")] = None,
    form: Annotated[Format, typer.Option("--format", help="csv begins with names; jsonl has an object a line.")] = (
        Format.CSV
    ),
    data: Data = None,
) -> None:
    """Write every posting to standard output, a line each. Amounts are signed minor units, debit positive."""
    write = _writer(form, sys.stdout)
    try:
        follow(data, "ledger export", lambda line: write(line["rows"]), account=account)
        write([])  # The names, where there is nothing else.
        sys.stdout.flush()
    except BrokenPipeError:  # Whoever read has seen enough; what is buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None


def _writer(form: Format, out: TextIO) -> Callable[[list[dict[str, Any]]], None]:
    if form is Format.JSONL:
        return lambda rows: out.writelines(json.dumps(row) + "\n" for row in rows)
    from paydesk.ledger.export import COLUMNS  # noqa: PLC0415 (other commands start faster)

    table = csv.writer(out, lineterminator="\n")
    names = [COLUMNS]

    def write(rows: list[dict[str, Any]]) -> None:
        if names:
            table.writerow(names.pop())
        table.writerows([row[name] for name in COLUMNS] for row in rows)

    return write

"""`paydesk audit`: who did what, and whether the log of it holds."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from paydesk.cli import output
from paydesk.cli.asking import AsJson, Data, ask, follow, sentences

app = typer.Typer(no_args_is_help=True, help="Who did what: every change by a key or by the operator.")

COLUMNS = ["account", "number", "at", "actor", "action", "object", "request", "reason"]


@app.command("list")
def audit_list(
    account: Annotated[str | None, typer.Option(help="Of this account, or this merchant's, alone.")] = None,
    after: Annotated[int | None, typer.Option(help="The account's lines from behind this number on.")] = None,
    limit: Annotated[int, typer.Option(help="How many at most.")] = 100,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """List the newest lines, the oldest of them first."""
    found: list[dict[str, Any]] = ask(data, "audit list", account=account, after=after, limit=limit)["entries"]
    output.show_rows(found, COLUMNS, as_json=as_json)


@app.command("verify")
def audit_verify(
    file: Annotated[
        Path | None, typer.Option(help="A backup, or a database that no process has open, instead of --data.")
    ] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """See that every chain of lines holds; else name the first line of each that is off, with exit status 1.

    With --json also each chain's head: noted elsewhere, it shows whether all of a chain was written anew.
    """
    with output.errors.status("Looking …") as status:

        def told(line: dict[str, Any]) -> None:
            status.update(f"{line['lines']:,} of {line['of']:,} lines …")

        found = follow(data, "audit verify", told) if file is None else _of_file(file, told)
    if as_json:
        output.show(found, as_json=True)
    elif found["holds"]:
        output.show({"holds": "yes", "chains": found["chains"], "lines": found["lines"]}, as_json=False)
    for off in found["off"] if not as_json else ():
        output.console.print(f"{off['account']}, line {off['number']}: {off['why']}.", soft_wrap=True)
    if not found["holds"]:
        output.fail("The log of who did what does not hold. Compare it with a backup's.")


def _of_file(file: Path, told: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    from paydesk.assembly.audit_log import verify_file  # noqa: PLC0415 (other commands start faster)

    with sentences():
        return verify_file(file, told)
